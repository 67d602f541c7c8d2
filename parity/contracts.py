"""The contract of a stage: its artefacts, their variables, and how each is compared."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "contract"


class Policy(StrEnum):
    """How a file or a variable is compared."""

    EXACT = "exact"
    RELATIVE = "relative"
    ABSOLUTE = "absolute"
    IGNORED = "ignored"


class FilePolicy(StrEnum):
    """How a whole file is compared."""

    BYTES = "bytes"
    TEXT = "text"
    VARIABLES = "variables"


@dataclass(frozen=True)
class VariableContract:
    """What one variable must look like."""

    name: str
    matlab_class: str
    shape: list[str | int]
    policy: Policy
    tolerance: float
    reason: str


@dataclass(frozen=True)
class Artefact:
    """One file a stage writes.

    `scope` is ``patch`` or ``root``; `when` is ``always``, ``single_master`` or
    ``small_baseline``.
    """

    file: str
    scope: str
    policy: FilePolicy
    when: str
    variables: list[VariableContract]

    def applies(self, *, small_baseline: bool) -> bool:
        """Tell whether a dataset of this kind has the file."""
        return self.when in ("always", "small_baseline" if small_baseline else "single_master")


def load_contract(stage: int, *, small_baseline: bool = False) -> list[Artefact]:
    """Read ``contract/stageN.toml`` for one kind of dataset."""
    text = (_FOLDER / f"stage{stage}.toml").read_text(encoding="utf-8")
    artefacts = [_artefact(entry, small_baseline) for entry in tomllib.loads(text)["artefact"]]
    return [artefact for artefact in artefacts if artefact.applies(small_baseline=small_baseline)]


def _artefact(entry: dict[str, Any], small_baseline: bool) -> Artefact:
    variables = []
    for name, values in entry.get("variables", {}).items():
        merged = dict(values)
        override = merged.pop("small_baseline", None)
        if small_baseline and override:
            merged |= override
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
    )


def _variable(name: str, values: dict[str, Any]) -> VariableContract:
    policy = Policy(values["policy"])
    tolerance = float(values.get("tolerance", 0.0))
    if policy in (Policy.RELATIVE, Policy.ABSOLUTE) and not (tolerance and "reason" in values):
        msg = f"variable {name}: a tolerance needs a value and a reason"
        raise ValueError(msg)
    return VariableContract(
        name=name,
        matlab_class=values["class"],
        shape=values["shape"],
        policy=policy,
        tolerance=tolerance,
        reason=values.get("reason", ""),
    )
