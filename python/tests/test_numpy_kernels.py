"""The numpy kernels: the specification's check values, and the micro-oracles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.kernels.clap import (
    clap_filter,
    clap_patch_filter,
    clap_patch_value,
    window_count,
)
from pystamps_shim.kernels.interpolation import interpolate
from pystamps_shim.kernels.numpy_backend import (
    stage2_grid_accumulate,
    stage2_histogram,
    stage2_topofit,
    stage2_topofit_coh_row_invariant,
    stage2_topofit_row_invariant,
    stage4_edge_stats,
)
from pystamps_shim.kernels.random_numbers import matlab_uniform, uniform_matrix
from pystamps_shim.kernels.topofit import trial_margin
from pystamps_shim.kernels.windows import gauss_window, low_pass_response

Array = NDArray[Any]
BINS = np.asarray(0.005 + 0.01 * np.arange(100), dtype=np.float64)
BASELINES = np.array([-120.0, -60, 10, 45, 80, 150])


def micro_oracle(oracle: Path, name: str) -> dict[str, Array]:
    """Read one file of kernel inputs and outputs."""
    return dict(scipy.io.loadmat(oracle / "kernels" / f"{name}.mat"))


def test_matlab_generator_check_values() -> None:
    """The published first draws of seed 0, those of 2005, and a block border."""
    first = [0.9501293, 0.2311385, 0.6068426, 0.4859825, 0.8912990]
    np.testing.assert_allclose(matlab_uniform(0, 5), first, atol=5e-8)
    draws = matlab_uniform(2005, 70_000)
    first = [0.09295899058319, 0.37373775840752, 0.44877057937118, 0.61386674615684]
    np.testing.assert_allclose(draws[:4], first, atol=5e-15)
    np.testing.assert_array_equal(matlab_uniform(2005, 65_540)[-10:], draws[65_530:65_540])
    assert 0 < draws.min() < draws.max() < 1


def test_uniform_matrix_is_filled_by_columns() -> None:
    """The second column goes on where the first ends; an unknown engine is named."""
    matrix = uniform_matrix("matlab", 2005, 7, 3)
    np.testing.assert_array_equal(matrix[:, 1], matlab_uniform(2005, 14)[7:])
    with pytest.raises(PystampsError, match="random engine 'julia'"):
        uniform_matrix("julia", 2005, 7, 3)  # type: ignore[arg-type]


def test_interpolation_check_values() -> None:
    """The values of stage2.md 8; original samples pass through."""
    samples = np.concatenate([np.ones(41), np.linspace(1, 0, 30), np.zeros(30)])
    fine = interpolate(samples)
    places = np.array([1, 2, 3, 4, 396, 401, 402, 403]) - 1
    want = [1, 0.99990983, 0.99983079, 0.99976933, 0.99882386, 1, 1.00060121, 1.00121735]
    np.testing.assert_allclose(fine[places], want, atol=5e-9)
    np.testing.assert_allclose(fine[::10], samples, atol=1e-12)
    assert len(fine) == 1010


def test_window_check_values() -> None:
    """The values of stage2.md 12."""
    want = [0.04393693, 0.24935221, 0.70664828, 1]
    np.testing.assert_allclose(gauss_window(7)[:4], want, atol=5e-9)
    low_pass = low_pass_response(32, 50, 800)
    found = low_pass[[0, 0, 0, 0, 1, 0], [0, 1, 2, 3, 1, 16]]
    want = [1, 0.99902439, 0.5, 0.01704593, 0.99804973, 9.3132e-10]
    np.testing.assert_allclose(found, want, rtol=1e-5)


def test_histogram_edges() -> None:
    """A value on an edge counts below it; the outer bins are open; NaN is ignored."""
    counts = stage2_histogram(np.array([0.01, 0.0100001, 1.02, -3, np.nan]), BINS)
    assert np.flatnonzero(counts).tolist() == [0, 1, 99]
    assert counts[0] == 2


@pytest.mark.parametrize(
    ("phase_rad", "want"),
    [
        ([2.9, -2.2, 0.7, 1.9, -3.0, -0.4], [0.0351997036, 0.4157798162, 0.9601144201]),
        (
            0.021 * BASELINES + 0.8 + np.array([0.1, -0.2, 0.15, 0, -0.1, 0.05]),
            [0.0209958799, 0.8001989203, 0.9929320096],
        ),
    ],
)
def test_topofit_check_values(phase_rad: Array, want: list[float]) -> None:
    """The vectors of stage2.md 12, alone and beside a row with a zero."""
    phasors = np.exp(1j * np.array([phase_rad, phase_rad]))
    phasors[1, 2] = 0
    fit = stage2_topofit(phasors, np.tile(BASELINES, (2, 1)), 1.3)
    np.testing.assert_allclose([values[0] for values in fit[:3]], want, atol=5e-11)
    kept = [0, 1, 3, 4, 5]
    alone = stage2_topofit(phasors[1:, kept], BASELINES[None, kept], 1.3)
    for one, other in zip(fit[:3], alone[:3], strict=True):
        np.testing.assert_allclose(one[1], other[0], atol=1e-14)


def test_topofit_takes_the_first_of_equal_trials() -> None:
    """Two baselines make trials a whole turn apart equal: the most negative slope wins."""
    fit = stage2_topofit(np.ones((1, 2), dtype=complex), np.array([[0.0, 100.0]]), 1.0)
    assert fit[0][0] == pytest.approx(-2 * np.pi / 100)
    assert trial_margin(np.ones((1, 2)), np.array([[0.0, 100.0]]), 1.0)[0] < 1e-12


def test_topofit_without_range_is_nan() -> None:
    """Equal baselines, or no phasor at all, leave nothing to fit."""
    fit = stage2_topofit(np.array([[1j, 1.0], [0, 0]]), np.full((2, 2), 7.0), 1.0)
    assert np.isnan(fit[0]).all()
    assert np.isnan(fit[2]).all()


def test_row_invariant_forms_agree() -> None:
    """A baseline vector common to all rows gives what the general form gives."""
    random = np.random.default_rng(1)
    phasors = np.exp(2j * np.pi * random.random((50, 6)))
    general = stage2_topofit(phasors, np.tile(BASELINES, (50, 1)), 0.9)
    common = stage2_topofit_row_invariant(phasors, BASELINES, 0.9)
    for one, other in zip(general, common, strict=True):
        np.testing.assert_array_equal(one, other)
    coherence = stage2_topofit_coh_row_invariant(phasors, BASELINES, 0.9)
    np.testing.assert_allclose(coherence, general[2], atol=1e-14)
    phasors[3, 1] = 0
    coherence = stage2_topofit_coh_row_invariant(phasors, BASELINES, 0.9)
    assert coherence[3] == stage2_topofit(phasors, np.tile(BASELINES, (50, 1)), 0.9)[2][3]


def test_gridding_sums_in_row_order() -> None:
    """Single precision: the order of the rows shows."""
    values = np.array([[1e8], [1.0], [-1e8]], dtype=np.complex64)
    cells = np.array([[1, 2], [1, 2], [1, 2]])
    grid = stage2_grid_accumulate(values, cells, 2, 2)
    assert grid[0, 1, 0] == 0
    swapped = stage2_grid_accumulate(values[[0, 2, 1]], cells, 2, 2)
    assert swapped[0, 1, 0] == 1
    assert np.count_nonzero(swapped) == 1


def test_filter_window_rules() -> None:
    """Up to 18 cells no window is laid; 19 to 23 are refused; NaN counts as nothing."""
    low_pass = low_pass_response(32, 50, 800)
    assert [window_count(cells, 24) for cells in (18, 19, 24, 25)] == [0, 1, 1, 2]
    assert not clap_filter(np.ones((18, 40)), 1, 0.3, low_pass).any()
    with pytest.raises(ValueError, match=r"\(19, 40\) cells"):
        clap_filter(np.ones((19, 40)), 1, 0.3, low_pass)
    grid = np.exp(1j * np.random.default_rng(2).random((30, 30)))
    holed, empty = grid.copy(), grid.copy()
    holed[4, 5], empty[4, 5] = np.nan, 0
    one, other = (clap_filter(plane, 1, 0.3, low_pass) for plane in (holed, empty))
    np.testing.assert_array_equal(one, other)


def test_edge_statistics_take_the_quietest_edge() -> None:
    """Points without edges stay infinite; a lone noisy point does not spoil its neighbours."""
    random = np.random.default_rng(4)
    phase = random.normal(0, 0.05, (5, 12))
    phase[3] += random.normal(0, 1.5, 12)
    ends = np.array([[0, 1], [1, 2], [2, 3], [0, 2]]).T
    bperp, day = random.normal(0, 80, 12), 12.0 * np.arange(12)
    std, largest = stage4_edge_stats(np.exp(1j * phase), ends[0], ends[1], bperp, day, 730.0)
    assert std[:3].max() < 0.15
    assert std[3] > 0.5
    assert np.isinf(std[4])
    assert np.isinf(largest[4])
    assert std.dtype == np.float32


def test_one_edge_has_no_variance() -> None:
    """MATLAB's variance of one value is 0 and its reciprocal no weight: nothing is known."""
    phases = np.exp(1j * np.random.default_rng(5).random((2, 6)))
    std, _ = stage4_edge_stats(
        phases, np.array([0]), np.array([1]), BASELINES, np.arange(6.0), 730.0
    )
    assert np.isinf(std).all()


