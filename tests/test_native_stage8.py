"""Native stage 8 against the Python reference, and against itself in other settings."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parity.oracle import dataset_after, set_parameters
from parity.readers import read_mat_file
from parity.stages import compare_with_reference
from parity.synthetic_merged import MergedShape
from parity.synthetic_patch import change
from parity.synthetic_unwrapped import write_unwrapped

from pystamps_shim.io import mat
from pystamps_shim.pipeline.ported import stage7_calc_scla, stage8_filter_scn
from pystamps_shim.reference.outputs import write_artefacts

Native = Callable[..., subprocess.CompletedProcess[str]]
Damage = Callable[[Path], None]

_RESULTS = ("scn2.mat", "mean_v.mat", "uw_space_time.mat")


def test_a_second_pass_has_these_edges(
    native: Native, golden_products: Path, tmp_path: Path
) -> None:
    """Stage 6 once more, with what stage 7 has found, writes the same but for the deviation."""
    dataset = dataset_after(golden_products, "T", 6, tmp_path / "dataset")
    for stage in (7, 8):
        native("stage", stage, "--dataset", dataset)
    want = read_mat_file(dataset / "uw_space_time.mat")
    native("stage", 6, "--dataset", dataset, "--force")
    found = read_mat_file(dataset / "uw_space_time.mat")
    assert set(want) - set(found) == {"edge_noise_std"}
    for name, variable in found.items():
        np.testing.assert_array_equal(variable.values, want[name].values, err_msg=name)


def every_plane(dataset: Path) -> None:
    """Count planes of all interferograms as atmosphere."""
    change(dataset / "parms.mat", scn_deramp_ifg="all")


def gaps(dataset: Path) -> None:
    """Take the phase of a PS away."""
    phase = mat.read_variable(dataset / "phuw2.mat", "ph_uw")
    phase[50] = np.nan
    change(dataset / "phuw2.mat", ph_uw=phase)


def untouched(_: Path) -> None:
    """Leave everything as it is."""


_PAIRS = MergedShape(ps=600, images=9, small_baseline=True)
_PROJECTS: dict[str, tuple[MergedShape, dict[str, Any], Damage, bool]] = {
    "single master": (MergedShape(ps=600, images=11), {}, untouched, False),
    "planes, gaps": (MergedShape(ps=600), {"scla_deramp": "y"}, every_plane, False),
    "drops, some planes, gaps": (
        MergedShape(ps=600, images=11),
        {"drop_ifg_index": 2.0, "scn_deramp_ifg": [2.0, 5.0], "scn_time_win": 40.0},
        gaps,
        False,
    ),
    "drops, the original's index": (
        MergedShape(ps=600, images=11),
        {"drop_ifg_index": 2.0, "scn_wavelength": 250.0, "unwrap_method": "2D"},
        untouched,
        True,
    ),
    "dropped master": (MergedShape(ps=600), {"drop_ifg_index": 4.0}, untouched, False),
    "small baselines": (_PAIRS, {}, untouched, False),
}


@pytest.mark.parametrize(
    ("shape", "parameters", "edit", "strict"), _PROJECTS.values(), ids=list(_PROJECTS)
)
def test_as_reference(
    native: Native,
    tmp_path: Path,
    shape: MergedShape,
    parameters: dict[str, Any],
    edit: Damage,
    *,
    strict: bool,
) -> None:
    """Every artefact of both."""
    dataset = prepared(tmp_path / "dataset", shape, **parameters)
    edit(dataset)
    want = stage8_filter_scn(dataset, strict=strict)
    native("stage", 8, "--dataset", dataset, *(["--strict"] if strict else []))
    report = compare_with_reference(
        8, want, dataset, scope="root", small_baseline=shape.small_baseline, profile="own"
    )
    assert report.compared >= 18
    assert not report.differences, str(report)
    rates = [line[1].astype(float) for line in (want["mean_v.mat"]["m"], mean_velocity(dataset))]
    np.testing.assert_allclose(rates[0], rates[1], rtol=0, atol=3e-7)


def mean_velocity(dataset: Path) -> Any:
    """Return ``m`` of ``mean_v.mat``."""
    return read_mat_file(dataset / "mean_v.mat")["m"].values


def prepared(folder: Path, shape: MergedShape | None = None, **parameters: Any) -> Path:
    """Write a dataset with the results of the reference's stage 7."""
    dataset = write_unwrapped(folder, shape or MergedShape(ps=600, images=11)).folder
    set_parameters(dataset / "parms.mat", parameters)
    write_artefacts(dataset, stage7_calc_scla(dataset))
    return dataset


