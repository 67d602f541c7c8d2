"""Unwrapping problems like those of a stack of interferograms, in the files SNAPHU reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter

_STEPS_PER_CYCLE = 200
_COST_SCALE = 100
_MAX_SHORT = 32_000


@dataclass(frozen=True)
class UnwrapScene:
    """How a problem is made.

    Attributes
    ----------
    size
        Rows and columns of the grid.
    noise_rad
        Mean over the scatterers of the standard deviation of their phase, rad.
    scatterers
        Fraction of the cells that have one.
    noise_limit_rad
        Standard deviation of an edge, rad, beyond which it has no statistics.
    interferograms
        Length of the series from which those deviations are estimated.
    """

    size: int
    noise_rad: float
    scatterers: float = 0.4
    noise_limit_rad: float = 1.2
    interferograms: int = 20


def write_problem(scene: UnwrapScene, folder: Path) -> float:
    """Write ``snaphu.in``, ``snaphu.costinfile`` and ``snaphu.conf``.

    Parameters
    ----------
    scene
        What to make; the same scene always gives the same bytes.
    folder
        Folder to create.

    Returns
    -------
    Fraction of the edges without statistics.
    """
    random = np.random.default_rng(scene.size)
    n = scene.size
    has_node = random.random((n, n)) < scene.scatterers
    has_node[0, 0] = True
    nearest = distance_transform_edt(~has_node, return_distances=False, return_indices=True)
    node = np.cumsum(has_node.ravel()).reshape(n, n)[tuple(nearest)] - 1
    count = int(has_node.sum())
    deviation_rad = random.gamma(2.0, scene.noise_rad / 2.0, count)
    expected_rad = _signal_rad(random, n)[has_node]
    phase_rad = expected_rad + deviation_rad * random.standard_normal(count)

    right = (node[:, :-1], node[:, 1:])
    down = (node[:-1], node[1:])
    key = [np.minimum(a, b) * np.int64(count) + np.maximum(a, b) for a, b in (down, right)]
    apart = [(a != b).ravel() for a, b in (down, right)]
    every = np.concatenate([k.ravel()[kept] for k, kept in zip(key, apart, strict=True)])
    edges, edge_of, occurrences = np.unique(every, return_inverse=True, return_counts=True)
    low, high = edges // count, edges % count
    degrees = scene.interferograms - 1
    scatter = np.sqrt(random.chisquare(degrees, len(edges)) / degrees)
    edge_deviation = np.hypot(deviation_rad[low], deviation_rad[high]) * scatter
    variance = _saturated(
        (edge_deviation / (2 * np.pi) * _STEPS_PER_CYCLE) ** 2 / _COST_SCALE * occurrences
    )
    variance = np.clip(variance, 1, _MAX_SHORT - 1)
    difference = phase_rad[high] - phase_rad[low]
    smooth = expected_rad[high] - expected_rad[low]
    smooth += 0.2 * edge_deviation * random.standard_normal(len(edges))
    offset = _saturated((_wrapped(difference) - smooth) / (2 * np.pi) * _STEPS_PER_CYCLE)
    unknown = edge_deviation > scene.noise_limit_rad

    folder.mkdir(parents=True, exist_ok=True)
    split = int(apart[0].sum())
    parts = (edge_of[:split], edge_of[split:])
    with (folder / "snaphu.costinfile").open("wb") as file:
        for (a, b), kept, edge, turn in zip((down, right), apart, parts, (-1, 1), strict=True):
            record = np.empty((kept.size, 4), dtype=np.int16)
            record[:] = (0, 1, _MAX_SHORT, -_MAX_SHORT)
            sign = turn * np.where((a < b).ravel()[kept], 1, -1)
            known = ~unknown[edge]
            record[kept, 0] = np.where(known, sign * offset[edge], 0)
            record[kept, 1] = np.where(known, variance[edge], 1)
            record[kept, 3] = np.where(known, -_MAX_SHORT, 1)
            record.tofile(file)
    np.exp(1j * phase_rad)[node].astype(np.complex64).tofile(folder / "snaphu.in")
    (folder / "snaphu.conf").write_text(
        "INFILE snaphu.in\nOUTFILE snaphu.out\nCOSTINFILE snaphu.costinfile\nSTATCOSTMODE DEFO\n"
        "INFILEFORMAT COMPLEX_DATA\nOUTFILEFORMAT FLOAT_DATA\n"
    )
    return float(unknown.mean())


def _signal_rad(random: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Return subsidence and turbulence of an n x n grid, rad."""
    y, x = np.mgrid[0:n, 0:n] / n
    subsidence = 40 * np.exp(-((x - 0.4) ** 2 + (y - 0.55) ** 2) / (2 * 0.12**2))
    turbulence = gaussian_filter(random.standard_normal((n, n)), n / 25, mode="wrap")
    return np.asarray(subsidence + 3 * turbulence / turbulence.std())


def _wrapped(phase_rad: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(np.angle(np.exp(1j * phase_rad)))


def _saturated(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Round halves away from 0 and keep within 16 bits."""
    rounded = np.copysign(np.floor(np.abs(values) + 0.5), values)
    return np.clip(rounded, -32_768, 32_767).astype(np.int64)
