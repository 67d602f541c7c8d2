"""What the tests share that kill, stop and double runs: datasets, commands, processes, states."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pystamps_shim.io.dataset import CONTROL_FOLDER, MERGED
from pystamps_shim.simulate.export import write_export
from pystamps_shim.simulate.scene import PRESETS

Tree = dict[str, bytes]
Event = dict[str, Any]
#: Pytest's fixture of that name; `tests.conftest` adds up what is recorded.
RecordProperty = Callable[[str, object], None]
#: Fingerprint by target and stage.
Fingerprints = dict[str, dict[str, str]]

REPOSITORY = Path(__file__).resolve().parents[1]
PATCHES = ("PATCH_1", "PATCH_2", "PATCH_3", "PATCH_4")
PATCH_STAGES, MERGED_STAGES = (1, 2, 3, 4, 5), (5, 6, 7, 8)
#: The ledger of a dataset or of a patch.
LEDGERS = f"{CONTROL_FOLDER}/ledger.json"
_TIMEOUT_S = 60.0


def environment() -> dict[str, str]:
    """Return the environment of every command: these sources, and a day that stays the same."""
    paths = [str(REPOSITORY / "python"), str(REPOSITORY), os.environ.get("PYTHONPATH", "")]
    path = os.pathsep.join(path for path in paths if path)
    # The day in parms.mat must not change at midnight.
    return {**os.environ, "SOURCE_DATE_EPOCH": "1600000000", "PYTHONPATH": path}


def tree(folder: Path) -> Tree:
    """Content of every file a StaMPS user sees, and so not of our own control folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    names = {str(path.relative_to(folder)): path for path in files}
    return {
        n: path.read_bytes() for n, path in names.items() if CONTROL_FOLDER not in Path(n).parts
    }


def differing(one: Tree, other: Tree) -> list[str]:
    """Return the names of the files that two trees do not share, or that differ."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def control_files(dataset: Path) -> list[str]:
    """Return the names of the files in our own folders."""
    found = (path for path in dataset.rglob("*") if path.is_file())
    names = (path.relative_to(dataset) for path in found)
    return sorted(str(name) for name in names if CONTROL_FOLDER in name.parts)


def fingerprints(dataset: Path) -> Fingerprints:
    """Return what the ledgers say every stage was made from."""
    found: Fingerprints = {}
    for target in (*PATCHES, MERGED):
        text = (dataset / target / CONTROL_FOLDER / "ledger.json").read_text(encoding="utf-8")
        stages = json.loads(text)["stages"]
        found[target] = {number: entry["fingerprint"] for number, entry in stages.items()}
    return found


def report_of(dataset: Path) -> dict[str, Any]:
    """Return the report of the last run."""
    text = (dataset / CONTROL_FOLDER / "report.json").read_text(encoding="utf-8")
    values: dict[str, Any] = json.loads(text)
    return values


@dataclass(frozen=True)
class KeptStates:
    """A dataset, and copies of its states beside it.

    Attributes
    ----------
    program
        The native program.
    folder
        Folder of both.
    """

    program: Path
    folder: Path

    @property
    def dataset(self) -> Path:
        """Return the dataset."""
        return self.folder / "dataset"

    def restore(self, before: str) -> None:
        """Bring a state back."""
        shutil.rmtree(self.dataset, ignore_errors=True)
        shutil.copytree(self.folder / before, self.dataset)


def run_to_its_end(
    command: Sequence[object], variables: dict[str, str], timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run a command whatever its exit code; returns what it said."""
    return subprocess.run(
        [str(word) for word in command],
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )


class Victim:
    """A command that is run to its end, or killed on its way."""

    def __init__(self, program: Path, arguments: Sequence[object]) -> None:
        self.command = [str(program), *(str(argument) for argument in arguments)]

    def finish(self) -> float:
        """Run it undisturbed; returns the seconds it took."""
        begin = time.perf_counter()
        subprocess.run(self.command, check=True, capture_output=True, env=environment())
        return time.perf_counter() - begin

    def kill_after(self, seconds: float) -> bool:
        """Start it and kill it; returns whether it was still running."""
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(self.command, stdout=quiet, stderr=quiet, env=environment())
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        return process.wait() == -signal.SIGKILL


