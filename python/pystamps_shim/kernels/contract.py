"""Whether a native kernel agrees with its readable twin: the contract, and the comparison.

The rules are in ``verification/contract/kernels.toml``, one for every result of every kernel, with
the reason for each tolerance and for whatever is left out.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.kernels.exclusions import EXCLUSIONS, Comparison, baseline_range, complete

Array = NDArray[Any]
Doubles = NDArray[np.float64]
Mask = NDArray[np.bool_]

_RULES = Path(__file__).parents[1] / "verification" / "contract" / "kernels.toml"
_EXCLUDED = "excluded"
#: Elements from which on a quantile is judged.
_LEAST = {"q50": 20, "q99": 200}
_LEVELS = (0.5, 0.99, 1.0)


@dataclass(frozen=True)
class Rule:
    """How one result of a kernel has to agree.

    Attributes
    ----------
    dtype
        Its type.
    shape
        Its axes: symbols of the kernel, or numbers.
    agree
        ``exact``, ``absolute``, ``relative`` or ``wrapped``.
    limits
        Largest deviation at ``q50``, ``q99`` and ``max``; those that are judged.
    scale
        ``range``, or nothing.
    excluded
        Names of what is not compared.
    reason
        Why it may deviate by as much.
    """

    dtype: str
    shape: tuple[str | int, ...]
    agree: str
    limits: Mapping[str, float]
    scale: str
    excluded: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class KernelResult:
    """How one result of a kernel fared.

    Attributes
    ----------
    kernel, result
        Their names.
    problem
        What is wrong, in one line; None if they agree.
    compared, excluded
        Elements.
    differing
        Those beyond the limit ``max``.
    worst
        Index of the element that is farthest off; None where none is.
    native, reference
        Both values there.
    q50, q99, max
        Deviations at these quantiles, as the rule scales them; infinite against NaN.
    """

    kernel: str
    result: str
    problem: str | None = None
    compared: int = 0
    excluded: int = 0
    differing: int = 0
    worst: tuple[int, ...] | None = None
    native: complex | float | None = None
    reference: complex | float | None = None
    q50: float = 0.0
    q99: float = 0.0
    max: float = 0.0


@cache
def read_rules() -> dict[str, Any]:
    """Return the file of rules: a table a kernel, and what ``excluded`` means."""
    return tomllib.loads(_RULES.read_text(encoding="utf-8"))


def result_names(kernel: str) -> tuple[str, ...]:
    """Return the names of a kernel's results, in their order."""
    return tuple(read_rules()[kernel])


def load_rule(kernel: str, result: str, variants: Sequence[str] = ()) -> Rule:
    """Return the rule of a result with what `variants` of the inputs change of it."""
    values: dict[str, Any] = dict(read_rules()[kernel][result])
    if "as" in values:
        other = str(values.pop("as")).split(".")
        values = {**read_rules()[other[0]][other[1]], **values}
    for variant in variants:
        values.update(values.get(variant, {}))
    return Rule(
        values["dtype"],
        tuple(values["shape"]),
        values["agree"],
        {name: float(values[name]) for name in (*_LEAST, "max") if name in values},
        values.get("scale", ""),
        tuple(values.get(_EXCLUDED, ())),
        values["reason"],
    )


def compare_kernel(
    kernel: str, native: Any, reference: Any, inputs: Mapping[str, Any]
) -> list[KernelResult]:
    """Compare what two backends made of the same inputs.

    Parameters
    ----------
    kernel
        Its name.
    native, reference
        What the kernel returned: an array, or a tuple of them.
    inputs
        Arguments of the kernel by name, without the backend.

    Returns
    -------
    One for each result of the kernel.
    """
    names = result_names(kernel)
    sides = [list(side) if isinstance(side, tuple) else [side] for side in (native, reference)]
    comparison = Comparison(kernel, complete(kernel, inputs), tuple(sides[1]))
    found = []
    for place, name in enumerate(names):
        if any(len(side) != len(names) for side in sides):
            problem = f"{len(sides[0])} results, the reference has {len(sides[1])}"
            found.append(KernelResult(kernel, name, f"{problem}, want {len(names)}"))
            continue
        rule = load_rule(kernel, name, comparison.variants())
        pair = (np.asarray(sides[0][place]), np.asarray(sides[1][place]))
        found.append(_compare(name, rule, pair, comparison, place))
    return found


