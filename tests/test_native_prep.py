"""Native preparation against original StaMPS: byte by byte, parameters one by one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from parity.oracle import PREP_SETTINGS, Scene, shared_scene, with_rasters
from parity.stages import compare_stage

Native = Callable[..., object]


def prepare(native: Native, scene: Scene, dataset: Path, *extra: object) -> Path:
    """Prepare `scene` with the settings original StaMPS was given."""
    settings = PREP_SETTINGS[scene.name]
    native(
        *("prep", "snap", "--export", scene.export, "--dataset", dataset),
        *("--amp-dispersion", settings.amplitude_dispersion),
        *("--range-patches", settings.range_patches),
        *("--azimuth-patches", settings.azimuth_patches),
        *("--range-overlap", settings.range_overlap),
        *("--azimuth-overlap", settings.azimuth_overlap),
        *extra,
    )
    return dataset


def assert_as_original(scene: Scene, dataset: Path) -> None:
    """Compare with ``stage0_prep`` by the contract."""
    report = compare_stage(0, scene.stage("stage0_prep"), dataset, scene.substitutions)
    assert report.compared > 50
    assert not report.differences, str(report)


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the files StaMPS knows, by name; parms.mat holds the day of the run."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    names = {path: path.relative_to(folder).as_posix() for path in paths}
    return {
        name: path.read_bytes()
        for path, name in names.items()
        if not name.startswith(".") and name != "parms.mat"
    }


def test_golden_scene(native: Native, golden: Scene, tmp_path: Path) -> None:
    """Four patches with zero strips, zero and NaN phases and water; the master is found."""
    assert_as_original(golden, prepare(native, golden, tmp_path / "dataset"))


def test_same_bytes_for_any_thread_count(native: Native, golden: Scene, tmp_path: Path) -> None:
    """One, two and seven threads write the same files."""
    results = [
        files_of(prepare(native, golden, tmp_path / f"threads{count}", "--threads", count))
        for count in (1, 2, 7)
    ]
    assert len(results[0]) > 50
    assert results[0] == results[1] == results[2]


@pytest.mark.shared
@pytest.mark.parametrize("name", ["T", "L", "S"])
def test_oracle_scene(native: Native, oracle: Path, name: str, tmp_path: Path) -> None:
    """The larger scenes, their rasters made again; S has small baselines."""
    scene = with_rasters(oracle, shared_scene(oracle, name), tmp_path / "export" / name)
    master = PREP_SETTINGS[name].master
    assert_as_original(scene, prepare(native, scene, tmp_path / "dataset", "--master", master))
