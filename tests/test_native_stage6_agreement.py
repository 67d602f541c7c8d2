"""Native stage 6 against the Python reference, and against itself in other settings."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from parity.oracle import set_parameters
from parity.readers import read_mat_file
from parity.stages import compare_with_reference
from parity.synthetic_merged import MergedShape, write_merged

from pystamps_shim.io import mat
from pystamps_shim.pipeline.ported import stage6_unwrap
from pystamps_shim.reference.stage6 import UnwrappingProblem

Native = Callable[..., subprocess.CompletedProcess[str]]

_PROJECTS: dict[str, tuple[MergedShape, dict[str, Any]]] = {
    "single master": (MergedShape(seed=4), {}),
    "restless, dropped interferograms": (
        MergedShape(seed=5, noise_rad=1.1, images=16),
        {"drop_ifg_index": [2.0, 7.0], "unwrap_gold_n_win": 16.0},
    ),
    "without filter, quick, patch phase": (
        MergedShape(seed=6, master=0),
        {"unwrap_prefilter_flag": "n", "unwrap_method": "3D_QUICK", "unwrap_patch_phase": "y"},
    ),
    "two dimensions, few PS": (
        MergedShape(seed=7, ps=300, master=8),
        {"unwrap_method": "2D", "unwrap_grid_size": 50.0},
    ),
    "three images": (MergedShape(seed=8, images=3, master=1), {"unwrap_method": "3D_QUICK"}),
    "two images": (MergedShape(seed=8, images=2, master=0), {"unwrap_method": "3D_NO_DEF"}),
    "small baselines": (MergedShape(seed=9, small_baseline=True), {}),
    "small baselines, reference area": (
        MergedShape(seed=10, small_baseline=True, noise_rad=0.8),
        {"ref_lon": [12.5, 12.51], "unwrap_method": "3D_SMALL_DEF", "drop_ifg_index": 4.0},
    ),
}


@pytest.fixture(params=list(_PROJECTS.values()), ids=list(_PROJECTS))
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Write one project."""
    shape, parameters = request.param
    dataset = write_merged(tmp_path / "dataset", shape).folder
    set_parameters(dataset / "parms.mat", parameters)
    return dataset


def test_as_reference(native: Native, project: Path) -> None:
    """Every artefact of both; the same problem has the same optimum, if not the same solution."""
    want = stage6_unwrap(project)
    problem = UnwrappingProblem.read(project)
    native("stage", 6, "--dataset", project)
    log = json.loads((project / "uw_solver.json").read_text(encoding="utf-8"))
    for number, record in enumerate(log["interferograms"]):
        # A cost on the edge of a step may be rounded to either side.
        want_cost = problem.unwrap(number).proof.objective
        assert record["objective"] == pytest.approx(want_cost, rel=1e-4)
        assert record["gap"] == 0
    small = "ifgday_ix" in read_mat_file(project / "ps2.mat")
    report = compare_with_reference(
        6, want, project, scope="root", profile="own", small_baseline=small
    )
    assert report.compared > 25
    assert not report.differences, str(report)
    native("verify-unwrap", "--dataset", project)


