"""The coherence of selected pixels against a patch phase without themselves (stage3.md 6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.kernels.chosen import stage2_topofit
from pystamps_shim.kernels.clap import clap_patch_value
from pystamps_shim.reference.stage1 import Array

Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]
Phasors = NDArray[np.complex64]

#: Samples filtered at once, which bounds the memory.
_SAMPLES = 1 << 21


@dataclass(frozen=True)
class Reestimate:
    """Results for n selected candidates.

    Attributes
    ----------
    patch_phase
        [n, M] complex64, not normalised.
    residual_rad
        [n, M] float32, includes C; 0 in dropped interferograms.
    slope_rad_per_m, offset_rad, coherence
        [n] float64: K, C and coherence; K and coherence are NaN without estimate.
    """

    patch_phase: Phasors
    residual_rad: Singles
    slope_rad_per_m: Doubles
    offset_rad: Doubles
    coherence: Doubles


@dataclass(frozen=True)
class WindowFilter:
    """The filter of one window around a cell, whose own content is left out.

    Attributes
    ----------
    alpha, beta, low_pass
        As in stage 2; the window has as many cells as `low_pass`.
    reach
        Neighbours to the side that are left out too, in the first interferogram only: that is
        what the original does with an oversampling factor above 1.
    """

    alpha: float
    beta: float
    low_pass: Doubles
    reach: int

    def values(self, grid: Phasors, cells: NDArray[np.intp]) -> Phasors:
        """Return the filtered phasors at some cells.

        Parameters
        ----------
        grid
            [n_i, n_j, M] complex64.
        cells
            [n, 2] from 0. Equal cells have equal results and are filtered once.

        Returns
        -------
        [n, M] complex64; zero where the grid is smaller than the window.
        """
        size = self.low_pass.shape[0]
        if min(grid.shape[:2]) < size:
            return np.zeros((len(cells), grid.shape[2]), dtype=np.complex64)
        distinct, place = np.unique(cells, axis=0, return_inverse=True)
        planes = np.ascontiguousarray(np.moveaxis(grid, 2, 0))
        found = np.empty((len(distinct), grid.shape[2]), dtype=np.complex64)
        corners = np.clip(distinct - size // 2, 0, np.array(grid.shape[:2]) - size)
        inside = distinct - corners
        # Cells at the same place of their window share the kernel of the inverse transform.
        for at in np.unique(inside, axis=0):
            same = np.flatnonzero((inside == at).all(axis=1))
            block = max(1, _SAMPLES // (size * size * grid.shape[2]))
            for begin in range(0, len(same), block):
                rows = same[begin : begin + block]
                found[rows] = self._filtered(planes, corners[rows], (int(at[0]), int(at[1])))
        return found[place.ravel()]

    def _filtered(self, planes: Phasors, corners: Array, cell: tuple[int, int]) -> Phasors:
        size = self.low_pass.shape[0]
        windows = np.stack([planes[:, i : i + size, j : j + size] for i, j in corners])
        windows[:, :, cell[0], cell[1]] = 0
        around = [slice(max(at - self.reach, 0), at + self.reach + 1) for at in cell]
        windows[:, 0, around[0], around[1]] = 0
        values = clap_patch_value(windows, self.alpha, self.beta, self.low_pass, cell)
        return np.asarray(values, dtype=np.complex64)


def reestimate(
    phase: Phasors,
    patch_phase: Phasors,
    bperp_m: Array,
    used: NDArray[np.intp],
    n_trial_wraps: float,
) -> Reestimate:
    """Fit the deviation from the patch phase in the interferograms that are used.

    Parameters
    ----------
    phase
        [n, M] complex64, amplitude included.
    patch_phase
        [n, M] complex64.
    bperp_m
        [n, M].
    used
        Columns, from 0.
    n_trial_wraps
        As in stage 2: it is not adapted to the baselines left.
    """
    deviation = phase * patch_phase.conj()
    complete = ((deviation != 0) & ~np.isnan(deviation)).all(axis=1)
    deviation = deviation[complete] / np.abs(deviation[complete])
    fit = stage2_topofit(deviation[:, used], bperp_m[complete][:, used], n_trial_wraps)
    count = len(phase)
    slope, coherence = np.full(count, np.nan), np.full(count, np.nan)
    offset = np.zeros(count)
    slope[complete], offset[complete], coherence[complete] = fit[:3]
    residual = np.zeros(phase.shape, dtype=np.float32)
    residual[np.ix_(complete, used)] = fit[3]
    return Reestimate(patch_phase, residual, slope, offset, coherence)
