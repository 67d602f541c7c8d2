"""How much velocities of stable ground differ over distances, as OPERA validates its products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pystamps_shim.products.measurements import Doubles, Rows

#: What OPERA requires of DISP-S1 over these distances; a yardstick, not a promise of ours.
REQUIREMENT_MM_PER_YEAR = 5.0
EDGES_KM = np.geomspace(0.1, 50.0, 13)

_PAIRS = 200_000
_LEAST_PAIRS = 50
_SEED = 1


@dataclass(frozen=True)
class Bin:
    """Pairs of PS about as far from each other.

    Attributes
    ----------
    near_km, far_km
        Limits of the distance.
    pairs
        Number of pairs, each counted once.
    semivariance
        Half the mean squared difference of velocity, mm²/yr².
    share_within
        Share of the pairs whose velocities differ by no more than the requirement.
    """

    near_km: float
    far_km: float
    pairs: int
    semivariance: float
    share_within: float

    @property
    def middle_km(self) -> float:
        """Return the middle of the limits, on a logarithmic axis."""
        return float(np.sqrt(self.near_km * self.far_km))

    @property
    def difference_mm_per_year(self) -> float:
        """Return the root mean square difference of velocity."""
        return float(np.sqrt(2 * self.semivariance))


def variogram(xy_m: Doubles, velocity_mm_per_year: Doubles) -> list[Bin]:
    """Return the bins that hold 50 pairs or more.

    Parameters
    ----------
    xy_m
        Places of PS in spatial order, [N, 2].
    velocity_mm_per_year
        [N], all known.
    """
    if len(xy_m) < 2:
        return []
    first, second = different_pairs(len(xy_m))
    offset_km = (xy_m[first] - xy_m[second]) / 1000
    distance_km = np.hypot(offset_km[:, 0], offset_km[:, 1])
    difference = velocity_mm_per_year[first] - velocity_mm_per_year[second]
    place = np.digitize(distance_km, EDGES_KM) - 1
    found = []
    for index in range(len(EDGES_KM) - 1):
        inside = difference[place == index]
        if inside.size >= _LEAST_PAIRS:
            semivariance = float(np.mean(inside**2) / 2)
            within = float(np.mean(np.abs(inside) <= REQUIREMENT_MM_PER_YEAR))
            limits = float(EDGES_KM[index]), float(EDGES_KM[index + 1])
            found.append(Bin(*limits, inside.size, semivariance, within))
    return found


def different_pairs(count: int) -> tuple[Rows, Rows]:
    """Return different pairs of different rows, the same ones every time.

    All of them where these are no more than 200,000; else as many are drawn, and those drawn twice
    count once. One half is drawn at random, which gives the long distances; the other half along
    the spatial order, with steps of all sizes, which gives the short ones.
    """
    if count * (count - 1) // 2 <= _PAIRS:
        first, second = np.triu_indices(count, 1)
        return first, second
    rng = np.random.default_rng(_SEED)
    first = rng.integers(0, count, _PAIRS)
    anywhere = rng.integers(1, count, _PAIRS // 2)
    along = np.exp(rng.uniform(0, np.log(count), _PAIRS - _PAIRS // 2)).astype(np.int64)
    step = np.concatenate([anywhere, np.clip(along, 1, count - 1)])
    second = (first + step) % count
    lower, higher = np.minimum(first, second), np.maximum(first, second)
    lower, higher = np.divmod(np.unique(lower * count + higher), count)
    return lower.astype(np.intp), higher.astype(np.intp)
