"""Subprocesses of a run: what they say, how they end, what goes into logs; locks; signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pystamps_shim.errors import PystampsError
from pystamps_shim.io.dataset import Dataset
from pystamps_shim.pipeline.jobs import Host, JobKind, Share, StageJob, run_job
from pystamps_shim.pipeline.lock import exclusive_run, holder_of_run
from pystamps_shim.pipeline.process import Event, run_process
from pystamps_shim.pipeline.stopping import Stopper, signals_stop
from pystamps_shim.pipeline.types import StageResult, Status

OUTCOME = {"event": "outcome", "status": "completed", "details": "7 PS", "rows_processed": 7}


def program(folder: Path, lines: str) -> tuple[str, ...]:
    """Write a stand-in for the native program: Python lines that see ``sys`` and ``json``."""
    path = folder / "program.py"
    path.write_text(f"import json, os, sys, time\n{lines}\n", encoding="utf-8")
    return (sys.executable, str(path))


def run_stand_in(
    folder: Path, lines: str, job: StageJob | None = None, stopper: Stopper | None = None
) -> tuple[StageResult, list[Event]]:
    """Run a job on a stand-in; return its result and what was heard."""
    heard: list[Event] = []
    host = Host(program(folder, lines), heard.append, stopper or Stopper())
    job = job or StageJob(2, "patch", "PATCH_1", folder)
    return run_job(job, Share(3, 1 << 20), host), heard


def test_a_job_is_one_command_and_its_outcome_becomes_the_result(tmp_path: Path) -> None:
    lines = f"""
