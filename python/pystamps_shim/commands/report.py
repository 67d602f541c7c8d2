"""``report``: one page of HTML that shows a finished dataset."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from pystamps_shim.commands.selecting import add_selection, request_of, selected

_DESCRIPTION = """\
Write one page of HTML about a finished dataset: a map of velocities to move and zoom in, the
series of every PS, quality, certificates, timings and parameters.

The page is a single file that needs no network and no server: open it in any current browser.
"""
_EPILOG = """\
examples
  python -m pystamps_shim report --dataset PROJECT
  python -m pystamps_shim report --dataset PROJECT --out town.html --bbox 14.1 40.7 14.3 40.9
  python -m pystamps_shim report --dataset PROJECT --product v-do      velocities alone: smaller
"""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "report",
        help="write a page that shows a dataset: map, series, quality",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--dataset", required=True, type=Path, metavar="DIR", help="finished dataset")
    add(
        "--out",
        type=Path,
        metavar="FILE",
        help="page to write (DATASET/products/report.html)",
    )
    add("--force", action="store_true", help="replace an earlier page of that name")
    add("--json", action="store_true", help="print what was written as JSON")
    add_selection(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Write the page and say what it holds."""
    from pystamps_shim._binary import find_command  # noqa: PLC0415 - keeps --help quick
    from pystamps_shim.pipeline.commands import Native  # noqa: PLC0415
    from pystamps_shim.products.publish import refuse_existing  # noqa: PLC0415
    from pystamps_shim.products.report.make import make_page  # noqa: PLC0415

    begin = time.monotonic()
    request = request_of(options)
    out = options.out or options.dataset / "products" / "report.html"
    refuse_existing(out, force=options.force, is_folder=False, suffix=".html")
    with selected(options.dataset, options, request, out.parent) as (found, steps):
        native = Native(find_command(), quiet=True)
        written = make_page(native, found, steps, out, force=options.force)
    told = {
        "file": str(out),
        "bytes": out.stat().st_size,
        "points": written.points,
        "dates": written.dates,
        "step_mm": written.step_mm,
        "seconds": round(time.monotonic() - begin, 3),
    }
    if options.json:
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        series = "no series"
        if written.step_mm is not None:
            series = f"{written.dates} dates in steps of {written.step_mm:g} mm"
        sys.stdout.write(
            f"{out}: {written.points:,} points, {series}, "
            f"{told['bytes'] / 1e6:.1f} MB ({told['seconds']:.1f} s)\n"
        )
    return 0
