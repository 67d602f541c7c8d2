"""``plot``: figures of a dataset, ready for slides and papers."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pystamps_shim.commands.selecting import add_selection, request_of, selected, selection_of
from pystamps_shim.commands.settling import settle
from pystamps_shim.errors import PystampsError, wrong_usage

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pystamps_shim.products.figures.kinds import Kind
    from pystamps_shim.products.figures.plot import LonLat, Options, Source
    from pystamps_shim.products.measurements import Measurements, ProductRequest
    from pystamps_shim.products.selection import Step

_DESCRIPTION = """\
Draw a figure of a dataset: KIND is one of

%(kinds)s

The ending of --out decides between PNG and SVG. The same dataset and options give the same bytes.
"""
_EPILOG = """\
examples
  python -m pystamps_shim plot velocity --dataset PROJECT --out velocity.png
  python -m pystamps_shim plot velocity --dataset PROJECT --out up.svg --vertical
  python -m pystamps_shim plot series --dataset PROJECT --out series.png --at 14.12,40.83
  python -m pystamps_shim plot profile --dataset PROJECT --out profile.png \\
      --from-point 14.10,40.80 --to-point 14.20,40.85 --width-m 300
  python -m pystamps_shim plot wrapped --dataset PROJECT --out w.png --product w-dm --columns 6
  python -m pystamps_shim plot all --dataset PROJECT --out figures --format svg

a negative longitude needs an equals sign: --at=-70.5,-33.4
figures need libraries: pip install matplotlib cmcrameri
"""
#: Options of the product, of the PS and of figures, by their names in Python, and what they are
#: unless given.
_OF_PRODUCTS: dict[str, Any] = {
    "product": None,
    "reference": None,
    "reference_box": None,
    "first_date": None,
    "last_date": None,
    "bootstrap": 200,
    "vertical": False,
    "incidence_deg": None,
    "heading_deg": None,
}
_OF_PS: dict[str, Any] = {
    "min_coherence": None,
    "bbox": None,
    "polygon": None,
    "polygon_crs": None,
    "mask": None,
}
_OF_FIGURES: dict[str, Any] = {
    "at": None,
    "radius_m": None,
    "from_point": None,
    "to_point": None,
    "width_m": None,
    "columns": None,
}
_FLAGS = {"first_date": "--from", "last_date": "--to"}


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "plot",
        help="draw figures: maps, time series, profiles, baselines, histograms, …",
        description=_DESCRIPTION % {"kinds": _kind_list()},
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("kind", metavar="KIND", help="one of the figures above, or all")
    add("--dataset", required=True, type=Path, metavar="DIR", help="dataset folder")
    add(
        "--out",
        required=True,
        type=Path,
        metavar="PATH",
        help="FILE.png or FILE.svg; of all, a folder",
    )
    add("--force", action="store_true", help="replace an earlier figure of that name")
    add("--json", action="store_true", help="print what was drawn as JSON")
    add("--dpi", type=int, default=200, metavar="N", help="resolution in dots per inch (200)")
    add("--format", choices=("png", "svg"), help="of all: what to write (png)")
    figures = parser.add_argument_group("of single figures")
    add = figures.add_argument
    add(
        "--at",
        action="append",
        metavar="LON,LAT",
        help="series: a place, whose nearest PS is shown; up to six times",
    )
    add("--radius-m", type=float, metavar="M", help="series: the mean of the PS within it instead")
    add("--from-point", metavar="LON,LAT", help="profile: where it begins")
    add("--to-point", metavar="LON,LAT", help="profile: where it ends")
    add("--width-m", type=float, metavar="M", help="profile: width of the strip of PS (200)")
    add("--columns", type=int, metavar="N", help="wrapped, unwrapped: panels side by side")
    add_selection(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Draw one figure, or all that the dataset allows, and say what they are."""
    from pystamps_shim.products.drawing import SUFFIXES, missing_library, suffix_of  # noqa: PLC0415
    from pystamps_shim.products.figures.kinds import ALL, kind_named  # noqa: PLC0415
    from pystamps_shim.products.publish import refuse_existing  # noqa: PLC0415

    begin = time.monotonic()
    everything = options.kind == ALL
    kind = None if everything else kind_named(options.kind)
    asked = _options(options)
    _refuse_idle(options, kind)
    if everything and options.out.suffix.lower() in SUFFIXES:
        cause = f"{options.out} is the name of a figure, and 'plot all' writes a folder"
        raise wrong_usage(cause, "for instance --out figures")
    if not everything:
        suffix_of(options.out)
    if not 30 <= options.dpi <= 1200:
        cause = f"--dpi is {options.dpi}, expected 30 to 1200"
        raise wrong_usage(cause, "for instance --dpi 300")
    missing = missing_library()
    if missing is not None:
        raise missing
    refuse_existing(options.out, force=options.force, is_folder=everything)
    with _source(options) as source:
        told = (
            _draw_all(options, source, asked)
            if kind is None
            else _draw_one(options, source, asked, kind)
        )
    told["seconds"] = round(time.monotonic() - begin, 3)
    _say(options, told)
    return 0


