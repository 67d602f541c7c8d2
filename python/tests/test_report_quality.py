"""The page's section on quality: its numbers by hand, and what is said of them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.report_scene import scene

from pystamps_shim.io import mat
from pystamps_shim.products.measurements import Layer, Measurements
from pystamps_shim.products.metadata import metadata_of
from pystamps_shim.products.report.cells import density, metres, stable_ground
from pystamps_shim.products.report.dataset_facts import Facts, closure_of, noise_of
from pystamps_shim.products.report.quality import histogram, quality_of
from pystamps_shim.products.report.spatial_order import morton_order
from pystamps_shim.products.report.variogram import different_pairs, variogram
from pystamps_shim.products.report.write import write_report
from pystamps_shim.reference.inputs import Patch
from pystamps_shim.reference.parameters import Parameters


def page_of(measurements: Measurements, folder: Path, facts: Facts | None = None) -> str:
    """Return the text of a page."""
    path = folder / "report.html"
    write_report(path, measurements, metadata_of(measurements), facts or Facts())
    return path.read_text(encoding="utf-8")


def test_variogram_of_a_field_made_by_hand() -> None:
    """White noise has the same semivariance at all distances; a tilt one that grows with it."""
    rng = np.random.default_rng(5)
    xy_m = rng.uniform(0, 30_000, (40_000, 2))
    xy_m = xy_m[morton_order(xy_m)]
    noise = rng.normal(0, 2.0, len(xy_m))
    bins = variogram(xy_m, noise)
    assert [round(each.near_km, 2) for each in bins[:2]] == [0.1, 0.17]
    assert bins[-1].far_km > 20
    for each in bins:
        assert each.semivariance == pytest.approx(4.0, rel=0.25)
        # Differences have a standard deviation of 2 sqrt(2): 92.3 % are within 5 mm/yr.
        assert each.share_within == pytest.approx(0.923, abs=0.03)
    assert variogram(xy_m, noise) == bins
    # One mm/yr a kilometre eastwards: half the mean square of the eastward distance.
    tilted = variogram(xy_m, xy_m[:, 0] / 1000)
    for each in tilted[2:-4]:
        low, high = each.near_km**2 / 4, each.far_km**2 / 4
        assert low * 0.9 < each.semivariance < high * 1.1
    assert variogram(xy_m[:1], noise[:1]) == []
    assert variogram(xy_m[:3] * 1e-6, noise[:3]) == []


@pytest.mark.parametrize("count", [2, 600, 700, 5000])
def test_every_pair_counts_once(count: int) -> None:
    """All there are, as long as these are not too many to look at."""
    first, second = different_pairs(count)
    assert (first < second).all()
    assert first.min() == 0
    assert second.max() == count - 1
    assert np.unique(first * count + second).size == first.size
    if count <= 600:
        assert first.size == count * (count - 1) // 2
    else:
        assert 120_000 < first.size < 200_000


def test_a_few_ps_make_few_pairs() -> None:
    """Twelve PS 20 m apart: 66 pairs, 28 of them in the first bin, which are too few."""
    xy_m = np.column_stack([np.arange(12.0) * 200, np.zeros(12)])
    assert variogram(xy_m, np.zeros(12)) == []
    many = np.column_stack([np.arange(60.0) * 3, np.zeros(60)])
    (found,) = variogram(many, np.zeros(60))
    # 34 to 55 steps of 3 m are 102 to 165 m.
    assert found.pairs == sum(60 - step for step in range(34, 56))


def test_density_counts_occupied_square_kilometres() -> None:
    """Three PS in one cell, one in another, none between."""
    found = density(np.array([[10.0, 10], [900, 20], [500, 999], [5200, 10]]))
    assert (found.mean, found.median, found.most, found.occupied_km2) == (2.0, 2.0, 3, 2)


def test_places_in_metres_are_true_to_scale() -> None:
    """At 60 degrees north a degree eastwards is half as long."""
    xy_m = metres(np.array([[10.0, 59.5], [11.0, 60.5]]))
    east, north = xy_m[1] - xy_m[0]
    assert east / north == pytest.approx(0.5)
    assert north == pytest.approx(111_195)


def test_stable_ground_is_judged_by_cells() -> None:
    """A cell that sinks is left out as a whole; a noisy PS on quiet ground stays."""
    xy_m = np.repeat(np.arange(10)[:, None] * 1000.0 + 100, 20, axis=0) * [1, 0]
    velocity = np.tile(np.linspace(-0.5, 0.5, 20), 10)
    velocity[:20] -= 12
    velocity[45] = 30
    velocity[66] = np.nan
    found = stable_ground(xy_m, velocity)
    assert found.limit_mm_per_year == 1.0
    assert not found.flags[:20].any()
    assert found.flags[45]
    assert not found.flags[66]
    assert found.flags.sum() == 179
    assert found.share_of_cells == 0.9
    assert found.told
    nothing = stable_ground(xy_m, np.full(200, np.nan))
    assert not nothing.flags.any()
    assert not nothing.told


def cells_of(medians: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return places and velocities of cells of three PS, [3 cells, 2] and [3 cells]."""
    xy_m = np.arange(len(medians))[:, None] * [1000.0, 0] + 100
    noise = np.tile([-0.3, 0.0, 0.3], len(medians))
    return np.repeat(xy_m, 3, axis=0), np.repeat(medians, 3) + noise


