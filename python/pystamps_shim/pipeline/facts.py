"""What the native program says of every stage of a dataset: present, current, due, and why."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pystamps_shim.errors import PystampsError
from pystamps_shim.io.dataset import Scope
from pystamps_shim.pipeline.process import Program, error_in_one_line


@dataclass(frozen=True)
class StageFacts:
    """One stage of one target as its files are now.

    Attributes
    ----------
    state
        ``current``, ``foreign`` (made by another program), ``outdated``, ``missing`` or
        ``damaged``.
    reason
        Why, in one line.
    origin
        ``native``, ``reference`` or ``replayed``; None where it was not run by us.
    reads, writes
        Files by name.
    invalidates
        Later results that a new run makes void.
    missing
        Files it needs that are not there.
    refusal
        Why it would not run with the parameters and files as they are, None if it would.
    refused_by_parameters
        Whether parameters alone are the reason, so that no earlier stage mends it.
    """

    stage_id: int
    scope: Scope
    target: str
    state: str
    reason: str
    origin: str | None
    reads: list[str]
    writes: list[str]
    invalidates: list[str]
    missing: list[str]
    refusal: str | None = None
    refused_by_parameters: bool = False

    @property
    def scope_is_damaged(self) -> bool:
        """Tell whether parameters or ledger of the scope cannot be read, which no run mends."""
        return self.state == "damaged" and not self.reads and self.refusal is None

    @property
    def stands(self) -> bool:
        """Tell whether its results need not be made again."""
        return self.state in ("current", "foreign")


@dataclass(frozen=True)
class DatasetFacts:
    """All stages of a dataset.

    Attributes
    ----------
    small_baselines
        Whether the dataset is a network of small baselines.
    stages
        Facts by stage, scope and target.
    in_use_by
        Native programs at work in scopes, by target.
    unfinished
        Targets whose last publication was interrupted; the next run completes it.
    """

    small_baselines: bool
    stages: dict[tuple[int, Scope, str], StageFacts]
    in_use_by: dict[str, str]
    unfinished: list[str]


def read_facts(
    program: Program,
    dataset: Path,
    parameters: Sequence[tuple[str, str]] = (),
    random_engine: str = "matlab",
) -> DatasetFacts:
    """Ask the native program; nothing is computed, locked or changed.

    Parameters
    ----------
    program
        The native program.
    dataset
        Folder of the dataset.
    parameters
        Names and values to judge by in place of the dataset's own.
    random_engine
        Whose random numbers the run in question draws.

    Raises
    ------
    PystampsError
        The dataset cannot be examined.
    """
    command = [*program, "status", "--dataset", str(dataset), "--json"]
    command += ["--random-engine", random_engine]
    for name, value in parameters:
        command += ["--set", f"{name}={value}"]
    answer = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if answer.returncode != 0:
        raise _refusal(answer.stdout, answer.stderr, answer.returncode)
    said = json.loads(answer.stdout)
    stages = [_stage(scope, stage) for scope in said["scopes"] for stage in scope["stages"]]
    return DatasetFacts(
        said["network"] == "small_baselines",
        {(one.stage_id, one.scope, one.target): one for one in stages},
        {one["target"]: one["in_use_by"] for one in said["scopes"] if one["in_use_by"]},
        [one["target"] for one in said["scopes"] if one["unfinished_publication"]],
    )


def kept_outcome(known: StageFacts) -> dict[str, Any]:
    """Return what the native program says of a stage that it leaves as it is."""
    return {
        "event": "outcome",
        "status": "skipped_existing",
        "details": known.reason,
        "replayed": known.origin == "replayed",
    }


def _stage(scope: dict[str, Any], stage: dict[str, Any]) -> StageFacts:
    return StageFacts(
        int(stage["stage"]),
        scope["scope"],
        scope["target"],
        stage["state"],
        stage["reason"],
        stage["origin"],
        reads=list(stage["reads"]),
        writes=list(stage["writes"]),
        invalidates=list(stage["invalidates"]),
        missing=list(stage["missing"]),
        refusal=stage["refusal"],
        refused_by_parameters=bool(stage["refused_by_parameters"]),
    )


def _refusal(stdout: bytes, stderr: bytes, code: int) -> PystampsError:
    """Return what the native program says is wrong."""
    for line in stdout.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and event.get("event") == "error":
            return PystampsError(error_in_one_line(event), str(event.get("remedy") or "mend it"))
    text = " ".join(stderr.decode("utf-8", errors="replace").split())
    return PystampsError(f"'pystamps-native status' ended with exit code {code}: {text}", "mend it")
