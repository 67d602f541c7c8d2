"""Small merged datasets with known unwrapped phase, for rules that no oracle scene exercises."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.synthetic_patch import WAVELENGTH_M
from pystamps_shim.io import mat

Array = NDArray[Any]


@dataclass(frozen=True)
class MergedShape:
    """Extent, number of PS and images, and the kind of network.

    Attributes
    ----------
    ps, images
        Their numbers, the master counted.
    extent_m, cell_m
        Side of the square that holds the PS, and of a cell of the grid.
    noise_rad
        Standard deviation of a PS's own noise.
    """

    ps: int = 1200
    extent_m: float = 2400.0
    images: int = 9
    master: int = 3
    small_baseline: bool = False
    seed: int = 5
    cell_m: float = 60.0
    noise_rad: float = 0.15


@dataclass(frozen=True)
class Merged:
    """A dataset and what its phase is.

    Attributes
    ----------
    folder
        Dataset folder with the results of stage 5.
    truth_rad
        [P, F] unwrapped phase of the interferograms, without noise.
    wrapped
        [P, F] complex64 phasors that stage 6 unwraps if nothing else is known.
    """

    folder: Path
    truth_rad: Array
    wrapped: Array


def write_merged(folder: Path, shape: MergedShape | None = None) -> Merged:
    """Write the merged files that stage 6 reads; by default about 40 x 40 cells."""
    shape = shape or MergedShape()
    random = np.random.default_rng(shape.seed)
    folder.mkdir(parents=True)
    xy = (random.random((shape.ps, 2)) * shape.extent_m).astype(np.float32).round(3)
    xy = xy[np.lexsort((xy[:, 0], xy[:, 1]))]
    day = 738000.0 + 24 * np.arange(shape.images)
    image_bperp = random.permutation(np.linspace(-140, 150, shape.images)).round(1)
    image_bperp -= image_bperp[shape.master]
    images_rad = _images_rad(random, xy / 1000, day - day[shape.master])
    images_rad -= images_rad[:, [shape.master]]
    pairs = _pairs(shape)
    truth = images_rad[:, pairs[:, 1]] - images_rad[:, pairs[:, 0]]
    bperp = image_bperp[pairs[:, 1]] - image_bperp[pairs[:, 0]]
    data = np.ones(len(pairs), dtype=np.bool_)
    if not shape.small_baseline:
        data[shape.master] = False
    baselines = (bperp[data] + random.normal(0, 0.5, (shape.ps, 1))).astype(np.float32)
    full = np.zeros((shape.ps, len(pairs)), dtype=np.float32)
    full[:, data] = baselines
    slope = random.normal(0, 0.005, (shape.ps, 1))
    noise = np.where(data, random.normal(0, shape.noise_rad, (shape.ps, len(pairs))), 0)
    wrapped = np.exp(1j * (truth + noise)).astype(np.complex64)
    phase = (wrapped * np.exp(-1j * slope * full)).astype(np.complex64)
    smooth = np.exp(1j * (truth - slope * full)).astype(np.complex64)
    mat.write(folder / "ps2.mat", _positions(shape, xy, day, bperp, pairs))
    mat.write(folder / "rc2.mat", {"ph_rc": phase})
    mat.write(folder / "bp2.mat", {"bperp_mat": baselines})
    mat.write(folder / "pm2.mat", {"K_ps": slope, "ph_patch": smooth[:, data]})
    parms = {
        "small_baseline_flag": "y" if shape.small_baseline else "n",
        "lambda": WAVELENGTH_M,
        "unwrap_grid_size": shape.cell_m,
    }
    mat.write(folder / "parms.mat", parms)
    mat.write(folder / "ifgstd2.mat", {"ifg_std": np.full((len(pairs), 1), 20.0)})
    (folder / "patch.list").write_text("PATCH_1\n", encoding="ascii")
    (folder / "PATCH_1").mkdir()
    (folder / "PATCH_1" / "pscands.1.ij").touch()
    return Merged(folder, truth, wrapped)


def _pairs(shape: MergedShape) -> Array:
    """Return first and second image of every interferogram, from 0."""
    images = np.arange(shape.images)
    if not shape.small_baseline:
        return np.stack([np.full_like(images, shape.master), images], axis=1)
    return np.array([(i, j) for i in images for j in (i + 1, i + 2) if j < shape.images])


def _images_rad(random: np.random.Generator, km: Array, day: Array) -> Array:
    """Return a bowl that sinks by three cycles in all, and a little atmosphere."""
    centre, width = km.mean(axis=0), 0.8
    bowl = np.exp(-((km - centre) ** 2).sum(axis=1) / width**2)
    rate = 3 * 2 * np.pi / np.ptp(day)
    ramps = random.normal(0, 0.4, (2, len(day)))
    return np.outer(bowl, rate * day) + km @ ramps


def _positions(
    shape: MergedShape, xy: Array, day: Array, bperp: Array, pairs: Array
) -> dict[str, object]:
    ids = np.arange(1.0, shape.ps + 1)
    variables: dict[str, object] = {
        "ij": np.column_stack([ids, np.floor(xy[:, ::-1] / [14.0, 4.0])]),
        "lonlat": np.array([12.5, 45.2]) + xy / 1e5,
        "xy": np.column_stack([ids.astype(np.float32), xy]),
        "bperp": bperp.reshape(-1, 1),
        "day": day.reshape(-1, 1),
        "master_day": day[shape.master],
        "master_ix": float(shape.master + 1),
        "n_ifg": float(len(pairs)),
        "n_image": float(shape.images),
        "n_ps": float(shape.ps),
        "ll0": np.array([[12.5, 45.2]]),
        "mean_incidence": 0.6,
    }
    if shape.small_baseline:
        variables["ifgday_ix"] = pairs + 1.0
        variables["ifgday"] = day[pairs]
    return variables
