"""Native kernels against the NumPy ones, against original StaMPS, and how they are chosen."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.io import loadmat

from pystamps_shim import _native
from pystamps_shim.errors import PystampsError
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


def test_cells_outside_the_grid_are_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        accelerated.stage2_grid_accumulate(
            phasors(8, (1, 2), np.complex64), np.array([[0, 1]]), 2, 2, backend="native"
        )


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


@pytest.fixture
def without_extension(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the extension from being imported."""
    monkeypatch.setitem(sys.modules, "pystamps_shim._native", None)
    accelerated._module.cache_clear()
    yield
    accelerated._module.cache_clear()


@pytest.mark.usefixtures("without_extension")
def test_a_missing_backend_is_an_error_that_helps() -> None:
    assert list(accelerated.describe_backends()) == ["numpy"]
    assert accelerated.stage2_histogram(np.ones(3), np.array([0.0, 1.0])).tolist() == [0, 3]
    with pytest.raises(PystampsError, match="make native"):
        accelerated.stage2_histogram(np.ones(3), np.array([0.0]), backend="native")


def test_an_unknown_backend_is_refused() -> None:
    backend: Any = "cuda"
    with pytest.raises(PystampsError, match="'auto', 'native' or 'numpy'"):
        accelerated.stage2_histogram(np.ones(3), np.array([0.0]), backend=backend)


def test_backends_are_described() -> None:
    described = accelerated.describe_backends()
    assert set(described) == {"native", "numpy"}
    for backend in described.values():
        assert tuple(backend) == accelerated.KERNELS
