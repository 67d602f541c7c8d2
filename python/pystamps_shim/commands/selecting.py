"""The options with which ``export``, ``plot`` and ``report`` choose a product and its PS."""

from __future__ import annotations

import argparse
import datetime
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pystamps_shim.commands.settling import settle
from pystamps_shim.errors import wrong_usage

if TYPE_CHECKING:
    from pystamps_shim.products.measurements import Measurements, ProductRequest
    from pystamps_shim.products.selection import Selection, Step


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose the product, its reference, and its PS."""
    product = parser.add_argument_group("product")
    add = product.add_argument
    add(
        "--product",
        metavar="VALUE",
        help="as StaMPS names it: ts-do series and velocity (the default), v-do velocity alone, "
        "v-so, u-dm, hgt, … (pystamps-native product --help lists them)",
    )
    add(
        "--reference",
        nargs=3,
        type=float,
        metavar=("LON", "LAT", "RADIUS_M"),
        help="another reference area for this product: the PS around a place",
    )
    add(
        "--reference-box",
        nargs=4,
        type=float,
        metavar=("WEST", "SOUTH", "EAST", "NORTH"),
        help="the same, a box in degrees",
    )
    add("--from", dest="first_date", metavar="YYYYMMDD", help="first date it is made of")
    add("--to", dest="last_date", metavar="YYYYMMDD", help="last date it is made of")
    add(
        "--bootstrap",
        type=int,
        default=200,
        metavar="N",
        help="resamples for the standard deviation of velocities; 0 for none (200)",
    )
    add(
        "--vertical",
        action="store_true",
        help="vertical instead of along the line of sight, assuming that nothing moves "
        "horizontally",
    )
    add("--incidence-deg", type=float, metavar="DEG", help="in place of the dataset's angles")
    add("--heading-deg", type=float, metavar="DEG", help="in place of the dataset's heading")
    points = parser.add_argument_group("which PS")
    add = points.add_argument
    add("--min-coherence", type=float, metavar="C", help="least temporal coherence, 0 to 1")
    add(
        "--bbox",
        nargs=4,
        type=float,
        metavar=("WEST", "SOUTH", "EAST", "NORTH"),
        help="box in degrees",
    )
    add("--polygon", type=Path, metavar="FILE", help="polygons: GeoJSON, GeoPackage, Shapefile, …")
    add("--polygon-crs", metavar="EPSG:N", help="their system, where the file does not tell")
    add("--mask", type=Path, metavar="FILE", help="raster: PS on values other than 0 stay")


def request_of(options: argparse.Namespace, default: str = "ts-do") -> ProductRequest:
    """Return the product that the options ask for.

    Raises
    ------
    PystampsError
        An option is impossible.
    """
    from pystamps_shim.products.measurements import ProductRequest  # noqa: PLC0415

    for flag, text in (("--from", options.first_date), ("--to", options.last_date)):
        _refuse_no_date(flag, text)
    angle = options.incidence_deg
    if angle is not None and not 0 < angle < 90:
        cause = f"--incidence-deg is {angle:g}, expected an angle between 0 and 90"
        raise wrong_usage(cause, "for instance --incidence-deg 38")
    if options.heading_deg is not None and not abs(options.heading_deg) <= 360:
        cause = f"--heading-deg is {options.heading_deg:g}, expected degrees clockwise from north"
        raise wrong_usage(cause, "for instance --heading-deg -12.5")
    if options.bootstrap < 0 or options.bootstrap == 1:
        cause = f"--bootstrap is {options.bootstrap}, expected 0 or 2 and more"
        raise wrong_usage(cause, "leave it out: 200 are drawn then")
    return ProductRequest(
        value_type=options.product or default,
        parameters=_reference_parameters(options),
        first_date=options.first_date,
        last_date=options.last_date,
        resamples=options.bootstrap,
        incidence_deg=angle,
        heading_deg=options.heading_deg,
    )


def selection_of(options: argparse.Namespace) -> Selection:
    """Return the conditions that the options set.

    Raises
    ------
    PystampsError
        An option is impossible.
    """
    from pystamps_shim.products.selection import Selection  # noqa: PLC0415

    least = options.min_coherence
    if least is not None and not 0 <= least <= 1:
        cause = f"--min-coherence is {least:g}, expected 0 to 1"
        raise wrong_usage(cause, "for instance --min-coherence 0.7")
    if options.polygon_crs is not None and options.polygon is None:
        cause = "--polygon-crs does nothing without --polygon"
        raise wrong_usage(cause, "add --polygon FILE, or drop it")
    bbox = None if options.bbox is None else _box("--bbox", options.bbox)
    return Selection(bbox, options.polygon, options.polygon_crs, options.mask, least)


@contextmanager
def selected(
    dataset: Path,
    options: argparse.Namespace,
    request: ProductRequest,
    scratch: Path,
) -> Iterator[tuple[Measurements, tuple[Step, ...]]]:
    """Make a product of a dataset and yield what the options select of it.

    Parameters
    ----------
    dataset
        Finished dataset.
    options
        As `add_selection` has them.
    request
        The product.
    scratch
        Folder for its values meanwhile.
    """
    from pystamps_shim._binary import find_command  # noqa: PLC0415 - keeps --help quick
    from pystamps_shim.pipeline.commands import Native  # noqa: PLC0415
    from pystamps_shim.products.line_of_sight import required_incidence  # noqa: PLC0415
    from pystamps_shim.products.measurements import measured  # noqa: PLC0415
    from pystamps_shim.products.selection import select  # noqa: PLC0415

    if not dataset.is_dir():
        cause = f"{dataset}: no such folder"
        raise wrong_usage(cause, "correct --dataset")
    settle(dataset)
    conditions = selection_of(options)
    native = Native(find_command(), quiet=True)
    scratch.mkdir(parents=True, exist_ok=True)
    with measured(native, dataset, request, scratch) as made:
        found, steps = select(made, conditions)
        if options.vertical:
            if found.velocity is None:
                cause = f"--vertical is of velocities and displacements, not of {found.value_type}"
                raise wrong_usage(cause, "drop it, or choose --product ts-do")
            incidence = required_incidence(found.places.incidence_rad, dataset)
            found = found.projected(incidence)
        yield found, steps


def _reference_parameters(options: argparse.Namespace) -> tuple[str, ...]:
    """Return the parameters that move the reference area."""
    if options.reference is not None and options.reference_box is not None:
        cause = "--reference and --reference-box are two areas"
        raise wrong_usage(cause, "drop one of them")
    if options.reference_box is not None:
        west, south, east, north = _box("--reference-box", options.reference_box)
        if west > east:
            cause = "--reference-box crosses the date line, which the reference cannot"
            raise wrong_usage(cause, "choose --reference LON LAT RADIUS_M")
        return (
            f"ref_lon=[{west!r} {east!r}]",
            f"ref_lat=[{south!r} {north!r}]",
            "ref_radius=Inf",
        )
    if options.reference is None:
        return ()
    longitude, latitude, radius_m = _circle(options.reference)
    return (
        "ref_lon=[-Inf Inf]",
        "ref_lat=[-Inf Inf]",
        f"ref_centre_lonlat=[{longitude!r} {latitude!r}]",
        f"ref_radius={radius_m!r}",
    )


def _circle(numbers: Sequence[float]) -> tuple[float, float, float]:
    longitude, latitude, radius_m = numbers
    if not (abs(longitude) <= 360 and abs(latitude) <= 90 and 0 < radius_m < math.inf):
        typed = " ".join(f"{number:g}" for number in numbers)
        cause = f"--reference is {typed}, expected longitude, latitude and a radius in metres"
        raise wrong_usage(cause, "for instance --reference 14.2 40.8 300")
    return longitude, latitude, radius_m


def _box(flag: str, edges: Sequence[float]) -> tuple[float, float, float, float]:
    west, south, east, north = edges
    degrees = abs(west) <= 360 and abs(east) <= 360 and abs(south) <= 90 and abs(north) <= 90
    if not (degrees and south < north and west != east):
        cause = f"{flag} is {' '.join(f'{edge:g}' for edge in edges)}, which holds nothing"
        raise wrong_usage(cause, "give west, south, east, north in degrees")
    if west > east:
        sys.stderr.write(f"note: {flag} reaches across the date line, from {west:g} to {east:g}\n")
    return west, south, east, north


def _refuse_no_date(flag: str, text: str | None) -> None:
    if text is None:
        return
    try:
        if len(text) != len("YYYYMMDD"):
            raise ValueError(text)
        datetime.datetime.strptime(text, "%Y%m%d")
    except ValueError as error:
        cause = f"{flag} is '{text}', expected a date YYYYMMDD"
        raise wrong_usage(cause, f"for instance {flag} 20200131") from error
