"""Hidden folders for work in progress, which do not outlive their process for long."""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = ".pystamps-work"


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Yield an empty folder in `parent` that is removed in the end.

    What killed processes of this machine have left there is removed first: it can be large.
    """
    host = re.sub(r"\W", "_", socket.gethostname())
    for old in parent.glob(f"{_PREFIX}-{host}-*"):
        _remove_if_abandoned(old, host)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}-{host}-{os.getpid()}-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_if_abandoned(folder: Path, host: str) -> None:
    match = re.match(rf"{re.escape(_PREFIX)}-{host}-(\d+)-", folder.name)
    if match and not _is_alive(int(match[1])):
        shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
