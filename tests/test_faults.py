"""Kill, stop and double runs of a whole dataset: the same command ends with the same bytes.

The kill test aims: a kill that finds the run in another phase than it was meant for does not count
and is tried again. So every ten kills are spread over the phases and over what is killed, whatever
the load of the machine. ``make test`` makes ten kills, ``make test-faults`` a hundred.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pytest

from pystamps_shim._binary import find
from pystamps_shim.io.dataset import MERGED
from tests.disturbance import (
    MERGED_STAGES,
    PATCH_STAGES,
    PATCHES,
    Case,
    Child,
    Event,
    RecordProperty,
    Run,
    at_work,
    children,
    environment,
    prepare_four_patches,
    processes,
    report_of,
    set_parameter,
    wait_until,
)

SEED = 20261
PARTS = 10
#: How long what a dead run has left behind may live.
ORPHANS_S = 10.0
#: How long a run that is to stop at once may take.
AT_ONCE_S = 8.0
_MOST_TRIES = 40


class Phase(StrEnum):
    """What a run was doing when it was killed."""

    STARTING = "before its first stage"
    PATCHES = "stages of patches"
    MERGE = "the merge"
    MERGED = "stages of the merged project"
    BETWEEN = "between two stages"


class Target(StrEnum):
    """What is killed."""

    ORCHESTRATOR = "the orchestrator"
    CHILD = "a native program"
    EVERYTHING = "all process groups"


@dataclass(frozen=True)
class Aim:
    """What is to be killed, and when; None for any moment of the run."""

    target: Target
    phase: Phase | None = None


#: Ten kills.
AIMS = (
    Aim(Target.ORCHESTRATOR),
    Aim(Target.ORCHESTRATOR),
    Aim(Target.ORCHESTRATOR, Phase.MERGE),
    Aim(Target.ORCHESTRATOR, Phase.STARTING),
    Aim(Target.EVERYTHING),
    Aim(Target.EVERYTHING, Phase.PATCHES),
    Aim(Target.EVERYTHING, Phase.MERGED),
    Aim(Target.CHILD, Phase.PATCHES),
    Aim(Target.CHILD, Phase.MERGE),
    Aim(Target.CHILD, Phase.MERGED),
)
_AIMED = Counter(aim.phase for aim in AIMS if aim.phase is not None)


@pytest.fixture(scope="module")
def cases(native_program: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    """Make a freshly prepared dataset, and one of which stages 3 to 8 are due again."""
    dataset = prepare_four_patches(native_program, tmp_path_factory.mktemp("faults"))
    fresh = Case.of("fresh", dataset)
    set_parameter(native_program, dataset, "density_rand", 2)
    return [fresh, Case.of("due again", dataset)]


@pytest.fixture
def fresh(cases: list[Case]) -> Case:
    """Return the freshly prepared dataset, as it was."""
    cases[0].restore()
    return cases[0]


@pytest.mark.parametrize(
    "part", [0, *(pytest.param(part, marks=pytest.mark.faults) for part in range(1, PARTS))]
)
def test_ten_kills(cases: list[Case], part: int, record_property: RecordProperty) -> None:
    """Whatever is killed, and when: what was published stays, and the next run goes on."""
    chance = random.Random(SEED + part)
    found: Counter[Phase] = Counter()
    aims = chance.sample(AIMS, len(AIMS))
    for number, aim in enumerate(aims):
        case = cases[number % len(cases)]
        if aim.phase is Phase.STARTING or aim.target is Target.CHILD:
            case = chance.choice(cases)
        told = f"seed {SEED + part}, kill {number}: {aim}, {case.name}"
        try:
            for _ in range(_MOST_TRIES):
                phase = kill_once(case, aim, chance)
                if phase is not None:
                    break
            else:
                pytest.fail(f"no kill in {_MOST_TRIES} tries")
        except BaseException:
            sys.stderr.write(f"{told}\n")
            raise
        found[phase] += 1
    for phase, count in _AIMED.items():
        assert found[phase] >= count
    assert found[Phase.PATCHES] + found[Phase.MERGE] + found[Phase.MERGED] >= 6
    assert found.total() == len(AIMS)
    record_property("kills", found.total())


def kill_once(case: Case, aim: Aim, chance: random.Random) -> Phase | None:
    """Run a case, kill, resume, compare; return when it was killed, None if it was another moment.

    The run that resumes is sometimes killed, too.
    """
    case.restore()
    run = Run(case.dataset)
    phase, running = reach(run, case, aim, chance)
    if phase is None:
        run.kill()
        wait_until(lambda: not children(case.dataset))
        return None
    victim = chance.choice(running) if running else None
    if aim.target is Target.CHILD:
        assert victim is not None
        victim.kill()
        if run.finish() == 0:
            # It had just done its work.
            return None
        assert_child_is_named(run, case, victim)
    else:
        for child in running if aim.target is Target.EVERYTHING else ():
            child.kill()
        if run.kill() != -signal.SIGKILL:
            return None
    assert_orphans_end(running)
    if chance.random() < 0.3:
        again = Run(case.dataset)
        time.sleep(chance.uniform(0.0, case.seconds))
        again.kill()
    case.assert_finished(Run(case.dataset))
    return phase


def reach(
    run: Run, case: Case, aim: Aim, chance: random.Random
) -> tuple[Phase | None, list[Child]]:
    """Wait for a random moment of the wanted phase; say which it is and who works then."""
    if aim.phase is Phase.STARTING:
        time.sleep(chance.uniform(0.0, 0.9 * case.start_up_s))
    else:
        phases = {
            Phase.PATCHES: (PATCH_STAGES, "patch"),
            Phase.MERGE: (MERGED_STAGES[:1], "merged"),
            Phase.MERGED: (MERGED_STAGES[1:], "merged"),
        }
        stages, scope = phases[chance.choice([*phases]) if aim.phase is None else aim.phase]
        due = [stage for stage in stages if case.name == "fresh" or stage > 2]
        stage = chance.choice(due)
        if run.wait_for(lambda event: is_process(event, stage, scope)) is None:
            return None, []
        time.sleep(chance.uniform(0.0, 0.8 * case.stage_s(stage, scope)))
    running = at_work(run)
    phase = phase_now(run, running)
    hit = not run.ended and aim.phase in (None, phase)
    return (phase if hit else None), running


def is_process(event: Event, stage: int, scope: str) -> bool:
    """Tell whether an event is the start of a stage's native program."""
    told = (event["event"], event.get("stage"), event.get("scope"))
    return told == ("process_started", stage, scope)


