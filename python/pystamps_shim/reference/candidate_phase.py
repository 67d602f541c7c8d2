"""What stage 2 needs of a patch before it iterates (stage2.md 1 and 2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.kernels.windows import low_pass_response
from pystamps_shim.reference.inputs import Patch
from pystamps_shim.reference.stage1 import Array

Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]

#: Mean distance to the scatterers, m, and the look angle when no file tells it.
_RANGE_M = 830000.0
_DEFAULT_INCIDENCE_RAD = 21 * np.pi / 180
#: Added to the mean look angle to make an incidence angle, even where it already is one.
_LOOK_TO_INCIDENCE_RAD = 0.052


@dataclass(frozen=True)
class FilterSettings:
    """The combined low-pass and adaptive filter: exponent, weight and low-pass response."""

    alpha: float
    beta: float
    low_pass: Doubles

    @classmethod
    def of(cls, patch: Patch) -> FilterSettings:
        """Read the parameters of the filter."""
        parameters = patch.parameters
        window = parameters.number("clap_win")
        # Three quarters of it are filled, in two halves of whole cells.
        if window <= 0 or window % 8:
            cause = f"{parameters.path}: clap_win is {window:g}, expected a multiple of 8"
            raise PystampsError(cause, "set clap_win anew")
        low_pass = low_pass_response(
            int(window),
            parameters.number("filter_grid_size"),
            parameters.number("clap_low_pass_wavelength"),
        )
        return cls(parameters.number("clap_alpha"), parameters.number("clap_beta"), low_pass)


@dataclass(frozen=True)
class Candidates:
    """The candidates of a patch, ready for the iteration.

    Attributes
    ----------
    unit_phase
        [N, M] complex64 of unit modulus, 0 where there is no phase.
    amplitude
        [N, M] float32, 1 where the phase is 0.
    baselines_m
        [N, M], `bperp_m` [M] their means.
    n_trial_wraps
        Largest slope searched in cycles over the baselines, in the precision of `bperp_m`.
    grid_ij
        [N, 2] float32, cell of each candidate from 1: row along y, column along x.
    first_weights
        [N] float64, weights of the first iteration.
    """

    unit_phase: NDArray[np.complex64]
    amplitude: Singles
    baselines_m: Array
    bperp_m: Array
    n_trial_wraps: np.floating
    grid_ij: Singles
    first_weights: Doubles

    @property
    def cells(self) -> tuple[int, int]:
        """Return rows and columns of the grid."""
        largest = self.grid_ij.max(axis=0, initial=0)
        return int(largest[0]), int(largest[1])


def read_candidates(patch: Patch) -> Candidates:
    """Read and check the candidates of a patch with at least one of them.

    Raises
    ------
    PystampsError
        An interferogram without any phase, or a patch too small to be gridded.
    """
    phase = patch.without_master(patch.phase())
    amplitude = np.abs(phase)
    amplitude[amplitude == 0] = 1
    with np.errstate(invalid="ignore"):
        unit_phase = np.asarray(phase / amplitude, dtype=np.complex64)
    _check_interferograms(patch, unit_phase)
    bperp_m = patch.bperp_m()
    return Candidates(
        unit_phase=unit_phase,
        amplitude=amplitude,
        baselines_m=patch.baselines_m(),
        bperp_m=bperp_m,
        n_trial_wraps=trial_wraps(patch, bperp_m),
        grid_ij=_grid_cells(patch),
        first_weights=_first_weights(patch),
    )


def trial_wraps(patch: Patch, bperp_m: Array) -> np.floating:
    """Return how many cycles the largest DEM error causes over the range of the baselines."""
    parameters = patch.parameters
    wavelength_m = parameters.number("lambda")
    if not wavelength_m > 0:
        cause = f"{parameters.path}: lambda is {wavelength_m}, expected a wavelength in m"
        raise PystampsError(cause, "run stage 1, which sets it")
    incidence_rad = _mean_incidence_rad(patch)
    sensitivity = wavelength_m * _RANGE_M * np.sin(incidence_rad) / 4 / np.pi
    real: type[np.floating] = bperp_m.dtype.type
    max_slope = real(parameters.number("max_topo_err") / sensitivity)
    extent = real(bperp_m.max() - bperp_m.min())
    return real(extent * max_slope / real(2 * np.pi))


def _mean_incidence_rad(patch: Patch) -> float:
    incidence = patch.optional_rows("inc", "inc")
    if incidence is not None and patch.n_ps:
        return float(incidence[incidence != 0].mean())
    look = patch.optional_rows("la", "la")
    if look is not None and patch.n_ps:
        return float(look.mean()) + _LOOK_TO_INCIDENCE_RAD
    return _DEFAULT_INCIDENCE_RAD


def _first_weights(patch: Patch) -> Doubles:
    """Return the reciprocal amplitude dispersion.

    StaMPS compatibility: a dispersion of 0 weighs infinitely there, which voids all filter windows
    around. Here it counts as the least one above 0. One that is no number counts as 1.
    """
    dispersion = patch.optional_rows("da", "D_A")
    if dispersion is None:
        return np.ones(patch.n_ps)
    values = dispersion.ravel().astype(np.float64)
    usable = np.isfinite(values) & (values > 0)
    least = values[usable].min(initial=np.inf) if usable.any() else 1.0
    return 1 / np.where(usable, values, np.where(values == 0, least, 1.0))


def _check_interferograms(patch: Patch, unit_phase: NDArray[np.complex64]) -> None:
    """Refuse an interferogram without phase: it would leave no candidate at all."""
    with np.errstate(invalid="ignore"):
        empty = np.flatnonzero(~(np.abs(unit_phase) > 0).any(axis=0))
    if empty.size:
        number = int(empty[0]) + 1
        if not patch.small_baseline and number > patch.master:
            number += 1
        cause = f"{patch.path('ph')}: ph is zero or NaN everywhere in interferogram {number}"
        raise PystampsError(cause, "prepare the stack without it")


def _grid_cells(patch: Patch) -> Singles:
    """Return the cell of each candidate; what lies on an edge belongs to the lower cell.

    In single precision, as the coordinates are.
    """
    size_m = np.float32(patch.parameters.number("filter_grid_size"))
    window = 3 * int(patch.parameters.number("clap_win")) // 4
    cells = []
    for axis, metres in (("y", patch.variable("xy")[:, 2]), ("x", patch.variable("xy")[:, 1])):
        single = metres.astype(np.float32)
        cell = np.ceil((single - single.min() + np.float32(1e-6)) / size_m)
        count = cell.max() - 1
        cell[cell > count] = count
        _check_extent(patch, axis, int(count), window)
        cells.append(cell)
    return np.stack(cells, axis=1)


def _check_extent(patch: Patch, axis: str, count: int, window: int) -> None:
    """Refuse a grid smaller than the filter's window."""
    if count >= window:
        return
    cause = (
        f"{patch.path('ps')}: xy spans {max(count, 0)} cells of filter_grid_size along {axis}, "
        f"expected at least {window}"
    )
    raise PystampsError(cause, "make larger patches or lower filter_grid_size")
