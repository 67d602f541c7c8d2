"""What figures show, read back from matplotlib: values, lines, bars, marks."""

from __future__ import annotations

import datetime
import json
import shutil
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from figure_sets import Drawer, all_axes, axes_of, drawer, edit_json, line_xy, small, words_of
from matplotlib.collections import PathCollection
from matplotlib.container import BarContainer
from matplotlib.dates import date2num
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle, StepPatch
from measurements_made import limited
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat
from pystamps_shim.products.figures.hill_shade import hill_shade
from pystamps_shim.products.figures.histograms import robust_spread
from pystamps_shim.products.figures.network import Network
from pystamps_shim.products.figures.noise import outlier_limit
from pystamps_shim.products.figures.phase_pages import MOST_PANELS, one_a_pixel
from pystamps_shim.products.figures.plot import Options
from pystamps_shim.products.figures.profile import Strip, running_quartiles, strip
from pystamps_shim.products.figures.series import fitted_line, series_of
from pystamps_shim.products.figures.series_points import Shown
from pystamps_shim.products.figures.words import dates_of
from pystamps_shim.products.selection import Selection
from pystamps_shim.reference.inputs import Patch

__all__ = ["drawer", "small"]

Doubles = NDArray[np.float64]


def dots_of(figure: Figure, label: str = "Longitude") -> PathCollection:
    """Return the dots of the map of a figure."""
    (dots,) = [each for each in axes_of(figure, label).collections if len(each.get_offsets())]
    assert isinstance(dots, PathCollection)
    return dots


def values_by_place(dots: PathCollection) -> dict[tuple[float, float], float]:
    """Return the value of each dot by its place."""
    values = np.asarray(dots.get_array(), dtype=np.float64)
    places = np.asarray(dots.get_offsets(), dtype=np.float64)
    return {(x, y): value for (x, y), value in zip(places, values, strict=True)}


def bars_of(figure: Figure, label: str) -> dict[str, list[Rectangle]]:
    """Return the bars of the axes with a label by the name of their group."""
    found: dict[str, list[Rectangle]] = {}
    for container in axes_of(figure, label).containers:
        assert isinstance(container, BarContainer)
        found[str(container.get_label())] = list(container.patches)
    return found


def test_velocity_shows_every_ps_with_its_value(drawer: Drawer) -> None:
    """On a scale around zero, in the colours of velocities."""
    figure, _ = drawer.once("velocity")
    measurements, _ = drawer.source().measurements("v-do")
    velocity = measurements.velocity_mm_per_year()
    dots = dots_of(figure)
    shown = values_by_place(dots)
    assert len(shown) == len(measurements) == drawer.source().patch.n_ps
    for place, value in zip(measurements.places.lonlat_deg, velocity, strict=True):
        assert shown[tuple(place)] == value
    low, high = dots.get_clim()
    assert low == -high
    assert np.abs(velocity).max() > 0.5 * high
    assert axes_of(figure, "LOS velocity").get_ylabel().endswith("positive towards the satellite")


def test_standard_deviations_are_shown_likewise(drawer: Drawer) -> None:
    figure, _ = drawer.once("velocity-std")
    measurements, _ = drawer.source().measurements("v-do")
    values = np.asarray(dots_of(figure).get_array())
    np.testing.assert_array_equal(np.sort(values), np.sort(measurements.velocity_std_mm_per_year()))


def test_selections_leave_out_ps(drawer: Drawer) -> None:
    """And are told."""
    source = drawer.source(selection=Selection(min_coherence=0.8))
    figure, _ = drawer.draw("coherence", source=source)
    coherence = drawer.source().positions()[0].places.coherence
    values = np.asarray(dots_of(figure).get_array())
    np.testing.assert_array_equal(np.sort(values), np.sort(coherence[coherence >= 0.8]))
    assert 0 < values.size < coherence.size
    assert "only coherence of 0.8 or more" in words_of(figure)


def test_look_angle_error_has_a_scale_in_metres(drawer: Drawer) -> None:
    """K in milliradians a metre, and K times range, wavelength and sine of incidence over 4 pi."""
    figure, _ = drawer.once("scla")
    measurements, _ = drawer.source().measurements("d")
    stored = measurements.layer.values[:, 0]
    values = np.asarray(dots_of(figure).get_array())
    np.testing.assert_allclose(np.sort(values), np.sort(stored) * 1000)
    metres = axes_of(figure, "height error (m)")
    radians = axes_of(figure, "K: phase")
    patch = drawer.source().patch
    incidence = measurements.places.incidence_rad.mean()
    wavelength = float(measurements.layer.description["wavelength_m"])
    factor = wavelength * patch.variable("mean_range").item() * np.sin(incidence) / (4 * np.pi)
    np.testing.assert_allclose(
        np.array(metres.get_ylim()), np.array(radians.get_ylim()) * factor / 1000
    )
    assert 1000 < factor < 5000


