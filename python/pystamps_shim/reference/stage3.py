"""Stage 3, selection of the PS among the candidates (stage3.md)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.kernels.random_numbers import RandomEngine, uniform_matrix
from pystamps_shim.reference.inputs import Patch, read_variable
from pystamps_shim.reference.reestimation import Reestimate, WindowFilter, reestimate
from pystamps_shim.reference.selection_threshold import (
    DEFAULT_THRESHOLD,
    SelectionTarget,
    Threshold,
    coherence_threshold,
)
from pystamps_shim.reference.stage1 import Array, Artefacts

Doubles = NDArray[np.float64]
Rows = NDArray[np.intp]

_RESAMPLES = 100
_SEED = 2005


@dataclass(frozen=True)
class Candidates:
    """Stage 2's results of a patch, rows N.

    Attributes
    ----------
    slope_rad_per_m, offset_rad, coherence
        [N] float64.
    random_counts
        [100] float64.
    """

    slope_rad_per_m: Doubles
    offset_rad: Doubles
    coherence: Doubles
    random_counts: Doubles

    @classmethod
    def read(cls, patch: Patch) -> Candidates:
        """Read the columns of ``pm1.mat`` and check their lengths."""
        names = ("K_ps", "C_ps", "coh_ps")
        columns = [patch.rows("pm", name, 1, 2).ravel().astype(np.float64) for name in names]
        slope, offset, coherence = columns
        return cls(slope, offset, coherence, read_variable(patch.path("pm"), "Nr", 2).ravel())


def stage3_select_ps(
    patch_dir: Path | str, *, reuse_coherence: bool = False, random_engine: RandomEngine = "matlab"
) -> Artefacts:
    """Select PS as StaMPS stage 3 does.

    Parameters
    ----------
    patch_dir
        Patch folder with the results of stages 1 and 2.
    reuse_coherence
        Take the first selection and the re-estimated coherence from the ``select1.mat`` that is
        there and only find the second threshold (the original's re-estimation flag 2).
    random_engine
        Whose random numbers resample the residual phase, where ``gamma_stdev_reject`` asks for it.

    Returns
    -------
    ``select1.mat``, ``psver.mat`` and ``no_ps_info.mat`` with the classes and shapes of
    matfiles.md.

    Raises
    ------
    PystampsError
        Inputs are missing or disagree, or ``drop_ifg_index`` leaves nothing.

    Notes
    -----
    StaMPS compatibility: ``ps_select``. With ``select_reest_gamma_flag = 'n'`` the coherence of
    stage 2 stands (flag 1). A grid smaller than ``clap_win`` cells loses every PS, as in the
    original. ``gamma_stdev_reject`` above 0 stops the original at a misspelt name; see
    `resampled_deviation` for what is done here.
    """
    patch = Patch.open(Path(patch_dir), 1)
    used = patch.used_without_master()
    candidates = Candidates.read(patch)
    if patch.n_ps == 0:
        return _no_candidates(patch, candidates)
    target = SelectionTarget.of(patch)
    everything = np.arange(patch.n_ps)
    if reuse_coherence:
        rows, new = _stored(patch)
    else:
        first = coherence_threshold(
            target, candidates.coherence, candidates.random_counts, everything
        )
        rows = np.flatnonzero(candidates.coherence > first.values)
        rows = _steady(patch, rows, used, random_engine)
        if not _reestimates(patch):
            new = _of_stage2(patch, rows, candidates)
            kept = np.ones(len(rows), dtype=bool)
            return _artefacts(patch, target, new, rows, kept=kept, threshold=first)
        new = _reestimated(patch, rows, used)
    coherence = candidates.coherence.copy()
    coherence[rows] = new.coherence
    second = coherence_threshold(target, coherence, candidates.random_counts, rows)
    kept = _kept(patch, candidates.slope_rad_per_m[rows], new, second)
    return _artefacts(patch, target, new, rows, kept=kept, threshold=second)


def resampled_deviation(residual_rad: Array, indices: Rows) -> Doubles:
    """Return the standard deviation of the coherence over resampled interferograms.

    StaMPS compatibility: the original means to draw 100 resamples anew for each PS, but fails.
    Here the 100 are the same for every PS, so that a result depends on no other PS.

    Parameters
    ----------
    residual_rad
        [n, m] residual phase in the interferograms used.
    indices
        [100, m] columns of each resample, from 0.

    Returns
    -------
    [n] float64.
    """
    phasors = np.exp(1j * residual_rad.astype(np.float64))
    coherence = [np.abs(phasors[:, chosen].mean(axis=1)) for chosen in indices]
    return np.asarray(np.std(coherence, axis=0, ddof=1))


def resample_indices(engine: RandomEngine, columns: int) -> Rows:
    """Return 100 draws of `columns` out of as many, with replacement: ceil(u m), from 0."""
    draws = uniform_matrix(engine, _SEED, _RESAMPLES, columns)
    return np.ceil(draws * columns).astype(np.intp) - 1


def _steady(patch: Patch, rows: Rows, used: Rows, engine: RandomEngine) -> Rows:
    """Reject candidates whose coherence varies too much among resampled interferograms."""
    limit = patch.parameters.number("gamma_stdev_reject")
    if limit <= 0:
        return rows
    residual = patch.rows("pm", "ph_res", patch.columns, 2)[rows][:, used]
    return rows[resampled_deviation(residual, resample_indices(engine, len(used))) < limit]


def _reestimates(patch: Patch) -> bool:
    parameters = patch.parameters
    return parameters.flag("quick_est_gamma_flag") and parameters.flag("select_reest_gamma_flag")


def _reestimated(patch: Patch, rows: Rows, used: Rows) -> Reestimate:
    path = patch.path("pm")
    parameters = patch.parameters
    cells = patch.rows("pm", "grid_ij", 2, 2).astype(np.intp) - 1
    grid = read_variable(path, "ph_grid", 2).astype(np.complex64)
    if grid.ndim == 2:  # a single interferogram: MATLAB drops the last dimension
        grid = grid[:, :, None]
    patch.check(path, "ph_grid", grid, (*(cells.max(axis=0) + 1), patch.columns), 2)
    window = WindowFilter(
        parameters.number("clap_alpha"),
        parameters.number("clap_beta"),
        _low_pass(patch),
        int(parameters.number("slc_osf")) - 1,
    )
    phase = patch.without_master(patch.phase())[rows]
    wraps = float(read_variable(path, "n_trial_wraps", 2).item())
    patch_phase = window.values(grid, cells[rows])
    return reestimate(phase, patch_phase, patch.baselines_m()[rows], used, wraps)


def _low_pass(patch: Patch) -> Doubles:
    """Return stage 2's response, whose size must be that of the window."""
    size = int(patch.parameters.number("clap_win"))
    response = read_variable(patch.path("pm"), "low_pass", 2)
    patch.check(patch.path("pm"), "low_pass", response, (size, size), 2)
    return response.astype(np.float64)


def _of_stage2(patch: Patch, rows: Rows, candidates: Candidates) -> Reestimate:
    return Reestimate(
        patch.rows("pm", "ph_patch", patch.columns, 2)[rows].astype(np.complex64),
        patch.rows("pm", "ph_res", patch.columns, 2)[rows].astype(np.float32),
        candidates.slope_rad_per_m[rows],
        candidates.offset_rad[rows],
        candidates.coherence[rows],
    )


def _stored(patch: Patch) -> tuple[Rows, Reestimate]:
    path = patch.path("select")
    read = {
        name: read_variable(path, name, 3)
        for name in ("ix", "ph_patch2", "ph_res2", "K_ps2", "C_ps2", "coh_ps2")
    }
    rows = read["ix"].ravel().astype(np.intp) - 1
    for name, columns in (("ph_patch2", patch.columns), ("ph_res2", patch.columns), ("K_ps2", 1)):
        patch.check(path, name, read[name], (len(rows), columns), 3)
    slope, offset, coherence = (
        read[name].ravel().astype(np.float64) for name in ("K_ps2", "C_ps2", "coh_ps2")
    )
    phase = read["ph_patch2"].astype(np.complex64)
    residual = read["ph_res2"].astype(np.float32)
    return rows, Reestimate(phase, residual, slope, offset, coherence)


def _kept(patch: Patch, slope: Doubles, new: Reestimate, threshold: Threshold) -> Array:
    """Keep what is coherent enough and has kept its slope within one cycle over all baselines."""
    bperp_m = patch.bperp_m()
    limit = bperp_m.dtype.type(2 * np.pi) / (bperp_m.max() - bperp_m.min())
    with np.errstate(invalid="ignore"):
        coherent = new.coherence > threshold.values
        return np.asarray(coherent & (np.abs(slope - new.slope_rad_per_m) < limit))


def _no_candidates(patch: Patch, candidates: Candidates) -> Artefacts:
    """Return arrays of no rows, with the threshold that stands where none can be found."""
    rows, kept = np.empty(0, dtype=np.intp), np.empty(0, dtype=bool)
    target = SelectionTarget(np.float32(0), False, np.empty(0), np.empty(0), 0)
    nothing = _of_stage2(patch, rows, candidates)
    threshold = Threshold(np.array([DEFAULT_THRESHOLD]), np.empty(0))
    return _artefacts(patch, target, nothing, rows, kept=kept, threshold=threshold)


def _artefacts(
    patch: Patch,
    target: SelectionTarget,
    new: Reestimate,
    rows: Rows,
    *,
    kept: Array,
    threshold: Threshold,
) -> Artefacts:
    parameters = patch.parameters
    column = (-1, 1)
    line = threshold.line.reshape(1, -1) if threshold.line.size else np.empty((0, 0))
    select1 = {
        "ix": rows.astype(np.float64).reshape(column) + 1,
        "keep_ix": kept.reshape(column),
        "ph_patch2": new.patch_phase,
        "ph_res2": new.residual_rad,
        "K_ps2": new.slope_rad_per_m.reshape(column),
        "C_ps2": new.offset_rad.reshape(column),
        "coh_ps2": new.coherence.reshape(column),
        "coh_thresh": threshold.values.reshape(column),
        "coh_thresh_coeffs": line,
        "clap_alpha": _scalar(parameters.number("clap_alpha")),
        "clap_beta": _scalar(parameters.number("clap_beta")),
        "n_win": _scalar(parameters.number("clap_win")),
        "max_percent_rand": np.array([[target.accepted]]),
        "gamma_stdev_reject": _scalar(parameters.number("gamma_stdev_reject")),
        "small_baseline_flag": np.array(parameters.text("small_baseline_flag")),
        "ifg_index": patch.used_without_master().astype(np.float64).reshape(1, -1) + 1,
    }
    return {
        "select1.mat": select1,
        "psver.mat": {"psver": _scalar(1)},
        **patch.bookkeeping(3, empty=not kept.any()),
    }


def _scalar(value: float) -> Doubles:
    return np.array([[float(value)]])