def _draw_one(
    options: argparse.Namespace, source: Source, asked: Options, kind: Kind
) -> dict[str, Any]:
    from pystamps_shim.products.figures.kinds import draw  # noqa: PLC0415
    from pystamps_shim.products.figures.plot import Plot  # noqa: PLC0415
    from pystamps_shim.products.publish import published  # noqa: PLC0415

    with published(options.out, force=options.force) as path:
        draw(kind, Plot(source, path, asked, options.dpi))
    return {"file": str(options.out), "drawn": [kind.name], "left_out": {}}


def _draw_all(options: argparse.Namespace, source: Source, asked: Options) -> dict[str, Any]:
    """Draw every figure that the dataset allows into a folder.

    Raises
    ------
    PystampsError
        It allows none.
    """
    from pystamps_shim.products.figures.kinds import KINDS, draw  # noqa: PLC0415
    from pystamps_shim.products.figures.plot import Plot  # noqa: PLC0415
    from pystamps_shim.products.publish import FOLDER_MARK, published  # noqa: PLC0415

    suffix = options.format or "png"
    drawn: list[str] = []
    left_out: dict[str, str] = {}
    with published(options.out, force=options.force, is_folder=True) as folder:
        folder.mkdir()
        for kind in KINDS.values():
            path = folder / f"{kind.name}.{suffix}"
            try:
                draw(kind, Plot(source, path, asked, options.dpi))
                drawn.append(path.name)
            except PystampsError as error:
                path.unlink(missing_ok=True)
                left_out[kind.name] = f"{error.cause} ({error.remedy})"
        if not drawn:
            cause = f"no figure can be drawn: {'; '.join(_by_reason(left_out))}"
            raise PystampsError(cause, "run the stages first")
        told: dict[str, Any] = {"drawn": drawn, "left_out": left_out}
        text = json.dumps(told, indent=2, ensure_ascii=False) + "\n"
        (folder / FOLDER_MARK).write_text(text, encoding="utf-8")
    return {"file": str(options.out), **told}


def _say(options: argparse.Namespace, told: dict[str, Any]) -> None:
    if options.json:
        sys.stdout.write(json.dumps(told) + "\n")
        return
    what = ", ".join(told["drawn"])
    sys.stdout.write(f"{told['file']}: {what} ({told['seconds']:.1f} s)\n")
    for line in _by_reason(told["left_out"]):
        sys.stdout.write(f"not drawn: {line}\n")


def _by_reason(left_out: dict[str, str]) -> list[str]:
    """Return what was left out, figures of one reason together."""
    names: dict[str, list[str]] = {}
    for name, reason in left_out.items():
        names.setdefault(reason, []).append(name)
    return [f"{', '.join(these)}: {reason}" for reason, these in names.items()]


@contextmanager
def _source(options: argparse.Namespace) -> Iterator[Source]:
    """Yield the dataset that the options name, with the products and PS that they choose."""
    from pystamps_shim._binary import find_command  # noqa: PLC0415 - keeps --help quick
    from pystamps_shim.pipeline.commands import Native  # noqa: PLC0415
    from pystamps_shim.products.figures.kinds import shows_motion  # noqa: PLC0415
    from pystamps_shim.products.figures.plot import Source  # noqa: PLC0415

    if not options.dataset.is_dir():
        cause = f"{options.dataset}: no such folder"
        raise wrong_usage(cause, "correct --dataset")
    settle(options.dataset)
    request, selection = request_of(options), selection_of(options)
    scratch = options.out.parent

    def make(
        wanted: ProductRequest,
    ) -> AbstractContextManager[tuple[Measurements, tuple[Step, ...]]]:
        # With --vertical, what is no motion stays as it is.
        vertical = options.vertical and shows_motion(wanted.value_type)
        changed = argparse.Namespace(**{**vars(options), "vertical": vertical})
        return selected(options.dataset, changed, wanted, scratch)

    scratch.mkdir(parents=True, exist_ok=True)
    with Source(
        options.dataset,
        request,
        selection,
        make=make,
        native=Native(find_command(), quiet=True),
        scratch=scratch,
        product=options.product,
    ) as source:
        yield source


