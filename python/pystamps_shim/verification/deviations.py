"""How far the elements of two arrays are apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.verification.contracts import Measure

Array = NDArray[Any]
Doubles = NDArray[np.float64]

#: A whole cycle of phase.
TURN = 2 * np.pi


def deviation(measure: Measure, reference: Array, candidate: Array) -> Doubles:
    """Return the deviation of every element by a measure.

    It is 0 where both are the same or both are NaN, infinite where only one is NaN or infinite.
    """
    is_complex = np.iscomplexobj(reference) or np.iscomplexobj(candidate)
    kind = complex if is_complex or measure is Measure.PHASOR else float
    one, other = reference.astype(kind), candidate.astype(kind)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        if measure is Measure.PHASOR:
            modulus = np.abs(np.abs(other) / np.abs(one) - 1)
            found = np.maximum(modulus, np.abs(np.angle(other * one.conj())))
        else:
            found = np.abs(other - one)
            if measure is Measure.RELATIVE:
                found = found / np.abs(one)
    return _settled(found, one, other)


def wrapped_deviation(reference: Array, candidate: Array) -> Doubles:
    """Return the deviation of angles, rad, modulo a turn; of complex numbers that of their angles.

    A complex number that is 0 on one side alone is half a turn off.
    """
    is_complex = np.iscomplexobj(reference) or np.iscomplexobj(candidate)
    kind = complex if is_complex else float
    one, other = reference.astype(kind), candidate.astype(kind)
    with np.errstate(invalid="ignore"):
        if is_complex:
            lost = (one == 0) != (other == 0)
            found = np.where(lost, np.pi, np.abs(np.angle(other * one.conj())))
        else:
            found = np.abs(np.angle(np.exp(1j * (other - one))))
    return _settled(found, one, other)


def ulp_deviation(reference: Array, candidate: Array) -> Doubles:
    """Return the deviation of real numbers in units of the last place of the reference.

    The unit is that of the type in which the reference is stored.
    """
    one, other = reference.astype(float), candidate.astype(float)
    stored = reference if reference.dtype.kind == "f" else one
    with np.errstate(invalid="ignore"):
        found = np.abs(other - one) / np.spacing(np.abs(stored)).astype(float)
    return _settled(found, one, other)


def whole_cycles(reference: Array, candidate: Array) -> Doubles:
    """Return by how many whole cycles each element is off; NaN where that is no number."""
    with np.errstate(invalid="ignore"):
        cycles = np.rint((candidate.astype(float) - reference.astype(float)) / TURN)
    return np.where(np.isfinite(cycles), cycles, np.nan)


def usual_cycles(cycles: Doubles) -> Doubles:
    """Return the median number of cycles of every column, 0 where it knows none."""
    known = np.isfinite(cycles).any(axis=0)
    return np.asarray(np.rint(np.nanmedian(np.where(known, cycles, 0.0), axis=0)))


def _settled(found: Doubles, one: Array, other: Array) -> Doubles:
    """Return 0 for equal elements and infinity for those that cannot be compared."""
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    return np.where(same, 0.0, np.where(np.isnan(found), np.inf, found))
