"""Fuzz every parser for a while: ``python -m parity.fuzz --minutes 5``, or ``make fuzz MINUTES=5``.

Builds the targets of ``fuzz/`` with the stable compiler and libFuzzer, gives them seeds from the
project's own data, runs one after the other, and prints how many inputs each has survived. An
input that breaks a target stays in ``fuzz/artifacts``; the exit code is then 1. What was found
interesting stays in ``fuzz/corpus``, where the next run goes on, and the executions of all runs
are counted in ``fuzz/executions.json``, also of one that is stopped with Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from parity.fuzz_seeds import TARGETS, Target, write_seeds
from parity.golden import golden_scene

_ROOT = Path(__file__).resolve().parents[1]
_FUZZ = _ROOT / "fuzz"
_RECORD = _FUZZ / "executions.json"
_TRIPLE = "x86_64-unknown-linux-gnu"
#: What ``cargo fuzz`` passes, without a sanitizer, which would need another compiler, and without
#: the tracing of comparisons: it takes much of the time, and seeds know the magic numbers.
_FLAGS = (
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "--cfg=fuzzing",
)
#: How often progress is told.
_TELL_S = 10.0
#: What a target's process may take beyond its time, to write what it holds.
_GRACE_S = 60.0
#: Exit code of a run that was stopped from the keyboard.
_STOPPED = 130
#: Exit codes of a libFuzzer process that has found nothing: it was done, or it was interrupted.
_FOUND_NOTHING = (0, 72, -signal.SIGINT)


@dataclass(frozen=True)
class Result:
    """What one target did."""

    target: str
    executions: int
    seconds: float
    corpus: int
    broken_by: tuple[Path, ...] = ()
    failed: bool = False


def executions_in(log: str) -> int:
    """Return how many inputs a libFuzzer process has tried, from what it has written so far."""
    # The last line of statistics says it exactly; until then, lines begin with the number so far.
    if final := re.findall(r"^stat::number_of_executed_units:\s*(\d+)", log, re.MULTILINE):
        return int(final[-1])
    return max((int(number) for number in re.findall(r"^#(\d+)\s", log, re.MULTILINE)), default=0)


def split_executions(total: int, jobs: int) -> list[int]:
    """Split a number of executions over jobs; each gets some, as 0 would mean no end."""
    return [max(1, total // jobs + (job < total % jobs)) for job in range(jobs)]


def split_minutes(targets: Sequence[Target], minutes: float) -> list[float]:
    """Split the time over the targets by their weights, in seconds, at least one each."""
    weights = sum(target.weight for target in targets)
    return [max(1.0, 60 * minutes * target.weight / weights) for target in targets]


def add_to_record(record: dict[str, dict[str, float]], result: Result) -> None:
    """Add what one target did to the numbers of all runs."""
    known = record.setdefault(result.target, {"executions": 0, "seconds": 0.0})
    known["executions"] += result.executions
    known["seconds"] = round(known["seconds"] + result.seconds, 1)


def read_record(path: Path) -> dict[str, dict[str, float]]:
    """Read the numbers of all runs; nothing if there are none."""
    if not path.is_file():
        return {}
    record: dict[str, dict[str, float]] = json.loads(path.read_text(encoding="utf-8"))
    return record


def table(results: Sequence[Result], record: dict[str, dict[str, float]]) -> str:
    """Lay the numbers out for people."""
    lines = [f"{'target':<16}{'executions':>14}{'a second':>12}{'corpus':>9}{'of all runs':>15}"]
    for each in results:
        rate = each.executions / max(each.seconds, 1e-9)
        total = int(record.get(each.target, {}).get("executions", 0))
        words = "  BROKEN" if each.failed else ""
        lines.append(
            f"{each.target:<16}{each.executions:>14,}{rate:>12,.0f}{each.corpus:>9,}{total:>15,}{words}"
        )
    now = sum(each.executions for each in results)
    total = sum(int(known["executions"]) for known in record.values())
    lines.append(f"{'all':<16}{now:>14,}{'':>21}{total:>15,}")
    return "\n".join(lines)


def how_to_repeat(result: Result, folder: Path) -> str:
    """Say what broke a target and how to see it again."""
    program = folder / result.target
    if not result.broken_by:
        return f"{result.target} failed without an input: see its words above"
    return "\n".join(
        f"{result.target} is broken by {artifact}\n  see it again:  {program} {artifact}"
        for artifact in result.broken_by
    )


def build() -> Path:
    """Build the targets and return their folder."""
    command = ["cargo", "build", "--release", "--locked", "--quiet", "--target", _TRIPLE]
    environment = {**os.environ, "RUSTFLAGS": " ".join(_FLAGS)}
    # An outer setting must not carry the instrumented build into the ordinary one's folder.
    environment["CARGO_TARGET_DIR"] = str(_FUZZ / "target")
    _tell("building the targets (minutes the first time) …")
    subprocess.run(command, cwd=_FUZZ, env=environment, check=True)
    return _FUZZ / "target" / _TRIPLE / "release"


class Run:
    """The processes of one target, from start to end."""

    def __init__(self, target: Target, program: Path, scene: Path, logs: Path) -> None:
        """Prepare corpus, artifacts and seeds."""
        self.target, self.program = target, program
        self.corpus = _FUZZ / "corpus" / target.name
        self.artifacts = _FUZZ / "artifacts" / target.name
        self.corpus.mkdir(parents=True, exist_ok=True)
        self.artifacts.mkdir(parents=True, exist_ok=True)
        self.seeds = logs / target.name / "seeds"
        self.seeds.mkdir(parents=True)
        write_seeds(target, scene, self.seeds)
        self.logs: list[Path] = []
        self.processes: list[subprocess.Popen[bytes]] = []
        self.before = set(self.artifacts.iterdir())
        self.started = time.monotonic()

    def start(self, seconds: float, runs: Sequence[int | None]) -> None:
        """Start a process for each of `runs`: after how many executions it ends, if at all."""
        environment = {**os.environ, "TMPDIR": str(self.seeds.parent)}
        for number, executions in enumerate(runs):
            command = [
                str(self.program), str(self.corpus), str(self.seeds),
                f"-max_total_time={max(1, round(seconds))}", f"-max_len={self.target.longest}",
                "-rss_limit_mb=2048", "-timeout=10", "-print_final_stats=1",
                f"-artifact_prefix={self.artifacts}/",
            ]  # fmt: skip
            if executions is not None:
                command.append(f"-runs={executions}")
            log = self.seeds.parent / f"{number}.log"
            with log.open("wb") as out:
                # A group of its own: Ctrl-C reaches only us, and we end it in order.
                self.processes.append(
                    subprocess.Popen(
                        command, stdout=out, stderr=out, process_group=0, env=environment
                    )
                )
            self.logs.append(log)

    def wait(self, seconds: float) -> None:
        """Wait for the processes, telling now and then how far they are."""
        end, told = self.started + seconds + _GRACE_S, self.started
        while any(process.poll() is None for process in self.processes):
            now = time.monotonic()
            if now > end:
                self.stop()
                return
            if now - told >= _TELL_S:
                told = now
                _tell(f"{self.target.name}: {now - self.started:,.0f} of {seconds:,.0f} s, "
                      f"{self.executions():,} executions at least")  # fmt: skip
            time.sleep(0.2)

    def stop(self) -> None:
        """End the processes, which then still say what they have done."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in self.processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def executions(self) -> int:
        """Return how many inputs have been tried so far."""
        return sum(executions_in(_text(log)) for log in self.logs)

    def result(self) -> Result:
        """Return what the processes have done."""
        seconds = time.monotonic() - self.started
        broken_by = tuple(sorted(set(self.artifacts.iterdir()) - self.before))
        failed = bool(broken_by)
        for process, log in zip(self.processes, self.logs, strict=True):
            if process.returncode not in _FOUND_NOTHING:
                failed = True
                sys.stderr.write("\n".join(_text(log).splitlines()[-30:]) + "\n")
        size = sum(1 for _ in self.corpus.iterdir())
        return Result(
            self.target.name, self.executions(), seconds, size, broken_by=broken_by, failed=failed
        )


