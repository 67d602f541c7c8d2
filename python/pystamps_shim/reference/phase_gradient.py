"""Expected phase differences from the gradient of the surroundings (stage6.md 3 and 5, step 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.reference.edge_series import EdgeSeries, row_deviation

Array = NDArray[Any]
Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]

#: Windows start every quarter of a window, and need so many cells with phase.
_OVERLAP = 4
_LEAST_CELLS = 6
#: How far a peak of the spectrum must exceed its mean, more for steeper gradients.
_LEAST_PROMINENCE = 3.0
_LEAST_WINDOWS = 3
_LARGEST_NOISE_RAD = 1.3


@dataclass(frozen=True)
class GradientSeries:
    """Series of edges of which some are judged by the gradient instead.

    Attributes
    ----------
    series
        Phase of the edges.
    replaced
        [E] bool, edges whose noise is judged by the gradient.
    spread
        [E, u] float64 cycles, how much the gradient differs between the ends; 0 for the others.
    """

    series: EdgeSeries
    replaced: NDArray[np.bool_]
    spread: Doubles


@dataclass(frozen=True)
class NodeGradients:
    """Gradients at the nodes.

    Attributes
    ----------
    row, column
        [g] cells of the nodes.
    down, right
        [g, u] float32 rad per cell; NaN outside the windows with a clear peak.
    """

    row: NDArray[np.intp]
    column: NDArray[np.intp]
    down: Singles
    right: Singles

    def applied_to(self, series: EdgeSeries, ends: NDArray[np.intp]) -> GradientSeries:
        """Judge the edges by the gradient where that fits better than their series in time.

        Parameters
        ----------
        series
            Phase of the edges with noise.
        ends
            [E, 2] nodes of the edges.

        Notes
        -----
        StaMPS compatibility: what the series in time has made NaN stays NaN.
        """
        low, high = ends.T
        rows = (self.row[high] - self.row[low])[:, None]
        columns = (self.column[high] - self.column[low])[:, None]
        middle = [(part[low] + part[high]) / 2 for part in (self.down, self.right)]
        expected = (rows * middle[0] + columns * middle[1]).astype(np.float32)
        noise = np.angle(np.exp(1j * (series.difference_rad - expected)))
        deviation = row_deviation(noise)
        noise[deviation > _LARGEST_NOISE_RAD] = np.nan
        deviation[deviation > _LARGEST_NOISE_RAD] = np.nan
        before_rad = np.asarray(series.noise_rad)
        before = series.noise_deviation_rad()
        replaced = np.isnan(before) | (before > deviation)
        change = (self.down[high] - self.down[low]) + (self.right[high] - self.right[low])
        shaky = replaced[:, None]
        difference = np.where(shaky, expected + noise, series.difference_rad)
        kept = EdgeSeries(difference, np.where(shaky, noise, before_rad))
        return GradientSeries(kept, replaced, np.where(shaky, change, 0.0).astype(np.float64))


def node_gradients(phase: Array, occupied: NDArray[np.bool_], window: int) -> NodeGradients:
    """Estimate the gradients in windows and interpolate them linearly at the nodes.

    Parameters
    ----------
    phase
        [g, u] complex64 of the nodes.
    occupied
        [n_i, n_j] bool, cells of the nodes, numbered column by column.
    window
        Cells of a window.

    Notes
    -----
    StaMPS compatibility: ``gradient_filt``. Centres of windows form a lattice, and which diagonal
    of a mesh the interpolation uses is a tie; values there differ by up to an eighth of the step
    of frequencies.
    """
    column, row = np.nonzero(occupied.T)
    places = np.stack([row, column], axis=1) + 1.0
    down, right = (np.empty(phase.shape, dtype=np.float32) for _ in range(2))
    for index, values in enumerate(phase.T):
        grid = np.zeros(occupied.shape, dtype=np.complex128)
        grid[row, column] = values
        centres, frequency, prominence = window_peaks(grid, window)
        for found, part in zip((down, right), frequency.T, strict=True):
            clear = prominence / (np.abs(part) + 1) > _LEAST_PROMINENCE
            found[:, index] = _interpolated(centres[clear], part[clear], places)
    return NodeGradients(row, column, down, right)


def window_peaks(grid: Array, window: int) -> tuple[Doubles, Doubles, Doubles]:
    """Return the strongest frequency of every window.

    Parameters
    ----------
    grid
        [n_i, n_j] complex, 0 where empty.
    window
        Cells of a window.

    Returns
    -------
    centres
        [w, 2] row and column, counted from 1.
    frequency
        [w, 2] rad per cell along rows, and minus that along columns, as the original has it.
    prominence
        [w] the peak over the mean amplitude; NaN with too few cells.
    """
    centres, frequency, prominence = [], [], []
    for row in _starts(grid.shape[0], window):
        for column in _starts(grid.shape[1], window):
            part = grid[row : row + window, column : column + window]
            amplitude = np.abs(np.fft.fft2(part))
            at = np.unravel_index(np.argmax(amplitude.ravel(order="F")), part.shape, order="F")
            centred = [(place + window // 2) % window - window // 2 for place in at]
            few = np.count_nonzero(part) < _LEAST_CELLS
            centres.append([row + (window + 1) / 2, column + (window + 1) / 2])
            frequency.append([centred[0], -centred[1]])
            prominence.append(np.nan if few else amplitude.max() / amplitude.mean())
    steps = np.array(frequency, dtype=np.float64).reshape(-1, 2)
    return (
        np.array(centres, dtype=np.float64).reshape(-1, 2),
        steps * 2 * np.pi / window,
        np.array(prominence, dtype=np.float64),
    )


def _interpolated(centres: Doubles, values: Doubles, places: Array) -> Doubles:
    """Interpolate linearly between scattered points; NaN outside, or with too few of them."""
    try:
        from scipy.interpolate import LinearNDInterpolator  # noqa: PLC0415 - a test dependency
        from scipy.spatial import QhullError  # noqa: PLC0415
    except ImportError as error:
        cause = "the reference of the spatial cost function interpolates with SciPy"
        raise PystampsError(cause, "pip install scipy") from error
    if len(values) < _LEAST_WINDOWS:
        return np.full(len(places), np.nan)
    try:
        return np.asarray(LinearNDInterpolator(centres, values)(places))
    except QhullError:  # centres on a line
        return np.full(len(places), np.nan)


def _starts(cells: int, window: int) -> list[int]:
    step = window // _OVERLAP
    return [min(place * step, cells - window) for place in range(-(-cells // step) - _OVERLAP + 1)]
