"""Native stages 2 to 5 against the Python reference, and against themselves in other settings."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parity.oracle import set_parameters
from parity.readers import read_mat_file
from parity.stages import compare_with_reference, patches_of

from pystamps_shim.pipeline.ported import (
    stage2_estimate_gamma,
    stage3_select_ps,
    stage4_weed_ps,
    stage5_correct_and_promote,
    stage5_merge_and_ifgstd,
)
from pystamps_shim.reference.candidate_phase import read_candidates
from pystamps_shim.reference.inputs import Patch
from pystamps_shim.reference.stage1 import Artefacts
from pystamps_shim.reference.stage2 import drawn_histogram
from pystamps_shim.simulate.export import write_export
from pystamps_shim.simulate.scene import HEADINGS_DEG, PRESETS

Native = Callable[..., subprocess.CompletedProcess[str]]

_SIZE = {"width": 190, "length": 260, "scatterers": 2600, "scattered": 500, "towns": 5}
_SCENES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "ascending, 12 images": (
        {"seed": 11, "images": 12, "heading_deg": HEADINGS_DEG["ascending"]},
        {"filter_weighting": "SNR", "gamma_stdev_reject": 0.2},
    ),
    "descending, first master, faults": (
        {"seed": 12, "images": 16, "master": 0, "zero_phases": 9, "zero_amplitudes": 9},
        {"weed_neighbours": "y", "slc_osf": 2.0},
    ),
    "dropped interferograms": (
        {"seed": 13, "images": 20},
        {"drop_ifg_index": [2.0, 7.0], "select_method": "PERCENT", "weed_zero_elevation": "y"},
    ),
}
#: Takes about as long as the others together.
_LONGEST = "descending, first master, faults"


def prepared(native: Native, folder: Path, scene: dict[str, float]) -> Path:
    """Simulate, prepare two patches and load them."""
    export, dataset = folder / "export", folder / "dataset"
    export.mkdir(parents=True)
    write_export(replace(PRESETS["tiny"], **_SIZE, **scene), export)  # type: ignore[arg-type]
    native("prep", "snap", "--export", export, "--dataset", dataset, "--azimuth-patches", 2)
    native("stage", 1, "--dataset", dataset)
    return dataset


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(scene, id=name, marks=[pytest.mark.large] if name == _LONGEST else [])
        for name, scene in _SCENES.items()
    ],
)
def loaded(
    request: pytest.FixtureRequest, native_module: Native, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Load one scene up to stage 1."""
    scene, parameters = request.param
    dataset = prepared(native_module, tmp_path_factory.mktemp("scene"), scene)
    set_parameters(dataset / "parms.mat", parameters)
    return dataset


def assert_as_reference(number: int, want: Artefacts, patch: Path) -> None:
    """Compare a patch with what the reference made of the same inputs."""
    report = compare_with_reference(number, want, patch, profile="simulated")
    assert report.compared >= 2
    assert not report.differences, f"stage {number}, {patch}: {report}"


def test_every_stage_as_reference(native: Native, loaded: Path) -> None:
    """Each from the native stage before."""
    for patch in (loaded / name for name in patches_of(loaded)):
        native("stage", 2, "--patch", patch)
        (histogram,) = loaded.glob(".pystamps/cache/random-coherence-*.mat")
        histogram = histogram.rename(loaded / f"{patch.name}.mat")
        want = stage2_estimate_gamma(patch, reference_histogram=histogram)
        assert len(want["pm1.mat"]["coh_ps"]) > 500
        assert_as_reference(2, want, patch)
        # A value on the edge of a bin may fall to either side.
        opened = Patch.open(patch, 1)
        drawn = drawn_histogram(opened, read_candidates(opened), "matlab").counts
        counts = read_mat_file(histogram)["Nr"].values
        assert np.abs(drawn / drawn.sum() - counts / counts.sum()).sum() <= 10 / 300_000
    stages: dict[int, Callable[[Path], Artefacts]] = {
        3: stage3_select_ps,
        4: stage4_weed_ps,
        5: stage5_correct_and_promote,
    }
    for number, reference in stages.items():
        for patch in (loaded / name for name in patches_of(loaded)):
            # First: what the reference reads must not be native results of this stage.
            want = reference(patch)
            native("stage", number, "--patch", patch)
            assert_as_reference(number, want, patch)
    want = stage5_merge_and_ifgstd(loaded)
    native("stage", 5, "--dataset", loaded)
    report = compare_with_reference(5, want, loaded, scope="root")
    assert report.compared > 30
    assert not report.differences, str(report)
    assert read_mat_file(loaded / "ps2.mat")["n_ps"].values.item() > 200


