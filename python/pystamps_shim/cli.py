"""The command line ``python -m pystamps_shim``: parsing, dispatch, errors, exit codes."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence

from pystamps_shim.commands import config, demo, run, simulate, status, verify
from pystamps_shim.errors import ExitCode, PystampsError

_DESCRIPTION = """\
Steer and check pystamps: persistent-scatterer interferometry by the StaMPS method.

The stages themselves run in the native program `pystamps-native`; try `pystamps-native
--help` for single steps on your own data.
"""
_EPILOG = """\
examples
  python -m pystamps_shim demo                         see it work, from raw export to velocity map
  python -m pystamps_shim run --export E --dataset D   process a raw export of your own
  python -m pystamps_shim run --dataset D --dry-run    what a run would do
  python -m pystamps_shim status --dataset D           how far it is
  python -m pystamps_shim verify --dataset D --reference R     compare two datasets
  python -m pystamps_shim simulate --out scene         a raw export with known truth
  python -m pystamps_shim simulate --help              every knob of a scene

exit codes: 0 done, 1 the data or the run failed, 2 wrong usage, 3 a verification differed
"""
#: Exit code of a command that was interrupted.
INTERRUPTED = 130


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all subcommands."""
    parser = argparse.ArgumentParser(
        prog="python -m pystamps_shim",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in (demo, run, status, verify, simulate, config):
        command.add_parser(subparsers).set_defaults(run=command.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; user errors never show a traceback.

    A command that returns no code of its own is done.
    """
    options = build_parser().parse_args(arguments)
    try:
        code: int | None = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has gone; the work itself is done.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.FAILED
    except PystampsError as error:
        sys.stderr.write(f"error: {error.cause}\n  try: {error.remedy}\n")
        code = error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing half-written was left behind\n")
        code = INTERRUPTED
    except MemoryError:
        sys.stderr.write("error: out of memory\n  try: a smaller scene\n")
        code = ExitCode.FAILED
    except OSError as error:
        sys.stderr.write(f"error: {error}\n  try: check the path, its rights and the disk space\n")
        code = ExitCode.FAILED
    except Exception as error:
        sys.stderr.write(_defect(error))
        code = ExitCode.FAILED
    return int(ExitCode.DONE if code is None else code)


def _defect(error: Exception) -> str:
    """Return what to say of a defect of ours; the traceback goes to a file."""
    cause = " ".join(f"{type(error).__name__}: {error}".split())
    remedy = "report it"
    with contextlib.suppress(OSError):
        options = {"prefix": "pystamps-", "suffix": ".txt", "delete": False}
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", **options) as file:  # type: ignore[call-overload]
            traceback.print_exc(file=file)
        remedy = f"report it with {file.name}"
    return f"error: a defect of pystamps: {cause}\n  try: {remedy}\n"
