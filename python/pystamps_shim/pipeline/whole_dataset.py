"""Run a whole dataset: preparation, then the stages one after the other."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.pipeline.commands import Native

FIRST_STAGE, LAST_STAGE = 1, 8
STAGE_NAMES = {
    1: "initial load",
    2: "estimate gamma",
    3: "select PS pixels",
    4: "weed adjacent pixels",
    5: "correct phase and merge",
    6: "unwrap phase",
    7: "calculate SCLA",
    8: "filter SCN",
}
#: Stages that draw random numbers.
_RANDOM_STAGES = (2, 3, 5)
_UNWRAPPING = 6


@dataclass(frozen=True)
class Preparation:
    """A raw export and how it becomes a dataset.

    Attributes
    ----------
    export
        Folder of the export.
    processor
        Program that wrote it: ``snap`` or ``gamma``.
    options
        Further options of ``pystamps-native prep``.
    """

    export: Path
    processor: str = "snap"
    options: Sequence[str] = ()


@dataclass(frozen=True)
class Plan:
    """What is to be done with a dataset.

    Attributes
    ----------
    dataset
        Folder of the dataset.
    preparation
        What to make it from, None where it is there already.
    first, last
        Stages to run.
    parameters
        Names and values to set before, for good.
    threads
        Threads of the native program, None for all.
    random_engine
        Whose random numbers the stages draw, None for the native program's default.
    force
        Whether to prepare and compute again what is there.
    """

    dataset: Path
    preparation: Preparation | None = None
    first: int = FIRST_STAGE
    last: int = LAST_STAGE
    parameters: Sequence[tuple[str, str]] = ()
    threads: int | None = None
    random_engine: str | None = None
    force: bool = False

    def checked(self) -> Plan:
        """Return the plan, or raise with what makes no sense in it."""
        for option, step in (("--start-step", self.first), ("--end-step", self.last)):
            if not FIRST_STAGE <= step <= LAST_STAGE:
                cause = f"{option} is {step}, expected {FIRST_STAGE} to {LAST_STAGE}"
                raise PystampsError(cause, f"change {option}", ExitCode.USAGE)
        if self.first > self.last:
            cause = f"--start-step {self.first} comes after --end-step {self.last}"
            raise PystampsError(cause, "change one of them", ExitCode.USAGE)
        if self.preparation is None and not self._is_prepared:
            cause = f"{self.dataset} is not a prepared dataset: it has no patch.list"
            remedy = "add --export DIR to prepare one, or correct --dataset"
            raise PystampsError(cause, remedy, ExitCode.USAGE)
        return self

    @property
    def needs_preparation(self) -> bool:
        """Tell whether the export has to be prepared."""
        return self.preparation is not None and (self.force or not self._is_prepared)

    @property
    def _is_prepared(self) -> bool:
        return (self.dataset / "patch.list").is_file()


@dataclass
class Journal:
    """Steps, told as they happen, and how long each took.

    Attributes
    ----------
    seconds
        Names of the finished steps with their seconds.
    """

    seconds: list[tuple[str, float]] = field(default_factory=list)

    def step(self, name: str, work: Callable[[], None]) -> None:
        """Say what begins, do it, say how long it took; a failed step is not counted."""
        sys.stderr.write(f"{name} …\n")
        begin = time.monotonic()
        work()
        took = time.monotonic() - begin
        self.seconds.append((name, took))
        sys.stderr.write(f"  done in {took:.1f} s\n")

    def text(self) -> str:
        """Return every step with its seconds."""
        return ", ".join(f"{name.split(':')[0]} {took:.1f} s" for name, took in self.seconds)

    @property
    def total_s(self) -> float:
        """Return the seconds of all steps."""
        return sum(took for _, took in self.seconds)


def run_plan(plan: Plan, native: Native, journal: Journal) -> None:
    """Prepare where needed and run the stages; finished ones are found current and left alone.

    Raises
    ------
    PystampsError
        A step failed; what is finished stays, and the same call resumes there.
    """
    if plan.needs_preparation and plan.preparation is not None:
        journal.step("prepare", lambda: _prepare(plan, native))
    for name, value in plan.parameters:
        native.set_parameter(name, value, plan.dataset)
    for number in range(plan.first, plan.last + 1):
        if number == _UNWRAPPING:
            _fit_cells(plan, native)
        step = f"stage {number}: {STAGE_NAMES[number]}"
        journal.step(step, lambda number=number: _stage(number, plan, native))  # type: ignore[misc]


def _prepare(plan: Plan, native: Native) -> None:
    preparation = plan.preparation
    if preparation is not None:
        native.prepare(
            preparation.processor,
            preparation.export,
            plan.dataset,
            [*preparation.options, *_threads(plan)],
            force=plan.force,
        )


def _stage(number: int, plan: Plan, native: Native) -> None:
    options = _threads(plan)
    if plan.random_engine is not None and number in _RANDOM_STAGES:
        options += ["--random-engine", plan.random_engine]
    native.stage(number, plan.dataset, options, force=plan.force)


def _threads(plan: Plan) -> list[str]:
    return [] if plan.threads is None else ["--threads", str(plan.threads)]


def _fit_cells(plan: Plan, native: Native) -> None:
    """Set smaller unwrapping cells where the scene is too small for those of the parameter.

    Cells the user asked for are left as they are: the stage then says what is wrong with them.
    """
    from pystamps_shim.pipeline.unwrapping_cell import cell_for_small_scene_m  # noqa: PLC0415

    asked = any(name == "unwrap_grid_size" for name, _ in plan.parameters)
    if asked or not (plan.dataset / "ps2.mat").is_file():
        return
    cell_m = cell_for_small_scene_m(plan.dataset)
    if cell_m is not None:
        sys.stderr.write(f"the scene is small: unwrapping cells of {cell_m} m\n")
        native.set_parameter("unwrap_grid_size", str(cell_m), plan.dataset)
