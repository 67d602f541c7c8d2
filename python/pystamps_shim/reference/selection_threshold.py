"""The coherence above which candidates are taken for PS (stage3.md 2 to 4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.kernels.chosen import stage2_histogram
from pystamps_shim.reference.candidate_weights import low_coherence_bins, scaled_to_low_coherence
from pystamps_shim.reference.inputs import Patch
from pystamps_shim.reference.random_coherence import COHERENCE_BINS
from pystamps_shim.reference.stage1 import Array

Doubles = NDArray[np.float64]

#: Fewer candidates are not divided by amplitude dispersion.
_BINNED_CANDIDATES = 10_000
_LARGE = 50_000
#: Where no threshold can be found.
DEFAULT_THRESHOLD = 0.3
#: Amplitude dispersion at which a line that falls is evaluated.
_TYPICAL_DISPERSION = 0.35


@dataclass(frozen=True)
class SelectionTarget:
    """How many random pixels are accepted, and among which candidates that is counted.

    Attributes
    ----------
    accepted
        Percent of the selected, or random pixels in each bin of amplitude dispersion (single).
    percent
        Which of the two.
    dispersion
        [N] amplitude dispersion, 1 where it is not used.
    edges
        Edges of the bins, each bin open below and closed above.
    """

    accepted: np.floating
    percent: bool
    dispersion: Doubles
    edges: Doubles
    low_bins: int

    @classmethod
    def of(cls, patch: Patch) -> SelectionTarget:
        """Read the parameters of the selection and bin the candidates."""
        stored = patch.optional_rows("da", "D_A")
        if stored is None or patch.n_ps < _BINNED_CANDIDATES:
            dispersion, edges = np.ones(patch.n_ps), np.array([0.0, 1.0])
        else:
            dispersion = stored.ravel()
            edges = _dispersion_edges(dispersion)
        parameters = patch.parameters
        percent = parameters.text("select_method").lower() == "percent"
        if percent:
            accepted: np.floating = np.float64(parameters.number("percent_rand"))
        else:
            bins = np.float32(len(edges) - 1)
            density = np.float32(parameters.number("density_rand"))
            accepted = density * _area_km2(patch) / bins
        low_bins = low_coherence_bins(small_baseline=patch.small_baseline)
        return cls(accepted, percent, dispersion, edges, low_bins)


@dataclass(frozen=True)
class Threshold:
    """Coherence thresholds: one for all, or one a row with the line they come from.

    Attributes
    ----------
    values
        [1] or [rows].
    line
        Slope and intercept over amplitude dispersion, or nothing.
    """

    values: Doubles
    line: Doubles


def coherence_threshold(
    target: SelectionTarget, coherence: Doubles, random_counts: Doubles, rows: Array
) -> Threshold:
    """Return the threshold for some rows, found from the coherence of all candidates.

    Parameters
    ----------
    target
        What to reach.
    coherence
        [N] coherence; zero and NaN are not counted.
    random_counts
        [100] coherence counts of random phase; only their shape matters.
    rows
        Rows, from 0, to return a threshold for where it depends on amplitude dispersion.
    """
    least, dispersion = [], []
    for low, high in zip(target.edges[:-1], target.edges[1:], strict=True):
        inside = (target.dispersion > low) & (target.dispersion <= high)
        chosen = coherence[inside]
        least.append(_bin_threshold(target, chosen[chosen != 0], random_counts))
        dispersion.append(target.dispersion[inside].mean() if inside.any() else np.nan)
    found = ~np.isnan(least)
    line = np.empty(0)
    if not found.any():
        values = np.array([DEFAULT_THRESHOLD])
    elif found.sum() == 1:
        values = np.array(least)[found]
    else:
        line = polynomial_fit(np.array(dispersion)[found], np.array(least)[found], 1)
        if line[0] > 0:
            values = np.polyval(line, target.dispersion[rows])
        else:
            values, line = np.array([np.polyval(line, _TYPICAL_DISPERSION)]), np.empty(0)
    return Threshold(np.where(values < 0, 0.0, values), line)


def polynomial_fit(abscissa: Doubles, ordinate: Doubles, degree: int) -> Doubles:
    """Return the least-squares polynomial, highest power first.

    Columns that add nothing to those with a larger remainder get the coefficient 0 (the basic
    solution of a factorisation with column pivoting), as equal abscissae demand.
    """
    design = np.vander(abscissa, degree + 1)
    remainder, chosen = design.copy(), list[int]()
    scale = np.linalg.norm(design, axis=0).max()
    for _ in range(min(design.shape)):
        lengths = np.linalg.norm(remainder, axis=0)
        column = int(np.argmax(lengths))
        if lengths[column] <= max(design.shape) * np.finfo(float).eps * scale:
            break
        direction = remainder[:, column] / lengths[column]
        remainder -= np.outer(direction, direction @ remainder)
        remainder[:, column] = 0
        chosen.append(column)
    coefficients = np.zeros(degree + 1)
    upper = np.linalg.qr(design[:, chosen])
    coefficients[chosen] = np.linalg.solve(upper.R, upper.Q.T @ ordinate)
    return coefficients


def _bin_threshold(target: SelectionTarget, coherence: Doubles, random: Doubles) -> float:
    """Return the coherence above which the accepted number of random pixels is expected.

    NaN where even the lowest bins hold fewer, so that no threshold can be interpolated.
    """
    observed = stage2_histogram(coherence, COHERENCE_BINS)
    expected = scaled_to_low_coherence(random, observed, target.low_bins)
    observed = np.where(observed == 0, 1, observed)
    above = np.cumsum(expected[::-1])[::-1]
    if target.percent:
        above = 100 * above / np.cumsum(observed[::-1])[::-1]
    fewer = np.flatnonzero(above < target.accepted)
    if fewer.size == 0:
        return 1.0
    first = int(fewer[0]) + 1
    low, high = first - 3, min(first + 2, len(above))
    if low <= 0:
        return np.nan
    upper_edge = np.arange(low, high + 1, dtype=np.float64) * 0.01
    return _interpolated(above[low - 1 : high], np.asarray(upper_edge), target.accepted)


def _interpolated(above: Doubles, upper_edge: Doubles, accepted: np.floating) -> float:
    """Evaluate a cubic through (count, coherence), centred and scaled, at the accepted count.

    The fit is double; the evaluation has the precision of the count. The counts differ, because
    the accepted one lies among them.
    """
    real = accepted.dtype.type
    centre, spread = above.mean(), above.std(ddof=1)
    coefficients = polynomial_fit((above - centre) / spread, upper_edge, 3)
    place = (accepted - real(centre)) / real(spread)
    value = real(0)
    for coefficient in coefficients:
        value = value * place + real(coefficient)
    return float(value)


def _dispersion_edges(dispersion: Doubles) -> Doubles:
    """Return edges that put 2,000 candidates, or 10,000 of many, into each bin."""
    ordered = np.sort(dispersion)
    size = 10_000 if len(ordered) >= _LARGE else 2_000
    inner = ordered[size - 1 : len(ordered) - size : size]
    return np.concatenate([[0.0], inner, ordered[-1:]])


def _area_km2(patch: Patch) -> np.float32:
    """Return the area of the patch's bounding box, in single precision as the coordinates."""
    x, y = patch.variable("xy")[:, 1:3].astype(np.float32).T
    return np.float32((x.max() - x.min()) * (y.max() - y.min()) / np.float32(1e6))
