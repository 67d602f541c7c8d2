"""Phase differences between nodes and their noise, as one kernel (stage6.md 5, stage8.md 4)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.reference.edge_series import Method, SeriesSettings, analyse_edges
from pystamps_shim.reference.image_network import ImageNetwork

Array = NDArray[Any]
Singles = NDArray[np.float32]


@np.errstate(all="ignore")
def stage8_edge_noise(  # noqa: PLR0917 - the order is that of the native kernel
    node_phase: NDArray[np.complex64],
    node_a: Array,
    node_b: Array,
    mode: Literal["space_time", "simple"] = "space_time",
    bperp: Array | None = None,
    day: Array | None = None,
    ifgday_ix: Array | None = None,
    n_trial_wraps: float | None = None,
    time_win: float = 730.0,
    unwrap_method: str = "3D_FULL",
    la_error: bool = True,
) -> tuple[Singles, Singles]:
    """Return the difference of the nodes' phase along every edge and its noise.

    Parameters
    ----------
    node_phase
        [n_node, m] complex64; infinity is no number.
    node_a, node_b
        [E] ends of the edges, counted from 0; the difference is b minus a.
    mode
        ``space_time``: the edge analysis of stage 6. ``simple``, a diagnostic: the wrapped
        difference, and half of what it differs from the mean of its row.
    bperp
        [m] m of the interferograms.
    day
        [n_image] days of the images, from that of the master.
    ifgday_ix
        [m, 2] images of every interferogram, counted from 0.
    n_trial_wraps
        Turns of the largest look-angle error over the range of the baselines.
    time_win
        Standard deviation of the Gaussian window in time, days.
    unwrap_method
        One of 2D, 3D_NO_DEF, 3D_FULL, 3D_QUICK, 3D_SMALL_DEF.
    la_error
        Whether a slope on the baselines is estimated for every edge.

    Returns
    -------
    dph_space_uw
        [E, m] float32 rad; NaN without statistics.
    dph_noise
        [E, m] float32 rad; [0, 0] for ``2D``.

    Raises
    ------
    ValueError
        An argument that `space_time` needs is missing.
    """
    known = np.where(np.isfinite(node_phase), node_phase, np.nan)
    low, high = known[np.asarray(node_a)], known[np.asarray(node_b)]
    if mode == "simple":
        wrapped = np.angle(high * low.conj()).astype(np.float64)
        noise = 0.5 * (wrapped - wrapped.sum(axis=1, keepdims=True) / max(1, wrapped.shape[1]))
        return wrapped.astype(np.float32), noise.astype(np.float32)
    if bperp is None or day is None or ifgday_ix is None or (la_error and n_trial_wraps is None):
        msg = "mode space_time needs bperp, day, ifgday_ix, and with la_error n_trial_wraps"
        raise ValueError(msg)
    network = ImageNetwork.of(day, np.asarray(ifgday_ix, dtype=np.intp), bperp)
    settings = SeriesSettings(Method(unwrap_method), la_error, time_win, n_trial_wraps or 0.0)
    series = analyse_edges(low, high, network, settings)
    if series.noise_rad is None:
        return series.difference_rad, np.zeros((0, 0), dtype=np.float32)
    return series.difference_rad, series.noise_rad
