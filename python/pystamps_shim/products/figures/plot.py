"""What a figure is drawn of and where: the dataset's products, the options, the file."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType

import numpy as np

from pystamps_shim._binary import package_version
from pystamps_shim.errors import wrong_usage
from pystamps_shim.pipeline.commands import Native
from pystamps_shim.products.drawing import DOTS_PER_INCH
from pystamps_shim.products.measurements import Layer, Measurements, ProductRequest, made_layer
from pystamps_shim.products.metadata import metadata_of, metadata_text
from pystamps_shim.products.scratch import scratch_folder
from pystamps_shim.products.selection import Selection, Step, select
from pystamps_shim.reference.inputs import Patch
from pystamps_shim.reference.product_recipes import recipe_of

LonLat = tuple[float, float]
Chosen = tuple[Measurements, tuple[Step, ...]]
#: Makes a product and selects its PS.
Maker = Callable[[ProductRequest], AbstractContextManager[Chosen]]

_PHASORS = ("w", "p")


@dataclass(frozen=True)
class Options:
    """What is asked of single figures.

    Attributes
    ----------
    places_lonlat_deg
        Where time series are shown; none for those chosen by rule.
    radius_m
        Series are the mean of the PS within it; 0 for the nearest PS.
    line_lonlat_deg
        Both ends of a profile.
    width_m
        Width of the strip along it.
    columns
        Panels side by side; None for as many as fit.
    """

    places_lonlat_deg: tuple[LonLat, ...] = ()
    radius_m: float = 0.0
    line_lonlat_deg: tuple[LonLat, LonLat] | None = None
    width_m: float = 200.0
    columns: int | None = None


class Source:
    """A dataset whose products are made when a figure needs them, each of them once.

    A context manager: in the end the products' scratch files are removed.

    Parameters
    ----------
    dataset
        Merged dataset.
    request
        Product and what it is made with; `product` tells whether it was asked for.
    selection
        Which PS are shown.
    make
        Makes a product and selects its PS.
    native
        The native program.
    scratch
        Folder with room for products.
    product
        The product that was asked for; None leaves it to the figure.
    """

    def __init__(
        self,
        dataset: Path,
        request: ProductRequest,
        selection: Selection,
        *,
        make: Maker,
        native: Native,
        scratch: Path,
        product: str | None = None,
    ) -> None:
        self.dataset = dataset
        self.product = product
        self._request = request
        self._selection = selection
        self._make = make
        self._native = native
        self._scratch = scratch
        self._held = ExitStack()
        self._made: dict[str, Chosen] = {}
        self._shown: list[str] = []

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._held.close()

    @cached_property
    def patch(self) -> Patch:
        """Return the merged dataset itself."""
        return Patch.open(self.dataset, 2)

    def measurements(self, default: str) -> Chosen:
        """Return the product asked for, or else `default`, and what selected its PS.

        Raises
        ------
        PystampsError
            The product cannot be made, or no PS is left.
        """
        value_type = self.product or default
        if value_type not in self._made:
            recipe = recipe_of(value_type, small_baseline=self.patch.small_baseline)
            if recipe.base in _PHASORS:
                made = self._selected(self._phasors(value_type))
            else:
                request = replace(self._request, value_type=value_type)
                made = self._held.enter_context(self._make(request))
            self._made[value_type] = made
        self._shown.append(value_type)
        return self._made[value_type]

    def next_figure(self) -> None:
        """Begin another figure, which shows nothing yet."""
        self._shown.clear()

    def metadata_text(self) -> str:
        """Return what the products of the present figure tell, as JSON by their names."""
        made = {name: metadata_of(*self._made[name]) for name in self._shown}
        whole = {
            "program": "pystamps",
            "program_version": package_version(),
            "dataset": self.patch.folder.resolve().name,
            "products": made,
        }
        return metadata_text(whole)

    def positions(self) -> Chosen:
        """Return the selected PS without any product."""
        about = {"value_type": "", "unit": "", "columns": []}
        return self._selected(Layer(np.empty((self.patch.n_ps, 0)), (), about))

    def _phasors(self, value_type: str) -> Layer:
        folder = self._held.enter_context(scratch_folder(self._scratch))
        return made_layer(self._native, self.dataset, value_type, self._request, folder)

    def _selected(self, layer: Layer) -> Chosen:
        whole = Measurements.of(self.patch, self._request, layer)
        return select(whole, self._selection)


@dataclass(frozen=True)
class Plot:
    """One figure to draw.

    Attributes
    ----------
    source
        The dataset.
    path
        File to write.
    options
        What is asked of it.
    dots_per_inch
        Resolution.
    """

    source: Source
    path: Path
    options: Options = Options()
    dots_per_inch: int = DOTS_PER_INCH


def refuse_other_products(value_type: str, bases: tuple[str, ...], remedy: str) -> None:
    """Raise unless a product is one that a figure can show.

    Parameters
    ----------
    value_type
        The product.
    bases
        What its name may begin with, before the hyphen.
    remedy
        What to do otherwise.
    """
    if value_type.partition("-")[0].lower() not in bases:
        cause = f"this figure does not show product '{value_type}'"
        raise wrong_usage(cause, remedy)
