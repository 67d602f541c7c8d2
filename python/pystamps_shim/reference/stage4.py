"""Stage 4, weeding of the selected PS (stage4.md)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.kernels.chosen import stage4_edge_stats
from pystamps_shim.reference.inputs import Patch
from pystamps_shim.reference.neighbours import best_of_adjacent, best_of_coincident
from pystamps_shim.reference.promotion import Selected, promoted_files
from pystamps_shim.reference.stage1 import Array, Artefacts
from pystamps_shim.reference.triangulation import given_edges, triangulation_edges

Mask = NDArray[np.bool_]

#: Heights below this are water or missing.
_ZERO_ELEVATION_M = 1e-6


def stage4_weed_ps(patch_dir: Path | str, *, edges: Array | None = None) -> Artefacts:
    """Drop adjacent, coincident and noisy PS as StaMPS stage 4 does, and promote the others.

    Parameters
    ----------
    patch_dir
        Patch folder with the results of stages 1 to 3.
    edges
        [E, 2] pairs of rows, counted from 1 among the PS left after adjacency, elevation and
        coincidence. By default those of a Delaunay triangulation (`triangulation_edges`); the
        direction of an edge acts on the noise slightly (up to 1e-3 rad).

    Returns
    -------
    ``weed1.mat``, ``ps2.mat``, ``ph2.mat``, ``pm2.mat``, ``bp2.mat``, ``la2.mat`` … as far as
    there are first versions, ``psver.mat`` and ``no_ps_info.mat``, with the classes and shapes
    of matfiles.md.

    Raises
    ------
    PystampsError
        Inputs are missing or disagree, or there is no triangulation and no SciPy.

    Notes
    -----
    StaMPS compatibility: ``ps_weed``. Fewer than three PS, or PS on a line, are joined to a chain
    in the order of x, then y. A PS without edges keeps an infinite deviation and goes, and so do
    two alone, because a single edge has no variance to weight by. Results of stages 6 to 8 that
    the original deletes from the patch are left to the caller.
    """
    patch = Patch.open(Path(patch_dir), 1)
    selected = Selected.read(patch)
    kept = _kept_by_place(patch, selected)
    ps_std, ps_max, quiet = _noise(patch, selected, kept, edges)
    weeded = kept.copy()
    weeded[kept] = quiet
    column = (-1, 1)
    weed1 = {
        "ix_weed": weeded.reshape(column),
        "ix_weed2": quiet.reshape(column),
        "ps_std": ps_std.reshape(column),
        "ps_max": ps_max.reshape(column),
        "ifg_index": patch.used().astype(np.float64).reshape(1, -1) + 1,
    }
    return {
        "weed1.mat": weed1,
        **promoted_files(patch, selected, weeded),
        **patch.bookkeeping(4, empty=not weeded.any()),
    }


def _kept_by_place(patch: Patch, selected: Selected) -> Mask:
    """Return what is left after adjacency, elevation and coincidence, [n2] bool."""
    parameters = patch.parameters
    keep = np.ones(len(selected.rows), dtype=bool)
    if parameters.flag("weed_neighbours") and not patch.small_baseline:
        pixels = patch.variable("ij")[selected.rows, 1:3]
        keep &= best_of_adjacent(pixels, selected.coherence)
    height_m = patch.optional_rows("hgt", "hgt")
    if parameters.flag("weed_zero_elevation") and height_m is not None:
        keep &= ~(height_m.ravel()[selected.rows] < _ZERO_ELEVATION_M)
    positions = patch.variable("xy")[selected.rows[keep], 1:3]
    keep[keep] = best_of_coincident(positions, selected.coherence[keep])
    return keep


def _noise(
    patch: Patch, selected: Selected, kept: Mask, edges: Array | None
) -> tuple[Array, Array, Mask]:
    """Return deviation and maximum of each PS, and which are quiet; zeros if not asked for."""
    parameters = patch.parameters
    largest_std = parameters.number("weed_standard_dev")
    largest_max = parameters.number("weed_max_noise")
    count = int(kept.sum())
    if (largest_std >= np.pi and largest_max >= np.pi) or count == 0:
        return np.zeros(count), np.zeros(count), np.ones(count, dtype=bool)
    xy_m = patch.variable("xy")[selected.rows[kept], 1:3]
    pairs = triangulation_edges(xy_m) if edges is None else given_edges(edges, count)
    used = patch.used()
    bperp_m = patch.variable("bperp").ravel()
    ps_std, ps_max = stage4_edge_stats(
        _corrected_phase(patch, selected, kept)[:, used],
        pairs[:, 0],
        pairs[:, 1],
        bperp_m[used],
        used if patch.small_baseline else patch.variable("day").ravel()[used],
        parameters.number("weed_time_win"),
        "small_baselines" if patch.small_baseline else "single_master",
    )
    return ps_std, ps_max, (ps_std < largest_std) & (ps_max < largest_max)


def _corrected_phase(patch: Patch, selected: Selected, kept: Mask) -> NDArray[np.complex64]:
    """Take the DEM error at the mean baselines out of the phase; unit modulus, NaN for zero.

    The master's column gets the offset C, the phase of the master itself.
    """
    phase = patch.phase()[selected.rows[kept]]
    bperp_m = patch.variable("bperp").ravel()
    slope = selected.slope_rad_per_m[kept].astype(bperp_m.dtype)
    turned = phase * np.exp(-1j * np.outer(slope, bperp_m)).astype(np.complex64)
    with np.errstate(invalid="ignore"):
        turned /= np.abs(turned)
    if not patch.small_baseline:
        turned[:, patch.master] = np.exp(1j * selected.offset_rad[kept])
    return turned