print(json.dumps({{"event": "phase_started", "phase": "x"}}), flush=True)
print("a stray word", flush=True)
sys.stderr.write("told to people\\n")
print(json.dumps({{"event": "note", "text": "careful"}}), flush=True)
print(json.dumps({{**{OUTCOME!r}, "memory_peak_bytes": 5, "replayed": False}}))
"""
    result, heard = run_stand_in(tmp_path, lines)
    assert (result.status, result.details, result.rows_processed) == (
        Status.COMPLETED,
        "7 PS",
        7,
    )
    assert (result.memory_peak_bytes, result.notes) == (5, ("careful",))
    assert result.duration_sec > 0
    said = [one["event"] for one in heard]
    assert said == ["process_started", "phase_started", "note", "outcome"]
    assert result.log is not None
    log = result.log.read_text(encoding="utf-8")
    patch = tmp_path / "PATCH_1"
    assert f"stage 2 --patch {patch} --invalidate --threads 3 --memory-limit 1048576" in log
    assert "--progress json --stop-with-stdin" in log
    for words in ("a stray word", "told to people", "careful", "ended with exit code 0"):
        assert words in log


@pytest.mark.parametrize(
    ("job", "words"),
    [
        ({"stage_id": 2, "random_engine": "octave"}, ["--random-engine octave"]),
        ({"stage_id": 4, "random_engine": "octave"}, ["stage 4 --patch"]),
        ({"stage_id": 3, "force": True}, ["--stop-with-stdin --force"]),
        (
            {"stage_id": 5, "scope": "merged", "target": ".", "allow_partial": True},
            ["stage 5 --dataset", "--merge-only --allow-partial"],
        ),
        ({"stage_id": 6, "scope": "merged", "target": "."}, ["stage 6 --dataset"]),
        (
            {"kind": JobKind.REPLAY, "reference_root": Path("/ref")},
            ["adopt 2 --patch", "--from /ref/PATCH_1 --origin replayed"],
        ),
    ],
)
def test_commands(tmp_path: Path, job: dict[str, object], words: list[str]) -> None:
    values = {"stage_id": 2, "scope": "patch", "target": "PATCH_1", "dataset": tmp_path, **job}
    made = StageJob(**values)  # type: ignore[arg-type]
    result, _ = run_stand_in(tmp_path, f"print(json.dumps({OUTCOME!r}))", made)
    assert result.log is not None
    command = result.log.read_text(encoding="utf-8").splitlines()[0]
    for word in words:
        assert word in command
    assert ("--random-engine" in command) == ("--random-engine octave" in words)


ERROR = {
    "event": "error",
    "name": "n",
    "problem": "the grid\nis small",
    "path": "/d/ps1.mat",
    "variable": "xy",
    "expected": "32",
    "found": "5",
    "remedy": "lower it",
}


@pytest.mark.parametrize(
    ("lines", "cause", "remedy"),
    [
        (
            f"print(json.dumps({ERROR!r})); sys.exit(1)",
            "the grid is small; file /d/ps1.mat; variable xy; expected 32; found 5",
            "lower it",
        ),
        ("sys.exit(7)", "ended with exit code 7 and no reason", "read "),
        ("os.kill(os.getpid(), 9)", "ended by SIGKILL; the system does that when memory", "again"),
        ("os.kill(os.getpid(), 11)", "ended by SIGSEGV", "finished work is kept"),
        ("pass", "ended with exit code 0 and no reason", "read "),
        ("raise ValueError('x')", "ended with exit code 1", "stage2.log"),
    ],
)
def test_failures_have_a_cause_and_a_remedy(
    tmp_path: Path, lines: str, cause: str, remedy: str
) -> None:
    result, _ = run_stand_in(tmp_path, lines)
    assert result.status is Status.FAILED
    assert result.details.startswith(cause)
    assert remedy in result.details
    assert "\n" not in result.details
    assert result.log is not None
    assert result.log.is_file()


def test_a_program_that_does_not_start(tmp_path: Path) -> None:
    host = Host((str(tmp_path / "absent"),), lambda _: None, Stopper())
    result = run_job(StageJob(1, "patch", "PATCH_1", tmp_path), Share(1), host)
    assert result.status is Status.FAILED
    assert "absent does not start (No such file" in result.details
    assert "make native" in result.details


def test_a_skip_leaves_the_log_of_the_last_work(tmp_path: Path) -> None:
    run_stand_in(tmp_path, f"sys.stderr.write('hard work'); print(json.dumps({OUTCOME!r}))")
    skipped = {**OUTCOME, "status": "skipped_existing"}
    result, _ = run_stand_in(tmp_path, f"print(json.dumps({skipped!r}))")
    assert (result.status, result.log) == (Status.SKIPPED_EXISTING, None)
    log = StageJob(2, "patch", "PATCH_1", tmp_path).log
    assert "hard work" in log.read_text(encoding="utf-8")
    assert [path.name for path in log.parent.iterdir()] == ["stage2.log"]


def test_a_listener_that_breaks_is_a_defect_with_a_traceback_in_the_log(tmp_path: Path) -> None:
    def broken(_: Event) -> None:
        msg = "display broke"
        raise RuntimeError(msg)

    command = program(tmp_path, f"print(json.dumps({OUTCOME!r}))")
    job = StageJob(2, "patch", "PATCH_1", tmp_path)
    result = run_job(job, Share(1), Host(command, broken, Stopper()))
    assert result.status is Status.FAILED
    assert "a defect of pystamps: RuntimeError: display broke" in result.details
    assert "Traceback" in job.log.read_text(encoding="utf-8")


def test_a_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / ".pystamps").write_text("in the way", encoding="ascii")
    result, _ = run_stand_in(tmp_path, "pass")
    assert result.status is Status.FAILED
    assert "cannot be written" in result.details


def test_standard_input_stays_open_as_long_as_we_live(tmp_path: Path) -> None:
    """A program that waits for its end does not see it before ours."""
    lines = """
