"""A whole dataset by one command, and the chain from a raw export against original StaMPS."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from parity.chain import run_chain
from parity.readers import read_mat_file

from pystamps_shim.cli import main
from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat
from pystamps_shim.pipeline.unwrapping_cell import cell_for_small_scene_m
from pystamps_shim.products.tables import VelocityTable
from pystamps_shim.products.truth import Matched, compare
from pystamps_shim.products.truth_scene import SceneTruth
from pystamps_shim.simulate.export import write_export
from pystamps_shim.simulate.scene import PRESETS


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a small raw export with its truth."""
    folder: Path = tmp_path_factory.mktemp("export")
    size = {"width": 200, "length": 260, "scatterers": 3000, "images": 12, "repeat_days": 36}
    write_export(replace(PRESETS["tiny"], seed=8, **size), folder)  # type: ignore[arg-type]
    return folder


@pytest.fixture(scope="module")
def dataset(export: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the whole dataset once."""
    folder: Path = tmp_path_factory.mktemp("run") / "dataset"
    paths = ["--export", str(export), "--dataset", str(folder), "--azimuth-patches", "2"]
    assert main(["run", *paths]) == 0
    return folder


def test_products_and_truth_are_made(
    dataset: Path, export: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Typed again every stage is current, and the products have the same bytes."""
    products = dataset / "products"
    made = {path.name: path.read_bytes() for path in products.iterdir()}
    assert sorted(made) == [
        ".products.json",
        "report.html",
        "timeseries.csv",
        "timeseries.csv.json",
        "timeseries.png",
        "truth.json",
        "velocity.csv",
        "velocity.csv.json",
        "velocity.png",
    ]
    report = json.loads(made["truth.json"])
    assert report["ps"]["selected"] == len(VelocityTable.read(products / "velocity.csv").places)
    assert report["velocity_without_atmosphere_mm_per_year"]["coherent"]["rmse"] < 3
    assert report["right_cycle"]["coherent"]["share"] > 0.99
    assert report["ps"]["precision"] > 0.9
    marks = [path.stat().st_mtime_ns for path in sorted(dataset.glob("PATCH_*/*.mat"))]
    assert main(["run", "--export", str(export), "--dataset", str(dataset)]) == 0
    said = capfd.readouterr()
    assert " completed" not in said.err
    assert "in the right cycle" in said.err
    assert said.out.split()[:3] == ["stage", "kept", "time"]
    assert [path.stat().st_mtime_ns for path in sorted(dataset.glob("PATCH_*/*.mat"))] == marks
    assert "(as they were)" in said.err
    assert {path.name: path.read_bytes() for path in products.iterdir()} == made


def test_products_are_made_again_when_something_has_changed(
    dataset: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """One that is away comes back with the same bytes; another reference area gives others."""
    velocity = dataset / "products" / "velocity.csv"
    made = velocity.read_bytes()
    velocity.unlink()
    assert main(["run", "--dataset", str(dataset)]) == 0
    assert "(as they were)" not in capfd.readouterr().err
    assert velocity.read_bytes() == made
    middle = VelocityTable.read(velocity).places.lonlat_deg.mean(axis=0)
    box = f"ref_lon=[{middle[0] - 0.01} {middle[0] + 0.01}]"
    assert main(["run", "--dataset", str(dataset), "--set", box]) == 0
    assert velocity.read_bytes() != made
    assert main(["run", "--dataset", str(dataset), "--set", "ref_lon=[-Inf Inf]"]) == 0
    assert velocity.read_bytes() == made


def test_small_scene_got_smaller_cells(dataset: Path) -> None:
    """Thirty-six along the shorter side, and enough of them now."""
    cell_m = float(read_mat_file(dataset / "parms.mat")["unwrap_grid_size"].values.item())
    side_m = np.ptp(read_mat_file(dataset / "ps2.mat")["xy"].values[:, 1:], axis=0).min()
    assert side_m / 200 < 32
    assert 36 <= side_m / cell_m < 36 * cell_m / (cell_m - 20)
    assert cell_for_small_scene_m(dataset) is None


def test_truth_notices_a_wrong_velocity_and_a_wrong_cycle(
    dataset: Path, export: Path, tmp_path: Path
) -> None:
    """3 mm/yr too much on half of the PS, and a cycle too much in one interferogram."""
    truth = SceneTruth.read(export / "truth.npz")
    velocities = VelocityTable.read(dataset / "products" / "velocity.csv")
    right = compare(dataset, velocities, truth)
    half = np.arange(len(velocities.places)) % 2 == 0
    velocities.velocity_mm_per_year[half] += 3.0
    wrong = compare(dataset, velocities, truth)
    before, after = (r["velocity_mm_per_year"]["all"]["rmse"] for r in (right, wrong))
    assert after == pytest.approx(np.hypot(before, 1.5), rel=0.1)

    changed = tmp_path / "changed"
    changed.mkdir()
    for path in dataset.iterdir():
        (changed / path.name).symlink_to(path)
    unwrapped = dict(mat.read(dataset / "phuw2.mat"))
    unwrapped["ph_uw"][half.nonzero()[0][: half.sum() // 2], 0] += np.float32(2 * np.pi)
    (changed / "phuw2.mat").unlink()
    mat.write(changed / "phuw2.mat", unwrapped)
    shares = [
        r["right_cycle"]["all"]["share"] for r in (right, compare(changed, velocities, truth))
    ]
    assert shares[0] - shares[1] == pytest.approx(0.25 / 11, rel=0.1)


def test_truth_of_another_scene_is_refused(dataset: Path, export: Path, tmp_path: Path) -> None:
    """Other images, and a file that is no truth."""
    write_export(replace(PRESETS["tiny"], seed=8, images=5), tmp_path)
    with pytest.raises(PystampsError, match="the truth has 5 with master 3"):
        Matched.find(dataset, SceneTruth.read(tmp_path / "truth.npz"))
    np.savez(tmp_path / "other.npz", isps=np.ones((2, 2), bool))
    with pytest.raises(PystampsError, match=r"other\.npz: master is not a file"):
        SceneTruth.read(tmp_path / "other.npz")
    (tmp_path / "text.npz").write_text("no archive", encoding="ascii")
    with pytest.raises(PystampsError, match="give the complete truth"):
        SceneTruth.read(tmp_path / "text.npz")
    truth = SceneTruth.read(export / "truth.npz")
    rows = truth.rows_at(truth.line[[5, 2]], truth.sample[[5, 2]])
    assert rows.tolist() == [5, 2]
    assert truth.rows_at(np.array([0]), np.array([10**6])).tolist() == [-1]


def test_chain_from_raw_export_equals_original_stamps(oracle: Path, tmp_path: Path) -> None:
    """Scene T: the same PS and velocities, and the truth figures of the oracle's makers."""
    outcome = run_chain(oracle, "T", tmp_path)
    assert outcome.reached, outcome.text()
    ours, original = outcome.truth["ours"], outcome.truth["original"]
    for report in (ours, original):
        assert report["right_cycle"]["all"]["share"] == pytest.approx(0.9993, abs=5e-5)
        height = report["dem_error_of_wrapped_phase_m"]["all"]
        assert height["correlation"] == pytest.approx(0.328, abs=5e-4)
        assert height["rmse"] == pytest.approx(10.25, abs=0.02)
    name = "velocity_without_atmosphere_mm_per_year"
    assert ours[name]["all"]["rmse"] <= original[name]["all"]["rmse"] + 0.005
