"""The grid on which the phase is unwrapped: cells with the sum of their PS (stage6.md 3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.kernels.chosen import stage2_grid_accumulate
from pystamps_shim.reference.goldstein import goldstein_filter
from pystamps_shim.reference.inputs import Patch
from pystamps_shim.reference.stage1 import Array

#: Keeps a PS at the very edge inside the first cell, m.
_MARGIN_M = np.float32(0.001)


@dataclass(frozen=True)
class Cells:
    """The cell of every PS.

    Attributes
    ----------
    row, column
        [P] counted from 0; rows go along y, columns along x.
    shape
        Rows and columns of the grid.
    size_m
        Side of a cell; 0 if positions are the cells' numbers.
    origin_m
        Least x and y, float32.
    """

    row: NDArray[np.intp]
    column: NDArray[np.intp]
    shape: tuple[int, int]
    size_m: float
    origin_m: tuple[np.float32, np.float32]

    @classmethod
    def of(cls, dataset: Patch) -> Cells:
        """Place the PS of the merged dataset on a grid of ``unwrap_grid_size``.

        Raises
        ------
        PystampsError
            A position or the size does not fit.

        Notes
        -----
        StaMPS compatibility: the last row joins the one before it, however well it is filled,
        and so does the last column. Single precision throughout.
        """
        size_m = dataset.parameters.number("unwrap_grid_size")
        if not (np.isfinite(size_m) and size_m >= 0):
            cause = f"{dataset.parameters.path}: unwrap_grid_size is {size_m:g}, expected metres"
            raise PystampsError(cause, "set unwrap_grid_size anew")
        x, y = dataset.variable("xy")[:, 1:].astype(np.float32).T
        if x.size == 0 or not (np.isfinite(x).all() and np.isfinite(y).all()):
            cause = f"{dataset.path('ps')}: variable xy holds no positions of all PS"
            raise PystampsError(cause, f"run stage 5 on {dataset.folder} again")
        if size_m == 0:
            return cls._numbered(dataset, x, y)
        row, column = (_cell(values, size_m) for values in (y, x))
        shape = (int(row.max()) + 1, int(column.max()) + 1)
        return cls(row, column, shape, size_m, (x.min(), y.min()))

    @classmethod
    def _numbered(cls, dataset: Patch, x: Array, y: Array) -> Cells:
        wrong = (x < 1) | (y < 1) | (x != np.rint(x)) | (y != np.rint(y))
        if wrong.any():
            cause = (
                f"{dataset.path('ps')}: variable xy is ({x[wrong][0]:g}, {y[wrong][0]:g}) for PS "
                f"{np.flatnonzero(wrong)[0] + 1}, expected whole numbers from 1 because "
                "unwrap_grid_size is 0"
            )
            raise PystampsError(cause, "set unwrap_grid_size to the side of a cell in metres")
        row, column = y.astype(np.intp) - 1, x.astype(np.intp) - 1
        shape = (int(row.max()) + 1, int(column.max()) + 1)
        return cls(row, column, shape, 0.0, (np.float32(0), np.float32(0)))

    def filled(self, phase: NDArray[np.complex64]) -> NDArray[np.complex64]:
        """Return [n_i, n_j, u]: each cell's sum, or its last PS if positions are numbers."""
        if self.size_m > 0:
            cells = np.stack([self.row, self.column], axis=1) + 1
            return stage2_grid_accumulate(phase, cells, *self.shape)
        grid = np.zeros((*self.shape, phase.shape[1]), dtype=np.complex64)
        for row, column, values in zip(self.row, self.column, phase, strict=True):
            grid[row, column] = values
        return grid


