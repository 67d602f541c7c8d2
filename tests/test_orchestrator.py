"""Whole datasets through the orchestrator and the native program: decisions, failures, replay."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pystamps_shim.cli import main
from pystamps_shim.io import mat
from pystamps_shim.io.dataset import discover_dataset
from pystamps_shim.pipeline.lock import exclusive_run
from pystamps_shim.simulate.export import write_export
from pystamps_shim.simulate.scene import PRESETS

SIZE = {"width": 190, "length": 330, "scatterers": 3400, "images": 12}
PATCHES = ("PATCH_1", "PATCH_2", "PATCH_3", "PATCH_4")
CELLS = ("--set", "unwrap_grid_size=50")

Tree = dict[str, bytes]
Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module", autouse=True)
def _same_day() -> Any:
    """Keep the day in ``parms.mat`` the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1600000000")
        yield


@pytest.fixture(scope="module")
def prepared(native_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepare a scene of four patches."""
    folder: Path = tmp_path_factory.mktemp("prepared")
    (folder / "export").mkdir()
    write_export(replace(PRESETS["tiny"], seed=8, **SIZE), folder / "export")  # type: ignore[arg-type]
    command: list[object] = [native_program, "prep", "snap", "--export", folder / "export"]
    command += ["--dataset", folder / "dataset", "--azimuth-patches", "4"]
    subprocess.run([str(word) for word in command], check=True, capture_output=True)
    return folder / "dataset"


@pytest.fixture(scope="module")
def finished(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run all stages, undisturbed."""
    folder: Path = tmp_path_factory.mktemp("finished") / "dataset"
    shutil.copytree(prepared, folder)
    assert (
        main(["run", "--dataset", str(folder), "--no-products", "--progress", "none", *CELLS]) == 0
    )
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs stages on a dataset and returns the report."""

    def call(dataset: Path, *options: str, code: int = 0) -> dict[str, Any]:
        arguments = ["run", "--dataset", str(dataset), "--no-products", "--json", *options]
        if "--progress" not in options:
            arguments += ["--progress", "none"]
        assert main(arguments) == code, capsys.readouterr().err
        said: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        return said

    return call


def copied(dataset: Path, folder: Path) -> Path:
    """Return a copy of a dataset, times of change kept."""
    return Path(shutil.copytree(dataset, folder / "dataset"))


def with_patches(dataset: Path, *patches: str) -> Path:
    """Leave some patches in the list of a dataset."""
    (dataset / "patch.list").write_text("".join(f"{each}\n" for each in patches), "ascii")
    return dataset


def tree(folder: Path) -> Tree:
    """Return what a StaMPS user sees."""
    files = (path for path in folder.rglob("*") if path.is_file())
    names = {str(path.relative_to(folder)): path for path in files}
    return {n: path.read_bytes() for n, path in names.items() if ".pystamps" not in Path(n).parts}


def by_status(report: dict[str, Any], status: str) -> list[tuple[int, str]]:
    """Return stage and target of the results with a status, sorted."""
    found = [one for one in report["results"] if one["status"] == status]
    return sorted((one["stage_id"], one["target"]) for one in found)


def test_wide_vectors_change_no_byte(
    finished: Path, prepared: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All stages with what every processor has, against those with AVX2 where it is there."""
    monkeypatch.setenv("PYSTAMPS_PLAIN_VECTORS", "1")
    dataset = copied(prepared, tmp_path)
    run(dataset, *CELLS)
    assert tree(dataset) == tree(finished)


def test_the_published_example_runs_as_it_stands(finished: Path) -> None:
    source = """
from pathlib import Path
from pystamps.config import RunConfig
from pystamps.pipeline.stages import run_pipeline
from pystamps.pipeline.types import PipelineContext
context = PipelineContext(dataset_root=Path(FOLDER), run_config=RunConfig(), start_step=1,
                          end_step=8, dry_run=True)
report = run_pipeline(context)
"""
    names: dict[str, Any] = {}
    exec(source.replace("FOLDER", repr(str(finished))), names)
    report = names["report"]
    assert len(report.results) == 24
    assert report.failures == ()
    assert {one.status for one in report.results} == {"skipped_existing"}


def test_a_report_of_a_whole_run(finished: Path) -> None:
    report = json.loads((finished / ".pystamps" / "report.json").read_text(encoding="utf-8"))
    assert (report["schema"], report["state"]) == (1, "finished")
    assert report["version"].count(".") == 2
    assert len(report["results"]) == 24
    for one in report["results"]:
        assert one["status"] == "completed"
        assert one["rows_processed"] > 0
        assert one["memory_peak_bytes"] > 1 << 20
        assert one["duration_sec"] > 0
        assert min(one["input_artifact_count"], one["output_artifact_count"]) > 0
        assert Path(one["log"]).is_file()
    assert set(report["ledger"]) == {*PATCHES, "."}
    assert report["ledger"]["PATCH_2"]["4"]["parameters"]["weed_standard_dev"] == "1"
    assert len(report["ledger"]["."]["6"]["fingerprint"]) == 64
    assert report["config"]["runtime"]["progress"] == "none"


def test_one_parameter_changed(finished: Path, prepared: Path, tmp_path: Path, run: Run) -> None:
    """The dry run says what will be redone, the run redoes that, the bytes are a fresh run's."""
    dataset = copied(finished, tmp_path)
    change = ("--set", "weed_standard_dev=0.8")
    before = tree(dataset)
    planned = run(dataset, "--dry-run", *change)
    assert tree(dataset) == before
    expected = [(n, name) for n in (4, 5) for name in PATCHES] + [(n, ".") for n in range(5, 9)]
    assert by_status(planned, "planned") == sorted(expected)
    (merge,) = [one for one in planned["results"] if (one["stage_id"], one["target"]) == (5, ".")]
    assert {"mean_v.mat", "scla2.mat", "uw_grid.mat"} <= set(merge["plan"]["removes"])
    assert "PATCH_1/rc2.mat" in merge["plan"]["reads"]
    done = run(dataset, *change)
    assert by_status(done, "completed") == sorted(expected)
    (tmp_path / "fresh").mkdir()
    fresh = copied(prepared, tmp_path / "fresh")
    run(fresh, *CELLS, *change)
    assert tree(dataset) == tree(fresh)
    assert by_status(run(dataset), "completed") == []


def test_a_patch_that_fails_stops_itself_and_the_merge(
    finished: Path, prepared: Path, tmp_path: Path, run: Run
) -> None:
    dataset = copied(prepared, tmp_path)
    phase = dataset / "PATCH_2" / "pscands.1.ph"
    whole = phase.read_bytes()
    phase.write_bytes(whole[:-100])
    report = run(dataset, *CELLS, code=1)
    assert report["state"] == "failed"
    assert by_status(report, "failed") == [(1, "PATCH_2")]
    (failed,) = [one for one in report["results"] if one["status"] == "failed"]
    assert str(phase) in failed["details"]
    assert "; " in failed["details"]
    assert str(phase) in Path(failed["log"]).read_text(encoding="utf-8")
    skipped = {one["details"] for one in report["results"] if one["status"] == "skipped"}
    assert skipped == {"upstream failed", "upstream failed: PATCH_2"}
    assert by_status(report, "completed") == sorted(
        (n, name) for n in range(1, 6) for name in PATCHES if name != "PATCH_2"
    )
    partial = run(dataset, "--allow-partial", code=1)
    assert by_status(partial, "completed") == [(5, "."), (6, "."), (7, "."), (8, ".")]
    (merge,) = [one for one in partial["results"] if (one["stage_id"], one["target"]) == (5, ".")]
    assert "PATCH_2" in " ".join([merge["details"], *merge["notes"]])
    phase.write_bytes(whole)
    mended = run(dataset)
    assert by_status(mended, "completed") == sorted(
        [*((n, "PATCH_2") for n in range(1, 6)), *((n, ".") for n in range(5, 9))]
    )
    assert tree(dataset) == tree(finished)


def test_a_partial_merge_takes_no_old_results_of_a_patch_that_fails_now(
    finished: Path, tmp_path: Path, run: Run
) -> None:
    """They are from other parameters, or other inputs."""
    dataset = copied(finished, tmp_path)
    (dataset / "PATCH_2" / "ph1.mat").write_bytes(b"no MATLAB file")
    options = ("--start-step", "4", "--allow-partial", "--set", "weed_standard_dev=0.8")
    report = run(dataset, *options, code=1)
    assert by_status(report, "failed") == [(4, "PATCH_2")]
    (merge,) = [one for one in report["results"] if (one["stage_id"], one["target"]) == (5, ".")]
    assert merge["status"] == "completed"
    assert "in 3 patches" in merge["details"]
    assert report["ledger"]["."]["5"]["parameters"]["patches"] == "PATCH_1 PATCH_3 PATCH_4"


def test_the_engine_of_random_numbers_is_part_of_every_question(
    prepared: Path, tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of dry runs, of status, of what the Python stages leave."""
    dataset = with_patches(copied(prepared, tmp_path), "PATCH_1", "PATCH_2")
    octave = ("--random-engine", "octave")
    run(dataset, *octave, "--end-step", "3")
    assert by_status(run(dataset, "--dry-run", *octave, "--end-step", "3"), "planned") == []
    assert len(by_status(run(dataset, "--dry-run", "--end-step", "3"), "planned")) == 4
    assert main(["status", "--dataset", str(dataset), *octave]) == 0
    assert "outdated" not in capsys.readouterr().out
    reference = (*octave, "--backend", "reference", "--start-step", "2", "--end-step", "2")
    report = run(dataset, *reference, "--force")
    recorded = report["ledger"]["PATCH_1"]["2"]["parameters"]["reference_histogram"]
    assert "octave" in recorded
    assert by_status(run(dataset, *reference), "completed") == []


def test_force_does_not_prepare_again(
    finished: Path, prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only asked for by its own name, and not while somebody works in the dataset."""
    dataset = copied(finished, tmp_path)
    export = ["--export", str(prepared.parent / "export"), "--dataset", str(dataset)]
    options = ["--no-products", "--progress", "none"]
    assert main(["run", *export, *options, "--start-step", "8", "--force"]) == 0
    assert (dataset / "PATCH_1" / "rc2.mat").is_file()
    again = ["run", *export, *options, "--prepare-again", "--end-step", "1"]
    with exclusive_run(discover_dataset(dataset), "somebody"):
        assert main(again) == 1
    assert "in use by 'somebody'" in capsys.readouterr().err
    assert (dataset / "PATCH_1" / "rc2.mat").is_file()
    assert main(again) == 0
    assert not (dataset / "PATCH_1" / "rc2.mat").exists()


def test_a_parameter_that_a_late_stage_refuses_stops_before_any_work(
    prepared: Path, tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """And is not set."""
    dataset = copied(prepared, tmp_path)
    before = tree(dataset)
    wrong = ("--set", "scla_method=L7")
    arguments = ["run", "--dataset", str(dataset), "--no-products", "--progress", "none"]
    assert main([*arguments, *wrong]) == 2
    text = capsys.readouterr().err
    assert "stage 7 would be refused" in text
    assert "scla_method" in text
    assert tree(dataset) == before
    report = json.loads((dataset / ".pystamps" / "report.json").read_text(encoding="utf-8"))
    assert report["state"] == "failed"
    assert "scla_method" in report["error"]["cause"]
    dry = run(dataset, "--dry-run", *wrong, code=1)
    assert by_status(dry, "failed") == [(7, ".")]
    assert main([*arguments, "--start-step", "6", "--set", "max_topo_err=33"]) == 2
    assert "lower --start-step" in capsys.readouterr().err
    assert tree(dataset) == before


def test_a_reader_that_goes_away_does_not_stop_the_run(prepared: Path, tmp_path: Path) -> None:
    dataset = copied(prepared, tmp_path)
    command = f"{sys.executable} -m pystamps_shim run --dataset {dataset} --no-products "
    command += "--progress json --end-step 2 | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["event"] == "run_started"
    assert done.stderr == ""
    report = json.loads((dataset / ".pystamps" / "report.json").read_text(encoding="utf-8"))
    assert report["state"] == "finished"
    assert len(by_status(report, "completed")) == 8


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["status", "--dataset", "nowhere"], 2, "nowhere: no such folder"),
        (["run", "--dataset", "nowhere"], 2, "nowhere: no such folder"),
        (["verify", "--dataset", "nowhere", "--reference", "there"], 2, "no such folder"),
    ],
)
def test_refusals_are_json_where_that_was_asked_for(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    assert main([*arguments, "--json"]) == code
    told = json.loads(capsys.readouterr().out)
    assert words in told["error"]["cause"]
    assert told["error"]["remedy"]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_do_no_harm(finished: Path, tmp_path: Path, closed: str) -> None:
    dataset = copied(finished, tmp_path)
    run = f"{sys.executable} -m pystamps_shim run --dataset {dataset} --no-products"
    command = f"{run} --force --start-step 8 {closed}"
    before = (dataset / "mean_v.mat").stat().st_mtime_ns
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert (dataset / "mean_v.mat").stat().st_mtime_ns > before
    nowhere = f"{sys.executable} -m pystamps_shim status --dataset nowhere {closed}"
    done = subprocess.run(["bash", "-c", nowhere], capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)


def test_a_report_replaces_reports_only(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = copied(finished, tmp_path)
    arguments = ["run", "--dataset", str(dataset), "--no-products", "--progress", "none"]
    link = tmp_path / "link.json"
    link.symlink_to(dataset / "parms.mat")
    before = tree(dataset)
    for target in (dataset / "parms.mat", dataset / "PATCH_1" / "ps1.mat", link, tmp_path, ""):
        assert main([*arguments, "--report", str(target)]) == 2
        assert "--report" in capsys.readouterr().err
    assert tree(dataset) == before
    mine = tmp_path / "mine.json"
    for _ in range(2):
        assert main([*arguments, "--report", str(mine)]) == 0
        assert json.loads(mine.read_text(encoding="utf-8"))["state"] == "finished"
    assert [path.name for path in tmp_path.glob(".*draft")] == []
    command = f"{sys.executable} -m pystamps_shim {' '.join(arguments)} --report >(cat >&2)"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert json.loads(done.stderr)["state"] == "finished"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--no-products", "--out", "x"], "--out does nothing with --no-products"),
        (["--processor", "gamma"], "--processor does nothing with no --export"),
        (["--reference-root", "x"], "--reference-root does nothing with no --strict-reference"),
        (["--reference-root", "x", "--strict-reference"], "the reference x: no such folder"),
        (["--prepare-again"], "there is no --export"),
    ],
)
def test_options_that_would_do_nothing_are_refused(
    finished: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert main(["run", "--dataset", str(finished), *options]) == 2
    assert words in capsys.readouterr().err


def test_a_patch_is_no_dataset(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--dataset", str(finished / "PATCH_1")]) == 2
    assert f"--dataset {finished}" in capsys.readouterr().err


def test_a_patch_without_candidates_is_left_out(prepared: Path, tmp_path: Path, run: Run) -> None:
    dataset = copied(prepared, tmp_path)
    for name in ("ij", "ij.int", "da", "hgt", "ll", "ph"):
        (dataset / "PATCH_3" / f"pscands.1.{name}").write_bytes(b"")
    report = run(dataset, *CELLS)
    rows = {
        one["stage_id"]: one["rows_processed"]
        for one in report["results"]
        if one["target"] == "PATCH_3"
    }
    assert rows == dict.fromkeys(range(1, 6), 0)
    (merge,) = [one for one in report["results"] if (one["stage_id"], one["target"]) == (5, ".")]
    assert merge["rows_processed"] > 0
    assert "PATCH_3" in merge["details"]


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        (("--start-step", "3"), "stage 3 of PATCH_1 needs"),
        (("--start-step", "6"), "stage 6 of the merged project needs"),
    ],
)
def test_a_dry_run_of_an_impossible_range_is_an_error(
    prepared: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], cause: str
) -> None:
    assert main(["run", "--dataset", str(prepared), "--dry-run", *options]) == 2
    text = capsys.readouterr().err
    assert cause in text
    assert "lower --start-step" in text


