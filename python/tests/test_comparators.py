"""Policies of contracts: what they allow, and where each of them ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pystamps_shim.verification.comparators import compare_variable, measure_numbers
from pystamps_shim.verification.contracts import Policy, VariableContract
from pystamps_shim.verification.limits import Limits, level_name
from pystamps_shim.verification.variables import MatVariable

TURN = 2 * np.pi
THOUSANDTH = {"max": 1e-3, "reason": "a test"}
BLANK = VariableContract("x", "double", ["N"], Policy.EXACT)


def rule(policy: str, **values: Any) -> VariableContract:
    """Return a contract as a file would say it."""
    return BLANK.compared_by({"policy": policy, **values})


EXACT = rule("exact")
ABSOLUTE = rule("quantiles", **THOUSANDTH)
RELATIVE = rule("quantiles", measure="relative", **THOUSANDTH)
PHASOR = rule("quantiles", measure="phasor", **THOUSANDTH)
MOSTLY = rule("quantiles", q75=1e-3, max=1.0, reason="a test")
ANY = rule("quantiles", q50=1e-3, max=np.inf, reason="a test")
WRAPPED = rule("wrapped", **THOUSANDTH)
CYCLES = rule("cycles", **THOUSANDTH)
SOME_CYCLES = rule("cycles", cycles=0.25, **THOUSANDTH)
LOOSE_CYCLES = rule("cycles", cycles=0.25, congruent=0.75, **THOUSANDTH)
ULP = rule("ulp", max=2, reason="a test")
SETS = rule("set", jaccard=0.5)
STEP = np.spacing(1.0)


@pytest.mark.parametrize(
    ("contract", "reference", "candidate", "agrees"),
    [
        (EXACT, [1.0, np.nan], [1.0, np.nan], True),
        (EXACT, [1.0, np.nan], [1.0, 0.0], False),
        (EXACT, [0.0], [-0.0], False),
        (EXACT, [np.inf], [-np.inf], False),
        (EXACT, [1 + 1j], [1 + 1j], True),
        (EXACT, [1 + 0j], [complex(1, -0.0)], False),
        (RELATIVE, [1000.0], [1000.9], True),
        (RELATIVE, [1000.0], [1001.1], False),
        (RELATIVE, [0.0], [1e-9], False),
        (ABSOLUTE, [1000.0], [1000.0009], True),
        (ABSOLUTE, [1000.0], [1000.0011], False),
        (ABSOLUTE, [1.0], [np.nan], False),
        (ABSOLUTE, [np.nan], [1.0], False),
        (ABSOLUTE, [np.inf], [np.inf], True),
        (ABSOLUTE, [1.0], [np.inf], False),
        (ABSOLUTE, [1j, 1], [1j + 2e-3, 1], False),
        (MOSTLY, [0, 0, 0, 0], [0, 0, 0, 0.9], True),
        (MOSTLY, [0, 0, 0, 0], [0, 0, 0, 1.1], False),
        (MOSTLY, [0, 0, 0, 0], [0, 0, 0.5, 0.5], False),
        (MOSTLY, [0, 0, 0, np.nan], [0, 0, 0, 0], False),
        (MOSTLY, [0, 0, 0, np.nan], [0, 0, 0, np.nan], True),
        (ANY, [0, 0, 0, 0], [0, 0, 1e9, 1e9], True),
        (ANY, [0, 0, 0, 0], [0, 0, 0, np.nan], False),
        (WRAPPED, [np.pi, 0.5], [-np.pi + 5e-4, 0.5], True),
        (WRAPPED, [np.pi, 0.5], [-np.pi + 2e-3, 0.5], False),
        (WRAPPED, [np.nan, 0.5], [0.0, 0.5], False),
        (WRAPPED, [1j, 0j], [2j, 0j], True),
        (WRAPPED, [1j, 0j], [2j, 1e-9j], False),
        (CYCLES, [0.5, np.nan, 1, 2], [0.5 + TURN, np.nan, 1 + TURN, 2 + TURN], True),
        (CYCLES, [0.5, 2, 1, 2], [0.5 + TURN, np.nan, 1 + TURN, 2 + TURN], False),
        (CYCLES, [0.5, 1, 2, 3], [0.5, 1, 2, 3 + TURN], False),
        (SOME_CYCLES, [0.5, 1, 2, 3], [0.5, 1, 2, 3 - TURN], True),
        (SOME_CYCLES, [0.5, 1, 2, 3], [0.5, 1, 2 + TURN, 3 - TURN], False),
        (SOME_CYCLES, [0.5, 1, 2, 3], [0.5, 1, 2, 3.1], False),
        (LOOSE_CYCLES, [0.5, 1, 2, 3], [0.5, 1, 2, 3.1], True),
        (PHASOR, [1000j, 0], [1000.5j, 0], True),
        (PHASOR, [1000j, 0], [1002j, 0], False),
        (PHASOR, [1000j, 0], [1000j * np.exp(2e-3j), 0], False),
        (PHASOR, [1000j, 0], [1000j, 1e-9], False),
        (ULP, [1.0], [1.0 + 2 * STEP], True),
        (ULP, [1.0], [1.0 + 3 * STEP], False),
        (ULP, np.ones(1, np.float32), np.ones(1, np.float32) + np.float32(2.4e-7), True),
        (ULP, np.ones(1, np.float32), np.ones(1, np.float32) + np.float32(4.8e-7), False),
        (SETS, [[1, 2], [3, 4], [5, 6]], [[5, 6], [1, 2], [3, 4]], True),
        (SETS, [[1, 2], [3, 4]], [[3, 4]], True),
        (SETS, [[1, 2], [3, 4]], [[3, 4], [7, 8]], False),
    ],
)
def test_policies(
    contract: VariableContract, reference: list[float], candidate: list[float], *, agrees: bool
) -> None:
    """Agreement and its limits, NaN and infinities included."""
    measured = measure_numbers(contract, np.array(reference), np.array(candidate))
    assert (measured.verdict is None) is agrees, measured


def test_cycles_are_counted_apart() -> None:
    """Columns moved as a whole are no differences, and both are told."""
    reference = np.arange(12.0).reshape(4, 3)
    candidate = reference + TURN * np.array([0, 3, 0])
    candidate[2, 0] -= TURN
    measured = measure_numbers(SOME_CYCLES, reference, candidate)
    assert measured.verdict is None
    assert (measured.cycles, measured.moved, measured.differing) == (1, 1, 1)
    assert measured.worst is not None
    assert measured.worst.index == (2, 0)


def test_rows_may_have_units_of_their_own() -> None:
    """Radians in the first row, thousandths of them in the second."""
    contract = rule("quantiles", row_units=[1.0, 1e-3], **THOUSANDTH)
    for row, difference, agrees in ((0, 9e-4, True), (1, 9e-7, True), (1, 9e-4, False)):
        candidate = np.zeros((2, 3))
        candidate[row, 1] = difference
        measured = measure_numbers(contract, np.zeros((2, 3)), candidate)
        assert (measured.verdict is None) is agrees


def test_real_stands_for_complex_only_when_the_imaginary_part_is_zero() -> None:
    """MATLAB may store such a complex array as real."""
    zero_imaginary = MatVariable("double", np.array([1 + 0j, 2 + 0j]))
    real = MatVariable("double", np.array([1.0, 2.0]))
    assert compare_variable(EXACT, zero_imaginary, real) is None
    other = MatVariable("double", np.array([1 + 0j, 2 + 1e-300j]))
    assert compare_variable(EXACT, other, real) is not None


@pytest.mark.parametrize(
    "values",
    [
        {"policy": "exact", "max": 1.0, "reason": "no limits here"},
        {"policy": "quantiles", "reason": "no limits"},
        {"policy": "quantiles", "max": 1.0},
        {"policy": "quantiles", "q99": 1.0, "reason": "not for all"},
        {"policy": "quantiles", "q50": 2.0, "max": 1.0, "reason": "falls"},
        {"policy": "quantiles", "max": -1.0, "reason": "below 0"},
        {"policy": "quantiles", "max": np.nan, "reason": "no number"},
        {"policy": "similar", "max": 1.0, "reason": "unknown"},
    ],
)
def test_rules_that_say_nothing_are_refused(values: dict[str, Any]) -> None:
    """A limit needs a reason, and one for all elements."""
    with pytest.raises(ValueError, match=r"(?i)policy|limits"):
        BLANK.compared_by(values)


def test_a_tolerance_of_the_user_is_for_every_element() -> None:
    """But where a few may be anything, they may still."""
    for values, want in (
        ({"q50": 1.0, "q99": 2.0, "max": 3.0}, {"max": 9.0}),
        ({"q99": 2.0, "max": np.inf}, {"q99": 9.0, "max": np.inf}),
    ):
        limits = Limits.of(values)
        assert limits is not None
        assert limits.within(9.0).as_keys() == want
    assert [level_name(level) for level in (0.5, 0.9, 0.98, 0.995, 0.999, 1.0)] == [
        *("q50", "q90", "q98", "q995", "q999", "max")
    ]
