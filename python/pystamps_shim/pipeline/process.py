"""One subprocess that speaks JSON lines: what it says, how it ended, what went into its log."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from pystamps_shim.pipeline.stopping import Stopper

Event = dict[str, Any]
Listener = Callable[[Event], None]
#: How to start the native program: its path, or Python with a module.
Program = Sequence[str]


@dataclass
class Ended:
    """How a process ended.

    Attributes
    ----------
    returncode
        Exit code; minus the signal that ended it; None if it could not be started.
    outcome
        What it says it did, None if it did not say.
    error
        Why it failed, as it says.
    trouble
        Why it could not be started.
    """

    returncode: int | None = None
    outcome: Event | None = None
    error: Event | None = None
    trouble: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def succeeded(self) -> bool:
        """Tell whether it did what it was to do."""
        return self.returncode == 0 and self.outcome is not None

    def failure(self, log: Path) -> tuple[str, str]:
        """Return cause and remedy, one line each."""
        if self.returncode is None:
            return self.trouble, "check the installation: run 'make native' in the source tree"
        if self.error is not None:
            return error_in_one_line(self.error), str(self.error.get("remedy") or f"read {log}")
        if self.returncode < 0:
            return _signal_cause(-self.returncode), (
                "run the same command again: finished work is kept; if it happens again, lower "
                "runtime.workers or runtime.memory_limit"
            )
        return f"ended with exit code {self.returncode} and no reason", f"read {log}"


def run_process(
    command: Sequence[str],
    log: BinaryIO,
    listener: Listener,
    stopper: Stopper,
    variables: Mapping[str, str],
) -> Ended:
    """Run a command to its end; every event it prints goes to `listener`, every word to `log`.

    Its standard input is a pipe that stays open as long as this process lives: a program that
    watches it dies with us. It gets a session of its own, so that Ctrl-C reaches it only by
    `stopper`. `variables` are added to its environment.
    """
    log.write(f"$ {shlex.join(command)}\n".encode(errors="surrogateescape"))
    log.flush()
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            env={**os.environ, **variables} if variables else None,
        )
    except OSError as error:
        return Ended(trouble=f"{command[0]} does not start ({error.strerror})")
    ended = Ended()
    with stopper.watching(process), process:
        listener({"event": "process_started", "pid": process.pid})
        if process.stdout is not None:
            for line in process.stdout:
                _take(line, ended, log, listener)
        ended.returncode = process.wait()
    log.write(f"ended with exit code {ended.returncode}\n".encode())
    return ended


def _take(line: bytes, ended: Ended, log: BinaryIO, listener: Listener) -> None:
    """Sort one line of standard output."""
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        log.write(line)
        return
    kind = event.get("event")
    if kind == "outcome":
        ended.outcome = event
    elif kind == "error":
        ended.error = event
    elif kind == "note":
        ended.notes.append(str(event.get("text", "")))
    if kind not in ("progress", "phase_started", "phase_finished"):
        log.write(line)
        log.flush()
    listener(event)


def error_in_one_line(error: Event) -> str:
    """Return what is wrong in one line."""
    parts = [str(error.get("problem") or error.get("name"))]
    labels = (("path", "file"), ("variable",) * 2, ("expected",) * 2, ("found",) * 2)
    parts += [f"{label} {error[key]}" for key, label in labels if error.get(key)]
    return " ".join("; ".join(parts).split())


def _signal_cause(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    hint = "; the system does that when memory runs out" if number == signal.SIGKILL else ""
    return f"ended by {name}{hint}"
