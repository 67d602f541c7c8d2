"""Points for Google Earth: one document, or a pyramid in which every point is once."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from measurements_made import NO_PLACE_VALUES, NO_VELOCITY, heights_only, made, written
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.products.export import kmz
from pystamps_shim.products.export.colour_scale import UNKNOWN, ColourScale
from pystamps_shim.products.export.pictures import dot_png, legend_png
from pystamps_shim.products.export.quadtree import even_sample, nodes

NAMESPACE = {"k": "http://www.opengis.net/kml/2.2"}
Tree = ET.Element


def document(file: zipfile.ZipFile, name: str) -> Tree:
    """Return a document's root."""
    return ET.fromstring(file.read(name))


def placemarks(tree: Tree) -> list[Tree]:
    return tree.findall(".//k:Placemark", NAMESPACE)


def text(element: Tree, path: str) -> str:
    return element.findtext(path, "", NAMESPACE)


def place_of(placemark: Tree) -> tuple[float, float]:
    longitude, latitude = text(placemark, "k:Point/k:coordinates").split(",")
    return float(longitude), float(latitude)


def test_one_document(tmp_path: Path) -> None:
    """Values, colours after the velocity, the legend, and metadata."""
    found = made()
    with zipfile.ZipFile(written("kmz", tmp_path)) as file:
        assert file.namelist() == ["doc.kml", "legend.png", "dot.png", "metadata.json"]
        tree = document(file, "doc.kml")
    marks = placemarks(tree)
    assert len(marks) == 60
    np.testing.assert_allclose(
        [place_of(mark) for mark in marks], found.places.lonlat_deg, rtol=0, atol=0.51e-7
    )
    velocity = found.velocity_mm_per_year()
    told = text(marks[0], "k:description").split("<br/>")
    assert told[0] == "ps: 1"
    assert told[3] == f"velocity: {velocity[0]:.3f} mm/yr"
    assert len(told) == 5  # No displacements.
    assert "height: unknown" in text(marks[NO_PLACE_VALUES], "k:description")
    styles = {
        style.attrib["id"]: text(style, "k:IconStyle/k:color")
        for style in tree.findall(".//k:Style", NAMESPACE)
    }
    scale = ColourScale.of(velocity)
    for mark, value in zip(marks, velocity, strict=True):
        red, green, blue = (*scale.colours, UNKNOWN)[scale.classes_of(np.array([value]))[0]]
        colour = styles[text(mark, "k:styleUrl").removeprefix("#")]
        assert colour == f"ff{blue:02x}{green:02x}{red:02x}"
    assert text(marks[NO_VELOCITY], "k:name") == ""
    assert text(tree, ".//k:ScreenOverlay/k:Icon/k:href") == "legend.png"


def test_archive_is_of_the_plain_kind(tmp_path: Path) -> None:
    """Google's library reads no archive with sizes of 64 bits, which Python writes if asked to."""
    path = written("kmz", tmp_path)
    content = path.read_bytes()
    with zipfile.ZipFile(path) as file:
        for entry in file.infolist():
            # At these places of an entry's head: length of what follows its name.
            assert content[entry.header_offset + 28 : entry.header_offset + 30] == b"\0\0"
            assert entry.flag_bits == 0


def test_google_library_reads_it(tmp_path: Path) -> None:
    """Through GDAL, where it has that library."""
    pyogrio = pytest.importorskip("pyogrio")
    if "LIBKML" not in pyogrio.list_drivers():
        pytest.skip("this GDAL has no LIBKML")
    shapely = pytest.importorskip("shapely")
    info, _, geometry, values = pyogrio.raw.read(written("kmz", tmp_path))
    assert info["crs"] == "EPSG:4326"
    points = shapely.get_coordinates(shapely.from_wkb(geometry))
    np.testing.assert_allclose(points, made().places.lonlat_deg, rtol=0, atol=0.51e-7)
    names = values[list(info["fields"]).index("Name")]
    assert names[0] == f"{made().velocity_mm_per_year()[0]:.1f}"


def test_elements_are_in_the_order_of_the_standard(tmp_path: Path) -> None:
    """Viewers that hold to the schema read no other."""
    order = ["name", "open", "description", "Style", "ScreenOverlay", "Placemark"]
    with zipfile.ZipFile(written("kmz", tmp_path)) as file:
        kinds = [each.tag.rpartition("}")[2] for each in document(file, "doc.kml")[0]]
    assert kinds == sorted(kinds, key=order.index)
    assert set(kinds) == set(order)


def test_names_from_outside_are_escaped(tmp_path: Path) -> None:
    """A folder called ``<&>`` does not break the document, nor what it shows."""
    found = made()
    dataset = replace(found.dataset, folder=Path("a<b>&c"))
    reference = {**found.layer.description["reference"], "description": "PS near <b>A & B</b>"}
    about = {**found.layer.description, "reference": reference}
    named = replace(found, dataset=dataset, layer=replace(found.layer, description=about))
    with zipfile.ZipFile(written("kmz", tmp_path, named)) as file:
        tree = document(file, "doc.kml")
    # Hypertext inside: still escaped once when the document has been read.
    assert "PS near &lt;b&gt;A &amp; B&lt;/b&gt;<br/>" in text(tree, "k:Document/k:description")
    assert text(tree, "k:Document/k:name") == "pystamps product ts-do of a<b>&c"


@pytest.fixture
def pyramid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], zipfile.ZipFile]:
    """Return a maker of a pyramid of five hundred points, twenty a document."""
    monkeypatch.setattr(kmz, "MOST_POINTS", 499)
    monkeypatch.setattr(kmz, "_POINTS_OF_NODE", 20)
    return lambda: zipfile.ZipFile(written("kmz", tmp_path, made(500)))


