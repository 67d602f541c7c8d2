"""What to expect of the phase difference between nodes, from its behaviour in time (6 D)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.reference.edge_slope import edge_slopes
from pystamps_shim.reference.edge_smoothing import smooth_by_inversion, smooth_by_master
from pystamps_shim.reference.image_network import ImageNetwork

Array = NDArray[Any]
Singles = NDArray[np.float32]


class Method(StrEnum):
    """What is assumed of the deformation in time."""

    SPATIAL = "2D"
    NO_DEFORMATION = "3D_NO_DEF"
    FULL = "3D_FULL"
    QUICK = "3D_QUICK"
    SMALL_DEFORMATION = "3D_SMALL_DEF"


#: Standard deviation of the noise above which an edge says nothing, rad.
_LARGEST_NOISE_RAD = {Method.FULL: 1.2, Method.QUICK: 1.3, Method.SMALL_DEFORMATION: 1.3}


@dataclass(frozen=True)
class SeriesSettings:
    """How the series of edges are analysed.

    Attributes
    ----------
    method
        Assumption on the deformation.
    slope
        Whether the look-angle error is estimated.
    window_days
        Standard deviation of the smoothing in time.
    trial_wraps
        Extent of the search for the look-angle error (`edge_slopes`).
    """

    method: Method
    slope: bool
    window_days: float
    trial_wraps: float


@dataclass(frozen=True)
class EdgeSeries:
    """Phase differences along edges.

    Attributes
    ----------
    difference_rad
        [E, u] float32, equal to the nodes' wrapped difference but for whole cycles.
    noise_rad
        [E, u] float32 by which it deviates from what is expected; NaN in edges that say nothing;
        None without an analysis in time.
    """

    difference_rad: Singles
    noise_rad: Singles | None

    def expected_rad(self) -> Singles:
        """Return the expected difference, [E, u] float32."""
        if self.noise_rad is None:
            return self.difference_rad
        return self.difference_rad - self.noise_rad

    def noise_deviation_rad(self) -> Singles:
        """Return the standard deviation of each edge's noise, [E] float32.

        0 for a single interferogram.
        """
        if self.noise_rad is None:
            msg = "the method 2D has no noise"
            raise ValueError(msg)
        return row_deviation(self.noise_rad)


def row_deviation(values: Singles) -> Singles:
    """Return the standard deviation of each row, divisor n - 1, 0 for a single column."""
    if values.shape[1] < 2:
        return np.asarray(values[:, 0] * 0)
    return np.asarray(np.std(values, axis=1, ddof=1))


def analyse_edges(
    low: NDArray[np.complex64],
    high: NDArray[np.complex64],
    network: ImageNetwork,
    settings: SeriesSettings,
) -> EdgeSeries:
    """Split the differences of edges into what is expected and noise.

    Parameters
    ----------
    low, high
        [E, u] complex64 of the edges' ends; the difference is high minus low.
    network
        Images of the interferograms.
    settings
        Settings.

    Notes
    -----
    StaMPS compatibility: ``uw_sb_unwrap_space_time``, which all methods go through. An end
    without phase makes its edge NaN, and so does an interferogram without a smooth part.
    """
    product = high * low.conj()
    with np.errstate(invalid="ignore", divide="ignore"):
        difference = product / np.abs(product)
        known = np.zeros((len(product), 1), dtype=np.float32)
        if settings.slope:
            known = edge_slopes(difference, network, settings.trial_wraps)
        slope_rad = known * network.bperp_m.astype(np.float32)
        difference = (difference * np.exp(-1j * slope_rad)).astype(np.complex64)
        wrapped_rad = np.angle(difference)
        if settings.method is Method.SPATIAL:
            return EdgeSeries(wrapped_rad + slope_rad, None)
        if settings.method is Method.NO_DEFORMATION:
            return EdgeSeries(wrapped_rad + slope_rad, wrapped_rad)
        smoother = smooth_by_master if settings.method is Method.FULL else smooth_by_inversion
        smooth_rad = smoother(difference, network, settings.window_days)
        noise_rad = np.angle(difference * np.exp(-1j * smooth_rad))
    # The deviation of noise that is not known everywhere is NaN, which is not below the limit.
    small = row_deviation(noise_rad) <= _LARGEST_NOISE_RAD[settings.method]
    noise_rad[~small] = np.nan
    return EdgeSeries(smooth_rad + noise_rad + slope_rad, noise_rad)
