"""Put a product in its place all at once: written beside it, then moved there.

What may be replaced, and only if the user asks for it:

- a folder that holds our mark;
- a file with our description beside it (``<name>.json``), and what belongs to it;
- another file whose ending is that of the new product, unless it lies directly in the folder of a
  dataset, next to the dataset's own files.

A file beside the product is never replaced where the product itself is new.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pystamps_shim.errors import PystampsError, wrong_usage
from pystamps_shim.io.dataset import PATCH_LIST, expected_stage_bundle
from pystamps_shim.products.scratch import PREFIX, scratch_folder

#: In a folder that is a product; only such a folder may be replaced.
FOLDER_MARK = "pystamps-product.json"
#: Each of them is found in the folder of a dataset or of a patch.
_OF_DATASETS = ("parms.mat", PATCH_LIST, "ps2.mat")
#: By the ending of a product, those of the files that are written beside it.
_DESCRIBED = (".csv", ".geojson", ".shp")
_PARTS = {".shp": (".dbf", ".shx", ".prj", ".cpg")}


@contextmanager
def published(
    out: Path, *, force: bool, is_folder: bool = False, suffix: str | None = None
) -> Iterator[Path]:
    """Yield a path to write; what lies there and beside it in the end moves to `out`'s folder.

    Parameters
    ----------
    out
        Where the product is to be.
    force
        Replace an earlier one.
    is_folder
        Whether the product is a folder, to which a mark is to be written (`FOLDER_MARK`).
    suffix
        Ending of such files; that of `out` where None.

    Raises
    ------
    PystampsError
        `out` or a file beside it exists and may not be replaced, or the disk does not take it.
        Nothing half-written is left, and what was there before stays.
    """
    refuse_existing(out, force=force, is_folder=is_folder, suffix=suffix)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(out.parent) as scratch:
            staging = scratch / "new"
            staging.mkdir()
            yield staging / out.name
            _flush(staging)
            names = {path.name for path in staging.iterdir()} - {out.name}
            with _alone_in(out.parent):
                # Again: the work may have taken long.
                _refuse(out, force=force, is_folder=is_folder, suffix=suffix)
                _refuse_beside(out, names)
                if (staging / out.name).is_dir():
                    _replace_folder(staging / out.name, out, scratch)
                else:
                    _exchange(staging, out, names, scratch)
    except OSError as error:
        raise _told(error, out) from error


def refuse_existing(out: Path, *, force: bool, is_folder: bool, suffix: str | None = None) -> None:
    """Raise unless `out` is new, or a product that `force` allows to replace.

    What a killed process has set aside is put back before.
    """
    with _alone_in(out.parent):
        _refuse(out, force=force, is_folder=is_folder, suffix=suffix)


def _refuse(out: Path, *, force: bool, is_folder: bool, suffix: str | None) -> None:
    names = {name for stage in range(1, 9) for name in _merged_names(stage)}
    if out.name in names or out.name == "parms.mat":
        cause = f"{out}: this is the name of a file of StaMPS"
        raise wrong_usage(cause, "choose another --out")
    if is_folder:
        _put_back(out)
    else:
        _put_back_files(out)
    if not _exists(out):
        if not is_folder:
            _refuse_beside(out, _names_beside(out, suffix))
        return
    if is_folder != out.is_dir():
        cause = f"{out} is a {'file' if is_folder else 'folder'}"
        raise wrong_usage(cause, "choose another --out")
    if is_folder and not (out / FOLDER_MARK).is_file():
        cause = f"{out} is a folder that pystamps has not made"
        raise wrong_usage(cause, "choose another --out")
    if not is_folder:
        _refuse_foreign_file(out, out.suffix if suffix is None else suffix)
    if not force:
        cause = f"{out} exists"
        raise wrong_usage(cause, "choose another --out, or replace it: --force")


def _refuse_foreign_file(out: Path, suffix: str) -> None:
    """Raise for a file that may not be replaced, whatever the user says."""
    if _is_described(out):
        return
    if any((out.parent / name).is_file() for name in _OF_DATASETS):
        cause = f"{out} exists in the folder of a dataset, and is no product of pystamps"
        raise wrong_usage(cause, f"choose another --out, for instance {out.parent / 'products'}/…")
    if out.suffix.lower() != suffix.lower():
        cause = f"{out} exists and is no {suffix} file"
        raise wrong_usage(cause, "choose another --out")


def _refuse_beside(out: Path, names: Iterable[str]) -> None:
    """Raise where files beside a new product would be replaced that belong to something else."""
    if _exists(out) or _is_described(out):
        return
    for name in sorted(names):
        if _exists(out.parent / name):
            cause = f"{out.parent / name} exists and would be replaced"
            raise wrong_usage(cause, "choose another --out, or move that file away")


def _names_beside(out: Path, suffix: str | None) -> list[str]:
    """Return what will lie beside a product, as far as its ending tells."""
    ending = (out.suffix if suffix is None else suffix).lower()
    names = [out.with_suffix(each).name for each in _PARTS.get(ending, ()) if out.suffix]
    return [*names, f"{out.name}.json"] if ending in _DESCRIBED else names


def _is_described(out: Path) -> bool:
    """Tell whether our description lies beside a file."""
    try:
        told = json.loads(out.with_name(f"{out.name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(told, dict) and told.get("program") == "pystamps"


def _exists(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _merged_names(stage: int) -> tuple[str, ...]:
    single = expected_stage_bundle(stage, "merged")
    return single + expected_stage_bundle(stage, "merged", small_baselines=True)


def _flush(staging: Path) -> None:
    """Bring all files to the disk: a full one is noticed here at the latest."""
    for path in staging.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())


def _set_aside(out: Path) -> Path:
    """Return where the earlier folder lies while the new one takes its place.

    Not in the scratch folder, which the next process removes if this one is killed.
    """
    return out.parent / f".{out.name}.old"


def _put_back(out: Path) -> None:
    """Undo what a process did that was killed between moving the old folder and the new one."""
    aside = _set_aside(out)
    if not _exists(aside):
        return
    if not (aside / FOLDER_MARK).is_file():
        cause = f"{aside} is in the way, and pystamps has not made it"
        raise wrong_usage(cause, "choose another --out")
    if not _exists(out):
        with suppress(OSError):  # The export itself fails then, and says why.
            aside.rename(out)


def _replace_folder(new: Path, out: Path, scratch: Path) -> None:
    """Move a folder into its place; the earlier one, whole, goes where it is removed."""
    aside = _set_aside(out)
    with suppress(FileNotFoundError):
        aside.rename(scratch / "left by a killed process")
    if not _exists(out):
        new.rename(out)
        return
    out.rename(aside)
    try:
        new.rename(out)
    except BaseException:
        if not _exists(out):
            aside.rename(out)
        raise
    with suppress(FileNotFoundError):  # Another process has removed it.
        aside.rename(scratch / "replaced")


def _exchange(staging: Path, out: Path, names: Iterable[str], scratch: Path) -> None:
    """Move a file and what belongs to it to their places: all, or the earlier ones are back."""
    described = f"{out.name}.json"
    # The description first, by which the rest is known as ours; the product itself last: whoever
    # sees it finds what belongs to it.
    order = [*sorted(names, key=lambda name: name != described), out.name]
    if len(order) == 1:
        (staging / out.name).replace(out)
        return
    earlier = _earlier(out)
    earlier.mkdir()
    with _locked(earlier):
        try:
            for name in reversed(order):
                if _exists(out.parent / name):
                    (out.parent / name).rename(earlier / name)
            for name in order:
                (staging / name).replace(out.parent / name)
            earlier.rename(scratch / "replaced")
        except BaseException:
            # If even this fails, the next export of that name does it.
            with suppress(OSError):
                for name in order:
                    if not _exists(staging / name):
                        (out.parent / name).unlink(missing_ok=True)
                _move_back(earlier, out)
            raise


def _earlier(out: Path) -> Path:
    """Return where the earlier files of a product lie while the new ones take their places."""
    return out.parent / f".{out.name}.pystamps-earlier"


def _put_back_files(out: Path) -> None:
    """Undo what a process did that ended between moving the earlier files and the new ones."""
    earlier = _earlier(out)
    with suppress(OSError), _locked(earlier):
        _move_back(earlier, out)


def _move_back(earlier: Path, out: Path) -> None:
    for path in sorted(earlier.iterdir(), key=lambda path: path.name == out.name):
        path.replace(out.parent / path.name)
    earlier.rmdir()


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait for the short exclusive right to change products in a folder; native ones do the same.

    So product and description are of one process. Where there are no locks, nobody waits.
    """
    with ExitStack() as held:
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            held.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a folder; `OSError` if another process does, or if there is none."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _told(error: OSError, out: Path) -> PystampsError:
    """Return what failed: the product, or the file that the system names."""
    reason = error.strerror or error
    name = error.filename
    named = Path(os.fsdecode(name)) if isinstance(name, str | bytes | os.PathLike) else out
    # Of the folders in which products are made nobody needs to know.
    if any(part.startswith(PREFIX) for part in named.parts):
        named = out
    if named == out or named in out.parents:
        cause = f"{named}: cannot be written ({reason})"
        return PystampsError(cause, "check the rights and the room on the disk")
    cause = f"{named}: cannot be read or written ({reason})"
    return PystampsError(cause, "check that it is there, and the rights")
