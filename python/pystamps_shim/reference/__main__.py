"""``python -m pystamps_shim.reference N``: one Python stage as a process of its own.

The orchestrator starts it in place of ``pystamps-native stage N``. Results go into a folder, from
which the native program publishes them; what it did, or why it failed, is one JSON line on
standard output, a traceback goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.kernels.chosen import choose_backends
from pystamps_shim.pipeline import ported
from pystamps_shim.reference.outputs import write_artefacts
from pystamps_shim.reference.project_files import write_project_files
from pystamps_shim.reference.stage1 import Artefacts
from pystamps_shim.reference.stage5 import MAX_COHERENCE

#: Exit code after standard input has ended, as the native program's.
_ENDED = 143
#: What the merge trusts no PS to exceed, by the engine whose random numbers it comes from.
_MAX_COHERENCE = {"matlab": MAX_COHERENCE, "octave": 0.9839936233118265}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage and return the exit code."""
    options = _parser().parse_args(arguments)
    if options.stop_with_stdin:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    scope = options.dataset or options.patch
    try:
        choose_backends(dict(text.partition("=")[::2] for text in options.kernel))
        artefacts = _stage(options)(scope)
        own = {name: values for name, values in artefacts.items() if not name.startswith("../")}
        options.out.mkdir(parents=True)
        write_artefacts(options.out, own)
        write_project_files(scope.parent, artefacts)
    except PystampsError as error:
        return _failed(error.name, error.cause, error.remedy, error.exit_code)
    except OSError as error:
        return _failed("io", str(error), "check the path, its rights and the disk space")
    except Exception as error:
        traceback.print_exc()
        cause = f"the Python stage failed with {type(error).__name__}: {error}"
        return _failed(None, " ".join(cause.split()), "read the log; the native program may do it")
    _print(
        {
            "event": "outcome",
            "status": "completed",
            "details": f"{len(own)} files by the Python reference",
            "memory_peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }
    )
    return int(ExitCode.DONE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pystamps_shim.reference", description=__doc__)
    parser.add_argument("stage", type=int, choices=range(1, 9))
    scope = parser.add_mutually_exclusive_group(required=True)
    scope.add_argument("--patch", type=Path, metavar="DIR")
    scope.add_argument("--dataset", type=Path, metavar="DIR")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--random-engine", choices=("matlab", "octave"), default="matlab")
    parser.add_argument("--stop-with-stdin", action="store_true")
    parser.add_argument("--kernel", action="append", default=[], metavar="NAME=BACKEND")
    return parser


def _end_with_stdin() -> None:
    """End this process when whoever started it has ended, however that died."""
    while os.read(0, 4096):
        pass
    os._exit(_ENDED)


def _stage(options: argparse.Namespace) -> Callable[[Path], Artefacts]:
    """Return the function of the stage; stage 5 of a dataset is the merge."""
    engine: dict[str, Any] = {"random_engine": options.random_engine}
    if options.stage == 5 and options.dataset is not None:
        most = _MAX_COHERENCE[options.random_engine]
        return lambda scope: ported.stage5_merge_and_ifgstd(scope, max_coherence=most)
    stages: dict[int, Callable[[Path], Artefacts]] = {
        1: ported.stage1_load_initial,
        2: lambda scope: ported.stage2_estimate_gamma(scope, **engine),
        3: lambda scope: ported.stage3_select_ps(scope, **engine),
        4: ported.stage4_weed_ps,
        5: ported.stage5_correct_and_promote,
        6: ported.stage6_unwrap,
        7: ported.stage7_calc_scla,
        8: ported.stage8_filter_scn,
    }
    return stages[options.stage]


def _failed(name: str | None, cause: str, remedy: str, code: ExitCode = ExitCode.FAILED) -> int:
    _print(
        {
            "event": "error",
            "name": name or "reference",
            "problem": cause,
            "remedy": remedy,
            "exit_code": int(code),
        }
    )
    return int(code)


def _print(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
