"""Raw exports of the simulator: bytes, geometry, truth, faults, refusals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from parity.oracle import Scene

from pystamps_shim.errors import PystampsError
from pystamps_shim.reference import geometry
from pystamps_shim.reference.gamma_text import GammaText
from pystamps_shim.simulate.export import write_export
from pystamps_shim.simulate.frame import Frame
from pystamps_shim.simulate.gamma_files import baseline_text, image_parameters
from pystamps_shim.simulate.orbits import Baseline
from pystamps_shim.simulate.publish import published
from pystamps_shim.simulate.scene import PRESETS, SceneSettings

TINY = PRESETS["tiny"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the tiny preset once."""
    folder = tmp_path_factory.mktemp("scene")
    write_export(TINY, folder)
    return folder


@pytest.fixture(scope="module")
def truth(scene: Path) -> dict[str, NDArray[Any]]:
    """Load the truth of the tiny preset."""
    with np.load(scene / "truth.npz") as archive:
        return dict(archive)


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def raster(path: Path, dtype: str) -> NDArray[Any]:
    """Read a big-endian raster of the tiny preset."""
    return np.fromfile(path, dtype=dtype).reshape(TINY.length, TINY.width)


def test_same_seed_same_bytes_other_seed_other_bytes(scene: Path, tmp_path: Path) -> None:
    """Truth and explanation included."""
    first = contents(scene)
    write_export(TINY, tmp_path)
    assert contents(tmp_path) == first
    other = tmp_path / "other"
    other.mkdir()
    write_export(replace(TINY, seed=1), other)
    changed = contents(other)
    assert changed.keys() == first.keys()
    for name in ("rslc/20210107.rslc", "geo/elevation_dem.rdc", "truth.npz"):
        assert changed[name] != first[name]


def test_layout_and_sizes(scene: Path) -> None:
    """Every file of prep.md section 1 with the size the parameter file promises."""
    master = "20210224"
    dates = [f"{date:%Y%m%d}" for date in TINY.dates]
    assert dates[TINY.master_index] == master
    pixels = TINY.width * TINY.length
    sizes = {name: len(content) for name, content in contents(scene).items()}
    for date in dates:
        assert sizes.pop(f"rslc/{date}.rslc") == 8 * pixels
        assert sizes.pop(f"rslc/{date}.rslc.par") > 0
        if date != master:
            assert sizes.pop(f"diff0/{master}_{date}.diff") == 8 * pixels
            assert sizes.pop(f"diff0/{master}_{date}.base") > 0
    for name in (f"geo/{master}.lon", f"geo/{master}.lat", "geo/elevation_dem.rdc"):
        assert sizes.pop(name) == 4 * pixels
    assert set(sizes) == {
        f"geo/{master}.diff_par", "dem/projected_dem_seg.par", "truth.npz", "TRUTH.md",
    }  # fmt: skip


def test_rasters_are_big_endian(scene: Path, truth: dict[str, NDArray[Any]]) -> None:
    """Read the right way round the values make sense; the wrong way round they do not."""
    height = raster(scene / "geo" / "elevation_dem.rdc", ">f4")
    np.testing.assert_array_equal(height, truth["height_m"])
    longitude = np.fromfile(scene / "geo" / "20210224.lon", dtype=">f4")
    assert abs(longitude - TINY.longitude_deg).max() < 0.1
    wrong = np.fromfile(scene / "geo" / "20210224.lon", dtype="<f4")
    with np.errstate(invalid="ignore", over="ignore"):
        assert not (abs(wrong - TINY.longitude_deg) < 0.1).any()


def test_interferograms_carry_the_true_phase(scene: Path, truth: dict[str, NDArray[Any]]) -> None:
    """What is left of a scatterer's phase is its noise: sigma times sqrt 2."""
    places = truth["ps_line"], truth["ps_sample"]
    quiet = truth["ps_noise_rad"] < 0.2
    assert quiet.sum() > 100
    for index, (master, slave) in enumerate(truth["interferograms"]):
        values = raster(scene / "diff0" / f"{master}_{slave}.diff", ">c8")[places]
        left = np.angle(values * np.exp(-1j * truth["ps_phase_rad"][index]))[quiet]
        expected = np.sqrt(2 * (truth["ps_noise_rad"][quiet] ** 2).mean())
        assert abs(left.mean()) < 5 * expected / np.sqrt(quiet.sum())
        assert 0.85 < left.std() / expected < 1.15


def test_interferograms_are_master_times_conjugate_slave(scene: Path) -> None:
    """The .diff files follow from the images."""
    master = raster(scene / "rslc" / "20210224.rslc", ">c8").astype(np.complex64)
    slave = raster(scene / "rslc" / "20210107.rslc", ">c8").astype(np.complex64)
    pair = raster(scene / "diff0" / "20210224_20210107.diff", ">c8")
    np.testing.assert_allclose(pair, master * slave.conj(), rtol=1e-5)


