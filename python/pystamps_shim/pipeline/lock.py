"""One run at a time in a dataset."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pystamps_shim.errors import PystampsError
from pystamps_shim.io.dataset import CONTROL_FOLDER, MERGED, Dataset

_LOCK_FILE = "run.lock"
#: The lock of a scope, held by whichever native program writes in it.
_SCOPE_LOCK = "lock"
#: How long what a dead run has left behind may take to end.
_REMNANTS_S = 20.0
#: How long who has the lock may take to write its name beside it.
_NAME_S = 1.0


@contextlib.contextmanager
def exclusive_run(dataset: Dataset, command: str) -> Iterator[list[str]]:
    """Hold the right to run stages in a dataset while the block runs.

    The lock is the operating system's, so it vanishes with its holder however that dies; the
    file's text says who holds it, for people, and decides where the file system knows no locks.

    Yields
    ------
    What to tell the user: that a dead run was found, and that its last processes were waited for.

    Raises
    ------
    PystampsError
        Another run, or another program, works in the dataset.
    """
    folder = dataset.root / CONTROL_FOLDER
    try:
        folder.mkdir(exist_ok=True)
        # A pipe in its place must not make us wait for a writer.
        flags = os.O_RDWR | os.O_CREAT | os.O_NONBLOCK
        descriptor = os.open(folder / _LOCK_FILE, flags, 0o666)
    except OSError as error:
        cause = f"a run writes into {folder}, and that cannot be ({error.strerror})"
        remedy = "make the dataset writable, or copy it to where you may write"
        raise PystampsError(cause, remedy) from error
    try:
        locked = _try_lock(descriptor)
        # Read after the lock was tried: a text found under our own lock is a dead run's, never
        # that of one that was just ending.
        holder = _holder(folder / _LOCK_FILE)
        unknown = locked is None and holder is not None and _may_be_alive(holder)
        if locked is False or unknown:
            raise _refusal(dataset.root, holder or _holder_soon(folder / _LOCK_FILE))
        notes = []
        if holder is not None:
            notes.append(
                f"{_name(holder)} was stopped before its end: recovered, finished work is kept"
            )
        _wait_for_writers(dataset, patient=holder is not None)
        text = {"pid": os.getpid(), "host": os.uname().nodename, "command": command}
        try:
            _write(descriptor, json.dumps(text))
        except OSError as error:
            cause = f"{folder / _LOCK_FILE} cannot be written ({error.strerror})"
            raise PystampsError(cause, "check the rights and the room on the disk") from error
        try:
            yield notes
        finally:
            # The file stays: removing it races with the next run. If its text stays, too, the next
            # run merely tells of a recovery.
            with contextlib.suppress(OSError):
                _write(descriptor, "")
    finally:
        os.close(descriptor)


def holder_of_run(dataset: Dataset) -> str | None:
    """Say who runs stages in a dataset at the moment, None if nobody does."""
    holder = _living_holder(dataset.root / CONTROL_FOLDER / _LOCK_FILE)
    return None if holder is None else _name(holder)


def wait_for_writer(scope: Path, patience_s: float) -> None:
    """Wait until no native program writes in a scope.

    Raises
    ------
    PystampsError
        One still does after that time.
    """
    deadline = time.monotonic() + patience_s
    while holder := _living_holder(scope / CONTROL_FOLDER / _SCOPE_LOCK):
        if time.monotonic() >= deadline:
            raise _refusal(scope, holder)
        time.sleep(0.02)


def _try_lock(descriptor: int) -> bool | None:
    """Take a lock; False if somebody else has it, None if the file system knows no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _wait_for_writers(dataset: Dataset, *, patient: bool) -> None:
    """Raise if a native program writes in the dataset; those of a dead run get time to end."""
    deadline = time.monotonic() + (_REMNANTS_S if patient else 0.0)
    for name in (MERGED, *dataset.patches):
        wait_for_writer(dataset.folder(name), deadline - time.monotonic())


def _holder_soon(path: Path) -> dict[str, Any] | None:
    """Return who holds a lock that was taken just now, once its name is there."""
    end = time.monotonic() + _NAME_S
    while (holder := _holder(path)) is None and time.monotonic() < end:
        time.sleep(0.01)
    return holder


def _holder(path: Path) -> dict[str, Any] | None:
    """Return who a lock file names, None if nobody."""
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("pid"), int) else None


def _living_holder(path: Path) -> dict[str, Any] | None:
    """Return who holds a lock, None if nobody; a text that its writer left behind does not count.

    The lock itself is only looked at where the text names somebody: a look at a free lock could
    be in the way of one who is just taking it.
    """
    holder = _holder(path)
    if holder is None or not _may_be_alive(holder):
        return None
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        # Held, or a file system without locks: then the text decides.
        return holder
    return None


def _may_be_alive(holder: dict[str, Any]) -> bool:
    """Tell whether a holder lives, as far as this host can know."""
    if holder.get("host") != os.uname().nodename:
        return True
    try:
        os.kill(holder["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    except OverflowError:
        return False
    return not _is_zombie(holder["pid"])


def _is_zombie(pid: int) -> bool:
    """Tell whether a process has ended and only waits to be counted."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[:1] == ["Z"]


def _name(holder: dict[str, Any]) -> str:
    command = holder.get("command", "another program")
    return f"'{command}' (process {holder['pid']} on {holder.get('host', 'an unknown host')})"


def _refusal(folder: Path, holder: dict[str, Any] | None) -> PystampsError:
    who = "another run" if holder is None else _name(holder)
    cause = f"{folder} is in use by {who}"
    return PystampsError(
        cause, "wait for it to end, or stop it; a killed run leaves no lock behind"
    )


def _write(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)
