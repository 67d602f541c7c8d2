"""The contract of a stage: its artefacts, their variables, and how each is compared."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from pystamps_shim.verification.limits import Limits, is_level

#: Where the contracts are.
CONTRACT_FOLDER = Path(__file__).parent / "contract"


class Policy(StrEnum):
    """How a file or a variable is compared."""

    #: The same bits.
    EXACT = "exact"
    #: Rows are compared as sets: the Jaccard index is at least `VariableContract.jaccard`. By the
    #: profile ``scientific`` rows are pixels.
    SET = "set"
    #: Deviations in units of the last place of the reference.
    ULP = "ulp"
    #: Deviations by their quantiles (`Measure`).
    QUANTILES = "quantiles"
    #: As `QUANTILES`, for angles in radians modulo a turn; complex numbers by their angle.
    WRAPPED = "wrapped"
    #: Unwrapped phase in radians, one interferogram a column, never modulo a turn: once each
    #: column's median number of cycles is removed, all samples but a share are in the reference's
    #: cycle; the limits are of what remains besides whole cycles.
    CYCLES = "cycles"
    #: The root mean square of the differences along the last axis, their median taken out, of the
    #: share that agrees best, is within the limit.
    RMS = "rms"
    #: Class and shape alone.
    IGNORED = "ignored"


class Measure(StrEnum):
    """What a deviation is, for `Policy.QUANTILES`."""

    #: Modulus of the difference.
    ABSOLUTE = "absolute"
    #: The same by the modulus of the reference.
    RELATIVE = "relative"
    #: The modulus relative to the reference's, or the phase in radians, whichever is larger.
    PHASOR = "phasor"


class FilePolicy(StrEnum):
    """How a whole file is compared."""

    BYTES = "bytes"
    TEXT = "text"
    VARIABLES = "variables"


#: Elements that an array of no fixed size must have for its values to be evidence.
LEAST_ELEMENTS = 5
#: Policies without limits.
_UNLIMITED = (Policy.EXACT, Policy.SET, Policy.IGNORED)
#: What an override of a rule replaces as a whole: a limit of one rule means nothing in another.
_COMPARISON_KEYS = ("policy", "measure", "cycles", "congruent", "jaccard", "best", "row_units")


@dataclass(frozen=True)
class VariableContract:
    """What one variable must look like.

    Attributes
    ----------
    name
        Its name.
    matlab_class
        Its class, or alternatives (``single|double``); the candidate has the reference's.
    shape
        Sizes and symbols.
    policy, measure, limits
        How it is compared.
    reason
        Why its limits are what they are.
    cycles
        Largest share of samples in another cycle (`Policy.CYCLES`).
    congruent
        Least share of samples that agree modulo a cycle (`Policy.CYCLES`).
    jaccard
        Least common rows by all rows (`Policy.SET`).
    best
        Share of elements that counts (`Policy.RMS`).
    row_units
        For every row of the first axis, the unit in which its deviations are counted, where rows
        have units of their own; empty where not.
    optional
        It is there exactly if the reference has it.
    native_only
        Original StaMPS does not write it.
    value
        The text that it holds, where the reference lacks it; empty where that is not fixed.
    minimum
        Elements that it must have for its values to be evidence in certification.
    constant
        Why it may be constant, empty or short in every reference, and still be certified by its
        class, its shape and that one value; empty where it may not.
    """

    name: str
    matlab_class: str
    shape: list[str | int]
    policy: Policy
    limits: Limits | None = None
    measure: Measure = Measure.ABSOLUTE
    reason: str = ""
    cycles: float = 0.0
    congruent: float = 1.0
    jaccard: float = 1.0
    best: float = 1.0
    row_units: tuple[float, ...] = ()
    optional: bool = False
    native_only: bool = False
    value: str = ""
    minimum: int = LEAST_ELEMENTS
    constant: str = ""

    @property
    def tolerance(self) -> float:
        """Return the deviation from which on an element counts as differing; 0 without limits."""
        return 0.0 if self.limits is None else self.limits.tolerance

    def compared_by(self, values: Mapping[str, Any]) -> VariableContract:
        """Return the contract with policy, limits and shares of another rule."""
        policy = Policy(values["policy"])
        limits = Limits.of(values)
        if (limits is None) is not (policy in _UNLIMITED):
            msg = f"variable {self.name}: policy {policy} with limits {limits}"
            raise ValueError(msg)
        if limits is not None and not values.get("reason"):
            msg = f"variable {self.name}: limits need a reason"
            raise ValueError(msg)
        return replace(
            self,
            policy=policy,
            limits=limits,
            measure=Measure(values.get("measure", Measure.ABSOLUTE)),
            reason=values.get("reason", ""),
            cycles=float(values.get("cycles", 0.0)),
            congruent=float(values.get("congruent", 1.0)),
            jaccard=float(values.get("jaccard", 1.0)),
            best=float(values.get("best", 1.0)),
            row_units=tuple(values.get("row_units", ())),
        )


@dataclass(frozen=True)
class Artefact:
    """One file a stage writes.

    `scope` is ``patch`` or ``root``; `when` is ``always``, ``single_master`` or
    ``small_baseline``. An `optional` file is there exactly if the reference has it.

    Where an earlier stage writes a file of the same name, `marked_by` names variables that only
    this stage leaves there (one is enough). A `native_only` file is one that original StaMPS does
    not write. `constant` says why the references that there are may be empty; of a variable see
    `VariableContract`.
    """

    file: str
    scope: str
    policy: FilePolicy
    when: str
    variables: list[VariableContract]
    optional: bool = False
    marked_by: tuple[str, ...] = ()
    native_only: bool = False
    constant: str = ""

    def applies(self, *, small_baseline: bool) -> bool:
        """Tell whether a dataset of this kind has the file."""
        return self.when in ("always", "small_baseline" if small_baseline else "single_master")


def contract_path(stage: int | str) -> Path:
    """Return the file of a stage's contract, or of another one such as ``products``."""
    return CONTRACT_FOLDER / (f"stage{stage}.toml" if isinstance(stage, int) else f"{stage}.toml")


