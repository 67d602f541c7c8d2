"""Run the stages of a dataset: discover, plan, lock, run, report (orchestration.md)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pystamps_shim._binary import find, find_command, package_version
from pystamps_shim.errors import PystampsError, wrong_usage
from pystamps_shim.io.dataset import CONTROL_FOLDER, Dataset, discover_dataset
from pystamps_shim.pipeline.budget import Budget, free_memory_bytes
from pystamps_shim.pipeline.commands import Native
from pystamps_shim.pipeline.decisions import decide, refuse_impossible
from pystamps_shim.pipeline.display import Display, bytes_text, heading, make_display
from pystamps_shim.pipeline.estimates import Estimates, estimate
from pystamps_shim.pipeline.executor import LocalRunner, Runner, run_chains
from pystamps_shim.pipeline.facts import DatasetFacts, read_facts
from pystamps_shim.pipeline.jobs import JobKind, StageJob, default_threads
from pystamps_shim.pipeline.lock import exclusive_run
from pystamps_shim.pipeline.process import Program
from pystamps_shim.pipeline.report import REPORT_FILE, ReportFile
from pystamps_shim.pipeline.stopping import Stopper, signals_stop
from pystamps_shim.pipeline.types import (
    FIRST_STAGE,
    LAST_STAGE,
    PipelineContext,
    PipelineReport,
    RunState,
    StageResult,
    Status,
)
from pystamps_shim.pipeline.work_items import WorkItems


def run_pipeline(
    context: PipelineContext,
    *,
    parameters: Sequence[tuple[str, str]] = (),
    display: Display | None = None,
    report_path: Path | None = None,
) -> PipelineReport:
    """Run a range of stages on every patch and on the merged project.

    Parameters
    ----------
    context
        Dataset, settings, range.
    parameters
        Names and values to set in the dataset first, for good; a dry run only judges by them.
    display
        Who is told what happens; by default that of the settings' ``progress``.
    report_path
        Where to write the report, by default ``.pystamps/report.json`` of the dataset. A dry run
        writes one only where it is told to.

    Returns
    -------
    The results. What fails is among them, with cause and remedy; other patches go on.

    Raises
    ------
    PystampsError
        Nothing can be run: no dataset, an impossible range, another run at work, no program.
    """
    check_range(context)
    dataset = discover_dataset(context.dataset_root)
    display = make_display(context.run_config.runtime.progress) if display is None else display
    program, kind = _program_and_kind(context, display)
    items = WorkItems.of(context, dataset, kind)
    work = _Work(context, dataset, items, program, display)
    try:
        if context.dry_run:
            return work.dry_run(parameters, report_path)
        return work.run(parameters, report_path)
    finally:
        display.close()


@dataclass(frozen=True)
class _Work:
    """One call of `run_pipeline`."""

    context: PipelineContext
    dataset: Dataset
    items: WorkItems
    program: Program
    display: Display

    def dry_run(
        self, parameters: Sequence[tuple[str, str]], report_path: Path | None
    ) -> PipelineReport:
        """Say what a run would do."""
        facts = self._facts(parameters)
        decided = decide(self._patch_chains(), self.items.merged_chain(), facts)
        results = [*self.items.without_patches(), *decided]
        for result in results:
            self.display.result(result)
        state = _final_state(results, interrupted=False)
        report = self._report(report_path)
        report.write(results, state)
        return PipelineReport(tuple(results), state, report_path, report.content)

    def run(
        self, parameters: Sequence[tuple[str, str]], report_path: Path | None
    ) -> PipelineReport:
        """Run the stages."""
        stopper, results = Stopper(), self.items.without_patches()
        report = self._report(report_path or self.dataset.root / CONTROL_FOLDER / REPORT_FILE)
        words = f"pystamps run, stages {self.context.start_step} to {self.context.end_step}"
        with exclusive_run(self.dataset, words) as notes, signals_stop(stopper):
            for note in notes:
                self.display.note(note)
            report.write(results, RunState.RUNNING)
            try:
                self._refuse_or_set(parameters)
                for result in self._results(results, stopper):
                    results.append(result)
                    self.display.result(result)
                    report.write(results, RunState.RUNNING)
            except BaseException as error:
                report.write(results, RunState.FAILED, error)
                raise
            state = _final_state(results, interrupted=stopper.requested)
            changed = self._changed_meanwhile() if state is RunState.FINISHED else None
            if changed is not None:
                self.display.note(f"{changed.cause}: {changed.remedy}")
                state = RunState.FAILED
            report.write(results, state, changed)
        return PipelineReport(tuple(results), state, report.path, report.content)

    def _changed_meanwhile(self) -> PystampsError | None:
        """Return which results no longer fit, because somebody has changed what they are made of.

        Stages of different patches read the parameters at different times: what is outdated at the
        end may be a mixture.
        """
        try:
            stages = self._facts(()).stages
        except PystampsError as error:
            return error
        ran = [
            *(job for chain in self._patch_chains() for job in chain),
            *self.items.merged_chain(),
        ]
        known = (stages.get((job.stage_id, job.scope, job.target)) for job in ran)
        outdated = [one for one in known if one is not None and one.state == "outdated"]
        if not outdated:
            return None
        first = outdated[0]
        where = heading(first.stage_id, first.target)
        cause = f"parameters or files have changed during the run, and {where} is outdated already"
        return PystampsError(f"{cause} ({first.reason})", "run the same command again")

    def _facts(self, parameters: Sequence[tuple[str, str]]) -> DatasetFacts:
        engine = self.context.run_config.runtime.random_engine
        return read_facts(self.program, self.dataset.root, parameters, engine)

    def _patch_chains(self) -> list[list[StageJob]]:
        chains = (self.items.patch_chain(name) for name in self.dataset.patches)
        return [chain for chain in chains if chain]

    def _refuse_or_set(self, parameters: Sequence[tuple[str, str]]) -> None:
        """Refuse what cannot be run before anything is changed, then set parameters for good."""
        facts = self._facts(parameters)
        refuse_impossible(self._patch_chains(), self.items.merged_chain(), facts)
        for name, value in parameters:
            Native(self.program, quiet=True).set_parameter(name, value, self.dataset.root)

    def _results(self, before: list[StageResult], stopper: Stopper) -> Iterator[StageResult]:
        """Run every patch, the largest first, then the merged project; `before` fills meanwhile."""
        with self._runner(stopper) as (runner, slots, estimates):
            sizes = estimates.candidates
            chains = sorted(self._patch_chains(), key=lambda chain: -sizes.get(chain[0].target, 0))
            yield from run_chains(chains, slots, runner, stopper)
            failed = sorted({one.target for one in before if one.status is Status.FAILED})
            merged = self.items.merged_chain(without=failed)
            if failed and not self.context.run_config.runtime.allow_partial:
                details = f"upstream failed: {', '.join(failed)}"
                yield from (job.ended(Status.SKIPPED, details) for job in merged)
            elif merged:
                yield from run_chains([merged], 1, runner, stopper)

    @contextlib.contextmanager
    def _runner(self, stopper: Stopper) -> Iterator[tuple[Runner, int, Estimates]]:
        """Make what runs the jobs; say how many chains at a time, and what they need."""
        runtime = self.context.run_config.runtime
        patches = max(1, len(self.dataset.patches))
        if runtime.executor == "dask":
            from pystamps_shim.pipeline.cluster import cluster_runner  # noqa: PLC0415

            estimates = self._estimates(runtime.threads or 1, stopper)
            with cluster_runner(runtime, stopper, self.display.event) as cluster:
                yield cluster, patches, estimates
            return
        threads = runtime.threads or default_threads()
        workers = min(runtime.workers or threads, threads, patches)
        limit = runtime.memory_limit_bytes
        memory = limit or free_memory_bytes()
        budget = Budget(threads, memory, binding=limit is not None)
        estimates = self._estimates(max(1, threads // workers), stopper)
        self._warn_of_memory(estimates, memory)
        runner = LocalRunner(self.program, budget, estimates, stopper, self.display.event)
        yield runner, workers, estimates

    def _warn_of_memory(self, estimates: Estimates, available_bytes: int) -> None:
        """Say before anything starts which stage cannot keep to the memory there is."""
        for (number, _, target), need in estimates.needs.items():
            if need.least_memory_bytes > available_bytes:
                self.display.note(
                    f"warning: {heading(number, target)} needs at least "
                    f"{bytes_text(need.least_memory_bytes)} of memory, and there is "
                    f"{bytes_text(available_bytes)}"
                )
                return

    def _estimates(self, threads: int, stopper: Stopper) -> Estimates:
        engine = self.context.run_config.runtime.random_engine
        estimates = estimate(self.program, self.dataset.root, threads, engine, stopper)
        self.display.begin(estimates)
        return estimates

    def _report(self, path: Path | None) -> ReportFile:
        return ReportFile(path, self.dataset, self.context, package_version())


def _program_and_kind(context: PipelineContext, display: Display) -> tuple[Program, JobKind]:
    """Find the native program, and who is to compute.

    Publication, fingerprints and parameters are the native program's in any case.
    """
    backend, replay = context.run_config.runtime.backend, context.run_config.compat.strict_reference
    if backend == "reference" and not replay:
        display.note("the Python reference computes: many times slower than the native program")
        return find_command(), JobKind.REFERENCE
    return ((str(find()),) if backend == "native" else find_command()), JobKind.NATIVE


def check_range(context: PipelineContext) -> None:
    """Raise if the stages of a context are none that exist, or in the wrong order."""
    for option, step in (("--start-step", context.start_step), ("--end-step", context.end_step)):
        if not FIRST_STAGE <= step <= LAST_STAGE:
            cause = f"{option} is {step}, expected {FIRST_STAGE} to {LAST_STAGE}"
            raise wrong_usage(cause, f"change {option}")
    if context.start_step > context.end_step:
        cause = f"--start-step {context.start_step} comes after --end-step {context.end_step}"
        raise wrong_usage(cause, "change one of them")


def _final_state(results: Sequence[StageResult], *, interrupted: bool) -> RunState:
    if interrupted and any(result.status is Status.SKIPPED for result in results):
        return RunState.INTERRUPTED
    failed = any(result.status is Status.FAILED for result in results)
    return RunState.FAILED if failed else RunState.FINISHED
