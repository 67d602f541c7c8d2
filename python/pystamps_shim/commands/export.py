"""``export``: the products of a dataset in the formats of other programs."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pystamps_shim.commands.selecting import add_selection, request_of, selected
from pystamps_shim.errors import wrong_usage

if TYPE_CHECKING:
    from pystamps_shim.products.export.job import Export, Format
    from pystamps_shim.products.measurements import ProductRequest

_DESCRIPTION = """\
Write velocities and time series of a finished dataset in the formats of other programs.

%(formats)s

Every file tells reference, sign, units, corrections, version and parameters: inside where the
format has a place for it, else in FILE.json beside it. Nothing half-written is left behind.
"""
_EPILOG = """\
examples
  python -m pystamps_shim export --dataset PROJECT --format gpkg
  python -m pystamps_shim export --dataset PROJECT --format csv --product v-do --min-coherence 0.7
  python -m pystamps_shim export --dataset PROJECT --format geotiff --cell-m 50 --vertical
  python -m pystamps_shim export --dataset PROJECT --format mintpy --bbox 14.1 40.7 14.3 40.9
  python -m pystamps_shim export --dataset PROJECT --format csv --reference 14.2,40.8,300
  python -m pystamps_shim export --dataset ASCENDING --with DESCENDING --format gpkg --cell-m 100

the libraries come with: pip install 'pystamps[export]'
"""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "export",
        help="write products for other programs: GeoPackage, CSV, KMZ, MintPy, …",
        description=_DESCRIPTION % {"formats": _format_list()},
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--dataset", required=True, type=Path, metavar="DIR", help="finished dataset")
    add("--format", required=True, metavar="FORMAT", help="one of the formats above")
    add(
        "--out",
        type=Path,
        metavar="PATH",
        help="file or folder to write (DATASET/products/<product>.<format's ending>)",
    )
    add("--force", action="store_true", help="replace an earlier export of that name")
    add("--json", action="store_true", help="print what was written as JSON")
    add(
        "--cell-m",
        type=float,
        metavar="M",
        help="cells of the grids geotiff and mintpy, and of --with (100)",
    )
    add(
        "--with",
        dest="other",
        type=Path,
        metavar="DIR",
        help="a dataset of the other orbit direction: east and up on a common grid",
    )
    add_selection(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Write the export and say what it is."""
    from pystamps_shim.products.export.formats import format_named  # noqa: PLC0415
    from pystamps_shim.products.export.write import write_export  # noqa: PLC0415
    from pystamps_shim.products.libraries import import_library  # noqa: PLC0415
    from pystamps_shim.products.publish import refuse_existing  # noqa: PLC0415

    begin = time.monotonic()
    chosen = format_named(options.format)
    cell_m = _cell_m(options)
    request = request_of(options)
    for library in chosen.libraries:
        import_library(library)
    out = _out(options, chosen)
    refuse_existing(out, force=options.force, is_folder=not chosen.suffix)
    with _opened(options, request, out.parent, cell_m) as export:
        write_export(chosen, export, out, force=options.force)
        metadata = export.table.metadata
        told = {
            "file": str(out),
            "format": chosen.name,
            "points": len(export),
            "seconds": round(time.monotonic() - begin, 3),
            "metadata": metadata,
        }
    if options.json:
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        sys.stdout.write(
            f"{out}: {told['points']:,} points, {metadata['value_type']}, {metadata['unit']} "
            f"({metadata['sign_convention']}), relative to: {metadata['reference']['description']} "
            f"({told['seconds']:.1f} s)\n"
        )
    return 0


@contextmanager
def _opened(
    options: argparse.Namespace, request: ProductRequest, scratch: Path, cell_m: float
) -> Iterator[Export]:
    """Yield what is to be written."""
    from pystamps_shim.products.export.job import Export  # noqa: PLC0415
    from pystamps_shim.products.metadata import metadata_of  # noqa: PLC0415
    from pystamps_shim.products.point_table import MeasurementTable  # noqa: PLC0415

    with selected(options.dataset, options, request, scratch) as (found, steps):
        table = MeasurementTable(found, metadata_of(found, steps))
        yield Export(table, found, cell_m, f"writing {options.format}")


def _cell_m(options: argparse.Namespace) -> float:
    if options.cell_m is None:
        return 100.0
    if not 0 < options.cell_m < float("inf"):
        cause = f"--cell-m is {options.cell_m:g}, expected a length in metres"
        raise wrong_usage(cause, "for instance --cell-m 100")
    return float(options.cell_m)


def _out(options: argparse.Namespace, chosen: Format) -> Path:
    """Return where to write: as typed, or in the dataset's folder of products."""
    if options.out is not None:
        return Path(options.out)
    name = f"{options.product or 'ts-do'}{chosen.suffix or '-' + chosen.name}"
    return Path(options.dataset) / "products" / name


def _format_list() -> str:
    from pystamps_shim.products.export.formats import FORMATS  # noqa: PLC0415

    return "\n".join(f"  {each.name:<11} {each.meaning}" for each in FORMATS.values())
