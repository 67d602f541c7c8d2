"""The numbers behind the page's section on quality."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products.measurements import Doubles, Measurements
from pystamps_shim.products.report.cells import Density, Stable, density, metres, stable_ground
from pystamps_shim.products.report.variogram import Bin, variogram

_BARS = 40
_ROUND_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Histogram:
    """Numbers of values between edges.

    Attributes
    ----------
    edges
        At round numbers, [k + 1].
    counts
        [k]
    median
        Of all values.
    below, above
        Values beyond the first and the last edge.
    """

    edges: Doubles
    counts: NDArray[np.intp]
    median: float
    below: int
    above: int


@dataclass(frozen=True)
class Quality:
    """Statistics of all PS of a page; None where nothing is known.

    Attributes
    ----------
    velocity, std, coherence, rms
        Histograms; rms of the series about their lines, mm.
    density
        PS per square kilometre.
    stable
        Ground taken as stable.
    variogram
        Of its velocities; of all where no ground can be told to be stable.
    """

    velocity: Histogram | None
    std: Histogram | None
    coherence: Histogram | None
    rms: Histogram | None
    density: Density
    stable: Stable
    variogram: list[Bin]


def quality_of(measurements: Measurements, rms_mm: Doubles | None) -> Quality:
    """Return the statistics.

    Parameters
    ----------
    measurements
        In spatial order.
    rms_mm
        [N]; None without series.
    """
    xy_m = metres(measurements.places.lonlat_deg)
    velocity = measurements.velocity_mm_per_year()
    stable = stable_ground(xy_m, velocity)
    compared = stable.flags if stable.told else np.isfinite(velocity)
    return Quality(
        velocity=histogram(velocity),
        std=histogram(measurements.velocity_std_mm_per_year()),
        coherence=histogram(measurements.places.coherence),
        rms=None if rms_mm is None else histogram(rms_mm),
        density=density(xy_m),
        stable=stable,
        variogram=variogram(xy_m[compared], velocity[compared]),
    )


def histogram(values: Doubles) -> Histogram | None:
    """Return a histogram of about 40 bars that holds 99 % of the known values; None without any.

    An outlier must not squeeze all others into one bar.
    """
    known = values[np.isfinite(values)]
    if not known.size:
        return None
    low, high = (float(each) for each in np.quantile(known, (0.005, 0.995)))
    width = _round_up(max((high - low) / _BARS, abs(high) * 1e-6, 1e-6))
    first, last = np.floor(low / width), np.floor(high / width) + 1
    edges = np.arange(first, last + 1) * width
    counts, _ = np.histogram(known, edges)
    below, above = int((known < edges[0]).sum()), int((known > edges[-1]).sum())
    return Histogram(edges, counts, float(np.median(known)), below, above)


def _round_up(value: float) -> float:
    power: float = 10.0 ** np.floor(np.log10(value))
    return next(step * power for step in _ROUND_STEPS if step * power >= value * (1 - 1e-9))
