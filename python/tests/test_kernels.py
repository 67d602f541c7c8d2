"""Native kernels against original StaMPS, on more rows than a block, and their own promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.io import loadmat

from pystamps_shim import _native
from pystamps_shim.kernels import accelerated
from pystamps_shim.kernels.clap import clap_filter

Array = NDArray[Any]

GOLDEN = Path(__file__).parents[2] / "parity" / "golden" / "kernels"


def phasors(seed: int, shape: tuple[int, ...], dtype: type = np.complex128) -> Array:
    random = np.random.default_rng(seed)
    values = random.uniform(0.2, 2, shape) * np.exp(1j * random.uniform(-np.pi, np.pi, shape))
    values[random.random(shape) < 0.02] = 0
    return np.asarray(values, dtype=dtype)


def low_pass(size: int) -> NDArray[np.float64]:
    frequency = np.fft.fftfreq(size, 50)
    line = 1 / (1 + (frequency * 800) ** 10)
    return np.outer(line, line)


def compare_fits(phasors: Array, bperp: Array, wraps: float, tolerance: float) -> None:
    kernel = (
        accelerated.stage2_topofit if bperp.ndim == 2 else accelerated.stage2_topofit_row_invariant
    )
    native = kernel(phasors, bperp, wraps, backend="native")
    plain = kernel(phasors, bperp, wraps, backend="numpy")
    for part, (name, scale) in enumerate((("K", 1e-2), ("C", 1), ("coherence", 1))):
        ours: Array = native[part]
        theirs: Array = plain[part]
        assert ours.dtype == np.float64
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * scale, err_msg=name)
    assert native[3].dtype == np.float32
    assert native[3].flags.c_contiguous
    # A sample left out has no residual; in NumPy it is the angle of some zero.
    kept = phasors != 0
    difference = np.angle(np.exp(1j * (native[3].astype(float) - plain[3])))
    np.testing.assert_allclose(difference[kept], 0, atol=2e-6)
    assert not np.nan_to_num(native[3][~kept]).any()


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@pytest.mark.parametrize("order", ["C", "F"])
def test_fits_agree(dtype: type, order: Any) -> None:
    random = np.random.default_rng(2)
    z = np.asarray(phasors(1, (700, 13), dtype), order=order)
    bperp = np.asarray(random.uniform(-300, 200, (700, 13)), order=order)
    compare_fits(z, bperp, 0.8, 5e-7 if dtype is np.complex64 else 1e-11)
    compare_fits(z[::2], bperp[::2].astype(np.float32), 0.8, 5e-7)


def test_fits_with_common_baselines_agree() -> None:
    z = phasors(3, (515, 9))
    z[4] = 0
    bperp = np.random.default_rng(4).uniform(-100, 150, 9)
    compare_fits(z, bperp, 1.3, 1e-11)
    native = accelerated.stage2_topofit_coh_row_invariant(z, bperp, 1.3, backend="native")
    plain = accelerated.stage2_topofit_coh_row_invariant(z, bperp, 1.3, backend="numpy")
    np.testing.assert_allclose(native, plain, rtol=0, atol=1e-12)
    assert np.isnan(native[4])


def test_equal_baselines_cannot_be_fitted() -> None:
    for backend in ("native", "numpy"):
        fit = accelerated.stage2_topofit(phasors(5, (3, 4)), np.ones((3, 4)), 0.5, backend=backend)
        assert all(np.isnan(part).all() for part in fit)


@pytest.mark.parametrize("name", ["double", "single"])
@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_fits_of_original_stamps(name: str, backend: Any) -> None:
    data = loadmat(GOLDEN / f"k_topofit_{name}.mat")
    wraps = float(data["n_trial_wraps"][0, 0])
    fit = accelerated.stage2_topofit(data["cpx_in"], data["bperp_in"], wraps, backend=backend)
    slope_limit, limit = (1e-15, 1e-13) if name == "double" else (4e-9, 4e-7)
    np.testing.assert_allclose(fit[0], data["K0"][:, 0], rtol=0, atol=slope_limit)
    np.testing.assert_allclose(fit[1], data["C0"][:, 0], rtol=0, atol=limit)
    np.testing.assert_allclose(fit[2], data["coh0"][:, 0], rtol=0, atol=limit)
    turned = np.exp(1j * fit[3].astype(float)) * data["phase_residual"].conj()
    np.testing.assert_allclose(np.angle(turned), 0, atol=1e-6)


def test_gridding_is_identical() -> None:
    random = np.random.default_rng(6)
    weighted = phasors(7, (4000, 5), np.complex64)
    weighted[17, 2] = np.nan
    cells = np.stack([random.integers(1, 9, 4000), random.integers(1, 13, 4000)], axis=1)
    native = accelerated.stage2_grid_accumulate(weighted, cells, 8, 12, backend="native")
    plain = accelerated.stage2_grid_accumulate(
        np.asfortranarray(weighted), cells.astype(np.float32), 8, 12, backend="numpy"
    )
    np.testing.assert_array_equal(native, plain)
    assert native.dtype == np.complex64
    assert np.isnan(native).sum() == 1


def test_histograms_are_identical() -> None:
    centres = 0.005 + 0.01 * np.arange(100)
    edges = [0.01, 0.0100001, 1.02, np.nan, -1.0, *(0.01 * np.arange(1, 100))]
    values = np.concatenate([np.random.default_rng(9).uniform(0, 1.1, 10_000), edges])
    native = accelerated.stage2_histogram(values, centres, backend="native")
    plain = accelerated.stage2_histogram(values, centres, backend="numpy")
    np.testing.assert_array_equal(native, plain)
    assert native.sum() == len(values) - 1


def test_filters_agree() -> None:
    response = low_pass(32)
    grid = phasors(10, (61, 75))
    grid[3, 4] = np.nan
    native = _native.kernels.clap_filter(grid, 1.0, 0.3, response)
    plain = clap_filter(grid, 1.0, 0.3, response)
    np.testing.assert_allclose(native, plain, rtol=0, atol=1e-10)
    assert np.abs(plain).max() > 10


def test_values_without_their_cell_agree() -> None:
    from pystamps_shim.kernels.clap import clap_patch_value

    response = low_pass(32)
    grid = phasors(11, (40, 36), np.complex64)
    cell = (25, 30)
    first = (8, 4)
    window = grid[first[0] : first[0] + 32, first[1] : first[1] + 32].copy()
    inside = (cell[0] - first[0], cell[1] - first[1])
    window[inside] = 0
    plain = clap_patch_value(window, 1.0, 0.3, response, inside)
    native = _native.kernels.clap_patch_value(grid, 1.0, 0.3, response, cell)
    assert native is not None
    assert abs(native - plain) < 2e-6
    assert abs(plain) > 1e-3
    assert _native.kernels.clap_patch_value(grid[:31], 1.0, 0.3, response, cell) is None


def series(seed: int, rows: int, columns: int, master: int) -> tuple[Array, Array, Array]:
    """Return phase and baselines [rows, columns] and days, with 0 for the master."""
    random = np.random.default_rng(seed)
    bperp = random.uniform(-200, 200, columns) + random.uniform(-1, 1, (rows, columns))
    day = 12.0 * np.arange(columns) - 12.0 * master
    phase = random.uniform(-0.03, 0.03, (rows, 1)) * bperp + random.normal(0, 1, (rows, columns))
    phase[:, master] = 0
    bperp[:, master] = 0
    return phase.astype(np.float32), bperp.astype(np.float32), day


def test_least_absolute_slopes_agree() -> None:
    phase, bperp, day = series(21, 60, 14, 4)
    phase[7, 3] += 20
    phase[8, 2] = np.nan
    covariance = np.eye(14)
    columns = np.arange(14)
    native = accelerated.stage7_scla(
        phase, bperp, columns, day, covariance, 4, method="L1", backend="native"
    )
    plain = accelerated.stage7_scla(
        phase, bperp, columns, day, covariance, 4, method="L1", backend="numpy"
    )
    ordinary = accelerated.stage7_scla(phase, bperp, columns, day, covariance, 4)
    # The searches end near the same minimum, not at it.
    np.testing.assert_allclose(native[0], plain[0], rtol=0, atol=2e-3)
    assert abs(native[0] - ordinary[0])[7] > 1e-4
    assert np.isnan(native[0][8])


def test_common_baselines_are_those_of_every_scatterer() -> None:
    phase, bperp, day = series(22, 30, 9, 2)
    columns, covariance = np.arange(9), np.eye(9)
    short = accelerated.stage7_scla(phase, bperp[0], columns, day, covariance, 2)
    same = np.broadcast_to(bperp[0], bperp.shape)
    for ours, theirs in zip(
        short, accelerated.stage7_scla(phase, same, columns, day, covariance, 2), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_look_angle_results_do_not_depend_on_threads() -> None:
    phase, bperp, day = series(23, 3000, 11, 5)
    arguments = (phase, bperp, np.arange(11), day, np.eye(11), 5)
    one, two = (_native.kernels.stage7_scla(*arguments, threads=n) for n in (1, 2))
    for ours, theirs in zip(one, two, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def network(seed: int, nodes: int, columns: int) -> tuple[Array, Array, Array]:
    """Return unit phasors of nodes [nodes, columns], smooth in time, and edges between them."""
    random = np.random.default_rng(seed)
    day = 12.0 * np.arange(columns)
    slope = random.uniform(-0.01, 0.01, (nodes, 1))
    phase = slope * day + random.normal(0, 0.4, (nodes, columns))
    pairs = np.array([(a, b) for a in range(nodes) for b in range(a + 1, min(nodes, a + 4))])
    return np.exp(1j * phase).astype(np.complex64), pairs[:, 0], pairs[:, 1]


def test_scatterers_without_edges_are_infinitely_noisy() -> None:
    phases, node_a, node_b = network(31, 6, 8)
    kept = (node_a != 5) & (node_b != 5)
    for backend in ("native", "numpy"):
        std, largest = accelerated.stage4_edge_stats(
            phases,
            node_a[kept],
            node_b[kept],
            np.arange(8.0),
            np.arange(8.0),
            730.0,
            backend=backend,
        )
        assert np.isinf([std[5], largest[5]]).all()
        assert np.isfinite(std[:5]).all()


@pytest.mark.parametrize("method", ["2D", "3D_NO_DEF", "3D_FULL", "3D_QUICK", "3D_SMALL_DEF"])
@pytest.mark.parametrize("la_error", [False, True])
def test_edge_series_agree(method: str, la_error: bool) -> None:
    phases, node_a, node_b = network(32, 120, 14)
    phases[17, 3] = 0
    day = np.concatenate([[0.0], 12.0 * np.arange(-5, 0), 12.0 * np.arange(1, 10)])
    options: dict[str, Any] = {
        "bperp": np.random.default_rng(33).uniform(-200, 200, 14),
        "day": day,
        "ifgday_ix": np.stack([np.zeros(14, dtype=int), np.arange(1, 15)], axis=1),
        "n_trial_wraps": 0.6,
        "time_win": 100.0,
        "unwrap_method": method,
        "la_error": la_error,
    }
    native = accelerated.stage8_edge_noise(phases, node_a, node_b, **options, backend="native")
    plain = accelerated.stage8_edge_noise(phases, node_a, node_b, **options, backend="numpy")
    for ours, theirs in zip(native, plain, strict=True):
        assert ours.dtype == np.float32
        assert ours.shape == theirs.shape
        np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
        # An angle at the end of the circle may turn by a whole cycle.
        turned = np.abs(np.angle(np.exp(1j * (ours.astype(float) - theirs))))
        assert np.nanmax(turned, initial=0) < 1e-4
    assert np.isfinite(native[0]).any()