def _options(options: argparse.Namespace) -> Options:
    """Return what is asked of single figures.

    Raises
    ------
    PystampsError
        A place or a length is impossible.
    """
    from pystamps_shim.products.figures.plot import Options  # noqa: PLC0415

    ends = (options.from_point, options.to_point)
    if (ends[0] is None) != (ends[1] is None):
        cause = "--from-point and --to-point are both ends of a line"
        raise wrong_usage(cause, "give both")
    line = None
    if ends[0] is not None and ends[1] is not None:
        line = (_place("--from-point", ends[0]), _place("--to-point", ends[1]))
    radius_m, width_m = options.radius_m, options.width_m
    if radius_m is not None and not 0 <= radius_m < float("inf"):
        cause = f"--radius-m is {radius_m:g}, expected a length in metres"
        raise wrong_usage(cause, "for instance --radius-m 100; 0 for the nearest PS")
    if radius_m is not None and not options.at:
        cause = "--radius-m does nothing without --at"
        raise wrong_usage(cause, "add --at LON,LAT, or drop it")
    if width_m is not None and not 0 < width_m < float("inf"):
        cause = f"--width-m is {width_m:g}, expected a length in metres"
        raise wrong_usage(cause, "for instance --width-m 200")
    if options.columns is not None and not 1 <= options.columns <= 42:
        cause = f"--columns is {options.columns}, expected 1 to 42"
        raise wrong_usage(cause, "leave it out for seven")
    return Options(
        places_lonlat_deg=tuple(_place("--at", text) for text in options.at or ()),
        radius_m=radius_m or 0.0,
        line_lonlat_deg=line,
        width_m=width_m or 200.0,
        columns=options.columns,
    )


def _refuse_idle(options: argparse.Namespace, kind: Kind | None) -> None:
    """Raise where an option is given that does nothing for a figure."""
    known = _OF_PRODUCTS | _OF_PS | _OF_FIGURES
    given = [name for name, default in known.items() if getattr(options, name) != default]
    if kind is None:
        if "product" in given:
            cause = "--product is one product, and 'plot all' shows several"
            raise wrong_usage(cause, "draw one kind of figure, or drop it")
        return
    if options.format is not None:
        cause = "--format is for 'plot all': the ending of --out decides here"
        raise wrong_usage(cause, "drop it")
    takes = {
        *kind.options,
        *(_OF_PS if kind.selects else ()),
        *(_OF_PRODUCTS if kind.product is not None else ()),
    }
    if not kind.of_motion:
        takes.discard("vertical")
    for name in given:
        if name not in takes:
            flag = _FLAGS.get(name, f"--{name.replace('_', '-')}")
            cause = f"{flag} does nothing for 'plot {kind.name}'"
            raise wrong_usage(cause, "drop it, or draw another figure")


def _place(flag: str, text: str) -> LonLat:
    try:
        longitude, latitude = (float(part) for part in text.split(","))
    except ValueError:
        longitude = latitude = float("nan")
    if not (abs(longitude) <= 360 and abs(latitude) <= 90):
        cause = f"{flag} is '{text}', expected LON,LAT in degrees"
        raise wrong_usage(cause, f"for instance {flag} 14.2,40.8 (a negative: {flag}=-70,…)")
    return longitude, latitude


def _kind_list() -> str:
    from pystamps_shim.products.figures.kinds import ALL, KINDS  # noqa: PLC0415

    lines = [f"  {each.name:<20} {each.meaning}" for each in KINDS.values()]
    return "\n".join([*lines, f"  {ALL:<20} all of them that the dataset allows, into a folder"])
