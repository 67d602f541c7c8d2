"""What the patches know of their candidates: coherence, amplitude dispersion, thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.products.measurements import Doubles
from pystamps_shim.reference.inputs import read_variable

#: Bins of coherence, as stages 2 and 3 have them.
BINS = 100

# Below this bin candidates are taken for random phase (stage2.md 6, stage3.md 4).
_LOW_BINS, _LOW_BINS_OF_PAIRS = 31, 15
_CONTROL_FILES = ("selpsc.in", "selsbc.in")


@dataclass(frozen=True)
class LeftOut:
    """How many patches are shown, and how many of them are not in a part of a figure.

    Attributes
    ----------
    patches
        Patches whose candidates are shown.
    without_candidates
        Patches that are listed and have none: empty ones, and those whose turn is still to come.
    without_selection
        Of those shown, the patches that stage 3 has not selected in.
    without_random
        Of those shown, the patches whose random phase cannot be scaled.
    """

    patches: int
    without_candidates: int
    without_selection: int
    without_random: int = 0


@dataclass(frozen=True)
class CoherenceCounts:
    """Candidates by coherence, of all patches together.

    Attributes
    ----------
    candidates
        Candidates in each bin after stage 2, [BINS]; those without coherence are left out.
    random
        What phases at random would make of the same, [BINS]: `None` where none can be scaled.
    selected
        Candidates that stage 3 keeps by the coherence it estimates anew, [BINS]; None before it.
    thresholds
        Least and greatest threshold of stage 3; None before it.
    low
        Coherence below which all candidates are taken for random.
    left_out
        Number of patches, and of those that are left out.
    """

    candidates: Doubles
    random: Doubles | None
    selected: Doubles | None
    thresholds: tuple[float, float] | None
    low: float
    left_out: LeftOut


def coherence_counts(dataset: Path, *, small_baseline: bool) -> CoherenceCounts:
    """Count the candidates of a dataset.

    Raises
    ------
    PystampsError
        No patch has a coherence: stage 2 has to run.
    """
    low = _LOW_BINS_OF_PAIRS if small_baseline else _LOW_BINS
    listed = patch_folders(dataset)
    folders = _those_with("pm1.mat", "coh_ps", 2, listed)
    patches = [_of_patch(folder, low) for folder in folders]
    scaled = [patch.random for patch in patches if patch.random is not None]
    selected = [patch.selected for patch in patches if patch.selected is not None]
    thresholds = [limit for patch in patches for limit in patch.thresholds]
    return CoherenceCounts(
        candidates=np.sum([patch.candidates for patch in patches], axis=0),
        random=np.sum(scaled, axis=0) if scaled else None,
        selected=np.sum(selected, axis=0) if selected else None,
        thresholds=(min(thresholds), max(thresholds)) if thresholds else None,
        low=low / BINS,
        left_out=LeftOut(
            patches=len(folders),
            without_candidates=len(listed) - len(folders),
            without_selection=len(folders) - len(selected),
            without_random=len(folders) - len(scaled),
        ),
    )


@dataclass(frozen=True)
class _PatchCounts:
    """The candidates of one patch, [BINS] each; None and nothing for what it does not have."""

    candidates: Doubles
    random: Doubles | None
    selected: Doubles | None
    thresholds: tuple[float, ...]


def _of_patch(folder: Path, low: int) -> _PatchCounts:
    path, chosen = folder / "pm1.mat", folder / "select1.mat"
    counts, simulated = binned(_column(path, "coh_ps", 2)), _column(path, "Nr", 2)
    scale = counts[:low].sum() / simulated[:low].sum() if simulated[:low].sum() > 0 else 0.0
    random = simulated * scale if scale > 0 and np.isfinite(simulated).all() else None
    if not chosen.is_file():
        return _PatchCounts(counts, random, None, ())
    keep = _column(chosen, "keep_ix", 3) != 0
    limits = _column(chosen, "coh_thresh", 3)
    return _PatchCounts(
        candidates=counts,
        random=random,
        selected=binned(_column(chosen, "coh_ps2", 3)[keep]),
        thresholds=(float(limits.min()), float(limits.max())) if limits.size else (),
    )


def _those_with(file: str, name: str, stage: int, folders: list[Path]) -> list[Path]:
    """Return the patches that have a file; an empty patch has none, and is left out of a dataset.

    Raises
    ------
    PystampsError
        None of them has it.
    """
    found = [folder for folder in folders if (folder / file).is_file()]
    if not found:
        _column(folders[0] / file, name, stage)
    return found


@dataclass(frozen=True)
class Dispersions:
    """Amplitude dispersions of all patches together.

    Attributes
    ----------
    candidates
        Of the candidates, [N].
    selected
        Of those that stage 3 keeps, [n]; None before it.
    threshold
        Below which the preparation took a pixel for a candidate; None where it is not known.
    source
        Name of the file that tells the threshold.
    left_out
        Number of patches, and of those that are left out.
    """

    candidates: Doubles
    selected: Doubles | None
    threshold: float | None
    source: str
    left_out: LeftOut


def dispersions(dataset: Path) -> Dispersions:
    """Read the amplitude dispersions of a dataset.

    Raises
    ------
    PystampsError
        No patch has any: stage 1 has to run.
    """
    of_candidates: list[Doubles] = []
    of_selected: list[Doubles] = []
    listed = patch_folders(dataset)
    folders = _those_with("da1.mat", "D_A", 1, listed)
    for folder in folders:
        values = _column(folder / "da1.mat", "D_A", 1)
        of_candidates.append(values)
        chosen = folder / "select1.mat"
        if chosen.is_file():
            rows = _column(chosen, "ix", 3).astype(np.intp) - 1
            keep = _column(chosen, "keep_ix", 3) != 0
            if rows.size and rows.max() >= values.size:
                cause = f"{chosen}: ix counts to {rows.max() + 1}, D_A has {values.size} values"
                raise PystampsError(cause, f"run stages 1 to 3 on {folder} again")
            of_selected.append(values[rows[keep]])
    threshold, source = _preparation_threshold(dataset)
    return Dispersions(
        candidates=np.concatenate(of_candidates),
        selected=np.concatenate(of_selected) if of_selected else None,
        threshold=threshold,
        source=source,
        left_out=LeftOut(
            patches=len(folders),
            without_candidates=len(listed) - len(folders),
            without_selection=len(folders) - len(of_selected),
        ),
    )


def patch_folders(dataset: Path) -> list[Path]:
    """Return the patches of a dataset, as ``patch.list`` names them.

    Raises
    ------
    PystampsError
        There is none.
    """
    listed = dataset / "patch.list"
    if listed.is_file():
        names = listed.read_text(encoding="utf-8").split()
        folders = [dataset / name for name in names]
    else:
        folders = sorted(path for path in dataset.glob("PATCH_*") if path.is_dir())
    if not folders:
        cause = f"{dataset}: has no patches, and candidates are known in patches only"
        raise PystampsError(cause, "draw it where the stages 1 to 3 ran")
    return folders


def binned(coherence: Doubles) -> Doubles:
    """Return how many values are in each hundredth, [BINS]; zero and NaN are in none.

    Notes
    -----
    StaMPS compatibility: ``hist`` with centres 0.005 to 0.995; a value on an edge belongs below.
    """
    known = coherence[np.isfinite(coherence) & (coherence != 0)]
    place = np.clip(np.ceil(known * BINS - 1e-9), 1, BINS).astype(np.intp) - 1
    return np.bincount(place, minlength=BINS).astype(np.float64)


def _preparation_threshold(dataset: Path) -> tuple[float | None, str]:
    for name in _CONTROL_FILES:
        path = dataset / name
        if path.is_file():
            words = path.read_text(encoding="utf-8", errors="replace").split()
            try:
                return float(words[0]), name
            except (IndexError, ValueError) as error:
                cause = f"{path}: does not begin with the amplitude dispersion"
                raise PystampsError(cause, "run the preparation again") from error
    return None, ""


def _column(path: Path, name: str, stage: int) -> NDArray[np.float64]:
    return np.asarray(read_variable(path, name, stage), dtype=np.float64).ravel()
