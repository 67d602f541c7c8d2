"""Small patches with known content, for rules that no oracle scene exercises."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.io import mat
from pystamps_shim.reference.random_coherence import RandomHistogram, random_coherence

Array = NDArray[Any]

IMAGES = 13
MASTER = 5
WAVELENGTH_M = 0.0555


@dataclass(frozen=True)
class PatchShape:
    """Extent and number of candidates."""

    candidates: int = 1500
    width_m: float = 2400.0
    height_m: float = 2400.0
    seed: int = 3


def write_patch(dataset: Path, shape: PatchShape | None = None, name: str = "PATCH_1") -> Path:
    """Write what stage 1 leaves: half of the candidates are PS, the others noise."""
    shape = shape or PatchShape()
    random = np.random.default_rng(shape.seed)
    count = shape.candidates
    patch = dataset / name
    patch.mkdir(parents=True)
    extent = np.array([shape.width_m, shape.height_m])
    xy = (random.random((count, 2)) * extent).astype(np.float32).round(3)
    xy = xy[np.lexsort((xy[:, 0], xy[:, 1]))]
    ids = np.arange(1, count + 1, dtype=np.float64)
    pixels = np.floor(xy[:, ::-1] / [14.0, 4.0])
    bperp = np.linspace(-140, 150, IMAGES).astype(np.float32)
    random.shuffle(bperp)
    bperp[MASTER] = 0
    slaves = np.delete(bperp, MASTER)
    baselines = (slaves + random.normal(0, 0.5, (count, 1))).astype(np.float32)
    phase = _phase(random, xy, baselines)
    day = 738000.0 + 12 * np.arange(IMAGES)
    mat.write(
        patch / "ps1.mat",
        {
            "ij": np.column_stack([ids, pixels]),
            "lonlat": np.array([12.5, 45.2]) + xy / 1e5,
            "xy": np.column_stack([ids.astype(np.float32), xy]),
            "bperp": bperp.reshape(-1, 1),
            "day": day.reshape(-1, 1),
            "master_day": day[MASTER],
            "master_ix": float(MASTER + 1),
            "n_ifg": float(IMAGES),
            "n_image": float(IMAGES),
            "n_ps": float(count),
            "sort_ix": ids.reshape(-1, 1),
            "ll0": np.array([[12.5, 45.2]]),
            "mean_incidence": 0.6,
            "mean_range": 850000.0,
        },
    )
    mat.write(patch / "ph1.mat", {"ph": np.insert(phase, MASTER, 1, axis=1)})
    mat.write(patch / "bp1.mat", {"bperp_mat": baselines})
    mat.write(patch / "la1.mat", {"la": np.full((count, 1), 0.6)})
    mat.write(patch / "hgt1.mat", {"hgt": random.random((count, 1)) * 100})
    mat.write(patch / "da1.mat", {"D_A": 0.1 + 0.3 * random.random((count, 1))})
    mat.write(patch / "psver.mat", {"psver": 1.0})
    mat.write(patch / "no_ps_info.mat", {"stamps_step_no_ps": np.zeros((5, 1))})
    parms = {"small_baseline_flag": "n", "lambda": WAVELENGTH_M, "heading": -167.0}
    mat.write(dataset / "parms.mat", parms)
    (patch / "patch_noover.in").write_text("1\n100000\n1\n100000\n", encoding="ascii")
    with (dataset / "patch.list").open("a", encoding="ascii") as listing:
        listing.write(f"{name}\n")
    return patch


def histogram_file(folder: Path, patch: Path) -> Path:
    """Write the random histogram that fits such patches, from random numbers of NumPy."""
    bperp = mat.read_variable(patch / "ps1.mat", "bperp").ravel()
    coherence = random_coherence("octave", np.delete(bperp, MASTER)[:], 0.2)
    random = RandomHistogram.of(coherence)
    path = folder / "histogram.mat"
    counts = random.counts.reshape(1, -1)
    mat.write(path, {"Nr": counts, "Nr_max_nz_ix": float(random.last_bin)})
    return path


def change(path: Path, **variables: object) -> None:
    """Replace variables of a MATLAB file."""
    mat.write(path, {**mat.read(path), **variables})


def _phase(random: np.random.Generator, xy: Array, baselines: Array) -> Array:
    count, columns = baselines.shape
    east, north = xy.T / 1000
    trend = np.outer(east, random.normal(0, 1, columns)) + np.outer(
        north**2, random.normal(0, 0.3, columns)
    )
    error = random.normal(0, 0.01, (count, 1)) * baselines
    sigma = np.where(np.arange(count) % 2 == 0, 0.3, 3.0)[:, None]
    noise = random.normal(0, 1, (count, columns)) * sigma
    amplitude = 50 * (1 + random.random((count, 1)))
    phasors = amplitude * np.exp(1j * (trend + error + noise))
    return np.asarray(phasors, dtype=np.complex64)
