"""``export``: the products of a dataset in the formats of other programs."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pystamps_shim.commands.selecting import add_selection, request_of, selected
from pystamps_shim.errors import wrong_usage

if TYPE_CHECKING:
    from pystamps_shim.products.export.formats import Format
    from pystamps_shim.products.export.job import Export
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
  python -m pystamps_shim export --dataset PROJECT --format csv --reference 14.2 40.8 300
  python -m pystamps_shim export --dataset ASCENDING --with DESCENDING --format gpkg --cell-m 100

what a format needs is said where it is missing; the extra [export] has all of it
"""

_GRIDS = ("geotiff", "mintpy")


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
    if options.cell_m is not None and chosen.name not in _GRIDS and options.other is None:
        cause = f"--cell-m is about grids, which format {chosen.name} is not"
        raise wrong_usage(cause, "drop it, or choose geotiff or mintpy")
    cell_m = _cell_m(options)
    request = request_of(options, "ts-do" if options.other is None else "v-do")
    if options.other is not None:
        _refuse_no_pair(options, request)
    for library in (*chosen.libraries, *sorted(_further_libraries(options))):
        import_library(library)
    out = _out(options, chosen)
    whole = not chosen.suffix
    refuse_existing(out, force=options.force, is_folder=whole, suffix=chosen.suffix)
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
            f"{out}: {told['points']:,} points, {metadata['value_type']}, "
            f"{metadata['sign_convention']}, relative to: {metadata['reference']['description']} "
            f"({told['seconds']:.1f} s)\n"
        )
    return 0


@contextmanager
def _opened(
    options: argparse.Namespace, request: ProductRequest, scratch: Path, cell_m: float
) -> Iterator[Export]:
    """Yield what is to be written."""
    from pystamps_shim.products.east_up import east_and_up  # noqa: PLC0415
    from pystamps_shim.products.export.job import Export  # noqa: PLC0415
    from pystamps_shim.products.metadata import metadata_of  # noqa: PLC0415
    from pystamps_shim.products.point_table import MeasurementTable  # noqa: PLC0415

    label = f"writing {options.format}"
    with ExitStack() as stack:
        found, steps = stack.enter_context(selected(options.dataset, options, request, scratch))
        if options.other is None:
            table = MeasurementTable(found, metadata_of(found, steps))
            yield Export(table, found, cell_m, label)
            return
        entered = stack.enter_context(selected(options.other, options, request, scratch))
        both, described = (found, entered[0]), (metadata_of(found, steps), metadata_of(*entered))
        yield Export(east_and_up(*both, cell_m, described), None, cell_m, label)


def _refuse_no_pair(options: argparse.Namespace, request: ProductRequest) -> None:
    """Raise for options that a combination of two datasets cannot have; warn of two references."""
    if not options.other.is_dir():
        cause = f"{options.other}: no such folder"
        raise wrong_usage(cause, "correct --with")
    if options.vertical:
        cause = "--vertical assumes what --with solves for"
        raise wrong_usage(cause, "drop one of them")
    if request.value_type[:1] not in ("v", "V") or request.value_type[:2] in ("vs", "Vs", "vd"):
        cause = f"--with combines velocities, not {request.value_type}"
        raise wrong_usage(cause, "choose --product v-do or another velocity")
    for flag in ("heading_deg", "incidence_deg"):
        if getattr(options, flag) is not None:
            cause = f"--{flag.replace('_', '-')} would be of both datasets"
            raise wrong_usage(cause, "drop it: --with takes the angles that the datasets tell")
    if options.reference is None and options.reference_box is None:
        sys.stderr.write(
            "warning: each dataset keeps a reference area of its own, so that east and up are "
            "relative to two places\n  try: --reference LON LAT RADIUS_M\n"
        )


def _further_libraries(options: argparse.Namespace) -> set[str]:
    """Return what options need that is to be asked for before the products are made."""
    return {
        library
        for given, libraries in (
            (options.other, ("pyproj",)),
            (options.polygon, ("pyogrio", "shapely", "pyproj")),
            (options.mask, ("rasterio", "pyproj")),
        )
        if given is not None
        for library in libraries
    }


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
    product = options.product or "ts-do" if options.other is None else "east-up"
    return Path(options.dataset) / "products" / chosen.file_name(product)


def _format_list() -> str:
    from pystamps_shim.products.export.formats import FORMATS  # noqa: PLC0415

    return "\n".join(f"  {each.name:<11} {each.meaning}" for each in FORMATS.values())