@pytest.fixture(scope="module")
def scene(native_module: Native, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Load one scene for the tests of invariance."""
    return prepared(native_module, tmp_path_factory.mktemp("invariance"), {"seed": 14})


def chain(native: Native, source: Path, target: Path, *options: object) -> Path:
    """Copy a loaded dataset and run stages 2 to 5."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("cache"))
    for stage in (2, 3, 4, 5):
        native("stage", stage, "--dataset", target, *options)
    return target


def results(dataset: Path) -> dict[str, bytes]:
    """Bytes of every result of stages 2 to 5."""
    names = ("pm1", "select1", "weed1", "ps2", "ph2", "pm2", "rc2", "bp2", "hgt2", "la2", "ifgstd2")
    files = {path for name in names for path in dataset.rglob(f"{name}.mat")}
    return {path.relative_to(dataset).as_posix(): path.read_bytes() for path in sorted(files)}


def least_memory(native: Native, dataset: Path, stage: int) -> list[object]:
    """Return options that leave a stage of any patch hardly more memory than it needs."""
    plan = json.loads(
        native("plan", "--dataset", dataset, "--threads", 2, "--without-times", "--json").stdout
    )
    stages = [patch["stages"][stage - 1] for patch in plan["patches"]] + [plan["merge"]]
    least = max(planned["least_memory_bytes"] for planned in stages)
    return ["--threads", 2, "--memory-limit", least]


def test_same_bytes_for_any_thread_count_and_memory(
    native: Native, scene: Path, tmp_path: Path
) -> None:
    """One and five threads; everything held in memory or read again and again."""
    one = results(chain(native, scene, tmp_path / "one", "--threads", 1))
    assert len(one) == 2 * 10 + 8
    assert results(chain(native, scene, tmp_path / "five", "--threads", 5)) == one
    lean = tmp_path / "lean"
    shutil.copytree(scene, lean, ignore=shutil.ignore_patterns("cache"))
    for stage in (2, 3, 4, 5):
        text = native("stage", stage, "--dataset", lean, *least_memory(native, lean, stage)).stderr
        said = {2: "read again in every pass", 3: "stay on the disk"}.get(stage, "")
        assert text.count(said) >= 2 or not said
    assert results(lean) == one


@pytest.mark.parametrize("engine", ["matlab", "octave"])
def test_the_least_memory_is_that_of_the_chosen_random_numbers(
    native: Native, scene: Path, tmp_path: Path, engine: str
) -> None:
    """Octave's generator holds 624 numbers, MATLAB's 32, and so does every copy of it."""
    lean = Path(shutil.copytree(scene, tmp_path / "lean", ignore=shutil.ignore_patterns("cache")))
    choice = ("--dataset", lean, "--random-engine", engine, "--threads", 1)
    plan = json.loads(native("plan", *choice, "--without-times", "--json").stdout)
    least = max(patch["stages"][1]["least_memory_bytes"] for patch in plan["patches"])
    native("stage", 2, *choice, "--memory-limit", least)
    refused = native("stage", 2, *choice, "--memory-limit", least - 1, "--force", exit_code=1)
    assert "[memory-limit] stage 2 does not fit" in refused.stderr


def test_order_of_patches_does_not_matter(native: Native, scene: Path, tmp_path: Path) -> None:
    """The same PS with the same values, whichever patch comes first.

    StaMPS itself lets the last patch name the mean baselines, and the first one keep what no
    patch owns; neither is compared.
    """
    forward = chain(native, scene, tmp_path / "forward")
    swapped = tmp_path / "swapped"
    shutil.copytree(scene, swapped, ignore=shutil.ignore_patterns("cache"))
    swapped.joinpath("patch.list").write_text("PATCH_2\nPATCH_1\n", encoding="ascii")
    for stage in (2, 3, 4, 5):
        native("stage", stage, "--dataset", swapped)
    for patch in patches_of(forward):
        for name in ("pm1.mat", "select1.mat", "weed1.mat", "rc2.mat"):
            assert (forward / patch / name).read_bytes() == (swapped / patch / name).read_bytes()
    owned = {}
    for dataset in (forward, swapped):
        positions = read_mat_file(dataset / "ps2.mat")["ij"].values[:, 1:]
        coherence = read_mat_file(dataset / "pm2.mat")["coh_ps"].values.ravel()
        owned[dataset] = dict(zip(map(tuple, positions.tolist()), coherence, strict=True))
    assert owned[forward].keys() == owned[swapped].keys()
    unowned = [key for key, value in owned[forward].items() if owned[swapped][key] != value]
    windows = [np.loadtxt(scene / patch / "patch_noover.in") for patch in patches_of(scene)]
    for line, sample in unowned:
        inside = [
            r1 - 1 <= sample <= r2 - 1 and a1 - 1 <= line <= a2 - 1 for r1, r2, a1, a2 in windows
        ]
        assert not any(inside)
