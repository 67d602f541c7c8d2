"""Compare artefacts with their reference by the policy of a contract."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts import Policy, VariableContract
from parity.readers import MatVariable

#: Quantiles of the deviation that a report quotes.
QUANTILES = (0.5, 0.75, 0.99, 1.0)


@dataclass(frozen=True)
class Difference:
    """One disagreement: where, and what it looks like."""

    where: str
    what: str

    def __str__(self) -> str:
        """Return one line for people."""
        return f"{self.where}: {self.what}"


@dataclass
class Report:
    """All that a comparison looked at and found, and what people should know besides."""

    compared: int = 0
    differences: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def check(self, where: str, problem: str | None) -> None:
        """Count one comparison and keep its problem, if any."""
        self.compared += 1
        if problem is not None:
            self.differences.append(Difference(where, problem))

    def __str__(self) -> str:
        """Return every difference, one a line, under a count."""
        head = f"{len(self.differences)} differences in {self.compared} comparisons"
        lines = [str(difference) for difference in self.differences] + self.notes
        return "\n".join([head, *(f"  {line}" for line in lines)])


def compare_variable(
    contract: VariableContract, reference: MatVariable, candidate: MatVariable
) -> str | None:
    """Return what is wrong with `candidate`, or None.

    Class and shape must agree with the reference and the contract. A complex array whose
    imaginary part is all zero may be stored as real.
    """
    for role, variable in (("reference", reference), ("candidate", candidate)):
        if variable.matlab_class not in contract.matlab_class.split("|"):
            return f"class of the {role} is {variable.matlab_class}, want {contract.matlab_class}"
    if candidate.matlab_class != reference.matlab_class:
        return f"class of the candidate is {candidate.matlab_class}, want {reference.matlab_class}"
    if candidate.shape != reference.shape:
        return f"shape {candidate.shape}, want {reference.shape}"
    if contract.policy is Policy.IGNORED:
        return None
    if reference.matlab_class == "char":
        same = np.array_equal(reference.values, candidate.values)
        return None if same else f"'{candidate.values}', want '{reference.values}'"
    share = Share(contract.fraction, contract.maximum)
    numbers = (reference.values, candidate.values)
    return compare_numbers(contract.policy, contract.tolerance, *numbers, share)


@dataclass(frozen=True)
class Share:
    """How many elements must be within the tolerance, and how far off the others may be."""

    fraction: float
    maximum: float


def compare_numbers(
    policy: Policy,
    tolerance: float,
    reference: NDArray[Any],
    candidate: NDArray[Any],
    share: Share | None = None,
) -> str | None:
    """Compare two numeric arrays of one shape; NaN agrees with NaN only.

    `exact` wants the same bits, the sign of zero included. `relative` scales the deviation
    of each element by the reference's modulus, `absolute` does not scale. For the others see
    `Policy`; without `share` they want every element within the tolerance.
    """
    if policy is Policy.CYCLES:
        return _compare_cycles(reference, candidate, tolerance, share or Share(1.0, tolerance))
    if policy in (Policy.QUANTILE, Policy.WRAPPED, Policy.PHASOR):
        within = share if share and policy is not Policy.PHASOR else Share(1.0, tolerance)
        return _compare_share(_deviation(policy, reference, candidate), tolerance, within)
    if np.iscomplexobj(reference) or np.iscomplexobj(candidate):
        reference, candidate = reference.astype(complex), candidate.astype(complex)
        parts = [(reference.real, candidate.real), (reference.imag, candidate.imag)]
    else:
        parts = [(reference, candidate)]
    for part_reference, part_candidate in parts:
        problem = _compare_real(policy, tolerance, part_reference, part_candidate)
        if problem is not None:
            return problem
    return None


def _compare_cycles(
    reference: NDArray[Any], candidate: NDArray[Any], tolerance: float, share: Share
) -> str | None:
    """Compare unwrapped phase modulo a cycle first, then in whole cycles."""
    wrapped = _deviation(Policy.WRAPPED, reference, candidate)
    problem = _compare_share(wrapped, tolerance, Share(1.0, tolerance))
    if problem is not None:
        return f"not whole cycles apart: {problem}"
    turn = 2 * np.pi
    cycles = np.rint((candidate.astype(float) - reference.astype(float)) / turn)
    # NaN agrees with NaN only, which the first comparison has ensured.
    known = np.where(np.isnan(cycles), 0.0, cycles)
    shift = turn * np.rint(np.median(known, axis=0))
    return _compare_share(
        _deviation(Policy.QUANTILE, reference, candidate - shift), tolerance, share
    )


def _deviation(
    policy: Policy, reference: NDArray[Any], candidate: NDArray[Any]
) -> NDArray[np.float64]:
    """Return how far off each element is; infinite where only one is NaN or infinite."""
    with np.errstate(invalid="ignore", divide="ignore"):
        if policy is Policy.WRAPPED:
            turn = np.exp(1j * (candidate.astype(float) - reference.astype(float)))
            deviation = np.abs(np.angle(turn))
        elif policy is Policy.PHASOR:
            one, other = reference.astype(complex), candidate.astype(complex)
            modulus = np.abs(np.abs(other) / np.abs(one) - 1)
            deviation = np.maximum(modulus, np.abs(np.angle(other * one.conj())))
        else:
            deviation = np.abs(candidate.astype(complex) - reference.astype(complex))
    same = (reference == candidate) | (np.isnan(reference) & np.isnan(candidate))
    deviation = np.where(np.isnan(deviation), np.inf, deviation)
    return np.where(same, 0.0, deviation)


def _compare_share(deviation: NDArray[np.float64], tolerance: float, share: Share) -> str | None:
    if not deviation.size:
        return None
    within = float((deviation <= tolerance).mean())
    if within >= share.fraction and deviation.max() <= share.maximum:
        return None
    worst = tuple(int(i) for i in np.unravel_index(np.argmax(deviation), deviation.shape))
    levels = np.quantile(deviation, QUANTILES, method="higher")
    text = " ".join(f"q{100 * q:g}={v:.3g}" for q, v in zip(QUANTILES, levels, strict=True))
    return (
        f"{100 * within:.4g} % within {tolerance:g}, want {100 * share.fraction:g} %; worst at "
        f"{worst}: {deviation.max():.3g} off, at most {share.maximum:g}; {text}"
    )


def _compare_real(
    policy: Policy, tolerance: float, reference: NDArray[Any], candidate: NDArray[Any]
) -> str | None:
    both_nan = np.isnan(reference) & np.isnan(candidate)
    equal = (reference == candidate) | both_nan
    if policy is Policy.EXACT:
        wrong = ~equal | ((np.signbit(reference) != np.signbit(candidate)) & ~both_nan)
    else:
        with np.errstate(invalid="ignore", divide="ignore"):
            scale = np.abs(reference) if policy is Policy.RELATIVE else 1.0
            wrong = ~equal & ~(np.abs(candidate - reference) <= tolerance * scale)
    if not wrong.any():
        return None
    return _describe(wrong, reference, candidate)


def _describe(wrong: NDArray[np.bool_], reference: NDArray[Any], candidate: NDArray[Any]) -> str:
    with np.errstate(invalid="ignore"):
        deviation = np.abs(candidate.astype(float) - reference.astype(float))
    deviation = np.where(wrong & np.isnan(deviation), np.inf, deviation)
    worst = np.unravel_index(np.nanargmax(np.where(wrong, deviation, -1.0)), wrong.shape)
    finite = deviation[np.isfinite(deviation)]
    quantiles = np.quantile(finite, QUANTILES) if finite.size else np.array([])
    text = " ".join(f"q{100 * q:g}={v:.3g}" for q, v in zip(QUANTILES, quantiles, strict=False))
    index = tuple(int(i) for i in worst)
    return (
        f"{int(wrong.sum())} of {wrong.size} values differ; worst at {index}: "
        f"{candidate[worst]!r}, want {reference[worst]!r}; {text}"
    )


def compare_bytes(reference: bytes, candidate: bytes) -> str | None:
    """Compare two files byte by byte."""
    if len(reference) != len(candidate):
        return f"{len(candidate)} bytes, want {len(reference)}"
    one = np.frombuffer(reference, np.uint8)
    other = np.frombuffer(candidate, np.uint8)
    wrong = np.flatnonzero(one != other)
    return None if wrong.size == 0 else f"{wrong.size} bytes differ, first at {wrong[0]}"


def compare_text(reference: str, candidate: str, substitutions: dict[str, str]) -> str | None:
    """Compare two texts after replacing placeholders in the reference."""
    for placeholder, real in substitutions.items():
        reference = reference.replace(placeholder, real)
    if reference == candidate:
        return None
    lines = zip(reference.splitlines(), candidate.splitlines(), strict=False)
    for number, (want, got) in enumerate(lines, start=1):
        if want != got:
            return f"line {number} is '{got}', want '{want}'"
    counts = (len(candidate.splitlines()), len(reference.splitlines()))
    return f"{counts[0]} lines, want {counts[1]} (or a final newline differs)"


def check_shape(
    symbols: dict[str, int], shape: list[str | int], found: tuple[int, ...]
) -> str | None:
    """Check a shape written in symbols (N, M, Mi, …), binding symbols not seen before.

    The symbol ``any`` fits every size and binds nothing.
    """
    if len(shape) != len(found):
        return f"shape {found}, want {shape}"
    for symbol, size in zip(shape, found, strict=True):
        if symbol == "any":
            continue
        want = symbol if isinstance(symbol, int) else symbols.setdefault(symbol, size)
        if want != size:
            return f"shape {found}, want {shape} with {symbols}"
    return None
