"""Window functions and the frequency response of the low-pass part of the filter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

_BUTTERWORTH_ORDER = 5


def gauss_window(length: int, alpha: float = 2.5) -> Doubles:
    """Return MATLAB's ``gausswin``: exp(-(alpha n / half)^2 / 2), n from -half to half.

    Parameters
    ----------
    length
        Samples, at least 2.
    alpha
        Reciprocal of the standard deviation, in half lengths.

    Returns
    -------
    [length] float64; the middle of an odd window is 1.
    """
    half = (length - 1) / 2
    offset = np.arange(length) - half
    return np.asarray(np.exp(-0.5 * (alpha * offset / half) ** 2))


def low_pass_response(window: int, grid_size_m: float, wavelength_m: float) -> Doubles:
    """Return the Butterworth response of the patch phase filter (stage2.md 2.5).

    Parameters
    ----------
    window
        Cells of the square window, even.
    grid_size_m
        Size of a cell.
    wavelength_m
        Wavelength that passes with half its amplitude.

    Returns
    -------
    [window, window] float64 in the order of the Fourier transform: [0, 0] is frequency zero.
    """
    frequency = -1 / (2 * grid_size_m) + np.arange(window) / (grid_size_m * window)
    response = 1 / (1 + (frequency / (1 / wavelength_m)) ** (2 * _BUTTERWORTH_ORDER))
    return np.asarray(np.fft.fftshift(np.outer(response, response)))