def test_pyramid_holds_every_point_once(pyramid: Callable[[], zipfile.ZipFile]) -> None:
    """Following the links from the first document reaches all of them, each in its region."""
    with pyramid() as file:
        seen: list[int] = []
        waiting: list[tuple[str, dict[str, float] | None]] = [("doc.kml", None)]
        reached: list[str] = []
        while waiting:
            name, region = waiting.pop()
            reached.append(name)
            tree = document(file, name)
            marks = placemarks(tree)
            assert len(marks) <= 20
            for mark in marks:
                seen.append(int(text(mark, "k:description").split("<br/>")[0].removeprefix("ps: ")))
                assert region is None or _inside(place_of(mark), region)
            folder = name.rpartition("/")[0]
            for link in tree.findall(".//k:NetworkLink", NAMESPACE):
                box = link.find("k:Region/k:LatLonAltBox", NAMESPACE)
                assert box is not None
                below = {
                    side: float(text(box, f"k:{side}"))
                    for side in ("north", "south", "east", "west")
                }
                href = text(link, "k:Link/k:href")
                waiting.append((f"{folder}/{href}".lstrip("/"), below))
        assert sorted(seen) == list(range(1, 1001, 2))
        documents = [name for name in file.namelist() if name.endswith(".kml")]
        assert sorted(reached) == sorted(documents)
        assert file.namelist()[0] == "doc.kml"
        styled = document(file, "tiles/r.kml").findall(".//k:Style", NAMESPACE)
        assert len(styled) == 22


def _inside(place: tuple[float, float], box: dict[str, float]) -> bool:
    slack = 1e-7
    longitude, latitude = place
    return bool(
        box["west"] - slack <= longitude <= box["east"] + slack
        and box["south"] - slack <= latitude <= box["north"] + slack
    )


def test_pyramid_is_loaded_by_size_on_the_screen(
    pyramid: Callable[[], zipfile.ZipFile],
) -> None:
    """The first level always, those below when they are near, and none ever leaves."""
    with pyramid() as file:
        first = document(file, "doc.kml").findall(".//k:Lod", NAMESPACE)
        below = document(file, "tiles/r.kml").findall(".//k:Lod", NAMESPACE)
    assert [text(lod, "k:minLodPixels") for lod in first] == ["0"]
    assert {text(lod, "k:minLodPixels") for lod in below} == {"256"}
    assert {text(lod, "k:maxLodPixels") for lod in first + below} == {"-1"}


def test_coarse_levels_are_even() -> None:
    """Where nine in ten points lie in a corner, a sample still covers the whole."""
    rng = np.random.default_rng(2)
    xy = np.vstack([rng.random((900, 2)) / 10, rng.random((100, 2))])
    chosen = even_sample(xy, (0.0, 0.0, 1.0, 1.0), 64)
    assert len(np.unique(chosen)) == 64
    in_corner = np.all(xy[chosen] < 0.1, axis=1)
    assert in_corner.mean() < 0.3


@pytest.mark.parametrize("most", [1, 7, 64])
def test_points_at_one_place_end(most: int) -> None:
    """Points that no square tells apart are told level after level."""
    tree = list(nodes(np.full((150, 2), 7.0), most))
    rows = np.concatenate([node.rows for node in tree])
    assert np.sort(rows).tolist() == list(range(150))
    assert all(node.rows.size <= most for node in tree)


def test_colours_are_told_apart_without_red_and_green() -> None:
    """Lightness falls to both ends, and the ends differ in blue."""
    scale = ColourScale.of(np.array([-8.0, 3.0]))
    assert scale.limit == 8.0
    rgb = np.array(scale.colours, dtype=np.float64)
    lightness = rgb @ (0.2126, 0.7152, 0.0722)
    middle = len(scale.colours) // 2
    assert np.all(np.diff(lightness[: middle + 1]) > 0)
    assert np.all(np.diff(lightness[middle:]) < 0)
    assert np.all(rgb[:middle, 0] - rgb[:middle, 2] > 0)
    assert np.all(rgb[middle + 1 :, 2] - rgb[middle + 1 :, 0] > 0)
    classes = scale.classes_of(np.array([-99.0, -8.0, 0.0, 8.0, 99.0, np.nan]))
    assert classes.tolist() == [0, 0, middle, 20, 20, 21]


def test_pictures_are_png() -> None:
    """Decoded by hand: sizes, checks, and the colours at the ends."""
    image = decoded(legend_png(ColourScale.of(np.array([12.5]))))
    assert image.shape == (64, 300, 3)
    assert tuple(image[20, 12]) == ColourScale.of(np.array([1.0])).colours[0]
    assert np.any(image[38:53] == 34)
    dot = decoded(dot_png())
    assert dot.shape == (32, 32, 4)
    assert dot[0, 0, 3] == 0
    assert dot[16, 16].tolist() == [255] * 4


def decoded(content: bytes) -> NDArray[Any]:
    """Return a picture whose rows are unfiltered, [height, width, channels]."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(content):
        size = int.from_bytes(content[at : at + 4])
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + size]
        assert int.from_bytes(content[at + 8 + size : at + 12 + size]) == zlib.crc32(kind + body)
        chunks[kind] = body
        at += 12 + size
    width, height = (int.from_bytes(chunks[b"IHDR"][i : i + 4]) for i in (0, 4))
    channels = {2: 3, 6: 4}[chunks[b"IHDR"][9]]
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, -1)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, channels)


def test_products_without_velocity_are_refused(tmp_path: Path) -> None:
    """There is nothing to colour by."""
    with pytest.raises(PystampsError, match="format kmz shows velocities"):
        written("kmz", tmp_path, heights_only(made()))
    assert not list(tmp_path.iterdir())
