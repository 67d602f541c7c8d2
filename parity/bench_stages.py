"""Measure stages 1 to 6 on simulated patches: ``python -m parity.bench_stages``.

Time, throughput and memory beside what ``plan`` predicts, the native stages beside the Python
reference on a smaller patch, and the goals for stages 3, 5 and 6. ``[CANDIDATES
INTERFEROGRAMS]`` set the size of the first table, ``--lean`` and ``--reference`` those of the
smaller patches.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from parity.measured_run import Run, run_native
from parity.readers import read_mat_file
from parity.stages import compare_with_reference
from parity.synthetic_merged import MergedShape, write_merged
from pystamps_shim._binary import find
from pystamps_shim.pipeline.ported import (
    stage1_load_initial,
    stage2_estimate_gamma,
    stage3_select_ps,
    stage4_weed_ps,
    stage5_correct_and_promote,
    stage5_merge_and_ifgstd,
    stage6_unwrap,
)
from pystamps_shim.reference.outputs import write_artefacts
from pystamps_shim.simulate.dataset import DatasetSize, write_dataset
from pystamps_shim.simulate.scene import PRESETS

Size = tuple[int, int]

_REPEATS = 2
#: Selected candidates, interferograms and seconds of the goal for stage 3; candidates and pixels
#: (m) of a scene that has them, so dense that about six of them share a cell.
_GOAL_STAGE3 = (50_000, 107, 10.0)
_GOAL_SCENE = (138_000, 107)
_GOAL_PIXEL_M = 2.55
#: PS, images, side (m) and seconds of the goal for stage 6, with cells of 200 m.
_GOAL_STAGE6 = MergedShape(ps=77_850, images=77, master=38, extent_m=50_000.0, cell_m=200.0)
_GOAL_STAGE6_S = 15.0
#: Many more cells than PS, and a project that the reference manages too.
_SPARSE_STAGE6 = MergedShape(ps=6_000, images=12, extent_m=100_000.0, cell_m=50.0)
_SMALL_STAGE6 = MergedShape(ps=6_000, images=30, extent_m=15_000.0, cell_m=200.0, noise_rad=0.6)


@dataclass(frozen=True)
class Step:
    """One stage of one scope.

    Attributes
    ----------
    name
        For the table.
    number
        Stage.
    merged
        Whether of the whole project.
    reference
        Returns the same artefacts for the folder of the scope.
    """

    name: str
    number: int
    merged: bool
    reference: Callable[[Path], Any]

    def scope(self, dataset: Path) -> Path:
        """Return the folder of the scope."""
        return dataset if self.merged else dataset / "PATCH_1"

    def run(self, dataset: Path, *options: object) -> Run:
        """Run it as if nothing of it were there yet."""
        for remembered in dataset.glob(".pystamps/cache/random-coherence-*.mat"):
            remembered.unlink()
        if self.number == 6:
            return run_native("stage", 6, "--dataset", dataset, "--force", *options)
        if self.merged:
            # The patches are left alone: they are up to date, only the merge is not.
            dataset.joinpath("ifgstd2.mat").unlink(missing_ok=True)
            return run_native("stage", self.number, "--dataset", dataset, *options)
        patch = self.scope(dataset)
        return run_native("stage", self.number, "--patch", patch, "--force", *options)


_STEPS = (
    Step("stage 1", 1, merged=False, reference=stage1_load_initial),
    Step("stage 2", 2, merged=False, reference=stage2_estimate_gamma),
    Step("stage 3", 3, merged=False, reference=stage3_select_ps),
    Step("stage 4", 4, merged=False, reference=stage4_weed_ps),
    Step("stage 5 patch", 5, merged=False, reference=stage5_correct_and_promote),
    Step("stage 5 merge", 5, merged=True, reference=stage5_merge_and_ifgstd),
    Step("stage 6", 6, merged=True, reference=stage6_unwrap),
)


def main() -> None:
    """Print the tables."""
    arguments = _arguments()
    _print(f"load of the machine before: {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores")
    if arguments.unwrapping:
        _print_unwrapping()
        return
    with tempfile.TemporaryDirectory() as folder:
        _print_predictions(_simulated(Path(folder), arguments.size), arguments.size, lean=False)
    with tempfile.TemporaryDirectory() as folder:
        _print_predictions(_simulated(Path(folder), arguments.lean), arguments.lean, lean=True)
    with tempfile.TemporaryDirectory() as folder:
        _print_ratios(_simulated(Path(folder), arguments.reference), arguments.reference)
    if not arguments.no_goal:
        with tempfile.TemporaryDirectory() as folder:
            _print_goal(_simulated(Path(folder), _GOAL_SCENE, _GOAL_PIXEL_M))
        _print_unwrapping()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m parity.bench_stages", description=__doc__)
    names = ("CANDIDATES", "IFGS")
    parser.add_argument("size", nargs="*", type=int, metavar="N", help=" ".join(names))
    parser.add_argument("--lean", nargs=2, type=int, metavar=names, default=(30_000, 20))
    parser.add_argument("--reference", nargs=2, type=int, metavar=names, default=(4_000, 20))
    parser.add_argument("--unwrapping", action="store_true", help="measure stage 6 alone")
    parser.add_argument("--no-goal", action="store_true", help="leave the goal of stage 3 out")
    arguments = parser.parse_args()
    arguments.size = tuple(arguments.size) or (100_000, 76)
    if len(arguments.size) != len(names):
        parser.error("give both numbers, CANDIDATES and IFGS")
    return arguments


def _simulated(folder: Path, size: Size, pixel_m: float | None = None) -> Path:
    dataset = folder / "dataset"
    dataset.mkdir()
    scene = replace(PRESETS["demo"], seed=1)
    if pixel_m is not None:
        scene = replace(scene, range_spacing_m=pixel_m, azimuth_spacing_m=pixel_m)
    write_dataset(scene, DatasetSize(*size, patches=1), dataset, dataset)
    return dataset


def _print_predictions(dataset: Path, size: Size, *, lean: bool) -> None:
    """Every stage in turn; `lean`: once more with the least memory that is predicted to do."""
    runs = [_quickest(step, dataset) for step in _STEPS]
    plan = _plan(dataset)
    plans = [*plan["patches"][0]["stages"], plan["merge"], plan["unwrap"]]
    candidates, interferograms = size
    for step, run, predicted in zip(_STEPS, runs, plans, strict=True):
        rate = candidates * interferograms / run.seconds / 1e6
        _print(
            f"{step.name:<14}{candidates} x {interferograms} {run.seconds:7.2f} s "
            f"(processor {run.processor_seconds:7.2f} s) {rate:6.1f} M samples/s  "
            f"predicted/measured: time {predicted['seconds'] / run.seconds:5.2f}, "
            f"memory {_memory(predicted['memory_bytes'], run)}"
        )
    for step, predicted in zip(_STEPS, plans, strict=True):
        limit = predicted["least_memory_bytes"]
        if lean and limit < predicted["memory_bytes"]:
            run = step.run(dataset, "--memory-limit", limit)
            _print(f"{step.name:<14}least memory limit/resident: {_memory(limit, run)}")
            if run.resident_bytes > limit:
                sys.exit(f"{step.name} took more than its memory limit")
    if not lean:
        _print_merge_rate(dataset, runs[-2])


def _memory(limit_bytes: int, run: Run) -> str:
    ratio = limit_bytes / run.resident_bytes
    return f"{limit_bytes / 1e6:.1f}/{run.resident_bytes / 1e6:.1f} MB = {ratio:.2f}"


def _print_merge_rate(dataset: Path, merge: Run) -> None:
    """Set the merge beside a plain copy of what it writes, synced like its own files."""
    files = [path for path in dataset.glob("*.mat") if path.name != "parms.mat"]
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    target = dataset / "copy"
    target.mkdir()
    begin = time.perf_counter()
    for path in files:
        with path.open("rb") as source, target.joinpath(path.name).open("wb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
            copy.flush()
            os.fsync(copy.fileno())
    seconds = time.perf_counter() - begin
    _print(
        f"stage 5 merge writes {megabytes:.0f} MB at {megabytes / merge.seconds:.0f} MB/s, "
        f"a plain copy at {megabytes / seconds:.0f} MB/s"
    )


def _print_ratios(dataset: Path, size: Size) -> None:
    """Every stage beside its reference, which reads the same files first and writes beside."""
    written = dataset / "reference"
    written.mkdir()
    for step in _STEPS:
        scope = step.scope(dataset)
        begin = time.perf_counter()
        artefacts = step.reference(scope)
        write_artefacts(written, artefacts)
        reference_seconds = time.perf_counter() - begin
        run = _quickest(step, dataset)
        _check_agreement(step, artefacts, scope)
        _print(
            f"{step.name:<14}{size[0]} x {size[1]}  native {run.seconds:6.2f} s  "
            f"reference {reference_seconds:7.2f} s  ratio {reference_seconds / run.seconds:6.1f}"
        )


def _check_agreement(step: Step, artefacts: Any, scope: Path) -> None:
    if step.number == 2:
        return  # Random phase on the edge of a bin may fall to either side: see the tests.
    profile = {1: None, 6: "own"}.get(step.number, "simulated")
    where = "root" if step.merged else "patch"
    report = compare_with_reference(step.number, artefacts, scope, scope=where, profile=profile)
    if report.differences:
        sys.exit(f"{step.name}: native and reference differ:\n{report}")


def _print_goal(dataset: Path) -> None:
    for step in _STEPS[:2]:
        step.run(dataset)
    run = _quickest(_STEPS[2], dataset)
    patch = dataset / "PATCH_1"
    selected = read_mat_file(patch / "select1.mat")["ix"].values.ravel().astype(int) - 1
    of_selected = read_mat_file(patch / "pm1.mat")["grid_ij"].values[selected]
    filtered = len(np.unique(of_selected, axis=0))
    wanted, interferograms, goal_s = _GOAL_STAGE3
    scaled = run.seconds * wanted / len(selected)
    _print(
        f"stage 3 re-estimates {len(selected)} candidates x {interferograms} in {filtered} cells "
        f"({len(selected) / filtered:.1f} a cell): {run.seconds:.2f} s "
        f"(processor {run.processor_seconds:.2f} s), for {wanted}: {scaled:.2f} s, goal {goal_s} s"
    )


def _print_unwrapping() -> None:
    """Stage 6 on merged projects: the goal, a large sparse grid, and beside the reference."""
    for shape in (_GOAL_STAGE6, _SPARSE_STAGE6):
        with tempfile.TemporaryDirectory() as folder:
            _print_stage_6(write_merged(Path(folder) / "dataset", shape).folder, shape)
    with tempfile.TemporaryDirectory() as folder:
        dataset = write_merged(Path(folder) / "dataset", _SMALL_STAGE6).folder
        begin = time.perf_counter()
        stage6_unwrap(dataset)
        seconds = time.perf_counter() - begin
        run = _quickest(_STEPS[-1], dataset)
        _print(
            f"stage 6       {_SMALL_STAGE6.ps} x {_SMALL_STAGE6.images - 1}  native "
            f"{run.seconds:6.2f} s  reference {seconds:7.2f} s  ratio {seconds / run.seconds:6.1f}"
        )


def _print_stage_6(dataset: Path, shape: MergedShape) -> None:
    run = _quickest(_STEPS[-1], dataset)
    predicted = _plan(dataset)["unwrap"]
    log = json.loads((dataset / "uw_solver.json").read_text(encoding="utf-8"))
    grid = " x ".join(str(side) for side in log["grid"])
    residues = sum(record["residues"] for record in log["interferograms"])
    goal = f", goal {_GOAL_STAGE6_S} s" if shape is _GOAL_STAGE6 else ""
    _print(
        f"stage 6 unwraps {shape.ps} PS x {len(log['interferograms'])} on {grid} cells with "
        f"{log['nodes']} nodes, {log['edges']} edges and {residues} residues: {run.seconds:.2f} s "
        f"(processor {run.processor_seconds:.2f} s){goal}; predicted/measured: time "
        f"{predicted['seconds'] / run.seconds:.2f}, "
        f"memory {_memory(predicted['memory_bytes'], run)}"
    )
    limit = predicted["least_memory_bytes"]
    run = _STEPS[-1].run(dataset, "--memory-limit", limit)
    _print(f"stage 6 with the least memory: limit/resident {_memory(limit, run)}")
    if run.resident_bytes > limit:
        sys.exit("stage 6 took more than its memory limit")


def _quickest(step: Step, dataset: Path, *options: object) -> Run:
    runs = [step.run(dataset, *options) for _ in range(_REPEATS)]
    resident = max(run.resident_bytes for run in runs)
    return replace(min(runs, key=lambda run: run.seconds), resident_bytes=resident)


def _plan(dataset: Path) -> dict[str, Any]:
    command = [str(find()), "plan", "--dataset", str(dataset), "--json"]
    plan: dict[str, Any] = json.loads(
        subprocess.run(command, check=True, capture_output=True).stdout
    )
    return plan


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