def test_replicas_are_half_a_wavelength_off(drawer: Drawer) -> None:
    """The line has the product's velocity, passes through the mean, and the master is marked."""
    figure, _ = drawer.once("series")
    measurements, _ = drawer.source().measurements("ts-do")
    half_mm = float(measurements.layer.description["wavelength_m"]) * 500
    panels = [axes for axes in all_axes(figure) if axes.get_lines()]
    panels = [axes for axes in panels if any(line.get_label() == "_replica" for line in axes.lines)]
    assert len(panels) == 3
    velocities = measurements.velocity_mm_per_year()
    for axes in panels:
        lines = {line.get_label(): line for line in axes.lines}
        shown = line_xy(lines["_displacement"])
        replicas = [line_xy(line) for line in axes.lines if line.get_label() == "_replica"]
        offsets = [replica[:, 1] - shown[:, 1] for replica in replicas]
        np.testing.assert_allclose(offsets[0], -half_mm, rtol=1e-12)
        np.testing.assert_allclose(offsets[1], half_mm, rtol=1e-12)
        np.testing.assert_array_equal(shown[:, 0], date2num(measurements.dates))
        series = [
            row
            for row in range(len(measurements))
            if np.array_equal(measurements.displacement_mm(row, row + 1)[0], shown[:, 1])
        ]
        assert len(series) == 1
        (label,) = [name for name in lines if "mm/yr" in str(name)]
        line = line_xy(lines[label])
        slope = (line[-1, 1] - line[0, 1]) / (line[-1, 0] - line[0, 0]) * 365.25
        assert slope == pytest.approx(velocities[series[0]])
        assert line[:, 1].mean() == pytest.approx(shown[:, 1].mean(), abs=1e-4)
        std = measurements.velocity_std_mm_per_year()[series[0]]
        text = f"{velocities[series[0]]:+.1f} ± {std:.1f} mm/yr".replace("-", "\N{MINUS SIGN}")
        assert label == text.replace("\N{MINUS SIGN}0.0 ±", "+0.0 ±")
        marks = [line_xy(line)[0, 0] for line in axes.lines if line.get_linestyle() == ":"]
        assert marks == [date2num(measurements.master_date)]


def test_the_line_is_through_the_middle_of_what_is_known(drawer: Drawer) -> None:
    """Unknown dates at one end do not tilt it off: a series on its line stays on it."""
    days = np.arange(0.0, 365.25 * 4, 36.525)
    series = 12.0 * days / 365.25 + 3
    known = replace(
        series_of(drawer.source().measurements("ts-do")[0], Shown(np.array([0]), (0, 0), "")),
        displacement_mm=np.where(days < 400, np.nan, series),
        velocity_mm_per_year=12.0,
    )
    np.testing.assert_allclose(fitted_line(known, days), series)
    nothing = replace(known, displacement_mm=np.full(days.size, np.nan))
    assert np.isnan(fitted_line(nothing, days)).all()


def test_dates_without_the_master(drawer: Drawer) -> None:
    """It is not drawn, far from everything else, and the page says since when it counts."""
    measurements, steps = drawer.source().measurements("ts-do")
    later = [date for date in measurements.dates if date > measurements.master_date]
    found = limited(measurements, later[0], later[-1])
    source = drawer.source()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "measurements", lambda _: (found, steps))
        figure, _ = drawer.draw("series", source=source)
    lines = [line for axes in all_axes(figure) for line in axes.get_lines()]
    shown = [line for line in lines if line.get_label() == "_displacement"]
    np.testing.assert_array_equal(line_xy(shown[0])[:, 0], date2num(later))
    assert not [line for line in lines if line.get_linestyle() == ":"]
    said = " ".join(words_of(figure).split())
    assert f"since the master {measurements.master_date:%Y-%m-%d}, which is not among" in said
    assert f" {len(later)} images, {later[0]:%Y-%m-%d} to {later[-1]:%Y-%m-%d}" in said


