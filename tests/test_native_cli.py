"""The native command line as a user meets it: help, exit codes, parameters, progress, bad input."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from parity.oracle import Scene
from scipy.io import loadmat

from pystamps_shim.simulate.export import write_export
from pystamps_shim.simulate.scene import PRESETS

Native = Callable[..., subprocess.CompletedProcess[str]]

LEVEL_5_HEADER = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
# Type, rows, columns, complex flag, length of the name; the name `x`; one double.
VERSION_4_SCALAR = struct.pack("<5i2sd", 0, 1, 1, 0, 2, b"x\0", 1.0)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a small raw export."""
    folder: Path = tmp_path_factory.mktemp("export")
    write_export(replace(PRESETS["tiny"], seed=7), folder)
    return folder


@pytest.fixture
def dataset(native: Native, export: Path, tmp_path: Path) -> Path:
    """Prepare a project."""
    native("prep", "snap", "--export", export, "--dataset", tmp_path / "dataset")
    return tmp_path / "dataset"


def diagnostic(result: subprocess.CompletedProcess[str], name: str, *words: str) -> None:
    """Expect a named diagnostic that says what to do, and no panic."""
    assert f"error: [{name}]" in result.stderr, result.stderr
    assert "to do:" in result.stderr
    assert "panicked" not in result.stderr
    for word in words:
        assert word in result.stderr, result.stderr


def test_help_is_quick_and_teaches(native_program: Path) -> None:
    """Under 20 ms; every command has an example or says what it is for."""
    times = []
    for _ in range(10):
        begin = time.perf_counter()
        result = subprocess.run(
            [str(native_program), "--help"], capture_output=True, text=True, check=True
        )
        times.append(time.perf_counter() - begin)
    # The quickest of ten: a busy machine must not fail the test.
    assert min(times) < 0.020
    installed = shutil.which("pystamps-native", path=str(Path(sys.executable).parent))
    assert installed is not None
    assert subprocess.run([installed, "--version"], capture_output=True, check=True).stdout
    commands = ("prep", "stage", "params", "inspect", "plan", "verify-unwrap", "readiness")
    for command in commands:
        assert f"  {command} " in result.stdout
    assert "Exit codes" in result.stdout


@pytest.mark.parametrize(
    "command",
    [
        *("prep", "stage", "params", "params get", "params set", "params list", "inspect", "plan"),
        *("verify-unwrap", "status", "adopt"),
    ],
)
def test_every_command_shows_an_example(native: Native, command: str) -> None:
    """The example begins with the command itself."""
    shown = native(*command.split(), "--help").stdout
    assert f"  pystamps-native {command}" in shown