def test_true_phase_is_the_sum_of_its_terms(scene: Path, truth: dict[str, NDArray[Any]]) -> None:
    """Recompute it from the layers and from the files as stage 1 reads them."""
    par = GammaText(scene / "rslc" / "20210224.rslc.par")
    near, spacing = par.number("near_range_slc"), par.number("range_pixel_spacing")
    wavelength = 299792458.0 / par.number("radar_frequency:")
    look = geometry.look_angle_rad(
        near + truth["ps_sample"] * spacing,
        par.number("sar_to_earth_center"),
        par.number("earth_radius_below_sensor"),
    )
    seconds = (truth["ps_line"] - (par.number("azimuth_lines") / 2 - 0.5)) / par.number("prf")
    frame = Frame(TINY)
    tilt = np.stack([
        frame.along_track_m[truth["ps_line"]] / frame.extent_m[0] - 0.5,
        frame.ground_range_m[truth["ps_sample"]] / frame.extent_m[1] - 0.5,
    ])  # fmt: skip
    dates = list(truth["dates"])
    reference = int(truth["master"])
    for index, (master, slave) in enumerate(truth["interferograms"]):
        base = GammaText(scene / "diff0" / f"{master}_{slave}.base")
        _, cross, normal = base.numbers("initial_baseline(TCN):", 3)
        _, cross_rate, normal_rate = base.numbers("initial_baseline_rate:", 3)
        bperp = (cross + cross_rate * seconds) * np.cos(look)
        bperp -= (normal + normal_rate * seconds) * np.sin(look)
        image = dates.index(slave)
        moved = truth["ps_velocity_m_yr"] * truth["years"][image]
        moved = moved + truth["ps_seasonal_m"] * truth["season_factor"][image]
        moved = moved + truth["ps_step_m"] * truth["step_factor"][image]
        air = truth["ps_atmosphere_rad"][image] - truth["ps_atmosphere_rad"][reference]
        ramp = truth["orbital_ramp_rad"][image] - truth["orbital_ramp_rad"][reference]
        total = -4 * np.pi / wavelength * moved + air + ramp @ tilt
        total += truth["ps_topographic_rad_per_m"] * bperp
        np.testing.assert_allclose(total, truth["ps_phase_rad"][index], atol=2e-5)


def test_scatterers_agree_with_the_maps(truth: dict[str, NDArray[Any]]) -> None:
    """Lists and maps describe one scene; nothing stands in water; signs are as promised."""
    places = truth["ps_line"], truth["ps_sample"]
    np.testing.assert_array_equal(truth["cover"][places], truth["ps_cover"])
    assert (truth["cover"] > 0).sum() == len(truth["ps_line"]) > 400
    assert not truth["water"][places].any()
    assert truth["water"].any()
    np.testing.assert_array_equal(truth["velocity_m_yr"][places], truth["ps_velocity_m_yr"])
    assert truth["velocity_m_yr"].min() == pytest.approx(-0.025, abs=0.002)


def test_scatterers_are_steady_and_clutter_is_not(
    scene: Path, truth: dict[str, NDArray[Any]]
) -> None:
    """Amplitude dispersion tells them apart, and calibration factors differ."""
    images = [abs(raster(path, ">c8")) for path in sorted(scene.glob("rslc/*.rslc"))]
    means = np.array([image.mean() for image in images])
    assert means.std() / means.mean() > 0.1
    stack = np.stack([image / mean for image, mean in zip(images, means, strict=True)])
    dispersion = stack.std(axis=0) / stack.mean(axis=0)
    steady = truth["cover"] > 0
    assert np.median(dispersion[steady]) < 0.35
    assert np.median(dispersion[~steady]) > 0.45


def test_truth_is_explained_layer_by_layer(scene: Path, truth: dict[str, NDArray[Any]]) -> None:
    """Every layer has its row, and no row is without a layer."""
    text = scene.joinpath("TRUTH.md").read_text(encoding="utf-8")
    explained = {line.split("`")[1] for line in text.splitlines() if line.startswith("| `")}
    assert explained == set(truth)


def test_faults_on_request(tmp_path: Path) -> None:
    """The asked number of scatterers, where the truth says, and nowhere else."""
    write_export(replace(TINY, zero_phases=7, nan_phases=5, zero_amplitudes=3), tmp_path)
    with np.load(tmp_path / "truth.npz") as archive:
        truth = dict(archive)
    stack = np.stack([raster(path, ">c8") for path in sorted(tmp_path.glob("diff0/*.diff"))])
    images = np.stack([raster(path, ">c8") for path in sorted(tmp_path.glob("rslc/*.rslc"))])

    def pixels(layer: str) -> set[tuple[int, int]]:
        chosen = truth[layer]
        lines, samples = truth["ps_line"][chosen].tolist(), truth["ps_sample"][chosen].tolist()
        return set(zip(lines, samples, strict=True))

    def found(mask: NDArray[np.bool_]) -> set[tuple[int, int]]:
        return {(line, sample) for _, line, sample in np.argwhere(mask).tolist()}

    assert found(np.isnan(stack)) == pixels("nan_phase_ps")
    assert np.isnan(stack).sum() == len(truth["nan_phase_ps"]) == 5
    assert found(images == 0) == pixels("zero_amplitude_ps")
    assert (images == 0).sum() == len(truth["zero_amplitude_ps"]) == 3
    assert found(stack == 0) == pixels("zero_phase_ps") | pixels("zero_amplitude_ps")
    assert (stack == 0).sum() == 7 + 3


