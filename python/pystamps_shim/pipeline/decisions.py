"""What a run would do, in the decision order of orchestration.md, without doing it."""

from __future__ import annotations

from collections.abc import Sequence

from pystamps_shim.errors import PystampsError, wrong_usage
from pystamps_shim.io.dataset import MERGED, expected_stage_bundle
from pystamps_shim.pipeline.executor import UPSTREAM_FAILED, Chain
from pystamps_shim.pipeline.facts import DatasetFacts, StageFacts
from pystamps_shim.pipeline.jobs import JobKind, StageJob
from pystamps_shim.pipeline.types import StageResult, Status


def decide(chains: Sequence[Chain], merged: Chain, facts: DatasetFacts) -> list[StageResult]:
    """Return what would become of every job.

    A stage after one that runs again runs again too: its inputs change. One that would fail ends
    its chain, and the merged stages unless they may do without.

    Raises
    ------
    PystampsError
        The range cannot be run: a stage needs files that no stage before it in the range makes.
    """
    results: list[StageResult] = []
    upstream = None
    impossible: list[PystampsError] = []
    for chain in chains:
        try:
            decided, running = _decide_chain(chain, facts, None)
        except PystampsError as error:
            # What one patch lacks does not stop the others; what all lack is no range.
            impossible.append(error)
            details = f"{error.cause}; {error.remedy}"
            decided = [chain[0].ended(Status.FAILED, details)]
            decided += [job.ended(Status.SKIPPED, UPSTREAM_FAILED) for job in chain[1:]]
            running = None
        results += decided
        upstream = upstream or running
    if impossible and len(impossible) == len(chains):
        raise impossible[0]
    failed = [result.target for result in results if result.status is Status.FAILED]
    if failed and not any(job.allow_partial for job in merged):
        details = f"{UPSTREAM_FAILED}: {', '.join(failed)}"
        return results + [job.ended(Status.SKIPPED, details) for job in merged]
    decided, _ = _decide_chain(merged, facts, upstream)
    return results + decided


def refuse_impossible(chains: Sequence[Chain], merged: Chain, facts: DatasetFacts) -> None:
    """Raise before any work where the range, or a parameter of one of its stages, is impossible.

    Raises
    ------
    PystampsError
        As `decide`, and for a parameter that a stage would refuse.
    """
    decide(chains, merged, facts)
    for job in (*(job for chain in chains for job in chain), *merged):
        known = facts.stages.get((job.stage_id, job.scope, job.target))
        if known is None or known.refusal is None or not known.refused_by_parameters:
            continue
        if job.force or not known.stands:
            cause = f"stage {job.stage_id} would be refused: {known.refusal}"
            raise wrong_usage(cause, "change the parameter, or end earlier")


def _decide_chain(
    chain: Chain, facts: DatasetFacts, upstream: str | None
) -> tuple[list[StageResult], str | None]:
    """Return the results of a chain, and which stage before would run if one would."""
    results: list[StageResult] = []
    for job in chain:
        if results and results[-1].status in (Status.FAILED, Status.SKIPPED):
            results.append(job.ended(Status.SKIPPED, UPSTREAM_FAILED))
            continue
        known = facts.stages.get((job.stage_id, job.scope, job.target))
        if known is None:
            results.append(job.ended(Status.SKIPPED, "there is no such stage in this scope"))
            continue
        result = _decide(job, known, facts, upstream)
        results.append(result)
        if result.status is Status.PLANNED and upstream is None:
            where = "" if job.target == MERGED else f" of {job.target}"
            upstream = f"stage {job.stage_id}{where}"
    return results, upstream


def _decide(
    job: StageJob, known: StageFacts, facts: DatasetFacts, upstream: str | None
) -> StageResult:
    runs_anyway = upstream is not None or job.force
    if known.scope_is_damaged or (known.state == "damaged" and not runs_anyway):
        return job.ended(Status.FAILED, f"{known.reason}; mend it, or remove the damaged file")
    if known.stands and not runs_anyway:
        return StageResult(
            job.stage_id,
            job.scope,
            job.target,
            Status.SKIPPED_EXISTING,
            known.reason,
            replayed=known.origin == "replayed",
        )
    reason = known.reason
    if known.stands:
        reason = "asked for (force)" if upstream is None else f"{upstream} runs before it"
    if job.kind is JobKind.REPLAY:
        return _replay(job, reason, known, facts)
    # What an interrupted publication has not shown yet, the run itself will show first.
    if upstream is None and not facts.unfinished:
        lacking = [] if job.allow_partial else known.missing
        lacking = lacking or _unfinished_before(job, facts)
        if lacking:
            raise _impossible(job, lacking)
    if known.refusal is not None and (upstream is None or known.refused_by_parameters):
        return job.ended(Status.FAILED, f"{known.refusal}; change it, then run")
    return _planned(job, reason, known, known.reads)


def _unfinished_before(job: StageJob, facts: DatasetFacts) -> list[str]:
    """Return the marker of the stage before in the same scope, if that has no results."""
    before = facts.stages.get((job.stage_id - 1, job.scope, job.target))
    if before is None or before.state != "missing":
        return []
    return list(
        expected_stage_bundle(before.stage_id, job.scope, small_baselines=facts.small_baselines)[:1]
    )


def _replay(job: StageJob, reason: str, known: StageFacts, facts: DatasetFacts) -> StageResult:
    source = (job.reference_root or job.dataset) / job.target
    bundle = expected_stage_bundle(job.stage_id, job.scope, small_baselines=facts.small_baselines)
    missing = [name for name in bundle if not (source / name).is_file()]
    if missing:
        details = f"the reference {source} lacks {', '.join(missing)}"
        return job.ended(Status.FAILED, f"{details}; name another --reference-root")
    reads = [str(source / name) for name in bundle]
    return _planned(job, f"{reason}; copied from {source}", known, reads)


def _planned(job: StageJob, reason: str, known: StageFacts, reads: list[str]) -> StageResult:
    files = {"reads": reads, "writes": known.writes, "removes": known.invalidates}
    details = reason
    if known.invalidates:
        details += f"; removes {', '.join(known.invalidates)}"
    return StageResult(job.stage_id, job.scope, job.target, Status.PLANNED, details, plan=files)


def _impossible(job: StageJob, lacking: list[str]) -> PystampsError:
    where = "the merged project" if job.target == MERGED else job.target
    cause = (
        f"stage {job.stage_id} of {where} needs {', '.join(lacking)}, which no stage of "
        "this range makes"
    )
    remedy = "begin earlier: lower --start-step"
    if job.stage_id == 1:
        remedy = f"prepare the patch again, or take {job.target} out of patch.list"
    return wrong_usage(cause, remedy)
