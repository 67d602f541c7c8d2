"""The jobs of a run: a chain a patch, and one of the merged project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pystamps_shim.config.model import RunConfig
from pystamps_shim.io.dataset import MERGED, Dataset, Scope
from pystamps_shim.pipeline.jobs import JobKind, StageJob
from pystamps_shim.pipeline.types import STAGES, PipelineContext, StageResult, Status

#: Stage 5 corrects every patch and then merges them.
_MERGE = 5


@dataclass(frozen=True)
class WorkItems:
    """Makes the jobs of a run.

    Attributes
    ----------
    dataset
        What they work on.
    config
        Settings.
    stages
        Numbers of the stages to run.
    kind
        Where results come from.
    """

    dataset: Dataset
    config: RunConfig
    stages: range
    kind: JobKind

    @classmethod
    def of(cls, context: PipelineContext, dataset: Dataset, kind: JobKind) -> WorkItems:
        """Return the work items of a context."""
        if context.run_config.compat.strict_reference:
            kind = JobKind.REPLAY
        stages = range(context.start_step, context.end_step + 1)
        return cls(dataset, context.run_config, stages, kind)

    def patch_chain(self, patch: str) -> list[StageJob]:
        """Return the jobs of a patch."""
        numbers = [stage.stage_id for stage in STAGES if stage.scope == "patch"]
        return [self._job(number, "patch", patch) for number in numbers if number in self.stages]

    def merged_chain(self, without: Sequence[str] = ()) -> list[StageJob]:
        """Return the jobs of the merged project; patches that failed are left out of the merge."""
        numbers = [_MERGE, *(stage.stage_id for stage in STAGES if stage.scope == "merged")]
        if not self.dataset.patches:
            numbers.remove(_MERGE)
        jobs = [self._job(number, "merged", MERGED) for number in numbers if number in self.stages]
        return [replace(job, without=tuple(without)) for job in jobs]

    def without_patches(self) -> list[StageResult]:
        """Return what becomes of the patch stages where the patches have been put away."""
        if self.dataset.patches:
            return []
        reason = "the dataset has no patches, only merged results"
        numbers = [stage.stage_id for stage in STAGES if stage.scope == "patch"]
        return [
            StageResult(number, "patch", MERGED, Status.SKIPPED, reason)
            for number in numbers
            if number in self.stages
        ]

    def _job(self, number: int, scope: Scope, target: str) -> StageJob:
        runtime, root = self.config.runtime, self.config.compat.reference_root
        return StageJob(
            number,
            scope,
            target,
            self.dataset.root,
            self.kind,
            None if root is None else Path(root).resolve(),
            runtime.random_engine,
            tuple(sorted(runtime.kernel_backend_overrides.items())),
            runtime.force,
            runtime.allow_partial,
        )
