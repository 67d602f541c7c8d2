"""Native stage 7 against the Python reference, and against itself in other settings."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from parity.oracle import set_parameters
from parity.stages import compare_with_reference
from parity.synthetic_merged import MergedShape
from parity.synthetic_patch import change
from parity.synthetic_unwrapped import write_unwrapped

from pystamps_shim.io import mat
from pystamps_shim.pipeline.ported import stage7_calc_scla

Native = Callable[..., subprocess.CompletedProcess[str]]
Array = NDArray[Any]
Damage = Callable[[Path], None]

_RESULTS = ("scla2.mat", "scla_smooth2.mat", "scla_sb2.mat", "scla_smooth_sb2.mat")


def with_corrections(dataset: Path) -> None:
    """Leave a tropospheric correction and the atmosphere of an older program."""
    random = np.random.default_rng(1)
    shape = mat.read_variable(dataset / "phuw2.mat", "ph_uw").shape
    file, correction = "tca2.mat", random.normal(0, 1, shape).astype(np.float32)
    if (dataset / "phuw_sb2.mat").exists():
        first, second = mat.read_variable(dataset / "ps2.mat", "ifgday_ix").astype(int).T - 1
        # Pairs do not close, and one that is dropped is nonsense: neither may spoil the images.
        noise = random.normal(0, 0.2, (len(correction), len(first))).astype(np.float32)
        file, correction = "tca_sb2.mat", correction[:, second] - correction[:, first] + noise
        correction[:, 2] = random.normal(0, 100, len(correction))
    mat.write(dataset / file, {"ph_tropo_gacos": correction})
    mat.write(dataset / "aps2.mat", {"ph_aps_slave": random.normal(0, 1, shape)})
    change(dataset / "parms.mat", subtr_tropo="y", tropo_method="a_gacos")


def regular_days(dataset: Path) -> None:
    """Give all images the same distance in time."""
    count = int(mat.read_variable(dataset / "ps2.mat", "n_image").item())
    day = 738000.0 + 12 * np.arange(count)
    change(dataset / "ps2.mat", day=day.reshape(-1, 1), master_day=day[3])


def gaps(dataset: Path) -> None:
    """Take the phase of some samples away."""
    phase = mat.read_variable(dataset / "phuw2.mat", "ph_uw")
    phase[7, 2] = phase[100:120] = np.nan
    change(dataset / "phuw2.mat", ph_uw=phase)


def cubic_ramps_and_corrections(dataset: Path) -> None:
    """Choose another kind of ramp, and leave corrections."""
    mat.write(dataset / "deramp_degree.mat", {"degree": 3.0})
    with_corrections(dataset)


def without_baselines(dataset: Path) -> None:
    """Leave the images' mean baselines."""
    (dataset / "bp2.mat").unlink()


def untouched(_: Path) -> None:
    """Leave everything as it is."""


_LITTLE = MergedShape(ps=120, extent_m=1500.0, images=9)
_PAIRS = MergedShape(ps=400, extent_m=2000.0, images=9, small_baseline=True)
_PROJECTS: dict[str, tuple[MergedShape | None, dict[str, Any], Damage]] = {
    "single master": (None, {}, untouched),
    "regular days, reference area": (None, {"ref_lon": [12.505, 12.51]}, regular_days),
    "ramps, drops, gaps": (
        None,
        {"scla_deramp": "y", "drop_ifg_index": [2.0, 9.0], "scla_drop_index": 5.0},
        gaps,
    ),
    "cubic ramps, corrections": (
        None,
        {"scla_deramp": "y"},
        cubic_ramps_and_corrections,
    ),
    "dropped master, mean baselines": (None, {"drop_ifg_index": 4.0}, without_baselines),
    "least absolute residuals": (_LITTLE, {"scla_method": "L1"}, untouched),
    "three images": (MergedShape(ps=120, images=3, master=1), {}, untouched),
    "small baselines": (_PAIRS, {"scla_deramp": "y"}, untouched),
    "small baselines, corrections, drops": (
        _PAIRS,
        {"drop_ifg_index": 3.0, "sb_scla_drop_index": 7.0, "scla_drop_index": 9.0},
        with_corrections,
    ),
}


