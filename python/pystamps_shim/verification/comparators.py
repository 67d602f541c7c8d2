"""Whether two variables agree as their contract demands, and how far they are apart.

Used by `verify` and by certification alike; neither reads files here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.verification.contracts import Measure, Policy, VariableContract
from pystamps_shim.verification.deviations import (
    TURN,
    deviation,
    ulp_deviation,
    usual_cycles,
    whole_cycles,
    wrapped_deviation,
)
from pystamps_shim.verification.limits import Limits, level_name
from pystamps_shim.verification.variables import MatVariable

Array = NDArray[Any]
Doubles = NDArray[np.float64]

#: Quantiles of the deviation that are quoted.
QUANTILES = (0.5, 0.99, 1.0)


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
    cycles
        Samples in another cycle (`Policy.CYCLES`).
    moved
        Columns that are whole cycles off as a whole (`Policy.CYCLES`).
    """

    verdict: str | None
    compared: int = 0
    differing: int = 0
    worst: Worst | None = None
    quantiles: tuple[float, ...] = ()
    cycles: int = 0
    moved: int = 0

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
    if candidate.shape != reference.shape and contract.policy is not Policy.SET:
        return Measurement(f"shape {candidate.shape}, want {reference.shape}")
    if contract.policy is Policy.IGNORED:
        return Measurement(None)
    if reference.matlab_class == "char":
        same = np.array_equal(reference.values, candidate.values)
        verdict = None if same else f"'{candidate.values}', want '{reference.values}'"
        return Measurement(verdict, compared=1, differing=int(not same))
    return measure_numbers(contract, reference.values, candidate.values)


def measure_numbers(contract: VariableContract, reference: Array, candidate: Array) -> Measurement:
    """Compare two numeric arrays by the policy of a contract; NaN agrees with NaN only.

    `exact` wants the same bits, the sign of zero included. But for `set` both have one shape.
    """
    if contract.policy is Policy.SET:
        return _measure_sets(contract, reference, candidate)
    if not reference.size:
        return Measurement(None)
    if contract.policy is Policy.EXACT:
        return _measure_bits(reference, candidate)
    limits = contract.limits
    assert limits is not None, "invariant: every other policy has limits"
    if contract.policy is Policy.CYCLES:
        return _measure_cycles(contract, limits, reference, candidate)
    if contract.policy is Policy.RMS:
        return _measure_rms(contract, limits, reference, candidate)
    if contract.policy is Policy.WRAPPED:
        found = wrapped_deviation(reference, candidate)
    elif contract.policy is Policy.ULP:
        found = ulp_deviation(reference, candidate)
    else:
        found = deviation(contract.measure, reference, candidate)
    if contract.row_units:
        found = found / np.reshape(contract.row_units, (-1, *(1 for _ in found.shape[1:])))
    return _measure_limits(limits, found, reference, candidate)


def _measure_bits(reference: Array, candidate: Array) -> Measurement:
    found = deviation(Measure.ABSOLUTE, reference, candidate)
    wrong = found != 0
    for part in ("real", "imag"):
        one, other = getattr(reference, part), getattr(candidate, part)
        if one.dtype.kind == "f" and other.dtype.kind == "f":
            both_nan = np.isnan(one) & np.isnan(other)
            wrong = wrong | ((np.signbit(one) != np.signbit(other)) & ~both_nan)
    measured = _measured(found, wrong, reference, candidate)
    if not measured.differing:
        return measured
    return replace(measured, verdict=_counted(measured))


def _measure_limits(
    limits: Limits, found: Doubles, reference: Array, candidate: Array
) -> Measurement:
    measured = _measured(found, found > limits.tolerance, reference, candidate)
    exceeded = []
    for level, bound in limits.levels:
        reached = float(np.quantile(found, level, method="inverted_cdf"))
        if not (reached <= bound and np.isfinite(reached)):
            exceeded.append(f"{level_name(level)} is {reached:.3g}, at most {bound:g}")
    if not exceeded:
        return measured
    text = _counted(measured)
    if len(limits.levels) > 1:
        text += f": {', '.join(exceeded)}"
    return replace(measured, verdict=text)


