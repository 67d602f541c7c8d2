"""Products: phase, slopes and velocities, each a sum of named terms (products.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.reference.bootstrap import slope_deviation
from pystamps_shim.reference.inputs import Patch, read_variable
from pystamps_shim.reference.mean_velocity import (
    fitted_line,
    millimetres,
    millimetres_per_year,
    velocity_class,
    velocity_columns,
)
from pystamps_shim.reference.product_recipes import Recipe, Term, recipe_of
from pystamps_shim.reference.product_terms import (
    less_term,
    oscillator_rad,
    turned_by_terms,
)
from pystamps_shim.reference.stage1 import Array
from pystamps_shim.reference.tropospheric_correction import stored_correction_rad
from pystamps_shim.reference.tropospheric_series import tropospheric_images_rad
from pystamps_shim.reference.unwrapped_phase import (
    UnwrappedPhase,
    merged_rows,
    referenced,
)

Columns = NDArray[np.intp]
Singles = NDArray[np.float32]


@dataclass(frozen=True)
class Product:
    """Values of a product.

    Attributes
    ----------
    values
        [P, k]: ``ph_disp``.
    columns
        [k] numbers of the interferograms or images, from 1; 1 for a product of one column.
    unit
        Unit of the values.
    """

    values: Array
    columns: NDArray[np.float64]
    unit: str


def product(dataset_dir: Path | str, value: str, *, resamples: int = 200, seed: int = 1) -> Product:
    """Make a product of a processed dataset.

    Parameters
    ----------
    dataset_dir
        Dataset folder with the results of the stages it needs.
    value
        Name of the product (`recipe_of`).
    resamples, seed
        Of the bootstrap behind ``vs``.

    Returns
    -------
    The product. Phase grows with the distance from the satellite; velocities and displacements
    are positive towards it. Everything but ``hgt``, ``p`` and ``w`` is relative to the mean of
    the reference area.

    Raises
    ------
    PystampsError
        There is no such product, or a file or variable it needs is missing or of other PS.
    """
    dataset = Patch.open(Path(dataset_dir), 2)
    recipe = recipe_of(value, small_baseline=dataset.small_baseline)
    stored = _STORED.get(recipe.base)
    if stored is not None:
        return stored(dataset, recipe)
    unwrapped, phase = product_phase_rad(dataset, value)
    if recipe.base == "v":
        return _velocity(unwrapped, phase)
    if recipe.base == "vdrop":
        return _velocity_without_each(unwrapped, phase)
    if recipe.base == "vs":
        deviation = slope_deviation(unwrapped, phase, resamples, seed)
        return _single(deviation.astype(np.float32).reshape(-1, 1), "mm/yr")
    if recipe.base == "ts":
        return _series(unwrapped, phase)
    return Product(phase[:, unwrapped.columns], _numbers(unwrapped.columns), "rad")


def product_phase_rad(dataset: Patch, value: str) -> tuple[UnwrappedPhase, Array]:
    """Return the corrected and referenced phase behind a product of unwrapped phase.

    Parameters
    ----------
    dataset
        Merged dataset.
    value
        ``u…``, ``usb…``, ``rsb…``, ``v…``, ``vs…``, ``vdrop…`` or ``ts…``.

    Returns
    -------
    What the phase was read from, and [P, n] rad of all its columns.
    """
    recipe = recipe_of(value, small_baseline=dataset.small_baseline)
    unwrapped = (UnwrappedPhase.of_pairs if recipe.pairs else UnwrappedPhase.of_images)(dataset)
    phase: Array = unwrapped.phase_rad
    if recipe.base == "rsb":
        # What the interferograms have beyond the images' series; nothing where it is dropped.
        modelled = merged_rows(dataset, "phuw_sb_res", "ph_res", phase.shape[1], 6)
        phase = np.where(_is_kept(unwrapped), (phase - modelled).astype(np.float64), 0)
    else:
        oscillator = oscillator_rad(unwrapped)
        phase = phase if oscillator is None else (phase - oscillator).astype(np.float32)
    for term in recipe.terms:
        if term is Term.RAMP and recipe.base == "u":
            phase = _without_master(unwrapped, recipe, phase)
        phase = less_term(unwrapped, phase, term)
    if recipe.base == "u":
        phase = _without_master(unwrapped, recipe, phase)
    return unwrapped, referenced(dataset, phase)


def _is_kept(unwrapped: UnwrappedPhase) -> NDArray[np.bool_]:
    return np.isin(np.arange(unwrapped.phase_rad.shape[1]), unwrapped.columns)


def _without_master(unwrapped: UnwrappedPhase, recipe: Recipe, phase: Array) -> Array:
    """Return the phase with 0 for the master where a term would leave its negative there."""
    if not set(recipe.terms) & {Term.MASTER, Term.ATMOSPHERE, Term.TROPOSPHERE}:
        return phase
    cleared = phase.copy()
    cleared[:, unwrapped.master] = 0
    return cleared


def _numbers(columns: Columns) -> NDArray[np.float64]:
    return np.asarray(columns + 1.0, dtype=np.float64)


def _single(values: Array, unit: str) -> Product:
    return Product(values, np.ones(1), unit)


def _height(dataset: Patch, _: Recipe) -> Product:
    return _single(merged_rows(dataset, "hgt", "hgt", 1, 5), "m")


def _wrapped(dataset: Patch, recipe: Recipe) -> Product:
    """Return phasors: of stage 5, turned back by the terms, or of the surroundings."""
    if recipe.base == "p":
        patch = merged_rows(dataset, "pm", "ph_patch", dataset.columns, 5)
        with np.errstate(invalid="ignore"):
            phasors = dataset.with_master(patch / np.abs(patch), 0)
        return Product(phasors, np.arange(1.0, dataset.n_ifg + 1), "phasor")
    phasors = turned_by_terms(dataset, recipe.terms)
    columns = dataset.used()
    return Product(phasors[:, columns], _numbers(columns), "phasor")


def _estimate(dataset: Patch, recipe: Recipe) -> Product:
    """Return slope or master atmosphere of stage 7."""
    if recipe.base == "m":
        return _single(referenced(dataset, merged_rows(dataset, "scla", "C_ps_uw", 1, 7)), "rad")
    file = "scla_sb" if recipe.pairs else "scla"
    return _single(referenced(dataset, merged_rows(dataset, file, "K_ps_uw", 1, 7)), "rad/m")


def _correction(dataset: Patch, recipe: Recipe) -> Product:
    """Return ramps, atmosphere or the tropospheric correction themselves."""
    pairs = recipe.base == "asb"
    unwrapped = (UnwrappedPhase.of_pairs if pairs else UnwrappedPhase.of_images)(dataset)
    count = unwrapped.phase_rad.shape[1]
    if recipe.base == "o":
        path = dataset.path("scla")
        if not read_variable(path, "ph_ramp", 7).size:
            cause = f"{path}: ph_ramp is empty, because stage 7 ran with scla_deramp = n"
            raise PystampsError(cause, "set scla_deramp to y and run stage 7 again")
        ramps = merged_rows(dataset, "scla", "ph_ramp", count, 7)
        return Product(referenced(dataset, ramps), np.arange(1.0, count + 1), "rad")
    if recipe.base == "s":
        values = merged_rows(dataset, "scn", "ph_scn_slave", count, 8)
    elif dataset.small_baseline and not pairs:
        values = tropospheric_images_rad(dataset)
    else:
        values = stored_correction_rad(dataset)
    for term in recipe.terms:
        values = less_term(unwrapped, values, term)
    columns = unwrapped.columns
    return Product(referenced(dataset, values)[:, columns], _numbers(columns), "rad")


def _velocity(unwrapped: UnwrappedPhase, phase: Singles) -> Product:
    dataset = unwrapped.dataset
    slope = fitted_line(unwrapped, phase)[1].reshape(-1, 1)
    velocity = millimetres_per_year(slope, dataset.parameters.number("lambda"))
    return _single(velocity.astype(velocity_class(dataset)), "mm/yr")


def _velocity_without_each(unwrapped: UnwrappedPhase, phase: Singles) -> Product:
    """Return a velocity for each interferogram, from all the others."""
    columns = velocity_columns(unwrapped)
    wavelength_m = unwrapped.dataset.parameters.number("lambda")
    rates = np.empty((len(phase), len(columns)), dtype=velocity_class(unwrapped.dataset))
    for place, column in enumerate(columns):
        others = replace(unwrapped, columns=unwrapped.columns[unwrapped.columns != column])
        rates[:, place] = millimetres_per_year(fitted_line(others, phase)[1], wavelength_m)
    return Product(rates, _numbers(columns), "mm/yr")


def _series(unwrapped: UnwrappedPhase, phase: Singles) -> Product:
    """Return displacements of all images but the master, whose own is 0 by definition."""
    columns = velocity_columns(unwrapped)
    wavelength_m = unwrapped.dataset.parameters.number("lambda")
    series = millimetres(phase[:, columns].astype(np.float64), wavelength_m)
    return Product(series.astype(np.float32), _numbers(columns), "mm")


#: Products that a stage has stored, but for the reference and a ramp.
_STORED: dict[str, Callable[[Patch, Recipe], Product]] = {
    "hgt": _height,
    "w": _wrapped,
    "p": _wrapped,
    "d": _estimate,
    "m": _estimate,
    "o": _correction,
    "s": _correction,
    "a": _correction,
    "asb": _correction,
}
