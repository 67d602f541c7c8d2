"""Every scope and file of two datasets, in the order of the stages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pystamps_shim.errors import PystampsError
from pystamps_shim.progress import tracked
from pystamps_shim.verification.contracts import FilePolicy
from pystamps_shim.verification.files import FileComparison
from pystamps_shim.verification.folders import SIDES, DatasetFolder
from pystamps_shim.verification.pixels import Matcher
from pystamps_shim.verification.replays import Ledger
from pystamps_shim.verification.results import FileResult, Finding, Status
from pystamps_shim.verification.rules import Rules
from pystamps_shim.verification.stages import (
    FIRST_STAGE,
    Presence,
    StageArtefact,
    stage_artefacts,
)
from pystamps_shim.verification.texts import compare_text

MERGED = "."


@dataclass(frozen=True)
class _Task:
    """One artefact to look at: where, and how."""

    artefact: StageArtefact
    scope: str
    folders: tuple[Path, Path]
    comparison: FileComparison

    @property
    def file(self) -> str:
        """Return the path inside the dataset."""
        return (Path(self.scope) / self.artefact.artefact.file).as_posix()


def compare_stages(
    pair: tuple[DatasetFolder, DatasetFolder], rules: Rules, through_stage: int
) -> tuple[list[Finding], list[FileResult]]:
    """Compare every scope that both sides have, stage by stage.

    Parameters
    ----------
    pair
        Dataset and reference.
    rules
        Policies and tolerances.
    through_stage
        Last stage to compare.

    Returns
    -------
    What is wrong besides files, and the files in the order of the stages.
    """
    small_baseline, findings = _kind(pair)
    artefacts = stage_artefacts(through_stage, small_baseline=small_baseline)
    findings += _unpaired_patches(pair)
    common = [patch for patch in pair[1].patches if patch in pair[0].patches]
    wavelength_m = pair[1].wavelength_m()
    tasks: list[_Task] = []
    for scope in [*common, MERGED]:
        folders = (pair[0].root / scope, pair[1].root / scope)
        refused, found = _replayed(scope, folders, through_stage)
        findings += found
        reader = pair[0].reader
        comparison = FileComparison(rules, Matcher(*folders, reader), wavelength_m, reader)
        wanted = "root" if scope == MERGED else "patch"
        tasks += [
            _Task(artefact, scope, folders, comparison)
            for artefact in artefacts
            if artefact.artefact.scope == wanted and artefact.stage not in refused
        ]
    tasks.sort(key=lambda task: task.artefact.stage)
    results = [
        result
        for task in tracked(tasks, "verifying files", len(tasks))
        for result in _compare(task)
    ]
    return findings, results


def _kind(pair: tuple[DatasetFolder, DatasetFolder]) -> tuple[bool, list[Finding]]:
    """Tell whether the reference has small baselines, and whether the dataset is of its kind."""
    own, others = (folder.small_baseline() for folder in pair)
    if own is not None and others is not None and own != others:
        kinds = {True: "small baselines", False: "a single master"}
        what = f"the dataset has {kinds[own]}, the reference {kinds[others]}"
        return others, [Finding("kind-of-dataset", MERGED, what)]
    return bool(own if others is None else others), []


def _unpaired_patches(pair: tuple[DatasetFolder, DatasetFolder]) -> list[Finding]:
    own, others = (folder.patches for folder in pair)
    missing = [patch for patch in others if patch not in own]
    extra = [patch for patch in own if patch not in others]
    return [
        *(Finding("missing-patch", patch, f"{patch} is not in the dataset") for patch in missing),
        *(Finding("extra-patch", patch, f"{patch} is not in the reference") for patch in extra),
    ]


def _replayed(
    scope: str, folders: tuple[Path, Path], through_stage: int
) -> tuple[set[int], list[Finding]]:
    """Return the stages that prove nothing in a scope, and what to say about them."""
    refused: set[int] = set()
    findings = []
    name = "the merged dataset" if scope == MERGED else scope
    for folder, role in zip(folders, SIDES, strict=True):
        of_reference = "" if role == SIDES[0] else " in the reference"
        ledger = Ledger.read(folder)
        if ledger.problem is not None:
            what = f"the ledger of {name}{of_reference} {ledger.problem}: origins are unknown"
            findings.append(Finding("ledger", scope, what))
        for stage in sorted(ledger.replayed & set(range(FIRST_STAGE, through_stage + 1))):
            refused.add(stage)
            what = (
                f"stage {stage} of {name}{of_reference} was replayed from a reference: no evidence"
            )
            findings.append(Finding("replayed", scope, what))
    return refused, findings


def _compare(task: _Task) -> Iterator[FileResult]:
    """Yield the result of one artefact, nothing where neither side has it."""
    artefact, stage = task.artefact.artefact, task.artefact.stage
    reader = task.comparison.reader
    own, others = (task.artefact.presence(folder, reader) for folder in task.folders)
    present = (own is Presence.PRESENT, others is Presence.PRESENT)
    if Presence.UNREADABLE in (own, others):
        # Whose it is cannot be told: it counts once, as the first stage's of that name.
        if not artefact.marked_by:
            yield _contents(task)
    elif all(present):
        yield _contents(task)
    elif Presence.REPLACED in (own, others) and any(present):
        role = SIDES[0] if own is Presence.REPLACED else SIDES[1]
        note = f"a later stage has written its file in the {role}"
        yield FileResult(task.file, stage, Status.NOT_COMPARED, note)
    elif present[0] and artefact.native_only:
        note = "not in the reference; original StaMPS does not write it"
        yield FileResult(task.file, stage, Status.NOT_COMPARED, note)
    elif any(present):
        status = Status.EXTRA if present[0] else Status.MISSING
        yield FileResult(task.file, stage, status)


def _contents(task: _Task) -> FileResult:
    """Compare two files that are there."""
    artefact, stage = task.artefact.artefact, task.artefact.stage
    paths = (task.folders[0] / artefact.file, task.folders[1] / artefact.file)
    try:
        if artefact.policy is FilePolicy.TEXT:
            texts = [path.read_bytes().decode("utf-8") for path in paths]
            problem = compare_text(texts[1], texts[0], {})
            status = Status.EQUAL if problem is None else Status.DIFFERS
            return FileResult(task.file, stage, status, problem)
        variables = task.comparison.variables(artefact, *paths)
    except PystampsError as error:
        return FileResult(task.file, stage, Status.UNREADABLE, error.cause)
    except (OSError, UnicodeDecodeError) as error:
        return FileResult(task.file, stage, Status.UNREADABLE, str(error))
    if not all(variable.status.agrees for variable in variables):
        return FileResult(task.file, stage, Status.DIFFERS, None, variables)
    if all(variable.status is Status.NOT_COMPARED for variable in variables):
        note = "all its variables are left out by the profile"
        return FileResult(task.file, stage, Status.NOT_COMPARED, note, variables)
    return FileResult(task.file, stage, Status.EQUAL, None, variables)
