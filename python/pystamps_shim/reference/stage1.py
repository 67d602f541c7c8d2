"""Stage 1, initial load of one patch (SNAP and GAMMA; stage1.md B and C)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.reference import geometry
from pystamps_shim.reference.acquisitions import (
    Stack,
    perpendicular_baselines_m,
    read_stack,
    single_master_days,
    slant_range_m,
    viewing_angles_rad,
)
from pystamps_shim.reference.candidates import Candidates, read_candidates, read_phase

Array = NDArray[Any]
Doubles = NDArray[np.float64]
#: File name (relative to the patch) -> variable name -> array, as MATLAB would hold them.
Artefacts = dict[str, dict[str, Array]]

_SPEED_OF_LIGHT_M_S = 299792458.0


def stage1_load_initial(patch_dir: Path | str, *, small_baseline: bool | None = None) -> Artefacts:
    """Load a prepared patch as StaMPS stage 1 does.

    Parameters
    ----------
    patch_dir
        Patch folder inside its dataset folder.
    small_baseline
        True for small baselines, False for a single master. None reads
        ``small_baseline_flag`` from ``parms.mat``.

    Returns
    -------
    The artefacts with the classes and shapes of matfiles.md, ready for
    `pystamps_shim.reference.outputs.write_artefacts`. Besides the patch's own files:
    ``../parms.mat`` holds the parameters stage 1 adds, and ``../small_baselines.list``
    (small baselines) the date pairs.

    Notes
    -----
    StaMPS compatibility: ``ps_load_initial_gamma`` and ``sb_load_initial_gamma``.
    For a single master ``la1.la`` holds the incidence angle under the look-angle name.
    Rows without a position leave, and in the single-master case rows with a NaN phase.
    A patch without candidates yields arrays of no rows, marked in ``no_ps_info.mat``.
    """
    patch = Path(patch_dir)
    root = patch.parent
    if small_baseline is None:
        from pystamps_shim.reference.parameters import is_small_baseline  # noqa: PLC0415 - needs MAT

        small_baseline = is_small_baseline(root)
    stack = read_stack(root, small_baseline=small_baseline)
    candidates = read_candidates(patch)
    phase = read_phase(patch, len(candidates.ij), stack)
    if small_baseline:
        return _small_baseline(stack, root, candidates, phase)
    return _single_master(stack, root, candidates, phase)


def _single_master(
    stack: Stack, root: Path, candidates: Candidates, phase: NDArray[np.complex64]
) -> Artefacts:
    days, position = single_master_days(stack)
    range_m = slant_range_m(stack, candidates.ij[:, 2])
    look, incidence = viewing_angles_rad(stack, range_m)
    baselines = perpendicular_baselines_m(stack, root, candidates.ij[:, 1], look)
    baselines = baselines.astype(np.float32)
    phase = np.insert(phase, position, np.complex64(1), axis=1)
    origin, xy, order = _local_frame(stack, candidates)
    keep = order[_placed(candidates, order) & ~np.isnan(phase[order]).any(axis=1)]

    ps1 = _positions(candidates, xy, origin, keep)
    ps1 |= {
        "bperp": _column(np.insert(_running_means(baselines), position, np.float32(0))),
        "day": _column(np.array(days, dtype=np.float64)),
        "master_day": _scalar(stack.master_day),
        "master_ix": _scalar(position + 1),
        "n_ifg": _scalar(len(days)),
        "n_image": _scalar(len(days)),
        "sort_ix": _column(order.astype(np.float64) + 1),
        "mean_incidence": _scalar(_mean(incidence)),
        "mean_range": _scalar(stack.master_parameters.number("center_range_slc")),
    }
    return {
        "ps1.mat": ps1,
        "ph1.mat": {"ph": phase[keep]},
        "bp1.mat": {"bperp_mat": baselines[keep]},
        "la1.mat": {"la": _column(incidence[keep])},
        **_per_candidate(stack, candidates, keep),
    }


def _small_baseline(
    stack: Stack, root: Path, candidates: Candidates, phase: NDArray[np.complex64]
) -> Artefacts:
    pairs = np.array(stack.pairs, dtype=np.float64)
    days, day_index = np.unique(pairs, return_inverse=True)
    range_m = slant_range_m(stack, candidates.ij[:, 2])
    look, incidence = viewing_angles_rad(stack, range_m)
    baselines = perpendicular_baselines_m(stack, root, candidates.ij[:, 1], look)
    origin, xy, order = _local_frame(stack, candidates)
    keep = order[_placed(candidates, order)]

    ps1 = _positions(candidates, xy, origin, keep)
    ps1 |= {
        "bperp": _column(_running_means(baselines)),
        "day": _column(days),
        "ifgday": pairs,
        "ifgday_ix": day_index.reshape(pairs.shape).astype(np.float64) + 1,
        "master_day": _scalar(stack.master_day),
        "master_ix": _scalar(int((days < stack.master_day).sum()) + 1),
        "n_ifg": _scalar(len(pairs)),
        "n_image": _scalar(len(days)),
        "sort_ix": _column(order.astype(np.float64) + 1),
        "mean_incidence": _scalar(_mean(incidence)),
        "mean_range": _scalar(stack.master_parameters.number("center_range_slc")),
    }
    names = [(path[-22:-14], path[-13:-5]) for path in stack.interferogram_paths]
    return {
        "ps1.mat": ps1,
        "ph1.mat": {"ph": phase[keep]},
        "bp1.mat": {"bperp_mat": baselines[keep]},
        "la1.mat": {"la": _column(look[keep])},
        "../small_baselines.list": {"pairs": np.array(names, dtype=np.float64)},
        **_per_candidate(stack, candidates, keep),
    }


def _local_frame(
    stack: Stack, candidates: Candidates
) -> tuple[Doubles, NDArray[np.float32], NDArray[np.intp]]:
    """Return the origin (deg), local coordinates (m, raw order) and the sorted row order.

    The sort keys are the unrounded singles, y before x, NaN last (stage1.md B.9).
    """
    lonlat = candidates.lonlat_deg
    nothing = np.full((1, 2), np.nan)  # so that no candidate at all gives NaN
    bounds = np.concatenate([lonlat, nothing])
    origin = (np.fmax.reduce(bounds, axis=0) + np.fmin.reduce(bounds, axis=0)) / 2
    xy = geometry.local_km(lonlat, origin) * 1000
    heading = stack.master_parameters.number("heading:")
    xy = geometry.rotate_if_both_extents_shrink(xy, heading)
    single = xy.astype(np.float32)
    return origin, single, np.lexsort((single[:, 0], single[:, 1]))


def _placed(candidates: Candidates, order: NDArray[np.intp]) -> NDArray[np.bool_]:
    return np.asarray(~np.isnan(candidates.lonlat_deg[order]).any(axis=1))


def _positions(
    candidates: Candidates, xy: NDArray[np.float32], origin: Doubles, rows: NDArray[np.intp]
) -> dict[str, Array]:
    """Return the row-wise variables of ps1 that both branches share."""
    ids = np.arange(1, len(rows) + 1, dtype=np.float64)
    ij = candidates.ij[rows].copy()
    ij[:, 0] = ids
    rounded = geometry.round_to_millimetres(xy[rows])
    return {
        "ij": ij,
        "lonlat": candidates.lonlat_deg[rows],
        "xy": np.column_stack([ids.astype(np.float32), rounded]),
        "ll0": origin.reshape(1, 2),
        "n_ps": _scalar(len(rows)),
    }


def _per_candidate(stack: Stack, candidates: Candidates, rows: NDArray[np.intp]) -> Artefacts:
    """Return the files both branches write alike, in sorted order."""
    master = stack.master_parameters
    files: Artefacts = {
        "psver.mat": {"psver": _scalar(1)},
        "no_ps_info.mat": {"stamps_step_no_ps": _column(np.eye(5)[0] * (len(rows) == 0))},
        "../parms.mat": {
            "heading": _scalar(master.number("heading:")),
            "lambda": _scalar(_SPEED_OF_LIGHT_M_S / master.number("radar_frequency:")),
            "platform": np.array(master.strings("sensor:")[0]),
        },
    }
    if candidates.amplitude_dispersion is not None:
        files["da1.mat"] = {"D_A": candidates.amplitude_dispersion[rows]}
    if candidates.height_m is not None:
        files["hgt1.mat"] = {"hgt": candidates.height_m[rows]}
    return files


def _running_means(columns: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return column means from one running sum in the array's own precision.

    Octave adds single columns in single precision, row after row; numpy's pairwise sum
    differs by up to 3e-4 m for 3,000 rows.
    """
    kind = columns.dtype
    sums = [np.cumsum(np.append(kind.type(0), column), dtype=kind)[-1] for column in columns.T]
    return _quotient(np.array(sums, dtype=kind), len(columns))


def _mean(values: Doubles) -> float:
    # The exact sum: a running one depends on its order by 1e-13 for 250,000 rows.
    return float(_quotient(np.float64(math.fsum(values)), len(values)))


def _quotient(sums: NDArray[np.floating] | np.float64, count: int) -> NDArray[np.floating]:
    """Divide by a count; no rows give NaN."""
    with np.errstate(invalid="ignore"):
        return np.asarray(sums / sums.dtype.type(count))


def _scalar(value: float) -> Doubles:
    return np.array([[float(value)]])


def _column(values: NDArray[np.floating]) -> NDArray[np.floating]:
    return values.reshape(-1, 1)
