"""What a run tells people and programs."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from pystamps_shim.io.dataset import Scope
from pystamps_shim.pipeline import display
from pystamps_shim.pipeline.display import (
    GuardedDisplay,
    JsonDisplay,
    PlainDisplay,
    SilentDisplay,
    bytes_text,
    duration_text,
    estimate_lines,
    make_display,
)
from pystamps_shim.pipeline.estimates import Estimates, Need
from pystamps_shim.pipeline.jobs import StageJob
from pystamps_shim.pipeline.summary import summary_text
from pystamps_shim.pipeline.types import PipelineReport, RunState, StageResult, Status

JOB = StageJob(2, "patch", "PATCH_1", Path("/d"))
VERDICT = (
    "/d: failed: mend what is said above and run it again, finished work is kept; 1 min 20 s in all"
)
PROGRESS = {"event": "progress", "phase": "filtering", "done": 1, "total": 4, "eta_seconds": 30.0}


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let displays read a clock of ours."""
    made = Clock()
    monkeypatch.setattr(display, "time", made)
    return made


def test_plain_lines_come_late_and_seldom(clock: Clock) -> None:
    stream = io.StringIO()
    plain = PlainDisplay(stream)
    plain.begin(Estimates(warnings=("little disk",)))
    for seconds in (0.0, 1.0, 1.5, 3.0, 2.0, 1.0, 4.5):
        clock.now += seconds
        plain.event(JOB, PROGRESS)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "warning: little disk"
    assert lines[1:] == ["stage 2 PATCH_1: filtering 25 %, 30.0 s left of this"] * 2


def test_a_predicted_time_is_the_stage_s(clock: Clock) -> None:
    stream = io.StringIO()
    plain = PlainDisplay(stream)
    plain.begin(Estimates(needs={(2, "patch", "PATCH_1"): Need(seconds=100.0)}))
    plain.event(JOB, PROGRESS)
    for passed in (40.0, 50.0):
        clock.now += passed
        plain.event(JOB, PROGRESS)
    assert [line.split(", ")[1] for line in stream.getvalue().splitlines()] == [
        "about 1 min 0 s left of the stage",
        "about 30.0 s left of the stage",
    ]


def test_what_is_current_is_counted_and_not_told() -> None:
    stream = io.StringIO()
    plain = PlainDisplay(stream)
    plain.event(JOB, {"event": "note", "text": "careful"})
    plain.result(JOB.ended(Status.SKIPPED_EXISTING, "current: same inputs"))
    plain.result(JOB.ended(Status.SKIPPED_EXISTING, "made by another program"))
    plain.result(JOB.ended(Status.FAILED, "cause; remedy"))
    assert stream.getvalue().splitlines() == [
        "stage 2 PATCH_1: careful",
        "stage 2 PATCH_1 kept: made by another program",
        "stage 2 PATCH_1 failed: cause; remedy",
    ]


def test_json_lines() -> None:
    stream = io.StringIO()
    lines = JsonDisplay(stream)
    lines.begin(Estimates({"PATCH_1": 7}, 3, 5, {(1, "patch", "PATCH_1"): Need(9)}))
    lines.event(JOB, PROGRESS)
    lines.note("n")
    lines.result(JOB.ended(Status.COMPLETED, "d"))
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    kinds = ["run_started", "progress", "note", "stage_finished"]
    assert [event["event"] for event in events] == kinds
    assert (events[1]["stage"], events[1]["target"]) == (2, "PATCH_1")
    assert events[0]["candidates"] == {"PATCH_1": 7}
    assert events[0]["largest_memory_bytes"] == 9


def test_what_is_about_to_be_run_is_said_before() -> None:
    needs: dict[tuple[int, Scope, str], Need] = {(2, "patch", "a"): Need(3 << 20)}
    told = Estimates({"a": 7, "b": 5}, 3, 6, needs, 2 << 30, 90.0, 5 << 30, ("w",))
    first, second = estimate_lines(told)
    assert first == (
        "2 patches with 12 candidates, 3 interferograms, about 6 PS; what is due takes 2.0 GiB of "
        "disk (5.0 GiB free), 3.0 MiB of memory for the largest stage, 1 min 30 s one stage after "
        "the other"
    )
    assert second == "warning: w"
    assert estimate_lines(Estimates({"a": 7}, 3, 6)) == []


def test_modes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets lines that are rewritten, if the library for it is there."""
    import sys

    assert isinstance(make_display("none").display, SilentDisplay)
    assert isinstance(make_display("json").display, JsonDisplay)
    assert isinstance(make_display("plain").display, PlainDisplay)
    assert isinstance(make_display("auto").display, PlainDisplay)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    terminal = make_display("auto").display
    assert type(terminal).__name__ == "TerminalDisplay"
    terminal.close()
    monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.delitem(sys.modules, "pystamps_shim.pipeline.terminal")
    assert isinstance(make_display("auto").display, PlainDisplay)


def test_whoever_stops_reading_does_not_stop_the_work() -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    for broken in (PlainDisplay(Gone()), JsonDisplay(Gone())):
        guarded = GuardedDisplay(broken)
        guarded.note("n")
        guarded.event(JOB, {"event": "note", "text": "t"})
        guarded.result(JOB.ended(Status.FAILED, "d"))
        guarded.close()
        assert isinstance(guarded.display, SilentDisplay)


def test_a_terminal_shows_running_stages_and_results(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pystamps_shim.pipeline.terminal import TerminalDisplay

    monkeypatch.setenv("COLUMNS", "200")
    terminal = TerminalDisplay()
    terminal.begin(Estimates(warnings=("little disk",)))
    terminal.event(JOB, PROGRESS)
    terminal.event(JOB, {"event": "note", "text": "careful"})
    terminal.result(JOB.ended(Status.COMPLETED, "[7] PS"))
    terminal.close()
    text = capsys.readouterr().err
    for words in ("warning: little disk", "stage 2 PATCH_1: careful", "completed", "[7] PS"):
        assert words in text


def test_summary() -> None:
    """A row a stage, failures with their log, what replay means, where the report is."""
    done = StageResult(1, "patch", "PATCH_1", Status.COMPLETED, "d", 75.0, rows_processed=9)
    kept = StageResult(1, "patch", "PATCH_2", Status.SKIPPED_EXISTING, "d", replayed=True)
    failed = StageResult(2, "patch", "PATCH_1", Status.FAILED, "cause; remedy", 1.0, log=Path("l"))
    report = PipelineReport((done, kept, failed), RunState.FAILED, Path("r.json"))
    text = summary_text(report, Path("/d"), 80.0)
    assert text.splitlines() == [
        "stage                        done     kept   failed         time        rows      memory",
        "1 Initial load                  1        1            1 min 15 s           9",
        "2 Estimate gamma                                  1        1.0 s",
        "stage 2 PATCH_1 failed: cause; remedy",
        "  log: l",
        "1 results were copied from a reference: they are no evidence",
        VERDICT,
        "report: r.json",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.012, "0.01 s"), (9.96, "10.0 s"), (61, "1 min 1 s"), (7265, "2 h 1 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(5, "5 B"), (1536, "1.5 KiB"), (3 << 40, "3.0 TiB")])
def test_sizes(count: int, text: str) -> None:
    assert bytes_text(count) == text