def test_images_of_a_velocity_with_and_without_the_master(drawer: Drawer) -> None:
    """It counts unless the dates that the velocity is fitted to end before it does."""
    measurements, _ = drawer.source().measurements("v-do")
    days = drawer.source().patch.variable("day").ravel()
    images = [datetime.date.fromordinal(int(day) - 366) for day in days]
    assert dates_of(measurements) == images
    later = [date for date in images if date > measurements.master_date][1:]
    about = {
        **measurements.layer.description,
        "fitted_to": [f"{date:%Y%m%d}" for date in later],
    }
    layer = replace(measurements.layer, description=about)
    assert dates_of(replace(measurements, layer=layer, velocity=layer)) == later


def test_series_at_a_place(drawer: Drawer) -> None:
    """The nearest PS, or the mean of those within the radius."""
    measurements, _ = drawer.source().measurements("ts-do")
    place = measurements.places.lonlat_deg[50]
    near = (float(place[0]) + 1e-7, float(place[1]))
    figure, _ = drawer.draw("series", options=Options(places_lonlat_deg=(near,)))
    shown = _shown_series(figure)
    np.testing.assert_array_equal(shown, measurements.displacement_mm(50, 51)[0])
    options = Options(places_lonlat_deg=(near,), radius_m=150.0)
    figure, _ = drawer.draw("series", options=options)
    lonlat_deg = measurements.places.lonlat_deg
    scale = 111_195.0 * np.array([np.cos(np.deg2rad(near[1])), 1])
    inside = np.hypot(*((lonlat_deg - near) * scale).T) <= 150
    whole = measurements.displacement_mm(0, len(measurements))
    np.testing.assert_allclose(_shown_series(figure), whole[inside].mean(axis=0), rtol=1e-5)
    assert f"mean of {inside.sum()} PS within 150 m" in words_of(figure)
    assert inside.sum() > 3


def _shown_series(figure: Figure) -> Doubles:
    lines = [line for axes in all_axes(figure) for line in axes.get_lines()]
    (shown,) = [line for line in lines if line.get_label() == "_displacement"]
    return line_xy(shown)[:, 1]


def test_a_place_without_ps_is_refused_with_the_nearest(drawer: Drawer) -> None:
    options = Options(places_lonlat_deg=((12.0, 44.0),))
    message = r"no PS within 5,000 m of 12\.0000°E 44\.0000°N; the nearest is at 11\."
    with pytest.raises(PystampsError, match=message) as caught:
        drawer.draw("series", options=options)
    assert caught.value.exit_code == 2
    assert caught.value.remedy.startswith("--at=11.")


def test_baselines_of_a_single_master(drawer: Drawer) -> None:
    """A line from the master to every image, where both stand in the file."""
    figure, _ = drawer.once("baselines")
    patch = drawer.source().patch
    axes = axes_of(figure, "date of the image")
    edges = [line_xy(line) for line in axes.lines if "interferogram" in str(line.get_label())]
    baseline = patch.variable("bperp").ravel()
    days = date2num(
        [datetime.date.fromordinal(int(day) - 366) for day in patch.variable("day").ravel()]
    )
    expected = [
        [[days[patch.master], 0.0], [days[image], baseline[image]]]
        for image in range(patch.n_ifg)
        if image != patch.master
    ]
    np.testing.assert_allclose(edges, expected)
    assert f"master {datetime.date(2021, 2, 24)}" in words_of(figure)


@pytest.fixture
def small_baselines(tmp_path: Path) -> Path:
    """Write a network of five images and six pairs, the last of them alone dropped."""
    images = np.array([0.0, 40.0, -25.0, 10.0, 60.0])
    pairs = np.array([[1, 2], [1, 3], [2, 3], [3, 4], [2, 4], [4, 5]])
    day = 737_000.0 + 12 * np.arange(5)
    mat.write(
        tmp_path / "ps2.mat",
        {
            "n_ps": 1.0,
            "n_ifg": 6.0,
            "n_image": 5.0,
            "master_ix": 3.0,
            "day": day,
            "bperp": images[pairs[:, 1] - 1] - images[pairs[:, 0] - 1],
            "ifgday_ix": pairs.astype(np.float64),
            "ij": np.array([[1.0, 1.0, 1.0]]),
            "xy": np.array([[1.0, 0.0, 0.0]]),
            "lonlat": np.array([[11.0, 44.0]]),
        },
    )
    mat.write(tmp_path / "parms.mat", {"small_baseline_flag": "y", "drop_ifg_index": 6.0})
    noise = np.array([20.0, 22.0, 21.0, 23.0, 60.0, 50.0])
    mat.write(tmp_path / "ifgstd2.mat", {"ifg_std": noise})
    return tmp_path


