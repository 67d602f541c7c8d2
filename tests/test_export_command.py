"""The export command on whole datasets: selections, references, projections, two tracks."""

from __future__ import annotations

import csv
import datetime
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from parity.synthetic_merged import MergedShape
from parity.synthetic_unwrapped import write_unwrapped

from pystamps_shim.cli import main
from pystamps_shim.io import mat
from pystamps_shim.simulate.export import write_export
from pystamps_shim.simulate.scene import HEADINGS_DEG, PRESETS

Native = Callable[..., subprocess.CompletedProcess[str]]
Table = dict[str, NDArray[np.float64]]


def _processed(folder: Path, direction: str) -> Path:
    settings = replace(PRESETS["tiny"], heading_deg=HEADINGS_DEG[direction], seed=8)
    write_export(settings, folder / "export")
    dataset = folder / "dataset"
    arguments = ["run", "--export", str(folder / "export"), "--dataset", str(dataset)]
    assert main([*arguments, "--no-products"]) == 0
    return dataset


@pytest.fixture(scope="module")
def descending(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _processed(tmp_path_factory.mktemp("descending"), "descending")


@pytest.fixture(scope="module")
def ascending(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _processed(tmp_path_factory.mktemp("ascending"), "ascending")


@pytest.fixture(scope="module")
def small_baselines(native_module: Native, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Process a network whose pairs do not weigh the images alike."""
    folder = tmp_path_factory.mktemp("small") / "dataset"
    write_unwrapped(folder, MergedShape(ps=300, images=11, small_baseline=True), noise_rad=0.5)
    noise = mat.read(folder / "phuw_sb_res2.mat")
    noise["sb_cov"] = np.diag(np.linspace(0.01, 1.0, len(noise["sb_cov"])))
    mat.write(folder / "phuw_sb_res2.mat", noise)
    native_module("stage", 7, "--dataset", folder)
    return folder


Export = Callable[..., tuple[Table, dict[str, Any]]]


@pytest.fixture
def export(descending: Path, tmp_path: Path) -> Export:
    """Return a function that exports to CSV and reads table and metadata."""

    def run(*options: object, dataset: Path = descending) -> tuple[Table, dict[str, Any]]:
        out = tmp_path / "out" / f"{len(list(tmp_path.glob('out/*')))}.csv"
        arguments = ["export", "--dataset", str(dataset), "--format", "csv", "--out", str(out)]
        assert main([*arguments, *(str(option) for option in options)]) == 0
        with out.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        table = {
            name: np.array([float(row[name]) if row[name] else np.nan for row in rows])
            for name in rows[0]
        }
        told = out.with_name(f"{out.name}.json").read_text(encoding="utf-8")
        assert not [path for path in out.parent.iterdir() if path.name.startswith(".")]
        return table, json.loads(told)

    return run


def _place(table: Table) -> NDArray[np.float64]:
    return np.column_stack([table["lon_deg"], table["lat_deg"]])


def test_another_reference_is_that_of_the_stages(export: Export) -> None:
    """Velocities and every date are less the mean of the PS around the place."""
    whole, _ = export()
    middle = _place(whole).mean(axis=0)
    moved, told = export("--reference", middle[0], middle[1], 300)
    away_m = (_place(whole) - middle) * 111_195 * [np.cos(np.deg2rad(middle[1])), 1]
    inside = np.hypot(*away_m.T) < 300
    assert told["parameters"]["ref_radius"] == "300"
    assert 3 < told["reference"]["ps_count"] < len(inside)
    assert abs(told["reference"]["ps_count"] - inside.sum()) <= 2
    dates = [name for name in whole if name.startswith("D2")]
    for name in ("velocity_mm_per_year", dates[0], dates[-1]):
        shift = moved[name] - whole[name]
        assert np.ptp(shift) < 0.003, name
        assert abs(moved[name][inside].mean()) < 0.2, name
    west, south = _place(whole).min(axis=0)
    boxed, told = export("--reference-box", west - 1, south - 1, middle[0], middle[1])
    assert "ref_lat" in told["reference"]["description"]
    inside = (_place(whole) < middle).all(axis=1)
    assert abs(boxed["velocity_mm_per_year"][inside].mean()) < 0.01


def test_vertical_is_the_line_of_sight_over_the_cosine(export: Export, descending: Path) -> None:
    sight, _ = export()
    up, told = export("--vertical")
    cosine = np.cos(mat.read_variable(descending / "la2.mat", "la").ravel())
    for name in ("velocity_mm_per_year", "velocity_std_mm_per_year", list(sight)[-1]):
        np.testing.assert_allclose(up[name] * cosine, sight[name], atol=1.1e-3)
    assert "nothing moves horizontally" in told["projection"]
    assert told["sign_convention"] == "positive: up"
    given, _ = export("--vertical", "--incidence-deg", 60)
    np.testing.assert_allclose(
        given["velocity_mm_per_year"], 2 * sight["velocity_mm_per_year"], atol=1.1e-3
    )


def test_selections_combine_and_say_what_they_left(export: Export, tmp_path: Path) -> None:
    whole, _ = export("--product", "v-do", "--bootstrap", 0)
    assert not [name for name in whole if name.startswith("D2")]
    assert np.isnan(whole["velocity_std_mm_per_year"]).all()
    middle = np.median(_place(whole), axis=0) + 1e-6
    ring = [[-180, -80], [middle[0], -80], [middle[0], 80], [-180, 80], [-180, -80]]
    area = tmp_path / "west.geojson"
    area.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}), encoding="utf-8")
    kept, told = export(
        *("--product", "v-do", "--min-coherence", 0.8, "--polygon", area),
        *("--bbox", -180, middle[1], 180, 90),
    )
    want = (whole["coherence"] >= 0.8) & (whole["lat_deg"] >= middle[1])
    want &= whole["lon_deg"] <= middle[0]
    np.testing.assert_array_equal(kept["ps"], whole["ps"][want])
    assert [step["condition"].split()[0] for step in told["selection"]] == [
        "coherence",
        "box",
        "polygons",
    ]
    assert told["selection"][-1]["left"] == want.sum() == told["ps_count"]
    assert told["selection"][0]["before"] == len(whole["ps"]) == told["ps_count_of_dataset"]


def test_dates_limit_series_and_velocity(export: Export) -> None:
    whole, told = export()
    dates = told["dates"]
    part, told = export("--from", dates[2], "--to", dates[-2])
    expected = dates[2:-1]
    assert told["master_date"] in expected
    assert [name[1:] for name in part if name.startswith("D2")] == expected == told["dates"]
    np.testing.assert_array_equal(part[f"D{dates[2]}"], whole[f"D{dates[2]}"])
    assert np.ptp(part["velocity_mm_per_year"] - whole["velocity_mm_per_year"]) > 0.1
    assert told["velocity"]["fitted_to"] == [d for d in dates[2:-1] if d != told["master_date"]]


def test_small_baselines_have_series_and_velocity_of_the_images(
    export: Export, small_baselines: Path
) -> None:
    """Not a velocity of the interferograms beside a series of images."""
    found, told = export(dataset=small_baselines)
    assert told["velocity"]["value_type"] == "V-do"
    dates = [name for name in found if name.startswith("D2")]
    years = np.array([datetime.date.fromisoformat(name[1:]).toordinal() for name in dates]) / 365.25
    series = np.column_stack([found[name] for name in dates])
    slope = np.polyfit(years, series.T, 1)[0]
    alone = export("--product", "v-do", dataset=small_baselines)[0]["velocity_mm_per_year"]
    of_images = np.std(slope - found["velocity_mm_per_year"])
    assert of_images < 0.8 * np.std(slope - alone)


def test_a_master_out_of_the_dates_has_no_column(export: Export) -> None:
    _, told = export("--product", "v-do")
    master, dates = told["master_date"], told["velocity"]["fitted_to"]
    early = [date for date in dates if date < master]
    found, told = export("--to", early[-1])
    assert f"D{master}" not in found
    assert told["dates"] == early
    assert [name[1:] for name in found if name.startswith("D2")] == early


def test_two_tracks_give_east_and_up(export: Export, ascending: Path, descending: Path) -> None:
    """In a cell with a PS of each, both velocities follow from the two unit vectors."""
    place = mat.read_variable(descending / "ps2.mat", "lonlat").mean(axis=0)
    reference = ("--reference", place[0], place[1], 400)
    found, told = export("--with", ascending, "--cell-m", 60, *reference)
    tracks = [
        (export("--product", "v-do", *reference, dataset=dataset)[0], heading)
        for dataset, heading in ((descending, "descending"), (ascending, "ascending"))
    ]
    assert told["grid"]["cell_m"] == 60
    assert "two places" not in told["reference"]["description"]
    assert "north or south" in told["definition"]
    alone = np.flatnonzero((found["ps_first"] == 1) & (found["ps_second"] == 1))
    assert alone.size > 5
    incidence = [mat.read_variable(d / "la2.mat", "la").ravel() for d in (descending, ascending)]
    for row in alone[:5]:
        near = [_nearest(table, _place(found)[row], 60) for table, _ in tracks]
        if min(rows.size for rows in near) != 1 or max(rows.size for rows in near) != 1:
            continue
        design, sight = np.empty((2, 2)), np.empty(2)
        for i, ((table, direction), rows) in enumerate(zip(tracks, near, strict=True)):
            angle, heading = incidence[i][rows[0]], np.deg2rad(HEADINGS_DEG[direction])
            design[i] = [-np.sin(angle) * np.cos(heading), np.cos(angle)]
            sight[i] = table["velocity_mm_per_year"][rows[0]]
        east, up = np.linalg.solve(design, sight)
        np.testing.assert_allclose(found["velocity_east_mm_per_year"][row], east, atol=0.01)
        np.testing.assert_allclose(found["velocity_up_mm_per_year"][row], up, atol=0.01)
        break
    else:
        pytest.fail("no cell with one PS of each was found")


def _nearest(table: Table, place: NDArray[np.float64], cell_m: float) -> NDArray[np.intp]:
    away_m = (_place(table) - place) * 111_195 * [np.cos(np.deg2rad(place[1])), 1]
    return np.flatnonzero(np.abs(away_m).max(axis=1) < 0.6 * cell_m)


def test_tracks_that_look_alike_are_refused(
    descending: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = ["export", "--dataset", str(descending), "--with", str(descending)]
    out = ["--format", "csv", "--out", str(tmp_path / "out.csv")]
    assert main([*arguments, *out]) == 2
    said = capfd.readouterr().err
    assert "cannot be told apart" in said
    assert "relative to two places" in said
    assert main([*arguments, *out, "--vertical"]) == 2
    assert main([*arguments, *out, "--product", "ts-do"]) == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--format", "gpgk"], 2, ["no format 'gpgk'", "did you mean 'gpkg'", "geoparquet"]),
        (["--product", "x"], 2, ["no product 'x'", "v"]),
        (["--product", "w"], 2, ["phasors", "pystamps-native product w"]),
        (["--product", "u-dms", "--vertical"], 2, ["--vertical"]),
        (["--bbox", "0", "0", "1", "1"], 1, ["no PS is left", "box 0 0 1 1: 0 of"]),
        (["--bbox", "0", "1", "1", "0"], 2, ["--bbox"]),
        (["--bbox", "nan", "0", "1", "1"], 2, ["--bbox"]),
        (["--bbox", "2", "0", "1", "1"], 1, ["across the date line"]),
        (["--min-coherence", "1"], 1, ["no PS is left", "coherence of 1"]),
        (["--min-coherence", "7"], 2, ["expected 0 to 1"]),
        (["--from", "2020-01-01"], 2, ["expected a date YYYYMMDD"]),
        (["--from", "20990101"], 2, ["dates-empty"]),
        (["--reference", "-70.5", "99", "300"], 2, ["a radius in metres"]),
        (["--reference", "-70.5", "-33", "10"], 2, ["reference-empty", "--reference"]),
        (["--heading-deg", "nan"], 2, ["degrees clockwise from north"]),
        (["--incidence-deg", "90"], 2, ["between 0 and 90"]),
        (["--bootstrap", "1"], 2, ["expected 0 or 2"]),
        (["--format", "geotiff", "--cell-m", "0"], 2, ["a length in metres"]),
        (["--cell-m", "50"], 2, ["about grids"]),
        (["--polygon", "nowhere.geojson"], 2, ["no such file"]),
        (["--polygon-crs", "EPSG:4326"], 2, ["--polygon"]),
        (["--dataset", "nowhere"], 2, ["no such folder"]),
        (["--out", "parms.mat"], 2, ["file of StaMPS"]),
    ],
)
def test_bad_input_is_told_and_leaves_nothing(
    descending: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    *,
    options: list[str],
    code: int,
    words: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    always = ["export", "--dataset", str(descending), "--format", "csv", "--out", "out.csv"]
    assert main([*always, *options]) == code
    said = capfd.readouterr().err
    for each in words:
        assert each in said
    assert "Traceback" not in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_batch_system_that_ends_it_finds_nothing_left(
    descending: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """What was half done is removed; the exit code says by what."""
    arguments = [
        "export",
        "--dataset",
        str(descending),
        "--format",
        "gpkg",
        "--bootstrap",
        "100000",
    ]
    command = [sys.executable, "-m", "pystamps_shim", *arguments, "--out", str(tmp_path / "a.gpkg")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while not list(tmp_path.iterdir()) and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(number)
        assert process.wait(timeout=60) == 128 + number
    assert not list(tmp_path.iterdir())


def test_an_earlier_export_stays_unless_forced(
    descending: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "velocity.csv"
    arguments = ["export", "--dataset", str(descending), "--format", "csv", "--out", str(out)]
    assert main(arguments) == 0
    made = out.read_bytes()
    out.write_bytes(b"mine")
    assert main(arguments) == 2
    assert "--force" in capfd.readouterr().err
    assert out.read_bytes() == b"mine"
    capfd.readouterr()
    assert main([*arguments, "--force", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert out.read_bytes() == made
    assert told["file"] == str(out)
    assert told["points"] == len(made.splitlines()) - 1
    assert told["metadata"]["parameters"]["small_baseline_flag"] == "'n'"


def test_an_unfinished_dataset_names_the_stage(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dataset = tmp_path / "dataset"
    dataset.mkdir()
    assert main(["export", "--dataset", str(dataset), "--format", "csv"]) == 1
    assert "run stage" in capfd.readouterr().err
