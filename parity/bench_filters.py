"""Measure stages 7 and 8 on merged projects: ``python -m parity.bench_filters``.

Time and memory beside what ``plan`` predicts and beside the goals, stage 8 on the same number of
PS in ever smaller areas, the least memory, and both stages beside the Python reference.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from parity.measured_run import Run, run_native
from parity.stages import compare_with_reference
from parity.synthetic_merged import MergedShape, write_merged
from pystamps_shim._binary import find
from pystamps_shim.pipeline.ported import stage7_calc_scla, stage8_filter_scn

_REPEATS = 3
#: PS, images and seconds of the goals.
_STAGE7 = MergedShape(ps=100_000, images=101, master=50, extent_m=15_000.0, cell_m=200.0)
_STAGE7_GOAL_S = 1.0
_STAGE8 = MergedShape(ps=84_607, images=109, master=54, extent_m=13_000.0, cell_m=200.0)
_STAGE8_GOAL_S = 5.0
#: Sides of the square that holds the PS, m, and of a cell: 500, 1000, 2000 and 4000 PS/km2.
_AREAS = ((13_000.0, 200.0), (9_200.0, 200.0), (6_500.0, 100.0), (4_600.0, 100.0))
_SMALL = MergedShape(ps=6_000, images=30, extent_m=15_000.0, cell_m=200.0)
_PLANS = {7: "look_angle_error", 8: "noise_filter"}
_REFERENCES = {7: stage7_calc_scla, 8: stage8_filter_scn}


def main() -> None:
    """Print the tables."""
    _print(f"load of the machine before: {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        _measure(7, _unwrapped(Path(folder), _STAGE7), _STAGE7, f"goal {_STAGE7_GOAL_S} s")
    for side_m, cell_m in _AREAS:
        shape = replace(_STAGE8, extent_m=side_m, cell_m=cell_m)
        goal = f"goal {_STAGE8_GOAL_S} s" if shape == _STAGE8 else "no goal"
        with tempfile.TemporaryDirectory() as folder:
            dataset = _unwrapped(Path(folder), shape)
            run_native("stage", 7, "--dataset", dataset)
            density = shape.ps / (side_m / 1000) ** 2
            _measure(8, dataset, shape, f"{density:.0f} PS/km2, {goal}")
    with tempfile.TemporaryDirectory() as folder:
        dataset = _unwrapped(Path(folder), _SMALL)
        for number in _REFERENCES:
            _beside_the_reference(number, dataset)


def _unwrapped(folder: Path, shape: MergedShape) -> Path:
    dataset = write_merged(folder / "dataset", shape).folder
    run_native("stage", 6, "--dataset", dataset)
    return dataset


def _measure(number: int, dataset: Path, shape: MergedShape, remark: str) -> None:
    run = _quickest(number, dataset)
    predicted = _plan(dataset, number)
    memory = _memory(predicted["memory_bytes"], run)
    _print(
        f"stage {number}  {shape.ps} PS x {shape.images - 1} {run.seconds:6.2f} s (processor "
        f"{run.processor_seconds:.2f} s), {remark}; predicted/measured: time "
        f"{predicted['seconds'] / run.seconds:.2f}, memory {memory}"
    )
    limit = predicted["least_memory_bytes"]
    run = _run(number, dataset, "--memory-limit", limit)
    _print(f"stage {number}  with the least memory: limit/resident {_memory(limit, run)}")
    if run.resident_bytes > limit:
        sys.exit(f"stage {number} took more than its memory limit")


def _beside_the_reference(number: int, dataset: Path) -> None:
    begin = time.perf_counter()
    artefacts = _REFERENCES[number](dataset)
    seconds = time.perf_counter() - begin
    run = _quickest(number, dataset)
    report = compare_with_reference(number, artefacts, dataset, scope="root", profile="own")
    if report.differences:
        sys.exit(f"stage {number}: native and reference differ:\n{report}")
    _print(
        f"stage {number}  {_SMALL.ps} x {_SMALL.images - 1}  native {run.seconds:6.2f} s  "
        f"reference {seconds:7.2f} s  ratio {seconds / run.seconds:6.1f}"
    )


def _quickest(number: int, dataset: Path) -> Run:
    runs = [_run(number, dataset) for _ in range(_REPEATS)]
    resident = max(run.resident_bytes for run in runs)
    return replace(min(runs, key=lambda run: run.seconds), resident_bytes=resident)


def _run(number: int, dataset: Path, *options: object) -> Run:
    return run_native("stage", number, "--dataset", dataset, "--force", *options)


def _plan(dataset: Path, number: int) -> dict[str, Any]:
    command = [str(find()), "plan", "--dataset", str(dataset), "--json"]
    plan = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    found: dict[str, Any] = plan[_PLANS[number]]
    return found


def _memory(limit_bytes: int, run: Run) -> str:
    ratio = limit_bytes / run.resident_bytes
    return f"{limit_bytes / 1e6:.1f}/{run.resident_bytes / 1e6:.1f} MB = {ratio:.2f}"


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
