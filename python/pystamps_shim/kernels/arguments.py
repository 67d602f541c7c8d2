"""The arguments of the kernels, brought into one form and judged before a backend sees them.

Both backends get the same arrays, and an impossible argument is refused in the same words whoever
would have computed: `ValueError`, with the name of the argument first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Trial slopes beyond this are a mistake in a parameter: 16,001 of them are tried.
_MOST_WRAPS = 1000.0
#: Cells and ends of edges are counted in 32 bits.
_MOST_CELLS = 2**32 - 1
#: By how much the halves of a covariance may differ, relative to its largest element.
_ASYMMETRY = 1e-9
NETWORKS = ("single_master", "small_baselines")
METHODS = ("2D", "3D_NO_DEF", "3D_FULL", "3D_QUICK", "3D_SMALL_DEF")


def refuse(name: str, got: object, expected: str) -> NoReturn:
    """Refuse an argument that cannot be worked with."""
    cause = f"{name} is {got}, expected {expected}"
    raise ValueError(cause)


def numbers(name: str, values: Any, kinds: str = "iuf") -> Array:
    """Return real numbers as an array of whatever type they have."""
    array = np.asarray(values)
    if array.dtype.kind not in kinds:
        refuse(name, f"of type {array.dtype}", "numbers")
    return array


def doubles(name: str, values: Any) -> Doubles:
    """Return a vector of real numbers in double precision, from any shape."""
    return numbers(name, values).astype(np.float64, copy=False).ravel()


def singles_or_doubles(name: str, values: Any) -> Array:
    """Return real numbers in the precision they have, whole numbers in double."""
    array = numbers(name, values)
    return array if array.dtype == np.float32 else array.astype(np.float64, copy=False)


def phasors(name: str, values: Any, dtype: type | None = None) -> Array:
    """Return a matrix of complex numbers, in the precision it has or in `dtype`."""
    array = numbers(name, values, "iufc")
    if array.ndim != 2:
        refuse(name, f"an array of shape {array.shape}", "a matrix")
    if dtype is None:
        dtype = np.complex64 if array.dtype == np.complex64 else np.complex128
    return array.astype(dtype, copy=False)


def whole(name: str, values: Any) -> Integers:
    """Return whole numbers, which may be stored as floating-point ones."""
    array = numbers(name, values)
    if array.dtype.kind == "f":
        broken = ~(np.isfinite(array) & (np.floor(array) == array) & (np.abs(array) < 2.0**53))
    else:
        broken = array > np.iinfo(np.int64).max
    if broken.any():
        refuse(name, f"{array[broken].flat[0]} somewhere", "whole numbers")
    return array.astype(np.int64)


def count(name: str, value: Any) -> int:
    """Return a number of things."""
    found = whole(name, value)
    if found.ndim != 0 or found < 0:
        refuse(name, value, "a whole number from 0 up")
    return int(found)


def choice(name: str, value: str, known: Sequence[str]) -> str:
    """Return one of some words."""
    if value not in known:
        refuse(name, repr(value), f"one of {', '.join(known)}")
    return value


def wraps(value: Any) -> float:
    """Return the extent of a search for slopes."""
    number = float(value)
    if not 0 <= number <= _MOST_WRAPS:
        refuse("n_trial_wraps", number, "a number from 0 to 1,000")
    return number


def window(value: Any) -> float:
    """Return the standard deviation of a window in time."""
    number = float(value)
    if not 0 < number < math.inf:
        refuse("time_win", f"a window of {number} days", "more than 0, and finite")
    return number


def length(name: str, values: Array, expected: int, what: str) -> None:
    """Refuse a vector that does not fit."""
    if len(values) != expected:
        refuse(name, f"{len(values)} long", f"{expected}, {what}")


def finite(name: str, values: Array) -> None:
    """Refuse what is no number."""
    if not np.isfinite(values).all():
        place = int(np.flatnonzero(~np.isfinite(values.ravel()))[0])
        refuse(name, f"{values.ravel()[place]} at {place}", "finite numbers")


def edges(node_a: Any, node_b: Any, rows: int) -> tuple[Integers, Integers]:
    """Return the ends of edges, which are rows counted from 0.

    From a place to itself there is no edge: it would look free of noise.
    """
    ends = whole("node_a", node_a).ravel(), whole("node_b", node_b).ravel()
    if len(ends[0]) != len(ends[1]):
        cause = f"node_a and node_b differ in length: {len(ends[0])} and {len(ends[1])}"
        raise ValueError(cause)
    for name, nodes in zip(("node_a", "node_b"), ends, strict=True):
        outside = nodes[(nodes < 0) | (nodes >= rows)]
        if outside.size:
            refuse(name, f"{outside[0]} somewhere, outside", f"rows from 0 to {rows - 1}")
    same = np.flatnonzero(ends[0] == ends[1])
    if same.size:
        refuse("node_b", f"the same as node_a at {same[0]}", "two ends of every edge")
    return ends


def cells(grid_ij: Any, rows: int, n_i: int, n_j: int) -> Integers:
    """Return the cells of candidates, counted from 1."""
    found = whole("grid_ij", grid_ij)
    if found.shape != (rows, 2):
        refuse("grid_ij", f"an array of shape {found.shape}", f"({rows}, 2)")
    if n_i * n_j > _MOST_CELLS:
        refuse("n_i, n_j", f"{n_i} by {n_j} cells", f"at most {_MOST_CELLS} cells")
    outside = (found < 1) | (found > np.array([n_i, n_j]))
    if outside.any():
        cell = tuple(found[outside.any(axis=1)][0].tolist())
        refuse("grid_ij", f"{cell} somewhere, outside", f"cells from 1 to ({n_i}, {n_j})")
    return found


def centres(values: Any) -> Doubles:
    """Return centres of bins."""
    found = doubles("centres", values)
    if not found.size:
        refuse("centres", "empty", "one centre at least")
    finite("centres", found)
    if not (found[1:] > found[:-1]).all():
        refuse("centres", "not ascending", "ascending numbers")
    with np.errstate(over="ignore"):
        if not np.isfinite(found[-1] - found[0]):
            refuse("centres", f"{found[0]} to {found[-1]}", "a range that is a number")
    return found


def columns(solve_ix: Any, total: int) -> Integers:
    """Return columns to estimate from."""
    found = whole("solve_ix", solve_ix).ravel()
    outside = found[(found < 0) | (found >= total)]
    if outside.size:
        refuse("solve_ix", f"{outside[0]} somewhere", f"columns from 0 to {total - 1}")
    if not (found[1:] > found[:-1]).all():
        refuse("solve_ix", "not ascending", "ascending columns")
    return found


def finite_or_nan(values: Array) -> Array:
    """Return the values with NaN in place of infinity, which is no number either."""
    endless = np.isinf(values)
    return np.where(endless, np.nan, values).astype(values.dtype) if endless.any() else values


def column_or_none(name: str, value: Any, total: int) -> int | None:
    """Return a column, None without one."""
    if value is None:
        return None
    found = whole(name, value)
    if found.ndim != 0 or not 0 <= found < total:
        refuse(name, value, f"None or a column from 0 to {total - 1}")
    return int(found)


def covariance(values: Any, total: int) -> Doubles:
    """Return a covariance, of which both backends read but one half."""
    found = numbers("ifg_vcm", values).astype(np.float64, copy=False)
    if found.shape != (total, total):
        refuse("ifg_vcm", f"an array of shape {found.shape}", f"({total}, {total})")
    known = np.isfinite(found)
    largest = np.abs(np.where(known, found, 0)).max(initial=0.0)
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(found - found.T) > _ASYMMETRY * largest
    same = (found == found.T) | (np.isnan(found) & np.isnan(found.T))
    if ((apart | ~(known & known.T)) & ~same).any():
        refuse("ifg_vcm", "not symmetric", "a covariance")
    return found


def image_pairs(ifgday_ix: Any, total: int, images: int) -> Integers:
    """Return the two images of every interferogram, counted from 0."""
    found = whole("ifgday_ix", ifgday_ix)
    if found.shape != (total, 2):
        refuse("ifgday_ix", f"an array of shape {found.shape}", f"({total}, 2)")
    outside = found[(found < 0) | (found >= images)]
    if outside.size:
        refuse("ifgday_ix", f"{outside[0]} somewhere", f"images from 0 to {images - 1}")
    alone = np.flatnonzero(found[:, 0] == found[:, 1])
    if alone.size:
        refuse("ifgday_ix", f"the same image twice at {alone[0]}", "two images each")
    if not total:
        refuse("ifgday_ix", "empty", "one interferogram at least")
    return found
