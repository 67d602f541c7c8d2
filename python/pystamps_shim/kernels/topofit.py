"""Fit of a phase proportional to the perpendicular baseline (stage2.md 4).

Hooper et al. (2004): the slope K and the offset C that make sum |z| exp(j(arg z - K b - C)) as
large as possible; its modulus over the sum of |z| is the temporal coherence.

The search multiplies by fixed slopes, takes the first best one, and adds one linear step. The
step has no intercept, so K depends on the trial it started from.

Arithmetic is in double precision. Results are rounded where the original works in single: K with
single baselines; C and the coherence with single phasors or baselines.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Doubles = NDArray[np.float64]
Complexes = NDArray[np.complex128]
Fit = tuple[Doubles, Doubles, Doubles, NDArray[np.float32]]

#: Rows worked on together, which bounds the memory.
_BLOCK = 1 << 14


@np.errstate(all="ignore")
def stage2_topofit(phasors: Array, bperp: Array, n_trial_wraps: float) -> Fit:
    """Fit every row with its own baselines.

    Parameters
    ----------
    phasors
        [n, m] complex; the modulus is the weight, zeros are left out.
    bperp
        [n, m] m.
    n_trial_wraps
        Largest slope searched, in cycles over the range of the baselines.

    Returns
    -------
    K [n] rad/m, C [n] rad, coherence [n], all float64, and residual phase [n, m] rad, float32,
    which includes C; 0 for a sample left out. NaN where the baselines kept have no range.
    """
    fits = [
        _fit(phasors[rows], bperp[rows], n_trial_wraps, bperp.dtype == np.float32)
        for rows in _blocks(len(phasors))
    ]
    return _joined(fits, phasors, bperp)


def stage2_topofit_row_invariant(phasors: Array, bperp: Array, n_trial_wraps: float) -> Fit:
    """Fit every row with the same baselines, `bperp` [m]; otherwise as `stage2_topofit`."""
    shared = np.broadcast_to(bperp.reshape(1, -1), phasors.shape)
    return stage2_topofit(phasors, shared, n_trial_wraps)


@np.errstate(all="ignore")
def stage2_topofit_coh_row_invariant(phasors: Array, bperp: Array, n_trial_wraps: float) -> Doubles:
    """Return only the coherence of `stage2_topofit_row_invariant`, [n] float64.

    Where no phasor is zero the trial phasors are common to all rows, and the search is a product
    of two matrices.
    """
    complete = bool((phasors != 0).all())
    if not complete:
        return stage2_topofit_row_invariant(phasors, bperp, n_trial_wraps)[2]
    baselines = np.asarray(bperp, dtype=np.float64).ravel()
    trials = trial_multipliers(n_trial_wraps)
    extent = baselines.max(initial=-np.inf) - baselines.min(initial=np.inf)
    extent = extent if extent > 0 else np.nan
    table = np.exp(-1j * np.outer(baselines / extent * (np.pi / 4), trials))
    coherence = np.empty(len(phasors))
    for rows in _blocks(len(phasors)):
        block = np.asarray(phasors[rows], dtype=np.complex128)
        tried = np.abs(block @ table) / np.abs(block).sum(axis=1, keepdims=True)
        best = np.argmax(tried, axis=1)
        start = _rounded(np.pi / 4 / extent * trials[best], bperp.dtype == np.float32)
        coherence[rows] = _refined(block, baselines, start, bperp.dtype == np.float32)[2]
    return _rounded(coherence, _is_single(phasors, bperp))


def trial_multipliers(n_trial_wraps: float) -> Doubles:
    """Return the slopes tried, in steps of a quarter of pi over the range of the baselines."""
    largest = int(np.ceil(8 * n_trial_wraps))
    return np.arange(-largest, largest + 1, dtype=np.float64)


@np.errstate(all="ignore")
def trial_margin(phasors: Array, bperp: Array, n_trial_wraps: float) -> Doubles:
    """Return by how much the best trial's coherence exceeds the second best's, [n] float64.

    Rows with a small margin may start from the other trial when rounding differs, which changes
    K by up to 1e-4 rad/m at the same coherence.
    """
    margins = [np.empty(0)]
    for rows in _blocks(len(phasors)):
        trials = _search(*_prepared(phasors[rows], bperp[rows]), n_trial_wraps)
        second, best = np.sort(trials, axis=0)[-2:]
        margins.append(best - second)
    return np.concatenate(margins)


def _fit(phasors: Array, bperp: Array, n_trial_wraps: float, single: bool) -> Fit:
    block, baselines, extent = _prepared(phasors, bperp)
    best = np.argmax(_search(block, baselines, extent, n_trial_wraps), axis=0)
    start = _rounded(np.pi / 4 / extent * trial_multipliers(n_trial_wraps)[best], single)
    return _refined(block, baselines, start, single)


def _prepared(phasors: Array, bperp: Array) -> tuple[Complexes, Doubles, Doubles]:
    """Return phasors, baselines, and the range of those that count, as doubles.

    Baselines of samples left out become 0: they may be no numbers.
    """
    block = np.asarray(phasors, dtype=np.complex128)
    baselines = np.asarray(bperp, dtype=np.float64)
    kept = block != 0
    highest = np.where(kept, baselines, -np.inf).max(axis=1, initial=-np.inf)
    lowest = np.where(kept, baselines, np.inf).min(axis=1, initial=np.inf)
    extent = highest - lowest
    return block, np.where(kept, baselines, 0.0), np.where(extent > 0, extent, np.nan)


def _search(block: Complexes, baselines: Doubles, extent: Doubles, wraps: float) -> Doubles:
    """Return the coherence of every trial, [trials, n]."""
    step_rad = baselines / extent[:, None] * (np.pi / 4)
    weight = np.abs(block).sum(axis=1)
    return np.stack(
        [
            np.abs((block * np.exp(-1j * step_rad * trial)).sum(axis=1)) / weight
            for trial in trial_multipliers(wraps)
        ]
    )


def _refined(block: Complexes, baselines: Doubles, start: Doubles, single: bool) -> Fit:
    """Add the linear step to the slopes `start` and evaluate the fit.

    Phasors that cancel have no direction to differ from: such a row keeps its slope.
    """
    weight = np.abs(block)
    rotated = block * np.exp(-1j * start[:, None] * baselines)
    offset = rotated.sum(axis=1, keepdims=True)
    deviation = np.where(offset == 0, 0.0, np.angle(rotated * offset.conj()))
    step = (weight**2 * baselines * deviation).sum(axis=1) / (weight**2 * baselines**2).sum(axis=1)
    slope = _rounded(start + step, single)
    residual = block * np.exp(-1j * slope[:, None] * baselines)
    total = residual.sum(axis=1)
    coherence = np.abs(total) / np.abs(residual).sum(axis=1)
    left_over = np.where(block == 0, np.abs(0 * slope)[:, None], np.angle(residual))
    return slope, np.angle(total), coherence, left_over.astype(np.float32)


def _joined(fits: list[Fit], phasors: Array, bperp: Array) -> Fit:
    if not fits:
        nothing = np.empty(0)
        return nothing, nothing, nothing, np.empty(phasors.shape, dtype=np.float32)
    slope, offset, coherence, residual = (
        np.concatenate(parts) for parts in zip(*fits, strict=True)
    )
    single = _is_single(phasors, bperp)
    return slope, _rounded(offset, single), _rounded(coherence, single), residual


def _is_single(phasors: Array, bperp: Array) -> bool:
    return phasors.dtype == np.complex64 or bperp.dtype == np.float32


def _rounded(values: Doubles, single: bool) -> Doubles:
    return values.astype(np.float32).astype(np.float64) if single else values


def _blocks(count: int) -> list[slice]:
    return [slice(begin, begin + _BLOCK) for begin in range(0, count, _BLOCK)]