def test_baselines_of_a_network(small_baselines: Path) -> None:
    """Those of the images come from the pairs; dropped pairs and what they leave look different."""
    network = Network.of(Patch.open(small_baselines, 2))
    np.testing.assert_allclose(network.baseline_m, [25, 65, 0, 35, 85], atol=1e-9)
    assert network.parts() == 2
    with ExitStack() as held:
        figure, _ = Drawer(small_baselines, small_baselines, held).draw("baselines")
    axes = axes_of(figure, "date of the image")
    kept = [line_xy(line) for line in axes.lines if "interferogram" in str(line.get_label())]
    dropped = [line for line in axes.lines if str(line.get_label()).endswith("dropped")]
    days = date2num(network.dates)
    np.testing.assert_allclose(
        kept, [[[days[i], network.baseline_m[i]] for i in pair] for pair in network.pairs[:5]]
    )
    assert len(dropped) == 1
    np.testing.assert_allclose(line_xy(dropped[0])[:, 1], [35, 85], atol=1e-9)
    assert dropped[0].get_linestyle() == "--"
    hollow = [line for line in axes.lines if "of dropped ones" in str(line.get_label())]
    assert line_xy(hollow[0]).tolist() == [[days[4], pytest.approx(85)]]
    assert "in 2 parts" in words_of(figure)


def test_noise_of_a_network(small_baselines: Path) -> None:
    """Bars are the file's values; the dropped one is hatched, the outlier in its own colour."""
    with ExitStack() as held:
        figure, _ = Drawer(small_baselines, small_baselines, held).draw("noise")
    bars = bars_of(figure, "standard deviation of phase")
    assert [bar.get_height() for bar in bars["interferogram"]] == [20, 22, 21, 23]
    assert [bar.get_height() for bar in bars["noisy"]] == [60]
    assert [bar.get_height() for bar in bars["dropped"]] == [50]
    assert bars["dropped"][0].get_hatch()
    assert not bars["noisy"][0].get_hatch()
    limit = outlier_limit(np.array([20.0, 22, 21, 23, 60]))
    assert limit == pytest.approx(22 + 3 * 1.4826 * 1)
    assert f"above {limit:.1f}°" in words_of(figure)
    assert "→" in words_of(figure)


def test_noise_of_a_single_master_has_no_bar_for_it(drawer: Drawer) -> None:
    figure, _ = drawer.once("noise")
    patch = drawer.source().patch
    stored = mat.read_variable(patch.path("ifgstd"), "ifg_std").ravel()
    bars = [bar for group in bars_of(figure, "standard deviation").values() for bar in group]
    bars.sort(key=lambda bar: bar.get_x())
    expected = np.delete(stored, patch.master)
    np.testing.assert_allclose([bar.get_height() for bar in bars], expected)


def test_noise_that_is_partly_unknown(small_baselines: Path) -> None:
    """The middle is that of the others; without any there is nothing to draw."""
    path = small_baselines / "ifgstd2.mat"
    mat.write(path, {"ifg_std": np.array([20.0, np.nan, 21.0, 23.0, 60.0, 50.0])})
    with ExitStack() as held:
        drawn = Drawer(small_baselines, small_baselines, held)
        figure, _ = drawn.draw("noise")
        assert "median 22.0° · 1 noisy" in words_of(figure)
        mat.write(path, {"ifg_std": np.full(6, np.nan)})
        with pytest.raises(PystampsError, match="the noise of no interferogram is known"):
            drawn.draw("noise")


def _steps(figure: Figure, axes_label: str, name: str) -> Doubles:
    steps = [
        patch
        for patch in axes_of(figure, axes_label).patches
        if isinstance(patch, StepPatch) and str(patch.get_label()).startswith(name)
    ]
    assert len(steps) == 1
    return np.asarray(steps[0].get_data()[0], dtype=np.float64)


