"""Stage 2, coherence of the candidates (stage2.md).

Hooper et al. (2004, 2007): the phase of a pixel is a spatially correlated part, estimated from
its neighbours, plus a part proportional to the baseline (DEM error) plus noise. Candidates whose
phase the first two explain well count more in the next estimate of the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.kernels.chosen import stage2_grid_accumulate, stage2_topofit
from pystamps_shim.kernels.clap import clap_filter
from pystamps_shim.kernels.random_numbers import RandomEngine
from pystamps_shim.reference.candidate_phase import (
    Candidates,
    FilterSettings,
    read_candidates,
    trial_wraps,
)
from pystamps_shim.reference.candidate_weights import (
    low_coherence_bins,
    probability_of_random,
    weights_from_probability,
    weights_from_signal_to_noise,
)
from pystamps_shim.reference.inputs import Patch
from pystamps_shim.reference.random_coherence import (
    COHERENCE_BINS,
    RandomHistogram,
    random_coherence,
)
from pystamps_shim.reference.stage1 import Array, Artefacts

Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]
Phasors = NDArray[np.complex64]


@dataclass(frozen=True)
class Estimate:
    """What one iteration finds.

    Attributes
    ----------
    slope_rad_per_m, offset_rad, coherence
        [N] float64: K, C and the coherence; K is NaN and the coherence 0 without estimate.
    estimated
        [N] bool: a fit was made in this or an earlier iteration.
    residual_rad
        [N, M] float32, includes C.
    patch_phase
        [N, M] complex64, unit modulus or 0: the spatially correlated part.
    weighted_phase, grid
        [N, M] and [n_i, n_j, M] complex64: what was filtered.
    """

    slope_rad_per_m: Doubles
    offset_rad: Doubles
    coherence: Doubles
    estimated: NDArray[np.bool_]
    residual_rad: Singles
    patch_phase: Phasors
    weighted_phase: Phasors
    grid: Phasors

    @classmethod
    def start(cls, candidates: Candidates) -> Estimate:
        """Return the state before the first iteration: all zero."""
        shape = candidates.unit_phase.shape
        zeros = np.zeros(shape[0])
        nothing = np.zeros(shape, dtype=np.complex64)
        grid = np.zeros((*candidates.cells, shape[1]), dtype=np.complex64)
        residual = np.zeros(shape, dtype=np.float32)
        never = np.zeros(shape[0], dtype=bool)
        return cls(zeros, zeros, zeros, never, residual, nothing, nothing, grid)


def stage2_estimate_gamma(
    patch_dir: Path | str,
    *,
    random_engine: RandomEngine = "matlab",
    reference_histogram: Path | str | None = None,
) -> Artefacts:
    """Estimate the coherence of every candidate as StaMPS stage 2 does.

    Parameters
    ----------
    patch_dir
        Patch folder with the results of stage 1.
    random_engine
        ``matlab`` or ``octave``: whose random numbers make the reference histogram.
    reference_histogram
        File with ``Nr`` and ``Nr_max_nz_ix``, or with ``coh_rand``, to use instead of drawing.

    Returns
    -------
    ``pm1.mat``, ``psver.mat`` and ``no_ps_info.mat`` with the classes and shapes of matfiles.md.

    Raises
    ------
    PystampsError
        Inputs are missing or disagree; ``quick_est_gamma_flag`` is not ``y``; the grid is smaller
        than the filter's window; an interferogram holds no phase; or nothing has low coherence to
        scale the histogram by.

    Notes
    -----
    StaMPS compatibility: ``ps_est_gamma_quick``. A NaN phase counts as no phase, where the
    original stops with an index error. A grid smaller than the filter's window, where the
    original stops with an index error or leaves every coherence 0, is refused. A patch without
    candidates gives arrays of no rows, marked in ``no_ps_info.mat``. ``drop_ifg_index`` plays no
    part.
    """
    patch = Patch.open(Path(patch_dir), 1)
    _check_estimator(patch)
    if patch.n_ps == 0:
        return _no_candidates(patch)
    candidates = read_candidates(patch)
    if reference_histogram is None:
        random = drawn_histogram(patch, candidates, random_engine)
    else:
        random = RandomHistogram.read(Path(reference_histogram))
    parameters = patch.parameters
    settings = FilterSettings.of(patch)
    limit = parameters.number("gamma_change_convergence")
    iterations = parameters.number("gamma_max_iterations")
    state, weights = Estimate.start(candidates), candidates.first_weights
    change, loop = 0.0, 1
    while True:
        before = state
        state = estimate_once(candidates, settings, before, weights)
        squares = (state.coherence - before.coherence) ** 2
        previous, change = change, float(np.sqrt(squares.sum() / patch.n_ps))
        if abs(change - previous) < limit or loop >= iterations:
            ending = (loop, change)
            return _artefacts(patch, candidates, settings, state, random=random, ending=ending)
        loop += 1
        weights, random = next_weights(patch, candidates, state, random)


def _check_estimator(patch: Patch) -> None:
    """Refuse the slow estimator, which the original names but does not have."""
    if not patch.parameters.flag("quick_est_gamma_flag"):
        cause = f"{patch.parameters.path}: quick_est_gamma_flag is not 'y'"
        raise PystampsError(cause, "set it to 'y': there is no other estimator")


def estimate_once(
    candidates: Candidates, settings: FilterSettings, before: Estimate, weights: Doubles
) -> Estimate:
    """Make one iteration: grid, filter, fit (stage2.md 5, steps 1 to 5).

    Parameters
    ----------
    candidates, settings
        The patch.
    before
        Result of the iteration before; its slopes are taken out of the phase first.
    weights
        [N] float64.
    """
    slope = before.slope_rad_per_m.astype(candidates.baselines_m.dtype)[:, None]
    turned = np.exp(-1j * (candidates.baselines_m * slope)).astype(np.complex64)
    # A candidate without estimate spoils its whole cell; the filter takes that for an empty one.
    with np.errstate(invalid="ignore", over="ignore"):
        weighted = candidates.unit_phase * turned * weights.astype(np.float32)[:, None]
        grid = stage2_grid_accumulate(weighted, candidates.grid_ij, *candidates.cells)
    patch_phase = _patch_phase(candidates, settings, grid)
    deviation = candidates.unit_phase * patch_phase.conj()
    complete = ((deviation != 0) & ~np.isnan(deviation)).all(axis=1)
    slope_rad_per_m = np.full(len(weights), np.nan)
    coherence = np.zeros(len(weights))
    offset_rad, residual_rad = before.offset_rad.copy(), before.residual_rad.copy()
    fit = stage2_topofit(
        deviation[complete], candidates.baselines_m[complete], float(candidates.n_trial_wraps)
    )
    slope_rad_per_m[complete], offset_rad[complete], coherence[complete] = fit[:3]
    residual_rad[complete] = fit[3]
    return Estimate(
        slope_rad_per_m,
        offset_rad,
        coherence,
        before.estimated | complete,
        residual_rad,
        patch_phase,
        weighted,
        grid,
    )


def next_weights(
    patch: Patch, candidates: Candidates, state: Estimate, random: RandomHistogram
) -> tuple[Doubles, RandomHistogram]:
    """Return the weights of the next iteration and the histogram, rescaled where it is used."""
    if patch.parameters.text("filter_weighting").lower() != "p-square":
        return weights_from_signal_to_noise(candidates.amplitude, state.residual_rad), random
    low_bins = low_coherence_bins(small_baseline=patch.small_baseline)
    probability, random = probability_of_random(state.coherence, random, low_bins)
    return weights_from_probability(state.coherence, probability), random


def _patch_phase(candidates: Candidates, settings: FilterSettings, grid: Phasors) -> Phasors:
    """Filter every interferogram and return unit phasors at the candidates' cells."""
    rows, columns = candidates.grid_ij.astype(np.intp).T - 1
    values = np.empty_like(candidates.unit_phase)
    for ifg in range(grid.shape[-1]):
        plane = clap_filter(grid[:, :, ifg], settings.alpha, settings.beta, settings.low_pass)
        values[:, ifg] = plane[rows, columns]
    modulus = np.abs(values)
    return np.asarray(values / np.where(modulus == 0, np.float32(1), modulus))