def test_same_bytes_for_any_thread_count(native: Native, tmp_path: Path) -> None:
    """1, 2 and 16 threads; a second run has nothing to do."""
    source = prepared(tmp_path / "source", scn_deramp_ifg=[3.0, 7.0])
    found = []
    for threads in (1, 2, 16):
        dataset = shutil.copytree(source, tmp_path / str(threads))
        native("stage", 8, "--dataset", dataset, "--threads", threads)
        found.append({name: (dataset / name).read_bytes() for name in _RESULTS})
    assert found[1] == found[0]
    assert found[2] == found[0]
    assert "current" in native("stage", 8, "--dataset", dataset).stdout
    native("stage", 8, "--dataset", source, "--memory-limit", "1M", exit_code=2)


def test_least_memory_gives_the_same_bytes(native: Native, tmp_path: Path) -> None:
    """With series kept in files and a few columns filtered at a time."""
    shape = MergedShape(ps=6000, images=40, extent_m=6000.0)
    source = prepared(tmp_path / "source", shape, scn_deramp_ifg=[3.0])
    least = json.loads(native("plan", "--dataset", source, "--without-times", "--json").stdout)[
        "noise_filter"
    ]
    assert least["least_memory_bytes"] < least["memory_bytes"]
    found = []
    for options in ([], ["--memory-limit", least["least_memory_bytes"], "--force"]):
        native("stage", 8, "--dataset", source, *options)
        found.append({name: (source / name).read_bytes() for name in _RESULTS})
    assert found[0] == found[1]


def correlated(dataset: Path) -> Path:
    """Give the unwrapped phase noise that varies slowly in space."""
    random = np.random.default_rng(3)
    variables = mat.read(dataset / "phuw2.mat")
    xy = mat.read(dataset / "ps2.mat")["xy"][:, 1:].astype(np.float64)
    apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    root = np.linalg.cholesky(np.exp(-apart / 600) + 1e-9 * np.eye(len(xy)))
    phase = variables["ph_uw"]
    noise = root @ random.normal(size=phase.shape) + random.normal(0, 0.3, phase.shape)
    noise[:, 3] = 0
    variables["ph_uw"] = (phase + noise).astype(np.float32)
    mat.write(dataset / "phuw2.mat", variables)
    return dataset


def test_kriging_agrees_with_the_reference(native: Native, tmp_path: Path) -> None:
    """The variant by kriging, on any number of threads; without a window it finds one."""
    dataset = prepared(tmp_path / "dataset", MergedShape(ps=90, images=8, extent_m=2400.0))
    correlated(dataset)
    write_artefacts(dataset, stage7_calc_scla(dataset))
    change(dataset / "parms.mat", scn_kriging_flag="y")
    reference = stage8_filter_scn(dataset)
    found = []
    for threads in (1, 2, 16):
        native("stage", 8, "--dataset", dataset, "--force", "--threads", threads)
        report = compare_with_reference(8, reference, dataset, scope="root", profile="kriging")
        assert report.compared >= 10
        assert not report.differences, str(report)
        names = (*_RESULTS, "modeled_defo_edges.mat", "temp_vario.mat")
        found.append({name: (dataset / name).read_bytes() for name in names})
    assert found[0] == found[1] == found[2]
    native("params", "set", "--dataset", dataset, "scn_time_win", "[]")
    native("stage", 8, "--dataset", dataset)
    without_window = read_mat_file(dataset / "scn2.mat")["ph_hpt"].values
    assert np.isfinite(without_window).all()
    assert not np.array_equal(without_window, reference["scn2.mat"]["ph_hpt"])
    change(dataset / "parms.mat", scn_kriging_flag="n", scn_time_win=365.0)
    native("stage", 8, "--dataset", dataset)
    assert not (dataset / "temp_vario.mat").exists()


