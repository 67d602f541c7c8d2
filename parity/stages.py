"""Compare what a stage wrote, file by file, with the folder of its reference."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.compare import Report, check_shape, compare_bytes, compare_text, compare_variable
from parity.contracts import Artefact, FilePolicy, load_contract
from parity.readers import MatVariable, read_mat_file

Variables = Mapping[str, MatVariable]

_CLASSES = {
    "float64": "double",
    "complex128": "double",
    "float32": "single",
    "complex64": "single",
    "bool": "logical",
}


def patches_of(dataset: Path) -> list[str]:
    """Return the lines of ``patch.list``."""
    return dataset.joinpath("patch.list").read_text(encoding="utf-8").split()


def compare_stage(
    stage: int, reference: Path, candidate: Path, substitutions: dict[str, str] | None = None
) -> Report:
    """Compare every artefact of `stage` in two dataset folders.

    Parameters
    ----------
    stage
        0 for preparation.
    reference, candidate
        Dataset folders with the same ``patch.list``.
    substitutions
        Placeholders of the reference's text files and the real paths they stand for.
    """
    report = Report()
    small_baseline = _is_small_baseline(reference)
    contract = load_contract(stage, small_baseline=small_baseline)
    _compare_scope(report, contract, "root", (reference, candidate), substitutions or {})
    for patch in patches_of(reference):
        folders = (reference / patch, candidate / patch)
        _compare_scope(report, contract, "patch", folders, substitutions or {})
    return report


def compare_in_memory(
    stage: int, reference_patch: Path, artefacts: Mapping[str, Mapping[str, NDArray[Any]]]
) -> Report:
    """Compare the patch artefacts a Python reference returned with a reference folder."""
    report = Report()
    small_baseline = _is_small_baseline(reference_patch.parent)
    symbols: dict[str, int] = {}
    for artefact in load_contract(stage, small_baseline=small_baseline):
        if artefact.scope != "patch" or artefact.policy is not FilePolicy.VARIABLES:
            continue
        path = reference_patch / artefact.file
        if artefact.file not in artefacts:
            report.check(str(path), "missing among the results")
            continue
        found = {name: in_memory(values) for name, values in artefacts[artefact.file].items()}
        compare_variables(report, artefact, path, (read_mat_file(path), found), symbols)
    return report


def compare_with_reference(
    stage: int,
    artefacts: Mapping[str, Mapping[str, NDArray[Any]]],
    candidate_patch: Path,
    *,
    small_baseline: bool = False,
) -> Report:
    """Compare a patch folder with what a Python reference returned for it."""
    report = Report()
    symbols: dict[str, int] = {}
    for artefact in load_contract(stage, small_baseline=small_baseline):
        if artefact.scope != "patch" or artefact.policy is not FilePolicy.VARIABLES:
            continue
        path = candidate_patch / artefact.file
        want = {name: in_memory(values) for name, values in artefacts[artefact.file].items()}
        found = read_mat_file(path) if path.exists() else {}
        compare_variables(report, artefact, path, (want, found), symbols)
    return report


def in_memory(values: NDArray[Any]) -> MatVariable:
    """Describe a numpy array as the MATLAB variable it would be stored as."""
    if values.dtype.kind == "U":
        return MatVariable("char", values)
    return MatVariable(_CLASSES[np.asarray(values).dtype.name], values)


def compare_variables(
    report: Report,
    artefact: Artefact,
    path: Path,
    pair: tuple[Variables, Variables],
    symbols: dict[str, int],
) -> None:
    """Compare every variable of one (reference, candidate) pair of files.

    Missing and surplus variables are differences too.
    """
    reference, candidate = pair
    names = {contract.name for contract in artefact.variables}
    for surplus in sorted((set(candidate) | set(reference)) - names):
        report.check(f"{path}:{surplus}", "not in the contract")
    for contract in artefact.variables:
        where = f"{path}:{contract.name}"
        missing = [
            role
            for role, variables in (("reference", reference), ("candidate", candidate))
            if contract.name not in variables
        ]
        if missing:
            report.check(where, f"missing in the {' and the '.join(missing)}")
            continue
        found = candidate[contract.name]
        report.check(where, check_shape(symbols, contract.shape, found.shape))
        report.check(where, compare_variable(contract, reference[contract.name], found))


def _compare_scope(
    report: Report,
    contract: list[Artefact],
    scope: str,
    folders: tuple[Path, Path],
    substitutions: dict[str, str],
) -> None:
    symbols: dict[str, int] = {}
    for artefact in contract:
        if artefact.scope != scope:
            continue
        reference, candidate = (folder / artefact.file for folder in folders)
        if not candidate.exists():
            report.check(str(candidate), "missing")
        elif artefact.policy is FilePolicy.BYTES:
            problem = compare_bytes(reference.read_bytes(), candidate.read_bytes())
            report.check(str(candidate), problem)
        elif artefact.policy is FilePolicy.TEXT:
            texts = [path.read_bytes().decode("utf-8") for path in (reference, candidate)]
            report.check(str(candidate), compare_text(texts[0], texts[1], substitutions))
        else:
            pair = (read_mat_file(reference), read_mat_file(candidate))
            compare_variables(report, artefact, candidate, pair, symbols)


def _is_small_baseline(reference: Path) -> bool:
    flag = read_mat_file(reference / "parms.mat")["small_baseline_flag"]
    return str(flag.values).lower() == "y"