def phase_now(run: Run, running: list[Child]) -> Phase:
    """Tell what a run is doing."""
    if not running:
        begun = any(event["event"] == "stage_started" for event in run.events)
        return Phase.BETWEEN if begun else Phase.STARTING
    merged = {child.stage for child in running if child.target == MERGED}
    if not merged:
        return Phase.PATCHES
    return Phase.MERGE if merged == {MERGED_STAGES[0]} else Phase.MERGED


def assert_child_is_named(run: Run, case: Case, victim: Child) -> None:
    """Check that a run says whose program was killed, and that other patches have gone on."""
    assert run.finish() == 1, run.words
    report = report_of(case.dataset)
    assert report["state"] == "failed"
    failed = [result for result in report["results"] if result["status"] == "failed"]
    assert [(one["stage_id"], one["target"]) for one in failed] == [(victim.stage, victim.target)]
    assert "SIGKILL" in failed[0]["details"]
    ends = {(one["stage_id"], one["target"]): one["status"] for one in report["results"]}
    done = {key for key, status in ends.items() if status in ("completed", "skipped_existing")}
    other = {(stage, patch) for stage in PATCH_STAGES for patch in PATCHES}
    chain = other & {(stage, victim.target) for stage in PATCH_STAGES if stage >= victim.stage}
    assert other - chain <= done
    skipped = {key for key, status in ends.items() if status == "skipped"}
    later = {(stage, MERGED) for stage in MERGED_STAGES}
    if victim.target == MERGED:
        later = {(stage, MERGED) for stage in MERGED_STAGES if stage > victim.stage}
    assert skipped == (later | chain) - {(victim.stage, victim.target)}


def assert_orphans_end(running: list[Child]) -> None:
    """Native programs do not outlive the run that started them."""
    gone = wait_until(lambda: not any(child.lives() for child in running), ORPHANS_S)
    assert gone, running


def test_one_interrupt_lets_running_stages_publish(fresh: Case) -> None:
    """Ctrl-C once."""
    run = Run(fresh.dataset)
    run.wait_for_stage(3)
    run.process.send_signal(signal.SIGINT)
    assert run.finish() == 130
    assert "stopping once the stages that run have published" in run.words
    report = report_of(fresh.dataset)
    assert report["state"] == "interrupted"
    ends = Counter(result["status"] for result in report["results"])
    assert set(ends) == {"completed", "skipped"}
    assert ends["skipped"] >= len(MERGED_STAGES)
    started = {(e["stage"], e["target"]) for e in run.events if e["event"] == "stage_started"}
    done = {
        (result["stage_id"], result["target"])
        for result in report["results"]
        if result["status"] == "completed"
    }
    assert started == done
    fresh.assert_finished(Run(fresh.dataset))


