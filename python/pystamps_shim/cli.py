"""The command line ``python -m pystamps_shim``: parsing, dispatch, errors, exit codes."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence

from pystamps_shim.commands import config, demo, export, plot, report, run, simulate, status, verify
from pystamps_shim.ending import end_in_order
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
  python -m pystamps_shim export --dataset D --format gpkg     for QGIS; csv, kmz, mintpy, …
  python -m pystamps_shim plot all --dataset D --out figures   maps, time series, networks, …
  python -m pystamps_shim report --dataset D           a page of its map, series and quality
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
    for command in (demo, run, status, verify, export, plot, report, simulate, config):
        command.add_parser(subparsers).set_defaults(run=command.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; user errors never show a traceback.

    A command that returns no code of its own is done.
    """
    _mend_streams()
    options = build_parser().parse_args(arguments)
    end_in_order()
    try:
        code: int | None = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has gone.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.FAILED
    except PystampsError as error:
        _tell(options, error.cause, error.remedy)
        code = error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing half-written was left behind: run it again\n")
        code = INTERRUPTED
    except MemoryError:
        _tell(options, "out of memory", "a smaller scene")
        code = ExitCode.FAILED
    except OSError as error:
        _tell(options, str(error), "check the path, its rights and the disk space")
        code = ExitCode.FAILED
    except Exception as error:
        _tell(options, *_defect(error))
        code = ExitCode.FAILED
    return int(ExitCode.DONE if code is None else code)


def _mend_streams() -> None:
    """Replace streams that are closed by nothing, and let names of any encoding be told."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _tell(options: argparse.Namespace, cause: str, remedy: str) -> None:
    """Say what is wrong to people, and where JSON was asked for to programs."""
    sys.stderr.write(f"error: {cause}\n  try: {remedy}\n")
    if getattr(options, "json", False):
        told = {"event": "error", "error": {"cause": cause, "remedy": remedy}}
        with contextlib.suppress(OSError):
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()


def _defect(error: Exception) -> tuple[str, str]:
    """Return cause and remedy of a defect of ours; the traceback goes to a file."""
    cause = " ".join(f"{type(error).__name__}: {error}".split())
    remedy = "report it"
    with contextlib.suppress(OSError):
        options = {"prefix": "pystamps-", "suffix": ".txt", "delete": False}
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", **options) as file:  # type: ignore[call-overload]
            traceback.print_exc(file=file)
        remedy = f"report it with {file.name}"
    return f"a defect of pystamps: {cause}", remedy
