"""The original's files before a stage, laid out as a dataset that can be processed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from parity.certification.cases import Case
from parity.certification.scopes import PATCH
from parity.chain import preparation_options
from parity.oracle import (
    DATASET_PLACEHOLDER,
    Scene,
    dataset_after,
    shared_scene,
    with_rasters,
)
from parity.stages import patches_of

#: Parameters hold the day they were created: a fixed one, so that files can be compared by hash.
_DAY_OF_PARAMETERS = "1600000000"
#: No stage of the oracle's scenes takes a tenth of this.
_TIMEOUT_S = 300
MERGED_PLACE = "."
#: Where stage 6 keeps what SNAPHU would be handed.
KEPT_COSTS = "pystamps_costs"


@dataclass(frozen=True)
class Outcome:
    """How one call of the native program ended.

    Attributes
    ----------
    arguments
        Its arguments.
    code
        Its exit code.
    text
        What it wrote to standard error.
    """

    arguments: tuple[str, ...]
    code: int
    text: str

    @property
    def failure(self) -> str | None:
        """Return how it failed, None if it did not."""
        if not self.code:
            return None
        last = (self.text.strip().splitlines() or ["without a word"])[-1]
        return f"exit code {self.code}: {last}"


@dataclass(frozen=True)
class Workspace:
    """A case laid out on disk.

    Attributes
    ----------
    case
        The case.
    oracle
        Folder of the oracle's scenes.
    dataset
        Dataset to process; for preparation one that is not there yet.
    scene
        The scene with its raw export, for stages 0 and 1; None for the others.
    timeout_s
        Longest that one call of the program may take; None for any time.
    """

    case: Case
    oracle: Path
    dataset: Path
    scene: Scene | None
    timeout_s: int | None = _TIMEOUT_S

    @property
    def substitutions(self) -> Mapping[str, str]:
        """Return what the placeholders in the original's texts stand for here."""
        if self.scene is None:
            return {}
        placeholder = f"{DATASET_PLACEHOLDER}/{self.scene.name}"
        return {**self.scene.substitutions, placeholder: str(self.dataset)}

    @property
    def places(self) -> list[str]:
        """Return where the stage works: patches, or the merged dataset."""
        stage_scope = self.case.stage_scope
        on_patches = stage_scope.stage > 0 and stage_scope.scope == PATCH
        return patches_of(self.dataset) if on_patches else [MERGED_PLACE]

    def inputs(self) -> dict[str, Path]:
        """Return every file of the original that the stage can read, by its place."""
        found = self._files(self.dataset, "") if self.dataset.exists() else {}
        if self.scene is not None:
            found |= self._files(self.scene.export, "export/")
        # No stage reads the generator's truth, and its last bits are those of the machine.
        found.pop("export/truth.npz", None)
        return found

    def process(self, program: Path, threads: int) -> list[Outcome]:
        """Run the stage on all its places, with a number of threads."""
        more = ["--threads", str(threads)]
        return [
            run_native(program, [*command, *more], self.timeout_s) for command in self._commands()
        ]

    def _commands(self) -> list[list[str]]:
        case, stage = self.case, self.case.stage_scope.stage
        if stage == 0:
            return [self._preparation()]
        commands = []
        for place in self.places:
            where = ["--dataset", str(self.dataset)]
            if place != MERGED_PLACE:
                where = ["--patch", str(self.dataset / place)]
            commands.append(["stage", str(stage), *where, *case.arguments(self.oracle, place)])
        return commands

    def _preparation(self) -> list[str]:
        assert self.scene is not None, "invariant: preparation has an export"
        where = ["--export", str(self.scene.export), "--dataset", str(self.dataset)]
        return ["prep", "snap", *where, *preparation_options(self.scene.name)]

    @staticmethod
    def _files(folder: Path, prefix: str) -> dict[str, Path]:
        paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
        names = ((path.relative_to(folder), path) for path in paths)
        return {
            f"{prefix}{name.as_posix()}": path
            for name, path in names
            if not any(part.startswith(".") for part in name.parts)
        }


def run_native(program: Path, arguments: list[str], timeout_s: int | None = _TIMEOUT_S) -> Outcome:
    """Run the native program, on a fixed day and without a word on standard output."""
    command = [str(program), *arguments, "--progress", "none"]
    try:
        result = subprocess.run(
            command,
            env={**os.environ, "SOURCE_DATE_EPOCH": _DAY_OF_PARAMETERS},
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired:
        return Outcome(tuple(arguments), -1, f"stopped after {timeout_s} s")
    return Outcome(tuple(arguments), result.returncode, result.stderr)


def lay_out(case: Case, oracle: Path, work: Path) -> Workspace:
    """Lay out a case in an empty folder."""
    stage = case.stage_scope.stage
    dataset = work / "dataset"
    if stage == 0:
        scene = shared_scene(oracle, case.scene)
        if not any(scene.export.rglob("*.rslc")):
            scene = with_rasters(oracle, scene, work / "export" / scene.name)
        return Workspace(case, oracle, dataset, scene)
    if stage == 1:
        scene = shared_scene(oracle, case.scene)
        scene.prepared(dataset)
        return Workspace(case, oracle, dataset, scene)
    start = stage - 1 if case.start is None else case.start
    # A stage that starts from its own patches is the merge.
    merged = start < stage or case.stage_scope.scope == PATCH
    dataset_after(oracle, case.scene, start, dataset, case.parameters, merged=merged)
    return Workspace(case, oracle, dataset, None)