@pytest.mark.shared
@pytest.mark.parametrize("precision", ["double", "single"])
def test_topofit_micro_oracle(oracle: Path, precision: str) -> None:
    """Double and single rounding."""
    stored = micro_oracle(oracle, f"k_topofit_{precision}")
    wraps = float(stored["n_trial_wraps"].item())
    slope, offset, coherence, residual = stage2_topofit(stored["cpx_in"], stored["bperp_in"], wraps)
    slope_limit, limit = (1e-17, 1e-15) if precision == "double" else (4e-9, 2.4e-7)
    assert np.abs(slope - stored["K0"].ravel()).max() <= slope_limit
    assert np.abs(offset - stored["C0"].ravel()).max() <= limit
    assert np.abs(coherence - stored["coh0"].ravel()).max() <= limit
    assert np.abs(residual - np.angle(stored["phase_residual"])).max() <= 3e-7


@pytest.mark.shared
@pytest.mark.parametrize("size", ["24x40", "61x75", "64x64", "97x50"])
@pytest.mark.parametrize("precision", ["double", "single"])
def test_filter_micro_oracle(oracle: Path, size: str, precision: str) -> None:
    """The tapered filter of stage 2: values up to 800."""
    stored = micro_oracle(oracle, f"k_clap_filt_{size}_{precision}")
    filtered = clap_filter(stored["ph_in"], 1, 0.3, stored["low_pass"])
    assert np.abs(filtered - stored["clap_out"]).max() <= 1e-12


