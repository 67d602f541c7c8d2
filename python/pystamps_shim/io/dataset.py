"""A dataset on disk: its patches, and the files that tell how far a stage is (orchestration.md)."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pystamps_shim.errors import wrong_usage

Scope = Literal["patch", "merged"]

PATCH_LIST = "patch.list"
#: Our own folder in every scope; original StaMPS never looks at it.
CONTROL_FOLDER = ".pystamps"
#: Target of the merged stages: the dataset's own folder.
MERGED = "."

_PROMOTED = ("ps2.mat", "ph2.mat", "pm2.mat", "bp2.mat", "hgt2.mat", "la2.mat", "psver.mat")
_UNWRAPPED = ("uw_phaseuw.mat", "uw_grid.mat", "uw_interp.mat", "uw_space_time.mat")
#: Marker first, then the rest of what a finished stage has left.
_BUNDLES: dict[tuple[int, Scope], tuple[str, ...]] = {
    (1, "patch"): (
        "ps1.mat", "ph1.mat", "bp1.mat", "da1.mat", "hgt1.mat", "la1.mat", "psver.mat",
    ),
    (2, "patch"): ("pm1.mat",),
    (3, "patch"): ("select1.mat",),
    (4, "patch"): ("weed1.mat", *_PROMOTED),
    (5, "patch"): ("rc2.mat", *_PROMOTED),
    (5, "merged"): ("ifgstd2.mat", *_PROMOTED, "rc2.mat"),
    (6, "merged"): ("phuw2.mat", *_UNWRAPPED),
    (7, "merged"): ("scla2.mat", "scla_smooth2.mat"),
    (8, "merged"): ("mean_v.mat", "scn2.mat", "uw_space_time.mat"),
}  # fmt: skip
_SMALL_BASELINE_BUNDLES: dict[tuple[int, Scope], tuple[str, ...]] = {
    (6, "merged"): ("phuw_sb2.mat", "phuw2.mat", "phuw_sb_res2.mat", *_UNWRAPPED),
    (7, "merged"): ("scla2.mat", "scla_sb2.mat", "scla_smooth_sb2.mat"),
}


@dataclass(frozen=True)
class Dataset:
    """A processing folder.

    Attributes
    ----------
    root
        The folder, absolute.
    patches
        Names of its patches in processing order; empty where only merged results are left.
    """

    root: Path
    patches: tuple[str, ...]

    def folder(self, target: str) -> Path:
        """Return the folder of a patch, or of the merged project (``.``)."""
        return self.root if target == MERGED else self.root / target


def target_name(target: str) -> str:
    """Return what a patch, or the merged project (``.``), is called where people read it."""
    return "merged" if target == MERGED else target


def expected_stage_artifact(
    stage_id: int, scope: Scope, *, small_baselines: bool = False
) -> str | None:
    """Return the file that tells that a stage is done, None if the scope has no such stage."""
    bundle = expected_stage_bundle(stage_id, scope, small_baselines=small_baselines)
    return bundle[0] if bundle else None


def expected_stage_bundle(
    stage_id: int, scope: Scope, *, small_baselines: bool = False
) -> tuple[str, ...]:
    """Return the files that a finished stage has left, marker first; none for no such stage.

    Files that only some datasets have (``inc1.mat``, ``da2.mat``) are left out.
    """
    key = (stage_id, scope)
    special = _SMALL_BASELINE_BUNDLES.get(key) if small_baselines else None
    return special or _BUNDLES.get(key, ())


def discover_dataset(root: Path | str) -> Dataset:
    """Find the patches of a dataset.

    ``patch.list`` is used where it is, in its order; without it ``PATCH_*`` sorted by number.

    Raises
    ------
    PystampsError
        The folder is not there or no dataset; an entry of ``patch.list`` leads out of it, is not
        there or is repeated.
    """
    folder = Path(root)
    if not folder.is_dir():
        cause = f"{folder}: no such folder"
        raise wrong_usage(cause, "correct --dataset")
    folder = folder.resolve()
    if (folder / "patch_noover.in").is_file() and not (folder / PATCH_LIST).exists():
        cause = f"{folder} is a patch, not a dataset"
        raise wrong_usage(cause, f"name the folder that holds it: --dataset {folder.parent}")
    listed = folder / PATCH_LIST
    merged = all((folder / name).is_file() for name in ("ps2.mat", "ifgstd2.mat"))
    if listed.is_file():
        patches = _listed_patches(listed, may_be_away=merged)
    else:
        patches = _numbered_patches(folder)
    if not patches and not merged:
        found = f"{PATCH_LIST} lists no patch" if listed.is_file() else f"it has no {PATCH_LIST}"
        cause = (
            f"{folder} is not a dataset: {found}, no PATCH_1, PATCH_2, … and no merged results "
            "(ps2.mat, ifgstd2.mat)"
        )
        remedy = "prepare one: add --export DIR, or name the folder that holds parms.mat"
        raise wrong_usage(cause, remedy)
    _refuse_same(folder, patches)
    return Dataset(folder, tuple(patches))


def _refuse_same(root: Path, patches: list[str]) -> None:
    """Raise if two patches are the same folder."""
    real = {name: (root / name).resolve() for name in patches}
    for name, other in itertools.combinations(patches, 2):
        if real[name] == real[other]:
            cause = f"{root}: {name} and {other} are the same folder"
            raise wrong_usage(cause, f"remove {other}, which is a link")


def _listed_patches(path: Path, *, may_be_away: bool) -> list[str]:
    """Return the patches of a list; none if they have been put away after their merge."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        cause = f"{path}: cannot be read ({error})"
        raise wrong_usage(cause, "one patch folder a line") from error
    names: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        name = line.strip()
        if not name or name.startswith("#"):
            continue
        where = f"{path}, line {number}: '{name}'"
        folder = path.parent / name
        if name in (".", "..") or "/" in name or "\\" in name:
            cause = f"{where} is no folder name"
            raise wrong_usage(cause, "write names such as PATCH_1, one a line")
        if name in names:
            cause = f"{where} stands there twice"
            raise wrong_usage(cause, "remove one of the lines")
        if not folder.is_dir() and may_be_away:
            return []
        if not folder.is_dir():
            cause = f"{where}: no such folder"
            raise wrong_usage(cause, "remove the line, or bring the folder back")
        if not _lies_in(folder, path.parent):
            cause = f"{where} leads out of the dataset"
            raise wrong_usage(cause, "copy the patch in, or remove the line")
        names.append(name)
    return names


def _lies_in(patch: Path, root: Path) -> bool:
    """Tell whether a patch lies inside the dataset, links followed."""
    real = patch.resolve()
    return real != root and real.is_relative_to(root)


def _numbered_patches(folder: Path) -> list[str]:
    found = [
        (int(match[1]), path.name)
        for path in folder.glob("PATCH_*")
        if (match := re.fullmatch(r"PATCH_(\d+)", path.name)) and path.is_dir()
    ]
    escaping = [name for _, name in found if not _lies_in(folder / name, folder)]
    if escaping:
        cause = f"{folder / escaping[0]} leads out of the dataset"
        raise wrong_usage(cause, "copy the patch in, or remove the link")
    return [name for _, name in sorted(found)]