class Run:
    """``python -m pystamps_shim run`` on a dataset, as a process of its own group.

    Parameters
    ----------
    dataset
        The dataset.
    options
        Options beyond those of every run here.
    """

    def __init__(self, dataset: Path, *options: object) -> None:
        self.begin = time.monotonic()
        self._words = dataset.with_name(f"{dataset.name}.{time.monotonic_ns()}.stderr")
        command = [sys.executable, "-m", "pystamps_shim", "run", "--dataset", str(dataset)]
        command += ["--no-products", "--progress", "json", *(str(option) for option in options)]
        with self._words.open("wb") as stderr:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=environment(),
                start_new_session=True,
            )
        self.events: list[Event] = []
        self._ended = False
        self._said = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            # A killed run may leave half a line.
            with contextlib.suppress(ValueError), self._said:
                self.events.append({**json.loads(line), "after": time.monotonic() - self.begin})
                self._said.notify_all()
        with self._said:
            self._ended = True
            self._said.notify_all()

    def wait_for(self, wanted: Callable[[Event], bool]) -> Event | None:
        """Wait for an event; None if the run ends without it."""
        with self._said:
            self._said.wait_for(lambda: self._ended or any(map(wanted, self.events)), _TIMEOUT_S)
            return next(filter(wanted, self.events), None)

    def wait_for_stage(self, stage: int, scope: str = "patch") -> Event | None:
        """Wait for the first start of a stage; None if the run ends without it."""
        return self.wait_for(lambda event: is_start(event, stage, scope))

    @property
    def ended(self) -> bool:
        """Tell whether it has closed its output."""
        return self._ended

    @property
    def words(self) -> str:
        """Return what it has said to people so far."""
        return self._words.read_text(encoding="utf-8")

    @property
    def notes(self) -> str:
        """Return the notes it has written so far, one a line."""
        return "\n".join(event["text"] for event in self.events if event["event"] == "note")

    def finish(self) -> int:
        """Wait for its end; returns its exit code, negative for a signal."""
        code = self.process.wait(_TIMEOUT_S)
        self._reader.join(_TIMEOUT_S)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def kill(self) -> int:
        """Kill it, and it alone; returns its exit code."""
        self.process.kill()
        return self.finish()


def is_start(event: Event, stage: int, scope: str) -> bool:
    """Tell whether an event is the start of a stage."""
    return (event["event"], event.get("stage"), event.get("scope")) == (
        "stage_started",
        stage,
        scope,
    )


@dataclass(frozen=True)
class Child:
    """A native program that works on a stage."""

    pid: int
    #: When it was started, so that another process of the same number is none.
    started: str
    stage: int
    target: str

    def lives(self) -> bool:
        """Tell whether it still runs."""
        return _started(self.pid) == self.started

    def kill(self) -> None:
        """Kill it and whatever it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


def at_work(run: Run) -> list[Child]:
    """Return the native programs that a run has started and not seen end, as it says.

    That is known at once, where looking through all processes takes as long as a small stage.
    """
    events = list(run.events)
    ended = {(e["stage_id"], e["target"]) for e in events if e["event"] == "stage_finished"}
    begun = [
        Child(e["pid"], _started(e["pid"]) or "", e["stage"], e["target"])
        for e in events
        if e["event"] == "process_started" and (e["stage"], e["target"]) not in ended
    ]
    return [child for child in begun if child.started]


def children(dataset: Path) -> list[Child]:
    """Return the native programs that work on a dataset: command lines that name it and a stage."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            places = [word for word in words if word.startswith(str(dataset))]
            started = _started(int(folder.name))
            if "stage" in words and places and started is not None:
                target = MERGED if "--dataset" in words else Path(places[0]).name
                stage = int(words[words.index("stage") + 1])
                found.append(Child(int(folder.name), started, stage, target))
    return found


