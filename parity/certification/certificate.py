"""Certificates: what all cases of a scope have shown, kept as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parity.certification.case_record import CaseRecord, Key
from parity.certification.chains import ChainOutcome
from parity.certification.evidence import Evidence
from parity.certification.harness import harness_digest
from parity.certification.mutations import OF_VALUES, Tried
from parity.certification.provenance import (
    Code,
    Machine,
    Oracle,
    as_plain,
)
from parity.certification.scopes import CHAIN, StageScope
from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.verification.contracts import FilePolicy, Policy

#: Version of the layout.
SCHEMA = 1
#: Where the certificates are that belong to the code.
FOLDER = Path(__file__).resolve().parents[1] / "certificates"
#: From this depth on JSON is written in one line.
_INLINE_DEPTH = 5


@dataclass(frozen=True)
class Origin:
    """What all certificates of one run have in common.

    Attributes
    ----------
    code, oracle, machine
        Where they come from.
    threads
        Numbers of threads that were tried.
    digests
        Digest of the code of every certificate, by its name.
    """

    code: Code
    oracle: Oracle
    machine: Machine
    threads: tuple[int, ...]
    digests: Mapping[str, str]

    def head(self, name: str, threads: Sequence[int] | None = None) -> dict[str, Any]:
        """Return how a certificate begins; by default all numbers of threads were tried."""
        program = as_plain(self.code)
        del program["clean"]
        return {
            "schema": SCHEMA,
            "name": name,
            "oracle": as_plain(self.oracle),
            "program": {**program, "code_sha256": self.digests.get(name, "unknown")},
            "harness_sha256": harness_digest(),
            "machine": as_plain(self.machine),
            "threads": list(self.threads if threads is None else threads),
        }


def certificate_of(
    stage_scope: StageScope,
    origin: Origin,
    records: Sequence[CaseRecord],
    *,
    complete: bool = True,
) -> dict[str, Any]:
    """Put the certificate of a scope together.

    Parameters
    ----------
    stage_scope
        What was run.
    origin
        Where it comes from.
    records
        What the cases have shown.
    complete
        Whether they are all cases there are, so that every variable needs evidence; otherwise what
        has none is listed as `not_shown`.
    """
    tried = _tried(records)
    kinds = Counter(one.kind for one in tried)
    unnoticed = [f"{one.where}: {one.kind}" for one in tried if one.detected is None]
    coverage = _coverage(stage_scope, records)
    if not complete:
        coverage["not_shown"] = coverage["without_evidence"]
        coverage["without_evidence"] = []
    passed_by_value = coverage["by_value"] > 0
    cases = [record.as_plain() for record in records]
    passed = bool(cases) and all(case["passed"] for case in cases)
    return {
        **origin.head(stage_scope.name),
        "stage": stage_scope.stage,
        "scope": stage_scope.scope,
        "passed": passed and passed_by_value and not unnoticed and not coverage["without_evidence"],
        "mutations": {
            "made": len(tried),
            "detected": len(tried) - len(unnoticed),
            "of_values": sum(one.kind in OF_VALUES for one in tried),
            "by_relation": sum(one.detected == "relation" for one in tried),
            "by_kind": dict(sorted(kinds.items())),
            "undetected": unnoticed,
        },
        "coverage": coverage,
        "cases": cases,
    }


def _coverage(stage_scope: StageScope, records: Sequence[CaseRecord]) -> dict[str, Any]:
    """Tell which variables were compared by value in some case, and why others were not."""
    seen: dict[Key, set[Evidence]] = {}
    for record in records:
        for key, evidence in record.evidence.items():
            seen.setdefault(key, set()).add(evidence)
    spoilt = {one.where.rpartition("/")[2] for one in _tried(records) if one.kind in OF_VALUES}
    by_form, without, by_value = {}, [], 0
    reasons = _reasons(stage_scope)
    for key, reason in sorted(reasons.items()):
        name = f"{key[0]}: {key[1]}" if key[1] else key[0]
        named = f"{name} (small baselines)" if key[2] else name
        found = seen.get(key, {Evidence.UNSEEN})
        if Evidence.VALUES in found:
            by_value += 1
            if spoilt and name not in spoilt:
                without.append(f"{named}: its values were not spoilt")
        elif reason:
            by_form[named] = reason
        else:
            without.append(f"{named}: {', '.join(sorted(found))}")
    return {
        "variables": len(reasons),
        "by_value": by_value,
        "by_form": by_form,
        "without_evidence": without,
    }


def _tried(records: Sequence[CaseRecord]) -> list[Tried]:
    return [one for record in records for one in record.tried]


def _reasons(stage_scope: StageScope) -> dict[Key, str]:
    """Return every file and variable of the contract, and why it may lack evidence of values."""
    found = {}
    for small_baseline in (False, True):
        for artefact in stage_scope.artefacts(small_baseline=small_baseline):
            if artefact.policy is not FilePolicy.VARIABLES:
                found[artefact.file, "", small_baseline] = artefact.constant
            for rule in artefact.variables:
                reason = rule.constant
                if rule.policy is Policy.IGNORED:
                    reason = rule.reason
                elif rule.native_only:
                    reason = "original StaMPS does not write it"
                found[artefact.file, rule.name, small_baseline] = reason
    return found


def read_certificate(name: str, folder: Path = FOLDER) -> dict[str, Any] | None:
    """Read a certificate; None where there is none."""
    path = folder / f"{name}.json"
    if not path.exists():
        return None
    try:
        certificate: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        cause = f"{path}: no JSON ({error})"
        raise PystampsError(cause, "run 'make certify WRITE=1'", ExitCode.DIFFERENCES) from error
    return certificate


def write_certificate(certificate: Mapping[str, Any], folder: Path = FOLDER) -> Path:
    """Write a certificate in place of an earlier one."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{certificate['name']}.json"
    path.write_text(f"{_laid_out(certificate, 0)}\n", encoding="utf-8")
    return path


