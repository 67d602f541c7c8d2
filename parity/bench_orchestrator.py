"""What steering costs: a dry run, the overhead of a whole run, two workers against one.

``python -m parity.bench_orchestrator`` prints each figure with what is asked for, on two cores
without other work; the best of several runs counts.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pystamps_shim._binary import find
from pystamps_shim.config import RunConfig, RuntimeConfig
from pystamps_shim.pipeline.stages import run_pipeline
from pystamps_shim.pipeline.types import PipelineContext
from pystamps_shim.simulate.dataset import DatasetSize, write_dataset
from pystamps_shim.simulate.export import write_export
from pystamps_shim.simulate.scene import PRESETS

#: Asked for: seconds of a dry run of 24 patches, overhead by native time, gain of two workers.
DRY_RUN_S, OVERHEAD, GAIN = 0.5, 0.03, 1.8
_REPEATS = 5
_EQUAL_PATCHES, _MANY_PATCHES = 4, 24


def seconds(command: Sequence[object]) -> float:
    """Run a command to its end and return how long it took."""
    begin = time.perf_counter()
    subprocess.run([str(word) for word in command], check=True, capture_output=True)
    return time.perf_counter() - begin


def steered(dataset: Path, *options: object) -> list[object]:
    """Return the command that runs a dataset."""
    command = [sys.executable, "-m", "pystamps_shim", "run", "--dataset", dataset]
    return [*command, "--no-products", "--progress", "none", *options]


def by_hand(program: Path, dataset: Path) -> str:
    """Return a shell script of the native commands of a whole run, one after the other."""
    common = "--progress json"
    patches = (dataset / "patch.list").read_text(encoding="utf-8").split()
    lines = [
        f"{program} stage {stage} --patch {dataset / patch} --invalidate {common}"
        for patch in patches
        for stage in range(1, 6)
    ]
    lines.append(f"{program} stage 5 --dataset {dataset} --merge-only --invalidate {common}")
    lines += [
        f"{program} stage {stage} --dataset {dataset} --invalidate {common}" for stage in (6, 7, 8)
    ]
    return "set -e\n" + "\n".join(lines)


def copied(dataset: Path, target: Path) -> Path:
    """Return a fresh copy of a dataset."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(dataset, target)
    return target


def bench_dry_run(work: Path) -> bool:
    """Time a dry run of many finished patches."""
    dataset = work / "many"
    dataset.mkdir()
    settings = replace(PRESETS["demo"], images=21).checked()
    write_dataset(settings, DatasetSize(72_000, 20, _MANY_PATCHES), dataset, dataset)
    subprocess.run(
        list(map(str, steered(dataset, "--end-step", 5))), check=True, capture_output=True
    )
    took = min(seconds(steered(dataset, "--dry-run")) for _ in range(_REPEATS))
    print(f"dry run of {_MANY_PATCHES} patches: {took:.3f} s (at most {DRY_RUN_S})")  # noqa: T201
    return took <= DRY_RUN_S


def bench_overhead(work: Path) -> bool:
    """Time a whole run of the demo's scene, one patch after the other, against a shell script.

    Besides, as a user types it: the command with its defaults, patches side by side.
    """
    export, prepared, dataset = work / "export", work / "prepared", work / "dataset"
    export.mkdir()
    write_export(PRESETS["demo"].checked(), export)
    prep = [find(), "prep", "snap", "--export", export, "--dataset", prepared]
    seconds([*prep, "--azimuth-patches", 2])
    runs, commands, scripts = [], [], []
    for _ in range(_REPEATS):
        runtime = RuntimeConfig(workers=1, progress="none")
        context = PipelineContext(copied(prepared, dataset), RunConfig(runtime))
        begin = time.perf_counter()
        run_pipeline(context)
        runs.append(time.perf_counter() - begin)
        commands.append(seconds(steered(copied(prepared, dataset))))
        scripts.append(seconds(["bash", "-c", by_hand(find(), copied(prepared, dataset))]))
    native = min(scripts)
    overhead = min(runs) - native
    print(  # noqa: T201
        f"demo: {native:.3f} s of native commands in a shell, {1e3 * overhead:+.0f} ms steered: "
        f"{100 * overhead / native:.1f} % (at most {100 * OVERHEAD:g} %)\n"
        f"  as a command with its defaults, start of Python included: {min(commands):.3f} s"
    )
    return overhead <= OVERHEAD * native


def bench_workers(work: Path) -> bool:
    """Time four equal patches with one worker and with two, a thread each."""
    prepared = work / "equal"
    prepared.mkdir()
    settings = replace(PRESETS["demo"], images=41).checked()
    write_dataset(settings, DatasetSize(60_000, 40, _EQUAL_PATCHES), prepared, prepared)
    took = {1: [], 2: []}  # type: dict[int, list[float]]
    for _ in range(3):
        for workers in (1, 2):
            dataset = copied(prepared, work / "dataset")
            options = ("--workers", workers, "--threads", workers, "--end-step", 5)
            took[workers].append(seconds(steered(dataset, *options)))
    one, two = min(took[1]), min(took[2])
    print(  # noqa: T201
        f"{_EQUAL_PATCHES} equal patches: {one:.2f} s with one worker, {two:.2f} s with two: "
        f"{one / two:.2f} times (at least {GAIN})"
    )
    return one / two >= GAIN


def main() -> int:
    """Print all figures; exit code 3 says that one was not reached."""
    with tempfile.TemporaryDirectory(prefix="bench_orchestrator_") as folder:
        benches = (bench_dry_run, bench_overhead, bench_workers)
        reached = [bench(Path(folder)) for bench in benches]
    return 0 if all(reached) else 3


if __name__ == "__main__":
    sys.exit(main())
