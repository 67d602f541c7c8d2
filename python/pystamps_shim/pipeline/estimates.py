"""What the stages will need, as ``pystamps-native plan`` predicts it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pystamps_shim.io.dataset import MERGED, Scope
from pystamps_shim.pipeline.process import Program
from pystamps_shim.pipeline.stopping import Stopper

#: Work that writes so much takes a minute or more: then it is worth timing the machine for it.
_TIMED_BYTES = 1_500_000_000
#: Under which key a plan holds each stage of the merged dataset.
MERGED_PLANS = {5: "merge", 6: "unwrap", 7: "look_angle_error", 8: "noise_filter"}


@dataclass(frozen=True)
class Need:
    """What one stage needs.

    Attributes
    ----------
    memory_bytes
        Memory it takes if it is free to.
    least_memory_bytes
        Memory it can keep to.
    disk_bytes
        What it writes.
    seconds
        How long it takes, None where that was not predicted.
    """

    memory_bytes: int = 0
    least_memory_bytes: int = 0
    disk_bytes: int = 0
    seconds: float | None = None


@dataclass(frozen=True)
class Estimates:
    """What is known of a dataset before anything starts.

    Attributes
    ----------
    candidates
        Candidates by patch.
    interferograms
        Number of interferograms.
    scatterers
        PS of the merged dataset, assumed or counted; None if unknown.
    needs
        Needs by stage, scope and target.
    due_disk_bytes
        What the stages that are due write.
    due_seconds
        How long they take one after the other, None where that was not predicted.
    free_disk_bytes
        Free space of the file system, None where the system does not tell.
    warnings
        What a user should know before starting.
    """

    candidates: dict[str, int] = field(default_factory=dict)
    interferograms: int = 0
    scatterers: int | None = None
    needs: dict[tuple[int, Scope, str], Need] = field(default_factory=dict)
    due_disk_bytes: int = 0
    due_seconds: float | None = None
    free_disk_bytes: int | None = None
    warnings: tuple[str, ...] = ()

    def need(self, stage_id: int, scope: Scope, target: str) -> Need:
        """Return what a stage needs; nothing where that is not known."""
        return self.needs.get((stage_id, scope, target), Need())


def estimate(
    program: Program, dataset: Path, threads: int, random_engine: str, stopper: Stopper
) -> Estimates:
    """Ask the native program what a dataset will need.

    The machine is timed, for two seconds, only where much is to be done. A dataset that
    cannot be planned is no error here: its stages say what is wrong.
    """
    command = [*program, "plan", "--dataset", str(dataset), "--json", "--threads", str(threads)]
    command += ["--random-engine", random_engine]
    plan = _answer([*command, "--without-times"], stopper)
    if isinstance(plan, dict) and plan["due_disk_bytes"] > _TIMED_BYTES:
        plan = _answer(command, stopper)
    if isinstance(plan, str):
        return Estimates(warnings=(f"needs cannot be predicted: {plan}",))
    needs: dict[tuple[int, Scope, str], Need] = {}
    for patch in plan["patches"]:
        for stage in patch["stages"]:
            needs[(int(stage["stage"]), "patch", patch["name"])] = _need(stage)
    for stage_id, key in MERGED_PLANS.items():
        needs[(stage_id, "merged", MERGED)] = _need(plan[key])
    return Estimates(
        {patch["name"]: int(patch["candidates"]) for patch in plan["patches"]},
        int(plan["interferograms"]),
        int(plan["merged_sizes"]["scatterers"]),
        needs,
        int(plan["due_disk_bytes"]),
        plan["due_seconds"],
        plan["free_disk_bytes"],
        tuple(plan["warnings"]),
    )


def _answer(command: list[str], stopper: Stopper) -> dict[str, Any] | str:
    """Return the plan, or why there is none."""
    with (
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process,
        stopper.watching(process),
    ):
        answer, complaint = process.communicate()
    if process.returncode != 0:
        said = complaint.decode("utf-8", errors="replace").strip().splitlines() or ["no reason"]
        return said[0]
    plan: dict[str, Any] = json.loads(answer)
    return plan


def _need(stage: dict[str, Any]) -> Need:
    return Need(
        int(stage["memory_bytes"]),
        int(stage["least_memory_bytes"]),
        int(stage["disk_bytes"]),
        stage["seconds"],
    )
