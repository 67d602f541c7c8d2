"""Stage 5, phase correction of a patch and merge of the patches (stage5.md)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.reference.inputs import Patch, read_variable
from pystamps_shim.reference.merge import Collection, PatchSet, has_ps, patch_folders
from pystamps_shim.reference.promotion import OPTIONAL_COLUMNS, Selected, promoted_files
from pystamps_shim.reference.resampling import resampled
from pystamps_shim.reference.stage1 import Array, Artefacts

#: Coherence of 1000 random phases of 10 degrees, as MATLAB's ``randn('state', 1001)`` draws them.
MAX_COHERENCE = 0.98572313155656

_REQUIRED = ("ps", "ph", "pm", "bp")


def stage5_correct_and_promote(patch_dir: Path | str) -> Artefacts:
    """Take DEM error and master phase out of the phase of a patch, as StaMPS stage 5 does.

    Parameters
    ----------
    patch_dir
        Patch folder with the results of stages 1 to 4.

    Returns
    -------
    ``rc2.mat`` and ``no_ps_info.mat``; besides, those of ``ps2 ph2 pm2 bp2 la2 inc2 hgt2`` that
    another program's stage 4 has not written, and then ``psver.mat``.

    Raises
    ------
    PystampsError
        Inputs are missing or disagree.

    Notes
    -----
    StaMPS compatibility: ``ps_correct_phase``. Unlike stage 4 it uses each PS's own baselines.
    The master's column becomes exp(-jC). Amplitudes stay. With small baselines the offset C stays
    too.
    """
    folder = Path(patch_dir)
    promoted = _missing_files(folder)
    patch = Patch.open(folder, 2, promoted)
    turned = _model_phasors(patch)
    rc2 = {"ph_rc": patch.phase() * turned}
    if not patch.small_baseline:
        phase = patch.rows("pm", "ph_patch", patch.columns, 4).astype(np.complex64)
        rc2["ph_reref"] = patch.with_master(phase, 1)
    empty = patch.n_ps == 0
    return {"rc2.mat": rc2, **promoted, **patch.bookkeeping(5, empty=empty)}


def stage5_merge_and_ifgstd(
    dataset_dir: Path | str, *, max_coherence: float = MAX_COHERENCE
) -> Artefacts:
    """Merge the patches and estimate the noise of the interferograms, as StaMPS stage 5 does.

    Parameters
    ----------
    dataset_dir
        Dataset folder whose patches have the results of stage 5.
    max_coherence
        Coherence that no PS is trusted to exceed; only for ``merge_resample_size`` above 0.

    Returns
    -------
    Files of the dataset folder: ``ps2 ph2 rc2 pm2 bp2 la2 inc2 hgt2 psver ifgstd2``, and without
    resampling ``phuw2``, with the classes and shapes of matfiles.md.

    Raises
    ------
    PystampsError
        Files are missing or disagree, no patch has PS, or a patch holds results of later stages,
        which the original would merge as well.

    Notes
    -----
    StaMPS compatibility: ``ps_merge_patches`` and ``ps_calc_ifg_std``. Patches without PS are
    left out, also for what is taken from the last patch. ``phuw2`` holds zeros and does not mean
    that stage 6 has run. ``mean_amp.flt`` and ``amp_mean.mat`` of the dataset folder, which the
    original deletes, are left to the caller.
    """
    dataset = Path(dataset_dir)
    folders = [folder for folder in patch_folders(dataset) if has_ps(folder)]
    collection = Collection([], {}, set(), 0)
    last = None
    for folder in folders:
        patch_set = PatchSet.read(folder)
        last = _checked_against(last, patch_set.patch)
        _collect(collection, patch_set, max_coherence)
    if last is None or collection.count == 0:
        cause = f"{dataset}: no patch has PS left to merge"
        raise PystampsError(cause, "select more PS: raise density_rand or weed_standard_dev")
    heading = last.parameters.numbers("heading")
    merged = collection.merged(last, float(heading[0]) if heading.size else 0.0)
    if last.parameters.number("merge_resample_size") == 0:
        shape = (len(merged["ps2.mat"]["ij"]), last.n_ifg)
        merged["phuw2.mat"] = {"ph_uw": np.zeros(shape, dtype=np.float32)}
    noise = interferogram_noise_deg(Patch.open(dataset, 2, merged))
    return {**merged, "ifgstd2.mat": {"ifg_std": noise}}


def interferogram_noise_deg(patch: Patch) -> Array:
    """Return the root mean square of the residual phase of each interferogram.

    Parameters
    ----------
    patch
        PS of a patch or of the merged dataset.

    Returns
    -------
    [Mi, 1] float32, degrees; for the master the root mean square of C.

    Notes
    -----
    StaMPS compatibility: ``ps_calc_ifg_std``. Fewer than three PS are counted as three. With
    small baselines the residual contains C.
    """
    phase = patch.rows("pm", "ph_patch", patch.columns, 4)
    expected = patch.with_master(phase, 1).conj() * _model_phasors(patch)
    residual = np.angle(patch.rows("ph", "ph", patch.n_ifg, 4) * expected)
    squares = (residual.astype(np.float64) ** 2).sum(axis=0)
    noise_rad = np.sqrt(squares / max(patch.n_ps, 3))
    return np.asarray(noise_rad * 180 / np.pi, dtype=np.float32).reshape(-1, 1)


def _model_phasors(patch: Patch) -> NDArray[np.complex64]:
    """Return exp(-j(K B + C)), without C for small baselines, in single precision."""
    slope = patch.rows("pm", "K_ps", 1, 4).astype(np.float32)
    bperp_m = patch.with_master(patch.baselines_m(), 0)
    turn = (slope * bperp_m).astype(np.float32)
    if not patch.small_baseline:
        turn += patch.rows("pm", "C_ps", 1, 4).astype(np.float32)
    return np.asarray(np.exp(-1j * turn), dtype=np.complex64)


def _missing_files(folder: Path) -> Artefacts:
    """Return the files of version 2 that the folder lacks, made from what stage 4 decided."""
    pairs = [(f"{file}1.mat", f"{file}2.mat") for file in OPTIONAL_COLUMNS]
    missing = {f"{file}2.mat" for file in _REQUIRED if not (folder / f"{file}2.mat").exists()}
    missing |= {
        new for old, new in pairs if (folder / old).exists() and not (folder / new).exists()
    }
    if not missing:
        return {}
    weeded = read_variable(folder / "weed1.mat", "ix_weed", 4).ravel().astype(bool)
    patch = Patch.open(folder, 1)
    selected = Selected.read(patch)
    patch.check(folder / "weed1.mat", "ix_weed", weeded, (len(selected.rows),), 4)
    files = promoted_files(patch, selected, weeded)
    return {name: files[name] for name in files if name in missing | {"psver.mat"}}


def _checked_against(last: Patch | None, patch: Patch) -> Patch:
    """Refuse patches of different stacks."""
    if last is not None and patch.n_ifg != last.n_ifg:
        cause = (
            f"{patch.path('ps')}: n_ifg is {patch.n_ifg}, expected {last.n_ifg} as in "
            f"{last.path('ps')}"
        )
        raise PystampsError(cause, "run stages 1 to 5 on all patches of one stack")
    return patch


def _collect(collection: Collection, patch_set: PatchSet, max_coherence: float) -> None:
    parameters = patch_set.patch.parameters
    size_m = parameters.number("merge_resample_size")
    if size_m == 0:
        collection.add_patch(patch_set)
        return
    min_weight = 1 / parameters.number("merge_standard_dev") ** 2
    cells = resampled(patch_set, size_m, min_weight, max_coherence)
    if cells is not None:
        collection.add(cells)