def test_coherence_histogram_counts_as_the_stages_do(drawer: Drawer) -> None:
    """Candidates, random phase scaled below 0.31, selected ones, and the file's threshold."""
    figure, _ = drawer.once("coherence-histogram")
    patch = drawer.dataset / "PATCH_1"
    estimated = mat.read(patch / "pm1.mat", ["coh_ps", "Nr"])
    selected = mat.read(patch / "select1.mat", ["keep_ix", "coh_ps2", "coh_thresh"])
    coherence = estimated["coh_ps"].ravel()
    counts = _steps(figure, "temporal coherence", "candidates")
    edges = np.arange(101) / 100
    expected = [np.sum((coherence > low) & (coherence <= high)) for low, high in pairwise(edges)]
    assert np.abs(counts - expected).sum() <= 2
    random = _steps(figure, "temporal coherence", "random")
    simulated = estimated["Nr"].ravel()
    assert random[:31].sum() == pytest.approx(counts[:31].sum())
    np.testing.assert_allclose(random / random.sum(), simulated / simulated.sum())
    kept = _steps(figure, "temporal coherence", "selected")
    assert kept.sum() == np.sum(selected["keep_ix"] != 0)
    assert kept[: int(100 * selected["coh_thresh"].item())].sum() == 0
    axes = axes_of(figure, "temporal coherence")
    marks = [line for line in axes.lines if str(line.get_label()).startswith("threshold")]
    assert [line_xy(mark)[0, 0] for mark in marks] == [selected["coh_thresh"].item()]


def test_thresholds_that_differ_are_a_band(small: Path, tmp_path: Path) -> None:
    """And before stage 3 there is neither threshold nor selection."""
    dataset = shutil.copytree(small, tmp_path / "dataset")
    path = dataset / "PATCH_1" / "select1.mat"
    content = mat.read(path)
    content["coh_thresh"] = np.linspace(0.25, 0.45, 5)
    mat.write(path, content)
    with ExitStack() as held:
        figure, _ = Drawer(dataset, tmp_path, held).draw("coherence-histogram")
        axes = axes_of(figure, "temporal coherence")
        (band,) = [
            patch
            for patch in axes.patches
            if isinstance(patch, Rectangle) and "thresholds" in str(patch.get_label())
        ]
        assert (band.get_x(), band.get_x() + band.get_width()) == pytest.approx((0.25, 0.45))
        path.unlink()
        figure, _ = Drawer(dataset, tmp_path, held).draw("coherence-histogram")
    assert "selected" not in words_of(figure).partition("Candidates:")[0]
    assert "threshold" not in words_of(figure)


@pytest.fixture
def three_patches(small: Path, tmp_path: Path) -> Path:
    """Return the dataset with a second patch alike and a third one that is empty."""
    dataset = shutil.copytree(small, tmp_path / "dataset")
    shutil.copytree(dataset / "PATCH_1", dataset / "PATCH_2")
    (dataset / "PATCH_3").mkdir()
    (dataset / "patch.list").write_text("PATCH_1\nPATCH_2\nPATCH_3\n", encoding="utf-8")
    return dataset


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("coherence-histogram", ("temporal coherence", "pm1.mat")),
        ("da-histogram", ("amplitude dispersion", "da1.mat")),
    ],
)
def test_patches_are_counted_one_by_one(
    drawer: Drawer, three_patches: Path, tmp_path: Path, kind: str, words: tuple[str, str]
) -> None:
    """An empty patch is left out; one before stage 3 has candidates only; both are told."""
    label, file = words
    one, _ = drawer.once(kind)
    with ExitStack() as held:
        drawn = Drawer(three_patches, tmp_path, held)
        figure, _ = drawn.draw(kind)
        for name in ("candidates", "selected"):
            np.testing.assert_array_equal(_steps(figure, label, name), 2 * _steps(one, label, name))
        said = " ".join(words_of(figure).split())
        assert "2 patches" in said
        assert "1 patch left out: empty, or not processed yet." in said
        assert "No selection yet" not in said
        (three_patches / "PATCH_2" / "select1.mat").unlink()
        figure, _ = drawn.draw(kind)
        np.testing.assert_array_equal(
            _steps(figure, label, "selected"), _steps(one, label, "selected")
        )
        said = " ".join(words_of(figure).split())
        assert "No selection yet in 1 of 2 patches." in said
        for name in ("PATCH_1", "PATCH_2"):
            (three_patches / name / file).unlink()
        with pytest.raises(PystampsError, match=file):
            drawn.draw(kind)


def test_a_patch_whose_random_phase_cannot_be_scaled(three_patches: Path, tmp_path: Path) -> None:
    """The others' is shown, and that it is theirs."""
    path = three_patches / "PATCH_2" / "pm1.mat"
    content = mat.read(path)
    content["Nr"] = np.zeros_like(content["Nr"])
    mat.write(path, content)
    with ExitStack() as held:
        figure, _ = Drawer(three_patches, tmp_path, held).draw("coherence-histogram")
    random = _steps(figure, "temporal coherence", "random")
    candidates = _steps(figure, "temporal coherence", "candidates")
    assert random[:31].sum() == pytest.approx(candidates[:31].sum() / 2)
    assert "No random phase of 1 of 2 patches." in " ".join(words_of(figure).split())


