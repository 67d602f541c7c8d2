"""The part of an edge's phase that is smooth in time (stage6.md 5, step 6)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.reference.image_network import ImageNetwork

Array = NDArray[Any]
Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]


def smooth_by_master(difference: Array, network: ImageNetwork, window_days: float) -> Singles:
    """Smooth the interferograms of each image that belongs to nearly all (``3D_FULL``).

    The phasors around a date are averaged with a Gaussian window, and the value there of a line
    through the deviations from that mean is added. The smooth phase is then unwrapped in time.

    Parameters
    ----------
    difference
        [E, u] complex64 of unit modulus.
    network
        Images of the interferograms.
    window_days
        Standard deviation of the window.

    Returns
    -------
    [E, u] float32 rad, unwrapped; NaN for interferograms of no such image.

    Notes
    -----
    StaMPS compatibility: ``uw_sb_unwrap_space_time``, ``3D_FULL``. The original leaves the result
    in the order of days where interferograms are not; here it goes back to its interferograms.
    """
    smooth = np.full(difference.shape, np.nan, dtype=np.float32)
    filled = np.zeros(difference.shape[1], dtype=np.bool_)
    members = np.bincount(network.pairs.ravel(), minlength=len(network.day))
    for image in np.flatnonzero(members >= len(network.day) - 2):
        columns = network.interferograms_of(int(image))
        series = _series_of(difference[:, columns], network, int(image), columns, window_days)
        for column, found in zip(columns, series.T, strict=True):
            noise = difference[:, column]
            if filled[column]:
                spread = [_deviation(noise, part) for part in (smooth[:, column], found)]
                if spread[0] < spread[1]:
                    continue
            smooth[:, column] = found
            filled[column] = True
    return smooth


def _series_of(
    phase: Array, network: ImageNetwork, image: int, columns: Array, window_days: float
) -> Singles:
    """Return the smooth phase of the interferograms of one image, [E, columns] float32."""
    reverse = network.pairs[columns, 1] == image
    others = np.where(reverse, network.pairs[columns, 0], network.pairs[columns, 1])
    phase = phase.copy()
    phase[:, reverse] = phase[:, reverse].conj()
    order = np.argsort(network.day[others], kind="stable")
    phasors = _local_fit(phase[:, order], network.day[others[order]], window_days)
    steps = np.concatenate(
        [np.angle(phasors[:, :1]), np.angle(phasors[:, 1:] * phasors[:, :-1].conj())], axis=1
    )
    back = np.argsort(order, kind="stable")
    series = np.cumsum(steps, axis=1, dtype=np.float32)[:, back]
    anchor = series[:, _near_master(others, image)].mean(axis=1, keepdims=True)
    # A whole number of cycles: near the master the phase is small.
    series -= anchor - np.angle(np.exp(1j * anchor))
    sign = np.where(reverse, -1, 1).astype(np.float32)
    return np.asarray(series * sign)


def _local_fit(phase: Array, day: Doubles, window_days: float) -> Array:
    """Return the phasor of the locally fitted line at every date, [E, dates] complex64."""
    fitted = np.empty_like(phase)
    for index, date in enumerate(day):
        since = date - day
        weight = np.exp(-(since**2) / (2 * window_days**2))
        weight /= weight.sum()
        mean = (phase @ weight).astype(np.complex64)
        deviation = _modulo_turn(np.angle(phase) - np.angle(mean)[:, None])
        offset = deviation @ _intercept(since, weight) if len(day) > 1 else np.zeros(len(phase))
        fitted[:, index] = mean * np.exp(1j * offset)
    return fitted


def _intercept(abscissa: Doubles, weight: Doubles) -> Doubles:
    """Return what makes the intercept of the weighted line out of the values."""
    design = np.stack([np.ones_like(abscissa), abscissa], axis=1)
    root = np.sqrt(weight)
    return np.asarray((np.linalg.pinv(design * root[:, None]) * root)[0])


def _modulo_turn(angle: Singles) -> Singles:
    """Return the angle from -pi up to, not including, pi."""
    half, turn = np.float32(np.pi), np.float32(2 * np.pi)
    return np.asarray(np.mod(angle + half, turn) - half)


def _near_master(others: Array, image: int) -> Array:
    """Return the place of the images just before and after `image` in the order given."""
    after = np.flatnonzero(others > image)
    if after.size == 0:
        return np.array([len(others) - 1])
    return np.array([after[0] - 1, after[0]]) if after[0] > 0 else after[:1]


def _deviation(phase: Array, smooth: Singles) -> float:
    noise = np.angle(phase * np.exp(-1j * smooth))
    return float(np.std(noise, ddof=1)) if len(noise) > 1 else 0.0


def smooth_by_inversion(difference: Array, network: ImageNetwork, window_days: float) -> Singles:
    """Invert to a series of images, average it in time (``3D_QUICK``, ``3D_SMALL_DEF``).

    Parameters
    ----------
    difference, network, window_days
        As for `smooth_by_master`. The phase must not wrap between the images of a pair.

    Returns
    -------
    [E, u] float32 rad.
    """
    design = network.design()
    series = np.zeros((len(difference), len(network.day)))
    series[:, 1:] = np.angle(difference).astype(np.float64) @ _solver(design[:, 1:]).T
    since = network.day[:, None] - network.day[None, :]
    weight = np.exp(-(since**2) / (2 * window_days**2))
    weight /= weight.sum(axis=1, keepdims=True)
    return np.asarray(series @ weight.T @ design.T, dtype=np.float32)


def _solver(design: Doubles) -> Doubles:
    """Return the matrix of the least-squares solution, [unknowns, equations].

    With images that no path connects it is the basic solution: surplus unknowns are 0.
    """
    rank = np.linalg.matrix_rank(design)
    if rank == design.shape[1]:
        return np.asarray(np.linalg.pinv(design))
    import scipy.linalg  # noqa: PLC0415 - of the test dependencies, and rarely needed

    _, _, order = scipy.linalg.qr(design, pivoting=True, mode="economic")
    solver = np.zeros(design.shape[::-1])
    basis = np.sort(order[:rank])
    solver[basis] = np.linalg.pinv(design[:, basis])
    return solver
