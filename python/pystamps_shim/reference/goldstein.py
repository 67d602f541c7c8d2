"""The adaptive filter of the gridded phase before it is unwrapped (stage6.md 3)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.kernels.clap import smoothed_amplitude

Array = NDArray[Any]


def goldstein_filter(grid: Array, window: int, alpha: float) -> NDArray[np.complex64]:
    """Weight each window's spectrum by its smoothed amplitude; keep the modulus of every cell.

    Parameters
    ----------
    grid
        [n_i, n_j] complex, at least a window in both directions; NaN counts as 0.
    window
        Cells of a window, even. Windows start every half window, the last one is moved inside.
    alpha
        Exponent of the amplitude.

    Returns
    -------
    [n_i, n_j] complex64; empty cells stay 0.

    Notes
    -----
    StaMPS compatibility: ``wrap_filt``. A window that is moved keeps the weights of where it
    would have been.
    """
    values = np.where(np.isnan(grid), 0, grid).astype(np.complex128)
    # MATLAB's rounding: half a cell is a whole one.
    size = window + (window + 2) // 4
    taper = _taper(window)
    blended = np.zeros_like(values)
    for row, shift_i in _starts(values.shape[0], window):
        for column, shift_j in _starts(values.shape[1], window):
            place = (slice(row, row + window), slice(column, column + window))
            spectrum = np.fft.fft2(values[place], s=(size, size))
            passed = np.fft.ifft2(spectrum * _response(spectrum, alpha))[:window, :window]
            weight = np.zeros((window, window))
            weight[shift_i:, shift_j:] = taper[: window - shift_i, : window - shift_j]
            blended[place] += passed * weight
    return np.asarray(np.abs(values) * np.exp(1j * np.angle(blended)), dtype=np.complex64)


def _response(spectrum: Array, alpha: float) -> Array:
    amplitude = np.fft.fftshift(np.abs(spectrum))
    smoothed = np.fft.ifftshift(smoothed_amplitude(amplitude))
    median = np.median(smoothed)
    return np.asarray((smoothed / median if median else smoothed) ** alpha)


def _starts(cells: int, window: int) -> list[tuple[int, int]]:
    """Return first cell and backward shift of every window."""
    step = window // 2
    nominal = range(0, step * (-(-cells // step) - 1), step)
    return [(min(first, cells - window), max(first + window - cells, 0)) for first in nominal]


def _taper(window: int) -> NDArray[np.float64]:
    """Return the weights that blend windows: the sum of two ramps from 1 up and down again."""
    ramp = np.arange(1.0, window // 2 + 1)
    ramp = np.concatenate([ramp, ramp[::-1]])
    return ramp[:, None] + ramp[None, :]
