"""The look-angle error between two nodes from their phase difference over baseline (6 D.4)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.reference.image_network import ImageNetwork

Array = NDArray[Any]
Doubles = NDArray[np.float64]

#: Trial slopes to a turn of the phase over the range of baselines.
_TRIALS_PER_WRAP = 8
#: By how much the best peak must exceed any other, and the coherence of the fit to be trusted.
_PEAK_MARGIN = 0.1
_LEAST_COHERENCE = 0.31
#: Edges whose trials are held in memory at once.
_BLOCK = 1 << 12


def edge_slopes(difference: Array, network: ImageNetwork, trial_wraps: float) -> Array:
    """Estimate the phase per metre of baseline of every edge.

    Parameters
    ----------
    difference
        [E, u] complex64 of unit modulus; NaN rows give 0.
    network
        Images of the interferograms.
    trial_wraps
        Turns over the whole range of baselines that the largest error to be searched makes.

    Returns
    -------
    [E, 1] float32 rad/m; 0 where no slope stands out or the fit is incoherent.

    Notes
    -----
    StaMPS compatibility: ``uw_sb_unwrap_space_time``. If all baselines are equal there is no
    slope to find and all are 0, although steps from the master's baseline, 0, may differ; the
    original divides by zero.
    """
    whole_range = float(np.ptp(network.bperp_m))
    series, baselines_m = _short_steps(difference, network)
    if series is difference:
        wraps, range_m = trial_wraps, whole_range
    else:
        range_m = float(np.ptp(baselines_m)) if baselines_m.size else 0.0
        wraps = trial_wraps * range_m / whole_range if whole_range else 0.0
    if not (whole_range and range_m):
        return np.zeros((len(difference), 1), dtype=np.float32)
    count = int(np.ceil(_TRIALS_PER_WRAP * wraps))
    trials = np.arange(-count, count + 1) * (np.pi / 4) / range_m
    slopes = [
        _best_slope(series[begin : begin + _BLOCK], baselines_m, trials)
        for begin in range(0, len(series), _BLOCK)
    ]
    return np.concatenate([*slopes, np.zeros(0)]).astype(np.float32)[:, None]


def _short_steps(difference: Array, network: ImageNetwork) -> tuple[Array, Doubles]:
    """Return a series that spans little time, so that deformation is small beside the slope.

    That is the interferograms of consecutive images if they connect all of them, or else
    differences of consecutive images formed from the interferograms with a common image, or else
    all interferograms.
    """
    images = len(network.day)
    chain = np.flatnonzero(np.abs(np.diff(network.pairs, axis=1)).ravel() == 1)
    if len(chain) >= images - 1:
        return difference[:, chain], network.bperp_m[chain]
    members = np.bincount(network.pairs.ravel(), minlength=images)
    common = int(np.argmax(members))
    if members[common] < images - 2:
        return difference, network.bperp_m
    columns = network.interferograms_of(common)
    reverse = network.pairs[columns, 1] == common
    others = np.where(reverse, network.pairs[columns, 0], network.pairs[columns, 1])
    phase = difference[:, columns]
    phase[:, reverse] = phase[:, reverse].conj()
    bperp_m = np.where(reverse, -network.bperp_m[columns], network.bperp_m[columns])
    # The common image itself: no phase, no baseline.
    modulus = np.abs(phase).mean(axis=1, keepdims=True).astype(phase.dtype)
    order = np.argsort(network.day[np.append(others, common)], kind="stable")
    phase = np.concatenate([phase, modulus], axis=1)[:, order]
    steps = phase[:, 1:] * phase[:, :-1].conj()
    return steps / np.abs(steps), np.diff(np.append(bperp_m, 0)[order])


def _best_slope(series: Array, baselines_m: Doubles, trials: Array) -> Doubles:
    """Return the refined slope of every row with a single clear peak, 0 for the others."""
    data = series.astype(np.complex128)
    modulus = np.abs(data)
    total = modulus.sum(axis=1)
    table = np.exp(-1j * np.outer(baselines_m, trials))
    coherence = np.abs(data @ table) / total[:, None]
    clear, start = _clear_peak(coherence)
    first = trials[start]
    rest = data * np.exp(-1j * np.outer(first, baselines_m))
    angle = np.angle(rest * rest.sum(axis=1, keepdims=True).conj())
    weight = modulus**2 * baselines_m
    slope = first + (weight * angle).sum(axis=1) / (weight * baselines_m).sum(axis=1)
    fit = np.abs((data * np.exp(-1j * np.outer(slope, baselines_m))).sum(axis=1)) / total
    return np.where(clear & (fit >= _LEAST_COHERENCE), slope, 0.0)


def _clear_peak(coherence: Doubles) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Return whether the highest peak of each row stands out, and its place.

    The peak reaches down to where coherence rises again on either side.
    """
    count = coherence.shape[1]
    known = np.asarray(np.isfinite(coherence).all(axis=1))
    values = np.where(known[:, None], coherence, 0.0)
    peak = values.argmax(axis=1)
    place = np.arange(count)
    step = np.diff(values, axis=1)
    falls = (step < 0) & (place[1:] <= peak[:, None])
    rises = (step > 0) & (place[:-1] >= peak[:, None])
    left = np.where(falls, place[1:], 0).max(axis=1, initial=0)
    right = np.where(rises, place[:-1], count - 1).min(axis=1, initial=count - 1)
    inside = (place >= left[:, None]) & (place <= right[:, None])
    others = np.where(inside, 0.0, values).max(axis=1)
    highest = np.take_along_axis(values, peak[:, None], axis=1).ravel()
    return known & (highest - others > _PEAK_MARGIN), peak
