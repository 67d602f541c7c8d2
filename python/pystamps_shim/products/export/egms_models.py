"""The regressions behind the columns of the European Ground Motion Service.

Polynomials of first, second and third order, each with an annual oscillation, are fitted to every
series. The designs are nested, so that one orthonormal basis serves them all: with columns in the
order constant, sine, cosine, time, its square, its cube, the first four columns of the basis span
the linear model, five the quadratic one, six the cubic one.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products.measurements import Doubles

_DAYS_PER_YEAR = 365.25
#: Terms of the models of first, second and third order.
LINEAR, QUADRATIC, CUBIC = 4, 5, 6
_SINE, _COSINE, _TIME, _SQUARE = 1, 2, 3, 4
# Ratio of singular values beyond which dates do not tell the terms apart.
_WORST_CONDITION = 1e4


@dataclass(frozen=True)
class Regression:
    """What the models tell of each series, [n]; NaN where it cannot be told.

    Attributes
    ----------
    rmse_mm
        Root mean square of the residuals of the cubic model.
    velocity, velocity_std
        Slope of the linear model and its standard deviation, mm/yr.
    acceleration, acceleration_std
        Twice the second order's coefficient of the quadratic model, mm/yr2.
    seasonality, seasonality_std
        Amplitude of the oscillation of the cubic model, mm.
    """

    rmse_mm: Doubles
    velocity: Doubles
    velocity_std: Doubles
    acceleration: Doubles
    acceleration_std: Doubles
    seasonality: Doubles
    seasonality_std: Doubles


class Models:
    """The three models of one list of dates.

    Parameters
    ----------
    dates
        Dates of the columns of the series, [k], ascending.

    Notes
    -----
    A model needs more dates than it has terms, a year of them at least, since less of it does not
    tell an oscillation from a trend, and dates that tell its terms apart.
    """

    def __init__(self, dates: Sequence[datetime.date]) -> None:
        days = np.array([date.toordinal() for date in dates], dtype=np.float64)
        middle = (days[0] + days[-1]) / 2
        years = (days - middle) / _DAYS_PER_YEAR
        turn = 2 * np.pi * years
        columns = [np.ones_like(years), np.sin(turn), np.cos(turn), years, years**2, years**3]
        design = np.column_stack(columns)
        whole_year = days[-1] - days[0] >= _DAYS_PER_YEAR - 1
        #: Terms of the largest model that the dates allow; 0 where there is none.
        self.terms = max(
            (n for n in (LINEAR, QUADRATIC, CUBIC) if whole_year and _determined(design[:, :n])),
            default=0,
        )
        self._dates = len(dates)
        self._basis, self._triangle = np.linalg.qr(design[:, : self.terms])

    def fit(self, displacement_mm: NDArray[np.float32]) -> Regression:
        """Return what the models tell of some series.

        Parameters
        ----------
        displacement_mm
            [n, k]; a series with an unknown value has unknown results.
        """
        series = displacement_mm.astype(np.float64)
        along = series @ self._basis
        # Sum of squares that each model leaves: the larger ones explain more columns of the basis.
        left = ((series - along @ self._basis.T) ** 2).sum(axis=1)
        velocity, velocity_std = self._term(LINEAR, _TIME, along, left)
        curvature, curvature_std = self._term(QUADRATIC, _SQUARE, along, left)
        seasonality, seasonality_std = self._oscillation(along, left)
        unknown = np.full(len(series), np.nan)
        return Regression(
            rmse_mm=np.sqrt(left / self._dates) if self.terms == CUBIC else unknown,
            velocity=velocity,
            velocity_std=velocity_std,
            acceleration=2 * curvature,
            acceleration_std=2 * curvature_std,
            seasonality=seasonality,
            seasonality_std=seasonality_std,
        )

    def _term(
        self, terms: int, term: int, along: Doubles, left: Doubles
    ) -> tuple[Doubles, Doubles]:
        """Return a coefficient of the model of `terms` columns and its standard deviation, [n]."""
        if self.terms < terms:
            unknown = np.full(len(along), np.nan)
            return unknown, unknown
        rows = self._inverse(terms)[term]
        value = along[:, :terms] @ rows
        return value, np.sqrt(self._variance(terms, along, left) * (rows @ rows))

    def _oscillation(self, along: Doubles, left: Doubles) -> tuple[Doubles, Doubles]:
        """Return the amplitude of the cubic model's oscillation and its standard deviation, [n]."""
        if self.terms < CUBIC:
            unknown = np.full(len(along), np.nan)
            return unknown, unknown
        rows = self._inverse(CUBIC)[[_SINE, _COSINE]]
        both = along @ rows.T
        amplitude = np.hypot(*both.T)
        # No direction, no propagation: an amplitude of nothing has an unknown standard deviation.
        towards = both / np.where(amplitude > 0, amplitude, np.nan)[:, None]
        spread = np.einsum("ni,ij,nj->n", towards, rows @ rows.T, towards)
        return amplitude, np.sqrt(self._variance(CUBIC, along, left) * spread)

    def _inverse(self, terms: int) -> Doubles:
        """Return what turns coordinates along the basis into coefficients of a model."""
        return np.asarray(np.linalg.inv(self._triangle[:terms, :terms]))

    def _variance(self, terms: int, along: Doubles, left: Doubles) -> Doubles:
        """Return the variance of the displacements about the model of `terms` columns, [n]."""
        squares = left + (along[:, terms:] ** 2).sum(axis=1)
        return np.asarray(squares / (self._dates - terms))


def _determined(design: Doubles) -> bool:
    """Tell whether a design has more rows than columns and tells its columns apart."""
    rows, columns = design.shape
    if rows <= columns:
        return False
    return bool(np.linalg.cond(design / np.linalg.norm(design, axis=0)) < _WORST_CONDITION)
