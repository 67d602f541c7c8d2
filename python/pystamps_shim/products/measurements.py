"""What a dataset measured: the native program's products, mapped into memory, and their places.

Products can be larger than memory, so that their values stay in files and are read in blocks.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError, wrong_usage
from pystamps_shim.io import mat
from pystamps_shim.pipeline.commands import Native
from pystamps_shim.products.line_of_sight import heading_deg, incidence_rad
from pystamps_shim.products.scratch import scratch_folder
from pystamps_shim.reference.inputs import Patch
from pystamps_shim.reference.product_recipes import recipe_of

Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class ProductRequest:
    """What to make.

    Attributes
    ----------
    value_type
        Product as StaMPS names it. ``ts-do`` gives series and the velocity ``v-do`` beside it.
    parameters
        ``NAME=VALUE`` that hold for this product only, such as another reference area.
    first_date, last_date
        Limits of the dates it is made of, ``YYYYMMDD``, both included.
    resamples
        Of the bootstrap behind the standard deviation of velocities; 0 for none.
    incidence_deg, heading_deg
        In place of what the dataset tells.
    """

    value_type: str = "ts-do"
    parameters: tuple[str, ...] = ()
    first_date: str | None = None
    last_date: str | None = None
    resamples: int = 200
    incidence_deg: float | None = None
    heading_deg: float | None = None

    def shows(self, date: str) -> bool:
        """Tell whether a date, ``YYYYMMDD``, is among those asked for."""
        return (self.first_date or date) <= date <= (self.last_date or date)

    def options(self) -> list[str]:
        """Return the options of ``pystamps-native product``."""
        options = ["--bootstrap", str(self.resamples)]
        for each in self.parameters:
            options += ["--set", each]
        for flag, date in (("--from", self.first_date), ("--to", self.last_date)):
            options += [] if date is None else [flag, date]
        return options


@dataclass(frozen=True)
class Places:
    """Where PS are and how good they are, one row a PS; NaN where unknown.

    Attributes
    ----------
    ps
        Number of the PS in the dataset, from 1.
    lonlat_deg
        Longitude and latitude on WGS 84, [N, 2].
    height_m
        Height of the DEM that the interferograms were made with, [N].
    coherence
        Temporal coherence, 0 to 1, [N].
    line, sample
        Place in the radar image, from 0, [N].
    incidence_rad
        Incidence angle, [N]; all NaN where the dataset does not tell.
    """

    ps: Rows
    lonlat_deg: Doubles
    height_m: Doubles
    coherence: Doubles
    line: Rows
    sample: Rows
    incidence_rad: Doubles

    @classmethod
    def of(cls, dataset: Patch, given_deg: float | None) -> Places:
        """Read the places of a merged dataset."""
        count = dataset.n_ps
        incidence = incidence_rad(dataset, given_deg)
        ij = dataset.variable("ij")
        return cls(
            ps=np.arange(1, count + 1),
            lonlat_deg=dataset.variable("lonlat").astype(np.float64),
            height_m=_optional_column(dataset.path("hgt"), "hgt", count),
            coherence=_optional_column(dataset.path("pm"), "coh_ps", count),
            line=ij[:, 1].astype(np.intp),
            sample=ij[:, 2].astype(np.intp),
            incidence_rad=np.full(count, np.nan) if incidence is None else incidence,
        )

    def kept(self, rows: Rows) -> Places:
        """Return the places of some rows."""
        return Places(**{name: values[rows] for name, values in vars(self).items()})

    def __len__(self) -> int:
        """Return the number of PS."""
        return len(self.ps)


@dataclass(frozen=True)
class Layer:
    """One product.

    Attributes
    ----------
    values
        [P, k] of all PS of the dataset, mapped from a file.
    labels
        Date or pair of dates of each column, [k]; one empty label for a value of no date.
    description
        What ``pystamps-native product`` says of it: definition, unit, sign, reference, …
    """

    values: NDArray[Any]
    labels: tuple[str, ...]
    description: dict[str, Any]

    @property
    def unit(self) -> str:
        """Return the unit of the values."""
        return str(self.description["unit"])


@dataclass(frozen=True)
class Measurements:
    """Products of the same PS.

    Attributes
    ----------
    dataset
        Merged dataset they come from.
    places
        The PS that are left after selections, [N].
    rows
        Their rows in the layers, ascending, [N].
    velocity
        Mean velocity and, where it was asked for, its standard deviation, [P, 1 or 2] mm/yr;
        None for other products.
    layer
        The product asked for; the velocity itself for ``v…``.
    heading_deg
        Heading of the satellite; None where unknown.
    scale
        Factor of velocities and displacements of each PS, [N]: 1 along the line of sight.
    vertical
        Whether that factor turns them into vertical ones.
    shows_master
        Whether the master's date is among the dates asked for.
    """

    dataset: Patch
    places: Places
    rows: Rows
    velocity: Layer | None
    layer: Layer
    heading_deg: float | None
    scale: Doubles
    vertical: bool = False
    shows_master: bool = True

    @classmethod
    def of(
        cls, dataset: Patch, request: ProductRequest, layer: Layer, velocity: Layer | None = None
    ) -> Measurements:
        """Return a product of all PS of a dataset, along the line of sight."""
        places = Places.of(dataset, request.incidence_deg)
        return cls(
            dataset=dataset,
            places=places,
            rows=np.arange(len(places)),
            velocity=velocity,
            layer=layer,
            heading_deg=heading_deg(dataset, request.heading_deg),
            scale=np.ones(len(places)),
        )

    def __len__(self) -> int:
        """Return the number of PS."""
        return len(self.places)

    @property
    def value_type(self) -> str:
        """Return the name of the product."""
        return str(self.layer.description["value_type"])

    @property
    def is_series(self) -> bool:
        """Tell whether displacements of dates are there."""
        return self.layer.unit == "mm"

    @property
    def master_date(self) -> datetime.date:
        """Return the date at which every displacement is zero."""
        return parsed_date(str(self.layer.description["master_date"]))

    @cached_property
    def dates(self) -> list[datetime.date]:
        """Return the dates of `displacement_mm`, sorted: of the series, and the master's."""
        master = {self.master_date} if self.shows_master else set()
        return sorted({*map(parsed_date, self.layer.labels)} | master)

    def kept(self, keep: NDArray[np.bool_]) -> Measurements:
        """Return the measurements of the PS for which `keep`, [N], is true."""
        rows = np.flatnonzero(keep)
        return replace(
            self, places=self.places.kept(rows), rows=self.rows[rows], scale=self.scale[rows]
        )

    def projected(self, incidence: Doubles) -> Measurements:
        """Return the same measurements as vertical ones, where nothing moves horizontally.

        Parameters
        ----------
        incidence
            Incidence angles, [N] rad.
        """
        return replace(self, scale=1 / np.cos(incidence), vertical=True)

    def velocity_mm_per_year(self) -> Doubles:
        """Return the velocities, [N]; towards the satellite or, if `vertical`, up."""
        return self._velocity_column(0)

    def velocity_std_mm_per_year(self) -> Doubles:
        """Return the standard deviations of the velocities, [N]; NaN without any."""
        return self._velocity_column(1)

    def displacement_mm(self, first: int, last: int) -> Singles:
        """Return the displacements of the PS `first` to `last` (excluded) on `dates`.

        Returns
        -------
        [last - first, len(dates)] mm, 0 at the master.
        """
        dates = self.dates
        columns = [dates.index(parsed_date(label)) for label in self.layer.labels]
        values = np.zeros((last - first, len(dates)), dtype=np.float32)
        stored = self.layer.values[self.rows[first:last]]
        values[:, columns] = stored * self.scale[first:last, None]
        return values

    def layer_block(self, first: int, last: int) -> NDArray[Any]:
        """Return the columns of the layer as stored, of the PS `first` to `last` (excluded)."""
        return np.asarray(self.layer.values[self.rows[first:last]])

    def _velocity_column(self, column: int) -> Doubles:
        if self.velocity is None:
            cause = f"product {self.value_type} has no velocity"
            raise wrong_usage(cause, "choose ts-do or v-do")
        if column >= self.velocity.values.shape[1]:
            return np.full(len(self), np.nan)
        return np.asarray(self.velocity.values[self.rows, column] * self.scale, dtype=np.float64)