@pytest.mark.parametrize(("shape", "parameters", "edit"), _PROJECTS.values(), ids=list(_PROJECTS))
def test_as_reference(
    native: Native,
    tmp_path: Path,
    shape: MergedShape | None,
    parameters: dict[str, Any],
    edit: Damage,
) -> None:
    """Every artefact of both."""
    dataset = write_unwrapped(tmp_path / "dataset", shape).folder
    set_parameters(dataset / "parms.mat", parameters)
    edit(dataset)
    want = stage7_calc_scla(dataset)
    native("stage", 7, "--dataset", dataset)
    report = compare_with_reference(
        7,
        want,
        dataset,
        scope="root",
        small_baseline=shape is not None and shape.small_baseline,
        profile="simplex" if parameters.get("scla_method") == "L1" else "own",
    )
    assert report.compared >= 18
    assert not report.differences, str(report)


def results(dataset: Path) -> dict[str, bytes]:
    """Bytes of every result of stage 7."""
    return {name: (dataset / name).read_bytes() for name in _RESULTS if (dataset / name).exists()}


@pytest.mark.parametrize("small_baselines", [False, True])
def test_same_bytes_for_any_thread_count_and_memory(
    native: Native, tmp_path: Path, small_baselines: bool
) -> None:
    """1, 2 and 16 threads, and the least memory that is planned; a second run has nothing to do."""
    shape = MergedShape(ps=700, images=9, small_baseline=small_baselines)
    source = write_unwrapped(tmp_path / "source", shape).folder
    change(source / "parms.mat", scla_deramp="y", scla_method="L1")
    plan = json.loads(
        native("plan", "--dataset", source, "--threads", 2, "--without-times", "--json").stdout
    )
    least = plan["look_angle_error"]["least_memory_bytes"]
    assert least < plan["look_angle_error"]["memory_bytes"]
    found = []
    frugal = ("--threads", 2, "--memory-limit", least)
    for number, options in enumerate([*(("--threads", n) for n in (1, 2, 16)), frugal]):
        dataset = shutil.copytree(source, tmp_path / str(number))
        native("stage", 7, "--dataset", dataset, *options)
        found.append(results(dataset))
    assert len(found[0]) == 2 + small_baselines
    assert all(other == found[0] for other in found[1:])
    assert "current" in native("stage", 7, "--dataset", dataset).stdout
    native("stage", 7, "--dataset", source, "--memory-limit", "1M", exit_code=2)


def test_earlier_velocities_are_void(native: Native, tmp_path: Path) -> None:
    """mv2.mat and results of stage 8 go, but only on request."""
    dataset = write_unwrapped(tmp_path / "dataset").folder
    later: dict[str, dict[str, Array]] = {
        "mv2.mat": {"mean_v": np.zeros(400)},
        "scn2.mat": {"ph_hpt": np.zeros((400, 11))},
    }
    for file, variables in later.items():
        mat.write(dataset / file, variables)
    refused = native("stage", 7, "--dataset", dataset, exit_code=1)
    assert "[results-would-be-lost]" in refused.stderr
    native("stage", 7, "--dataset", dataset, "--force")
    assert not any((dataset / file).exists() for file in later)


def parameter(**values: object) -> Damage:
    """Return what changes parameters."""
    return lambda dataset: change(dataset / "parms.mat", **values)


def stored(file: str, **values: object) -> Damage:
    """Return what replaces a file."""
    return lambda dataset: mat.write(dataset / file, values)


def without(file: str) -> Damage:
    """Return what removes a file."""
    return lambda dataset: (dataset / file).unlink()


