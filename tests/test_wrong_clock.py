"""A clock that is wrong, or jumps: the same bytes, and nothing is current or outdated by it.

The programs get the time of `faulty_clock.c`, and so do the files they write. The one thing that
records the day is ``parms.mat``, by StaMPS's own contract; `environment` fixes it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.disturbance import KeptStates, RecordProperty, Tree, environment, run_to_its_end
from tests.fault_bench import Bench
from tests.faulty_disk import build

_YEAR_S = 31_557_600
#: Times of change of files: long ago, and far ahead.
TIMES_S = {"1970": 1, "2100": 4_102_444_800}
_TIMEOUT_S = 120

#: Clocks: variables of `faulty_clock.c`.
CLOCKS = {
    "far back": {"FAULTY_SHIFT_S": str(-50 * _YEAR_S)},
    "far ahead": {"FAULTY_SHIFT_S": str(70 * _YEAR_S)},
    "before 1970": {"FAULTY_SHIFT_S": str(-80 * _YEAR_S)},
    "jumps ahead": {"FAULTY_SHIFT_S": str(9 * _YEAR_S), "FAULTY_RIGHT_FOR": "5"},
    "jumps back": {"FAULTY_SHIFT_S": str(-9 * _YEAR_S), "FAULTY_RIGHT_FOR": "5"},
    "jumps back and forth": {"FAULTY_SHIFT_S": "86400", "FAULTY_JUMPS": "1"},
}
_RUN = [sys.executable, "-m", "pystamps_shim", "run", "--no-products", "--json", "--dataset"]


@dataclass(frozen=True)
class Scene(KeptStates):
    """A scene of two patches, and what a run makes of it at the right time."""

    library: Path
    new: Tree

    def run(self, clock: dict[str, str] | None = None) -> list[str]:
        """Run all stages; returns the statuses of the stages."""
        return [result["status"] for result in self._said(_RUN, clock)["results"]]

    def native(self, *words: object, clock: dict[str, str] | None = None) -> None:
        """Run a native command."""
        self._done([self.program, *words], clock)

    def states(self) -> set[str]:
        """Return how the stages stand, at the right time."""
        scopes = self._said([self.program, "status", "--json", "--dataset"])["scopes"]
        return {stage["state"] for scope in scopes for stage in scope["stages"]}

    def _said(
        self, command: Sequence[object], clock: dict[str, str] | None = None
    ) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self._done([*command, self.dataset], clock))
        return said

    def _done(self, command: Sequence[object], clock: dict[str, str] | None) -> str:
        variables = environment()
        if clock is not None:
            variables |= {"LD_PRELOAD": str(self.library), "FAULTY_BELOW": str(self.dataset)}
            variables |= clock
        result = run_to_its_end(command, variables, _TIMEOUT_S)
        assert result.returncode == 0, result.stderr
        return result.stdout


@pytest.fixture(scope="session")
def scene(native_program: Path, two_patches: Path) -> Scene:
    """Return a scene that was processed at the right time."""
    library, new = build("faulty_clock", two_patches), Bench.content(two_patches / "old")
    return Scene(native_program, two_patches, library, new)


def times_of_change(folder: Path) -> list[float]:
    """Return when the MATLAB files were written."""
    return [path.stat().st_mtime for path in folder.rglob("*.mat")]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=() if n == "jumps back and forth" else pytest.mark.faults)
        for n in CLOCKS
    ],
)
def test_the_time_of_a_run_is_wrong(
    scene: Scene, name: str, record_property: RecordProperty
) -> None:
    """The same bytes; current in the right time; outdated by a parameter, as ever."""
    scene.restore("before stage 1")
    right = times_of_change(scene.folder / "old")
    assert set(scene.run(CLOCKS[name])) == {"completed"}
    assert Bench.content(scene.dataset) == scene.new
    # The clock was wrong indeed.
    assert max(abs(time - max(right)) for time in times_of_change(scene.dataset)) > 40_000
    assert scene.states() == {"current"}
    assert set(scene.run()) == {"skipped_existing"}
    assert set(scene.run(CLOCKS["far back"])) == {"skipped_existing"}
    scene.native("params", "set", "scn_time_win", 200, "--dataset", scene.dataset)
    assert scene.states() == {"current", "outdated"}
    assert scene.run(CLOCKS[name]).count("completed") == 1
    assert scene.states() == {"current"}
    record_property("wrong clocks", 1)


@pytest.mark.parametrize("name", CLOCKS)
def test_preparation_at_a_wrong_time(scene: Scene, name: str) -> None:
    """The same bytes, and known again at the right time."""
    scene.restore("before stage 1")
    prepared = Bench.content(scene.dataset)
    scene.restore("nothing")
    prep = ["prep", "snap", "--export", scene.folder / "export", "--dataset", scene.dataset]
    prep += ["--azimuth-patches", 2]
    change = ["params", "set", "unwrap_grid_size", 50, "--dataset", scene.dataset]
    for command in (prep, change, prep):
        scene.native(*command, clock=CLOCKS[name])
    assert Bench.content(scene.dataset) == prepared
    scene.native(*prep)
    assert Bench.content(scene.dataset) == prepared


@pytest.mark.parametrize("year", TIMES_S)
def test_times_of_files_mean_nothing(scene: Scene, year: str) -> None:
    """Results older than their inputs are current, and what has changed is found."""
    scene.restore("old")
    files = [path for path in scene.dataset.rglob("*") if path.is_file()]
    for path in files:
        os.utime(path, (TIMES_S[year],) * 2)
    # Inputs that look younger than all results.
    os.utime(scene.dataset / "PATCH_1" / "pscands.1.ph")
    assert scene.states() == {"current"}
    path = scene.dataset / "PATCH_1" / "pm1.mat"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, (TIMES_S[year] - 1,) * 2)
    assert "outdated" in scene.states()
    assert set(scene.run()) == {"completed", "skipped_existing"}
    assert Bench.content(scene.dataset) == scene.new