def test_unknown_phase_stays_of_its_ps(native: Native, tmp_path: Path) -> None:
    """NaN and Inf void their own PS; the others, and the edges, are as in the reference."""
    dataset = prepared(tmp_path / "dataset")
    variables = mat.read(dataset / "phuw2.mat")
    variables["ph_uw"][5, 4] = np.nan
    variables["ph_uw"][9, 2] = np.inf
    mat.write(dataset / "phuw2.mat", variables)
    assert "2 PS without" in native("stage", 7, "--dataset", dataset, "--force").stdout
    slope = read_mat_file(dataset / "scla2.mat")["K_ps_uw"].values.ravel()
    assert np.flatnonzero(~np.isfinite(slope)).tolist() == [5, 9]
    outcome = native("stage", 8, "--dataset", dataset)
    assert "no value for" in outcome.stderr
    velocity = read_mat_file(dataset / "mean_v.mat")["m"].values
    assert np.flatnonzero(~np.isfinite(velocity).all(axis=0)).tolist() == [5, 9]
    variables["ph_uw"][9, 2] = np.nan
    mat.write(dataset / "phuw2.mat", variables)
    reference = stage8_filter_scn(dataset)
    report = compare_with_reference(8, reference, dataset, scope="root", profile="own")
    assert not report.differences, str(report)
    native("stage", 6, "--dataset", dataset, "--force")


def parameter(**values: object) -> Damage:
    """Return what changes parameters."""
    return lambda dataset: change(dataset / "parms.mat", **values)


def without(file: str) -> Damage:
    """Return what removes a file."""
    return lambda dataset: (dataset / file).unlink()


def of_other_ps(dataset: Path) -> None:
    """Leave a look-angle error of fewer PS."""
    slope = mat.read_variable(dataset / "scla2.mat", "ph_scla")
    change(dataset / "scla2.mat", ph_scla=slope[:-1])


_FEW = np.append(np.arange(5.0, 12), 1.0).reshape(1, -1)
_CASES: dict[str, tuple[Damage, list[str], str, str]] = {
    "no look-angle error": (without("scla2.mat"), [], "stage-input-missing", "stage 7"),
    "nothing smoothed": (without("scla_smooth2.mat"), [], "stage-input-missing", "stage 7"),
    "no phase": (without("phuw2.mat"), [], "stage-input-missing", "stage 6"),
    "results of other PS": (of_other_ps, [], "variable-shape", "scla2.mat"),
    "no window": (parameter(scn_time_win=0.0), [], "parameter-range", "scn_time_win"),
    "no reach": (parameter(scn_wavelength=-1.0), [], "parameter-range", "scn_wavelength"),
    "a plane that is not there": (
        parameter(scn_deramp_ifg=12.0),
        [],
        "parameter-range",
        "scn_deramp_ifg",
    ),
    "the original's index beyond": (
        parameter(drop_ifg_index=_FEW),
        ["--strict"],
        "master-index",
        "--strict",
    ),
    "an empty reference area": (
        parameter(ref_lon=np.array([[1.0, 2.0]])),
        [],
        "reference-empty",
        "ref_lon",
    ),
    "one interferogram": (
        parameter(drop_ifg_index=np.delete(np.arange(1.0, 12), [3, 5]).reshape(1, -1)),
        [],
        "interferograms-too-few",
        "drop_ifg_index",
    ),
}
_WRONG_USAGE = {"parameter-range", "reference-empty", "master-index"}


@pytest.mark.parametrize(("damage", "options", "name", "words"), _CASES.values(), ids=list(_CASES))
def test_refused(
    native: Native, tmp_path: Path, damage: Damage, options: list[str], *, name: str, words: str
) -> None:
    """A named diagnostic with what to do, and no result."""
    dataset = prepared(tmp_path / "dataset")
    damage(dataset)
    code = 2 if name in _WRONG_USAGE else 1
    result = native("stage", 8, "--dataset", dataset, *options, exit_code=code)
    assert f"error: [{name}" in result.stderr, result.stderr
    assert words in result.stderr
    assert "to do:" in result.stderr
    assert "panicked" not in result.stderr
    assert not any((dataset / file).exists() for file in _RESULTS)
