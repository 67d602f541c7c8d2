"""Phase per metre of baseline, and the master's own phase, from unwrapped phase (stage7.md 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.kernels.least_absolute import least_absolute_fit
from pystamps_shim.kernels.least_squares import basic_solver

Array = NDArray[Any]
Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]
Network = Literal["single_master", "small_baselines"]

#: With fewer columns a velocity is not told from the look-angle error.
_LEAST_COLUMNS_FOR_VELOCITY = 4


@dataclass(frozen=True)
class Observations:
    """What the phase per metre of baseline is fitted to.

    Attributes
    ----------
    phase_rad
        [n, k] float64.
    design
        [k, 2 or 3]: one, mean baseline in metres, and with a velocity the interval in days.
    """

    phase_rad: Doubles
    design: Doubles


@np.errstate(all="ignore")
def stage7_scla(  # noqa: PLR0917 - the order is that of the native kernel
    ph_uw: Singles,
    bperp: Singles,
    solve_ix: Array,
    day: Doubles,
    ifg_vcm: Doubles,
    master_ix: int | None = None,
    network: Network = "single_master",
    *,
    velocity: bool = True,
    method: Literal["L1", "L2"] = "L2",
) -> tuple[Doubles, Singles, Singles, Doubles]:
    """Estimate the look-angle error and the master's atmosphere of every PS.

    Parameters
    ----------
    ph_uw
        [n, m] float32 rad, deramped and referenced; the master column, if there is one, is 0.
    bperp
        [n, m] float32 m, 0 for the master.
    solve_ix
        [k] columns to estimate from, counted from 0, ascending. StaMPS: ``U``.
    day
        [m] days: of the images for a single master, from the first to the second image of the
        interferograms for small baselines.
    ifg_vcm
        [m, m] rad^2. Small baselines weigh the fit of K by it, single masters that of C: motion
        and atmosphere make the true covariance of differences in time unknown.
    master_ix
        Column of the master, counted from 0. ``None``: there is none, and days count from 0.
    network
        Single master: differences of successive columns of `solve_ix` are fitted. Small baselines:
        the interferograms are, and C is 0.
    velocity
        Whether a mean velocity is estimated too; for K only from four columns on.
    method
        L1: a simplex search from the L2 solution for the least sum of absolute residuals.

    Returns
    -------
    K_ps_uw
        [n] float64 rad/m.
    C_ps_uw
        [n] float32 rad.
    ph_scla
        [n, m] float32 rad, ``K_ps_uw * bperp`` with each PS's own baselines.
    ifg_vcm
        [m, m] rad^2, as given.

    Raises
    ------
    ValueError
        A covariance is not positive definite.
    """
    columns = np.asarray(solve_ix, dtype=np.intp)
    seen = _observations(ph_uw, bperp, columns, day, network, velocity=velocity)
    weights = ifg_vcm[np.ix_(columns, columns)] if network == "small_baselines" else None
    fitted = seen.phase_rad @ basic_solver(seen.design, weights).T
    slope = fitted[:, 1]
    if method == "L1":
        slope = least_absolute_fit(seen.design, seen.phase_rad, fitted)[:, 1]
    slope_rad = (slope[:, None] * bperp).astype(np.float32)
    offset = np.zeros(len(ph_uw), dtype=np.float32)
    others = columns[columns != master_ix]
    if network == "single_master" and others.size:
        rest = (ph_uw - slope_rad)[:, others].astype(np.float64)
        weights = np.full(len(others), 1 / len(others))
        if velocity:
            since = day[others] - (0.0 if master_ix is None else day[master_ix])
            design = np.stack([np.ones_like(since), since], axis=1)
            weights = basic_solver(design, ifg_vcm[np.ix_(others, others)])[0]
        offset = (rest @ weights).astype(np.float32)
    return slope, offset, slope_rad, ifg_vcm


def _observations(
    phase_rad: Singles,
    bperp_m: Singles,
    columns: Array,
    day: Doubles,
    network: Network,
    *,
    velocity: bool,
) -> Observations:
    """Return phase and design; the same design for every PS, from the mean baselines."""
    phase, baselines, interval = phase_rad[:, columns], bperp_m[:, columns], day[columns]
    if network == "single_master":
        phase, baselines = (np.diff(values, axis=1) for values in (phase, baselines))
        interval = np.diff(interval)
    mean_m = np.zeros(baselines.shape[1])
    if len(baselines):
        mean_m = baselines.mean(axis=0, dtype=np.float64).astype(np.float32).astype(np.float64)
    terms = [np.ones_like(mean_m), mean_m]
    if velocity and len(columns) >= _LEAST_COLUMNS_FOR_VELOCITY:
        terms.append(interval)
    return Observations(phase.astype(np.float64), np.stack(terms, axis=1))
