"""How variables are compared: the contract, a profile over it, the user's tolerances over both."""

from __future__ import annotations

import difflib
import functools
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.verification.contracts import (
    CONTRACT_FOLDER,
    Measure,
    Policy,
    VariableContract,
    load_contract,
)
from pystamps_shim.verification.limits import Limits
from pystamps_shim.verification.stages import FIRST_STAGE, LAST_STAGE

STRICT, SCIENTIFIC = "strict", "scientific"
PROFILES = (STRICT, SCIENTIFIC)


@dataclass(frozen=True)
class Rules:
    """The rules of one verification.

    Attributes
    ----------
    profile
        ``strict`` or ``scientific``.
    overrides
        Tolerances by ``FILE:VARIABLE``.
    """

    profile: str
    overrides: Mapping[str, float]

    @classmethod
    def checked(cls, profile: str, overrides: Mapping[str, float]) -> Rules:
        """Return the rules, or raise with what makes no sense in them."""
        if profile not in PROFILES:
            cause = f"the profile is '{profile}', expected {' or '.join(PROFILES)}"
            raise PystampsError(cause, _nearest(profile, PROFILES), ExitCode.USAGE)
        known, rules = known_variables(), cls(profile, overrides)
        for name, value in overrides.items():
            if not (math.isfinite(value) and value >= 0):
                cause = f"the tolerance of {name} is {value}, expected a number from 0 up"
                raise PystampsError(cause, "correct the tolerance", ExitCode.USAGE)
            _expect_known(name, known)
            file, _, variable = name.partition(":")
            contract = known[file].get(variable)
            if contract is not None:
                rules.of(file, contract)
        return rules

    @property
    def by_pixel(self) -> bool:
        """Tell whether rows are matched by pixel, and classes do not count."""
        return self.profile == SCIENTIFIC

    def of(self, file: str, contract: VariableContract) -> VariableContract:
        """Return how to compare a variable of a file."""
        rule = scientific_rule(file, contract.name) if self.by_pixel else None
        # What no rule knows, a variable of another program, is compared as in the profile `strict`.
        contract = contract if rule is None else contract.compared_by(rule)
        return with_tolerance(contract, file, self.overrides.get(f"{file}:{contract.name}"))


def with_tolerance(
    contract: VariableContract, file: str, tolerance: float | None
) -> VariableContract:
    """Return a contract with the user's tolerance; without one the contract as it is."""
    if tolerance is None:
        return contract
    if contract.matlab_class == "char" or contract.policy is Policy.SET:
        what = "text" if contract.matlab_class == "char" else "a set of pixels"
        cause = f"{file}:{contract.name} is {what}, which has no tolerance"
        raise PystampsError(cause, "leave its --tolerance out", ExitCode.USAGE)
    if contract.limits is None:
        blank = replace(contract, policy=Policy.QUANTILES, measure=Measure.ABSOLUTE)
        limits = Limits.all_within(tolerance)
    else:
        blank, limits = contract, contract.limits.within(tolerance)
    return replace(blank, limits=limits, reason="given by the user")


def known_variables() -> dict[str, dict[str, VariableContract | None]]:
    """Return the variables of every file with their contract, and the columns of tables without."""
    known: dict[str, dict[str, VariableContract | None]] = {}
    for small_baseline in (False, True):
        for stage in range(FIRST_STAGE, LAST_STAGE + 1):
            for artefact in load_contract(stage, small_baseline=small_baseline):
                for variable in artefact.variables:
                    known.setdefault(artefact.file, {})[variable.name] = variable
    tables = read_rules("tables")
    columns = (name for column in tables["column"] for name in column["names"] if name != "*")
    blank = dict.fromkeys(columns)
    return known | {file: {**blank} for file in tables["files"]["names"]}


@functools.cache
def read_rules(name: str) -> dict[str, Any]:
    """Read a file of rules that is not the contract of a stage."""
    return tomllib.loads((CONTRACT_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def scientific_rule(file: str, name: str) -> dict[str, Any] | None:
    """Return the first rule of the profile `scientific` that fits a variable, None without one."""
    rules: list[dict[str, Any]] = read_rules(SCIENTIFIC)["rule"]
    for rule in rules:
        if any(_fits(pattern, file, name) for pattern in rule["variables"]):
            return rule
    return None


def _fits(pattern: str, file: str, name: str) -> bool:
    of_file, _, of_name = pattern.rpartition(":")
    return fnmatchcase(name, of_name) and fnmatchcase(file, of_file or "*")


def _expect_known(name: str, known: Mapping[str, Iterable[str]]) -> None:
    file, sign, variable = name.partition(":")
    if not sign:
        cause = f"the tolerance is for '{name}', expected FILE:VARIABLE"
        raise PystampsError(cause, "for instance --tolerance ph2.mat:ph=1e-4", ExitCode.USAGE)
    if file not in known:
        cause = f"there is no file '{file}' to set a tolerance for"
        raise PystampsError(cause, _nearest(file, known), ExitCode.USAGE)
    if not any(variable == one or fnmatchcase(variable, one) for one in known[file]):
        cause = f"{file} has no variable '{variable}'"
        raise PystampsError(cause, _nearest(variable, known[file]), ExitCode.USAGE)


def _nearest(name: str, names: Iterable[str]) -> str:
    """Return the remedy for a name that is none of `names`."""
    close = difflib.get_close_matches(name, sorted(names), n=1, cutoff=0.0)
    return f"the nearest name is '{close[0]}'"
