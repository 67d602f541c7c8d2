"""Every figure: the same bytes again, PNG and SVG, and words that can be read."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from figure_sets import (
    Drawer,
    drawer,
    outside,
    overlaps,
    small,
    texts_of,
    words_of,
)
from PIL import Image

from pystamps_shim.errors import PystampsError
from pystamps_shim.products.drawing import figure
from pystamps_shim.products.figures.kinds import KINDS, kind_named
from pystamps_shim.products.figures.page import text_width_inches, wrapped
from pystamps_shim.products.figures.plot import Options
from pystamps_shim.products.selection import Selection

__all__ = ["drawer", "small"]

_LEAST_FONT = 9.0
_TWICE_AS_SVG = tuple(KINDS)[::2]
#: One of each kind of layout.
_OF_PS = ("velocity-histogram", "series", "scla", "wrapped")


@pytest.mark.parametrize("kind", KINDS)
def test_png_can_be_read(drawer: Drawer, kind: str) -> None:
    """No words overlap, are cut or too small for a slide."""
    drawn, content = drawer.once(kind)
    assert content[:4] == b"\x89PNG"
    assert np.ptp(np.asarray(Image.open(io.BytesIO(content)).convert("L"))) > 200
    assert overlaps(drawn) == []
    assert outside(drawn) == []
    sizes = {text.get_text(): float(text.get_fontsize()) for text in texts_of(drawn)}
    assert {text: size for text, size in sizes.items() if size < _LEAST_FONT} == {}


@pytest.mark.parametrize("kind", KINDS)
def test_svg_tells_neither_day_nor_place(drawer: Drawer, kind: str) -> None:
    """And is drawn as outlines: it looks the same without the font."""
    _, first = drawer.draw(kind, ".svg")
    assert ET.fromstring(first).tag == "{http://www.w3.org/2000/svg}svg"
    assert b"<dc:date>" not in first
    assert str(drawer.out).encode() not in first
    assert b"<text" not in first
    if kind in _TWICE_AS_SVG:
        assert drawer.draw(kind, ".svg")[1] == first


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in _TWICE_AS_SVG])
def test_png_is_the_same_again(drawer: Drawer, kind: str) -> None:
    """Drawing is the same for both; every kind is drawn twice as one of them."""
    assert drawer.draw(kind)[1] == drawer.once(kind)[1]


@pytest.mark.parametrize("kind", _OF_PS)
def test_one_ps_makes_a_figure(drawer: Drawer, kind: str) -> None:
    """Maps keep some size, words their places."""
    first = drawer.source().patch.variable("lonlat")[100]
    box = (first[0] - 1e-6, first[1] - 1e-6, first[0] + 1e-6, first[1] + 1e-6)
    drawn, _ = drawer.draw(kind, source=drawer.source(selection=Selection(bbox_deg=box)))
    assert overlaps(drawn) == []
    assert outside(drawn) == []
    assert "1 of " in words_of(drawn)


@pytest.mark.parametrize("kind", ["velocity", "wrapped", "noise"])
def test_the_file_holds_the_metadata(drawer: Drawer, kind: str) -> None:
    """Of every product that was drawn: reference, sign, unit, parameters."""
    told = json.loads(Image.open(io.BytesIO(drawer.once(kind)[1])).text["Description"])  # type: ignore[attr-defined]
    assert told["program_version"]
    assert list(told["products"]) == {"velocity": ["v-do"], "wrapped": ["w"], "noise": []}[kind]
    for product in told["products"].values():
        assert product["reference"]["description"]
        assert product["sign_convention"]
        assert "lambda" in product["parameters"]


def test_every_figure_says_what_it_is(drawer: Drawer) -> None:
    """Title, product, number of PS, dates and reference."""
    drawn, _ = drawer.once("velocity")
    said = words_of(drawn)
    count = drawer.source().patch.n_ps
    assert "Mean line-of-sight velocity" in said
    assert f"product v-do · {count:,} PS · 8 images, " in said
    assert "relative to: mean of all PS" in said
    assert "Standard deviation: bootstrap of the dates, 20 resamples." in said.replace("\n", " ")


def test_the_users_settings_do_not_show(drawer: Drawer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A matplotlibrc with large blue text and another salt changes nothing."""
    import matplotlib as mpl

    _, first = drawer.draw("noise", ".svg")
    settings: dict[Any, Any] = {"font.size": 31.0, "text.color": "blue", "svg.hashsalt": "x"}
    for name, value in settings.items():
        monkeypatch.setitem(mpl.rcParams, name, value)
    assert drawer.draw("noise", ".svg")[1] == first


@pytest.mark.parametrize("name", ["figure.pdf", "figure", "figure.PNG.txt"])
def test_other_endings_are_refused(tmp_path: Path, name: str) -> None:
    """With the endings that are written."""
    ending = r"figures end in \.png or \.svg"
    with pytest.raises(PystampsError, match=ending) as caught, figure(tmp_path / name, 1, 1):
        pass
    assert caught.value.exit_code == 2


def test_an_unknown_figure_is_refused_with_the_nearest() -> None:
    """And with the list."""
    with pytest.raises(PystampsError, match="did you mean 'velocity'") as caught:
        kind_named("velocty")
    assert caught.value.exit_code == 2
    assert "da-histogram" in caught.value.remedy


def test_lines_fit_and_parts_stay_together() -> None:
    """Broken at dots where that is enough, between words where it is not."""
    text = "product v-do · 9,800 PS · relative to: mean of all PS"
    room = text_width_inches("product v-do · 9,800 PS · relative", 9)
    assert wrapped(text, room, 9) == ["product v-do · 9,800 PS", "relative to: mean of all PS"]
    narrow = text_width_inches("relative to: mean", 9)
    lines = wrapped(text, narrow, 9)
    assert " ".join(lines).replace(" · ", " ") == text.replace(" · ", " ")
    assert all(text_width_inches(line, 9) <= narrow for line in lines)


def test_six_series_and_a_long_reference_are_legible(drawer: Drawer) -> None:
    """The most that a page of series shows."""
    lonlat_deg = drawer.source().patch.variable("lonlat")
    places = tuple((float(x), float(y)) for x, y in lonlat_deg[::110][:6])
    options = Options(places_lonlat_deg=places, radius_m=120.0)
    middle = lonlat_deg.mean(axis=0)
    centre = f"ref_centre_lonlat=[{middle[0]!r} {middle[1]!r}]".replace("np.float64", "")
    parameters = (centre.replace("(", "").replace(")", ""), "ref_radius=400")
    source = drawer.source(parameters=parameters)
    drawn, _ = drawer.draw("series", source=source, options=options)
    assert overlaps(drawn) == []
    assert "relative to: mean of " in words_of(drawn)
    assert "★ reference: mean of " in words_of(drawn)
