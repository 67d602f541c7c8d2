"""Put a product in its place all at once: written beside it, then moved there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pystamps_shim.errors import PystampsError, wrong_usage
from pystamps_shim.io.dataset import expected_stage_bundle
from pystamps_shim.products.scratch import scratch_folder

#: In a folder that is a product; only such a folder may be replaced.
FOLDER_MARK = "pystamps-product.json"


@contextmanager
def published(out: Path, *, force: bool, is_folder: bool = False) -> Iterator[Path]:
    """Yield a path to write; what lies there and beside it in the end moves to `out`'s folder.

    Parameters
    ----------
    out
        Where the product is to be.
    force
        Replace an earlier one.
    is_folder
        Whether the product is a folder, to which a mark is to be written (`FOLDER_MARK`).

    Raises
    ------
    PystampsError
        `out` exists and may not be replaced, or the disk does not take it. Nothing half-written
        is left, and what was there before stays.
    """
    refuse_existing(out, force=force, is_folder=is_folder)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(out.parent) as staging:
            yield staging / out.name
            _flush(staging)
            # The product itself last: whoever sees it finds what belongs to it.
            for path in sorted(staging.iterdir(), key=lambda path: path.name == out.name):
                _replace(path, out.parent / path.name)
    except OSError as error:
        cause = f"{out}: cannot be written ({error.strerror or error})"
        raise PystampsError(cause, "check the rights and the room on the disk") from error


def refuse_existing(out: Path, *, force: bool, is_folder: bool) -> None:
    """Raise unless `out` is new, or a product that `force` allows to replace."""
    names = {name for stage in range(1, 9) for name in _merged_names(stage)}
    if out.name in names or out.name == "parms.mat":
        cause = f"{out}: this is the name of a file of StaMPS"
        raise wrong_usage(cause, "choose another --out")
    if not (out.exists() or out.is_symlink()):
        return
    if is_folder != out.is_dir():
        cause = f"{out} is a {'file' if is_folder else 'folder'}"
        raise wrong_usage(cause, "choose another --out")
    if is_folder and not (out / FOLDER_MARK).is_file():
        cause = f"{out} is a folder that pystamps has not made"
        raise wrong_usage(cause, "choose another --out")
    if not force:
        cause = f"{out} exists"
        raise wrong_usage(cause, "choose another --out, or replace it: --force")


def _merged_names(stage: int) -> tuple[str, ...]:
    single = expected_stage_bundle(stage, "merged")
    return single + expected_stage_bundle(stage, "merged", small_baselines=True)


def _flush(staging: Path) -> None:
    """Bring all files to the disk: a full one is noticed here at the latest."""
    for path in staging.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())


def _replace(path: Path, target: Path) -> None:
    if not path.is_dir():
        path.replace(target)
        return
    old = path.with_name(f"{path.name}.old")
    if target.is_dir():
        target.replace(old)
    path.replace(target)
