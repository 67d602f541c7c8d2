"""A disk that fails at a chosen call: builds `faulty_disk.c` and runs commands on such a disk."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pytest

from tests.disturbance import environment, run_to_its_end

_SOURCES = Path(__file__).resolve().parent
_TIMEOUT_S = 120


class How(StrEnum):
    """What a disk does at the chosen call."""

    #: It has no space left, for that call and whatever comes later.
    FULL = "full"
    #: The same, but a write still writes its first half.
    TORN = "torn"
    #: That call alone fails.
    ERROR = "error"
    #: A write writes its first half and says so, which is no error.
    SHORT = "short"

    @property
    def words(self) -> str:
        """What the system calls it."""
        return "Input/output error" if self is How.ERROR else "No space left on device"


#: The only calls that do anything else than failing.
WRITES = {"write", "pwrite", "writev", "sendfile", "copy_file_range"}
#: What a full disk does not refuse.
_GIVES_SPACE = {"unlink", "rmdir"}


@dataclass(frozen=True)
class Point:
    """A call that creates or changes a file."""

    number: int
    call: str
    path: str

    def ways(self) -> list[How]:
        """How a disk can fail there."""
        if self.call in WRITES:
            return [How.ERROR, How.TORN, How.SHORT]
        return [How.ERROR] if self.call in _GIVES_SPACE else [How.ERROR, How.FULL]


def build(name: str, folder: Path) -> Path:
    """Build a library that is loaded before others, from the source of that name."""
    compiler = shutil.which("cc")
    if compiler is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no C compiler (cc), and CI=true")
        pytest.skip("no C compiler (cc)")
    library = folder / f"{name}.so"
    # LD_PRELOAD is a list.
    assert not set(str(library)) & {" ", ":"}, library
    command = [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"]
    subprocess.run([*command, library, _SOURCES / f"{name}.c", "-ldl"], check=True)
    return library


class FaultyDisk:
    """A folder whose disk fails where it is told to.

    Parameters
    ----------
    library
        The built `faulty_disk.c`.
    below
        The folder.
    notes
        Where the calls are counted, not in that folder.
    program
        Count the calls of programs of this name alone; of all where empty.
    """

    def __init__(self, library: Path, below: Path, notes: Path, program: str = "") -> None:
        notes.mkdir(exist_ok=True)
        self._count, self._log = notes / "count", notes / "log"
        self._variables = {
            "LD_PRELOAD": str(library),
            "FAULTY_BELOW": str(below),
            "FAULTY_COUNT": str(self._count),
            "FAULTY_LOG": str(self._log),
            "FAULTY_PROGRAM": program,
        }

    def run(
        self, command: Sequence[object], point: Point | None = None, how: How = How.ERROR
    ) -> subprocess.CompletedProcess[str]:
        """Run a command; the disk fails at that point, or not at all."""
        self._count.write_bytes(bytes(8))
        self._log.write_bytes(b"")
        variables = environment() | self._variables
        if point is not None:
            variables |= {"FAULTY_AT": str(point.number), "FAULTY_HOW": how.value}
        return run_to_its_end(command, variables, _TIMEOUT_S)

    def points(self) -> list[Point]:
        """Return the calls of the last command."""
        lines = self._log.read_text(encoding="utf-8").splitlines()
        parts = [line.split(" ", 2) for line in lines]
        return [Point(int(number), call, path) for number, call, path in parts]