@pytest.mark.parametrize("how", ["two interrupts", "SIGTERM", "SIGHUP"])
def test_stop_at_once(fresh: Case, how: str) -> None:
    """Ctrl-C twice, and SIGTERM: what has not published is discarded."""
    run = Run(fresh.dataset)
    run.wait_for_stage(2)
    wait_until(lambda: any(child.stage == 2 for child in children(fresh.dataset)))
    if how == "two interrupts":
        run.process.send_signal(signal.SIGINT)
        assert wait_until(lambda: "stopping once" in run.words)
        run.process.send_signal(signal.SIGINT)
    else:
        run.process.send_signal(signal.Signals[how])
    begin = time.monotonic()
    assert run.finish() == 130
    assert time.monotonic() - begin < AT_ONCE_S
    assert processes(fresh.dataset) == []
    assert "stopping now" in run.words
    report = report_of(fresh.dataset)
    assert report["state"] == "interrupted"
    assert {result["status"] for result in report["results"]} <= {"completed", "skipped"}
    fresh.assert_finished(Run(fresh.dataset))


@pytest.mark.parametrize("how", ["kill", "two interrupts"])
def test_endless_stage_ends_with_its_run(fresh: Case, how: str) -> None:
    """A native program that would never end by itself does not outlive its run."""
    for name, value in (("gamma_max_iterations", "1e9"), ("gamma_change_convergence", "-1")):
        command = [str(find()), "params", "set", "--dataset", str(fresh.dataset), name, value]
        subprocess.run(command, check=True, capture_output=True)
    run = Run(fresh.dataset)
    run.wait_for_stage(2)
    assert wait_until(lambda: [child.stage for child in children(fresh.dataset)] == [2, 2])
    waiting = children(fresh.dataset)
    try:
        assert waiting
        if how == "kill":
            run.kill()
        else:
            run.process.send_signal(signal.SIGINT)
            assert wait_until(lambda: "stopping once" in run.words)
            time.sleep(0.3)
            assert all(child.lives() for child in waiting)
            run.process.send_signal(signal.SIGINT)
            assert run.finish() == 130
        assert_orphans_end(waiting)
        assert children(fresh.dataset) == []
    finally:
        # Nobody else ends them, should this have failed.
        run.process.kill()
        for child in waiting:
            child.kill()


def test_parameters_that_change_meanwhile_are_noticed(fresh: Case) -> None:
    """Patches of other parameters than the rest are no finished dataset."""
    run = Run(fresh.dataset)
    run.wait_for_stage(3)
    command = [str(find()), "params", "set", "--dataset", str(fresh.dataset), "clap_alpha", "0.9"]
    subprocess.run(command, check=True, capture_output=True)
    assert run.finish() == 1
    assert "parameters or files have changed during the run" in run.notes
    report = report_of(fresh.dataset)
    assert report["state"] == "failed"
    assert "clap_alpha" in report["error"]["cause"]
    again = Run(fresh.dataset)
    assert again.finish() == 0, again.words


def test_python_stages_end_with_their_run(fresh: Case) -> None:
    """A killed run of the Python reference leaves no process behind either."""
    run = Run(fresh.dataset, "--backend", "reference", "--end-step", "2")
    run.wait_for(lambda event: is_process(event, 2, "patch"))
    wait_until(lambda: "pystamps_shim.reference 2" in " ".join(processes(fresh.dataset)))
    run.kill()
    assert wait_until(lambda: processes(fresh.dataset) == [], ORPHANS_S)
    again = Run(fresh.dataset, "--backend", "reference", "--end-step", "1")
    assert again.finish() == 0, again.words


def test_second_run_is_refused_and_a_dead_one_recovered(fresh: Case) -> None:
    """Who holds the dataset is said at once; a killed run holds nothing."""
    first = Run(fresh.dataset)
    first.wait_for_stage(1)
    # It stays where it is, however slow the second one is.
    first.process.send_signal(signal.SIGSTOP)
    begin = time.monotonic()
    helped = [sys.executable, "-m", "pystamps_shim", "run", "--help"]
    subprocess.run(helped, check=True, capture_output=True, env=environment())
    start_up_s = time.monotonic() - begin
    second = Run(fresh.dataset)
    assert second.finish() == 1
    assert time.monotonic() - second.begin < start_up_s + 3
    assert "in use by 'pystamps run, stages 1 to 8'" in second.words
    assert f"process {first.process.pid} on {os.uname().nodename}" in second.words
    first.kill()
    third = Run(fresh.dataset)
    fresh.assert_finished(third)
    assert f"process {first.process.pid}" in third.notes
    assert "was stopped before its end: recovered" in third.notes
    fourth = Run(fresh.dataset)
    fresh.assert_finished(fourth)
    assert "recovered" not in fourth.notes
