"""One file of ours against the reference's, variable by variable, read by independent readers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from parity.compare import check_shape, compare_bytes
from pystamps_shim.verification.contracts import Artefact, FilePolicy, VariableContract
from pystamps_shim.verification.measured import described, differing, measured
from pystamps_shim.verification.results import Form, Status, VariableResult
from pystamps_shim.verification.texts import compare_text
from pystamps_shim.verification.variables import MatVariable

Variables = Mapping[str, MatVariable]
#: Sizes by the symbols of a contract; they must be the same throughout a scope.
Symbols = dict[str, int]


def compare_variables(
    artefact: Artefact, ours: Variables, reference: Variables, symbols: Symbols
) -> tuple[VariableResult, ...]:
    """Compare every variable of a file; missing, surplus and unknown ones are results too."""
    results = []
    for rule in artefact.variables:
        found, wanted = ours.get(rule.name), reference.get(rule.name)
        if found is not None or wanted is not None or not rule.optional:
            results.append(compare_one(rule, found, wanted, symbols))
    known = {rule.name for rule in artefact.variables}
    for name in sorted((set(ours) | set(reference)) - known):
        result = VariableResult(name, Status.EXTRA, "not in the contract")
        results.append(replace(result, dataset=_form(ours.get(name))))
    return tuple(results)


def compare_one(
    rule: VariableContract,
    ours: MatVariable | None,
    reference: MatVariable | None,
    symbols: Symbols,
) -> VariableResult:
    """Compare one variable: first its shape in the contract, then its value."""
    result = described(rule, _form(ours), _form(reference))
    if ours is None:
        return replace(result, status=Status.MISSING, problem="missing")
    shape = check_shape(symbols, rule.shape, ours.shape)
    if reference is None:
        if not rule.native_only:
            return replace(result, status=Status.EXTRA, problem="missing in the reference")
        problem = shape or _of_our_own(rule, ours)
        unseen = replace(result, status=Status.NOT_COMPARED)
        return unseen if problem is None else differing(result, problem)
    result = measured(result, rule, (ours, reference))
    if result.problem is None and ours.matlab_class not in rule.matlab_class.split("|"):
        return differing(result, f"class {ours.matlab_class}, want {rule.matlab_class}")
    return result if shape is None or result.problem else differing(result, shape)


def _of_our_own(rule: VariableContract, ours: MatVariable) -> str | None:
    """Look at a variable that original StaMPS does not write."""
    if ours.matlab_class not in rule.matlab_class.split("|"):
        return f"class {ours.matlab_class}, want {rule.matlab_class}"
    if rule.value and str(ours.values) != rule.value:
        return f"'{ours.values}', want '{rule.value}'"
    return None


def compare_whole_files(
    policy: FilePolicy, ours: Path, reference: Path, substitutions: Mapping[str, str]
) -> str | None:
    """Compare two files that are no MATLAB files."""
    return compare_contents(policy, ours.read_bytes(), reference.read_bytes(), substitutions)


def compare_contents(
    policy: FilePolicy, ours: bytes, reference: bytes, substitutions: Mapping[str, str]
) -> str | None:
    """Compare what two files hold that are no MATLAB files."""
    if policy is FilePolicy.BYTES:
        return compare_bytes(reference, ours)
    texts = [content.decode("utf-8", errors="replace") for content in (reference, ours)]
    return compare_text(texts[0], texts[1], dict(substitutions))


def _form(variable: MatVariable | None) -> Form | None:
    return None if variable is None else Form(variable.matlab_class, variable.shape)
