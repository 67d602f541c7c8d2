"""The combined low-pass and adaptive phase filter (stage2.md 7, stage3.md 6).

A window's spectrum is weighted by its own smoothed amplitude, which lets pass what is spatially
correlated at any wavelength, plus a fixed low-pass response.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.kernels.windows import gauss_window

Array = NDArray[Any]
Doubles = NDArray[np.float64]

#: Windows start every quarter of a window.
_OVERLAP = 4
_SMOOTHING_TAPS = 7


def window_count(cells: int, window: int) -> int:
    """Return how many windows of `window` cells the filter lays along `cells` cells.

    The last one is moved back inside. A count of zero or less means an all-zero result; a count
    above zero with fewer cells than a window cannot be filtered (19 to 23 cells for a window of
    24).
    """
    step = window // _OVERLAP
    return -(-cells // step) - _OVERLAP + 1


def clap_filter(ph: Array, alpha: float, beta: float, low_pass: Doubles) -> NDArray[np.complex128]:
    """Filter one interferogram's grid in overlapping, tapered windows.

    Parameters
    ----------
    ph
        [n_i, n_j] complex, gridded phasors; NaN counts as 0.
    alpha, beta
        Exponent and weight of the adaptive part.
    low_pass
        [W, W] response in the order of the Fourier transform. Windows have 3/4 W cells, filled
        up with zeros.

    Returns
    -------
    [n_i, n_j] complex128, not normalised: the phase is what counts. All zero where the grid is
    too small for a single window.

    Raises
    ------
    ValueError
        A direction has fewer cells than a window, yet not so few that no window is laid.
    """
    size = low_pass.shape[0]
    window = 3 * size // 4
    grid = np.where(np.isnan(ph), 0, ph).astype(np.complex128)
    filtered = np.zeros(grid.shape, dtype=np.complex128)
    counts = [window_count(cells, window) for cells in grid.shape]
    if min(counts) <= 0:
        return filtered
    if min(grid.shape) < window:
        msg = f"a grid of {grid.shape} cells is smaller than the filter window of {window}"
        raise ValueError(msg)
    rows, columns = (_starts(cells, window, n) for cells, n in zip(grid.shape, counts, strict=True))
    windows = np.zeros((len(rows) * len(columns), size, size), dtype=np.complex128)
    places = [(row, column) for row in rows for column in columns]
    for place, ((i, _), (j, _)) in enumerate(places):
        windows[place, :window, :window] = grid[i : i + window, j : j + window]
    spectrum = np.fft.fft2(windows)
    passed = np.fft.ifft2(spectrum * adaptive_response(spectrum, alpha, beta, low_pass))
    taper = _taper(window)
    for place, ((i, shift_i), (j, shift_j)) in enumerate(places):
        weight = np.zeros((window, window))
        weight[shift_i:, shift_j:] = taper[: window - shift_i, : window - shift_j]
        filtered[i : i + window, j : j + window] += passed[place, :window, :window] * weight
    return filtered


def clap_patch_filter(ph: Array, alpha: float, beta: float, low_pass: Doubles) -> Array:
    """Filter whole windows, without taper and padding, in the precision of `ph`.

    Parameters
    ----------
    ph
        [..., W, W] complex; NaN counts as 0.
    alpha, beta, low_pass
        As for `clap_filter`.

    Returns
    -------
    [..., W, W] complex of the precision of `ph`.
    """
    spectrum = np.fft.fft2(np.where(np.isnan(ph), ph.dtype.type(0), ph))
    return np.asarray(np.fft.ifft2(spectrum * adaptive_response(spectrum, alpha, beta, low_pass)))


def clap_patch_value(
    ph: Array, alpha: float, beta: float, low_pass: Doubles, cell: tuple[int, int]
) -> Array:
    """Return what `clap_patch_filter` gives at one cell of the window, counted from 0.

    One sample of an inverse transform is a sum over the spectrum.

    Returns
    -------
    [...] complex of the precision of `ph`.
    """
    spectrum = np.fft.fft2(np.where(np.isnan(ph), ph.dtype.type(0), ph))
    passed = spectrum * adaptive_response(spectrum, alpha, beta, low_pass)
    size = low_pass.shape[0]
    turns = [np.arange(size) * position / size for position in cell]
    kernel = np.exp(2j * np.pi * (turns[0][:, None] + turns[1][None, :])) / size**2
    return np.asarray((passed * kernel.astype(ph.dtype)).sum(axis=(-2, -1)))


def adaptive_response(spectrum: Array, alpha: float, beta: float, low_pass: Doubles) -> Array:
    """Return ``beta * max(H^alpha - 1, 0) + low_pass``, real, in the spectrum's precision.

    H is the amplitude of the spectrum smoothed by a Gaussian of 7 x 7 cells around frequency
    zero in the middle, divided by its median over the window.

    Parameters
    ----------
    spectrum
        [..., W, W] complex, in the order of the Fourier transform.
    """
    real = spectrum.real.dtype.type
    amplitude = np.fft.fftshift(np.abs(spectrum), axes=(-2, -1))
    smoothed = np.fft.ifftshift(smoothed_amplitude(amplitude), axes=(-2, -1))
    median = np.median(smoothed, axis=(-2, -1), keepdims=True)
    normalised = smoothed / np.where(median == 0, real(1), median)
    adaptive = np.maximum(normalised ** real(alpha) - real(1), real(0))
    return np.asarray(real(beta) * adaptive + low_pass.astype(real))


def smoothed_amplitude(amplitude: Array) -> Array:
    """Convolve the last two axes with the product of two Gaussian windows, zeros outside."""
    taps = gauss_window(_SMOOTHING_TAPS).astype(amplitude.dtype)
    half = _SMOOTHING_TAPS // 2
    for axis in (-2, -1):
        size = amplitude.shape[axis]
        margins = [(0, 0)] * amplitude.ndim
        margins[axis] = (half, half)
        padded = np.moveaxis(np.pad(amplitude, margins), axis, 0)
        total = sum(tap * padded[start : start + size] for start, tap in enumerate(taps))
        amplitude = np.moveaxis(np.asarray(total), 0, axis)
    return amplitude


def _starts(cells: int, window: int, count: int) -> list[tuple[int, int]]:
    """Return first cell and backward shift of every window; the last ones are moved inside."""
    nominal = [place * (window // _OVERLAP) for place in range(count)]
    return [(min(first, cells - window), max(first - (cells - window), 0)) for first in nominal]


def _taper(window: int) -> Doubles:
    """Return the weights that blend windows: a sum of two ramps, not their product."""
    ramp = np.arange(window // 2)
    ramp = np.concatenate([ramp, ramp[::-1]])
    return np.asarray(ramp[:, None] + ramp[None, :] + 1e-6, dtype=np.float64)
