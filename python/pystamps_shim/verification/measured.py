"""From what the comparators measure to the result of one variable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pystamps_shim.verification.comparators import Measurement, measure_variable
from pystamps_shim.verification.contracts import Policy, VariableContract
from pystamps_shim.verification.pixels import Match
from pystamps_shim.verification.results import (
    Deviation,
    Form,
    Status,
    VariableResult,
    WorstElement,
)
from pystamps_shim.verification.variables import MatVariable

Pair = tuple[MatVariable, MatVariable]


def described(
    rule: VariableContract, dataset: Form | None, reference: Form | None
) -> VariableResult:
    """Return the result of a variable before anything is compared: what it is, and its rule."""
    return under(
        rule, VariableResult(rule.name, Status.EQUAL, dataset=dataset, reference=reference)
    )


def under(rule: VariableContract, result: VariableResult) -> VariableResult:
    """Return a result with the rule it stands under."""
    shares = {Policy.CYCLES: rule.cycles, Policy.SET: rule.jaccard, Policy.RMS: rule.best}
    return replace(
        result,
        policy=rule.policy.value,
        measure=rule.measure.value if rule.policy is Policy.QUANTILES else None,
        limits={} if rule.limits is None else rule.limits.as_keys(),
        share=shares.get(rule.policy),
        reason=rule.reason,
    )


def differing(result: VariableResult, problem: str) -> VariableResult:
    """Return a result with what is wrong."""
    return replace(result, status=Status.DIFFERS, problem=problem)


def with_match(result: VariableResult, match: Match, least: float) -> VariableResult:
    """Return the result of rows compared as sets of pixels."""
    problem = match.problem(least)
    counted = replace(result, compared=match.total, differing=sum(match.unmatched))
    return counted if problem is None else differing(counted, problem)


def measured(
    result: VariableResult,
    rule: VariableContract,
    pair: Pair,
    matched: tuple[int, Match] | None = None,
) -> VariableResult:
    """Compare two variables and return the result.

    Parameters
    ----------
    result
        What the variable is.
    rule
        How to compare it; its class gives way to the reference's.
    pair
        The dataset's and the reference's.
    matched
        Axis whose elements are pixels, and which of them are the same; None compares all.
    """
    dataset, reference = pair
    if matched is not None:
        axis, match = matched
        dataset = replace(dataset, values=dataset.values.take(match.dataset, axis=axis))
        reference = replace(reference, values=reference.values.take(match.reference, axis=axis))
    own_class = replace(rule, matlab_class=reference.matlab_class)
    found = measure_variable(own_class, reference, dataset)
    worst = _worst(found, matched)
    if found.worst is not None and worst is not None:
        found = replace(found, worst=replace(found.worst, index=worst.index))
    return replace(
        result,
        status=Status.EQUAL if found.verdict is None else Status.DIFFERS,
        problem=found.problem,
        compared=found.compared,
        differing=found.differing,
        cycles=found.cycles if rule.policy is Policy.CYCLES else None,
        moved=found.moved if rule.policy is Policy.CYCLES else None,
        worst=worst,
        deviation=Deviation(*found.quantiles) if found.quantiles else None,
    )


def _worst(found: Measurement, matched: tuple[int, Match] | None) -> WorstElement | None:
    """Return the worst element with its place on either side."""
    if found.worst is None:
        return None
    index = reference_index = found.worst.index
    if matched is not None:
        axis, match = matched
        index = _moved(index, axis, match.dataset)
        reference_index = _moved(reference_index, axis, match.reference)
    return WorstElement(index, reference_index, found.worst.candidate, found.worst.reference)


def _moved(index: tuple[int, ...], axis: int, rows: np.ndarray) -> tuple[int, ...]:
    return (*index[:axis], int(rows[index[axis]]), *index[axis + 1 :])
