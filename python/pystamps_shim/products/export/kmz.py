"""Points for Google Earth, coloured by velocity: one document, or for many points a pyramid.

A pyramid is a tree of documents inside the file. A document is loaded when its square is large
enough on the screen, and stays while those below it come in, so that all points are there in the
end. Displacements of single dates are left out: Google Earth has no use for them.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from math import isfinite
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import wrong_usage
from pystamps_shim.products.export.colour_scale import UNKNOWN, Colour, ColourScale
from pystamps_shim.products.export.gathered import DISPLACEMENT_UNIT, columns_of, main_velocity
from pystamps_shim.products.export.job import Export
from pystamps_shim.products.export.pictures import dot_png, legend_png
from pystamps_shim.products.export.quadtree import Bounds, Node, nodes
from pystamps_shim.products.measurements import Doubles, Rows
from pystamps_shim.products.metadata import metadata_text
from pystamps_shim.products.point_table import Field

#: Points of a single document; above, a pyramid.
MOST_POINTS = 50_000
#: Points of a document of the pyramid.
_POINTS_OF_NODE = 2_000
#: Size of a square on the screen, in dots, from which on it is loaded.
_LOADED_AT = 256
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE = 0o100644 << 16
_OPEN = '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n'
_CLOSE = "</Document>\n</kml>\n"
_BREAK = "&lt;br/&gt;"
# Least size of a square that loads more, degrees: Google Earth must be able to come near enough.
_LEAST_SIZE_DEG = 1e-4


@dataclass(frozen=True)
class _Points:
    """What placemarks tell: fields, their columns, and the class of colour, one row a point."""

    lonlat_deg: Doubles
    fields: tuple[Field, ...]
    columns: tuple[NDArray[Any], ...]
    classes: NDArray[np.intp]
    names: NDArray[Any]


def write(export: Export, path: Path) -> None:
    """Write one document, or for more than 50,000 points a pyramid of them.

    Raises
    ------
    PystampsError
        There is no velocity to colour by.
    """
    fields = [field for field in export.table.fields if field.unit != DISPLACEMENT_UNIT]
    main = main_velocity(fields)
    if main is None:
        cause = "format kmz shows velocities, which this product has none of"
        raise wrong_usage(cause, "choose --product v-do or another format")
    columns = columns_of(export, fields)
    velocity = columns[fields.index(main)].astype(np.float64)
    scale = ColourScale.of(velocity)
    lonlat_deg = export.table.lonlat_deg
    points = _Points(
        lonlat_deg, tuple(fields), tuple(columns), scale.classes_of(velocity), velocity
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        _documents(file, export.table.metadata, scale, points)
        _add(file, "legend.png", legend_png(scale))
        _add(file, "dot.png", dot_png())
        _add(file, "metadata.json", metadata_text(export.table.metadata).encode())


def _documents(
    file: zipfile.ZipFile, metadata: dict[str, Any], scale: ColourScale, points: _Points
) -> None:
    """Write ``doc.kml``, which comes first, and the documents that it links."""
    head = [_OPEN, "<Document>\n", _about(metadata)]
    if len(points.lonlat_deg) <= MOST_POINTS:
        everything = np.arange(len(points.lonlat_deg))
        # KML wants styles before anything that is shown.
        body = chain(_styles(scale, ""), [_legend()], _placemarks(points, everything))
        _add_text(file, "doc.kml", chain(head, body, [_CLOSE]))
        return
    tree = nodes(points.lonlat_deg, _POINTS_OF_NODE)
    for node in tree:
        if node.is_root:
            link = _link(node.name, node.bounds, "tiles/", least=0)
            _add_text(file, "doc.kml", [*head, _legend(), link, _CLOSE])
        _add_text(file, f"tiles/{node.name}.kml", _tile(points, scale, node))


def _tile(points: _Points, scale: ColourScale, node: Node) -> Iterator[str]:
    """Yield a document of the pyramid: links to its children, its points."""
    yield f"{_OPEN}<Document>\n<name>{node.name}</name>\n"
    yield from _styles(scale, "../")
    for name, bounds in node.children:
        yield _link(name, bounds, "", least=_LOADED_AT)
    yield from _placemarks(points, node.rows)
    yield _CLOSE


def _about(metadata: dict[str, Any]) -> str:
    told = (
        f"sign: {metadata['sign_convention']}",
        f"relative to: {metadata['reference']['description']}",
        f"written by {metadata['program']} {metadata['program_version']}; metadata.json inside",
    )
    title, lines = escape(str(metadata["title"])), _BREAK.join(map(_html, told))
    return f"<name>{title}</name>\n<open>1</open>\n<description>{lines}</description>\n"


def _styles(scale: ColourScale, folder: str) -> Iterator[str]:
    for number, colour in enumerate((*scale.colours, UNKNOWN)):
        yield (
            f'<Style id="c{number}"><IconStyle><color>{_hex(colour)}</color>'
            f"<scale>0.4</scale><Icon><href>{folder}dot.png</href></Icon></IconStyle>"
            "<LabelStyle><scale>0</scale></LabelStyle></Style>\n"
        )


def _hex(colour: Colour) -> str:
    """Return an opaque colour as KML has it: alpha, blue, green, red."""
    red, green, blue = colour
    return f"ff{blue:02x}{green:02x}{red:02x}"


def _legend() -> str:
    corner = 'xunits="fraction" yunits="fraction"'
    return (
        "<ScreenOverlay><name>mean velocity, mm/yr</name><Icon><href>legend.png</href></Icon>"
        f'<overlayXY x="0" y="0" {corner}/><screenXY x="0.02" y="0.06" {corner}/>'
        f'<size x="0" y="0" {corner}/></ScreenOverlay>\n'
    )


def _placemarks(points: _Points, rows: Rows) -> Iterator[str]:
    """Yield a placemark a point, with all its values."""
    titles = [_html(f"{field.short}: ") for field in points.fields]
    shown = [
        _shown(values[rows], field)
        for values, field in zip(points.columns, points.fields, strict=True)
    ]
    places, classes = points.lonlat_deg[rows].tolist(), points.classes[rows].tolist()
    names = _words(points.names[rows], 1)
    for place, number, name, *values in zip(places, classes, names, *shown, strict=True):
        told = _BREAK.join(map(str.__add__, titles, values))
        yield (
            f"<Placemark><name>{name}</name><description>{told}</description>"
            f"<styleUrl>#c{number}</styleUrl>"
            f"<Point><coordinates>{place[0]:.7f},{place[1]:.7f}</coordinates></Point></Placemark>\n"
        )


def _shown(values: NDArray[Any], field: Field) -> list[str]:
    unit = f" {field.unit}" if field.unit else ""
    words = _words(values, field.decimals)
    return [_html(f"{word}{unit}") if word else "unknown" for word in words]


def _html(text: str) -> str:
    """Return text for a description, which is hypertext inside KML."""
    return escape(escape(text))


def _words(values: NDArray[Any], decimals: int) -> list[str]:
    """Return numbers as text, nothing for unknown ones."""
    digits = (np.round(values.astype(np.float64), decimals) + 0.0).tolist()
    return [f"{value:.{decimals}f}" if isfinite(value) else "" for value in digits]


def _link(name: str, bounds: Bounds, folder: str, least: int) -> str:
    """Return a link that loads a document where its square has `least` dots on the screen."""
    west, south, east, north = bounds
    wider, higher = (max(_LEAST_SIZE_DEG - size, 0) / 2 for size in (east - west, north - south))
    return (
        f"<NetworkLink><name>{name}</name><Region><LatLonAltBox>"
        f"<north>{north + higher!r}</north><south>{south - higher!r}</south>"
        f"<east>{east + wider!r}</east><west>{west - wider!r}</west></LatLonAltBox>"
        f"<Lod><minLodPixels>{least}</minLodPixels><maxLodPixels>-1</maxLodPixels></Lod></Region>"
        f"<Link><href>{folder}{name}.kml</href><viewRefreshMode>onRegion</viewRefreshMode></Link>"
        "</NetworkLink>\n"
    )


def _add_text(file: zipfile.ZipFile, name: str, parts: Iterable[str]) -> None:
    with file.open(_entry(name), "w") as target:
        for part in parts:
            target.write(part.encode("utf-8"))


def _add(file: zipfile.ZipFile, name: str, content: bytes) -> None:
    with file.open(_entry(name), "w") as target:
        target.write(content)


def _entry(name: str) -> zipfile.ZipInfo:
    """Return an entry of a fixed day, so that the same points give the same bytes."""
    entry = zipfile.ZipInfo(name, _FIRST_DAY)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = _REGULAR_FILE
    entry.create_system = 3
    return entry
