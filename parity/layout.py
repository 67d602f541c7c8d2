"""Whether files have the layout of the original's: variables, classes, shapes, no values."""

from __future__ import annotations

from pathlib import Path

from parity.compare import Report, check_shape
from parity.readers import read_mat_file
from parity.stages import patches_of
from pystamps_shim.verification.contracts import Artefact, FilePolicy, load_contract


def check_layout(stage: int, dataset: Path, *, small_baseline: bool = False) -> Report:
    """Read every artefact of a stage as a reader of the original's files does (scipy, h5py).

    Parameters
    ----------
    stage
        Stage, 1 to 8.
    dataset
        Folder of the dataset.
    small_baseline
        Kind of dataset.
    """
    report = Report()
    for artefact in load_contract(stage, small_baseline=small_baseline):
        if artefact.policy is not FilePolicy.VARIABLES:
            continue
        folders = (
            [dataset] if artefact.scope == "root" else map(dataset.joinpath, patches_of(dataset))
        )
        for folder in folders:
            path = folder / artefact.file
            if path.exists() or not artefact.optional:
                _check_file(report, artefact, path)
    return report


def _check_file(report: Report, artefact: Artefact, path: Path) -> None:
    if not path.exists():
        report.check(str(path), "missing")
        return
    symbols: dict[str, int] = {}
    stored = read_mat_file(path)
    for rule in artefact.variables:
        where = f"{path}: {rule.name}"
        variable = stored.pop(rule.name, None)
        if variable is None:
            report.check(where, None if rule.optional else "missing")
        elif variable.matlab_class not in rule.matlab_class.split("|"):
            report.check(where, f"class {variable.matlab_class}, want {rule.matlab_class}")
        else:
            report.check(where, check_shape(symbols, rule.shape, variable.shape))
    for name in stored:
        report.check(f"{path}: {name}", "unknown to the contract")
