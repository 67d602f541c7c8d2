"""A dataset against a reference: the entry point and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.verification.folders import SIDES, DatasetFolder
from pystamps_shim.verification.reading import NativeReader, Reader
from pystamps_shim.verification.results import Finding, Status, VerificationReport
from pystamps_shim.verification.rules import STRICT, Rules
from pystamps_shim.verification.stages import FIRST_STAGE, LAST_STAGE
from pystamps_shim.verification.tables import compare_tables
from pystamps_shim.verification.walk import compare_stages

_NO_OVERRIDES: Mapping[str, float] = MappingProxyType({})


def verify_dataset(
    dataset: Path,
    reference: Path,
    *,
    profile: str = STRICT,
    overrides: Mapping[str, float] = _NO_OVERRIDES,
    through_stage: int = LAST_STAGE,
    products_only: bool = False,
    reader: Reader | None = None,
) -> VerificationReport:
    """Compare the artefacts of a dataset with those of a reference, file by file.

    Parameters
    ----------
    dataset
        Folder to judge.
    reference
        Folder to judge it by, processed by original StaMPS or by pystamps.
    profile
        ``strict``, the tolerances of certification, or ``scientific``: rows matched by pixel, and
        agreement that matters to users.
    overrides
        Tolerances by ``FILE:VARIABLE``, such as ``ph2.mat:ph``.
    through_stage
        Last stage to compare, 1 to 8. Preparation is left out: what it selects is in stage 1.
    products_only
        Compare the tables in ``products/`` and nothing else.
    reader
        Reads the files of both sides; our own codec by default.

    Raises
    ------
    PystampsError
        Wrong usage, or there is nothing to compare on either side.
    """
    rules = Rules.checked(profile, overrides)
    if not FIRST_STAGE <= through_stage <= LAST_STAGE:
        cause = f"--through-stage is {through_stage}, expected {FIRST_STAGE} to {LAST_STAGE}"
        raise PystampsError(cause, "change --through-stage", ExitCode.USAGE)
    reader = NativeReader() if reader is None else reader
    pair = (
        DatasetFolder.open(dataset, SIDES[0], reader),
        DatasetFolder.open(reference, SIDES[1], reader),
    )
    if dataset.resolve() == reference.resolve():
        cause = f"{dataset} and {reference} are the same folder"
        raise PystampsError(cause, "name another --reference", ExitCode.USAGE)
    findings: list[Finding] = []
    if products_only:
        files = compare_tables(dataset, reference, rules)
    else:
        findings, files = compare_stages(pair, rules, through_stage)
    last = None if products_only else through_stage
    report = VerificationReport(dataset, reference, profile, last, tuple(findings), tuple(files))
    if report.equal and not any(file.status is Status.EQUAL for file in files):
        what = "products" if products_only else f"stages up to {through_stage}"
        cause = f"neither {dataset} nor {reference} has anything of {what} that can be compared"
        raise PystampsError(cause, "process them first, or correct the options", ExitCode.USAGE)
    return report
