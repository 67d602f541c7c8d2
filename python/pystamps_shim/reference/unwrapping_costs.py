"""Costs of whole cycles between neighbouring cells, and SNAPHU's files of them (stage6.md 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.reference.edge_series import EdgeSeries
from pystamps_shim.reference.nearest_node import NodeEdges

Array = NDArray[Any]
Singles = NDArray[np.float32]
Shorts = NDArray[np.int16]

#: SNAPHU counts phase in steps and scales variances (its NSHORTCYCLE, and a fixed divisor).
STEPS_PER_CYCLE = 200
_VARIANCE_SCALE = 100
#: Both fields that SNAPHU's deformation mode has besides: no bound, no shelf.
_NO_BOUND, _NO_SHELF = 32000, -32000
_SHELF = 1
#: Model of the variance without an analysis in time: it levels off within about 20 km.
_SILL_RANGE_M = 20000.0
_SILL_DIVISOR = 10.0


@dataclass(frozen=True)
class ArcCosts:
    """Costs of one interferogram's arcs in one direction, each [rows, columns].

    Attributes
    ----------
    offset
        int16, wrapped minus expected difference to the next cell, in steps.
    variance
        int16, steps squared over 100.
    unknown
        bool, edges without statistics.
    wrapped_rad
        float32, the wrapped difference that the offset counts from; 0 without statistics.
    """

    offset: Shorts
    variance: Shorts
    unknown: NDArray[np.bool_]
    wrapped_rad: Singles

    def records(self, sign: int) -> Shorts:
        """Return SNAPHU's four numbers of every arc, [rows, columns, 4]."""
        shelf = np.where(self.unknown, np.int16(_SHELF), np.int16(_NO_SHELF))
        bound = np.full_like(self.offset, _NO_BOUND)
        offset = short(np.float32(sign) * self.offset)
        return np.stack([offset, self.variance, bound, shelf], axis=-1)


@dataclass(frozen=True)
class EdgeCosts:
    """Costs of edges, from which those of arcs follow.

    Attributes
    ----------
    edges
        The edges.
    series
        Their phase.
    variance
        [E] int16, what the edge has in each interferogram, times the arcs that stand for it.
    spread
        [E, u] float, more variance in cycles, from the spatial gradient; None for none.
    known
        [E] bool, edges with statistics.
    """

    edges: NodeEdges
    series: EdgeSeries
    variance: Shorts
    spread: Array | None
    known: NDArray[np.bool_]

    @classmethod
    def of(
        cls, edges: NodeEdges, series: EdgeSeries, length_m: Array, spread: Array | None
    ) -> EdgeCosts:
        """Take the variance from the noise, or else from the length of the edge.

        Parameters
        ----------
        edges, series
            Edges and their phase.
        length_m
            [E] distance of the nodes, used without an analysis in time.
        spread
            As the attribute.

        Notes
        -----
        StaMPS compatibility: ``uw_stat_costs``. Each edge has several arcs; multiplying by their
        number makes their sum weigh as one observation.
        """
        cycles_squared: Array
        if series.noise_rad is None:
            sill = (2 * np.pi) ** 2 * (1 - np.exp(-3 * length_m / _SILL_RANGE_M))
            cycles_squared = sill / _SILL_DIVISOR
        else:
            cycles_squared = (series.noise_deviation_rad() / np.float32(2 * np.pi)) ** 2
        number = edges.occurrences().astype(cycles_squared.dtype)
        scaled = cycles_squared * STEPS_PER_CYCLE**2 / _VARIANCE_SCALE * number
        variance = np.maximum(short(scaled), np.int16(1))
        return cls(edges, series, variance, spread, ~np.isnan(cycles_squared))

    def of_interferogram(self, column: int) -> tuple[ArcCosts, ArcCosts]:
        """Return the costs of the arcs to the cell below and to the next column."""
        wrapped = np.angle(np.exp(1j * self.series.difference_rad[:, column]))
        variance = self._variance(column)
        return (
            self._arcs(self.edges.down, column, wrapped, variance),
            self._arcs(self.edges.right, column, wrapped, variance),
        )

    def _variance(self, column: int) -> Shorts:
        if self.spread is None:
            return self.variance
        number = self.edges.occurrences()
        scale = STEPS_PER_CYCLE**2 / 6 / _VARIANCE_SCALE
        more = short(np.abs(self.spread[:, column]) * scale * number)
        return short(self.variance.astype(np.float64) + more)

    def _arcs(self, arcs: Array, column: int, wrapped: Singles, variance: Shorts) -> ArcCosts:
        edge, joined = np.abs(arcs), arcs != 0
        sign = np.sign(arcs).astype(np.float32)
        # Edges count from 1; 0 stands for two cells of one node.
        known = joined & np.append(False, self.known)[edge]
        cycles = (wrapped - self.series.expected_rad()[:, column]) / np.float32(2)
        cycles = np.append(np.float32(0), cycles / np.float32(np.pi))
        return ArcCosts(
            np.where(known, short(cycles[edge] * sign * STEPS_PER_CYCLE), np.int16(0)),
            np.where(known, np.append(np.int16(1), variance)[edge], np.int16(1)),
            joined & ~known,
            np.where(known, np.append(np.float32(0), wrapped)[edge] * sign, np.float32(0)),
        )


def short(values: Array) -> Shorts:
    """Convert as MATLAB's ``int16``: halves away from zero, saturating, 0 for NaN."""
    bounds = np.iinfo(np.int16)
    magnitude = np.minimum(np.abs(values), bounds.max + 2)
    whole = np.trunc(magnitude)
    # Not floor(x + 1/2): in single precision that rounds 0.49999997 up.
    away = np.copysign(whole + (magnitude - whole >= 0.5), values)
    return np.asarray(np.clip(np.nan_to_num(away, nan=0.0), bounds.min, bounds.max), np.int16)


def cost_file(down: ArcCosts, right: ArcCosts) -> bytes:
    """Return ``snaphu.costinfile``: row arcs, whose flow counts upwards there, then column arcs."""
    return down.records(-1).tobytes() + right.records(1).tobytes()


def input_file(phase: Array, nearest: Array, column: int) -> bytes:
    """Return ``snaphu.in``: the nodes' phasors on the filled grid, complex64, row by row."""
    return np.ascontiguousarray(phase[nearest, column], dtype=np.complex64).tobytes()