def test_dispersion_histogram_marks_the_threshold_of_the_preparation(drawer: Drawer) -> None:
    figure, _ = drawer.once("da-histogram")
    patch = drawer.dataset / "PATCH_1"
    dispersion = mat.read_variable(patch / "da1.mat", "D_A")
    keep = mat.read_variable(patch / "select1.mat", "keep_ix")
    assert _steps(figure, "amplitude dispersion", "candidates").sum() == dispersion.size
    assert _steps(figure, "amplitude dispersion", "selected").sum() == np.sum(keep != 0)
    axes = axes_of(figure, "amplitude dispersion")
    marks = [line_xy(line)[0, 0] for line in axes.lines if "threshold" in str(line.get_label())]
    first_line = (drawer.dataset / "selpsc.in").read_text(encoding="utf-8").split()[0]
    assert marks == [float(first_line)]


def test_velocity_histogram_tells_both_middles(drawer: Drawer) -> None:
    figure, _ = drawer.once("velocity-histogram")
    measurements, _ = drawer.source().measurements("v-do")
    velocity = measurements.velocity_mm_per_year()
    std = measurements.velocity_std_mm_per_year()
    stable = np.abs(velocity - np.median(velocity)) <= 2 * std
    axes = axes_of(figure, "LOS velocity")
    marks = {str(line.get_label()): line_xy(line)[0, 0] for line in axes.lines}
    assert marks["median of all PS"] == pytest.approx(np.median(velocity))
    assert marks["mean of all PS"] == pytest.approx(velocity.mean())
    counts = _steps(figure, "LOS velocity", "stable PS")
    in_view = stable & (velocity >= axes.get_xlim()[0]) & (velocity <= axes.get_xlim()[1])
    assert 0 < counts.sum() == in_view.sum() < velocity.size
    assert f"stable PS: {stable.sum():,}, mean" in words_of(figure)
    assert f"spread {robust_spread(velocity):.1f} mm/yr" in words_of(figure)
    assert robust_spread(np.arange(101.0)) == pytest.approx(1.4826 * 25)


def test_wrapped_panels_are_the_phases(drawer: Drawer) -> None:
    """One an interferogram, without the master, in a scale of one cycle."""
    figure, _ = drawer.once("wrapped")
    measurements, _ = drawer.source().measurements("w")
    patch = drawer.source().patch
    maps = [axes for axes in all_axes(figure) if axes.collections]
    maps = [axes for axes in maps if isinstance(axes.collections[0], PathCollection)]
    assert len(maps) == patch.n_ifg - 1
    columns = np.delete(np.arange(patch.n_ifg), patch.master)
    for axes, column in zip(maps, columns, strict=True):
        phase = np.angle(measurements.layer.values[:, column])
        np.testing.assert_allclose(axes.collections[0].get_array(), phase)
        assert axes.collections[0].get_clim() == (-np.pi, np.pi)
        label = measurements.layer.labels[column]
        assert axes.get_title().startswith(f"{label[:4]}-{label[4:6]}-{label[6:]}\n")


def test_unwrapped_panels_share_a_scale(drawer: Drawer) -> None:
    figure, _ = drawer.draw("unwrapped", options=Options(columns=3))
    measurements, _ = drawer.source().measurements("u")
    patch = drawer.source().patch
    maps = [axes for axes in all_axes(figure) if axes.collections]
    maps = [axes for axes in maps if isinstance(axes.collections[0], PathCollection)]
    columns = np.delete(np.arange(patch.n_ifg), patch.master)
    for axes, column in zip(maps, columns, strict=True):
        expected = measurements.layer.values[:, column]
        np.testing.assert_allclose(axes.collections[0].get_array(), expected)
    assert len({axes.collections[0].get_clim() for axes in maps}) == 1
    assert len({round(axes.get_position().x0, 3) for axes in maps}) == 3


