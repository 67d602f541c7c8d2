"""What the comparison of two backends leaves out, because rounding alone decides it.

Each function is one of the names under ``excluded`` in ``verification/contract/kernels.toml``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.kernels import accelerated
from pystamps_shim.kernels.edge_noise import edge_noise, edge_variances
from pystamps_shim.kernels.topofit import trial_margin, trial_multipliers

Array = NDArray[Any]
Doubles = NDArray[np.float64]
Mask = NDArray[np.bool_]
#: Whether each element of a result has moved by more than its limit.
Moved = Callable[[Array, Array], Mask]

#: How often, and by how many roundings, inputs are turned to see what moves.
_PROBES = 4
_ROUNDINGS = 16
#: Names of the complex inputs, which are turned.
_PHASORS = ("phasors", "phases", "node_phase")
_LEAST_MARGIN = 1e-11
_LEAST_VARIANCE = 1e-10
_NEAR_RAD = 1e-5
_LONGEST_PHASE_RAD = 200.0
_LEAST_COHERENCE = 0.01
_CONDITIONS = (1e4, 1e13)


@dataclass(frozen=True)
class Comparison:
    """The inputs of a kernel, and what the reference made of them.

    Attributes
    ----------
    kernel
        Its name.
    inputs
        Arguments by name.
    reference
        Its results.
    """

    kernel: str
    inputs: Mapping[str, Any]
    reference: tuple[Array, ...]

    def variants(self) -> tuple[str, ...]:
        """Return which variants of the rules the inputs ask for."""
        given = [
            np.asarray(self.inputs[name]).dtype
            for name in ("phasors", "bperp")
            if name in self.inputs
        ]
        single = any(dtype in (np.complex64, np.float32) for dtype in given)
        methods = [self.inputs.get(name) for name in ("mode", "method", "unwrap_method")]
        named = [name for name in ("simple", "L1", "2D") if name in methods]
        return (*(["single"] if single else []), *named)

    def sizes(self) -> dict[str, int]:
        """Return the number that each symbol of a shape stands for."""
        sizes = {name: int(self.inputs[name]) for name in ("n_i", "n_j") if name in self.inputs}
        for name in (*_PHASORS, "ph_weight", "ph_uw"):
            if name in self.inputs:
                sizes["n"], sizes["m"] = np.asarray(self.inputs[name]).shape
        for symbol, name in (("E", "node_a"), ("b", "centres")):
            if name in self.inputs:
                sizes[symbol] = np.size(self.inputs[name])
        return sizes

    @cached_property
    def phasors(self) -> Array:
        """Return the phasors, in double precision."""
        name = next(name for name in _PHASORS if name in self.inputs)
        return np.asarray(self.inputs[name]).astype(np.complex128)

    @cached_property
    def baselines(self) -> Doubles:
        """Return the baselines, [n, m]."""
        shape = (self.sizes()["n"], self.sizes()["m"])
        given = np.asarray(self.inputs["bperp"], dtype=np.float64)
        return np.broadcast_to(given if given.shape == shape else given.ravel(), shape)

    @cached_property
    def ends(self) -> tuple[Array, Array]:
        """Return the phasors at both ends of every edge, [E, m]; infinity is no number."""
        known = np.where(np.isfinite(self.phasors), self.phasors, np.nan)
        low, high = (known[node] for node in self.nodes)
        return low, high

    @cached_property
    def nodes(self) -> tuple[Array, Array]:
        """Return the numbers of both ends of every edge, [E]."""
        names = ("node_a", "node_b")
        low, high = (np.asarray(self.inputs[name]).astype(np.int64).ravel() for name in names)
        return low, high

    @cached_property
    def probes(self) -> list[tuple[Array, ...]]:
        """Return what the reference makes of inputs turned by a few roundings."""
        name = next(name for name in _PHASORS if name in self.inputs)
        given = np.asarray(self.inputs[name])
        # Stage 4 works in single precision natively, whatever it is given.
        single = given.dtype == np.complex64 or "single" in self.variants() or name != "phasors"
        unit = _ROUNDINGS * float(np.finfo(np.float32 if single else np.float64).eps)
        random = np.random.default_rng(0)
        turns = [unit * random.uniform(-1, 1, given.shape) for _ in range(_PROBES)]
        # Rows as a whole, too: all angles of a row that lie on an edge fall to the same side.
        turns += [
            np.broadcast_to(unit * random.uniform(-1, 1, (len(given), 1)), given.shape)
            for _ in range(_PROBES)
        ]
        # Either way: what lies on an edge falls to one side or to the other.
        return [self._turned(name, given, sign * turn) for turn in turns for sign in (1, -1)]

    def _turned(self, name: str, given: Array, turns: Doubles) -> tuple[Array, ...]:
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            turned = np.asarray(given * np.exp(1j * turns)).astype(given.dtype)
        # What is 0, or no number, stays as it is.
        turned = np.where((given == 0) | ~np.isfinite(given), given, turned)
        if name == "phases":
            return self.noise_of_edges(turned)
        result = getattr(accelerated, self.kernel)(**{**self.inputs, name: turned}, backend="numpy")
        return result if isinstance(result, tuple) else (result,)

    def noise_of_edges(self, phases: Array) -> tuple[Array, ...]:
        """Return deviation and maximum of every edge, of which each PS takes the smallest."""
        names = ("bperp", "day", "time_win", "mode")
        return edge_noise(phases, *self.nodes, *(self.inputs[name] for name in names))


def complete(kernel: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a kernel with the defaults of those left out."""
    parameters = inspect.signature(getattr(accelerated, kernel)).parameters
    defaults = {
        name: parameter.default
        for name, parameter in parameters.items()
        if parameter.default is not inspect.Parameter.empty and name != "backend"
    }
    return {**defaults, **inputs}


