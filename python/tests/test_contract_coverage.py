"""Every variable that original StaMPS wrote has a rule, and every rule a reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from parity.oracle import UNWRAPPING_VARIANTS, stage_folder
from parity.readers import read_mat_file

from pystamps_shim.verification.comparators import Share, compare_numbers
from pystamps_shim.verification.contracts import Policy, load_contract

_SCENES = [
    *((name, 8) for name in ("T", "L", "S", "T_d1", "T_it2", "T_opt")),
    *((name, 6) for name in UNWRAPPING_VARIANTS),
    ("D", 3),
    ("T_snr", 2),
]
TURN = 2 * np.pi


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
    """Both kinds of dataset load, and a maximum is no less than its tolerance."""
    for small_baseline in (False, True):
        for artefact in load_contract(stage, small_baseline=small_baseline, profile=profile):
            for variable in artefact.variables:
                assert variable.tolerance == 0 or variable.reason
                assert variable.maximum >= variable.tolerance
                assert 0.9 <= variable.fraction <= 1


@pytest.mark.parametrize(
    ("policy", "share", "reference", "candidate", "agrees"),
    [
        (Policy.QUANTILE, Share(0.75, 1.0), [0, 0, 0, 0], [0, 0, 0, 0.9], True),
        (Policy.QUANTILE, Share(0.75, 1.0), [0, 0, 0, 0], [0, 0, 0, 1.1], False),
        (Policy.QUANTILE, Share(0.75, 1.0), [0, 0, 0, 0], [0, 0, 0.5, 0.5], False),
        (Policy.QUANTILE, Share(0.75, 1.0), [0, 0, 0, np.nan], [0, 0, 0, 0], False),
        (Policy.QUANTILE, Share(0.75, 1.0), [0, 0, 0, np.nan], [0, 0, 0, np.nan], True),
        (Policy.QUANTILE, None, [1j, 1], [1j + 2e-3, 1], False),
        (Policy.WRAPPED, None, [np.pi, 0.5], [-np.pi + 5e-4, 0.5], True),
        (Policy.WRAPPED, None, [np.pi, 0.5], [-np.pi + 2e-3, 0.5], False),
        (Policy.WRAPPED, None, [np.nan, 0.5], [0.0, 0.5], False),
        (Policy.CYCLES, None, [0.5, np.nan, 1, 2], [0.5 + TURN, np.nan, 1 + TURN, 2 + TURN], True),
        (Policy.CYCLES, None, [0.5, 2, 1, 2], [0.5 + TURN, np.nan, 1 + TURN, 2 + TURN], False),
        (Policy.CYCLES, None, [0.5, 1, 2, 3], [0.5, 1, 2, 3 + TURN], False),
        (Policy.CYCLES, Share(0.75, 7.0), [0.5, 1, 2, 3], [0.5, 1, 2, 3 - TURN], True),
        (Policy.CYCLES, Share(0.75, 7.0), [0.5, 1, 2, 3], [0.5, 1, 2, 3 + 2 * TURN], False),
        (Policy.CYCLES, Share(0.75, 7.0), [0.5, 1, 2, 3], [0.5, 1, 2, 3.1], False),
        (Policy.PHASOR, None, [1000j, 0], [1000.5j, 0], True),
        (Policy.PHASOR, None, [1000j, 0], [1002j, 0], False),
        (Policy.PHASOR, None, [1000j, 0], [1000j * np.exp(2e-3j), 0], False),
        (Policy.PHASOR, None, [1000j, 0], [1000j, 1e-9], False),
    ],
)
def test_policies_with_a_share(
    policy: Policy,
    share: Share | None,
    reference: list[float],
    candidate: list[float],
    *,
    agrees: bool,
) -> None:
    """A thousandth off is allowed; the share and the maximum decide on the rest."""
    arrays = (np.array(reference), np.array(candidate))
    problem = compare_numbers(policy, 1e-3, *arrays, share)
    assert (problem is None) is agrees
