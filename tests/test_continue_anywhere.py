"""A folder of original StaMPS is continued at any stage, and ours is read like one of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from parity.chain import original_velocities, velocity_agreement
from parity.layout import check_layout
from parity.oracle import Scene, dataset_after, shared_scene
from parity.readers import read_mat_file

from pystamps_shim._binary import find_command
from pystamps_shim.cli import main
from pystamps_shim.pipeline.commands import Native
from pystamps_shim.products.tables import VelocityTable

#: What original StaMPS does not write until a velocity is plotted: stage 8 is due in any case.
ALWAYS_DUE = (8, ".")
OPTIONS = ["--no-products", "--json", "--progress", "none", "--random-engine", "octave"]


def statuses(
    dataset: Path, capsys: pytest.CaptureFixture[str], *options: str
) -> dict[tuple[int, str], str]:
    """Run the dataset to the end; return what became of every stage."""
    assert main(["run", "--dataset", str(dataset), *OPTIONS, *options]) == 0
    report = json.loads(capsys.readouterr().out)
    return {(one["stage_id"], one["target"]): one["status"] for one in report["results"]}


def assert_velocities_agree(dataset: Path, original: Path, scene: Scene, table: Path) -> None:
    """Assert the same PS and the velocities that the original has plotted."""
    Native(find_command(), quiet=True).product("v-do", dataset, table)
    theirs = original_velocities(original, scene, "v-do")
    found = velocity_agreement(dataset, VelocityTable.read(table), original, theirs)
    assert found.reached, found


@pytest.mark.shared
@pytest.mark.parametrize("last", range(1, 9))
def test_any_stage_of_the_original_is_continued(
    oracle: Path, last: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is there is kept, the rest is computed, the velocities are the original's."""
    dataset = dataset_after(oracle, "T", last, tmp_path / "dataset")
    found = statuses(dataset, capsys)
    assert len(found) == 14
    kept = {key for key, status in found.items() if status == "skipped_existing"}
    merged = {(number, ".") for number in range(5, last + 1)}
    patches = {(number, f"PATCH_{k}") for number in range(1, min(last, 5) + 1) for k in (1, 2)}
    assert kept == (merged | patches) - {ALWAYS_DUE}
    assert {status for key, status in found.items() if key not in kept} == {"completed"}
    original = dataset_after(oracle, "T", 8, tmp_path / "original")
    assert_velocities_agree(dataset, original, shared_scene(oracle, "T"), tmp_path / "v.csv")


@pytest.mark.parametrize("last", [4, 5, 6, 7, 8])
def test_golden_stages_are_continued(
    golden_products: Path, last: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From stage 4 on, with the project's own data."""
    dataset = dataset_after(golden_products, "T", last, tmp_path / "dataset")
    found = statuses(dataset, capsys, "--start-step", str(min(last + 1, 8)))
    assert set(found.values()) == {"completed"}
    original = dataset_after(golden_products, "T", 8, tmp_path / "original")
    scene = shared_scene(golden_products, "T")
    assert_velocities_agree(dataset, original, scene, tmp_path / "v.csv")


@pytest.mark.shared
@pytest.mark.parametrize("last", [4, 5, 6])
def test_small_baselines_are_continued(
    oracle: Path, last: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The network's own files count, and are written in the original's layout."""
    dataset = dataset_after(oracle, "S", last, tmp_path / "dataset")
    found = statuses(dataset, capsys)
    kept = {key for key, status in found.items() if status == "skipped_existing"}
    merged = {(number, ".") for number in range(5, last + 1)}
    patches = {(number, f"PATCH_{k}") for number in range(1, min(last, 5) + 1) for k in (1, 2)}
    assert kept == merged | patches
    # Those of earlier stages are in part replaced by then.
    for stage in (7, 8):
        report = check_layout(stage, dataset, small_baseline=True)
        assert not report.differences, str(report)
    assert set(statuses(dataset, capsys).values()) == {"skipped_existing"}


@pytest.mark.shared
def test_our_files_have_the_layout_of_the_original(
    oracle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Variables, classes and shapes after every stage, by scipy and h5py; a change is noticed."""
    import scipy.io

    dataset = shared_scene(oracle, "T").prepared(tmp_path / "dataset")
    for stage in range(1, 9):
        statuses(dataset, capsys, "--start-step", str(stage), "--end-step", str(stage))
        report = check_layout(stage, dataset)
        assert report.compared > 4
        assert not report.differences, str(report)
    path = dataset / "PATCH_2" / "pm1.mat"
    stored = {name: one.values for name, one in read_mat_file(path).items()}
    stored["coh_ps"] = stored["coh_ps"].astype("float32")[:-1]
    del stored["K_ps"]
    scipy.io.savemat(path, {**stored, "more": 1.0})
    found = "\n".join(str(one) for one in check_layout(2, dataset).differences)
    for words in ("coh_ps: class single", "K_ps: missing", "more: unknown"):
        assert words in found
