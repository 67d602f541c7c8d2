"""Two programs that want to write at the same place at the same time.

One of them works, the other one waits or is refused and told who works there; what is there in the
end is whole. ``make test`` lets every pair begin together once, ``make test-faults`` often.
"""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.disturbance import (
    KeptStates,
    RecordProperty,
    Run,
    Tree,
    Victim,
    environment,
    tree,
    wait_until,
)

SEED = 20265
#: How often a pair begins together, in ``make test-faults``.
OFTEN = 15
#: How often six products of a name begin together.
MANY = 10
TIMEOUT_S = 120
#: A stage 2 with it never ends by itself.
ENDLESS = "--set gamma_max_iterations=1e9 --set gamma_change_convergence=-1"

_STAGE = "stage {} --threads 1 --invalidate"


@dataclass(frozen=True)
class Place(KeptStates):
    """A processed scene of two patches."""

    def command(self, words: str) -> list[str]:
        """Return a native command; ``DATASET`` and ``EXPORT`` stand for the folders."""
        words = words.replace("DATASET", str(self.dataset))
        return [str(self.program), *words.replace("EXPORT", str(self.folder / "export")).split()]

    def start(self, words: str) -> subprocess.Popen[str]:
        """Start a native command."""
        return subprocess.Popen(
            self.command(words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )

    def run(self, words: str) -> tuple[int, str]:
        """Run a native command; returns its exit code and what it says to people."""
        process = self.start(words)
        _, said = process.communicate(timeout=TIMEOUT_S)
        return process.returncode, said

    def states(self) -> set[str]:
        """Return how the stages stand."""
        text = subprocess.check_output(self.command("status --json --dataset DATASET"))
        scopes = json.loads(text)["scopes"]
        return {stage["state"] for scope in scopes for stage in scope["stages"]}


@pytest.fixture(scope="session")
def place(native_program: Path, two_patches: Path) -> Place:
    """Return a processed scene."""
    return Place(native_program, two_patches)


@contextmanager
def working_in_a_patch(place: Place) -> Iterator[subprocess.Popen[str]]:
    """Have a stage 2 work in the first patch while the block runs; it is killed in the end."""
    place.restore("before stage 3")
    patch = place.dataset / "PATCH_1"
    words = f"{_STAGE.format(2)} --patch DATASET/PATCH_1 {ENDLESS}"
    process = place.start(words)
    try:
        assert wait_until(lambda: "stage 2" in (patch / ".pystamps/lock").read_text("utf-8"))
        yield process
    finally:
        process.kill()
        process.communicate()


_PREP = "prep snap --export EXPORT --dataset DATASET --azimuth-patches 2 --force --threads 1"
REFUSED = {
    "the same stage": f"{_STAGE.format(2)} --patch DATASET/PATCH_1",
    "a later stage": f"{_STAGE.format(3)} --patch DATASET/PATCH_1",
    "an earlier stage": f"{_STAGE.format(1)} --patch DATASET/PATCH_1 --force",
    "the merge": f"{_STAGE.format(5)} --merge-only --dataset DATASET",
    "a merged stage": f"{_STAGE.format(6)} --dataset DATASET",
    "preparation": _PREP,
}


@pytest.mark.parametrize("words", REFUSED.values(), ids=REFUSED)
def test_refused_while_a_patch_is_written(place: Place, words: str) -> None:
    """At once, with the holder's name; nothing has changed."""
    with working_in_a_patch(place) as holder:
        before = tree(place.dataset)
        code, said = place.run(words)
        assert code == 1, said
        assert "error: [scope-locked]" in said
        assert f"'stage 2' (process {holder.pid} on {os.uname().nodename})" in said, said
        assert tree(place.dataset) == before
        assert holder.poll() is None
    code, said = place.run(f"{_STAGE.format(3)} --patch DATASET/PATCH_1")
    assert code == 0, said
    assert f"process {holder.pid}" in said
    assert "recovered" in said


def test_other_patches_and_parameters_stay_free(place: Place) -> None:
    """A stage of another patch, and parameters, which outdate what is made with the old ones."""
    with working_in_a_patch(place):
        for words in (
            f"{_STAGE.format(3)} --patch DATASET/PATCH_2",
            "params set max_topo_err 30 --dataset DATASET",
            "status --dataset DATASET",
        ):
            code, said = place.run(words)
            assert code == 0, said
    assert place.states() == {"current", "missing", "outdated"}


@dataclass(frozen=True)
class Pair:
    """Two commands that begin together.

    Attributes
    ----------
    one, other
        The commands.
    before
        The state they find.
    both
        Whether both can succeed at the same time.
    """

    one: str
    other: str
    before: str
    both: bool = False


_FIRST, _LOADED, _WEEDED = "before stage 1", "before stage 3", "before stage 6"
_ESTIMATE = f"{_STAGE.format(2)} --patch DATASET/PATCH_1 --force"
_SELECT = f"{_STAGE.format(3)} --patch DATASET/PATCH_1"
_MERGE = f"{_STAGE.format(5)} --merge-only --dataset DATASET --force"
_LOOK_ANGLE = f"{_STAGE.format(7)} --dataset DATASET --force"
_FILTER = f"{_STAGE.format(8)} --dataset DATASET --force"
_LOAD = f"{_STAGE.format(1)} --patch DATASET/PATCH_"
_PRODUCT = "product {} --dataset DATASET --force --out DATASET/v.csv"
_SET = "params set {} --dataset DATASET"
PAIRS = {
    "a stage of a patch, twice": Pair(_SELECT, _SELECT, _LOADED),
    "stages of a patch": Pair(_ESTIMATE, _SELECT, _LOADED),
    "the merge, twice": Pair(_MERGE, _MERGE, _WEEDED),
    "a merged stage, twice": Pair(_LOOK_ANGLE, _LOOK_ANGLE, "before stage 7"),
    "merged stages": Pair(_LOOK_ANGLE, _FILTER, "old"),
    "stage 1 of two patches": Pair(f"{_LOAD}1", f"{_LOAD}2", _FIRST, both=True),
    "preparation and a stage": Pair(_PREP, _SELECT, _LOADED),
    "preparation, twice": Pair(_PREP, _PREP, "nothing"),
    "parameters and a stage": Pair(_SET.format("clap_alpha 0.9"), _SELECT, _LOADED, both=True),
    "two parameters": Pair(
        _SET.format("clap_alpha 0.9"), _SET.format("scn_wavelength 90"), "old", both=True
    ),
    "two products of a name": Pair(_PRODUCT.format("v"), _PRODUCT.format("v-do"), "old", both=True),
    "a product and a stage": Pair(_PRODUCT.format("v-do"), _LOOK_ANGLE, "old"),
}


def one_after_the_other(place: Place, pair: Pair) -> list[Tree]:
    """Return what the commands leave that do not meet: in either order, and each alone."""
    found = []
    for order in ((pair.one, pair.other), (pair.other, pair.one), (pair.one,), (pair.other,)):
        place.restore(pair.before)
        for words in order:
            place.run(words)
        found.append(tree(place.dataset))
    return found[:2] if pair.both else found


def begin_together(place: Place, pair: Pair, allowed: list[Tree], delay_s: float) -> None:
    """Let a pair begin, one of them a moment later, and look at what they leave."""
    place.restore(pair.before)
    first = place.start(pair.one)
    time.sleep(delay_s)
    second = place.start(pair.other)
    said = [process.communicate(timeout=TIMEOUT_S)[1] for process in (first, second)]
    codes = [first.returncode, second.returncode]
    told = f"exit codes {codes}, {delay_s:.3f} s apart\n" + "\n".join(said)
    assert set(codes) <= {0, 1}, told
    assert "panicked" not in told
    assert 0 in codes, told
    for code, words in zip(codes, said, strict=True):
        if code == 1:
            # Or the other one has changed what it was about to read.
            assert "error: [" in words, told
            assert "to do:" in words, told
    if pair.both:
        assert codes == [0, 0], told
    assert tree(place.dataset) in allowed, told


@pytest.mark.parametrize("name", PAIRS)
def test_pair_begins_together(place: Place, name: str) -> None:
    """At the same moment."""
    pair = PAIRS[name]
    begin_together(place, pair, one_after_the_other(place, pair), 0.0)


@pytest.mark.faults
@pytest.mark.parametrize("name", PAIRS)
def test_pair_begins_together_often(
    place: Place, name: str, record_property: RecordProperty
) -> None:
    """At the same moment, and one a little later."""
    pair, chance = PAIRS[name], random.Random(SEED)
    allowed = one_after_the_other(place, pair)
    for _ in range(OFTEN):
        begin_together(place, pair, allowed, chance.uniform(0.0, 0.05))
    record_property("writers at once", OFTEN)


#: The second begins when the first has ended.
AFTERWARDS = math.inf


def begin_two_runs(place: Place, delay_s: float) -> None:
    """Start two runs of the last stages: one works, the other is told of it.

    On a busy machine one may be done before the other begins, which then finds nothing to do.
    """
    place.restore("before stage 7")
    runs = [Run(place.dataset)]
    if delay_s == AFTERWARDS:
        runs[0].finish()
    else:
        time.sleep(delay_s)
    runs.append(Run(place.dataset))
    codes = [run.finish() for run in runs]
    assert place.states() == {"current"}
    if codes == [0, 0]:
        worked = [any(event.get("status") == "completed" for event in run.events) for run in runs]
        assert sorted(worked) == [False, True]
        return
    assert sorted(codes) == [0, 1], [run.words for run in runs]
    winner, loser = sorted(runs, key=lambda run: codes[runs.index(run)])
    assert "in use by 'pystamps run, stages 1 to 8'" in loser.words
    assert f"process {winner.process.pid} on {os.uname().nodename}" in loser.words


@pytest.mark.parametrize("delay_s", [0.0, AFTERWARDS], ids=["at once", "one after the other"])
def test_two_runs_begin_together(place: Place, delay_s: float) -> None:
    """At the same moment, and when the first is done."""
    begin_two_runs(place, delay_s)


@pytest.mark.faults
def test_two_runs_begin_together_often(place: Place, record_property: RecordProperty) -> None:
    """At the same moment, and one a little later."""
    chance = random.Random(SEED)
    for _ in range(OFTEN):
        begin_two_runs(place, chance.uniform(0.0, 0.1))
    record_property("writers at once", OFTEN)


def test_many_products_of_a_name(place: Place) -> None:
    """All succeed; product and description in the end are of the same one."""
    place.restore("old")
    commands = [_PRODUCT.format(name) for name in ("v", "v-do")]
    alone = []
    for words in commands:
        assert place.run(words)[0] == 0
        alone.append(tree(place.dataset))
    for _ in range(MANY):
        at_once = [place.start(words) for words in commands * 3]
        for process in at_once:
            _, said = process.communicate(timeout=TIMEOUT_S)
            assert process.returncode == 0, said
        assert tree(place.dataset) in alone


@pytest.mark.faults
def test_two_exports_of_a_name(place: Place) -> None:
    """Both succeed; table and description in the end are of the same product."""
    place.restore("old")
    out = place.dataset / "made" / "e.csv"
    export = ["-m", "pystamps_shim", "export", "--dataset", place.dataset, "--format", "csv"]
    commands = [[*export, "--out", out, "--force", "--product", name] for name in ("v", "v-do")]
    alone = []
    for command in commands:
        Victim(Path(sys.executable), command).finish()
        alone.append(tree(out.parent))
    at_once = [
        subprocess.Popen([sys.executable, *map(str, command)], env=environment(), text=True)
        for command in commands
    ]
    assert [process.wait(TIMEOUT_S) for process in at_once] == [0, 0]
    assert tree(out.parent) in alone
