"""Hidden folders for work in progress, which do not outlive their process for long."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Of the names of such folders.
PREFIX = ".pystamps-work"
#: In a folder at work: its process holds a lock on it.
_LOCK = ".lock"
#: A folder without one is of a process that has not come to it yet, or never will.
_LOCKED_AFTER_S = 3_600


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Yield a folder in `parent`, empty but for a hidden lock, that is removed in the end.

    What killed processes of this machine have left there is removed first: it can be large. On a
    shared volume another container may have the name of this machine and numbers of processes of
    its own, so that the lock must be free as well.
    """
    host = re.sub(r"\W", "_", socket.gethostname())
    for old in parent.glob(f"{PREFIX}-{host}-*"):
        _remove_if_abandoned(old, host)
    # Named before it is made: a signal may come between any two steps.
    folder = parent / f"{PREFIX}-{host}-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        folder.mkdir(mode=0o700)
        with (folder / f"{_LOCK}.new").open("wb") as lock:
            _is_free(lock.fileno())
            # Never seen without the lock on it.
            (folder / f"{_LOCK}.new").rename(folder / _LOCK)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_if_abandoned(folder: Path, host: str) -> None:
    match = re.match(rf"{re.escape(PREFIX)}-{host}-(\d+)-", folder.name)
    if match and not _is_alive(int(match[1])) and not _is_locked(folder):
        shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _is_locked(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open("rb+") as lock:
            return not _is_free(lock.fileno())
    except FileNotFoundError:
        return _age_s(folder) < _LOCKED_AFTER_S
    except OSError:
        return True


def _is_free(lock: int) -> bool:
    """Take a lock and tell whether nobody else has it; on a disk without locks nobody can tell."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _age_s(folder: Path) -> float:
    try:
        return time.time() - folder.stat().st_mtime
    except OSError:
        return 0.0
