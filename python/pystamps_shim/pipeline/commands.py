"""Run the native program in the foreground: preparation, parameters, products."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pystamps_shim.ending import deferred
from pystamps_shim.errors import ExitCode, PystampsError

# Stdout is for data: what the program says there is for people too, in a demo.
_STDERR = 2


class Native:
    """The native program with its command lines (design.md section 4).

    Parameters
    ----------
    program
        How to start the program (`pystamps_shim._binary.find_command`).
    quiet
        Say nothing unless it fails.
    """

    def __init__(self, program: Sequence[str], *, quiet: bool = False) -> None:
        self.program = program
        self._quiet = quiet

    def prepare(
        self,
        processor: str,
        export: Path,
        dataset: Path,
        options: Sequence[str] = (),
        *,
        force: bool = False,
    ) -> None:
        """Turn a raw export into a dataset; `options` as ``pystamps-native prep`` has them."""
        arguments = ["prep", processor, "--export", str(export), "--dataset", str(dataset)]
        self.run([*arguments, *options], force=force)

    def set_parameter(self, name: str, value: str, dataset: Path) -> None:
        """Change a parameter of a dataset."""
        self.run(["params", "set", name, value, "--dataset", str(dataset)])

    def product(self, value: str, dataset: Path, out: Path, options: Sequence[str] = ()) -> None:
        """Write a product, in place of an earlier one of that name; `options` as typed."""
        arguments = ["product", value, "--dataset", str(dataset), "--out", str(out)]
        self.run([*arguments, *options], force=True)

    def run(self, arguments: Sequence[str], *, force: bool = False) -> None:
        """Run one command; its stdout and stderr go to our stderr.

        Raises
        ------
        PystampsError
            If it does not start, is killed, or ends with an exit code other than 0.
        """
        command = [*self.program, *arguments, *(["--force"] if force else [])]
        text = shlex.join(["pystamps-native", *command[len(self.program) :]])
        sys.stderr.flush()
        stdout = subprocess.DEVNULL if self._quiet else _STDERR
        try:
            returncode = _run(command, stdout)
        except OSError as error:
            cause = f"{self.program[0]} does not start ({error.strerror})"
            raise PystampsError(cause, "run 'make native' in the source tree") from error
        if returncode < 0:
            cause = f"'{text}' was ended by signal {-returncode}"
            raise PystampsError(cause, "run it again; finished work is kept")
        if returncode != 0:
            usage = returncode == ExitCode.USAGE
            code = ExitCode.USAGE if usage else ExitCode.FAILED
            cause = f"'{text}' ended with exit code {returncode}"
            raise PystampsError(cause, "read its message above", code)


def _run(command: Sequence[str], stdout: int) -> int:
    """Run a command and return its exit code; it does not outlive us when we are told to end."""
    process: subprocess.Popen[bytes] | None = None
    try:
        with deferred():
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout)
        return process.wait()
    except BaseException:
        if process is not None:
            process.kill()
            process.wait()
        raise
