"""Inputs of the kernels for hypothesis: random ones, with any of the troubles data can have.

Numbers come from NumPy's generator, so that many fit into an example; hypothesis chooses sizes,
precision, layout in memory and troubles, and finds the smallest that fail.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

Array = NDArray[Any]
Inputs = dict[str, Any]
Generator = np.random.Generator

SEEDS = st.integers(0, 2**32 - 1)
LAYOUTS = ("C", "F", "every other row", "reversed", "transposed twice")
#: Whole numbers may come as any of these.
INDEX_TYPES = (np.int64, np.int32, np.uint16, np.float64, np.float32)


def laid_out(array: Array, layout: str) -> Array:
    """Return the same values, laid out otherwise in memory."""
    if layout == "every other row":
        wide = np.zeros((2 * len(array), *array.shape[1:]), dtype=array.dtype)
        wide[::2] = array
        return wide[::2]
    if layout == "reversed":
        return array[::-1].copy()[::-1]
    if layout == "transposed twice":
        return np.asarray(array, order="F").T.copy().T
    return np.asfortranarray(array) if layout == "F" else np.ascontiguousarray(array)


def some(random: Generator, shape: tuple[int, ...], share: float = 0.15) -> NDArray[np.bool_]:
    """Return a mask of a few elements, one at least if there are any."""
    mask = random.random(shape) < share
    if mask.size:
        mask.flat[random.integers(mask.size)] = True
    return mask


def troubled(phasors: Array, troubles: set[str], random: Generator) -> Array:
    """Return phasors with the troubles that phasors can have."""
    single = phasors.dtype == np.complex64
    values = {
        "zeros": 0,
        "nan": np.nan,
        "half nan": complex(np.nan, 1),
        "inf": np.inf,
        "huge": 1e18 if single else 1e149,
        "too huge": 1e30 if single else 1e160,
        "denormal": 1e-41 if single else 1e-310,
    }
    for name, value in values.items():
        if name in troubles:
            phasors[some(random, phasors.shape)] = value
    if "quarter turns" in troubles:
        turns = random.integers(0, 4, phasors.shape)
        phasors[:] = np.array([1, 1j, -1, -1j], dtype=phasors.dtype)[turns]
    if "opposite" in troubles:
        phasors[:] = np.where(random.random(phasors.shape) < 0.5, -1, 1)
    if "duplicates" in troubles and len(phasors) > 1:
        phasors[random.integers(len(phasors), size=3)] = phasors[0]
    if "zero row" in troubles and len(phasors):
        phasors[random.integers(len(phasors))] = 0
    return phasors


PHASOR_TROUBLES = (
    *("zeros", "nan", "half nan", "inf", "huge", "too huge", "denormal"),
    *("quarter turns", "opposite", "duplicates", "zero row"),
)


def sets_of(names: tuple[str, ...]) -> st.SearchStrategy[set[str]]:
    """Return none to three of some troubles."""
    return st.sets(st.sampled_from(names), max_size=3)


BASELINE_TROUBLES = ("equal", "equal in a row", "nan", "inf", "lattice", "twice", "tiny", "zero")


def troubled_baselines(bperp: Array, troubles: set[str], random: Generator) -> Array:
    """Return baselines [n, m] or [m] with the troubles that baselines can have."""
    if "lattice" in troubles:
        bperp[:] = random.integers(-2, 3, bperp.shape) * 50
    if "twice" in troubles and bperp.shape[-1] > 1:
        bperp[..., 0] = bperp[..., -1]
    if "tiny" in troubles:
        bperp *= 1e-9
    if "equal" in troubles:
        bperp[:] = 40
    if "zero" in troubles:
        bperp[:] = 0
    if "equal in a row" in troubles and bperp.size:
        bperp[0] = bperp.flat[0]
    for name in ("nan", "inf"):
        if name in troubles and bperp.size:
            bperp.flat[random.integers(bperp.size)] = float(name)
    return bperp


@st.composite
def fits(draw: st.DrawFn, *, common: bool) -> Inputs:
    """Draw inputs of the topographic fits, with baselines of every row or common to all."""
    random = np.random.default_rng(draw(SEEDS))
    rows, columns = draw(st.integers(0, 40)), draw(st.integers(0, 12))
    dtype = draw(st.sampled_from([np.complex64, np.complex128]))
    real = draw(st.sampled_from([np.float32, np.float64]))
    shape = (columns,) if common else (rows, columns)
    bperp = random.uniform(-300, 250, shape).astype(real)
    troubled_baselines(bperp, draw(sets_of(BASELINE_TROUBLES)), random)
    slopes = random.uniform(-0.02, 0.02, (rows, 1))
    turns = slopes * np.nan_to_num(bperp, posinf=0) + random.normal(0, 1, (rows, columns))
    phasors = random.uniform(0.2, 2, (rows, columns)) * np.exp(1j * turns)
    phasors = troubled(phasors.astype(dtype), draw(sets_of(PHASOR_TROUBLES)), random)
    layout = draw(st.sampled_from(LAYOUTS))
    return {
        "phasors": laid_out(phasors, layout),
        "bperp": laid_out(bperp, layout),
        "n_trial_wraps": draw(st.sampled_from([0, 0.1, 0.5, 1.3, 3])),
    }


@st.composite
def grids(draw: st.DrawFn) -> Inputs:
    """Draw weighted phasors and their cells."""
    random = np.random.default_rng(draw(SEEDS))
    rows, columns = draw(st.integers(0, 60)), draw(st.integers(0, 5))
    size = (draw(st.integers(1, 6)), draw(st.integers(1, 6)))
    phasors = random.normal(0, 1, (rows, columns)) + 1j * random.normal(0, 1e3, (rows, columns))
    troubles = draw(sets_of((*PHASOR_TROUBLES, "largest", "negative zero")))
    phasors = troubled(phasors.astype(np.complex64), troubles, random)
    if "largest" in troubles:
        phasors[some(random, phasors.shape, 0.5)] = 3e38
    if "negative zero" in troubles:
        phasors[:] = complex(-0.0, -0.0)
    where = draw(st.sampled_from(["anywhere", "one cell", "corners"]))
    cells = np.stack([random.integers(1, size[axis] + 1, rows) for axis in range(2)], axis=1)
    if where == "one cell":
        cells[:] = size
    elif where == "corners":
        cells = np.where(cells > 1, size, 1)
    layout = draw(st.sampled_from(LAYOUTS))
    return {
        "ph_weight": laid_out(phasors, layout),
        "grid_ij": laid_out(cells.astype(draw(st.sampled_from(INDEX_TYPES))), layout),
        "n_i": size[0],
        "n_j": size[1],
    }


@st.composite
def counts(draw: st.DrawFn) -> Inputs:
    """Draw values, many of them on edges or a bit beside, and the centres of bins."""
    random = np.random.default_rng(draw(SEEDS))
    bins = draw(st.integers(1, 30))
    kind = draw(st.sampled_from(["unit", "powers", "whole", "denormal", "random", "huge"]))
    centres = {
        "unit": 0.005 + 0.01 * np.arange(bins),
        "powers": np.unique(np.concatenate([-(2.0 ** np.arange(bins)), 2.0 ** np.arange(bins)])),
        "whole": 2.0 * np.arange(bins) - bins,
        "denormal": 5e-324 * (2 * np.arange(bins) - bins),
        "random": np.unique(random.normal(0, 1, bins)),
        "huge": np.linspace(-8e307, 8e307, bins + 1),
    }[kind]
    edges = (centres[:-1] + np.diff(centres) / 2).repeat(5)
    for steps in range(5):
        for _ in range(abs(steps - 2)):
            edges[steps::5] = np.nextafter(edges[steps::5], np.inf if steps > 2 else -np.inf)
    beside = [np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, *centres]
    values = np.concatenate([edges, beside, random.normal(0, 1, draw(st.integers(0, 30)))])
    random.shuffle(values)
    values = values[: draw(st.sampled_from([0, 1, len(values)]))]
    return {
        "values": laid_out(values, draw(st.sampled_from(LAYOUTS))),
        "centres": laid_out(centres, draw(st.sampled_from(LAYOUTS))),
    }


def edges_between(draw: st.DrawFn, nodes: int, random: Generator) -> tuple[Array, Array]:
    """Draw edges: of neighbours or any, none, to themselves, in both directions, repeated."""
    kind = draw(st.sampled_from([*["neighbours", "any", "both ways"] * 2, "none", "one", "selves"]))
    dtype = draw(st.sampled_from(INDEX_TYPES))
    first = np.arange(max(0, nodes - 1))
    ends = np.stack([first, first + 1])
    if nodes and kind in ("any", "selves"):
        ends = random.integers(0, nodes, (2, 3 * nodes))
        # Refused where any is from a node to itself, which is then the only case.
        if kind == "any":
            ends = ends[:, ends[0] != ends[1]]
    if kind == "both ways":
        ends = np.concatenate([ends, ends[::-1]], axis=1)
    if kind in ("none", "one"):
        ends = ends[:, : int(kind == "one")]
    return ends[0].astype(dtype), ends[1].astype(dtype)


def dates(draw: st.DrawFn, images: int, random: Generator) -> Array:
    """Draw days of images: in order, in none, repeated, all the same, far apart."""
    kind = draw(st.sampled_from(["regular", "shuffled", "repeated", "constant", "far"]))
    day = 12.0 * np.arange(images)
    if kind == "shuffled":
        random.shuffle(day)
    elif kind == "repeated":
        day -= day % 36
    elif kind == "constant":
        day[:] = 5
    elif kind == "far":
        day *= 1e4
    return day


def smooth_phasors(draw: st.DrawFn, nodes: int, columns: int, random: Generator) -> Array:
    """Draw phasors of modulus 1 that vary smoothly from column to column."""
    slope = random.uniform(-0.1, 0.1, (nodes, 1))
    noise = random.normal(0, draw(st.sampled_from([0.1, 0.4, 1.0])), (nodes, columns))
    return np.asarray(np.exp(1j * (slope * np.arange(columns) + noise)))


EDGE_TROUBLES = ("zeros", "nan", "half nan", "inf", "opposite", "quarter turns", "duplicates")


@st.composite
def scatterer_edges(draw: st.DrawFn) -> Inputs:
    """Draw inputs of the noise of PS."""
    random = np.random.default_rng(draw(SEEDS))
    nodes, columns = draw(st.integers(0, 25)), draw(st.integers(0, 10))
    phases = smooth_phasors(draw, nodes, columns, random)
    phases = phases.astype(draw(st.sampled_from([np.complex64, np.complex128])))
    phases = troubled(phases, draw(sets_of(EDGE_TROUBLES)), random)
    node_a, node_b = edges_between(draw, nodes, random)
    bperp = random.uniform(-200, 200, columns)
    troubled_baselines(bperp, draw(sets_of(BASELINE_TROUBLES)), random)
    return {
        "phases": laid_out(phases, draw(st.sampled_from(LAYOUTS))),
        "node_a": node_a,
        "node_b": node_b,
        "bperp": bperp,
        "day": dates(draw, columns, random),
        "time_win": draw(st.sampled_from([730.0, 30.0, 1e-3, 1e9])),
        "mode": draw(st.sampled_from(["single_master", "single_master", "small_baselines"])),
    }


def interferograms(draw: st.DrawFn, columns: int, random: Generator) -> tuple[int, Array]:
    """Draw a network: the number of images, and the two of every interferogram."""
    kind = draw(st.sampled_from(["single master", "chain", "any", "apart"]))
    count = np.arange(columns)
    if kind == "single master":
        return columns + 1, np.stack([0 * count, count + 1], axis=1)
    if kind == "chain":
        return columns + 1, np.stack([count, count + 1], axis=1)
    if kind == "apart":
        return 2 * columns, np.stack([2 * count + 1, 2 * count], axis=1)
    images = max(2, columns // 2 + 1)
    first = random.integers(0, images, columns)
    return images, np.stack([first, (first + random.integers(1, images, columns)) % images], axis=1)


@st.composite
def node_edges(draw: st.DrawFn, *, mode: str) -> Inputs:
    """Draw inputs of the noise of edges between nodes."""
    random = np.random.default_rng(draw(SEEDS))
    nodes, columns = draw(st.integers(0, 25)), draw(st.integers(0, 10))
    phases = smooth_phasors(draw, nodes, columns, random) * random.uniform(0.5, 3, (nodes, 1))
    troubles = draw(sets_of((*EDGE_TROUBLES, "huge", "too huge", "denormal")))
    phases = troubled(phases.astype(np.complex64), troubles, random)
    node_a, node_b = edges_between(draw, nodes, random)
    inputs: Inputs = {
        "node_phase": laid_out(phases, draw(st.sampled_from(LAYOUTS))),
        "node_a": node_a,
        "node_b": node_b,
        "mode": mode,
    }
    if mode == "simple":
        return inputs
    images, pairs = interferograms(draw, columns, random)
    bperp = random.uniform(-200, 200, columns)
    troubled_baselines(bperp, draw(sets_of(("equal", "lattice", "twice", "tiny", "zero"))), random)
    methods = ["2D", "3D_NO_DEF", "3D_FULL", "3D_FULL", "3D_QUICK", "3D_SMALL_DEF"]
    return inputs | {
        "bperp": bperp,
        "day": dates(draw, images, random),
        "ifgday_ix": pairs.astype(draw(st.sampled_from(INDEX_TYPES))),
        "n_trial_wraps": draw(st.sampled_from([0, 0.3, 1.1])),
        "time_win": draw(st.sampled_from([730.0, 30.0, 1e-3, 1e9])),
        "unwrap_method": draw(st.sampled_from(methods)),
        "la_error": draw(st.booleans()),
    }


LOOK_ANGLE_TROUBLES = (
    "nan",
    "inf",
    "zero",
    "huge",
    "duplicates",
    "baseline nan",
    "whole baselines",
)


@st.composite
def look_angles(draw: st.DrawFn, *, method: str = "L2") -> Inputs:
    """Draw inputs of the look-angle error; the simplex search only gets ordinary ones."""
    random = np.random.default_rng(draw(SEEDS))
    least = 6 if method == "L1" else 0
    rows, columns = draw(st.integers(least and 1, 30)), draw(st.integers(least, 12))
    master = draw(st.sampled_from([None, *range(columns)]))
    bperp = random.uniform(-200, 200, columns) + random.uniform(-1, 1, (rows, columns))
    phase = random.uniform(-0.03, 0.03, (rows, 1)) * bperp + random.normal(0, 1, (rows, columns))
    if master is not None:
        phase[:, master] = bperp[:, master] = 0
    phase, bperp = phase.astype(np.float32), bperp.astype(np.float32)
    day = 12.0 * np.arange(columns) + random.uniform(-5, 5, columns)
    share = 1.0
    root = random.normal(0, 1, (columns, columns))
    covariance = root @ root.T + columns * np.eye(columns)
    if method == "L2":
        covariance = _covariance(draw, covariance, random)
        day = dates(draw, columns, random)
        share = draw(st.sampled_from([1.0, 0.7, 0.3, 0.0]))
        _trouble_look_angles(phase, bperp, draw(sets_of(LOOK_ANGLE_TROUBLES)), random)
    layout = draw(st.sampled_from(LAYOUTS))
    kept = np.flatnonzero(random.random(columns) < share)
    return {
        "ph_uw": laid_out(phase, layout),
        "bperp": laid_out(bperp, layout),
        "solve_ix": kept.astype(draw(st.sampled_from(INDEX_TYPES))),
        "day": day,
        "ifg_vcm": laid_out(covariance, layout),
        "master_ix": master,
        "network": draw(st.sampled_from(["single_master", "small_baselines"])),
        "velocity": draw(st.booleans()),
        "method": method,
    }


def _covariance(draw: st.DrawFn, matrix: Array, random: Generator) -> Array:
    """Draw a covariance or another, sometimes one that cannot be one."""
    size = len(matrix)
    kind = draw(st.sampled_from([*["full"] * 3, "unit", "zeros", "endless", "nan", "negative"]))
    if kind == "unit":
        matrix = np.eye(size)
    elif kind == "zeros":
        matrix[:] = 0
    elif kind != "full" and size:
        place = random.integers(size)
        matrix[place, place] = {"endless": np.inf, "nan": np.nan, "negative": -1}[kind]
    return matrix


def _trouble_look_angles(phase: Array, bperp: Array, troubles: set[str], random: Generator) -> None:
    changes: dict[str, Callable[[], Any]] = {
        "nan": lambda: phase.__setitem__(some(random, phase.shape, 0.02), np.nan),
        "inf": lambda: phase.__setitem__(some(random, phase.shape, 0.02), np.inf),
        "zero": lambda: phase.fill(0),
        "huge": lambda: phase.__imul__(np.float32(1e30)),
        "duplicates": lambda: phase.__setitem__(slice(None), phase[:1]),
        "baseline nan": lambda: bperp.__setitem__(some(random, bperp.shape, 0.02), np.nan),
        "whole baselines": lambda: bperp.__setitem__(
            slice(None), random.integers(-2, 3, phase.shape[1])
        ),
    }
    for name in LOOK_ANGLE_TROUBLES:
        if name in troubles and len(phase):
            changes[name]()


def ordinary(kernel: str, seed: int = 5) -> Inputs:
    """Return inputs without any trouble, of which everything is compared."""
    random = np.random.default_rng(seed)
    rows, columns = 12, 9
    day = 12.0 * np.arange(columns)
    slope = random.uniform(-0.01, 0.01, (rows, 1))
    bperp = random.uniform(-200, 200, columns)
    phase = slope * day / 10 + random.normal(0, 0.3, (rows, columns))
    node_a, node_b = np.triu_indices(rows, 1)
    phasors = np.exp(1j * phase)
    fits: Inputs = {"phasors": phasors, "bperp": bperp, "n_trial_wraps": 0.9}
    edges: Inputs = {"node_a": node_a, "node_b": node_b}
    root = random.normal(0, 1, (columns, columns))
    inputs: dict[str, Inputs] = {
        "stage2_grid_accumulate": {
            "ph_weight": phasors.astype(np.complex64),
            "grid_ij": random.integers(1, 4, (rows, 2)),
            "n_i": 3,
            "n_j": 4,
        },
        "stage2_histogram": {
            "values": random.beta(2, 5, 400),
            "centres": 0.05 + 0.1 * np.arange(10),
        },
        "stage2_topofit": {**fits, "bperp": bperp + random.uniform(-1, 1, (rows, columns))},
        "stage2_topofit_row_invariant": fits,
        "stage2_topofit_coh_row_invariant": fits,
        "stage4_edge_stats": {"phases": phasors, **edges, "bperp": bperp, "day": day}
        | {"time_win": 730.0},
        "stage7_scla": {
            "ph_uw": phase.astype(np.float32),
            "bperp": np.tile(bperp, (rows, 1)).astype(np.float32),
            "solve_ix": np.arange(columns),
            "day": day,
            "ifg_vcm": root @ root.T + np.eye(columns),
            "master_ix": 3,
        },
        "stage8_edge_noise": {
            "node_phase": phasors.astype(np.complex64),
            **edges,
            "bperp": bperp,
            "day": np.arange(columns + 1) * 12.0,
            "ifgday_ix": np.stack([np.zeros(columns, int), 1 + np.arange(columns)], axis=1),
            "n_trial_wraps": 0.9,
        },
    }
    return inputs[kernel]