import select
ready, _, _ = select.select([0], [], [], 0.2)
print(json.dumps({"event": "outcome", "open": not ready}))
"""
    with (tmp_path / "log").open("wb") as log:
        ended = run_process(program(tmp_path, lines), log, lambda _: None, Stopper(), {})
    assert ended.outcome is not None
    assert ended.outcome["open"] is True


def test_stopping_at_once_ends_the_process_and_says_so(tmp_path: Path) -> None:
    stopper = Stopper()
    timer = threading.Timer(0.3, stopper.stop_now)
    timer.start()
    begin = time.monotonic()
    result, _ = run_stand_in(tmp_path, "time.sleep(60)", stopper=stopper)
    assert time.monotonic() - begin < 20
    assert result.status is Status.SKIPPED
    assert "discarded" in result.details
    # One that begins just after is ended as well.
    assert run_stand_in(tmp_path, "time.sleep(60)", stopper=stopper)[0].status is Status.SKIPPED


def test_signals(capfd: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C once, twice; SIGTERM; handlers are given back."""
    before = signal.getsignal(signal.SIGINT)
    once = Stopper()
    with signals_stop(once):
        os.kill(os.getpid(), signal.SIGINT)
        assert once.requested
        assert not once.at_once
        os.kill(os.getpid(), signal.SIGINT)
        assert wait_for(lambda: once.at_once)
    assert signal.getsignal(signal.SIGINT) is before
    term = Stopper()
    with signals_stop(term):
        os.kill(os.getpid(), signal.SIGTERM)
        assert wait_for(lambda: term.at_once)
    assert "Ctrl-C again stops now" in capfd.readouterr().err

    def elsewhere() -> None:
        with signals_stop(Stopper()):
            assert signal.getsignal(signal.SIGINT) is before

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()


def wait_for(condition: object) -> bool:
    """Wait until a condition holds, a few seconds at most."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Make a dataset of one patch."""
    (tmp_path / "PATCH_1" / ".pystamps").mkdir(parents=True)
    return Dataset(tmp_path, ("PATCH_1",))


def test_a_second_run_is_refused_and_told_who_holds_the_dataset(dataset: Dataset) -> None:
    with exclusive_run(dataset, "pystamps run") as notes:
        assert notes == []
        assert f"process {os.getpid()}" in str(holder_of_run(dataset))
        with pytest.raises(PystampsError) as caught, exclusive_run(dataset, "second"):
            pass
        assert f"in use by 'pystamps run' (process {os.getpid()} on" in caught.value.cause
        assert "wait for it" in caught.value.remedy
    assert holder_of_run(dataset) is None
    with exclusive_run(dataset, "third") as notes:
        assert notes == []


def dead_process() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    return process.pid


def lock_text(pid: int, host: str | None = None) -> str:
    """Return what a lock file says."""
    return json.dumps({"pid": pid, "host": host or os.uname().nodename, "command": "stage 2"})


@pytest.mark.parametrize("host", [None, "elsewhere"])
def test_a_dead_run_is_recovered_and_said_so(dataset: Dataset, host: str | None) -> None:
    control = dataset.root / ".pystamps"
    control.mkdir()
    (control / "run.lock").write_text(lock_text(dead_process(), host), encoding="utf-8")
    assert holder_of_run(dataset) is None
    with exclusive_run(dataset, "again") as notes:
        assert len(notes) == 1
        assert "was stopped before its end: recovered" in notes[0]


def test_a_native_program_at_work_in_a_patch_keeps_runs_out(dataset: Dataset) -> None:
    import fcntl

    path = dataset.root / "PATCH_1" / ".pystamps" / "lock"
    path.write_text(lock_text(os.getpid()), encoding="utf-8")
    with path.open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(PystampsError, match="PATCH_1 is in use by 'stage 2'"):
            exclusive_run(dataset, "run").__enter__()
    with exclusive_run(dataset, "run"):
        pass


def test_what_a_dead_run_left_behind_is_waited_for(dataset: Dataset) -> None:
    """Its last native program needs a moment to notice that it is alone."""
    import fcntl

    control = dataset.root / ".pystamps"
    control.mkdir()
    (control / "run.lock").write_text(lock_text(dead_process()), encoding="utf-8")
    path = dataset.root / "PATCH_1" / ".pystamps" / "lock"
    path.write_text(lock_text(os.getpid()), encoding="utf-8")
    held = path.open("r+b")
    fcntl.flock(held, fcntl.LOCK_EX)
    threading.Timer(0.3, held.close).start()
    begin = time.monotonic()
    with exclusive_run(dataset, "run"):
        assert time.monotonic() - begin > 0.2