def baseline_range(comparison: Comparison) -> Doubles | float:
    """Return the range of every row's baselines, m; one for all PS that share a design."""
    if "ph_uw" in comparison.inputs:
        known = comparison.baselines[np.isfinite(comparison.baselines)]
        return float(np.ptp(known) if known.size else 0) or 1.0
    kept = (comparison.phasors != 0) & np.isfinite(comparison.baselines)
    highest = np.where(kept, comparison.baselines, -np.inf).max(axis=1, initial=-np.inf)
    lowest = np.where(kept, comparison.baselines, np.inf).min(axis=1, initial=np.inf)
    extent = np.where(highest > lowest, highest, 1.0) - np.where(highest > lowest, lowest, 0.0)
    return np.asarray(extent)


def _unsettled(comparison: Comparison, place: int, moved: Moved) -> Mask:
    mask = np.zeros(comparison.reference[place].shape, dtype=np.bool_)
    if "phases" in comparison.inputs:
        given = comparison.noise_of_edges(np.asarray(comparison.inputs["phases"]))
        for probe in comparison.probes:
            deviation, largest = map(moved, probe, given)
            for nodes in comparison.nodes:
                mask[nodes[deviation | largest]] = True
        return mask
    # The whole turns of an edge's phase follow from its noise, in all interferograms.
    series = comparison.inputs.get("mode") == "space_time"
    together = range(len(comparison.reference)) if series else [place]
    for probe in comparison.probes:
        for other in together:
            found = moved(probe[other], comparison.reference[other])
            if found.size:
                mask |= np.asarray(found.any(axis=1))[:, None] if series else found
    return mask


def _half_turn(comparison: Comparison, _place: int, _moved: Moved) -> Mask:
    """Judge edges, or PS by their edges."""
    low, high = comparison.ends
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        angle = np.abs(np.angle(high * low.conj()))
    edges = (angle > np.pi - _NEAR_RAD).any(axis=1)
    if "node_phase" in comparison.inputs:
        return np.asarray(edges)
    mask = np.zeros(comparison.sizes()["n"], dtype=np.bool_)
    for nodes in comparison.nodes:
        mask[nodes[edges]] = True
    return mask


def _no_variance(comparison: Comparison, _place: int, _moved: Moved) -> Mask:
    """Judge the variances over edges, whose inverses weigh the fit of every edge."""
    inputs, edges = comparison.inputs, comparison.sizes()["E"]
    series = (inputs["day"], inputs["time_win"], inputs["mode"])
    variance = edge_variances(comparison.phasors, *comparison.nodes, *series)
    # A single edge has none in either backend.
    lost = edges > 1 and bool((variance < _LEAST_VARIANCE).any())
    return np.full(comparison.sizes()["n"], lost)


def _near_tie(comparison: Comparison, _place: int, _moved: Moved) -> Mask:
    wraps = comparison.inputs["n_trial_wraps"]
    if len(trial_multipliers(wraps)) < 2:
        return np.zeros(len(comparison.phasors), dtype=np.bool_)
    margin = trial_margin(comparison.phasors, comparison.baselines, wraps)
    return np.asarray(margin < _LEAST_MARGIN)