@pytest.mark.shared
@pytest.mark.parametrize("number", range(1, 7))
def test_patch_filter_micro_oracle(oracle: Path, number: int) -> None:
    """The window filter of stage 3, as a whole and at one cell."""
    stored = micro_oracle(oracle, f"k_clap_filt_patch_{number}")
    limit = 2e-15 if stored["ph_in"].dtype == np.complex128 else 6e-7
    filtered = clap_patch_filter(stored["ph_in"], 1, 0.3, stored["low_pass"])
    assert filtered.dtype == stored["ph_out"].dtype
    assert np.abs(filtered - stored["ph_out"]).max() <= limit
    value = clap_patch_value(stored["ph_in"], 1, 0.3, stored["low_pass"], (15, 3))
    assert np.abs(value - stored["ph_out"][15, 3]) <= limit


@pytest.mark.shared
def test_window_micro_oracles(oracle: Path) -> None:
    """``interp`` and ``gausswin``."""
    stored = micro_oracle(oracle, "k_interp")
    assert np.abs(interpolate(stored["xi"].ravel()) - stored["yi"].ravel()).max() < 1e-13
    stored = micro_oracle(oracle, "k_gausswin")
    assert np.abs(gauss_window(7) - stored["gw7"].ravel()).max() < 1e-16
