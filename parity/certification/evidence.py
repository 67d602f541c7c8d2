"""What a comparison proves, and what is refused as evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from parity.certification.results import Pair, Results
from pystamps_shim.verification.contracts import FilePolicy, Policy, VariableContract
from pystamps_shim.verification.replays import Ledger
from pystamps_shim.verification.variables import MatVariable


class Evidence(StrEnum):
    """What the comparison of a variable proves."""

    VALUES = "values"
    #: The reference has one value throughout, such as 0.
    CONSTANT = "constant"
    EMPTY = "empty"
    #: The reference has fewer elements than the contract wants.
    FEW = "few"
    #: Its rule looks at class and shape alone.
    FORM = "form"
    #: Original StaMPS does not write it.
    ABSENT = "absent"
    #: No case has it.
    UNSEEN = "in no case"


@dataclass(frozen=True)
class Refusal:
    """Something that proves nothing, and why.

    Attributes
    ----------
    where
        File, with the variable if it is about one.
    why
        One phrase.
    """

    where: str
    why: str


def evidence_of(rule: VariableContract, reference: MatVariable | None) -> Evidence:
    """Tell what a comparison with this reference proves."""
    if reference is None:
        return Evidence.ABSENT
    if rule.policy is Policy.IGNORED:
        return Evidence.FORM
    return Evidence.VALUES if reference.matlab_class == "char" else _of_numbers(rule, reference)


def _of_numbers(rule: VariableContract, reference: MatVariable) -> Evidence:
    values = reference.values
    if values.size == 0:
        return Evidence.EMPTY
    if values.size < rule.minimum:
        return Evidence.FEW
    known = values[~np.isnan(values)] if values.dtype.kind in "fc" else values
    if values.size > 1 and (known.size == 0 or (known == known.flat[0]).all()):
        return Evidence.CONSTANT
    return Evidence.VALUES


def evidence_of_file(pair: Pair) -> Evidence | None:
    """Tell what a file proves that is compared as a whole; None for MATLAB files."""
    if pair.artefact.policy is FilePolicy.VARIABLES or not pair.originals.exists():
        return None
    return Evidence.VALUES if pair.originals.stat().st_size else Evidence.EMPTY


def refused_values(results: Results) -> Iterator[Refusal]:
    """Yield the variables of a case whose reference proves nothing about values."""
    words = {
        Evidence.CONSTANT: "one value throughout",
        Evidence.EMPTY: "empty",
        Evidence.FEW: "of fewer elements than the contract wants",
    }
    for pair in results.pairs:
        if evidence_of_file(pair) is Evidence.EMPTY:
            yield Refusal(pair.name, "the reference is empty")
        originals = results.originals.get(pair.place, {})
        for rule in pair.artefact.variables:
            if rule.name in originals:
                why = words.get(evidence_of(rule, originals[rule.name]))
                if why is not None:
                    yield Refusal(f"{pair.name}: {rule.name}", f"the reference is {why}")


def refused_files(results: Results) -> Iterator[Refusal]:
    """Yield the files that our program has not computed in this run.

    A stage that the ledger does not know or knows as replayed, and a MATLAB file with the bytes of
    the original's: two programs do not write the same bytes.
    """
    stage = results.workspace.case.stage_scope.stage
    name = "prep" if stage == 0 else str(stage)
    for place in results.workspace.places:
        origins = Ledger.read(results.workspace.dataset / place).origins
        if name not in origins:
            yield Refusal(place, "the ledger does not know this stage")
        elif origins[name] not in (None, "native"):
            yield Refusal(place, f"the ledger says that it was {origins[name]}")
    for pair in results.pairs:
        if not (pair.ours.exists() and pair.originals.exists()):
            continue
        matlab = pair.artefact.policy is FilePolicy.VARIABLES
        if matlab and file_sha256(pair.ours) == file_sha256(pair.originals):
            yield Refusal(pair.name, "its bytes are the original's: a copy")


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
