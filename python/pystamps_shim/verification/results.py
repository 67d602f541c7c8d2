"""What a verification found, for people's eyes later and for machines now."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from pystamps_shim._binary import package_version

#: Version of the layout of the JSON report.
SCHEMA = 2


class Status(StrEnum):
    """How a file or a variable fared."""

    EQUAL = "equal"
    DIFFERS = "differs"
    #: The reference has it, the dataset does not.
    MISSING = "missing"
    #: The dataset has it, the reference does not.
    EXTRA = "extra"
    UNREADABLE = "unreadable"
    #: There is a reason not to look at it, which is given.
    NOT_COMPARED = "not_compared"

    @property
    def agrees(self) -> bool:
        """Tell whether it leaves the verdict alone."""
        return self in (Status.EQUAL, Status.NOT_COMPARED)


@dataclass(frozen=True)
class Form:
    """Class and shape of a variable as one side stores it."""

    matlab_class: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class WorstElement:
    """The element that is farthest off, its indices counted from 0."""

    index: tuple[int, ...]
    reference_index: tuple[int, ...]
    dataset: complex | float
    reference: complex | float


@dataclass(frozen=True)
class Deviation:
    """Quantiles of the deviation; infinite where a number meets NaN.

    In the unit of the tolerance: that of the variable, or relative to the reference.
    """

    q50: float
    q99: float
    max: float


@dataclass(frozen=True)
class VariableResult:
    """One variable.

    Attributes
    ----------
    name
        Its name.
    status
        How it fared.
    problem
        What is wrong, in one line; None if it agrees.
    dataset, reference
        Its forms; None on the side that lacks it.
    policy, measure, limits, share, reason
        How it is compared (`contracts.VariableContract`): largest deviation by level (``q50``,
        ``max``), and the share that belongs to the policies `cycles`, `set` and `rms`.
    compared, differing
        Elements compared, and those beyond the tolerance.
    cycles, moved
        Of unwrapped phase: samples in another cycle, and columns moved as a whole.
    worst, deviation
        The element farthest off and the quantiles; None where there is none.
    """

    name: str
    status: Status
    problem: str | None = None
    dataset: Form | None = None
    reference: Form | None = None
    policy: str = ""
    measure: str | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    share: float | None = None
    reason: str = ""
    compared: int = 0
    differing: int = 0
    cycles: int | None = None
    moved: int | None = None
    worst: WorstElement | None = None
    deviation: Deviation | None = None


@dataclass(frozen=True)
class FileResult:
    """One file.

    Attributes
    ----------
    file
        Its path inside the dataset.
    stage
        The stage that writes it; None for tables of products.
    status
        How it fared.
    note
        What there is to say about the file as a whole.
    variables
        Its variables, or the columns of a table.
    """

    file: str
    stage: int | None
    status: Status
    note: str | None = None
    variables: tuple[VariableResult, ...] = ()


@dataclass(frozen=True)
class Finding:
    """Something wrong that is not about one file.

    Attributes
    ----------
    kind
        ``missing-patch``, ``extra-patch``, ``replayed``, ``ledger`` or ``kind-of-dataset``.
    where
        Patch, or ``.`` for the merged dataset.
    what
        One sentence.
    """

    kind: str
    where: str
    what: str


@dataclass(frozen=True)
class VerificationReport:
    """The whole comparison of a dataset with a reference.

    Attributes
    ----------
    dataset, reference
        Both folders.
    profile
        ``strict`` or ``scientific``.
    through_stage
        Last stage compared; None for products.
    findings, files
        What was found, in the order of the stages.
    """

    dataset: Path
    reference: Path
    profile: str
    through_stage: int | None
    findings: tuple[Finding, ...]
    files: tuple[FileResult, ...]

    @property
    def equal(self) -> bool:
        """Tell whether nothing differs."""
        return not self.findings and all(file.status.agrees for file in self.files)

    def counts(self) -> dict[str, int]:
        """Return how many files fared how, and how many findings there are besides."""
        by_status = Counter(file.status for file in self.files)
        each = {status.value: by_status[status] for status in Status}
        return {"files": len(self.files), **each, "findings": len(self.findings)}

    def as_json(self) -> str:
        """Return the report as one JSON object; numbers that JSON lacks are words."""
        values: dict[str, Any] = {
            "schema": SCHEMA,
            "program_version": package_version(),
            "dataset": str(self.dataset),
            "reference": str(self.reference),
            "profile": self.profile,
            "through_stage": self.through_stage,
            "equal": self.equal,
            "counts": self.counts(),
            "indices_count_from": 0,
            "findings": [vars(finding) for finding in self.findings],
            "files": [plain(file) for file in self.files],
        }
        return json.dumps(values, indent=2, allow_nan=False) + "\n"


def plain(value: Any) -> Any:
    """Return dataclasses as objects, tuples as lists, and numbers that JSON lacks as words."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, complex):
        return {"re": plain(value.real), "im": plain(value.imag)}
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
