"""The contract of a stage: its artefacts, their variables, and how each is compared."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

#: Where the contracts are.
CONTRACT_FOLDER = Path(__file__).parent / "contract"


class Policy(StrEnum):
    """How a file or a variable is compared."""

    EXACT = "exact"
    RELATIVE = "relative"
    ABSOLUTE = "absolute"
    #: A fraction of the elements within the absolute tolerance, and none beyond the maximum.
    QUANTILE = "quantile"
    #: As `QUANTILE`, for angles in radians, compared modulo a turn; complex numbers by their angle.
    WRAPPED = "wrapped"
    #: The modulus relative to the reference's, and the phase in radians, within one tolerance.
    PHASOR = "phasor"
    #: Unwrapped phase in radians, one interferogram a column: all samples within the tolerance of a
    #: whole number of cycles, and a fraction within it once each column's median number is removed.
    CYCLES = "cycles"
    #: The root mean square of the differences along the last axis, their median taken out, is
    #: within the tolerance; of the fraction that agrees best.
    RMS = "rms"
    #: Rows are compared as sets of pixels: the Jaccard index is at least the fraction.
    PIXELS = "pixels"
    IGNORED = "ignored"


class FilePolicy(StrEnum):
    """How a whole file is compared."""

    BYTES = "bytes"
    TEXT = "text"
    VARIABLES = "variables"


@dataclass(frozen=True)
class VariableContract:
    """What one variable must look like.

    `matlab_class` may name alternatives (``single|double``); the candidate has the reference's.
    `fraction` and `maximum` belong to the policies `QUANTILE`, `WRAPPED` and `CYCLES`, `congruent`,
    the part of the samples that agree modulo a cycle, to `CYCLES` alone. An `optional` variable is
    there exactly if the reference has it.
    """

    name: str
    matlab_class: str
    shape: list[str | int]
    policy: Policy
    tolerance: float
    reason: str
    fraction: float = 1.0
    maximum: float = 0.0
    congruent: float = 1.0
    optional: bool = False


@dataclass(frozen=True)
class Artefact:
    """One file a stage writes.

    `scope` is ``patch`` or ``root``; `when` is ``always``, ``single_master`` or
    ``small_baseline``. An `optional` file is there exactly if the reference has it.

    Where an earlier stage writes a file of the same name, `marked_by` names variables that only
    this stage leaves there (one is enough). A `native_only` file is one that original StaMPS does
    not write.
    """

    file: str
    scope: str
    policy: FilePolicy
    when: str
    variables: list[VariableContract]
    optional: bool = False
    marked_by: tuple[str, ...] = ()
    native_only: bool = False

    def applies(self, *, small_baseline: bool) -> bool:
        """Tell whether a dataset of this kind has the file."""
        return self.when in ("always", "small_baseline" if small_baseline else "single_master")


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
        Circumstances with tolerances of their own, such as ``one_iteration`` (stage 2),
        ``oracle_edges`` (stage 4) or ``gradient`` (stage 6).
    """
    name = f"stage{stage}" if isinstance(stage, int) else stage
    text = (CONTRACT_FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    entries = tomllib.loads(text)["artefact"]
    artefacts = [_artefact(entry, small_baseline, profile) for entry in entries]
    return [artefact for artefact in artefacts if artefact.applies(small_baseline=small_baseline)]


def _artefact(entry: dict[str, Any], small_baseline: bool, profile: str | None) -> Artefact:
    variables = []
    for name, values in entry.get("variables", {}).items():
        merged = dict(values)
        override = merged.pop("small_baseline", None)
        if small_baseline and override:
            merged |= override
        merged |= merged.pop("profiles", {}).get(profile, {})
        when = merged.pop("when", "always")
        if when not in ("always", "small_baseline" if small_baseline else "single_master"):
            continue
        variables.append(_variable(name, merged))
    return Artefact(
        file=entry["file"],
        scope=entry["scope"],
        policy=FilePolicy(entry["policy"]),
        when=entry.get("when", "always"),
        variables=variables,
        optional=entry.get("optional", False),
        marked_by=tuple(entry.get("marked_by", ())),
        native_only=entry.get("native_only", False),
    )


def _variable(name: str, values: dict[str, Any]) -> VariableContract:
    policy = Policy(values["policy"])
    tolerance = float(values.get("tolerance", 0.0))
    free = policy in (Policy.EXACT, Policy.IGNORED)
    if not free and not (tolerance and "reason" in values):
        msg = f"variable {name}: a tolerance needs a value and a reason"
        raise ValueError(msg)
    return VariableContract(
        name=name,
        matlab_class=values["class"],
        shape=values["shape"],
        policy=policy,
        tolerance=tolerance,
        reason=values.get("reason", ""),
        fraction=float(values.get("fraction", 1.0)),
        maximum=float(values.get("maximum", tolerance)),
        congruent=float(values.get("congruent", 1.0)),
        optional=bool(values.get("optional", False)),
    )
