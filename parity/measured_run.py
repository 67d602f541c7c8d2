"""Run the native program and say what it took: time, processor time, resident memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pystamps_shim._binary import find

_POLL_S = 0.002


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
    command = [str(find()), *map(str, arguments)]
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    resident = 0
    while True:
        resident = max(resident, _resident_bytes(process.pid))
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        time.sleep(_POLL_S)
    seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    with process:
        message = process.stderr.read().decode() if process.stderr else ""
    if process.returncode:
        sys.exit(f"{' '.join(command)}\n{message}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, resident)


def _resident_bytes(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return max(_kilobytes_of(status, "VmHWM:"), default=0) * 1024


def _kilobytes_of(status: str, key: str) -> Iterator[int]:
    for line in status.splitlines():
        if line.startswith(key):
            yield int(line.split()[1])
