"""Noise of the PS from the phase differences along edges (stage4.md 5)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]
Network = Literal["single_master", "small_baselines"]

#: Edges worked on together: the smoothing needs several arrays of edges x interferograms.
_BLOCK = 1 << 13


@np.errstate(all="ignore")
def stage4_edge_stats(  # noqa: PLR0917 - the order is that of the native kernel
    phases: Array,
    node_a: Array,
    node_b: Array,
    bperp: Array,
    day: Array,
    time_win: float,
    mode: Network = "single_master",
) -> tuple[Singles, Singles]:
    """Return the smallest standard deviation and the smallest maximum among each PS's edges.

    Parameters
    ----------
    phases
        [n, m] complex phasors of unit modulus, the DEM error removed. 0 and infinity are no
        phase, as NaN is, which makes the noise of all PS unknown.
    node_a, node_b
        [E] ends of the edges, counted from 0; the difference is b minus a.
    bperp
        [m] m, 0 for the master.
    day
        [m] days; not used for small baselines.
    time_win
        Standard deviation of the temporal window, days.
    mode
        Kind of network.

    Returns
    -------
    ps_std, ps_max
        [n] float32 rad; Inf where a PS has no edge with a value.
    """
    edge_std, edge_max = edge_noise(phases, node_a, node_b, bperp, day, time_win, mode)
    count = len(phases)
    ps_std, ps_max = (np.full(count, np.inf, dtype=np.float32) for _ in range(2))
    for nodes in (node_a, node_b):
        np.fmin.at(ps_std, nodes, edge_std)
        np.fmin.at(ps_max, nodes, edge_max)
    return ps_std, ps_max


@np.errstate(all="ignore")
def edge_noise(  # noqa: PLR0917 - the order of stage4_edge_stats
    phases: Array,
    node_a: Array,
    node_b: Array,
    bperp: Array,
    day: Array,
    time_win: float,
    mode: Network = "single_master",
) -> tuple[Singles, Singles]:
    """Return standard deviation and maximum of the noise of every edge, [E] float32 rad each.

    Parameters are those of `stage4_edge_stats`.
    """
    baselines = np.asarray(bperp, dtype=np.float64).ravel()
    phases = _with_phase(phases)
    if mode == "small_baselines":
        return _small_baselines(phases[node_b] * phases[node_a].conj(), baselines)
    noise, rough = _noise_of_edges(phases, node_a, node_b, day, time_win)
    variance = _variance(rough)
    # The fit's weights take out what the edges share with the DEM error of either end.
    weight = baselines / variance
    slope = (noise @ weight) / (baselines @ weight)
    return _spread(noise - slope[:, None] * baselines)


@np.errstate(all="ignore")
def edge_variances(  # noqa: PLR0917 - the order of stage4_edge_stats
    phases: Array,
    node_a: Array,
    node_b: Array,
    day: Array,
    time_win: float,
    mode: Network = "single_master",
) -> Doubles:
    """Return the variance over edges whose inverse weighs an interferogram, [m] rad^2.

    Parameters are those of `stage4_edge_stats`; for small baselines it is that of the phasors.
    """
    phases = _with_phase(phases)
    if mode == "small_baselines":
        return _variance(phases[node_b] * phases[node_a].conj())
    return _variance(_noise_of_edges(phases, node_a, node_b, day, time_win)[1])


def _with_phase(phasors: Array) -> Array:
    """Return NaN in place of phasors without phase."""
    return np.where(np.isfinite(phasors) & (phasors != 0), phasors, np.nan)


def _noise_of_edges(
    phases: Array, node_a: Array, node_b: Array, day: Array, time_win: float
) -> tuple[Singles, Singles]:
    """Return both noises of `_temporal_noise` of all edges, [E, m] float32 each."""
    days = np.asarray(day, dtype=np.float64).ravel()
    noise, rough = (np.empty((len(node_a), len(days)), dtype=np.float32) for _ in range(2))
    for begin in range(0, len(node_a), _BLOCK):
        rows = slice(begin, begin + _BLOCK)
        difference = phases[node_b[rows]] * phases[node_a[rows]].conj()
        noise[rows], rough[rows] = _temporal_noise(difference, days, time_win)
    return noise, rough


def _temporal_noise(difference: Array, days: Doubles, time_win: float) -> tuple[Doubles, Doubles]:
    """Return the edges' phase less its smooth part, with and without a fitted line.

    The smooth part at a date is the Gaussian mean around it plus the value there of a line
    through the deviations from that mean, fitted twice because the first deviations may wrap.
    The second result uses the mean of the other dates alone.
    """
    noise, rough = (np.empty(difference.shape) for _ in range(2))
    for index, day in enumerate(days):
        since = day - days
        window = np.exp(-(since**2) / 2 / time_win**2)
        window /= window.sum()
        mean = difference @ window
        projection = _line_fit(since, window)
        deviation = np.angle(difference * mean.conj()[:, None])
        intercept, slope = projection @ deviation.T
        remainder = deviation - intercept[:, None] - slope[:, None] * since
        remainder = np.angle(np.exp(1j * remainder))
        smooth = mean * np.exp(1j * (intercept + projection[0] @ remainder.T))
        noise[:, index] = np.angle(difference[:, index] * smooth.conj())
        window[index] = 0
        rough[:, index] = np.angle(difference[:, index] * (difference @ window).conj())
    return noise, rough


def _line_fit(abscissa: Doubles, weight: Doubles) -> Doubles:
    """Return [2, m]: what makes intercept and slope of the weighted fit out of m values."""
    design = np.stack([np.ones_like(abscissa), abscissa], axis=1)
    root = np.sqrt(weight)
    return np.asarray(np.linalg.pinv(design * root[:, None]) * root)


def _small_baselines(difference: Array, baselines: Doubles) -> tuple[Singles, Singles]:
    """Remove from each phasor what is proportional to the baseline, literally as StaMPS does.

    A term taken from a phasor has no physical meaning; it is kept for parity and is off by
    default, because both limits of small baselines are infinite.
    """
    weight = baselines / _variance(difference)
    slope = (difference @ weight) / (baselines @ weight)
    return _spread(np.angle(difference - slope[:, None] * baselines))


def _variance(values: Array) -> Doubles:
    """Return the variance over the edges; a single edge has none, and MATLAB says 0."""
    if len(values) < 2:
        return np.zeros(values.shape[1])
    return np.asarray(np.var(values, axis=0, ddof=1, dtype=_wide(values)).real)


def _wide(values: Array) -> type:
    return np.complex128 if np.iscomplexobj(values) else np.float64


def _spread(noise: Doubles) -> tuple[Singles, Singles]:
    # MATLAB: one value deviates by 0, unless it is no number.
    alone = noise.shape[1] < 2
    deviation = 0 * noise.sum(axis=1) if alone else np.std(noise, axis=1, ddof=1)
    largest = np.abs(noise).max(axis=1, initial=0.0)
    return deviation.astype(np.float32), largest.astype(np.float32)
