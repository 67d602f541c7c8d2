"""Least squares with a covariance, and with dependent columns (stage7.md 4, step 11)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

#: A column counts as dependent below this many roundings, as in MATLAB's ``lscov``.
_ROUNDINGS = 20


class NotPositiveDefiniteError(ValueError):
    """A covariance that cannot weigh observations."""

    def __init__(self) -> None:
        super().__init__("ifg_vcm: the covariance matrix is not positive definite")


def basic_solver(design: Doubles, covariance: Doubles | None = None) -> Doubles:
    """Return what makes the least-squares solution out of the observations.

    Parameters
    ----------
    design
        [n, p]
    covariance
        [n, n] of the observations; all weigh the same without it.

    Returns
    -------
    [p, n] whose product with [n] observations is [p] unknowns. An unknown whose column depends on
    the others is 0. NaN for a design that is no number.

    Raises
    ------
    NotPositiveDefiniteError
        The covariance has a direction without variance, or is no number.

    Notes
    -----
    StaMPS compatibility: MATLAB's ``lscov``. The columns are taken in the order of what is left of
    their length, the longest first; what is left of a dependent one is rounding.
    """
    if not np.isfinite(design).all():
        return np.full(design.shape[::-1], np.nan)
    white = None if covariance is None else _whitening(covariance)
    scaled = design if white is None else white @ design
    columns = independent_columns(scaled)
    inverse = np.linalg.pinv(scaled[:, columns])
    solver = np.zeros(design.shape[::-1])
    solver[columns] = inverse if white is None else inverse @ white
    return solver


def independent_columns(design: Doubles) -> NDArray[np.intp]:
    """Return the columns that a QR decomposition with pivoting keeps, ascending."""
    rest = design.astype(np.float64)
    kept: list[int] = []
    longest = 0.0
    for _ in range(min(design.shape)):
        length = np.linalg.norm(rest, axis=0)
        pivot = int(np.argmax(length))
        longest = longest or float(length[pivot])
        if not length[pivot] > _ROUNDINGS * sum(design.shape) * np.spacing(1.0) * longest:
            break
        kept.append(pivot)
        direction = rest[:, pivot] / length[pivot]
        rest -= np.outer(direction, direction @ rest)
        rest[:, pivot] = 0
    return np.sort(np.array(kept, dtype=np.intp))


def _whitening(covariance: Doubles) -> Doubles:
    """Return the matrix that makes the observations independent and of variance 1."""
    if not np.isfinite(covariance).all():
        raise NotPositiveDefiniteError
    try:
        root = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError as error:
        raise NotPositiveDefiniteError from error
    return np.asarray(np.linalg.inv(root))