def truncated(file: str) -> Damage:
    """Return what cuts a file in half."""

    def damage(dataset: Path) -> None:
        raw = (dataset / file).read_bytes()
        (dataset / file).write_bytes(raw[: len(raw) // 2])

    return damage


_WRONG_USAGE = {"parameter-range", "reference-empty", "mode-not-native"}
_ONE_LEFT = np.delete(np.arange(1.0, 12), [3, 5]).reshape(1, -1)
_CASES: dict[str, tuple[Damage, str, str]] = {
    "phase of other PS": (
        stored(
            "phuw2.mat", ph_uw=np.zeros((397, 11), np.float32), msd=np.zeros((11, 1), np.float32)
        ),
        "variable-shape",
        "stage 6",
    ),
    "baselines of other PS": (
        stored("bp2.mat", bperp_mat=np.zeros((397, 10), np.float32)),
        "variable-shape",
        "bperp_mat",
    ),
    "no phase": (without("phuw2.mat"), "stage-input-missing", "stage 6"),
    "truncated phase": (truncated("phuw2.mat"), "", "phuw2.mat"),
    "one interferogram": (
        parameter(drop_ifg_index=_ONE_LEFT),
        "interferograms-too-few",
        "drop_ifg_index",
    ),
    "an empty reference area": (
        parameter(ref_centre_lonlat=np.array([[12.6, 45.2]]), ref_radius=100.0),
        "reference-empty",
        "nearest",
    ),
    "an unknown norm": (parameter(scla_method="L3"), "parameter-range", "L2 or L1"),
    "a column that is not there": (
        parameter(scla_drop_index=12.0),
        "parameter-range",
        "scla_drop_index",
    ),
    "no correction": (
        parameter(subtr_tropo="y", tropo_method="a_gacos"),
        "stage-input-missing",
        "tca2.mat",
    ),
    "noise of 0": (
        stored("ifgstd2.mat", ifg_std=np.zeros((11, 1))),
        "covariance-impossible",
        "ifgstd2.mat",
    ),
    "noise that is no number": (
        stored("ifgstd2.mat", ifg_std=np.full((11, 1), np.nan)),
        "covariance-impossible",
        "ifgstd2.mat",
    ),
    "noise of others": (
        stored("ifgstd2.mat", ifg_std=np.ones((9, 1))),
        "variable-shape",
        "ifg_std",
    ),
    "an unknown ramp": (stored("deramp_degree.mat", degree=4.0), "", "deramp_degree.mat"),
}


def content(dataset: Path) -> dict[str, bytes]:
    """Every file a StaMPS user sees."""
    files = (path for path in dataset.rglob("*") if path.is_file())
    return {str(p): p.read_bytes() for p in files if ".pystamps" not in p.parts}


@pytest.mark.parametrize(("damage", "name", "words"), _CASES.values(), ids=list(_CASES))
def test_refused(native: Native, tmp_path: Path, damage: Damage, name: str, words: str) -> None:
    """A named diagnostic with what to do; the project is as it was."""
    dataset = write_unwrapped(tmp_path / "dataset").folder
    change(dataset / "parms.mat", scla_deramp="y")
    damage(dataset)
    before = content(dataset)
    code = 2 if name in _WRONG_USAGE else 1
    result = native("stage", 7, "--dataset", dataset, exit_code=code)
    assert f"error: [{name}" in result.stderr, result.stderr
    assert words in result.stderr
    assert "to do:" in result.stderr
    assert "panicked" not in result.stderr
    assert content(dataset) == before


def test_dependent_design_is_said(native: Native, tmp_path: Path) -> None:
    """A constant repeat interval is usual and no error."""
    dataset = write_unwrapped(tmp_path / "dataset").folder
    regular_days(dataset)
    result = native("stage", 7, "--dataset", dataset)
    assert "constant repeat interval" in result.stdout + result.stderr


def test_plan_knows_the_stage(native: Native, tmp_path: Path) -> None:
    """Least and whole memory of stages 7 and 8."""
    dataset = write_unwrapped(tmp_path / "dataset").folder
    plan = json.loads(
        native("plan", "--dataset", dataset, "--threads", 2, "--without-times", "--json").stdout
    )
    assert {"look_angle_error", "noise_filter"} <= set(plan), sorted(plan)
