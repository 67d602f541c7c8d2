"""Run the native program: the only place that starts it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pystamps_shim.errors import ExitCode, PystampsError

# Stdout is for data: what the program says there is for people too, in a demo.
_STDERR = 2


class Native:
    """The native program with its command lines (design.md section 4)."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def prepare_snap(
        self, export: Path, dataset: Path, *, azimuth_patches: int, force: bool
    ) -> None:
        """Turn a raw export into a dataset with patches along the azimuth axis."""
        arguments = ["prep", "snap", "--export", str(export), "--dataset", str(dataset)]
        arguments += ["--range-patches", "1", "--azimuth-patches", str(azimuth_patches)]
        self.run(arguments, force=force)

    def set_parameter(self, name: str, value: str, dataset: Path) -> None:
        """Change a parameter of a dataset."""
        self.run(["params", "set", name, value, "--dataset", str(dataset)])

    def stage(self, number: int, dataset: Path, *, force: bool) -> None:
        """Run a stage on every patch of a dataset; stage 5 merges them too."""
        self.run(["stage", str(number), "--dataset", str(dataset)], force=force)

    def run(self, arguments: Sequence[str], *, force: bool = False) -> None:
        """Run one command; its stdout and stderr go to our stderr.

        Raises
        ------
        PystampsError
            If it does not start, is killed, or ends with an exit code other than 0.
        """
        command = [str(self._program), *arguments, *(["--force"] if force else [])]
        text = shlex.join(["pystamps-native", *command[1:]])
        sys.stderr.flush()
        try:
            result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=_STDERR, check=False)
        except OSError as error:
            cause = f"{self._program} does not start ({error.strerror})"
            raise PystampsError(cause, "run 'make native' in the source tree") from error
        if result.returncode < 0:
            cause = f"'{text}' was ended by signal {-result.returncode}"
            raise PystampsError(cause, "run it again; finished work is kept")
        if result.returncode != 0:
            usage = result.returncode == ExitCode.USAGE
            code = ExitCode.USAGE if usage else ExitCode.FAILED
            cause = f"'{text}' ended with exit code {result.returncode}"
            raise PystampsError(cause, "read its message above", code)
