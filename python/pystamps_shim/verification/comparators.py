"""How far variables are apart, and whether the policy of a contract allows it.

Used by `verify` and by certification alike; neither reads files here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.verification.contracts import Policy, VariableContract
from pystamps_shim.verification.variables import MatVariable

Doubles = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Quantiles of the deviation that are quoted.
QUANTILES = (0.5, 0.99, 1.0)
_TURN = 2 * np.pi


@dataclass(frozen=True)
class Share:
    """How many elements must be within the tolerance, and how far off the others may be.

    Attributes
    ----------
    fraction
        Least part of the elements within the tolerance.
    maximum
        Largest deviation of any element. Infinity allows any number, but none against NaN.
    congruent
        Least part of the samples that agree modulo a cycle (`Policy.CYCLES` alone).
    """

    fraction: float
    maximum: float
    congruent: float = 1.0


@dataclass(frozen=True)
class Worst:
    """The element that is farthest off.

    Attributes
    ----------
    index
        Where it is, counted from 0.
    candidate, reference
        Both values.
    """

    index: tuple[int, ...]
    candidate: complex | float
    reference: complex | float


@dataclass(frozen=True)
class Measurement:
    """What a comparison of two variables has found.

    Attributes
    ----------
    verdict
        Why they do not agree, None if they do.
    compared, differing
        Elements, and those beyond the tolerance.
    worst
        The element farthest off, None where none is.
    quantiles
        Deviations at `QUANTILES`; infinite where a number meets NaN. Empty without numbers.
    """

    verdict: str | None
    compared: int = 0
    differing: int = 0
    worst: Worst | None = None
    quantiles: tuple[float, ...] = ()

    @property
    def problem(self) -> str | None:
        """Return the verdict with the worst element and the quantiles, None if all is well."""
        if self.verdict is None or not self.quantiles:
            return self.verdict
        parts = [self.verdict]
        if self.worst is not None:
            index, found, want = self.worst.index, self.worst.candidate, self.worst.reference
            parts.append(f"worst at {index}: {found!r}, want {want!r}")
        levels = zip(QUANTILES, self.quantiles, strict=True)
        parts.append(" ".join(f"q{100 * level:g}={value:.3g}" for level, value in levels))
        return "; ".join(parts)


def compare_variable(
    contract: VariableContract, reference: MatVariable, candidate: MatVariable
) -> str | None:
    """Return what is wrong with `candidate`, or None (`measure_variable`)."""
    return measure_variable(contract, reference, candidate).problem


def measure_variable(
    contract: VariableContract, reference: MatVariable, candidate: MatVariable
) -> Measurement:
    """Compare a variable with its reference.

    Class and shape must agree with the reference and the contract. A complex array whose
    imaginary part is all zero may be stored as real.
    """
    for role, variable in (("reference", reference), ("candidate", candidate)):
        if variable.matlab_class not in contract.matlab_class.split("|"):
            want = contract.matlab_class
            return Measurement(f"class of the {role} is {variable.matlab_class}, want {want}")
    if candidate.matlab_class != reference.matlab_class:
        want = reference.matlab_class
        return Measurement(f"class of the candidate is {candidate.matlab_class}, want {want}")
    if candidate.shape != reference.shape:
        return Measurement(f"shape {candidate.shape}, want {reference.shape}")
    if contract.policy is Policy.IGNORED:
        return Measurement(None)
    if reference.matlab_class == "char":
        same = np.array_equal(reference.values, candidate.values)
        verdict = None if same else f"'{candidate.values}', want '{reference.values}'"
        return Measurement(verdict, compared=1, differing=int(not same))
    share = Share(contract.fraction, contract.maximum, contract.congruent)
    numbers = (reference.values, candidate.values)
    return measure_numbers(contract.policy, contract.tolerance, *numbers, share)


def compare_numbers(
    policy: Policy,
    tolerance: float,
    reference: NDArray[Any],
    candidate: NDArray[Any],
    share: Share | None = None,
) -> str | None:
    """Return how two numeric arrays of one shape disagree, or None (`measure_numbers`)."""
    return measure_numbers(policy, tolerance, reference, candidate, share).problem


def measure_numbers(
    policy: Policy,
    tolerance: float,
    reference: NDArray[Any],
    candidate: NDArray[Any],
    share: Share | None = None,
) -> Measurement:
    """Compare two numeric arrays of one shape; NaN agrees with NaN only.

    `exact` wants the same bits, the sign of zero included. `relative` scales the deviation
    of each element by the reference's modulus, `absolute` does not scale; both look at real and
    imaginary parts apart. For the others see `Policy`; without `share` they want every element
    within the tolerance.
    """
    pair = (reference, candidate)
    if not reference.size:
        return Measurement(None)
    if policy is Policy.CYCLES:
        return _measure_cycles(*pair, tolerance, share or Share(1.0, tolerance))
    if policy is Policy.RMS:
        return _measure_rms(*pair, tolerance, share or Share(1.0, tolerance))
    if policy in (Policy.QUANTILE, Policy.WRAPPED, Policy.PHASOR):
        within = share if share and policy is not Policy.PHASOR else Share(1.0, tolerance)
        return _measure_share(_deviation(policy, *pair), tolerance, within, *pair)
    deviation, wrong = _elementwise(policy, tolerance, *pair)
    measured = _measured(deviation, wrong, *pair)
    if not measured.differing:
        return measured
    text = f"{measured.differing} of {measured.compared} values differ"
    return replace(measured, verdict=text)


def _elementwise(
    policy: Policy, tolerance: float, reference: NDArray[Any], candidate: NDArray[Any]
) -> tuple[Doubles, Mask]:
    """Return how far off each element is, and whether that is too far.

    Of complex numbers the worse part counts.
    """
    if not (np.iscomplexobj(reference) or np.iscomplexobj(candidate)):
        return _real_elements(policy, tolerance, reference, candidate)
    one, other = reference.astype(complex), candidate.astype(complex)
    real, real_wrong = _real_elements(policy, tolerance, one.real, other.real)
    imaginary, imaginary_wrong = _real_elements(policy, tolerance, one.imag, other.imag)
    return np.maximum(real, imaginary), real_wrong | imaginary_wrong


def _real_elements(
    policy: Policy, tolerance: float, reference: NDArray[Any], candidate: NDArray[Any]
) -> tuple[Doubles, Mask]:
    deviation = _deviation(Policy.ABSOLUTE, reference, candidate)
    if policy is Policy.EXACT:
        both_nan = np.isnan(reference) & np.isnan(candidate)
        signs = (np.signbit(reference) != np.signbit(candidate)) & ~both_nan
        return deviation, (deviation != 0) | signs
    if policy is Policy.RELATIVE:
        with np.errstate(invalid="ignore", divide="ignore"):
            deviation = np.where(deviation == 0, 0.0, deviation / np.abs(reference.astype(float)))
    return deviation, ~(deviation <= tolerance)


def _measure_cycles(
    reference: NDArray[Any], candidate: NDArray[Any], tolerance: float, share: Share
) -> Measurement:
    """Compare unwrapped phase modulo a cycle first, then in whole cycles."""
    wrapped = _deviation(Policy.WRAPPED, reference, candidate)
    most = tolerance if share.congruent == 1.0 else np.pi
    congruent = Share(share.congruent, most)
    measured = _measure_share(wrapped, tolerance, congruent, reference, candidate)
    if measured.verdict is not None:
        return replace(measured, verdict=f"not whole cycles apart: {measured.verdict}")
    with np.errstate(invalid="ignore"):
        cycles = np.rint((candidate.astype(float) - reference.astype(float)) / _TURN)
    # NaN agrees with NaN only, which the first comparison has ensured.
    known = np.where(np.isfinite(cycles), cycles, 0.0)
    shift = _TURN * np.rint(np.median(known, axis=0))
    deviation = _deviation(Policy.QUANTILE, reference, candidate - shift)
    return _measure_share(deviation, tolerance, share, reference, candidate)


def _measure_rms(
    reference: NDArray[Any], candidate: NDArray[Any], tolerance: float, share: Share
) -> Measurement:
    """Compare the root mean square along the last axis, of the fraction that agrees best."""
    one, other = reference.astype(float), candidate.astype(float)
    with np.errstate(invalid="ignore"):
        difference = other - one
    known = np.where(np.isfinite(difference), difference, 0.0)
    offset = np.median(known, axis=-1, keepdims=True)
    deviation = _deviation(Policy.ABSOLUTE, one, other - offset)
    measured = _measured(deviation, deviation > tolerance, reference, candidate)
    best = np.sort(deviation, axis=-1)[..., : max(1, int(share.fraction * deviation.shape[-1]))]
    rms = float(np.sqrt(np.mean(best**2, axis=-1)).max())
    if rms <= tolerance:
        return measured
    text = f"rms difference {rms:.3g}, at most {tolerance:g}, common offset removed"
    if share.fraction < 1:
        text += f", of the best {100 * share.fraction:g} %"
    return replace(measured, verdict=text)


def _deviation(policy: Policy, reference: NDArray[Any], candidate: NDArray[Any]) -> Doubles:
    """Return how far off each element is; infinite where only one is NaN or infinite."""
    is_complex = np.iscomplexobj(reference) or np.iscomplexobj(candidate)
    kind = complex if is_complex or policy is Policy.PHASOR else float
    one, other = reference.astype(kind), candidate.astype(kind)
    with np.errstate(invalid="ignore", divide="ignore"):
        if policy is Policy.PHASOR:
            modulus = np.abs(np.abs(other) / np.abs(one) - 1)
            deviation = np.maximum(modulus, np.abs(np.angle(other * one.conj())))
        elif policy is Policy.WRAPPED and is_complex:
            lost = (one == 0) != (other == 0)
            deviation = np.where(lost, np.pi, np.abs(np.angle(other * one.conj())))
        elif policy is Policy.WRAPPED:
            deviation = np.abs(np.angle(np.exp(1j * (other - one))))
        else:
            deviation = np.abs(other - one)
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    deviation = np.where(np.isnan(deviation), np.inf, deviation)
    return np.where(same, 0.0, deviation)


def _measure_share(
    deviation: Doubles,
    tolerance: float,
    share: Share,
    reference: NDArray[Any],
    candidate: NDArray[Any],
) -> Measurement:
    measured = _measured(deviation, deviation > tolerance, reference, candidate)
    within = (measured.compared - measured.differing) / measured.compared
    largest = measured.quantiles[-1]
    if within >= share.fraction and np.isfinite(largest) and largest <= share.maximum:
        return measured
    text = f"{100 * within:.4g} % within {tolerance:g}, want {100 * share.fraction:g} %"
    if np.isfinite(share.maximum):
        text += f", none beyond {share.maximum:g}"
    return replace(measured, verdict=text)


def _measured(
    deviation: Doubles, wrong: Mask, reference: NDArray[Any], candidate: NDArray[Any]
) -> Measurement:
    """Count and rank the deviations."""
    differing = int(np.count_nonzero(wrong))
    if not differing and not deviation.any():
        return Measurement(None, deviation.size, 0, None, (0.0,) * len(QUANTILES))
    ranked = np.where(wrong, deviation, -1.0) if differing else deviation
    index = tuple(int(i) for i in np.unravel_index(np.argmax(ranked), deviation.shape))
    worst = Worst(index, candidate[index].item(), reference[index].item())
    levels = np.quantile(deviation, QUANTILES, method="higher")
    quantiles = tuple(float(level) for level in levels)
    return Measurement(None, deviation.size, differing, worst, quantiles)
