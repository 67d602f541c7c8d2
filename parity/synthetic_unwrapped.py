"""Small datasets as stage 6 leaves them, with known slopes, for rules no oracle scene exercises."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.synthetic_merged import MergedShape, write_merged
from pystamps_shim.io import mat

Array = NDArray[Any]


@dataclass(frozen=True)
class Unwrapped:
    """A dataset and what its unwrapped phase is made of.

    Attributes
    ----------
    folder
        Dataset folder with the results of stages 5 and 6.
    slope_rad_per_m
        [P] of each PS's own baselines.
    master_rad
        [P] phase of the master that all images have the negative of; 0 for small baselines.
    velocity_rad_per_day
        [P]
    image_rad
        [P, images] phase of the images without `slope_rad_per_m`, noise included.
    """

    folder: Path
    slope_rad_per_m: Array
    master_rad: Array
    velocity_rad_per_day: Array
    image_rad: Array


def write_unwrapped(
    folder: Path, shape: MergedShape | None = None, noise_rad: float = 0.05
) -> Unwrapped:
    """Write the files of stages 5 and 6; the days are irregular, so that no design is dependent.

    Parameters
    ----------
    folder
        Folder to create.
    shape
        Extent and network; by default 400 PS in a square of 2 km.
    noise_rad
        Standard deviation of an image's noise.
    """
    shape = shape or MergedShape(ps=400, extent_m=2000.0, images=11)
    write_merged(folder, shape)
    random = np.random.default_rng(shape.seed + 100)
    ps = mat.read(folder / "ps2.mat")
    steps = 12.0 * random.integers(1, 4, shape.images)
    day = 738000.0 + np.cumsum(steps)
    since = day - day[shape.master]
    ps.update(day=day.reshape(-1, 1), master_day=float(day[shape.master]))
    if shape.small_baseline:
        ps["ifgday"] = day[ps["ifgday_ix"].astype(int) - 1]
    mat.write(folder / "ps2.mat", ps)
    km = ps["xy"][:, 1:].astype(float) / 1000
    slope = 0.02 * np.sin(3 * km[:, 0]) + random.normal(0, 0.004, shape.ps)
    velocity = 0.02 * np.exp(-((km - km.mean(axis=0)) ** 2).sum(axis=1))
    master = np.zeros(shape.ps) if shape.small_baseline else 0.3 * np.cos(2 * km[:, 1])
    image = np.outer(velocity, since) + random.normal(0, noise_rad, (shape.ps, shape.images))
    image -= master[:, None]
    image[:, shape.master] = 0
    _write_phase(folder, shape, ps, slope, image)
    return Unwrapped(folder, slope, -master, velocity, image)


def _write_phase(
    folder: Path, shape: MergedShape, ps: dict[str, Any], slope: Array, image: Array
) -> None:
    """Write ``phuw2.mat``, and for small baselines the interferograms it was inverted from."""
    baselines = mat.read_variable(folder / "bp2.mat", "bperp_mat").astype(float)
    if not shape.small_baseline:
        phase = image + slope[:, None] * np.insert(baselines, shape.master, 0, axis=1)
        phase[:, shape.master] = 0
        msd = np.zeros((shape.images, 1), dtype=np.float32)
        mat.write(folder / "phuw2.mat", {"ph_uw": phase.astype(np.float32), "msd": msd})
        return
    pairs = ps["ifgday_ix"].astype(int) - 1
    design = np.zeros((len(pairs), shape.images))
    design[np.arange(len(pairs)), pairs[:, 0]] = -1
    design[np.arange(len(pairs)), pairs[:, 1]] = 1
    phase = image @ design.T + slope[:, None] * baselines
    design[:, shape.master] = 0
    others = np.delete(np.arange(shape.images), shape.master)
    solver = np.linalg.pinv(design[:, others])
    series = np.zeros_like(image)
    series[:, others] = phase @ solver.T
    covariance = np.zeros((shape.images, shape.images))
    covariance[np.ix_(others, others)] = 0.01 * (solver @ solver.T)
    numbers = np.arange(1.0, shape.images + 1).reshape(1, -1)
    msd = np.zeros((len(pairs), 1), dtype=np.float32)
    mat.write(folder / "phuw_sb2.mat", {"ph_uw": phase.astype(np.float32), "msd": msd})
    mat.write(
        folder / "phuw2.mat", {"ph_uw": series.astype(np.float32), "unwrap_ifg_index_sm": numbers}
    )
    mat.write(
        folder / "phuw_sb_res2.mat",
        {
            "ph_res": (series @ design.T).astype(np.float32),
            "sb_cov": 0.01 * np.eye(len(pairs)),
            "sm_cov": covariance,
        },
    )
