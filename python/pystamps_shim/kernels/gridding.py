"""Sums over cells and counts in bins (stage2.md 5 and 6)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Doubles = NDArray[np.float64]


@np.errstate(all="ignore")
def stage2_grid_accumulate(
    ph_weight: NDArray[np.complex64], grid_ij: Array, n_i: int, n_j: int
) -> NDArray[np.complex64]:
    """Sum weighted phasors cell by cell, in single precision and in the order of the rows.

    Parameters
    ----------
    ph_weight
        [n, m] complex64.
    grid_ij
        [n, 2] row and column of each candidate's cell, counted from 1.
    n_i, n_j
        Rows and columns of the grid.

    Returns
    -------
    [n_i, n_j, m] complex64; cells without candidates hold 0, and one NaN makes its cell NaN.
    """
    cells = np.asarray(grid_ij, dtype=np.intp) - 1
    grid = np.zeros((n_i, n_j, ph_weight.shape[1]), dtype=np.complex64)
    np.add.at(grid, (cells[:, 0], cells[:, 1]), ph_weight)
    return grid


@np.errstate(all="ignore")
def stage2_histogram(values: Array, centres: Doubles) -> Doubles:
    """Count values in bins around `centres` as MATLAB's ``hist`` does.

    Edges lie half-way between centres. A value on an edge counts in the lower bin, as do those
    above it by the edge's own spacing of doubles. The outer bins are open-ended; NaN is ignored.

    Parameters
    ----------
    values
        Any shape.
    centres
        [b] float64, ascending.

    Returns
    -------
    [b] float64 counts.
    """
    edges = centres[:-1] + np.diff(centres) / 2
    known = np.asarray(values, dtype=np.float64).ravel()
    known = known[~np.isnan(known)]
    # Of the modulus: below 0 NumPy's spacing points down, MATLAB's ``eps`` does not.
    bins = np.searchsorted(edges + np.spacing(np.abs(edges)), known, side="left")
    return np.bincount(bins, minlength=len(centres)).astype(np.float64)