def results(dataset: Path) -> dict[str, bytes]:
    """Bytes of every result of stage 6."""
    files = [*dataset.glob("uw_*"), *dataset.glob("phuw*"), *dataset.glob("pystamps_costs/*/*")]
    return {path.relative_to(dataset).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("small_baselines", [False, True])
def test_same_bytes_for_any_thread_count_and_memory(
    native: Native, tmp_path: Path, small_baselines: bool
) -> None:
    """1, 2 and 16 threads, and the least memory that is planned."""
    shape = MergedShape(seed=11, noise_rad=0.9, small_baseline=small_baselines)
    source = write_merged(tmp_path / "source", shape).folder
    plan = json.loads(
        native("plan", "--dataset", source, "--threads", 2, "--without-times", "--json").stdout
    )
    least = plan["unwrap"]["least_memory_bytes"]
    assert least < plan["unwrap"]["memory_bytes"]
    found = []
    options: list[list[object]] = [["--threads", threads] for threads in (1, 2, 16)]
    for number, option in enumerate([*options, ["--threads", 2, "--memory-limit", least]]):
        dataset = shutil.copytree(source, tmp_path / str(number))
        native("stage", 6, "--dataset", dataset, "--keep-costs", *option)
        found.append(results(dataset))
    assert len(found[0]) > 30
    assert all(other == found[0] for other in found[1:])
    refused = ["--threads", 2, "--memory-limit", least - 1, "--force"]
    native("stage", 6, "--dataset", source, *refused, exit_code=2)


def test_truth_is_found(native: Native, tmp_path: Path) -> None:
    """Where neighbours differ by less than half a cycle, every PS is right."""
    merged = write_merged(tmp_path / "dataset", MergedShape(seed=12))
    native("stage", 6, "--dataset", merged.folder)
    found = read_mat_file(merged.folder / "phuw2.mat")["ph_uw"].values
    cycles = np.round((found - merged.truth_rad) / (2 * np.pi))
    assert (cycles == np.median(cycles, axis=0)).mean() > 0.999


def test_annealing_is_repeatable_and_finds_the_truth(native: Native, tmp_path: Path) -> None:
    """``3D`` with several masters: the same bytes from 1 and 3 threads, and the right cycles."""
    found = []
    for threads in (1, 3):
        shape = MergedShape(seed=17, ps=700, noise_rad=0.7, small_baseline=True)
        merged = write_merged(tmp_path / str(threads), shape)
        set_parameters(merged.folder / "parms.mat", {"unwrap_method": "3D"})
        native("stage", 6, "--dataset", merged.folder, "--threads", threads)
        found.append(results(merged.folder))
    assert found[0] == found[1]
    grid = read_mat_file(merged.folder / "uw_grid.mat")
    assert grid["ph_lowpass"].values.shape == grid["ph"].values.shape
    phase_rad = read_mat_file(merged.folder / "phuw_sb2.mat")["ph_uw"].values
    cycles = np.round((phase_rad - merged.truth_rad) / (2 * np.pi))
    assert (cycles == np.median(cycles, axis=0)).mean() > 0.99


def fake_snaphu(folder: Path, script: str) -> dict[str, str]:
    """Put a program called snaphu first in the search path."""
    folder.mkdir()
    program = folder / "snaphu"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def test_a_finished_interferogram_survives(
    native: Native, native_program: Path, tmp_path: Path
) -> None:
    """Checkpoints outlive a failed run, damaged ones are noticed; the bytes are as ever."""
    source = write_merged(tmp_path / "source", MergedShape(seed=13)).folder
    quiet = shutil.copytree(source, tmp_path / "quiet")
    native("stage", 6, "--dataset", quiet)
    command = [str(native_program), "stage", "6", "--dataset", str(source)]
    environment = fake_snaphu(tmp_path / "bin", "echo out of luck; exit 7")
    failed = subprocess.run(
        [*command, "--solver", "snaphu", "--threads", "1"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert failed.returncode == 1
    assert "[snaphu-failed]" in failed.stderr
    assert "out of luck" in failed.stderr
    (kept,) = (source / ".pystamps/checkpoints/stage6").glob("*.solved")
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    again = native("stage", 6, "--dataset", source)
    assert "interferogram 1 is unwrapped again: checkpoint: it is damaged" in again.stderr
    assert results(source) == results(quiet)
    assert not (source / ".pystamps/checkpoints").exists()


_ITOH = """\
{python} -c '
import numpy as np, sys
wrapped = np.angle(np.fromfile("snaphu.in", np.complex64).reshape(-1, int(sys.argv[1])))
np.unwrap(np.unwrap(wrapped, axis=0), axis=1).astype(np.float32).tofile("snaphu.out")
' "$4"
"""


def test_an_external_solution_is_taken_and_measured(
    native: Native, native_program: Path, tmp_path: Path
) -> None:
    """A poor unwrapper in SNAPHU's place: its phase is published, its excess over ours logged."""
    merged = write_merged(tmp_path / "dataset", MergedShape(seed=16, noise_rad=1.0))
    environment = fake_snaphu(tmp_path / "bin", _ITOH.format(python=sys.executable))
    command = [str(native_program), "stage", "6", "--dataset", str(merged.folder)]
    subprocess.run([*command, "--solver", "snaphu"], env=environment, check=True)
    log = json.loads((merged.folder / "uw_solver.json").read_text(encoding="utf-8"))
    assert log["solver"] == "snaphu"
    records = log["interferograms"]
    assert all(record["external_excess"] == record["gap"] >= 0 for record in records)
    assert max(record["external_excess"] for record in records) > 1000
    native("verify-unwrap", "--dataset", merged.folder)


def test_an_external_solution_that_is_none_is_refused(native_program: Path, tmp_path: Path) -> None:
    """NaN everywhere, with exit code 0."""
    merged = write_merged(tmp_path / "dataset", MergedShape(seed=16))
    script = _ITOH.replace("np.unwrap(np.unwrap", "np.nan * np.unwrap(np.unwrap")
    environment = fake_snaphu(tmp_path / "bin", script.format(python=sys.executable))
    command = [str(native_program), "stage", "6", "--dataset", str(merged.folder)]
    result = subprocess.run(
        [*command, "--solver", "snaphu"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "[snaphu-failed]" in result.stderr
    assert not list(merged.folder.glob("uw_*"))


def test_without_snaphu_its_use_is_an_ordinary_message(
    native_program: Path, tmp_path: Path
) -> None:
    """Exit code 2, and nothing is written."""
    dataset = write_merged(tmp_path / "dataset").folder
    command = [str(native_program), "stage", "6", "--dataset", str(dataset), "--solver", "snaphu"]
    (tmp_path / "empty").mkdir()
    environment = {**os.environ, "PATH": str(tmp_path / "empty")}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "[snaphu-missing]" in result.stderr
    assert not list(dataset.glob("uw_*"))


def forged(dataset: Path, file: str, name: str, edit: Callable[[Any], Any]) -> None:
    """Change a variable and make the ledger believe that stage 6 wrote it so."""
    path = dataset / file
    scipy.io.savemat(path, {**variables_of(path), name: edit(variables_of(path)[name])})
    # The verifier is asked for what it finds besides checksums.
    ledger = dataset / ".pystamps" / "ledger.json"
    records = json.loads(ledger.read_text(encoding="utf-8"))
    outputs = records["stages"]["6"]["outputs"]
    outputs[:] = [output for output in outputs if output["path"] != file]
    ledger.write_text(json.dumps(records), encoding="utf-8")


def variables_of(path: Path) -> dict[str, Any]:
    """Read all variables as numpy arrays."""
    stored = scipy.io.loadmat(path)
    return {name: value for name, value in stored.items() if not name.startswith("__")}


def plus(amount: float, *place: int) -> Callable[[Any], Any]:
    """Return what adds to one element."""

    def edit(values: Any) -> Any:
        values[place] += amount
        return values

    return edit


_FORGERIES: dict[str, tuple[str, str, Callable[[Any], Any], str]] = {
    "flow": ("uw_certificate.mat", "flow", plus(1, 0, 0), "cells are not balanced"),
    "potential": ("uw_certificate.mat", "potential", plus(10**9, 2, 0), "not proven optimal"),
    "offset": ("uw_certificate.mat", "offset", plus(190, 7, 3), "something else"),
    "nodes": ("uw_phaseuw.mat", "ph_uw", plus(2 * np.pi, 40, 2), "1 nodes of uw_phaseuw.mat"),
    "PS": ("phuw2.mat", "ph_uw", plus(2 * np.pi, 40, 2), "1 PS have another phase"),
    "nearest nodes": ("uw_interp.mat", "Z", plus(1, 0, 0), "Z of uw_interp.mat"),
    "edges": ("uw_interp.mat", "edgs", plus(1, 5, 1), "edgs of uw_interp.mat"),
}


@pytest.mark.parametrize("forgery", _FORGERIES.values(), ids=list(_FORGERIES))
def test_forged_results_are_found(
    native: Native, tmp_path: Path, forgery: tuple[str, str, Callable[[Any], Any], str]
) -> None:
    """Exit code 3 names what does not hold, checksums aside."""
    file, name, edit, words = forgery
    shape = MergedShape(seed=14, noise_rad=0.8)
    dataset = write_merged(tmp_path / "dataset", shape).folder
    native("stage", 6, "--dataset", dataset)
    forged(dataset, file, name, edit)
    result = native("verify-unwrap", "--dataset", dataset, exit_code=3)
    assert words in result.stdout


def test_broken_certificates_are_found(native: Native, tmp_path: Path) -> None:
    """Changed logs and files, and a project that was never unwrapped."""
    dataset = write_merged(tmp_path / "dataset", MergedShape(seed=14, noise_rad=0.8)).folder
    native("verify-unwrap", "--dataset", dataset, exit_code=1)
    native("stage", 6, "--dataset", dataset)
    native("verify-unwrap", "--dataset", dataset)
    log = dataset / "uw_solver.json"
    text = log.read_text(encoding="utf-8")
    records = json.loads(text)
    records["interferograms"][3]["objective"] -= 1
    log.write_text(json.dumps(records), encoding="utf-8")
    result = native("verify-unwrap", "--dataset", dataset, exit_code=3)
    assert "the log says something else" in result.stdout
    assert "uw_solver.json has been changed since stage 6" in result.stdout
    records["interferograms"][3]["interferogram"] = 99
    log.write_text(json.dumps(records), encoding="utf-8")
    native("verify-unwrap", "--dataset", dataset, exit_code=1)
    log.write_text(text, encoding="utf-8")
    grid = variables_of(dataset / "uw_grid.mat")
    scipy.io.savemat(dataset / "uw_grid.mat", {**grid, "nzix": grid["nzix"].astype(bool) & False})
    result = native("verify-unwrap", "--dataset", dataset, exit_code=1)
    assert "panicked" not in result.stderr


def test_a_second_pass_is_asked_for(native: Native, tmp_path: Path) -> None:
    """A new scla_smooth2.mat alone does not unwrap again; --force does, without what it holds."""
    dataset = write_merged(tmp_path / "dataset", MergedShape(seed=15)).folder
    native("stage", 6, "--dataset", dataset)
    first = results(dataset)
    count = len(read_mat_file(dataset / "ps2.mat")["xy"].values)
    slope = np.random.default_rng(1).normal(0, 0.01, (count, 1))
    mat.write(
        dataset / "scla_smooth2.mat",
        {"K_ps_uw": slope, "C_ps_uw": np.full((count, 1), 0.3, dtype=np.float32)},
    )
    mat.write(dataset / "scla2.mat", {"K_ps_uw": slope})
    again = native("stage", 6, "--dataset", dataset)
    assert "second pass" in again.stderr
    assert results(dataset) == first
    second = native("stage", 6, "--dataset", dataset, "--force")
    assert "look-angle error of an earlier pass" in second.stderr
    assert results(dataset) != first
    assert not (dataset / "scla2.mat").exists()
    assert (dataset / "scla_smooth2.mat").exists()
    assert "current" in native("stage", 6, "--dataset", dataset).stdout
    (dataset / "scla_smooth2.mat").unlink()
    native("stage", 6, "--dataset", dataset, "--force")
    assert results(dataset) == first