def _out_of_range(comparison: Comparison, _place: int, _moved: Moved) -> Mask:
    """Single precision loses squares below 1e-38 and above 1e38, double below 1e-308 and above."""
    if "node_phase" in comparison.inputs:
        low, high = (np.abs(end) for end in comparison.ends)
        sizes, bound = np.stack([low * high, low**2, high**2]), 1e36
        known = np.isfinite(sizes) & (sizes > 0)
        lost = known & ((sizes > bound) | (sizes < 1 / bound))
        return np.asarray(lost.any(axis=(0, 2)))
    sizes, bound = np.abs(comparison.phasors), 1e150
    known = np.isfinite(sizes) & (sizes > 0)
    return np.asarray((known & ((sizes > bound) | (sizes < 1 / bound))).any(axis=1))


def _odd_network(comparison: Comparison, _place: int, _moved: Moved) -> Mask:
    """Judge the images that nearly all others share an interferogram with."""
    inputs, edges = comparison.inputs, comparison.sizes()["E"]
    odd = False
    if inputs["mode"] == "space_time" and inputs["unwrap_method"] == "3D_FULL":
        pairs = np.unique(np.asarray(inputs["ifgday_ix"]), return_inverse=True)[1].reshape(-1, 2)
        day = np.asarray(inputs["day"])[np.unique(np.asarray(inputs["ifgday_ix"]).astype(np.int64))]
        members = np.bincount(pairs.ravel())
        common = members >= len(members) - 2
        odd = bool(common[pairs].all(axis=1).any())
        for image in np.flatnonzero(common):
            other = pairs[(pairs == image).any(axis=1)].sum(axis=1) - image
            odd = odd or bool((np.diff(day[other]) < 0).any() or (np.diff(other) < 0).any())
    return np.full(edges, odd)


def _long_phase(comparison: Comparison, _place: int, _moved: Moved) -> Mask:
    kept = np.where(comparison.phasors != 0, comparison.baselines, 0.0)
    longest = np.abs(np.where(np.isfinite(kept), kept, 0.0)).max(axis=1, initial=0.0)
    last = float(trial_multipliers(comparison.inputs["n_trial_wraps"])[-1])
    trial = last * np.pi / 4 / baseline_range(comparison)
    slope = np.abs(comparison.reference[0]) if len(comparison.reference) == 4 else 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        phase = np.maximum(trial, np.where(np.isnan(slope), 0.0, slope)) * longest
    return np.asarray(phase > _LONGEST_PHASE_RAD)


def _no_direction(comparison: Comparison, _place: int, _moved: Moved) -> Mask:
    return np.asarray(comparison.reference[2] < _LEAST_COHERENCE)


def _near_singular(comparison: Comparison, _place: int, _moved: Moved) -> Mask:
    """Judge the designs of K and, with a velocity, of C."""
    inputs = comparison.inputs
    columns = np.asarray(inputs["solve_ix"], dtype=np.int64).ravel()
    day = np.asarray(inputs["day"], dtype=np.float64).ravel()[columns]
    single_master = inputs.get("network", "single_master") == "single_master"
    with np.errstate(invalid="ignore"):
        baselines = comparison.baselines[:, columns].sum(axis=0) / max(1, len(comparison.baselines))
        terms = [baselines, day]
        if single_master:
            terms = [np.diff(term) for term in terms]
    velocity = bool(inputs.get("velocity", True))
    designs = [
        np.stack([np.ones_like(terms[0]), *terms[: 1 + (velocity and len(columns) > 3)]], axis=1)
    ]
    if single_master and velocity:
        designs.append(np.stack([np.ones_like(day), day], axis=1))
    bad = any(_CONDITIONS[0] < _condition(design) < _CONDITIONS[1] for design in designs)
    return np.full(comparison.sizes()["n"], bad)


def _condition(design: Doubles) -> float:
    """Return the condition number with columns scaled to one length; 1 where there is none."""
    if not design.size or not np.isfinite(design).all():
        return 1.0
    length = np.sqrt((design**2).sum(axis=0))
    values = np.linalg.svd(design / np.where(length > 0, length, 1.0), compute_uv=False)
    return float(values[0] / values[-1]) if values[-1] > 0 else np.inf


#: The functions by their names in the contract.
EXCLUSIONS: dict[str, Callable[[Comparison, int, Moved], Mask]] = {
    "unsettled": _unsettled,
    "near_tie": _near_tie,
    "out_of_range": _out_of_range,
    "half_turn": _half_turn,
    "no_variance": _no_variance,
    "odd_network": _odd_network,
    "long_phase": _long_phase,
    "no_direction": _no_direction,
    "near_singular": _near_singular,
}
