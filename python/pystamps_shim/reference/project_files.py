"""What stage 1 of a patch writes into the dataset: scene parameters, and the list of pairs."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pystamps_shim.io.dataset import CONTROL_FOLDER
from pystamps_shim.reference.outputs import write_artefacts
from pystamps_shim.reference.stage1 import Artefacts

#: The lock that the native program takes while it changes these files.
_LOCK = "parameters.lock"


def write_project_files(dataset: Path, artefacts: Artefacts) -> None:
    """Replace the files of the dataset that are among the artefacts of a patch, each as a whole."""
    names = [name for name in artefacts if name.startswith("../")]
    if not names:
        return
    with _locked(dataset):
        draft = dataset / CONTROL_FOLDER / f"project-files.{os.getpid()}"
        draft.mkdir()
        try:
            for name in names:
                path = dataset / name.removeprefix("../")
                if path.exists():
                    shutil.copyfile(path, draft / path.name)
                write_artefacts(draft, {path.name: artefacts[name]})
                _sync(draft / path.name)
                (draft / path.name).replace(path)
            _sync(dataset)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextmanager
def _locked(dataset: Path) -> Iterator[None]:
    folder = dataset / CONTROL_FOLDER
    folder.mkdir(exist_ok=True)
    with (folder / _LOCK).open("ab") as file:
        # A file system without locks: each replacement is still whole.
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
