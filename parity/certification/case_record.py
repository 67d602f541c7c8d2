"""One case from the original's files to a verdict."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from parity.certification.cases import Case
from parity.certification.datasets import KEPT_COSTS, Workspace, lay_out
from parity.certification.evidence import (
    Evidence,
    Refusal,
    evidence_of,
    evidence_of_file,
    refused_files,
    refused_values,
)
from parity.certification.mutations import Tried, try_mutations
from parity.certification.relations import Relation, notes_of, relations_of
from parity.certification.results import Pair, Results
from parity.comparison import Symbols, compare_variables, compare_whole_files
from parity.oracle import holds_paths
from parity.readers import read_mat_file
from pystamps_shim.verification.contracts import FilePolicy
from pystamps_shim.verification.results import FileResult, Status, VariableResult, plain

#: What stage 6 proves its solutions with; relations look at it.
OUR_OWN = ("uw_certificate.mat", "uw_solver.json")
#: What is kept of the comparison of one variable.
_KEPT = (
    *("name", "status", "policy", "measure", "limits", "share"),
    *("compared", "differing", "cycles", "moved", "worst", "deviation", "problem"),
)
#: The key of a variable: file, name, and whether the dataset has small baselines.
Key = tuple[str, str, bool]


@dataclass(frozen=True)
class CaseRecord:
    """What a case has shown.

    Attributes
    ----------
    case
        Its name.
    scene, options, profile
        What was processed, and how.
    parameters
        All parameters of the dataset.
    failures
        Why the run itself proves nothing: a call that failed, bytes that depend on threads,
        results that were not computed. Empty if all is well.
    files
        Comparison of every file.
    inputs, outputs
        SHA-256 of the files before the stage, and of ours and the original's after it. Paths in
        texts are replaced by placeholders first.
    relations
        What must hold among the results.
    refused
        Variables whose reference proves nothing about values.
    evidence
        What the comparison of every variable proves.
    notes
        Freedom that there was, for people.
    tried
        Mutations of the results.
    """

    case: str
    scene: str
    options: tuple[str, ...]
    profile: str | None
    parameters: Mapping[str, Any]
    failures: tuple[str, ...] = ()
    files: tuple[FileResult, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    relations: tuple[Relation, ...] = ()
    refused: tuple[Refusal, ...] = ()
    evidence: Mapping[Key, Evidence] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    tried: tuple[Tried, ...] = ()

    @property
    def passed(self) -> bool:
        """Tell whether the case shows agreement."""
        agree = bool(self.files) and all(file.status.agrees for file in self.files)
        return agree and not self.failures and all(one.problem is None for one in self.relations)

    def as_plain(self) -> dict[str, Any]:
        """Return everything but the mutations as JSON has it."""
        return {
            "name": self.case,
            "passed": self.passed,
            "scene": self.scene,
            "options": list(self.options),
            "profile": self.profile,
            "parameters": plain(self.parameters),
            "failures": list(self.failures),
            "inputs": dict(self.inputs),
            "outputs": {name: dict(pair) for name, pair in self.outputs.items()},
            "files": [plain_file(file) for file in self.files],
            "relations": [plain(relation) for relation in self.relations],
            "refused": [plain(refusal) for refusal in self.refused],
            "notes": list(self.notes),
        }


def certify_case(
    case: Case, oracle: Path, program: Path, threads: Sequence[int], *, mutate: bool
) -> CaseRecord:
    """Run a case with several numbers of threads, compare its results and judge them.

    Parameters
    ----------
    case
        The case.
    oracle
        Folder of the oracle's scenes.
    program
        The native program.
    threads
        Numbers of threads; the results must not depend on them.
    mutate
        Whether the results are spoilt afterwards, to see that it is noticed.
    """
    with tempfile.TemporaryDirectory(prefix="certify_") as folder:
        workspace = lay_out(case, oracle, Path(folder))
        return certify_workspace(workspace, program, threads, mutate=mutate)


def certify_workspace(
    workspace: Workspace, program: Path, threads: Sequence[int], *, mutate: bool
) -> CaseRecord:
    """Certify a case that is laid out already; otherwise as `certify_case`."""
    case = workspace.case
    workspaces = [workspace, *_copies(workspace, len(threads) - 1)]
    inputs = _digests(workspace)
    failures = tuple(
        outcome.failure
        for each, count in zip(workspaces, threads, strict=True)
        for outcome in each.process(program, count)
        if outcome.failure is not None
    )
    record = CaseRecord(
        case.name, case.scene, case.options, case.profile, {}, failures, inputs=inputs
    )
    return record if failures else _judged(record, workspaces, threads, mutate=mutate)


def _judged(
    record: CaseRecord, workspaces: list[Workspace], threads: Sequence[int], *, mutate: bool
) -> CaseRecord:
    results = Results.read(workspaces[0])
    digests = [_digests(workspace) for workspace in workspaces]
    copied = [f"{refusal.where}: {refusal.why}" for refusal in refused_files(results)]
    notes = list(notes_of(results))
    if results.moved_rows:
        notes.append(f"{results.moved_rows} rows were put in the original's order by their pixels")
    judged = replace(
        record,
        parameters=_parameters(workspaces[0].dataset),
        failures=(
            *copied,
            *_unknown_files(results, record.inputs, digests[0]),
            *_unwritten_files(results, record.inputs, digests[0]),
            *_depending_on_threads(digests, threads),
        ),
        files=tuple(_compared(results)),
        outputs=dict(_outputs(results, digests[0])),
        relations=tuple(relations_of(results)),
        refused=tuple(refused_values(results)),
        evidence=_best(_evidence(results)),
        notes=tuple(notes),
    )
    if not (mutate and judged.passed):
        return judged
    return replace(judged, tried=tuple(try_mutations(results)))


def _copies(workspace: Workspace, count: int) -> Iterator[Workspace]:
    for number in range(1, count + 1):
        dataset = workspace.dataset.with_name(f"{workspace.dataset.name}_{number}")
        if workspace.dataset.exists():
            shutil.copytree(workspace.dataset, dataset)
        yield replace(workspace, dataset=dataset)


def _compared(results: Results) -> Iterator[FileResult]:
    """Compare every artefact; the sizes in a contract hold throughout a patch."""
    stage = results.workspace.case.stage_scope.stage
    symbols: dict[str, Symbols] = {}
    for pair in results.pairs:
        present = (pair.ours.exists(), pair.originals.exists())
        if not all(present):
            yield FileResult(pair.name, stage, Status.EXTRA if present[0] else Status.MISSING)
        elif pair.artefact.policy is not FilePolicy.VARIABLES:
            problem = compare_whole_files(
                pair.artefact.policy,
                pair.ours,
                pair.originals,
                results.workspace.substitutions,
            )
            status = Status.EQUAL if problem is None else Status.DIFFERS
            yield FileResult(pair.name, stage, status, problem)
        else:
            bound = symbols.setdefault(pair.place[0], {})
            both = (results.ours[pair.place], results.originals[pair.place])
            yield _file_result(pair, stage, compare_variables(pair.artefact, *both, bound))


def _file_result(pair: Pair, stage: int, variables: tuple[VariableResult, ...]) -> FileResult:
    agrees = all(variable.status.agrees for variable in variables)
    status = Status.EQUAL if agrees else Status.DIFFERS
    return FileResult(pair.name, stage, status, None, variables)


def _best(found: Iterator[tuple[Key, Evidence]]) -> dict[Key, Evidence]:
    """Return what every variable proves, in whichever patch it proves something."""
    best: dict[Key, Evidence] = {}
    for key, evidence in found:
        if best.get(key) is not Evidence.VALUES:
            best[key] = evidence
    return best


def _evidence(results: Results) -> Iterator[tuple[Key, Evidence]]:
    """Yield what every file and variable proves, patch by patch."""
    for pair in results.pairs:
        of_file = evidence_of_file(pair)
        if of_file is not None:
            yield (pair.artefact.file, "", results.small_baseline), of_file
        originals = results.originals.get(pair.place, {})
        for rule in pair.artefact.variables:
            if rule.name in results.ours.get(pair.place, {}):
                key = (pair.artefact.file, rule.name, results.small_baseline)
                yield key, evidence_of(rule, originals.get(rule.name))


def _unknown_files(
    results: Results, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[str]:
    """Yield the files that the stage has left besides those of its contract."""
    stage_scope = results.workspace.case.stage_scope
    contract = stage_scope.artefacts(small_baseline=results.small_baseline)
    known = {artefact.file for artefact in contract} | set(OUR_OWN)
    for name in after:
        ours = name.rpartition("/")[2] in known or name.startswith(KEPT_COSTS)
        if name not in before and not ours:
            yield f"{name} is a file that the contract does not know"


def _unwritten_files(
    results: Results, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[str]:
    """Yield the files of the contract that lay there before, and still do."""
    for pair in results.pairs:
        if pair.name in after and before.get(pair.name) == after[pair.name]:
            yield f"{pair.name} was there before, and the stage has not written it"


def _depending_on_threads(
    digests: Sequence[Mapping[str, str]], threads: Sequence[int]
) -> Iterator[str]:
    """Yield the files that differ, those besides the contract included."""
    first, *others = digests
    for other, count in zip(others, threads[1:], strict=True):
        for name in sorted(first.keys() | other.keys()):
            if first.get(name) != other.get(name):
                yield f"{name} has other bytes with {count} threads than with {threads[0]}"


def _outputs(results: Results, after: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    for pair in results.pairs:
        found = {"ours": after[pair.name]} if pair.name in after else {}
        if pair.originals.exists():
            found["original"] = _digest(pair.originals, results.workspace)
        yield pair.name, found


def _digests(workspace: Workspace) -> dict[str, str]:
    """Return the SHA-256 of every file that is there, by its place."""
    return {name: _digest(path, workspace) for name, path in workspace.inputs().items()}


def _digest(path: Path, workspace: Workspace) -> str:
    """Return the SHA-256 of a file, its paths replaced by what stands for them."""
    content = path.read_bytes()
    if holds_paths(path):
        for placeholder, real in workspace.substitutions.items():
            content = content.replace(real.encode(), placeholder.encode())
    return hashlib.sha256(content).hexdigest()


def _parameters(dataset: Path) -> dict[str, Any]:
    """Return the parameters as plain values, without the day they were created."""
    stored = read_mat_file(dataset / "parms.mat")
    return {
        name: str(one.values) if one.matlab_class == "char" else one.values.ravel().tolist()
        for name, one in sorted(stored.items())
        if name != "Created"
    }


def plain_file(file: FileResult) -> dict[str, Any]:
    """Return the comparison of a file as JSON has it, without what its contract says."""
    variables = []
    for variable in file.variables:
        values = plain(variable)
        kept = {key: values[key] for key in _KEPT}
        variables.append({key: value for key, value in kept.items() if value not in (None, {})})
    found = {"file": file.file, "status": file.status.value, "variables": variables}
    return found if file.note is None else {**found, "note": file.note}