def processes(dataset: Path) -> list[str]:
    """Return the command lines of all processes that name a dataset."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if folder.name.isdigit() and str(dataset) in line:
                found.append(line)
    return found


def wait_until(condition: Callable[[], bool], seconds: float = _TIMEOUT_S) -> bool:
    """Wait for a condition; tells whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _started(pid: int) -> str | None:
    """Return when a process was started; None if there is none, or only its exit code."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]


@dataclass(frozen=True)
class Case:
    """A dataset on which a run has something to do, and what an undisturbed run makes of it.

    Attributes
    ----------
    name
        A few words for people.
    old
        Copy of the dataset before the run.
    dataset
        Where it is run: paths are part of fingerprints.
    new, prints, controls
        Files, fingerprints and names of our own files after the run.
    events
        What the run said.
    seconds
        How long it took.
    """

    name: str
    old: Path
    dataset: Path
    new: Tree
    prints: Fingerprints
    controls: list[str]
    events: list[Event]
    seconds: float

    @classmethod
    def of(cls, name: str, dataset: Path) -> Case:
        """Run a dataset as it is, and remember what it was before and after."""
        old = dataset.with_name(f"old {name}")
        shutil.copytree(dataset, old)
        run = Run(dataset)
        assert run.finish() == 0, run.words
        seconds = time.monotonic() - run.begin
        assert tree(old) != tree(dataset)
        state = (tree(dataset), fingerprints(dataset), control_files(dataset))
        return cls(name, old, dataset, *state, run.events, seconds)

    def restore(self) -> None:
        """Bring the state before the run back."""
        shutil.rmtree(self.dataset, ignore_errors=True)
        shutil.copytree(self.old, self.dataset)

    @cached_property
    def start_up_s(self) -> float:
        """How long a run takes until its first stage starts."""
        first = next(event for event in self.events if event["event"] == "stage_started")
        return float(first["after"])

    def stage_s(self, stage: int, scope: str) -> float:
        """How long a stage took."""
        return next(
            float(event["duration_sec"])
            for event in self.events
            if event["event"] == "stage_finished"
            and (event["stage_id"], event["scope"]) == (stage, scope)
        )

    def assert_finished(self, run: Run) -> None:
        """Check that a run has ended well and that nobody can see it was not the only one."""
        code = run.finish()
        failed = [event for event in run.events if event.get("status") == "failed"]
        assert code == 0, f"exit code {code}; {run.words}; {failed}"
        assert differing(tree(self.dataset), self.new) == []
        assert fingerprints(self.dataset) == self.prints
        # Nothing is left behind but drafts of small files that a killed program was just writing;
        # logs may be missing, of what was killed after it had published.
        left = set(control_files(self.dataset)) - set(self.controls)
        assert sorted(name for name in left if not name.endswith(".draft")) == []
        report = report_of(self.dataset)
        assert report["state"] == "finished"
        done = {"completed", "skipped_existing"}
        assert {result["status"] for result in report["results"]} <= done


def prepare_four_patches(native_program: Path, folder: Path) -> Path:
    """Simulate a small scene and prepare it as four patches; a run takes about two seconds."""
    export, dataset = folder / "export", folder / "dataset"
    export.mkdir()
    size = {"width": 120, "length": 200, "scatterers": 1600, "images": 8}
    write_export(replace(PRESETS["tiny"], seed=8, **size), export)  # type: ignore[arg-type]
    prep = ["prep", "snap", "--export", export, "--dataset", dataset]
    Victim(native_program, [*prep, "--azimuth-patches", 2, "--range-patches", 2]).finish()
    set_parameter(native_program, dataset, "unwrap_grid_size", 50)
    return dataset


def process_two_patches(native_program: Path, folder: Path) -> Path:
    """Simulate a small scene and process it as two patches, native programs alone.

    Beside the ``dataset``, where it has to lie, there are copies of it: ``nothing``, an empty
    folder; ``before stage 1`` to ``8``; ``old``, all stages done.
    """
    export, dataset = folder / "export", folder / "dataset"
    export.mkdir()
    (folder / "nothing").mkdir()
    size = {"width": 120, "length": 150, "scatterers": 1300, "images": 8}
    write_export(replace(PRESETS["tiny"], seed=8, **size), export)  # type: ignore[arg-type]
    prep = ["prep", "snap", "--export", export, "--dataset", dataset, "--azimuth-patches", 2]
    Victim(native_program, prep).finish()
    set_parameter(native_program, dataset, "unwrap_grid_size", 50)
    for stage in range(1, 9):
        shutil.copytree(dataset, folder / f"before stage {stage}")
        Victim(native_program, ["stage", stage, "--dataset", dataset]).finish()
    shutil.copytree(dataset, folder / "old")
    return dataset


def set_parameter(native_program: Path, dataset: Path, name: str, value: object) -> None:
    """Change a parameter of a dataset."""
    Victim(native_program, ["params", "set", name, value, "--dataset", dataset]).finish()
