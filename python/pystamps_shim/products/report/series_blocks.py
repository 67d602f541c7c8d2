"""Series of neighbouring PS, packed together: read only when one of them is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pystamps_shim.errors import wrong_usage
from pystamps_shim.products.measurements import Doubles, Measurements
from pystamps_shim.products.report.codec import UNKNOWN, Codes, codes_of, packed
from pystamps_shim.products.report.columns import velocity_column

#: PS in a block.
BLOCK_PS = 4096
#: Steps to which displacements are rounded, the first that fits is taken.
STEPS_MM = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)

_SAMPLED_BLOCKS = 12
_DAYS_PER_YEAR = 365.25
# Blocks that were not sampled may be larger.
_MARGIN = 1.02


@dataclass(frozen=True)
class SeriesSource:
    """Series that are about to be packed.

    Attributes
    ----------
    measurements
        In the order of the page.
    velocity_mm_per_year
        As the page has them, [N]; 0 where unknown.
    days
        From the master to every date, [D].
    """

    measurements: Measurements
    velocity_mm_per_year: Doubles
    days: Doubles

    @classmethod
    def of(cls, measurements: Measurements) -> SeriesSource:
        """Return the series of measurements that have some."""
        master = measurements.master_date
        days = [float((date - master).days) for date in measurements.dates]
        velocity = np.nan_to_num(velocity_column(measurements).quantised())
        return cls(measurements, velocity, np.array(days))

    @property
    def blocks(self) -> int:
        """Return the number of blocks."""
        return -(-len(self.measurements) // BLOCK_PS)

    def displacement_mm(self, block: int) -> Doubles:
        """Return the displacements of a block, [n, D]."""
        first = block * BLOCK_PS
        last = min(first + BLOCK_PS, len(self.measurements))
        return self.measurements.displacement_mm(first, last).astype(np.float64)

    def codes(self, block: int, displacement_mm: Doubles, step_mm: float) -> Codes:
        """Return a block as the page has it.

        Parameters
        ----------
        block
            Its number.
        displacement_mm
            Its displacements, [n, D].
        step_mm
            What they are rounded to.

        Returns
        -------
        [1 + D, n] whole numbers of steps: a level for every PS, then for every date the rounded
        displacement less the level and less the rounded line of the PS. Whoever adds them again
        has the rounded displacement exactly.
        """
        first = block * BLOCK_PS
        velocity = self.velocity_mm_per_year[first : first + len(displacement_mm)]
        # In this order of operations: the page computes the same bits.
        line = np.floor(velocity[:, None] * self.days / _DAYS_PER_YEAR / step_mm + 0.5)
        steps = codes_of(displacement_mm, 1 / step_mm)
        known = steps != UNKNOWN
        rest = np.where(known, steps - line, np.nan)
        level = np.rint(_mean(rest))
        dates = np.where(known, rest - level[:, None], UNKNOWN)
        return np.vstack([level[None, :], dates.T]).astype(np.int32)

    def rms_mm(self, block: int, displacement_mm: Doubles) -> Doubles:
        """Return the root mean square of a block's series about their lines, [n]."""
        first = block * BLOCK_PS
        velocity = self.velocity_mm_per_year[first : first + len(displacement_mm)]
        residual = displacement_mm - velocity[:, None] * self.days / _DAYS_PER_YEAR
        residual = residual - _mean(residual)[:, None]
        square = _mean(residual**2)
        square[~np.isfinite(displacement_mm).any(axis=1)] = np.nan
        return np.sqrt(square)

    def packed_blocks(self, step_mm: float) -> Iterator[tuple[bytes, Doubles]]:
        """Yield every block, and the root mean square residuals of its series."""
        for block in range(self.blocks):
            displacement_mm = self.displacement_mm(block)
            codes = self.codes(block, displacement_mm, step_mm)
            yield packed(codes), self.rms_mm(block, displacement_mm)


def finest_step_mm(source: SeriesSource, budget_bytes: float) -> float:
    """Return the finest step with which all blocks, as text, are expected to fit.

    Raises
    ------
    PystampsError
        Not even the coarsest fits.
    """
    count = source.blocks
    sampled = np.unique(np.linspace(0, count - 1, min(count, _SAMPLED_BLOCKS)).astype(np.intp))
    values = {int(block): source.displacement_mm(int(block)) for block in sampled}
    share = len(source.measurements) / sum(len(each) for each in values.values())
    for step_mm in STEPS_MM:
        size = sum(len(packed(source.codes(block, values[block], step_mm))) for block in values)
        if size * share * _MARGIN * 4 / 3 <= budget_bytes:
            return step_mm
    samples = len(source.measurements) * len(source.days)
    cause = f"{samples:,} displacements do not fit into one page"
    remedy = "fewer PS (--min-coherence, --bbox), or velocities alone (--product v-do)"
    raise wrong_usage(cause, remedy)


def _mean(values: Doubles) -> Doubles:
    """Return the mean of the known values of every row, 0 without any, [n]."""
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.asarray(total / np.maximum(known.sum(axis=1), 1))
