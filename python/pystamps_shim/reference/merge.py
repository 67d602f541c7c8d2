"""The PS of all patches as one set (stage5.md B)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.reference import geometry
from pystamps_shim.reference.inputs import Patch, read_variable
from pystamps_shim.reference.neighbours import best_of_coincident
from pystamps_shim.reference.promotion import OPTIONAL_COLUMNS
from pystamps_shim.reference.stage1 import Array, Artefacts

Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]

#: Results of later stages that the original merges too when they were made patch by patch.
_LATER_RESULTS = ("phuw2.mat", "scla2.mat", "scla_sb2.mat", "scn2.mat")
#: The array that holds each merged variable: its file, and its name there.
_FILES = {
    "ph": ("ph2.mat", "ph"),
    "ph_rc": ("rc2.mat", "ph_rc"),
    "ph_reref": ("rc2.mat", "ph_reref"),
    "ph_patch": ("pm2.mat", "ph_patch"),
    "ph_res": ("pm2.mat", "ph_res"),
    "K_ps": ("pm2.mat", "K_ps"),
    "C_ps": ("pm2.mat", "C_ps"),
    "coh_ps": ("pm2.mat", "coh_ps"),
    "bperp_mat": ("bp2.mat", "bperp_mat"),
    "la": ("la2.mat", "la"),
    "inc": ("inc2.mat", "inc"),
    "hgt": ("hgt2.mat", "hgt"),
}


@dataclass(frozen=True)
class PatchSet:
    """The PS of one patch.

    Attributes
    ----------
    patch
        Positions and parameters.
    owned
        [n] bool: inside the patch's own area, without the overlaps.
    arrays
        Every array of the PS by StaMPS's variable name; all have n rows.
    """

    patch: Patch
    owned: Mask
    arrays: dict[str, Array]

    @classmethod
    def read(cls, folder: Path) -> PatchSet:
        """Read the results of stages 4 and 5 of one patch.

        Raises
        ------
        PystampsError
            Files are missing or disagree, or hold results of stages 6 to 8.
        """
        for name in _LATER_RESULTS:
            if (folder / name).exists():
                cause = f"{folder / name}: results of stages 6 to 8 of a patch are not merged"
                raise PystampsError(cause, "remove it; these stages run on the merged dataset")
        patch = Patch.open(folder, 2)
        whole, part = patch.n_ifg, patch.columns
        arrays = {
            "ij": patch.variable("ij")[:, 1:3],
            "lonlat": patch.variable("lonlat"),
            "ph": patch.phase(),
            "ph_rc": patch.rows("rc", "ph_rc", whole, 5),
            "bperp_mat": patch.baselines_m(),
        }
        for name in ("ph_patch", "ph_res"):
            arrays[name] = patch.rows("pm", name, part, 4)
        for name in ("K_ps", "C_ps", "coh_ps"):
            arrays[name] = patch.rows("pm", name, 1, 4)
        if not patch.small_baseline:
            arrays["ph_reref"] = patch.rows("rc", "ph_reref", whole, 5)
        for file, name in OPTIONAL_COLUMNS.items():
            values = patch.optional_rows(file, name)
            if values is not None:
                arrays[name] = values
        return cls(patch, _inside(folder, arrays["ij"]), arrays)

    def taken(self, rows: Array) -> dict[str, Array]:
        """Return some rows of every array."""
        return {name: values[rows] for name, values in self.arrays.items()}


@dataclass
class Collection:
    """What has been taken from the patches so far, in the order of the patches.

    Attributes
    ----------
    parts
        Arrays of every patch that contributed.
    present
        Row of every pixel (azimuth line, range sample), its first one.
    removed
        Rows that a later patch owns.
    count
        Rows so far, removed ones included.
    """

    parts: list[dict[str, Array]]
    present: dict[tuple[int, int], int]
    removed: set[int]
    count: int

    def add(self, arrays: dict[str, Array]) -> None:
        """Append rows."""
        for line, sample in arrays["ij"].tolist():
            self.present.setdefault((int(line), int(sample)), self.count)
            self.count += 1
        self.parts.append(arrays)

    def add_patch(self, patch_set: PatchSet) -> None:
        """Take what a patch owns, and what no patch before has.

        Overlapping patches may have selected the same pixel. Who owns it wins; what nobody owns
        stays with the first.
        """
        pixels = [(int(line), int(sample)) for line, sample in patch_set.arrays["ij"].tolist()]
        new = np.array([pixel not in self.present for pixel in pixels], dtype=bool)
        for row in np.flatnonzero(patch_set.owned & ~new):
            self.removed.add(self.present[pixels[row]])
        self.add(patch_set.taken(patch_set.owned | new))

    def merged(self, last: Patch, heading_deg: float) -> Artefacts:
        """Return the merged files, PS sorted by place.

        StaMPS compatibility: what describes the whole dataset (baselines, local origin, mean
        angles) is that of the last patch. An array that some patch lacks becomes empty. Corrected
        phase gets unit modulus.
        """
        arrays = {name: self._joined(name) for name in ("ij", "lonlat", *_FILES)}
        rows, xy = _order(self._kept(arrays), arrays["lonlat"], heading_deg)
        whole = {name: values[rows] if values.size else values for name, values in arrays.items()}
        whole["ph_rc"] = _unit_modulus(whole["ph_rc"])
        files: Artefacts = {}
        for name, (file, variable) in _FILES.items():
            files.setdefault(file, {})[variable] = whole[name]
        ids = np.arange(1, len(rows) + 1, dtype=np.float64)
        merged = {
            "n_ps": np.array([[float(len(rows))]]),
            "ij": np.column_stack([ids, whole["ij"]]),
            "xy": np.column_stack([ids.astype(np.float32), xy]),
            "lonlat": whole["lonlat"],
        }
        return {"ps2.mat": {**last.ps, **merged}, **files, "psver.mat": {"psver": _two()}}

    def _kept(self, arrays: dict[str, Array]) -> Rows:
        """Return the rows left after ownership and equal geographic positions."""
        keep = np.ones(self.count, dtype=bool)
        keep[sorted(self.removed)] = False
        coherence = arrays["coh_ps"].ravel()[keep]
        keep[keep] = best_of_coincident(arrays["lonlat"][keep], coherence)
        return np.flatnonzero(keep)

    def _joined(self, name: str) -> Array:
        if all(name in part for part in self.parts):
            return np.concatenate([part[name] for part in self.parts])
        return np.empty((0, 0))


def patch_folders(dataset: Path) -> list[Path]:
    """Return the patches of ``patch.list``, or else all folders named like patches.

    Raises
    ------
    PystampsError
        A listed folder does not exist or lies outside the dataset, or there are no patches.
    """
    listing = dataset / "patch.list"
    if listing.exists():
        names = [line.strip() for line in listing.read_text(encoding="utf-8").splitlines()]
    else:
        names = sorted(path.name for path in dataset.glob("PATCH_*"))
    folders = [dataset / name for name in names if name]
    if not folders:
        cause = f"{dataset}: no patches"
        raise PystampsError(cause, "run the preparation")
    for folder in folders:
        if folder.parent != dataset or not folder.is_dir():
            cause = f"{listing}: '{folder.name}' is no patch folder of this dataset"
            raise PystampsError(cause, "correct patch.list")
    return folders


def has_ps(folder: Path) -> bool:
    """Tell whether a patch has PS left, by ``no_ps_info.mat`` and by its rows."""
    flags = folder / "no_ps_info.mat"
    if flags.exists() and read_variable(flags, "stamps_step_no_ps", 1).any():
        return False
    return int(read_variable(folder / "ps2.mat", "n_ps", 4).item()) > 0


def _inside(folder: Path, ij: Array) -> Mask:
    """Tell which pixels lie in the window of ``patch_noover.in``, whose bounds count from 1."""
    path = folder / "patch_noover.in"
    remedy = "run the preparation again"
    try:
        bounds = [float(word) for word in path.read_text(encoding="ascii").split()]
    except (OSError, ValueError) as error:
        cause = f"{path}: cannot be read as numbers ({error})"
        raise PystampsError(cause, remedy) from error
    if len(bounds) != 4:
        cause = f"{path}: {len(bounds)} numbers, expected 4"
        raise PystampsError(cause, remedy)
    first_sample, last_sample, first_line, last_line = (bound - 1 for bound in bounds)
    line, sample = ij.T
    across = (sample >= first_sample) & (sample <= last_sample)
    return np.asarray(across & (line >= first_line) & (line <= last_line))


def _order(rows: Rows, lonlat_deg: Array, heading_deg: float) -> tuple[Rows, NDArray[np.float32]]:
    """Return the rows sorted by y, then x, and their local coordinates, m."""
    places = np.asarray(lonlat_deg[rows], dtype=np.float64)
    origin = (places.max(axis=0) + places.min(axis=0)) / 2
    xy = geometry.local_km(places, origin) * 1000
    single = geometry.rotate_if_both_extents_shrink(xy, heading_deg).astype(np.float32)
    order = np.lexsort((single[:, 0], single[:, 1]))
    return rows[order], geometry.round_to_millimetres(single[order])


def _unit_modulus(phasors: Array) -> Array:
    modulus = np.abs(phasors)
    return np.asarray(phasors / np.where(modulus == 0, modulus.dtype.type(1), modulus))


def _two() -> Array:
    return np.array([[2.0]])
