"""A command on a disk that fails: what must hold whatever fails, and wherever."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.disturbance import LEDGERS, Tree, control_files, differing, tree
from tests.faulty_disk import FaultyDisk, How, Point

#: Checksums of what was read: advice, which any command may write.
_MEMORY = "checksums.json"
#: Of stages that were stopped, to be read.
_LOGS = ".pystamps/logs/"
_FAILURES = ("panicked", "Traceback", "a defect of pystamps")


@dataclass(frozen=True)
class Trial:
    """A command, and where it is run.

    Attributes
    ----------
    command
        Program and arguments.
    dataset
        The folder whose disk fails.
    before
        Copy of it before the command.
    settle
        What completes an interrupted publication.
    halfway
        Names of files that may be new while all others are old: a unit of their own.
    description
        Name of a file that may be missing until the next command puts it in its place.
    settled
        Exit code of `settle`.
    words
        How a library tells of a failed disk that keeps the system's own words to itself.
    """

    command: Sequence[object]
    dataset: Path
    before: Path
    settle: Sequence[object] | None = None
    halfway: tuple[str, ...] = ()
    description: str = ""
    settled: int = 0
    words: tuple[str, ...] = ()


class Bench:
    """A trial, the states before and after it, and the points at which its disk can fail."""

    def __init__(self, trial: Trial, disk: FaultyDisk) -> None:
        self._trial, self._disk = trial, disk
        self.restore()
        self.old = self.state()
        done = disk.run(trial.command)
        assert done.returncode == 0, done.stderr
        self.points = disk.points()
        assert self.points
        self.new = self.state()
        self._left = self._hidden()
        assert self.old != self.new
        part = {name: self.new[name] for name in trial.halfway}
        allowed = [self.old, self.new, self.old | part]
        self._allowed = allowed + [without(state, trial.description) for state in allowed]

    def restore(self) -> None:
        """Bring the state before the command back."""
        shutil.rmtree(self._trial.dataset, ignore_errors=True)
        shutil.copytree(self._trial.before, self._trial.dataset)

    def state(self) -> Tree:
        """Content of all files that count."""
        return self.content(self._trial.dataset)

    @staticmethod
    def content(folder: Path) -> Tree:
        """Content of all files that count: those of the user, and what the ledgers say of them."""
        found = {name: content for name, content in tree(folder).items() if not is_hidden(name)}
        ledgers = folder.rglob(LEDGERS)
        return found | {str(path.relative_to(folder)): path.read_bytes() for path in ledgers}

    def _hidden(self) -> set[str]:
        """Return the names of the files that do not count, and should not be left behind."""
        folder = self._trial.dataset
        names = {*control_files(folder), *filter(is_hidden, tree(folder))}
        return {name for name in names if not name.endswith(_MEMORY) and _LOGS not in name}

    def faults(self) -> list[tuple[Point, How]]:
        """Return every way in which the disk can fail under the command."""
        return [(point, how) for point in self.points for how in point.ways()]

    def fail(self, point: Point, how: How) -> str:
        """Let the disk fail once; returns how that ended: ``harmless``, ``old`` or ``new``."""
        self.restore()
        result = self._disk.run(self._trial.command, point, how)
        words = f"{result.stdout}{result.stderr}"
        assert result.returncode in (0, 1), words
        assert not any(failure in words for failure in _FAILURES), words
        if result.returncode == 0:
            assert differing(self.state(), self.new) == [], words
            end = "harmless"
        else:
            assert how is not How.SHORT, words
            told = (how.words, *self._trial.words)
            assert any(each in result.stderr for each in told), words
            assert str(self._trial.dataset) in result.stderr, words
            end = self._settled()
        again = self._disk.run(self._trial.command)
        assert again.returncode == 0, again.stderr
        assert differing(self.state(), self.new) == []
        left = self._hidden() - self._left
        # What could not be removed is still there.
        assert left == set() or point.call == "unlink", left
        return end

    def _settled(self) -> str:
        """Complete what was begun; returns which state is there then."""
        if self._trial.settle is not None and self.state():
            done = self._disk.run(self._trial.settle)
            assert done.returncode == self._trial.settled, done.stderr
        state = self.state()
        mixed = differing(state, self.old) + differing(state, self.new)
        assert state in self._allowed, mixed
        return "new" if state == self.new else "old"


def is_hidden(name: str) -> bool:
    """Tell whether a file, or a folder it is in, has a hidden name."""
    return any(part.startswith(".") for part in Path(name).parts)


def without(state: Tree, name: str) -> Tree:
    """Return a state without a file."""
    return {other: content for other, content in state.items() if other != name}


#: Makes the bench of a trial when it is first asked for.
Benches = Callable[[str], Bench]


def fail_at(bench: Bench, chosen: Sequence[tuple[Point, How]]) -> Counter[str]:
    """Let a disk fail at these points one after the other; returns how often it ended how."""
    ends: Counter[str] = Counter()
    for point, how in chosen:
        try:
            ends[bench.fail(point, how)] += 1
        except AssertionError as error:
            error.add_note(f"{how} at {point}")
            raise
    assert ends.total() == len(chosen)
    return ends


def share(faults: Sequence[tuple[Point, How]], count: int) -> Sequence[tuple[Point, How]]:
    """Return some faults, spread over all."""
    step = max(1, len(faults) // count)
    return faults[step // 2 :: step]