def _measure_cycles(
    contract: VariableContract, limits: Limits, reference: Array, candidate: Array
) -> Measurement:
    """Compare unwrapped phase in whole cycles, and what remains besides them."""
    wrapped = wrapped_deviation(reference, candidate)
    cycles = whole_cycles(reference, candidate)
    shift = usual_cycles(cycles)
    off = np.isfinite(cycles) & (cycles != shift)
    count, moved = int(np.count_nonzero(off)), int(np.count_nonzero(shift))
    unequal = float(np.mean(wrapped > limits.tolerance))
    if unequal > 1 - contract.congruent or not np.isfinite(wrapped).all():
        measured = _measured(wrapped, wrapped > limits.tolerance, reference, candidate)
        return replace(measured, verdict=f"not whole cycles apart: {_counted(measured)}")
    found = deviation(Measure.ABSOLUTE, reference, candidate - TURN * shift)
    measured = replace(
        _measured(found, found > limits.tolerance, reference, candidate), cycles=count, moved=moved
    )
    share = count / off.size
    if share <= contract.cycles:
        return measured
    text = f"{count} of {off.size} samples are in another cycle: {100 * share:.3g} %,"
    return replace(measured, verdict=f"{text} at most {100 * contract.cycles:g} %")


def _measure_rms(
    contract: VariableContract, limits: Limits, reference: Array, candidate: Array
) -> Measurement:
    """Compare the root mean square along the last axis, of the share that agrees best."""
    one, other = reference.astype(float), candidate.astype(float)
    with np.errstate(invalid="ignore"):
        difference = other - one
    known = np.where(np.isfinite(difference), difference, 0.0)
    offset = np.median(known, axis=-1, keepdims=True)
    found = deviation(Measure.ABSOLUTE, one, other - offset)
    measured = _measured(found, found > limits.tolerance, reference, candidate)
    best = np.sort(found, axis=-1)[..., : max(1, int(contract.best * found.shape[-1]))]
    rms = float(np.sqrt(np.mean(best**2, axis=-1)).max())
    if rms <= limits.largest:
        return measured
    text = f"rms difference {rms:.3g}, at most {limits.largest:g}, common offset removed"
    if contract.best < 1:
        text += f", of the best {100 * contract.best:g} %"
    return replace(measured, verdict=text)


def _measure_sets(contract: VariableContract, reference: Array, candidate: Array) -> Measurement:
    """Compare rows as sets, whatever their order."""
    one, other = (
        {tuple(row) for row in np.atleast_2d(rows).tolist()} for rows in (reference, candidate)
    )
    common, every = len(one & other), len(one | other)
    jaccard = common / every if every else 1.0
    measured = Measurement(None, compared=every, differing=every - common)
    if jaccard >= contract.jaccard:
        return measured
    text = f"{common} rows are common, {len(other - one)} in the candidate alone,"
    text += f" {len(one - other)} in the reference alone:"
    return replace(
        measured, verdict=f"{text} Jaccard index {jaccard:.4f}, at least {contract.jaccard:g}"
    )


def _counted(measured: Measurement) -> str:
    return f"{measured.differing} of {measured.compared} values differ"


def _measured(
    found: Doubles, wrong: NDArray[np.bool_], reference: Array, candidate: Array
) -> Measurement:
    """Count and rank the deviations."""
    differing = int(np.count_nonzero(wrong))
    if not differing and not found.any():
        return Measurement(None, found.size, 0, None, (0.0,) * len(QUANTILES))
    ranked = np.where(wrong, found, -1.0) if differing else found
    index = tuple(int(i) for i in np.unravel_index(np.argmax(ranked), found.shape))
    worst = Worst(index, candidate[index].item(), reference[index].item())
    levels = np.quantile(found, QUANTILES, method="inverted_cdf")
    quantiles = tuple(float(level) for level in levels)
    return Measurement(None, found.size, differing, worst, quantiles)