def test_of_many_interferograms_some_are_shown(
    drawer: Drawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evenly spread, the first and the last among them, and that is said."""
    from pystamps_shim.products.figures import phase_pages

    assert MOST_PANELS == 42
    monkeypatch.setattr(phase_pages, "MOST_PANELS", 4)
    figure, _ = drawer.draw("wrapped")
    titles = [axes.get_title()[:10] for axes in all_axes(figure)]
    dates = [f"{each:%Y-%m-%d}" for each in Network.of(drawer.source().patch).dates]
    del dates[drawer.source().patch.master]
    assert [title for title in titles if title in dates] == [dates[0], dates[2], dates[4], dates[6]]
    assert "4 of 7 interferograms are shown, evenly spread." in words_of(figure)


def test_of_many_ps_one_a_pixel_is_shown() -> None:
    """All of few; of many each pixel that has any keeps one, the first."""
    rng = np.random.default_rng(2)
    lonlat_deg = [11, 44] + 0.1 * rng.random((30_000, 2)) ** 3
    np.testing.assert_array_equal(one_a_pixel(lonlat_deg[:20_000]), np.arange(20_000))
    kept = one_a_pixel(lonlat_deg)
    low, high = lonlat_deg.min(axis=0), lonlat_deg.max(axis=0)
    cells = np.minimum((lonlat_deg - low) / (high - low) * 240, 239).astype(int)
    occupied = {tuple(cell) for cell in cells}
    assert len(kept) == len(occupied) < 25_000
    assert {tuple(cell) for cell in cells[kept]} == occupied
    assert kept[0] == 0


#: A record of ``--solver snaphu``, with a poor unwrapper in SNAPHU's place (stage 6's own tests).
_OF_SNAPHU = {
    "objective": 2825455,
    "dual_bound": 162636,
    "gap": 2662819,
    "objective_of_snaphu": 2825455,
    "residues": 12,
    "imbalance": 8,
    "augmentations": 8,
    "arcs_without_statistics_used": 11,
    "largest_flow": 1,
    "saturated_edges": 0,
    "external_excess": 2662819,
}


def test_unwrapping_tells_what_is_proven(small: Path, tmp_path: Path) -> None:
    """Bars are the log's residues and costs; one above its bound is marked with how much."""
    dataset = shutil.copytree(small, tmp_path / "dataset")
    log = json.loads((dataset / "uw_solver.json").read_text(encoding="utf-8"))
    records = log["interferograms"]
    records[2]["residues"] = 9
    records[4]["dual_bound"] = 0.8 * records[4]["objective"]
    # As stage 6 logs a solution of SNAPHU: the objective is that of what is published.
    records[5] |= _OF_SNAPHU
    edit_json(dataset / "uw_solver.json", interferograms=records)
    with ExitStack() as held:
        figure, _ = Drawer(dataset, tmp_path, held).draw("unwrapping")
    residues = bars_of(figure, "residues")
    bars = sorted((bar for group in residues.values() for bar in group), key=lambda b: b.get_x())
    assert [bar.get_height() for bar in bars] == [record["residues"] for record in records]
    costs = bars_of(figure, "cost")
    assert len(costs["proven optimal"]) == len(records) - 2
    assert [bar.get_height() for bar in costs["not proven"]] == [
        records[4]["objective"],
        2825455,
    ]
    assert all(bar.get_hatch() for bar in costs["not proven"])
    said = words_of(figure)
    assert f"{len(records) - 2} of {len(records)} interferograms proven optimal" in said
    assert "+25 %" in said
    assert "+1.6e+03 %" in said


def test_a_damaged_log_is_refused(small: Path, tmp_path: Path) -> None:
    dataset = shutil.copytree(small, tmp_path / "dataset")
    (dataset / "uw_solver.json").write_text("{}", encoding="utf-8")
    with ExitStack() as held, pytest.raises(PystampsError, match="is no solver's log") as caught:
        Drawer(dataset, tmp_path, held).draw("unwrapping")
    assert caught.value.remedy == "run stage 6 again"


def test_a_strip_holds_the_ps_beside_a_line() -> None:
    """Half the width on either side, between both ends."""
    step = 100 / 111_195.0
    east = step / np.cos(np.deg2rad(44.0))
    lonlat_deg = np.array(
        [[11 + i * east, 44 + j * step] for j in (-1.5, -0.9, 0, 0.9) for i in range(-1, 12)]
    )
    found = strip(lonlat_deg, ((11.0, 44.0), (11 + 10 * east, 44.0)), 200.0)
    assert found.length_m == pytest.approx(1000, rel=1e-4)
    assert len(found.rows) == 3 * 11
    np.testing.assert_allclose(np.sort(found.along_m)[::3], 100.0 * np.arange(11), atol=0.05)
    with pytest.raises(PystampsError, match="are the same place"):
        strip(lonlat_deg, ((11.0, 44.0), (11.0, 44.0)), 200.0)


def test_running_quartiles_leave_gaps() -> None:
    """Where fewer than five PS are, nothing is drawn."""
    along = np.concatenate([np.linspace(0, 400, 401), [800.0]])
    found = Strip(np.arange(402), along, 1000.0)
    centres, quartiles = running_quartiles(found, along)
    inside = (centres > 20) & (centres < 380)
    np.testing.assert_allclose(quartiles[inside, 1], centres[inside], atol=1)
    np.testing.assert_allclose(quartiles[inside, 2] - quartiles[inside, 0], 20, atol=1.5)
    assert np.isnan(quartiles[centres > 430]).all()


def test_profile_shows_the_velocities_of_the_strip(drawer: Drawer) -> None:
    line = ((11.287, 44.192), (11.312, 44.206))
    figure, _ = drawer.draw("profile", options=Options(line_lonlat_deg=line, width_m=300.0))
    measurements, _ = drawer.source().measurements("v-do")
    found = strip(measurements.places.lonlat_deg, line, 300.0)
    heights = axes_of(figure, "height (m)")
    shown = line_xy(heights.lines[0])
    np.testing.assert_allclose(shown[:, 1], measurements.places.height_m[found.rows])
    np.testing.assert_allclose(shown[:, 0], found.along_m / 1000)
    panel = [axes for axes in all_axes(figure) if axes.get_lines()]
    dots = [line for axes in panel for line in axes.lines if line.get_label() == "PS"]
    velocity = measurements.velocity_mm_per_year()[found.rows]
    np.testing.assert_allclose(line_xy(dots[0])[:, 1], velocity)
    assert f"{found.rows.size} PS within 150 m of the line" in words_of(figure)


def test_slopes_that_face_the_light_are_light() -> None:
    """A ridge along north-east: its north-western side light, the other dark; gaps stay gaps."""
    rng = np.random.default_rng(3)
    lonlat_deg = np.column_stack([11 + 0.1 * rng.random(9000), 44 + 0.07 * rng.random(9000)])
    east, north = (lonlat_deg - (11.05, 44.035)).T * [[80_000], [111_195]]
    gap = np.hypot(east - 2500, north - 2500) < 700
    # A hole of two or three cells, with PS all around.
    gap |= np.maximum(np.abs(east + 2000), np.abs(north + 2000)) < 245
    across = (east - north) / np.sqrt(2)
    height_m = 300 - 0.05 * np.abs(across)
    shade = hill_shade(lonlat_deg[~gap], height_m[~gap])
    assert shade is not None
    rows, columns = shade.light.shape
    west, right, south, top = shade.extent_deg
    x = (west + (np.arange(columns) + 0.5) * (right - west) / columns - 11.05) * 80_000
    y = (top - (np.arange(rows) + 0.5) * (top - south) / rows - 44.035) * 111_195
    position = (x[None, :] - y[:, None]) / np.sqrt(2)
    light = shade.light
    assert np.nanmean(light[position < -600]) > 0.6
    assert np.nanmean(light[position > 600]) < 0.4
    in_gap = np.hypot(x[None, :] - 2500, y[:, None] - 2500) < 350
    assert in_gap.sum() > 5
    assert np.isnan(light[in_gap]).all()
    hole = np.argmin(np.abs(y + 2000)), np.argmin(np.abs(x + 2000))
    assert np.isnan(light[hole])
    assert np.isfinite(light[hole[0], hole[1] + 4])


def test_few_ps_have_no_shade() -> None:
    rng = np.random.default_rng(3)
    assert hill_shade(rng.random((500, 2)), rng.random(500)) is None
    assert hill_shade(rng.random((5000, 2)), np.full(5000, np.nan)) is None


@pytest.mark.shared
def test_small_baselines_of_original_stamps(processed, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """What depends on pairs: products of pairs, their names, the network."""
    dataset = processed("S", 8)
    patch = Patch.open(dataset, 2)
    with ExitStack() as held:
        drawn = Drawer(dataset, tmp_path, held)
        figure, _ = drawn.draw("baselines")
        edges = axes_of(figure, "date of the image").lines
        assert sum("interferogram" in str(line.get_label()) for line in edges) == patch.n_ifg
        figure, _ = drawn.draw("unwrapped")
        assert "product usb · 1,074 PS · 24 interferograms of 10 images" in words_of(figure)
