"""Every variable that original StaMPS wrote has a rule, and every rule a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from parity.oracle import UNWRAPPING_VARIANTS, stage_folder
from parity.readers import read_mat_file

from pystamps_shim.verification.contracts import load_contract

_SCENES = [
    *((name, 8) for name in ("T", "L", "S", "T_d1", "T_it2", "T_opt")),
    *((name, 6) for name in UNWRAPPING_VARIANTS),
    ("D", 3),
    ("T_snr", 2),
]


@pytest.mark.shared
@pytest.mark.parametrize(("name", "last"), _SCENES)
def test_every_variable_has_a_rule(oracle: Path, name: str, last: int) -> None:
    """Files of patches and of the merged dataset; records of the oracle's makers are none."""
    checked = 0
    for stage in range(2, last + 1):
        contract = load_contract(stage, small_baseline=name == "S")
        rules = {(artefact.scope, artefact.file): artefact for artefact in contract}
        folder = stage_folder(oracle, name, stage)
        # Left by the original's driver: its parameters, and the list of empty patches once more.
        drivers = {"parms.mat", "no_ps_info.mat"} if stage == 6 else set()
        for path in sorted(folder.rglob("*.mat")):
            if path.name.startswith("oracle_") or path.name in drivers:
                continue
            scope = "root" if path.parent == folder else "patch"
            artefact = rules[scope, path.name]
            known = {variable.name: variable for variable in artefact.variables}
            stored = read_mat_file(path)
            needed = {name for name, rule in known.items() if not rule.optional}
            assert needed <= set(stored) <= set(known), path
            for variable, values in stored.items():
                assert values.matlab_class in known[variable].matlab_class.split("|"), path
                checked += 1
    assert checked > 30


@pytest.mark.parametrize("stage", [2, 3, 4, 5, 6, 7, 8, "products"])
@pytest.mark.parametrize(
    "profile",
    [None, "one_iteration", "oracle_edges", "chained", "gradient", "own", "simplex", "kriging"],
)
def test_tolerances_carry_reasons(stage: int | str, profile: str | None) -> None:
    """Both kinds of dataset load, and limits are set for almost all elements."""
    for small_baseline in (False, True):
        for artefact in load_contract(stage, small_baseline=small_baseline, profile=profile):
            for variable in artefact.variables:
                assert variable.limits is None or variable.reason
                assert variable.limits is None or variable.limits.levels[-1][0] == 1
                assert variable.cycles <= 1e-3