def test_three_robust_deviations_are_stable() -> None:
    """Where nothing but noise is, it decides how far it goes."""
    medians = np.tile([-1.7, -0.4, -0.4, 0.0, 0.4, 0.4, 1.9], 20)
    found = stable_ground(*cells_of(medians))
    assert found.middle_mm_per_year == 0.0
    assert found.limit_mm_per_year == pytest.approx(3 * 1.4826 * 0.4)
    np.testing.assert_array_equal(found.flags, np.repeat(np.abs(medians) < 1.779, 3))


@pytest.mark.parametrize("sign", [1, -1])
def test_ground_that_moves_is_not_stable_however_much_of_it_there_is(sign: int) -> None:
    """Three cells in five sink at all rates: stable are those that have one in common."""
    medians = sign * np.concatenate([np.linspace(2.6, 3.4, 40), np.linspace(-25, -1, 60)])
    found = stable_ground(*cells_of(medians))
    assert found.middle_mm_per_year == pytest.approx(sign * 3.0)
    assert found.limit_mm_per_year == 2.5
    assert found.flags[:120].all()
    assert not found.flags[120:].any()
    assert found.share_of_cells == 0.4
    assert found.told


def test_a_scene_in_which_everything_moves_has_no_stable_ground(tmp_path: Path) -> None:
    """The page says so, compares all PS and draws no requirement."""
    found = scene(3000, 5)
    assert found.velocity is not None
    page = page_of(found, tmp_path)
    card = page[page.index("Variogram of velocities") :]
    assert 'class="limit"' in page
    assert "within 5 mm/yr</th>" in card
    assert "the medians of two cells cannot differ by more than 4.4 mm/yr" in card
    found.velocity.values[:, 0] = (found.places.lonlat_deg[:, 0] - 14.25) * 300
    quality = quality_of(found, None)
    assert not quality.stable.told
    assert sum(each.pairs for each in quality.variogram) > 100_000
    page = page_of(found, tmp_path)
    card = page[page.index("Variogram of velocities") :]
    assert re.search(r"No stable ground can be told: \d% of the cells", card)
    assert "fewer than 10%" in card
    assert 'class="limit"' not in page
    assert "within 5 mm/yr</th>" not in card


def test_histogram_is_not_stretched_by_an_outlier() -> None:
    """What lies beyond is counted."""
    found = histogram(np.append(np.linspace(0, 1, 1000), [1e6, np.nan]))
    assert found is not None
    assert found.edges[-1] <= 1.1
    assert found.above >= 1
    assert found.counts.sum() + found.below + found.above == 1001
    same = histogram(np.full(5, 3.0))
    assert same is not None
    assert same.counts.sum() == 5
    assert histogram(np.full(3, np.nan)) is None