@contextmanager
def measured(
    native: Native, dataset: Path, request: ProductRequest, scratch: Path
) -> Iterator[Measurements]:
    """Make products of a dataset and yield them.

    Parameters
    ----------
    native
        The native program.
    dataset
        Dataset folder after the stages that the product needs.
    request
        What to make.
    scratch
        Folder on a disk with room for all values; what is made there is removed in the end.

    Raises
    ------
    PystampsError
        There is no such product, it is of complex values, or the native program refuses.
    """
    opened = Patch.open(dataset, 2)
    recipe = recipe_of(request.value_type, small_baseline=opened.small_baseline)
    if recipe.base in ("w", "p"):
        cause = f"product '{request.value_type}' is of phasors, which no exported format holds"
        remedy = f"pystamps-native product {request.value_type} --dataset … --out FILE.mat"
        raise wrong_usage(cause, remedy)
    with scratch_folder(scratch) as folder:
        layer = made_layer(native, dataset, request.value_type, request, folder)
        velocity = layer if recipe.base == "v" else None
        if recipe.base == "ts":
            beside = _velocity_beside(opened, request)
            velocity = made_layer(native, dataset, beside, request, folder)
        yield replace(
            Measurements.of(opened, request, layer, velocity),
            shows_master=request.shows(str(layer.description["master_date"])),
        )


def parsed_date(text: str) -> datetime.date:
    """Return the date that ``YYYYMMDD`` stands for."""
    return datetime.datetime.strptime(text, "%Y%m%d").date()


def _velocity_beside(dataset: Patch, request: ProductRequest) -> str:
    """Return the velocity of the same corrections and of the same images (products.md 5)."""
    letters = request.value_type.partition("-")[2]
    base = "V" if dataset.small_baseline else "v"
    return f"{base}-{letters}" if letters else base


def made_layer(
    native: Native, dataset: Path, value_type: str, request: ProductRequest, folder: Path
) -> Layer:
    """Make one product, real or complex, in a folder; its values stay there.

    Raises
    ------
    PystampsError
        The native program refuses; it has said why.
    """
    path = folder / f"{value_type}.npy"
    try:
        native.product(value_type, dataset, path, request.options())
    except PystampsError as error:
        # The native program has said why; where its arrays would have been concerns nobody.
        cause = f"product {value_type} of {dataset} could not be made"
        remedy = "read the message above"
        if request.parameters:
            remedy += "; the parameters it names are those of --reference here"
        raise PystampsError(cause, remedy, error.exit_code) from error
    description = json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))
    labels = tuple(description["columns"]) or ("",)
    return Layer(np.load(path, mmap_mode="r"), labels, description)


def _optional_column(path: Path, name: str, count: int) -> Doubles:
    """Return a column; NaN where the file, the variable or its values are not there."""
    names = {each.name for each in mat.list_variables(path)} if path.is_file() else set()
    values = np.asarray(mat.read_variable(path, name) if name in names else [], dtype=np.float64)
    if values.size not in (0, count):
        cause = f"{path}: {name} has {values.size} values, expected {count}"
        raise PystampsError(cause, "run stage 5 again")
    return values.ravel() if values.size else np.full(count, np.nan)