def test_strict_replay_is_flagged_everywhere_and_refused_as_evidence(
    finished: Path, prepared: Path, tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = copied(prepared, tmp_path)
    replay = ("--reference-root", str(finished), "--strict-reference")
    planned = run(dataset, "--dry-run", *replay)
    assert len(by_status(planned, "planned")) == 24
    assert f"copied from {finished}" in planned["results"][0]["details"]
    report = run(dataset, "--end-step", "5", *replay)
    assert all(one["replayed"] and one["status"] == "completed" for one in report["results"])
    assert report["ledger"]["PATCH_1"]["3"]["origin"] == "replayed"
    later = run(dataset, *CELLS)
    assert by_status(later, "completed") == [(6, "."), (7, "."), (8, ".")]
    assert sum(one["replayed"] for one in later["results"]) == 21
    ours, theirs = tree(dataset), tree(finished)
    assert {n for n in theirs if ours.get(n) != theirs[n]} <= {
        *(f"{name}/no_ps_info.mat" for name in PATCHES)
    }
    assert main(["status", "--dataset", str(dataset)]) == 0
    assert capsys.readouterr().out.count("replayed") == 21
    verify = ["verify", "--dataset", str(dataset), "--reference", str(finished)]
    assert main(verify) == 3
    assert "no evidence" in capsys.readouterr().out


def test_replay_of_what_the_reference_lacks_names_all_of_it(
    finished: Path, prepared: Path, tmp_path: Path, run: Run
) -> None:
    (tmp_path / "reference").mkdir()
    reference = copied(finished, tmp_path / "reference")
    for name in ("bp1.mat", "hgt1.mat"):
        (reference / "PATCH_4" / name).unlink()
    dataset = copied(prepared, tmp_path)
    options = ("--reference-root", str(reference), "--strict-reference", "--end-step", "1")
    report = run(dataset, *options, code=1)
    (failed,) = [one for one in report["results"] if one["status"] == "failed"]
    assert failed["target"] == "PATCH_4"
    assert "bp1.mat, hgt1.mat" in failed["details"]
    assert not (dataset / "PATCH_4" / "ps1.mat").exists()
    assert len(by_status(report, "completed")) == 3


def test_the_python_reference_runs_with_kernels_of_choice(
    finished: Path, tmp_path: Path, run: Run
) -> None:
    """Later stages of the merged dataset, from what the native program has made."""
    dataset = copied(finished, tmp_path)
    options = ("--backend", "reference", "--start-step", "7", "--kernel", "stage7_scla=numpy")
    report = run(dataset, *options, "--force")
    assert by_status(report, "completed") == [(7, "."), (8, ".")]
    assert report["ledger"]["."]["7"]["origin"] == "reference"
    log = (dataset / ".pystamps" / "logs" / "merged" / "stage7.log").read_text(encoding="utf-8")
    assert "--kernel stage7_scla=numpy" in log


@pytest.mark.large
def test_the_python_reference_runs_any_range(
    finished: Path, tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the native stage 1 on; a user would see no difference."""
    dataset = copied(finished, tmp_path)
    kernels = ("--kernel", "stage2_topofit=native", "--kernel", "stage4_edge_stats=numpy")
    report = run(dataset, "--backend", "reference", "--start-step", "2", "--force", *kernels)
    assert len(by_status(report, "completed")) == 20
    assert report["ledger"]["PATCH_1"]["2"]["origin"] == "reference"
    log = (dataset / ".pystamps" / "logs" / "PATCH_1" / "stage2.log").read_text(encoding="utf-8")
    assert "--kernel stage2_topofit=native" in log
    verify = ["verify", "--dataset", str(dataset), "--reference", str(finished)]
    assert main([*verify, "--profile", "scientific"]) == 0, capsys.readouterr().out
    assert tree(dataset)["PATCH_1/pm1.mat"] != tree(finished)["PATCH_1/pm1.mat"]
    assert by_status(run(dataset), "completed") == []


def test_a_python_stage_that_fails_has_a_cause_and_its_traceback_in_the_log(
    finished: Path, tmp_path: Path, run: Run
) -> None:
    dataset = with_patches(copied(finished, tmp_path), "PATCH_1", "PATCH_2")
    (dataset / "PATCH_1" / "ph1.mat").write_bytes(b"no MATLAB file")
    options = ("--backend", "reference", "--start-step", "2", "--end-step", "2", "--force")
    report = run(dataset, *options, code=1)
    (failed,) = [one for one in report["results"] if one["status"] == "failed"]
    assert failed["target"] == "PATCH_1"
    assert "ph1.mat" in failed["details"]


@pytest.mark.parametrize("command", ["export", "plot", "report", "verify"])
def test_a_publication_that_was_cut_off_is_completed_before_its_files_are_read(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """A merge was killed when its marker had stepped aside."""
    dataset = copied(finished, tmp_path)
    staging = dataset / ".pystamps" / "staging"
    for name in ("new", "old"):
        (staging / name).mkdir(parents=True)
    scatterers = dict(mat.read(dataset / "ps2.mat"))
    scatterers["lonlat"] = scatterers["lonlat"] + 1.0
    mat.write(staging / "new" / "ps2.mat", scatterers)
    (dataset / "ps2.mat").rename(staging / "old" / "ps2.mat")
    journal = {"remove": [], "install": ["ps2.mat"], "markers": ["ps2.mat"]}
    (staging / "journal.json").write_text(json.dumps(journal), encoding="ascii")
    arguments = {
        "export": ["export", "--format", "csv", "--out", str(tmp_path / "made.csv")],
        "plot": ["plot", "velocity", "--out", str(tmp_path / "velocity.png")],
        "report": ["report"],
        "verify": ["verify", "--reference", str(finished)],
    }[command]
    code = main([*arguments, "--dataset", str(dataset)])
    said = capsys.readouterr()
    assert code == (3 if command == "verify" else 0), said.err
    assert not staging.exists()
    if command == "verify":
        assert "lonlat" in said.out
    if command == "export":
        lines = (tmp_path / "made.csv").read_text(encoding="utf-8").splitlines()
        columns = [line.split(",") for line in lines if line[0] != "#"]
        place = columns[0].index("lon_deg")
        made = sorted(float(line[place]) for line in columns[1:])
        assert made == pytest.approx(sorted(scatterers["lonlat"][:, 0]), abs=1e-5)


def test_settings_come_from_a_file(
    finished: Path, tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("[runtime]\nforce = true\nthreads = 1\n", encoding="utf-8")
    dataset = copied(finished, tmp_path)
    options = ("--config", str(settings), "--start-step", "8")
    report = run(dataset, *options)
    assert by_status(report, "completed") == [(8, ".")]
    assert report["config"]["runtime"]["threads"] == 1
    log = (dataset / ".pystamps" / "logs" / "merged" / "stage8.log").read_text(encoding="utf-8")
    assert "--threads 1 " in log
    settings.write_text("[runtime]\nworker = 2\n", encoding="utf-8")
    assert main(["run", "--dataset", str(dataset), *options]) == 2
    assert "did you mean 'workers'?" in capsys.readouterr().err


def test_programs_read_json_lines(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every line of standard output is an object that says what it is about."""
    dataset = copied(prepared, tmp_path)
    options = ["--progress", "json", "--no-products", "--end-step", "2"]
    assert main(["run", "--dataset", str(dataset), *options]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[0]["event"] == "run_started"
    assert events[0]["candidates"].keys() == set(PATCHES)
    assert (events[-1]["event"], events[-1]["state"]) == ("report", "finished")
    finished = [one for one in events if one["event"] == "stage_finished"]
    assert len(finished) == 8
    largest = max(events[0]["candidates"], key=events[0]["candidates"].get)
    started = [one for one in events if one["event"] == "stage_started"]
    assert started[0]["target"] == largest
    assert {one["target"] for one in events if one["event"] == "phase_started"} == set(PATCHES)


def test_results_of_another_program_are_kept_and_said_to_be(
    finished: Path, tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder without our ledgers is one that original StaMPS has made."""
    dataset = copied(finished, tmp_path)
    for folder in dataset.rglob(".pystamps"):
        shutil.rmtree(folder)
    report = run(dataset)
    assert {one["status"] for one in report["results"]} == {"skipped_existing"}
    assert all("another program" in one["details"] for one in report["results"])
    assert main(["status", "--dataset", str(dataset)]) == 0
    assert capsys.readouterr().out.count("foreign") == 24


def test_a_memory_limit_is_kept_by_all_together(
    finished: Path, prepared: Path, tmp_path: Path, run: Run
) -> None:
    """And one that no stage can keep is refused with the need."""
    dataset = copied(prepared, tmp_path)
    report = run(dataset, *CELLS, "--memory-limit", "60M", "--workers", "2")
    peaks = [one["memory_peak_bytes"] for one in report["results"]]
    assert max(peaks) < 60 << 20
    assert tree(dataset) == tree(finished)
    (tmp_path / "small").mkdir()
    small = copied(prepared, tmp_path / "small")
    refused = run(small, "--memory-limit", "3M", "--end-step", "1", code=1)
    assert len(by_status(refused, "failed")) == 4
    assert "does not fit into the memory limit" in refused["results"][0]["details"]


def test_a_dry_run_of_many_patches_is_quick(tmp_path: Path) -> None:
    """At most half a second of the processor for 24 finished patches, at best of three."""
    dataset = tmp_path / "dataset"
    size = ["--candidates", "6000", "--ifgs", "6", "--patches", "24"]
    assert main(["simulate", "--out", str(dataset), *size]) == 0
    arguments = ["--dataset", str(dataset), "--no-products", "--progress", "none"]
    assert main(["run", *arguments, "--end-step", "1"]) == 0
    command = [sys.executable, "-m", "pystamps_shim", "run", *arguments, "--dry-run"]
    times = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    assert "1 Initial load                          24" in done.stdout
    assert 0 < min(times) <= 0.5
