"""What must hold among the variables of a result, which no comparison of single variables shows.

Where the contract leaves room, a relation does not: unwrapped phase may differ from SNAPHU's by
whole cycles, but only if its cost is no higher, and every PS has to follow its node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.certification.datasets import MERGED_PLACE
from parity.certification.near_trials import trial_notes
from parity.certification.results import Results, Variables
from parity.certification.unwrapping import (
    NOT_LOOKED_AT,
    UNWRAPPING_RELATIONS,
    unwrapping_notes,
)
from parity.readers import read_mat_file
from pystamps_shim.reference.neighbour_clamp import clamp_to_neighbours
from pystamps_shim.reference.triangulation import triangulation_edges

Array = NDArray[Any]


@dataclass(frozen=True)
class Relation:
    """What was looked at, and what is wrong with it.

    Attributes
    ----------
    name
        A sentence that holds if nothing is wrong.
    problem
        What is wrong; None if it holds.
    """

    name: str
    problem: str | None


def relations_of(results: Results) -> Iterator[Relation]:
    """Look at every relation of the stage that its results have."""
    for name, check in _BY_STAGE.get(results.workspace.case.stage_scope.stage, {}).items():
        problem = check(results)
        if problem is not NOT_LOOKED_AT:
            yield Relation(name, problem)


def notes_of(results: Results) -> Iterator[str]:
    """Yield what people should know of the freedom that there was: ties."""
    notes = {2: trial_notes, 6: unwrapping_notes}.get(results.workspace.case.stage_scope.stage)
    if notes is not None:
        yield from notes(results)


def _cells_hold_their_candidates(results: Results) -> str | None:
    """Expect every cell of the grid to hold the weighted phasors of its candidates, added up."""
    for (place, file), variables in results.ours.items():
        if file != "pm1.mat":
            continue
        weighted, grid = (variables[name].values for name in ("ph_weight", "ph_grid"))
        cells = variables["grid_ij"].values.astype(np.intp) - 1
        sums = np.zeros_like(grid)
        np.add.at(sums, (cells[:, 0], cells[:, 1]), weighted)
        wrong = np.count_nonzero(~np.isclose(sums, grid, rtol=1e-4, atol=1e-5, equal_nan=True))
        if wrong:
            return f"{wrong} values of ph_grid in {place} are not the sums of ph_weight"
    return None


def _smoothed_values_are_clamped(results: Results) -> str | None:
    """Expect smoothed slope and offset to be those of the neighbours where they exceed them."""
    positions = read_mat_file(results.workspace.dataset / "ps2.mat")["xy"].values
    edges = triangulation_edges(positions[:, 1:])
    suffix = "_sb" if results.small_baseline else ""
    plain, smooth = (_file(results, f"{name}{suffix}2.mat") for name in ("scla", "scla_smooth"))
    for name in ("K_ps_uw", "C_ps_uw"):
        want = clamp_to_neighbours(plain[name].values.ravel(), edges)
        wrong = np.count_nonzero(smooth[name].values.ravel() != want)
        if wrong:
            return f"{wrong} values of {name} are not their neighbours' limits"
    return None


def _deviations_are_of_the_noise(results: Results) -> str | None:
    """Expect the standard deviation of every edge to be that of its noise."""
    edges = results.ours.get((MERGED_PLACE, "uw_space_time.mat"))
    if edges is None or edges["dph_noise"].values.size == 0:
        return NOT_LOOKED_AT
    with np.errstate(invalid="ignore"):
        want = np.std(edges["dph_noise"].values, axis=1, ddof=1, keepdims=True)
    found = edges["edge_noise_std"].values
    same = found.dtype == edges["dph_noise"].values.dtype and found.shape == want.shape
    if same and np.allclose(found, want, rtol=0, atol=2e-5, equal_nan=True):
        return None
    return "edge_noise_std is not the deviation of dph_noise"


def _file(results: Results, name: str) -> Variables:
    return results.ours[MERGED_PLACE, name]


_BY_STAGE: dict[int, dict[str, Callable[[Results], str | None]]] = {
    2: {"cells hold the sums of their candidates": _cells_hold_their_candidates},
    6: UNWRAPPING_RELATIONS,
    7: {"smoothed values are their neighbours' limits": _smoothed_values_are_clamped},
    8: {"deviations of edges are those of their noise": _deviations_are_of_the_noise},
}