def _laid_out(value: Any, depth: int) -> str:
    """Return JSON for people and version control: a line for every variable of a file."""
    if depth >= _INLINE_DEPTH or not isinstance(value, dict | list) or not value:
        return json.dumps(value, allow_nan=False, ensure_ascii=False)
    nested = (item for item in _items(value) if isinstance(item, dict | list))
    if depth > 1 and all(_is_flat(item) for item in nested):
        return json.dumps(value, allow_nan=False, ensure_ascii=False)
    pad, end = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict):
        lines = [
            f"{pad}{json.dumps(key)}: {_laid_out(item, depth + 1)}" for key, item in value.items()
        ]
        return "{\n" + ",\n".join(lines) + f"\n{end}}}"
    lines = [f"{pad}{_laid_out(item, depth + 1)}" for item in value]
    return "[\n" + ",\n".join(lines) + f"\n{end}]"


def _is_flat(value: dict[str, Any] | list[Any]) -> bool:
    """Tell whether a value is a list without parts of its own, such as a parameter."""
    flat = not any(isinstance(item, dict | list) for item in _items(value))
    return isinstance(value, list) and flat


def _items(value: dict[str, Any] | list[Any]) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value


def chain_certificate(origin: Origin, outcomes: Sequence[ChainOutcome]) -> dict[str, Any]:
    """Put the certificate of the whole chains together."""
    tried = [(outcome.chain.name, one) for outcome in outcomes for one in outcome.tried]
    kinds = Counter(one.kind for _, one in tried)
    unnoticed = [f"{name}: {one.where}: {one.kind}" for name, one in tried if one.detected is None]
    passed = bool(outcomes) and all(outcome.passed for outcome in outcomes)
    return {
        # Whether bytes depend on threads is a matter of single stages.
        **origin.head(CHAIN, origin.threads[-1:]),
        "stage": None,
        "scope": None,
        "passed": passed and not unnoticed,
        "mutations": {
            "made": len(tried),
            "detected": len(tried) - len(unnoticed),
            "of_values": sum(one.kind in OF_VALUES for _, one in tried),
            "by_kind": dict(sorted(kinds.items())),
            "undetected": unnoticed,
        },
        "cases": [outcome.as_plain() for outcome in outcomes],
    }
