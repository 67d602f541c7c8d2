"""A verification report for people."""

from __future__ import annotations

from collections.abc import Iterator

from pystamps_shim.verification.results import (
    SCHEMA,
    FileResult,
    Status,
    VariableResult,
    VerificationReport,
)

_WORDS = {Status.NOT_COMPARED: "not compared"}


def report_text(report: VerificationReport) -> str:
    """Return a line per file, a line per variable that differs, findings, and a summary."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: VerificationReport) -> Iterator[str]:
    yield f"dataset    {report.dataset}"
    yield f"reference  {report.reference}"
    what = "products" if report.through_stage is None else f"stages 1 to {report.through_stage}"
    yield f"profile {report.profile}, {what} (report schema {SCHEMA}; indices count from 0)"
    width = max((len(result.file) for result in report.files), default=0)
    stage: int | None = None
    for result in report.files:
        if result.stage != stage:
            stage = result.stage
            yield f"stage {stage}"
        yield f"  {result.file:<{width}}  {_verdict(result)}"
        for variable in result.variables:
            if not variable.status.agrees:
                yield f"      {_variable(variable)}"
    if report.findings:
        yield "findings"
    for finding in report.findings:
        yield f"  {finding.what}"
    counts = report.counts()
    told = ", ".join(f"{counts[status.value]} {_word(status)}" for status in Status)
    yield f"{counts['files']} files: {told}; {counts['findings']} findings"
    yield "EQUAL" if report.equal else "DIFFERENT"


def _word(status: Status) -> str:
    return _WORDS.get(status, status.value)


def _verdict(result: FileResult) -> str:
    word = _word(result.status)
    text = word if result.status.agrees else word.upper()
    if result.note is not None:
        return f"{text}: {result.note}"
    if result.status is Status.DIFFERS:
        bad = sum(not variable.status.agrees for variable in result.variables)
        return f"{text} in {bad} of {len(result.variables)} variables"
    if result.status is Status.EQUAL and result.variables:
        cycles = sum(variable.cycles or 0 for variable in result.variables)
        told = f", {cycles} samples in another cycle" if cycles else ""
        return f"{text}, {len(result.variables)} variables{told}"
    return text


def _variable(variable: VariableResult) -> str:
    limits = " ".join(f"{level} {bound:g}" for level, bound in variable.limits.items())
    rule = f"{variable.policy} {limits}".rstrip()
    return f"{variable.name} [{rule}]: {variable.problem}"