def test_faults_leave_the_rest_of_the_scene_alone(scene: Path, tmp_path: Path) -> None:
    """Only the interferogram concerned changes."""
    write_export(replace(TINY, nan_phases=5), tmp_path)
    before, after = contents(scene), contents(tmp_path)
    changed = [name for name in before if before[name] != after[name]]
    assert [name for name in changed if not name.startswith(("truth", "TRUTH"))] == [
        "diff0/20210224_20210308.diff"
    ]


def test_parameter_files_read_like_the_original_scenes(golden: Scene) -> None:
    """With the golden scene's geometry the text files come out byte for byte."""
    frame = Frame(replace(TINY, width=150, length=260, repeat_days=12, images=9))
    for path in sorted(golden.export.glob("rslc/*.par")):
        assert image_parameters(frame, path.name[:8]) == path.read_text(encoding="ascii")
    bases = sorted(golden.export.glob("diff0/*.base"))
    assert len(bases) == 8
    for path in bases:
        text = GammaText(path)
        _, cross, normal = text.numbers("initial_baseline(TCN):", 3)
        _, cross_rate, normal_rate = text.numbers("initial_baseline_rate:", 3)
        baseline = Baseline(cross, normal, cross_rate, normal_rate)
        assert baseline_text(baseline) == path.read_text(encoding="ascii")


def test_places_agree_with_the_original_scenes(golden: Scene) -> None:
    """Longitude and latitude of the golden scene, to the rounding of single precision."""
    frame = Frame(replace(TINY, width=150, length=260))
    places = frame.lonlat_deg(np.arange(260)[:, None], np.arange(150)[None, :])
    for suffix, values in zip(("lon", "lat"), places, strict=True):
        want = np.fromfile(golden.export / "geo" / f"20210224.{suffix}", dtype=">f4")
        np.testing.assert_allclose(values.ravel(), want, rtol=1e-7)


@pytest.mark.parametrize(("heading", "sign"), [(-12.8, 1), (-167.0, -1)])
def test_heading_turns_the_scene(heading: float, sign: int) -> None:
    """Ascending images go north with the lines, descending ones south."""
    frame = Frame(replace(TINY, heading_deg=heading))
    lines = np.array([0, TINY.length - 1])
    _, latitude = frame.lonlat_deg(lines, np.zeros(2, dtype=np.intp))
    assert np.sign(latitude[1] - latitude[0]) == sign


@pytest.mark.parametrize("master", [0, 7])
def test_master_may_be_first_or_last(tmp_path: Path, master: int) -> None:
    """Every other image is paired with it."""
    summary = write_export(replace(TINY, master=master), tmp_path)
    assert summary.master == f"{TINY.dates[master]:%Y%m%d}"
    names = [path.name for path in tmp_path.glob("diff0/*.diff")]
    assert len(names) == 7
    assert all(name.startswith(summary.master) for name in names)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": 1}, "--images is 1, expected at least 2"),
        ({"master": 8}, "--master is 8, expected 0 to 7"),
        ({"start": "20211301"}, "--start is 20211301, expected a date"),
        ({"heading_deg": float("nan")}, "heading_deg is nan, expected a finite number"),
        ({"zero_phases": 100_000}, "100000 faults requested"),
        ({"scatterers": 10**9}, "--scatterers is 1000000000, expected at most"),
        ({"dem_error_m": -1.0}, "--dem-error is -1.0"),
    ],
)
def test_senseless_settings_are_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    """Option, value found, value expected."""
    settings: SceneSettings = replace(TINY, **change)
    with pytest.raises(PystampsError, match=message):
        write_export(settings, tmp_path)


def fail_half_way(target: Path, *, force: bool = True) -> None:
    """Begin to publish and break down."""
    with published(target, force=force) as staging:
        staging.joinpath("rslc").mkdir()
        raise RuntimeError


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    """A filled folder is refused; a foreign one even with force; nothing half-written stays."""
    target = tmp_path / "out"
    with pytest.raises(RuntimeError):
        fail_half_way(target)
    assert not list(tmp_path.iterdir())
    with published(target, force=False) as staging:
        write_export(TINY, staging)
    first = contents(target)
    with pytest.raises(PystampsError, match="is not empty"):
        fail_half_way(target, force=False)
    with pytest.raises(RuntimeError):
        fail_half_way(target)
    assert contents(target) == first
    assert not target.joinpath(".partial").exists()
    target.joinpath("notes.txt").write_text("mine", encoding="ascii")
    with published(target, force=True) as staging:
        write_export(replace(TINY, seed=3, images=4), staging)
    assert target.joinpath("notes.txt").read_text(encoding="ascii") == "mine"
    assert len(list(target.glob("rslc/*.rslc"))) == 4
    target.joinpath("TRUTH.md").unlink()
    with pytest.raises(PystampsError, match="it is not a simulation"):
        fail_half_way(target)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
