"""Native stage 1 against the Python reference, and against itself in other settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from parity.oracle import Scene
from parity.stages import compare_with_reference, patches_of

from pystamps_shim.reference.stage1 import stage1_load_initial
from pystamps_shim.simulate.export import write_export
from pystamps_shim.simulate.scene import HEADINGS_DEG, PRESETS

Native = Callable[..., object]


def load(native: Native, dataset: Path, *extra: object) -> Path:
    """Run stage 1 on every patch."""
    for patch in patches_of(dataset):
        native("stage", 1, "--patch", dataset / patch, *extra)
    return dataset


@pytest.mark.parametrize(
    "change",
    [
        {"zero_phases": 9, "nan_phases": 9, "zero_amplitudes": 9},
        {"heading_deg": HEADINGS_DEG["ascending"], "seed": 2},
        {"master": 0, "seed": 3},
        {"master": 7, "seed": 4},
    ],
    ids=["faults", "ascending", "first master", "last master"],
)
def test_simulated_scene_as_reference(
    native: Native, tmp_path: Path, change: dict[str, float]
) -> None:
    """From a raw export on, in situations no oracle scene has."""
    export, dataset = tmp_path / "export", tmp_path / "dataset"
    export.mkdir()
    write_export(replace(PRESETS["tiny"], **change), export)  # type: ignore[arg-type]
    native("prep", "snap", "--export", export, "--dataset", dataset, "--azimuth-patches", 2)
    load(native, dataset)
    for patch in patches_of(dataset):
        reference = stage1_load_initial(dataset / patch)
        report = compare_with_reference(1, reference, dataset / patch)
        assert report.compared > 20
        assert not report.differences, str(report)


def without_positions(patch: Path) -> None:
    """Blank the first positions, and put one off the globe."""
    path = patch / "pscands.1.ll"
    lonlat = np.fromfile(path, ">f4").reshape(-1, 2)
    lonlat[:5] = 0
    lonlat[7, 1] = 1e20
    lonlat.tofile(path)


def without_candidates(patch: Path) -> None:
    """Empty every candidate file."""
    for path in patch.glob("pscands.1.*"):
        path.write_bytes(b"")


def with_null_interferogram(patch: Path) -> None:
    """Pair the master with itself, in the first place."""
    root, path = patch.parent, patch / "pscands.1.ph"
    phase = np.fromfile(path, ">c8").reshape(len(_interferograms(root)), -1)
    np.concatenate([np.full_like(phase[:1], 3), phase]).tofile(path)
    width, *paths = (root / "pscphase.in").read_text().splitlines()
    master = Path(paths[0]).name[:8]
    null = Path(paths[0]).with_name(f"{master}_{master}.diff")
    (root / "pscphase.in").write_text("\n".join([width, str(null), *paths]) + "\n")


def _interferograms(root: Path) -> list[str]:
    return (root / "pscphase.in").read_text().splitlines()[1:]


@pytest.mark.parametrize("spoil", [without_positions, without_candidates, with_null_interferogram])
def test_odd_patch_as_reference(
    native: Native, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    """What the specification leaves open is decided alike on both sides."""
    export, dataset = tmp_path / "export", tmp_path / "dataset"
    export.mkdir()
    write_export(replace(PRESETS["tiny"], seed=6), export)
    native("prep", "snap", "--export", export, "--dataset", dataset)
    spoil(dataset / "PATCH_1")
    load(native, dataset)
    reference = stage1_load_initial(dataset / "PATCH_1")
    report = compare_with_reference(1, reference, dataset / "PATCH_1")
    assert report.compared > 20
    assert not report.differences, str(report)


def test_same_bytes_for_any_thread_count(native: Native, golden: Scene, tmp_path: Path) -> None:
    """One and five threads write the same files."""
    results = []
    for count in (1, 5):
        dataset = load(native, golden.prepared(tmp_path / str(count)), "--threads", count)
        files = sorted(dataset.glob("PATCH_*/*1.mat"))
        assert len(files) == 4 * 6
        results.append([path.read_bytes() for path in files])
    assert results[0] == results[1]