def test_the_launcher_runs_the_extension_without_the_program(tmp_path: Path) -> None:
    """A wheel without the program, or with one for another machine, still has the command."""
    launcher = "import pystamps_shim._launcher as l; l.__file__ = '/none/x'; exit(l.native())"
    command = [sys.executable, "-c", launcher, "readiness", "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert len(json.loads(result.stdout)["scopes"]) == 9


def test_wrong_usage_is_exit_code_2(native: Native) -> None:
    """Nothing is written, the message names the mistake."""
    assert "--export" in native("prep", "snap", exit_code=2).stderr
    assert "1..=8" in native("stage", 9, exit_code=2).stderr
    diagnostic(native("stage", 1, exit_code=2), "scope-missing")
    diagnostic(native("stage", 6, "--patch", ".", exit_code=2), "scope-missing", "--dataset")
    for option in (
        ["--edges", "x"],
        ["--reuse-coherence"],
        ["--reference-histogram", "x"],
        ["--nearest-nodes", "x"],
        ["--keep-costs"],
        ["--solver", "native"],
    ):
        result = native("stage", 1, "--patch", ".", *option, exit_code=2)
        diagnostic(result, "option-unused", option[0])


def test_parameters_are_shared_with_stamps(native: Native, dataset: Path) -> None:
    """Abbreviations, changes that scipy reads back, resets, suggestions."""
    assert native("params", "get", "--dataset", dataset, "max_t").stdout == "max_topo_err = 20\n"
    native("params", "set", "--dataset", dataset, "drop_ifg_index", "[3 5:6]")
    assert loadmat(dataset / "parms.mat")["drop_ifg_index"].tolist() == [[3, 5, 6]]
    native("params", "set", "--dataset", dataset, "ref_lon", "-1.5, 2")
    assert loadmat(dataset / "parms.mat")["ref_lon"].tolist() == [[-1.5, 2]]
    native("params", "set", "--dataset", dataset, "drop_ifg_index", "nan")
    assert loadmat(dataset / "parms.mat")["drop_ifg_index"].shape == (0, 0)
    result = native("params", "set", "--dataset", dataset, "max_tpo_err", "1", exit_code=2)
    diagnostic(result, "parameter-unknown", "max_topo_err")
    result = native("params", "get", "--dataset", dataset, "scla_d", exit_code=2)
    diagnostic(result, "parameter-ambiguous", "scla_deramp")
    result = native("params", "set", "--dataset", dataset, "weed_neighbours", "maybe", exit_code=2)
    diagnostic(result, "parameter-value", "y or n")


def test_local_parameters_act_in_their_patch_only(native: Native, dataset: Path) -> None:
    """localparms.mat of a patch overrides the project there and nowhere else."""
    patch = dataset / "PATCH_1"
    native("params", "set", "--local", "--dataset", patch, "n_cores", "4")
    assert "n_cores = 4" in native("params", "get", "--dataset", patch, "n_cores").stdout
    assert "n_cores = 1" in native("params", "get", "--dataset", dataset, "n_cores").stdout
    native("params", "set", "--local", "--dataset", patch, "n_cores", "nan")
    assert not (patch / "localparms.mat").exists()


def test_json_progress_is_one_object_a_line(native: Native, dataset: Path) -> None:
    """Standard output carries progress and the outcome, all of it JSON."""
    command = ["stage", 1, "--patch", dataset / "PATCH_1", "--progress", "json", "--json"]
    lines = [json.loads(line) for line in native(*command).stdout.splitlines()]
    assert lines[-1]["status"] == "completed"
    assert lines[-1]["rows_processed"] > 0
    assert {"phase_started", "phase_finished"} <= {line.get("event") for line in lines}
    again = json.loads(native(*command[:4], "--json").stdout)
    assert again["status"] == "skipped_existing"


def test_inspect_lists_without_reading_and_shows_values(native: Native, golden: Scene) -> None:
    """What scipy says about a file of original StaMPS."""
    path = golden.stage("stage1") / "PATCH_2" / "ps1.mat"
    listed = json.loads(native("inspect", path, "--json").stdout)
    assert {row["name"] for row in listed} >= {"ij", "lonlat", "xy", "bperp", "sort_ix"}
    shown = json.loads(native("inspect", path, "n_ps", "--json").stdout)
    assert shown["values"] == loadmat(path)["n_ps"].ravel().tolist()
    diagnostic(native("inspect", path, "n_pss", exit_code=2), "variable-missing", "n_ps")


def test_readiness_names_nine_scopes(native: Native) -> None:
    """Every stage is native or certified, 5 on patches and on the project; who is not says why."""
    told = json.loads(native("readiness", "--json").stdout)
    assert told["schema"] == 1
    assert [row["stage"] for row in told["scopes"]] == [1, 2, 3, 4, 5, 5, 6, 7, 8]
    names = [row["certificate_name"] for row in told["further_evidence"]]
    assert names == ["prep", "chain"]
    for row in told["scopes"] + told["further_evidence"]:
        assert row["state"] in {"native", "certified"}
        assert (row["state"] == "certified") == (row["reason"] is None)
        assert len(row["code_sha256"]) == 64
        if row["state"] == "certified":
            certificate = row["certificate"]
            assert certificate["passed"]
            assert certificate["cases"]
            assert 0 < certificate["mutations"]["made"] == certificate["mutations"]["detected"]


def test_readiness_shows_the_document_of_differences(native: Native) -> None:
    """Every row of its tables appears at its stage, under a heading that the link leads to."""
    root = Path(__file__).parents[1]
    text = (root / "docs" / "differences.md").read_text(encoding="utf-8")
    sections = {
        "docs/differences.md#"
        + re.sub("[^a-z0-9-]", "", part.split("\n")[0].lower().replace(" ", "-")): [
            line for line in part.splitlines() if line.startswith("| ")
        ][1:]
        for part in text.split("\n## ")[1:]
    }
    told = json.loads(native("readiness", "--json").stdout)
    shown: dict[str, list[str]] = {}
    for row in told["scopes"] + told["further_evidence"]:
        for one in row["deviations"]:
            shown.setdefault(one["link"], []).append(f"| {one['original']} | {one['pystamps']} |")
    assert len(shown) >= 9
    for link, rows in shown.items():
        assert rows == sections[link]
    untold = {link.partition("#")[2] for link, rows in sections.items() if rows} - {
        link.partition("#")[2] for link in shown
    }
    assert untold == {"products", "parameters"}


def test_readiness_is_a_table_for_people(native: Native) -> None:
    """Refused modes, deviations and reasons, in lines that fit a terminal."""
    text = native("readiness").stdout
    for words in (
        "stage   scope   name",
        "2       patch   Estimate gamma",
        "refuses quick_est_gamma_flag = n",
        "deviations: docs/differences.md#stage-7",
        "further evidence",
    ):
        assert words in text
    told = json.loads(native("readiness", "--json").stdout)
    for row in told["scopes"] + told["further_evidence"]:
        assert row["reason"] is None or f"{row['certificate_name']:<15} {row['reason']}" in text
    assert max(map(len, text.splitlines())) < 100


def test_an_existing_preparation_is_not_overwritten(
    native: Native, export: Path, dataset: Path
) -> None:
    """The same again is no work; another one needs --force."""
    arguments = ["prep", "snap", "--export", export, "--dataset", dataset]
    assert "nothing done" in native(*arguments).stdout
    before = {path: path.read_bytes() for path in dataset.rglob("*") if path.is_file()}
    result = native(*arguments, "--amp-dispersion", "0.3", exit_code=1)
    diagnostic(result, "already-prepared", "--force")
    after = {path: path.read_bytes() for path in dataset.rglob("*") if path.is_file()}
    changed = {str(path) for path in before if before[path] != after.get(path)}
    assert not {path for path in changed if ".pystamps" not in path}
    native(*arguments, "--amp-dispersion", "0.3", "--force")
    assert (dataset / "selpsc.in").read_text().startswith("0.3\n")


def test_a_damaged_preparation_is_not_taken_for_done(
    native: Native, export: Path, dataset: Path
) -> None:
    """Changed parameters are a user's; a missing patch or control file is damage."""
    arguments = ["prep", "snap", "--export", export, "--dataset", dataset]
    native("params", "set", "--dataset", dataset, "n_cores", "2")
    assert "nothing done" in native(*arguments).stdout
    (dataset / "width.txt").write_text("1\n")
    diagnostic(native(*arguments, exit_code=1), "already-prepared", "width.txt")
    native(*arguments, "--force")
    (dataset / "PATCH_1" / "pscands.1.ph").unlink()
    diagnostic(native(*arguments, exit_code=1), "already-prepared", "PATCH_1")


def test_plan_tells_due_done_and_damaged(native: Native, dataset: Path) -> None:
    """Rows that stage 1 kept; a result that lost its bytes; a need for every stage."""
    plan = ["plan", "--dataset", dataset, "--json"]
    patch = json.loads(native(*plan).stdout)["patches"][0]
    assert [state["state"] for state in patch["states"]] == ["due"] * 5
    assert [stage["stage"] for stage in patch["stages"]] == [1, 2, 3, 4, 5]
    for stage in patch["stages"]:
        assert 0 < stage["least_memory_bytes"] <= stage["memory_bytes"]
        assert stage["seconds"] > 0
    plan.append("--without-times")
    native("stage", 1, "--dataset", dataset)
    rows = loadmat(dataset / "PATCH_1" / "ps1.mat")["n_ps"].item()
    state = json.loads(native(*plan).stdout)["patches"][0]["states"][0]
    assert state == {"state": "done", "rows": rows}
    with (dataset / "PATCH_1" / "ph1.mat").open("r+b") as file:
        file.truncate(100)
    result = json.loads(native(*plan).stdout)
    assert "ph1.mat" in result["patches"][0]["states"][0]["reason"]
    assert any("ph1.mat" in warning for warning in result["warnings"])


def test_one_bad_patch_does_not_stop_the_others(
    native: Native, export: Path, tmp_path: Path
) -> None:
    """The command fails at the end and names the patch."""
    dataset = tmp_path / "dataset"
    native("prep", "snap", "--export", export, "--dataset", dataset, "--azimuth-patches", 3)
    (dataset / "PATCH_2" / "pscands.1.ll").unlink()
    result = native("stage", 1, "--dataset", dataset, exit_code=1)
    diagnostic(result, "patches-failed", "failed: PATCH_2", "pscands.1.ll")
    assert (dataset / "PATCH_1" / "ps1.mat").exists()
    assert not (dataset / "PATCH_2" / "ps1.mat").exists()
    assert (dataset / "PATCH_3" / "ps1.mat").exists()


def test_a_patch_list_that_escapes_is_refused(native: Native, dataset: Path) -> None:
    """Neither up, nor absolute, nor through a link."""
    for entry in ("../other", "/etc", "PATCH_1/../..", "linked"):
        (dataset / "patch.list").write_text(f"{entry}\n")
        (dataset / "linked").unlink(missing_ok=True)
        (dataset / "linked").symlink_to(dataset.parent)
        for command in (["plan"], ["stage", 1]):
            diagnostic(native(*command, "--dataset", dataset, exit_code=1), "patch-escapes")


def test_a_full_target_leaves_the_old_state(
    native_program: Path, native: Native, dataset: Path
) -> None:
    """A limit on file sizes stands for a full disk."""
    patch = dataset / "PATCH_1"
    before = sorted(path.name for path in patch.glob("[!.]*"))

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    result = subprocess.run(
        [str(native_program), "stage", "1", "--patch", str(patch)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
        restore_signals=False,  # SIGXFSZ stays ignored, so that the write fails instead
    )
    assert result.returncode == 1, result.stderr
    assert "error:" in result.stderr
    assert "panicked" not in result.stderr
    assert sorted(path.name for path in patch.glob("[!.]*")) == before
    assert not (patch / ".pystamps" / "staging").exists()
    native("stage", 1, "--patch", patch)


def test_targets_that_cannot_be_written(native: Native, export: Path, tmp_path: Path) -> None:
    """A file in the way; a folder without permission (roots may write anywhere)."""
    (tmp_path / "file").write_text("in the way")
    prep = ["prep", "snap", "--export", export, "--dataset"]
    assert "to do:" in native(*prep, tmp_path / "file" / "dataset", exit_code=1).stderr
    assert "to do:" in native(*prep, "/proc/dataset", exit_code=1).stderr
    if os.geteuid() != 0:
        (tmp_path / "closed").mkdir(mode=0o500)
        assert "to do:" in native(*prep, tmp_path / "closed" / "dataset", exit_code=1).stderr


def test_paths_with_blanks_and_foreign_letters(
    native: Native, export: Path, tmp_path: Path
) -> None:
    """From the export to stage 1."""
    source, target = tmp_path / "Exporte süd 火山", tmp_path / "Ätna 2021"
    shutil.copytree(export, source)
    native("prep", "snap", "--export", source, "--dataset", target)
    native("stage", 1, "--dataset", target)
    assert loadmat(target / "PATCH_1" / "ps1.mat")["n_ps"].item() > 0


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a MATLAB file"),
        (LEVEL_5_HEADER + b"\x0e\x00\x00\x00\xff\xff\xff\x7f", "spoilt.mat"),
        (VERSION_4_SCALAR, "version"),
    ],
    ids=["empty", "hostile size", "version 4"],
)
def test_unusable_matlab_files(native: Native, dataset: Path, content: bytes, reason: str) -> None:
    """Typed reasons, no panic, exit code 1, also where parms.mat itself is spoilt."""
    path = dataset / "spoilt.mat"
    path.write_bytes(content)
    result = native("inspect", path, exit_code=1)
    assert "panicked" not in result.stderr
    assert reason in result.stderr
    shutil.copyfile(path, dataset / "parms.mat")
    result = native("stage", 1, "--dataset", dataset, exit_code=1)
    assert "parms.mat" in result.stderr
    assert "panicked" not in result.stderr
