"""Write a folder beside its place and move it there when complete."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pystamps_shim.errors import ExitCode, PystampsError

# Only a simulation has this file: --force must never delete a measured export.
_MARK = "TRUTH.md"
#: The simulator's own files: what ``--force`` may replace, and nothing else.
_OWN_PATTERNS = (
    "rslc", "diff0", "geo", "dem", "truth.npz", "TRUTH.md",
    "export", "PATCH_*", "patch.list", "parms.mat", "processor.txt", "rsc.txt",
    "width.txt", "len.txt", "calamp.in", "calamp.out", "selpsc.in", "pscphase.in",
    "pscdem.in", "psclonlat.in",
)  # fmt: skip


def refuse_if_filled(target: Path, *, force: bool) -> None:
    """Raise unless `target` is new, empty, or `force` allows to replace it."""
    if target.exists() and not target.is_dir():
        cause = f"{target} is a file, expected a folder"
        raise PystampsError(cause, "choose another --out", ExitCode.USAGE)
    if not force and target.is_dir() and any(target.iterdir()):
        cause = f"{target} is not empty, and nothing is overwritten unasked"
        remedy = "choose another --out, or add --force to replace an earlier simulation there"
        raise PystampsError(cause, remedy, ExitCode.USAGE)


def _refuse_if_foreign(target: Path) -> None:
    """Raise if `target` holds names of ours that the simulator did not write."""
    own = [name for pattern in _OWN_PATTERNS for name in target.glob(pattern)]
    if own and not target.joinpath(_MARK).is_file():
        cause = f"{target} holds {own[0].name}, but no {_MARK}: it is not a simulation"
        remedy = "choose another --out; --force replaces simulations only"
        raise PystampsError(cause, remedy, ExitCode.USAGE)


@contextmanager
def published(target: Path, *, force: bool) -> Iterator[Path]:
    """Yield an empty staging folder whose content moves to `target` on success.

    With `force` the simulator's own files in `target` are replaced; other files stay. An
    error or an interrupt while writing leaves `target` as it was.
    """
    target = target.resolve()
    refuse_if_filled(target, force=force)
    _refuse_if_foreign(target)
    is_new = not target.exists()
    # Inside an existing folder: it may be a mount, and its parent closed to us.
    staging = target.with_name(f".{target.name}.partial") if is_new else target / ".partial"
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        yield staging
        if is_new:
            staging.replace(target)
        else:
            _replace_content(staging, target)
    except OSError as error:
        cause = f"{error.filename or target}: {error.strerror}"
        remedy = "check that the folder can be written and the disk has room"
        raise PystampsError(cause, remedy) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _replace_content(staging: Path, target: Path) -> None:
    """Swap the simulator's files; the mark leaves last and comes first."""
    old = {path for pattern in _OWN_PATTERNS for path in target.glob(pattern)}
    for path in sorted(old, key=_mark_first, reverse=True):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    for path in sorted(staging.iterdir(), key=_mark_first):
        path.replace(target / path.name)


def _mark_first(path: Path) -> tuple[bool, str]:
    return path.name != _MARK, path.name