@pytest.fixture
def small_baselines(tmp_path: Path) -> Patch:
    """Return a network of three images and three pairs."""
    days = np.array([[737500.0], [737512.0], [737524.0]])
    pairs = np.array([[1.0, 2.0], [2.0, 3.0], [1.0, 3.0]])
    mat.write(tmp_path / "ifgstd2.mat", {"ifg_std": np.array([[20.0], [31.0], [np.nan]])})
    values = {"small_baseline_flag": "y", "drop_ifg_index": np.array([])}
    ps = {"day": days, "ifgday_ix": pairs, "bperp": np.array([[10.0], [-30.0], [-20.0]])}
    ps |= {"n_ifg": np.array([[3]]), "master_ix": np.array([[2]])}
    return Patch(tmp_path, 2, Parameters(tmp_path / "parms.mat", values), ps)


def test_small_baselines_tell_noise_and_closure(small_baselines: Patch, tmp_path: Path) -> None:
    """By pairs of dates, NaN counting for nothing; a share of all is no mean of shares."""
    noise = noise_of(small_baselines)
    assert noise is not None
    assert noise.labels == ("2019-03-16 → 03-28", "2019-03-28 → 04-09", "2019-03-16 → 04-09")
    residual = np.array([[0.0, 3.3, np.nan], [0.0, -3.1, np.nan], [0.5, np.nan, np.nan]])
    labels = ("20190316_20190328", "20190328_20190409", "20190316_20190409")
    closure = closure_of(Layer(residual, labels, {"unit": "rad"}))
    rms_rad = [np.sqrt(0.25 / 3), np.sqrt((3.3**2 + 3.1**2) / 2), np.nan]
    np.testing.assert_allclose(closure.rms_rad, rms_rad)
    np.testing.assert_allclose(closure.share_beyond, [0, 0.5, np.nan])
    assert closure.share_of_all == 0.2
    nothing = closure_of(Layer(np.full((2, 3), np.nan), labels, {"unit": "rad"}))
    assert np.isnan(nothing.share_of_all)
    text = page_of(scene(500, 5), tmp_path, Facts(noise=noise, closure=closure))
    assert "Closure of the small baselines" in text
    assert "of the whole dataset, whatever this page selects. 20.00% of all residuals" in text
    assert "largest 31.0° (2019-03-28 → 04-09)" in text


def test_noise_is_that_of_interferograms(tmp_path: Path) -> None:
    """The slot of a single master is none, and dropped ones are told apart, as in the figure."""
    days = 737500.0 + 12 * np.arange(4.0)[:, None]
    mat.write(tmp_path / "ifgstd2.mat", {"ifg_std": np.array([[20.0], [0.0], [90.0], [30.0]])})
    ps = {"day": days, "bperp": np.array([[10.0], [0.0], [5.0], [-4.0]])}
    ps |= {"n_ifg": np.array([[4]]), "master_ix": np.array([[2]])}
    values = {"small_baseline_flag": "n", "drop_ifg_index": np.array([[3.0]])}
    noise = noise_of(Patch(tmp_path, 2, Parameters(tmp_path / "parms.mat", values), ps))
    assert noise is not None
    assert noise.labels == ("2019-03-16", "2019-04-09", "2019-04-21")
    assert noise.numbers == (1, 3, 4)
    assert noise.std_deg.tolist() == [20.0, 90.0, 30.0]
    assert noise.dropped.tolist() == [False, True, False]
    text = page_of(scene(500, 5), tmp_path, Facts(noise=noise))
    assert "phase that is left after surroundings and look-angle error (ifgstd2)" in text
    assert "Median 25.0°, largest 30.0° (2019-04-21). 1 dropped (outlined)" in text
    assert text.count('class="bar pale"') == 1
    assert "<title>2019-04-09 (dropped): 90</title>" in text
    assert "2019-03-28</" not in text


def test_noise_of_another_shape_is_not_shown(small_baselines: Patch) -> None:
    """A file that belongs to other interferograms says nothing about these."""
    path = small_baselines.folder / "ifgstd2.mat"
    mat.write(path, {"ifg_std": np.ones((4, 1))})
    assert noise_of(small_baselines) is None
    mat.write(path, {"another": np.ones((3, 1))})
    assert noise_of(small_baselines) is None