def drawn_histogram(patch: Patch, candidates: Candidates, engine: RandomEngine) -> RandomHistogram:
    """Return the histogram of random coherence that an engine draws for the candidates."""
    pairs = None
    if patch.small_baseline:
        pairs = patch.variable("ifgday_ix").astype(np.intp) - 1
    images = int(patch.variable("n_image").item())
    wraps = float(candidates.n_trial_wraps)
    return RandomHistogram.of(random_coherence(engine, candidates.bperp_m, wraps, pairs, images))


def _artefacts(
    patch: Patch,
    candidates: Candidates,
    settings: FilterSettings,
    state: Estimate,
    *,
    random: RandomHistogram,
    ending: tuple[int, float],
) -> Artefacts:
    """Name the results as StaMPS does; `ending` holds the iterations made and the last change."""
    column = (-1, 1)
    pm1: dict[str, Array] = {
        "ph_patch": state.patch_phase,
        "K_ps": state.slope_rad_per_m.reshape(column),
        "C_ps": state.offset_rad.reshape(column),
        "coh_ps": state.coherence.reshape(column),
        "coh_ps_save": state.coherence.reshape(column),
        "N_opt": state.estimated.astype(np.float64).reshape(column),
        "ph_res": state.residual_rad,
        "ph_weight": state.weighted_phase,
        "ph_grid": state.grid,
        "grid_ij": candidates.grid_ij,
        "grid_size": _scalar(patch.parameters.number("filter_grid_size")),
        "low_pass": settings.low_pass,
        "n_trial_wraps": np.array([[candidates.n_trial_wraps]]),
        "Nr": random.counts.reshape(1, -1),
        "Nr_max_nz_ix": _scalar(random.last_bin),
        "coh_bins": COHERENCE_BINS.reshape(1, -1),
        "step_number": _scalar(1),
        "i_loop": _scalar(ending[0]),
        "gamma_change_save": _scalar(ending[1]),
    }
    return {
        "pm1.mat": pm1,
        "psver.mat": {"psver": _scalar(1)},
        **patch.bookkeeping(2, empty=patch.n_ps == 0),
    }


def _no_candidates(patch: Patch) -> Artefacts:
    bperp_m = patch.bperp_m()
    nothing = np.zeros((0, bperp_m.size), dtype=np.complex64)
    candidates = Candidates(
        unit_phase=nothing,
        amplitude=np.abs(nothing),
        baselines_m=patch.baselines_m(),
        bperp_m=bperp_m,
        n_trial_wraps=trial_wraps(patch, bperp_m),
        grid_ij=np.zeros((0, 2), dtype=np.float32),
        first_weights=np.zeros(0),
    )
    random = RandomHistogram(np.zeros(COHERENCE_BINS.size), 0)
    start = Estimate.start(candidates)
    settings = FilterSettings.of(patch)
    return _artefacts(patch, candidates, settings, start, random=random, ending=(0, 0.0))


def _scalar(value: float) -> Doubles:
    return np.array([[float(value)]])
