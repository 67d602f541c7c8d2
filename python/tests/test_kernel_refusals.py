"""Impossible arguments of kernels: refused by both backends in the same words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kernel_inputs import ordinary
from numpy.typing import NDArray

from pystamps_shim.kernels import accelerated
from pystamps_shim.kernels.least_squares import NotPositiveDefiniteError
from pystamps_shim.kernels.names import KERNELS

Array = NDArray[Any]


def with_value(kernel: str, name: str, value: float, dtype: type = np.float64) -> Array:
    """Return an ordinary argument with one number changed."""
    changed: Array = np.array(ordinary(kernel)[name], dtype=dtype)
    changed.flat[1] = value
    return changed


GRID, HISTOGRAM, FIT = "stage2_grid_accumulate", "stage2_histogram", "stage2_topofit"
COMMON, COHERENCE = "stage2_topofit_row_invariant", "stage2_topofit_coh_row_invariant"
NOISE, SCLA, EDGES = "stage4_edge_stats", "stage7_scla", "stage8_edge_noise"
WORDS = np.array(["one", "two"])

#: Kernel, changed arguments, and what the message has to name.
CASES: list[tuple[str, dict[str, Any], str]] = [
    (GRID, {"ph_weight": np.ones(4)}, "ph_weight"),
    (GRID, {"ph_weight": WORDS}, "ph_weight"),
    (GRID, {"grid_ij": np.ones((5, 2))}, "grid_ij"),
    (GRID, {"grid_ij": np.ones((12, 3))}, "grid_ij"),
    (GRID, {"grid_ij": with_value(GRID, "grid_ij", 0)}, "grid_ij"),
    (GRID, {"grid_ij": with_value(GRID, "grid_ij", 5)}, "grid_ij"),
    (GRID, {"grid_ij": with_value(GRID, "grid_ij", 1.5)}, "grid_ij"),
    (GRID, {"grid_ij": with_value(GRID, "grid_ij", np.nan)}, "grid_ij"),
    (GRID, {"grid_ij": with_value(GRID, "grid_ij", -(2**63), np.int64)}, "grid_ij"),
    (GRID, {"grid_ij": with_value(GRID, "grid_ij", 2**64 - 1, np.uint64)}, "grid_ij"),
    (GRID, {"n_i": -1}, "n_i"),
    (GRID, {"n_j": 2.5}, "n_j"),
    (GRID, {"n_i": 0}, "grid_ij"),
    (GRID, {"n_i": 2**40}, "n_i, n_j"),
    (HISTOGRAM, {"centres": []}, "centres"),
    (HISTOGRAM, {"centres": [1.0, 1.0]}, "centres"),
    (HISTOGRAM, {"centres": [2.0, 1.0]}, "centres"),
    (HISTOGRAM, {"centres": [np.nan]}, "centres"),
    (HISTOGRAM, {"centres": [0.0, np.inf]}, "centres"),
    (HISTOGRAM, {"centres": [-1.7e308, 1.7e308]}, "centres"),
    (HISTOGRAM, {"values": [1j]}, "values"),
    (FIT, {"phasors": np.ones((3, 3, 3))}, "phasors"),
    (FIT, {"bperp": np.ones(9)}, "bperp"),
    (FIT, {"bperp": np.ones((12, 8))}, "bperp"),
    (FIT, {"bperp": WORDS}, "bperp"),
    *((kernel, {"n_trial_wraps": -0.1}, "n_trial_wraps") for kernel in (FIT, COMMON, COHERENCE)),
    *((kernel, {"n_trial_wraps": np.nan}, "n_trial_wraps") for kernel in (FIT, COMMON, COHERENCE)),
    *((kernel, {"n_trial_wraps": 1001}, "n_trial_wraps") for kernel in (FIT, COMMON, COHERENCE)),
    *((kernel, {"bperp": np.ones(8)}, "bperp") for kernel in (COMMON, COHERENCE)),
    *((kernel, {"phasors": np.ones(9)}, "phasors") for kernel in (COMMON, COHERENCE)),
    (NOISE, {"phases": np.ones(9)}, "phases"),
    *(
        (kernel, {"node_a": [0], "node_b": [1, 2]}, "node_a and node_b")
        for kernel in (NOISE, EDGES)
    ),
    *((kernel, {"node_a": [12], "node_b": [1]}, "node_a") for kernel in (NOISE, EDGES)),
    *((kernel, {"node_a": [0], "node_b": [-1]}, "node_b") for kernel in (NOISE, EDGES)),
    *((kernel, {"node_a": [0.5], "node_b": [1]}, "node_a") for kernel in (NOISE, EDGES)),
    *((kernel, {"node_a": [3], "node_b": [3]}, "node_b") for kernel in (NOISE, EDGES)),
    *((kernel, {"bperp": np.ones(8)}, "bperp") for kernel in (NOISE, EDGES)),
    *((kernel, {"mode": "plain"}, "mode") for kernel in (NOISE, EDGES)),
    *((kernel, {"time_win": width}, "time_win") for kernel in (NOISE, EDGES) for width in (0, -1)),
    *((kernel, {"time_win": np.nan}, "time_win") for kernel in (NOISE, EDGES)),
    (NOISE, {"day": np.ones(8)}, "day"),
    (NOISE, {"day": np.full(9, np.nan)}, "day"),
    (SCLA, {"ph_uw": np.ones(9)}, "ph_uw"),
    (SCLA, {"bperp": np.ones((12, 8))}, "bperp"),
    (SCLA, {"day": np.ones(8)}, "day"),
    (SCLA, {"ifg_vcm": np.ones((9, 8))}, "ifg_vcm"),
    (SCLA, {"ifg_vcm": np.zeros((9, 9))}, "ifg_vcm: .*positive definite"),
    (SCLA, {"ifg_vcm": np.diag(np.r_[np.ones(8), np.inf])}, "ifg_vcm: .*positive definite"),
    (SCLA, {"ifg_vcm": np.diag(np.r_[np.ones(8), np.nan])}, "ifg_vcm: .*positive definite"),
    (SCLA, {"ifg_vcm": np.eye(9) + np.eye(9, k=1) / 4}, "ifg_vcm"),
    (SCLA, {"solve_ix": [0, 9]}, "solve_ix"),
    (SCLA, {"solve_ix": [-1, 3]}, "solve_ix"),
    (SCLA, {"solve_ix": [3, 1]}, "solve_ix"),
    (SCLA, {"solve_ix": [1, 1]}, "solve_ix"),
    (SCLA, {"solve_ix": [0.5]}, "solve_ix"),
    (SCLA, {"master_ix": -1}, "master_ix"),
    (SCLA, {"master_ix": 9}, "master_ix"),
    (SCLA, {"network": "many"}, "network"),
    (SCLA, {"method": "L3"}, "method"),
    (EDGES, {"node_phase": np.ones(9)}, "node_phase"),
    (EDGES, {"bperp": None}, "needs bperp"),
    (EDGES, {"day": None}, "needs bperp, day"),
    (EDGES, {"ifgday_ix": None}, "needs bperp, day and ifgday_ix"),
    (EDGES, {"n_trial_wraps": None}, "n_trial_wraps"),
    (EDGES, {"n_trial_wraps": -1}, "n_trial_wraps"),
    (EDGES, {"bperp": with_value(EDGES, "bperp", np.inf)}, "bperp"),
    (EDGES, {"day": with_value(EDGES, "day", np.nan)}, "day"),
    (EDGES, {"day": np.ones(9)}, "ifgday_ix"),
    (EDGES, {"ifgday_ix": np.ones((9, 3))}, "ifgday_ix"),
    (EDGES, {"ifgday_ix": with_value(EDGES, "ifgday_ix", 0)}, "ifgday_ix"),
    (EDGES, {"ifgday_ix": with_value(EDGES, "ifgday_ix", -1)}, "ifgday_ix"),
    (EDGES, {"unwrap_method": "4D"}, "unwrap_method"),
]


def test_every_kernel_refuses_something() -> None:
    assert {case[0] for case in CASES} == set(KERNELS)


@pytest.mark.parametrize(("kernel", "change", "message"), CASES)
def test_both_backends_refuse_alike(kernel: str, change: dict[str, Any], message: str) -> None:
    refusals = []
    for backend in ("native", "numpy"):
        with pytest.raises(ValueError, match=rf"^{message}|^mode space_time {message}") as caught:
            getattr(accelerated, kernel)(**{**ordinary(kernel), **change}, backend=backend)
        refusals.append((type(caught.value), str(caught.value)))
    assert refusals[0] == refusals[1]


@pytest.mark.parametrize("network", ["single_master", "small_baselines"])
@pytest.mark.parametrize("rows", [0, 12])
def test_a_covariance_is_refused_by_its_own_type(network: Any, rows: int) -> None:
    """The stages tell it from other mistakes; whether there are PS makes no difference."""
    inputs = ordinary("stage7_scla") | {"ifg_vcm": -np.eye(9), "network": network}
    inputs["ph_uw"], inputs["bperp"] = inputs["ph_uw"][:rows], inputs["bperp"][:rows]
    backends: tuple[Any, ...] = ("native", "numpy")
    for backend in backends:
        with pytest.raises(NotPositiveDefiniteError, match="ifg_vcm"):
            accelerated.stage7_scla(**inputs, backend=backend)


def test_a_covariance_that_weighs_nothing_is_not_judged() -> None:
    inputs = ordinary("stage7_scla") | {"ifg_vcm": -np.eye(9), "velocity": False}
    backends: tuple[Any, ...] = ("native", "numpy")
    for backend in backends:
        assert np.isfinite(accelerated.stage7_scla(**inputs, backend=backend)[1]).all()
