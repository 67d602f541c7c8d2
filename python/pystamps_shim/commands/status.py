"""``status``: how far a dataset is, what is current and what a run would do again."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

_DESCRIPTION = """\
Say of every stage of every patch, and of the merged project, whether its results are there and
current, and if not why; who is working in the dataset; and how the last run ended. Nothing is
computed, changed or locked, so it can be asked while a run is at work.

  current    made by us from the present inputs and parameters
  foreign    made by another program, such as original StaMPS: kept as it is
  replayed   copied from a reference: no evidence
  outdated   inputs or parameters have changed since
  missing    not there yet
  damaged    cannot be examined
"""
_EPILOG = """\
examples
  python -m pystamps_shim status --dataset PROJECT
  python -m pystamps_shim run --dataset PROJECT --dry-run     what a run would do
"""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "status",
        help="how far a dataset is, and what is out of date",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--dataset", required=True, type=Path, metavar="DIR", help="its folder")
    parser.add_argument(
        "--random-engine",
        choices=("matlab", "octave"),
        default="matlab",
        help="whose random numbers its runs draw (matlab)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(options: argparse.Namespace) -> None:
    """Print the status."""
    from pystamps_shim._binary import find_command  # noqa: PLC0415 - keeps --help quick
    from pystamps_shim.io.dataset import discover_dataset  # noqa: PLC0415
    from pystamps_shim.pipeline.facts import read_facts  # noqa: PLC0415
    from pystamps_shim.pipeline.standing import Standing  # noqa: PLC0415

    dataset = discover_dataset(options.dataset)
    standing = Standing.of(
        dataset, read_facts(find_command(), dataset.root, (), options.random_engine)
    )
    if options.json:
        sys.stdout.write(json.dumps(standing.as_json()) + "\n")
    else:
        sys.stdout.write(standing.text())