@dataclass(frozen=True)
class UnwrappingGrid:
    """Phase of the cells that hold PS.

    Attributes
    ----------
    cells
        Where the PS are.
    occupied
        [n_i, n_j] bool; nodes are the occupied cells, numbered column by column.
    phase
        [g, u] complex64 of the nodes, filtered; the modulus counts coherent PS.
    phase_in
        [P, u] complex64 of the PS.
    """

    cells: Cells
    occupied: NDArray[np.bool_]
    phase: NDArray[np.complex64]
    phase_in: NDArray[np.complex64]

    @classmethod
    def of(cls, dataset: Patch, phase: NDArray[np.complex64]) -> UnwrappingGrid:
        """Sum the phase of the PS in cells and filter it.

        Parameters
        ----------
        dataset
            Merged dataset.
        phase
            [P, u] complex64, unit modulus.

        Raises
        ------
        PystampsError
            The grid is smaller than a window of the filter.
        """
        cells = Cells.of(dataset)
        window = _window(dataset, cells)
        grid = cells.filled(phase)
        occupied = grid[:, :, 0] != 0
        row, column = node_cells(occupied)
        if dataset.parameters.flag("unwrap_prefilter_flag"):
            alpha = dataset.parameters.number("unwrap_gold_alpha")
            planes = np.moveaxis(grid, 2, 0)
            grid = np.stack([goldstein_filter(plane, window, alpha) for plane in planes], axis=2)
        return cls(cells, occupied, grid[row, column], phase)

    def node_of_ps(self) -> NDArray[np.intp]:
        """Return the node of each PS from 0, -1 where the PS of its cell cancel each other."""
        number = np.full(self.occupied.shape, -1)
        row, column = node_cells(self.occupied)
        number[row, column] = np.arange(len(row))
        return np.asarray(number[self.cells.row, self.cells.column])

    def variables(self) -> dict[str, Array]:
        """Return ``uw_grid.mat``."""
        row, column = node_cells(self.occupied)
        size_m = self.cells.size_m
        ids = np.arange(1.0, len(row) + 1)
        centres = [(column + 0.5) * size_m, (row + 0.5) * size_m]
        grid_ij = np.stack([self.cells.row, self.cells.column], axis=1) + 1
        none = np.zeros((0, 0))
        return {
            "ph": self.phase,
            "ph_in": self.phase_in,
            "ph_lowpass": none,
            "ph_uw_predef": none,
            "ph_in_predef": none,
            "xy": np.column_stack([ids, *centres]),
            "ij": np.column_stack([row + 1.0, column + 1.0]),
            "nzix": self.occupied,
            "grid_x_min": np.full((1, 1), self.cells.origin_m[0], dtype=np.float32),
            "grid_y_min": np.full((1, 1), self.cells.origin_m[1], dtype=np.float32),
            "n_i": np.full((1, 1), self.occupied.shape[0], dtype=np.float32),
            "n_j": np.full((1, 1), self.occupied.shape[1], dtype=np.float32),
            "n_ifg": np.full((1, 1), float(self.phase.shape[1])),
            "n_ps": np.full((1, 1), float(len(row))),
            "grid_ij": grid_ij.astype(np.float32),
            "pix_size": np.full((1, 1), size_m),
        }


def node_cells(occupied: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return row and column of every node from 0, in the nodes' order: column by column."""
    column, row = np.nonzero(occupied.T)
    return row, column


def _cell(metres: Array, size_m: float) -> NDArray[np.intp]:
    number = np.ceil((metres - metres.min() + _MARGIN_M) / np.float32(size_m)).astype(np.intp)
    number[number == number.max()] = number.max() - 1
    return np.asarray(number - 1)


def _window(dataset: Patch, cells: Cells) -> int:
    window = dataset.parameters.number("unwrap_gold_n_win")
    path = dataset.parameters.path
    if window < 4 or window % 2:
        cause = f"{path}: unwrap_gold_n_win is {window:g}, expected an even number from 4"
        raise PystampsError(cause, "set unwrap_gold_n_win anew")
    if min(cells.shape) < window:
        cause = (
            f"{dataset.folder}: the unwrapping grid has {cells.shape[0]} x {cells.shape[1]} cells "
            f"of {cells.size_m:g} m, fewer than the {window:g} of the filter window"
        )
        raise PystampsError(cause, f"reduce unwrap_grid_size or unwrap_gold_n_win in {path}")
    return int(window)
