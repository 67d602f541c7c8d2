"""Compare what a stage wrote, file by file, with the folder of its reference."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from parity import comparison
from parity.compare import Report
from parity.readers import read_mat_file
from pystamps_shim.verification.contracts import Artefact, FilePolicy, load_contract
from pystamps_shim.verification.variables import MatVariable

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
    stage: int,
    reference: Path,
    candidate: Path,
    substitutions: dict[str, str] | None = None,
    *,
    profile: str | None = None,
    files: Collection[str] | None = None,
) -> Report:
    """Compare every artefact of `stage` in two dataset folders.

    Parameters
    ----------
    stage
        0 for preparation.
    reference, candidate
        Dataset folders with the same ``patch.list``, which stages of the merged dataset do not
        need. The reference may hold the files of that stage only, the candidate those of other
        stages too.
    substitutions
        Placeholders of the reference's text files and the real paths they stand for.
    profile
        Circumstances with tolerances of their own (`load_contract`).
    files
        Compare these only.
    """
    report = Report()
    small_baseline = is_small_baseline(reference, candidate)
    contract = load_contract(stage, small_baseline=small_baseline, profile=profile)
    contract = [a for a in contract if files is None or a.file in files]
    _compare_scope(report, contract, "root", (reference, candidate), substitutions or {})
    for patch in patches_of(reference) if any(a.scope == "patch" for a in contract) else []:
        folders = (reference / patch, candidate / patch)
        _compare_scope(report, contract, "patch", folders, substitutions or {})
    return report


def compare_in_memory(
    stage: int,
    reference: Path,
    artefacts: Mapping[str, Mapping[str, NDArray[Any]]],
    *,
    scope: str = "patch",
    small_baseline: bool | None = None,
    profile: str | None = None,
    files: Collection[str] | None = None,
) -> Report:
    """Compare the artefacts a Python reference returned with a folder of files.

    Parameters
    ----------
    stage
        Stage.
    reference
        Patch folder, or dataset folder for the scope ``root``.
    artefacts
        File name -> variable -> array.
    scope
        Which artefacts of the contract: ``patch`` or ``root``.
    small_baseline
        Kind of dataset; by default read from ``parms.mat`` near the reference.
    profile
        Circumstances with tolerances of their own (`load_contract`).
    files
        Compare these only.
    """
    report = Report()
    if small_baseline is None:
        small_baseline = is_small_baseline(reference if scope == "root" else reference.parent)
    symbols: dict[str, int] = {}
    for artefact in load_contract(stage, small_baseline=small_baseline, profile=profile):
        if artefact.scope != scope or artefact.policy is not FilePolicy.VARIABLES:
            continue
        if files is not None and artefact.file not in files:
            continue
        path = reference / artefact.file
        if artefact.optional and not path.exists() and artefact.file not in artefacts:
            continue
        if artefact.file not in artefacts:
            report.check(str(path), "missing among the results")
            continue
        found = {name: in_memory(values) for name, values in artefacts[artefact.file].items()}
        compare_variables(report, artefact, path, (read_mat_file(path), found), symbols)
    return report


def compare_with_reference(
    stage: int,
    artefacts: Mapping[str, Mapping[str, NDArray[Any]]],
    candidate: Path,
    *,
    small_baseline: bool = False,
    scope: str = "patch",
    profile: str | None = None,
) -> Report:
    """Compare a patch or dataset folder with what a Python reference returned for it."""
    report = Report()
    symbols: dict[str, int] = {}
    for artefact in load_contract(stage, small_baseline=small_baseline, profile=profile):
        if artefact.scope != scope or artefact.policy is not FilePolicy.VARIABLES:
            continue
        path = candidate / artefact.file
        if artefact.optional and artefact.file not in artefacts and not path.exists():
            continue
        if artefact.file not in artefacts:
            report.check(str(path), "missing among the results of the reference")
            continue
        want = {name: in_memory(values) for name, values in artefacts[artefact.file].items()}
        found = read_mat_file(path) if path.exists() else {}
        compare_variables(report, artefact, path, (want, found), symbols)
    return report


def in_memory(values: NDArray[Any]) -> MatVariable:
    """Describe an array, or SciPy's sparse one, as the MATLAB variable it would be stored as."""
    if isinstance(values, scipy.sparse.csc_array | scipy.sparse.csc_matrix):
        return MatVariable("sparse", values.toarray())
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
    for result in comparison.compare_variables(artefact, candidate, reference, symbols):
        report.check(f"{path}:{result.name}", result.problem)
        # Where both have the variable, its shape and its value are two things to compare.
        report.compared += result.dataset is not None and result.reference is not None


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
        if artefact.optional and not (reference.exists() or candidate.exists()):
            continue
        if not reference.exists():
            report.check(str(candidate), "not in the reference")
        elif not candidate.exists():
            report.check(str(candidate), "missing")
        elif artefact.policy is not FilePolicy.VARIABLES:
            whole = comparison.compare_whole_files
            problem = whole(artefact.policy, candidate, reference, substitutions)
            report.check(str(candidate), problem)
        else:
            pair = (read_mat_file(reference), read_mat_file(candidate))
            compare_variables(report, artefact, candidate, pair, symbols)


def is_small_baseline(*folders: Path) -> bool:
    """Read the flag where it is: original StaMPS's results of one stage lack ``parms.mat``."""
    places = [place for folder in folders for place in (folder, folder.parent / "stage1")]
    found = [place / "parms.mat" for place in places if (place / "parms.mat").exists()]
    if not found:
        msg = f"no parms.mat beside {', '.join(map(str, folders))}"
        raise FileNotFoundError(msg)
    return str(read_mat_file(found[0])["small_baseline_flag"].values).lower() == "y"