def _compare(
    name: str, rule: Rule, pair: tuple[Array, Array], comparison: Comparison, place: int
) -> KernelResult:
    kernel = comparison.kernel
    want = tuple(comparison.sizes()[axis] if isinstance(axis, str) else axis for axis in rule.shape)
    for role, values in zip(("native", "reference"), pair, strict=True):
        if values.dtype != rule.dtype:
            problem = f"the {role} result is {values.dtype}, want {rule.dtype}"
            return KernelResult(kernel, name, problem)
        if values.shape != want:
            problem = f"the {role} result has shape {values.shape}, want {want}"
            return KernelResult(kernel, name, problem)
    excluded = np.zeros(want, dtype=np.bool_)
    limit = rule.limits.get("max", 0.0)
    for exclusion in rule.excluded if excluded.size else ():
        mask = EXCLUSIONS[exclusion](
            comparison, place, lambda a, b: _moved(rule, a, b, comparison) > limit
        )
        excluded |= _along_rows(mask, excluded.ndim)
    deviation = _moved(rule, pair[0], pair[1], comparison)
    return _judged(KernelResult(kernel, name), rule, pair, deviation, excluded)


def _judged(
    blank: KernelResult, rule: Rule, pair: tuple[Array, Array], deviation: Doubles, excluded: Mask
) -> KernelResult:
    """Judge the deviations of what is compared."""
    left_out = int(np.count_nonzero(excluded))
    seen = deviation[~excluded]
    if not seen.size:
        return KernelResult(blank.kernel, blank.result, excluded=left_out)
    levels = [float(level) for level in np.quantile(seen, _LEVELS, method="higher")]
    found: dict[str, Any] = dict(zip(("q50", "q99", "max"), levels, strict=True))
    differing = int(np.count_nonzero(seen > rule.limits.get("max", 0.0)))
    place = np.unravel_index(np.argmax(np.where(excluded, -1.0, deviation)), deviation.shape)
    index = tuple(int(i) for i in place)
    native, reference = (side[index].item() for side in pair)
    measured = replace(blank, compared=seen.size, excluded=left_out, differing=differing, **found)
    if levels[-1]:
        measured = replace(measured, worst=index, native=native, reference=reference)
    broken = [
        f"{level} is {found[level]:.3g}, at most {limit:g}"
        for level, limit in ({"max": 0.0} | dict(rule.limits)).items()
        if found[level] > limit and seen.size >= _LEAST.get(level, 1)
    ]
    if not broken:
        return measured
    counts = f"{differing} of {seen.size} values differ"
    worst = f"worst at {index}: {native!r}, want {reference!r}"
    return replace(measured, problem="; ".join([counts, *broken, worst]))


def _moved(rule: Rule, one: Array, other: Array, comparison: Comparison) -> Doubles:
    """Return how far `one` is from `other`, element by element, as a rule measures it.

    Infinite where only one is NaN, or infinite.
    """
    if np.iscomplexobj(one):
        parts = [
            _moved(rule, a, b, comparison)
            for a, b in ((one.real, other.real), (one.imag, other.imag))
        ]
        return np.maximum(*parts)
    first, second = one.astype(np.float64), other.astype(np.float64)
    same = (first == second) | (np.isnan(first) & np.isnan(second))
    if rule.scale == "range":
        factor = baseline_range(comparison)
        first, second = first * factor, second * factor
    with np.errstate(invalid="ignore", over="ignore"):
        deviation = np.abs(first - second)
        if rule.agree == "wrapped":
            deviation = np.abs(deviation - 2 * np.pi * np.rint(deviation / (2 * np.pi)))
        elif rule.agree == "relative":
            deviation = deviation / np.maximum(1.0, np.abs(second))
    deviation = np.where(np.isnan(deviation), np.inf, deviation)
    return np.where(same, 0.0, deviation)


def _along_rows(mask: Mask, axes: int) -> Mask:
    """Return a mask of rows, or of elements, so that it applies to an array of so many axes."""
    return mask.reshape(mask.shape + (1,) * (axes - mask.ndim))
