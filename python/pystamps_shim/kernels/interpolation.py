"""MATLAB's ``interp``: raise the sampling rate with a symmetric low-pass filter (stage2.md 8)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

#: Input samples on either side that an interpolated value depends on.
_REACH = 4
#: Cut-off as a fraction of the input's Nyquist frequency.
_BANDWIDTH = 0.5


def interpolation_filter(factor: int) -> Doubles:
    """Return the taps that reconstruct a signal band-limited to half its Nyquist frequency.

    For each fraction p/factor between two samples the eight taps solve the normal equations of
    the least mean-square error; taps at whole samples are 0 but for the centre, which is 1.

    Returns
    -------
    [2 * 4 * factor + 1] float64, symmetric.
    """
    offsets = np.arange(-_REACH, _REACH)
    normal = np.sinc(_BANDWIDTH * (offsets[:, None] - offsets[None, :]))
    taps = np.zeros(2 * _REACH * factor + 1)
    centre = _REACH * factor
    taps[centre] = 1
    for step in range(1, factor):
        wanted = np.sinc(_BANDWIDTH * (offsets + step / factor))
        taps[centre + step + factor * offsets] = np.linalg.solve(normal, wanted)
    return np.asarray((taps + taps[::-1]) / 2)


def interpolate(samples: Doubles, factor: int = 10) -> Doubles:
    """Return `samples` at `factor` times their rate.

    The series is continued at both ends by reflection in its end point, as MATLAB does; filling
    with zeros instead spoils the first and last four samples.

    Parameters
    ----------
    samples
        [n] float64, n > 8.

    Returns
    -------
    [factor * n] float64; every `factor`-th value is an input sample.
    """
    margin = 2 * _REACH
    left = 2 * samples[0] - samples[margin:0:-1]
    right = 2 * samples[-1] - samples[-2 : -margin - 2 : -1]
    extended = np.concatenate([left, samples, right])
    stuffed = np.zeros(factor * len(extended))
    stuffed[::factor] = extended
    filtered = np.convolve(stuffed, interpolation_filter(factor), mode="same")
    return np.asarray(filtered[factor * margin : factor * (margin + len(samples))])