def load_contract(
    stage: int | str, *, small_baseline: bool = False, profile: str | None = None
) -> list[Artefact]:
    """Read ``contract/stageN.toml`` or another contract for one kind of dataset.

    Parameters
    ----------
    stage
        0 for preparation; ``products`` for those.
    small_baseline
        Kind of dataset.
    profile
        Circumstances with limits of their own, such as ``one_iteration`` (stage 2),
        ``oracle_edges`` (stage 4) or ``gradient`` (stage 6).
    """
    entries = tomllib.loads(contract_path(stage).read_text(encoding="utf-8"))["artefact"]
    artefacts = [_artefact(entry, small_baseline, profile) for entry in entries]
    return [artefact for artefact in artefacts if artefact.applies(small_baseline=small_baseline)]


def _artefact(entry: dict[str, Any], small_baseline: bool, profile: str | None) -> Artefact:
    variables = []
    for name, given in entry.get("variables", {}).items():
        values = dict(given)
        of_pairs = values.pop("small_baseline", {})
        of_profile = values.pop("profiles", {}).get(profile, {})
        for override in (of_pairs if small_baseline else {}, of_profile):
            values = _overridden(values, override)
        when = values.get("when", "always")
        if when in ("always", "small_baseline" if small_baseline else "single_master"):
            variables.append(_variable(name, values))
    return Artefact(
        file=entry["file"],
        scope=entry["scope"],
        policy=FilePolicy(entry["policy"]),
        when=entry.get("when", "always"),
        variables=variables,
        optional=entry.get("optional", False),
        marked_by=tuple(entry.get("marked_by", ())),
        native_only=entry.get("native_only", False),
        constant=entry.get("constant", ""),
    )


def _overridden(values: dict[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule with another's entries; its policy or limits replace both."""
    if "policy" in override or Limits.of(override) is not None:
        kept = {
            key: value
            for key, value in values.items()
            if key not in _COMPARISON_KEYS[1:] and not is_level(key)
        }
        return {**kept, **override}
    return {**values, **override}


def _variable(name: str, values: dict[str, Any]) -> VariableContract:
    fixed = all(isinstance(size, int) for size in values["shape"])
    blank = VariableContract(
        name=name,
        matlab_class=values["class"],
        shape=values["shape"],
        policy=Policy.IGNORED,
        optional=bool(values.get("optional", False)),
        native_only=bool(values.get("native_only", False)),
        value=values.get("value", ""),
        minimum=int(values.get("minimum", 1 if fixed else LEAST_ELEMENTS)),
        constant=values.get("constant", ""),
    )
    return blank.compared_by(values)
