"""Run programs and say what they took: time, processor time, resident memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pystamps_shim._binary import find

_POLL_S = 0.002
_TREE_POLL_S = 0.02


@dataclass(frozen=True)
class Run:
    """What one run took.

    Attributes
    ----------
    seconds
        Wall-clock time, s.
    processor_seconds
        Time of all threads together, s: twice the wall-clock time where two had a core each.
    resident_bytes
        Largest resident set.
    """

    seconds: float
    processor_seconds: float
    resident_bytes: int


def run_native(*arguments: object) -> Run:
    """Run ``pystamps-native`` with `arguments`; end this program if it fails.

    The resident set is read while the program runs: what the system tells afterwards includes the
    largest set of the process that started it.
    """
    return _run([str(find()), *map(str, arguments)], _POLL_S, _largest_bytes)


def run_tree(command: Sequence[str]) -> Run:
    """Run a program that starts others; end this program if it fails.

    Resident is the largest sum over the program and those it started, as they were seen; what
    they share counts for each.
    """
    return _run(command, _TREE_POLL_S, _tree_bytes)


def _run(command: Sequence[str], poll_s: float, resident_bytes: Callable[[int], int]) -> Run:
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as messages:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=messages)
        resident = 0
        while True:
            resident = max(resident, resident_bytes(process.pid))
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            time.sleep(poll_s)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            messages.seek(0)
            sys.exit(f"{' '.join(command)}\n{messages.read().decode()}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, resident)


def _largest_bytes(pid: int) -> int:
    """Return the largest resident set that a process has had."""
    return _status_number(pid, "VmHWM:") * 1024


def _tree_bytes(pid: int) -> int:
    """Return the resident sets of a process and of those it started, at this moment."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        parents[int(folder.name)] = _status_number(int(folder.name), "PPid:")
    found = [pid]
    for parent in found:
        found += [child for child, of in parents.items() if of == parent]
    return sum(_status_number(each, "VmRSS:") for each in found) * 1024


def _status_number(pid: int, key: str) -> int:
    """Return a number of a process's status; 0 where it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return max(_numbers_of(status, key), default=0)


def _numbers_of(status: str, key: str) -> Iterator[int]:
    for line in status.splitlines():
        if line.startswith(key):
            yield int(line.split()[1])
