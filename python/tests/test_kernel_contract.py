"""The contract of the kernels covers every result, and its comparison notices every change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from kernel_inputs import ordinary
from numpy.typing import NDArray

from pystamps_shim.kernels import accelerated
from pystamps_shim.kernels.contract import (
    KernelResult,
    compare_kernel,
    load_rule,
    read_rules,
    result_names,
)
from pystamps_shim.kernels.exclusions import EXCLUSIONS
from pystamps_shim.kernels.names import KERNELS

Array = NDArray[Any]
RESULTS = [(kernel, name) for kernel in KERNELS for name in result_names(kernel)]
#: Variants of the rules, as their file explains them.
VARIANTS = ("single", "L1", "2D", "simple")
#: Keys of a rule; anything else is a slip.
KEYS = {*("dtype", "shape", "agree", "scale", "q50", "q99", "max", "reason", "excluded"), *VARIANTS}


def computed(kernel: str, backend: Any) -> tuple[Array, ...]:
    result = getattr(accelerated, kernel)(**ordinary(kernel), backend=backend)
    return result if isinstance(result, tuple) else (result,)


def test_every_result_has_one_rule() -> None:
    assert set(read_rules()) == {*KERNELS, "excluded"}
    for kernel in KERNELS:
        assert len(result_names(kernel)) == len(computed(kernel, "numpy"))


def test_every_exclusion_is_explained_and_used() -> None:
    explained = read_rules()["excluded"]
    assert set(explained) == set(EXCLUSIONS)
    used = {name for kernel, result in RESULTS for name in load_rule(kernel, result).excluded}
    assert used == set(EXCLUSIONS)


@pytest.mark.parametrize(("kernel", "name"), RESULTS)
def test_rules_are_complete(kernel: str, name: str) -> None:
    given = read_rules()[kernel][name]
    assert set(given) <= KEYS or set(given) == {"as"}
    for variant in (None, *VARIANTS):
        rule = load_rule(kernel, name, [variant] if variant else [])
        assert rule.agree in ("exact", "absolute", "relative", "wrapped")
        assert rule.scale in ("", "range")
        assert len(rule.reason) > 8
        levels = [rule.limits[level] for level in ("q50", "q99", "max") if level in rule.limits]
        assert levels == sorted(levels)
        assert bool(levels) == (rule.agree != "exact")
        assert all(0 < level < np.pi for level in levels)


@pytest.mark.parametrize("kernel", KERNELS)
def test_ordinary_inputs_are_compared_altogether(kernel: str) -> None:
    native, reference = computed(kernel, "native"), computed(kernel, "numpy")
    results = compare_kernel(kernel, native, reference, ordinary(kernel))
    for found, values in zip(results, reference, strict=True):
        assert found.problem is None
        assert (found.compared, found.excluded, found.differing) == (values.size, 0, 0)
        assert found.q50 <= found.q99 <= found.max


def swapped(values: Array) -> Array:
    """Return the values with two rows, not alike, exchanged."""
    rows = values.reshape(len(values), -1)
    first, second = (int(np.argmin(rows[:, 0])), int(np.argmax(rows[:, 0])))
    order = np.arange(len(values))
    order[[first, second]] = second, first
    return values[order]


def nudged(values: Array, by: float, place: int = -1) -> Array:
    changed = values.copy()
    changed.flat[place] += by
    return changed


def replaced(values: Array, value: float) -> Array:
    changed = values.copy()
    changed.flat[0] = value
    return changed


OTHER_TYPE = {"float32": "float64", "float64": "float32", "complex64": "complex128"}
MUTATIONS: dict[str, Callable[[Array], Any]] = {
    "two rows swapped": swapped,
    "a row dropped": lambda values: values[:-1],
    "another type": lambda values: values.astype(OTHER_TYPE[str(values.dtype)]),
    "transposed": lambda values: values.T[None] if values.ndim == 1 else np.moveaxis(values, 0, -1),
    "a value lost": lambda values: replaced(values, np.nan),
    "a value endless": lambda values: replaced(values, np.inf),
    "all lost": lambda values: np.full_like(values, np.nan),
    "sign": lambda values: -values,
}


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize(("kernel", "name"), RESULTS)
def test_changes_are_noticed(kernel: str, name: str, mutation: str) -> None:
    place = result_names(kernel).index(name)
    reference = computed(kernel, "numpy")
    if mutation == "transposed" and name == "ifg_vcm":
        pytest.skip("a symmetric matrix")
    changed = list(computed(kernel, "native"))
    changed[place] = MUTATIONS[mutation](changed[place])
    found = compare_kernel(kernel, tuple(changed), reference, ordinary(kernel))
    problems = {result.result for result in found if result.problem is not None}
    assert problems == {name}


def just_beyond(kernel: str, name: str, values: Array) -> float:
    """Return a step of twice the limit, in the unit of the values."""
    rule = load_rule(kernel, name)
    if rule.agree == "exact":
        return 1.0 if name == "counts" else float(np.spacing(np.abs(values.flat[-1])))
    step = 2 * rule.limits["max"]
    if rule.scale == "range":
        bperp = np.asarray(ordinary(kernel)["bperp"])
        step /= float(np.ptp(bperp if bperp.ndim == 1 else bperp[-1]))
    return step * (max(1.0, abs(values.flat[-1])) if rule.agree == "relative" else 1.0)


@pytest.mark.parametrize(("kernel", "name"), RESULTS)
def test_one_element_just_beyond_its_limit_is_noticed(kernel: str, name: str) -> None:
    place = result_names(kernel).index(name)
    reference = computed(kernel, "numpy")
    step = just_beyond(kernel, name, reference[place])
    changed = list(reference)
    changed[place] = nudged(reference[place], step)
    found = compare_kernel(kernel, tuple(changed), reference, ordinary(kernel))[place]
    assert found.problem is not None
    assert found.differing == 1
    assert found.worst == tuple(size - 1 for size in reference[place].shape)
    assert (found.native, found.reference) == (changed[place].flat[-1], reference[place].flat[-1])
    if load_rule(kernel, name).agree != "exact":
        changed[place] = nudged(reference[place], step / 4)
        assert all(
            result.problem is None
            for result in compare_kernel(kernel, tuple(changed), reference, ordinary(kernel))
        )


def test_quantiles_are_judged_where_there_are_enough() -> None:
    kernel, inputs = "stage8_edge_noise", ordinary("stage8_edge_noise")
    reference = computed(kernel, "numpy")
    limits = load_rule(kernel, "dph_noise").limits
    assert reference[1].size > 200
    for level, share in (("q50", 0.6), ("q99", 0.05)):
        moved = reference[1].copy()
        moved.flat[: int(share * moved.size)] += np.float32(3 * limits[level])
        found = compare_kernel(kernel, (reference[0], moved), reference, inputs)[1]
        assert found.problem is not None
        assert found.differing == 0
        assert level in found.problem


def test_a_missing_result_is_noticed() -> None:
    kernel, reference = "stage2_topofit", computed("stage2_topofit", "numpy")
    found: list[KernelResult] = compare_kernel(kernel, reference[:3], reference, ordinary(kernel))
    assert all(result.problem == "3 results, the reference has 4, want 4" for result in found)


def left_out(kernel: str, change: dict[str, Any]) -> list[int]:
    """Return how many elements of every result are not compared."""
    inputs = ordinary(kernel) | change
    native, reference = (
        getattr(accelerated, kernel)(**inputs, backend=name) for name in ("native", "numpy")
    )
    return [found.excluded for found in compare_kernel(kernel, native, reference, inputs)]


def test_what_only_rounding_decides_is_left_out() -> None:
    """Each exclusion, on inputs that call for it; the other rows are compared."""
    fit = ordinary("stage2_topofit")
    cases: dict[str, dict[str, Any]] = {
        "near_tie": {"phasors": fit["phasors"][:, :2], "bperp": fit["bperp"][:, :2]},
        "out_of_range": {"phasors": np.r_[1e160 * fit["phasors"][:1], fit["phasors"][1:]]},
        "long_phase": {"bperp": fit["bperp"] + np.r_[1e5, np.zeros(11)][:, None]},
    }
    assert left_out("stage2_topofit", cases["near_tie"])[0] == 12
    assert left_out("stage2_topofit", cases["out_of_range"]) == [1, 1, 1, 9]
    assert left_out("stage2_topofit", cases["long_phase"]) == [1, 1, 1, 9]
    nodes = ordinary("stage8_edge_noise")["node_phase"].copy()
    nodes[0] = -nodes[1]
    assert left_out("stage8_edge_noise", {"node_phase": nodes})[0] >= 9
    days = ordinary("stage8_edge_noise")["day"][::-1].copy()
    assert left_out("stage8_edge_noise", {"day": days})[0] == 66 * 9
    same = np.tile(ordinary("stage4_edge_stats")["phases"][0], (12, 1))
    assert left_out("stage4_edge_stats", {"phases": same}) == [12, 12]


def test_a_nearly_dependent_design_is_left_out() -> None:
    day = 12.0 * np.arange(9)
    bperp = 40 + 2 * day + 1e-3 * np.random.default_rng(3).normal(0, 1, (12, 9))
    change = {"bperp": bperp.astype(np.float32), "day": day, "network": "small_baselines"}
    assert left_out("stage7_scla", change)[:3] == [12, 12, 12 * 9]
