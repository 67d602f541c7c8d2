"""Measure one scene: what was predicted, what it took."""

from __future__ import annotations

import json
import os
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from parity.scale.scenes import Scene, written
from parity.scale.threads import THREADS_GAIN, Sharing, measure_sharing
from parity.scale.watched_run import WatchedRun, stage_name, watched_run
from pystamps_shim._binary import find
from pystamps_shim.pipeline.estimates import MERGED_PLANS

#: How far ``plan`` may be off.
TIME_TOLERANCE = 0.3
MEMORY_TOLERANCE = 0.15


@dataclass
class Predicted:
    """What ``plan`` says of one stage: sum of the times, s, and largest memory of all patches."""

    seconds: float = 0.0
    peak_bytes: int = 0


@dataclass
class Measured:
    """A scene, what was predicted for it and what its run took.

    Attributes
    ----------
    scene
        The scene.
    run
        What the run took.
    predicted
        By stage.
    predicted_s
        Time of all stages, as ``plan`` says it for all threads, s.
    candidates, scatterers
        Candidates of all patches with their overlaps, and PS of the merged dataset.
    sharings
        What one thread takes, after each run with all threads; none if that was not measured.
    """

    scene: Scene
    run: WatchedRun
    predicted: dict[str, Predicted]
    predicted_s: float
    candidates: int
    scatterers: int
    sharings: tuple[Sharing, ...] = ()

    @property
    def gain(self) -> float | None:
        """How many times as fast all threads are as one, pair by pair; None if not measured."""
        return median(each.gain for each in self.sharings) if self.sharings else None

    @property
    def gain_of_the_fastest(self) -> float:
        """How many times as fast the fastest run with all threads is as that with one."""
        one_thread_s = min(each.one_thread_s for each in self.sharings)
        return one_thread_s / min(each.all_threads_s for each in self.sharings)

    @property
    def predicted_peak_bytes(self) -> int:
        """Memory predicted for the largest program."""
        return max(each.peak_bytes for each in self.predicted.values())

    @property
    def largest_program_bytes(self) -> int:
        """Memory of the largest program."""
        return max(cost.peak_bytes for cost in self.run.stages.values())

    def samples(self, stage: str) -> int:
        """Return how many samples a stage works on: rows times interferograms."""
        rows = self.candidates if stage in ("1", "2", "3", "4") else self.scatterers
        return rows * self.scene.interferograms

    def misses(self) -> list[str]:
        """Return the limits that were not kept, in words."""
        scene, run, missed = self.scene, self.run, []
        if scene.limit_s is not None and run.seconds > scene.limit_s:
            missed.append(f"{scene.name} took {run.seconds:.0f} s of {scene.limit_s:.0f}")
        if scene.limit_bytes is not None and run.peak_bytes > scene.limit_bytes:
            missed.append(f"{scene.name} took {run.peak_bytes:,} bytes of {scene.limit_bytes:,}")
        if self.gain is not None and self.gain < THREADS_GAIN:
            missed.append(f"all threads are {self.gain:.2f} times as fast as one on {scene.name}")
        return missed + (self._wrong_predictions() if scene.predictable else [])

    def _wrong_predictions(self) -> list[str]:
        time = self.predicted_s / self.run.seconds
        memory = self.predicted_peak_bytes / self.largest_program_bytes
        missed = []
        if abs(time - 1) > TIME_TOLERANCE:
            missed.append(f"{time:.2f} of the time of {self.scene.name} was predicted")
        if abs(memory - 1) > MEMORY_TOLERANCE:
            missed.append(f"{memory:.2f} of the memory of {self.scene.name} was predicted")
        return missed


def measure(scene: Scene, work: Path) -> Measured:
    """Write a scene, predict it and run it, as often as it says."""
    threads = os.cpu_count() or 1
    with written(scene, work) as dataset:
        plan = _plan(dataset, threads)
        # Patches side by side have a thread each.
        of_patches = plan if scene.patches == 1 else _plan(dataset, 1)
        run = watched_run(dataset, *scene.options)
        kept = _plan(dataset, threads, "--without-times")["merged_sizes"]["scatterers"]
    found, sharings = [run], []
    for number in range(scene.runs):
        if number:
            found.append(run_again(scene, work))
        if scene.one_thread:
            sharings.append(measure_sharing(scene, work, found[-1].seconds))
    run = min(found, key=lambda run: run.seconds)
    predicted = _predicted(of_patches, plan)
    candidates = sum(int(patch["candidates"]) for patch in plan["patches"])
    due_s = plan["due_seconds"]
    return Measured(scene, run, predicted, due_s, candidates, int(kept), tuple(sharings))


def run_again(scene: Scene, work: Path) -> WatchedRun:
    """Write a scene and run it."""
    with written(scene, work) as dataset:
        return watched_run(dataset, *scene.options)


def _predicted(of_patches: dict[str, Any], merged: dict[str, Any]) -> dict[str, Predicted]:
    found: dict[str, Predicted] = defaultdict(Predicted)
    stages = [(stage, "patch") for patch in of_patches["patches"] for stage in patch["stages"]]
    stages += [({**merged[key], "stage": number}, "merged") for number, key in MERGED_PLANS.items()]
    for stage, scope in stages:
        each = found[stage_name(int(stage["stage"]), scope)]
        each.seconds += stage["seconds"]
        each.peak_bytes = max(each.peak_bytes, int(stage["memory_bytes"]))
    return dict(found)


def _plan(dataset: Path, threads: int, *options: str) -> dict[str, Any]:
    """Return what ``plan`` predicts for programs of so many threads."""
    command = [str(find()), "plan", "--dataset", str(dataset), "--threads", str(threads), "--json"]
    done = subprocess.run([*command, *options], check=True, capture_output=True)
    plan: dict[str, Any] = json.loads(done.stdout)
    return plan
