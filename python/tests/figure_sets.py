"""What the tests of figures share: a small dataset, its figures as matplotlib has them, boxes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.axes._base import _AxesBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from pystamps_shim._binary import find_command
from pystamps_shim.cli import main
from pystamps_shim.pipeline.commands import Native
from pystamps_shim.products.figures.kinds import KINDS, draw
from pystamps_shim.products.figures.plot import Chosen, Options, Plot, Source
from pystamps_shim.products.measurements import ProductRequest, measured
from pystamps_shim.products.selection import Selection, select
from pystamps_shim.simulate.export import write_export
from pystamps_shim.simulate.scene import PRESETS

#: Options with which every kind draws something on the small dataset.
LINE = ((11.287, 44.192), (11.312, 44.206))
#: Quick to draw; boxes are measured in figure coordinates, whatever the resolution.
DOTS_PER_INCH = 50


#: One dataset and one drawer, whichever module asks first.
_SHARED: dict[str, Any] = {}


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Process a simulated scene: 8 images, some 640 PS."""
    if "dataset" not in _SHARED:
        folder = tmp_path_factory.mktemp("small")
        write_export(replace(PRESETS["tiny"], seed=8), folder / "export")
        dataset = folder / "dataset"
        arguments = ["run", "--export", str(folder / "export"), "--dataset", str(dataset)]
        assert main([*arguments, "--no-products"]) == 0
        _SHARED["dataset"] = dataset
    found: Path = _SHARED["dataset"]
    return found


class Drawer:
    """Draws figures of a dataset and keeps them as matplotlib has them.

    Parameters
    ----------
    dataset
        Merged dataset.
    out
        Folder for files.
    """

    def __init__(self, dataset: Path, out: Path, held: ExitStack) -> None:
        self.dataset, self.out = dataset, out
        self._held = held
        self._native = Native(find_command(), quiet=True)
        self._sources: dict[tuple[object, ...], Source] = {}
        self._drawn: dict[str, tuple[Figure, bytes]] = {}

    def source(
        self,
        product: str | None = None,
        selection: Selection | None = None,
        parameters: tuple[str, ...] = (),
    ) -> Source:
        """Return the dataset with a product and selection, one object for the same."""
        conditions = selection or Selection()
        key = (product, conditions, parameters)
        if key not in self._sources:
            request = ProductRequest(parameters=parameters, resamples=20)

            @contextmanager
            def make(wanted: ProductRequest) -> Iterator[Chosen]:
                with measured(self._native, self.dataset, wanted, self.out) as made:
                    yield select(made, conditions)

            self._sources[key] = self._held.enter_context(
                Source(
                    self.dataset,
                    request,
                    conditions,
                    make=make,
                    native=self._native,
                    scratch=self.out,
                    product=product,
                )
            )
        return self._sources[key]

    def once(self, kind: str) -> tuple[Figure, bytes]:
        """Return a figure as PNG with all its PS, drawn when it is asked for first."""
        if kind not in self._drawn:
            self._drawn[kind] = self.draw(kind)
        return self._drawn[kind]

    def draw(
        self,
        kind: str,
        suffix: str = ".png",
        source: Source | None = None,
        options: Options | None = None,
    ) -> tuple[Figure, bytes]:
        """Draw a figure; return it and the bytes of its file."""
        path = self.out / f"{kind}{suffix}"
        kept: list[Figure] = []
        original = Figure.savefig

        def savefig(figure: Figure, *arguments: Any, **keywords: Any) -> None:
            original(figure, *arguments, **keywords)
            kept.append(figure)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Figure, "savefig", savefig)
            asked = options or Options(line_lonlat_deg=LINE)
            draw(KINDS[kind], Plot(source or self.source(), path, asked, DOTS_PER_INCH))
        assert len(kept) == 1
        return kept[0], path.read_bytes()


@pytest.fixture(scope="session")
def drawer(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drawer]:
    """Return what draws figures of the small dataset."""
    with ExitStack() as held:
        if "drawer" not in _SHARED:
            _SHARED["drawer"] = Drawer(small, tmp_path_factory.mktemp("figures"), held)
        yield _SHARED["drawer"]


def axes_of(figure: Figure, label: str) -> Any:
    """Return the axes whose x or y label begins with a text."""
    found = [
        axes
        for axes in all_axes(figure)
        if axes.get_xlabel().startswith(label) or axes.get_ylabel().startswith(label)
    ]
    assert len(found) == 1
    return found[0]


def all_axes(figure: Figure) -> list[Any]:
    """Return every axes of a figure, those of its parts as well."""
    return [axes for axes in figure.findobj(_AxesBase) if isinstance(axes, _AxesBase)]


def texts_of(figure: Figure) -> list[Text]:
    """Return the texts that are drawn: titles, labels, ticks in view, legends, annotations."""
    # Drawn already when it was saved: places are known at that resolution.
    FigureCanvasAgg(figure)
    figure.dpi = DOTS_PER_INCH
    hidden: set[int] = set()
    for axes in all_axes(figure):
        if not axes.get_visible():
            hidden |= {id(each) for each in axes.findobj(Text)}
        for axis in (axes.xaxis, axes.yaxis):
            in_view = {id(tick) for tick in axis._update_ticks()}
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if id(tick) not in in_view or not axis.get_visible() or not axes.axison:
                    hidden |= {id(tick.label1), id(tick.label2)}
    return [
        text
        for text in figure.findobj(Text)
        if isinstance(text, Text)
        and text.get_visible()
        and text.get_text().strip()
        and id(text) not in hidden
    ]


def words_of(figure: Figure) -> str:
    """Return everything that a figure says, titles and notes on one line each."""
    return "\n".join(text.get_text() for text in texts_of(figure))


def overlaps(figure: Figure) -> list[tuple[str, str]]:
    """Return pairs of texts whose boxes overlap by more than a hair."""
    texts = texts_of(figure)
    boxes = []
    for text in texts:
        # The box of an annotation is that of its words, without its arrow.
        box = Text.get_window_extent(text)
        boxes.append((box.x0 + 0.8, box.y0 + 0.8, box.x1 - 0.8, box.y1 - 0.8))
    return [
        (texts[i].get_text(), texts[j].get_text())
        for i, j in combinations(range(len(texts)), 2)
        if boxes[i][0] < boxes[j][2]
        and boxes[j][0] < boxes[i][2]
        and boxes[i][1] < boxes[j][3]
        and boxes[j][1] < boxes[i][3]
    ]


def outside(figure: Figure) -> list[str]:
    """Return the texts that the edge of the page cuts."""
    width, height = figure.get_size_inches() * figure.dpi
    found = []
    for text in texts_of(figure):
        box = Text.get_window_extent(text)
        if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height:
            found.append(text.get_text())
    return found


def edit_json(path: Path, **changes: object) -> None:
    """Change entries of a JSON file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, **changes}), encoding="utf-8")


def line_xy(artist: Artist) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the points of a line, [n, 2]."""
    from matplotlib.lines import Line2D

    assert isinstance(artist, Line2D)
    return np.column_stack([np.asarray(each, dtype=np.float64) for each in artist.get_data()])