def run_targets(chosen: Sequence[Target], options: argparse.Namespace, folder: Path) -> int:
    """Run the targets one after the other; the exit code."""
    results: list[Result] = []
    stopped = False
    record = read_record(_RECORD)
    memory = Path("/dev/shm")
    place = memory if memory.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="pystamps-fuzz-", dir=place) as temporary:
        logs = Path(temporary)
        scene = golden_scene(logs / "scene").folder
        shares = split_minutes(chosen, options.minutes)
        for target, seconds in zip(chosen, shares, strict=True):
            run = Run(target, folder / target.name, scene, logs)
            runs: list[int | None] = [None] * options.jobs
            if options.executions:
                runs = [*split_executions(options.executions, options.jobs)]
            try:
                run.start(seconds, runs)
                run.wait(seconds)
            except KeyboardInterrupt:
                stopped = True
                _tell("stopping …")
                run.stop()
            results.append(run.result())
            add_to_record(record, results[-1])
            _RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
            if stopped:
                break
    print(table(results, record))  # noqa: T201
    for broken in (each for each in results if each.failed):
        print(how_to_repeat(broken, folder))  # noqa: T201
    if any(each.failed for each in results):
        return 1
    return _STOPPED if stopped else 0


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


def _tell(words: str) -> None:
    sys.stderr.write(words + "\n")


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m parity.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="for all targets together (1)")
    parser.add_argument(
        "--executions", type=int, metavar="N", help="end each target after N inputs, if time allows"
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="processes side by side (processors)"
    )
    names = [target.name for target in TARGETS]
    parser.add_argument("--targets", help=f"some of {', '.join(names)}")
    options = parser.parse_args(arguments)
    options.chosen = TARGETS
    if options.targets:
        wanted = options.targets.split(",")
        if unknown := sorted(set(wanted) - set(names)):
            parser.error(f"no such target: {', '.join(unknown)}")
        options.chosen = tuple(target for target in TARGETS if target.name in wanted)
    if options.jobs < 1 or options.minutes <= 0:
        parser.error("--jobs and --minutes are above zero")
    return options


def main() -> int:
    """Run the targets and print the table."""
    options = read_options()
    return run_targets(options.chosen, options, build())


if __name__ == "__main__":
    sys.exit(main())
