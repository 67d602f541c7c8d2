"""Variograms, kriging, and the stage 8 that is made of them; the oracle has none of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from parity.synthetic_merged import MergedShape
from parity.synthetic_patch import change
from parity.synthetic_unwrapped import write_unwrapped

from pystamps_shim.io import mat
from pystamps_shim.pipeline.ported import stage7_calc_scla, stage8_filter_scn
from pystamps_shim.reference.kriging import kriging_weights, nearest_within
from pystamps_shim.reference.noise_kriging import (
    integrated,
    kriged_high_pass,
    kriged_low_pass,
    random_subset,
)
from pystamps_shim.reference.outputs import write_artefacts
from pystamps_shim.reference.triangulation import triangulation_edges
from pystamps_shim.reference.variogram import Variogram, empirical_variogram, fit_variogram

Array = NDArray[Any]


def correlated(count: int, variogram: Variogram, extent: float, seed: int) -> tuple[Array, Array]:
    """Draw positions and values that have a variogram."""
    random = np.random.default_rng(seed)
    place = random.random((count, 2)) * extent
    away = np.sqrt(((place[:, None] - place[None]) ** 2).sum(axis=2))
    covariance = variogram.covariance(away) + variogram.nugget * np.eye(count)
    return place, np.linalg.cholesky(covariance) @ random.normal(size=count)


def test_bins_by_hand() -> None:
    """Three places on a line, bins of a half: the farthest pair counts in none."""
    centre, mean = empirical_variogram(np.array([[0.0], [1], [4]]), np.array([0.0, 2, 3]), 9)
    assert centre.tolist() == [1.25, 3.25]
    assert mean.tolist() == [2.0, 0.5]


def test_variogram_is_found() -> None:
    """Of many values that have one."""
    truth = Variogram(150.0, 2.0, 0.3)
    fits = []
    for seed in range(3):
        place, values = correlated(400, truth, 3000, seed)
        fits.append(fit_variogram(place, values, Variogram(100.0, 1, 1), 1500, 60))
    found = [
        np.median([getattr(fit, name) for fit in fits]) for name in ("reach", "sill", "nugget")
    ]
    np.testing.assert_allclose(found[:2], [150, 2], rtol=0.4)
    assert found[1] + found[2] == pytest.approx(2.3, rel=0.2)
    assert fit_variogram(np.zeros((1, 2)), np.ones(1), truth, 1, 5) == truth


def test_guess_by_hand() -> None:
    """Half way between two values their mean; at one of them itself but for its noise."""
    place = np.array([[0.0], [2.0]])
    clean, noisy = Variogram(1.0, 1.0, 0.0), Variogram(1.0, 1.0, 1.0)
    np.testing.assert_allclose(kriging_weights(place, np.array([1.0]), noisy), [0.5, 0.5])
    np.testing.assert_allclose(kriging_weights(place, np.zeros(1), clean), [1, 0], atol=1e-12)
    part = np.exp(-2)
    want = 0.5 + (1 - part) / (2 * (2 - part))
    assert kriging_weights(place, np.zeros(1), noisy)[0] == pytest.approx(want)
    together = kriging_weights(np.zeros((3, 1)), np.zeros(1), clean)
    np.testing.assert_allclose(together, 1 / 3)
    assert nearest_within(np.array([3.0, 0, 2, 1]), 3, 2.0).tolist() == [1, 3]


def test_integration() -> None:
    """Differences of values give them back, and of what is none the nearest."""
    random = np.random.default_rng(1)
    xy = random.random((40, 2)) * 100
    edges = triangulation_edges(xy)
    values = random.normal(size=(40, 3))
    difference = values[edges[:, 1]] - values[edges[:, 0]]
    np.testing.assert_allclose(integrated(difference, edges, 40), values - values[0], atol=1e-10)
    ring = integrated(np.ones((3, 1)), np.array([[0, 1], [1, 2], [2, 0]]), 3)
    np.testing.assert_allclose(ring, 0, atol=1e-12)


def test_random_subset() -> None:
    """The same every time; all of few, a part of many."""
    np.testing.assert_array_equal(random_subset(50), np.arange(50))
    many = random_subset(100000)
    assert 13000 < len(many) < 15000
    assert 0 <= many.min() < many.max() < 100000
    np.testing.assert_array_equal(many, random_subset(100000))


def test_seasons_and_motion_are_no_noise() -> None:
    """What the model of the motion holds comes out as nothing."""
    random = np.random.default_rng(2)
    xy = (random.random((16, 2)) * 1000).astype(np.float32)
    day = 738000.0 + np.sort(random.integers(0, 1200, 24))
    years = (day - 730486) / 365.25
    noise = random.normal(0, 0.3, (16, 24))
    motion = np.outer(random.normal(size=16), np.sin(2 * np.pi * years) + years**2 / 100)
    edges = triangulation_edges(xy)
    found = [
        kriged_high_pass(
            phase.astype(np.float32), xy, edges, day, window_days=365.0, weightless=None
        )
        for phase in (noise, noise + motion)
    ]
    np.testing.assert_allclose(found[0], found[1], atol=1e-4)
    relative = noise - noise[0]
    assert np.corrcoef(found[0].ravel(), relative.ravel())[0, 1] > 0.7


def test_atmosphere_is_told_from_noise() -> None:
    """Correlated values stay, what is not goes."""
    random = np.random.default_rng(3)
    place, smooth = correlated(200, Variogram(800.0, 1.0, 0.0), 3000, 4)
    noise = random.normal(0, 0.5, 200)
    found = kriged_low_pass((smooth + noise)[:, None].astype(np.float32), place)[:, 0]
    assert np.std(found - smooth) < 0.75 * np.std(noise)


def test_stage(tmp_path: Path) -> None:
    """All variables; smooth and rest add up to what was filtered; other files as ever."""
    made = write_unwrapped(tmp_path / "dataset", MergedShape(ps=25, images=12, extent_m=1800.0))
    change(made.folder / "parms.mat", unwrap_grid_size=45.0)
    write_artefacts(made.folder, stage7_calc_scla(made.folder))
    plain = stage8_filter_scn(made.folder)
    change(made.folder / "parms.mat", scn_kriging_flag="y", scn_time_win=np.zeros((0, 0)))
    kriged = stage8_filter_scn(made.folder)
    scn = kriged["scn2.mat"]
    assert scn["ph_ramp"].shape == scn["ph_noise_res"].shape == (25, 12)
    assert (scn["ph_scn_slave"][:, 3] == 0).all()
    others = np.delete(np.arange(12), 3)
    total = (scn["ph_scn_slave"] + scn["ph_noise_res"])[:, others]
    np.testing.assert_allclose(total, scn["ph_hpt"][:, others], atol=1e-6)
    np.testing.assert_allclose(
        scn["std_ph_noise"].ravel(), np.std(scn["ph_noise_res"], axis=1, ddof=1), rtol=1e-9
    )
    np.testing.assert_array_equal(kriged["mean_v.mat"]["m"], plain["mean_v.mat"]["m"])
    write_artefacts(made.folder, kriged)
    assert mat.read_variable(made.folder / "scn2.mat", "std_ph_noise").shape == (25, 1)
