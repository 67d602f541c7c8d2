"""Relations among the results of stage 6: problems, solutions, and the phase that follows them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.certification.datasets import KEPT_COSTS, MERGED_PLACE
from parity.certification.results import Results, Variables
from parity.readers import read_mat_file
from parity.snaphu_files import KeptProblem, PosedProblem
from pystamps_shim.reference.flow import certificate
from pystamps_shim.reference.inputs import Patch
from pystamps_shim.reference.small_baseline_inversion import inverted_series

Array = NDArray[Any]
Integers = NDArray[np.int64]

_TURN = 2 * np.pi

#: What a relation says that these results do not have.
NOT_LOOKED_AT = "not looked at"
#: Largest difference of two phases that are the same, rad: both are in single precision.
_SAME_PHASE_RAD = 2e-4
_SAME_RELATIVE = 1e-4
#: The same of solutions of normal equations, rad.
_SAME_INVERSION_RAD = 1e-3
#: What the oracle keeps of a problem.
_SNAPHU_FILES = ("snaphu.costinfile", "snaphu.conf", "snaphu.in", "snaphu.out")
#: Largest difference of phasors that SNAPHU is handed, which are transforms of two libraries.
_SAME_PHASOR = 1e-5
#: Ties of an interpolation decide here about the costs, so that they are not SNAPHU's.
_GRADIENT = "gradient"


@dataclass(frozen=True)
class _Log:
    """What our solver says of every interferogram, in the order of the columns."""

    shape: tuple[int, int]
    records: list[dict[str, Any]]

    @classmethod
    def read(cls, dataset: Path) -> _Log:
        log = json.loads((dataset / "uw_solver.json").read_text(encoding="utf-8"))
        rows, columns = log["grid"]
        return cls((rows, columns), log["interferograms"])


def _every_proof_holds(results: Results) -> str | None:
    """Check the published potentials: they bound the cost of any flow from below."""
    stored = read_mat_file(results.workspace.dataset / "uw_certificate.mat")
    ends = np.cumsum(stored["potential_count"].values.astype(int))
    for column, (posed, flow, record) in enumerate(_solutions(results.workspace.dataset)):
        part = slice(ends[column - 1] if column else 0, ends[column])
        potential = np.zeros(posed.problem.squares + 1, dtype=np.int64)
        squares = stored["potential_cell"].values.ravel()[part].astype(int) - 1
        potential[squares] = stored["potential"].values.ravel()[part]
        proof = certificate(posed.problem, flow, potential)
        if record["gap"] != 0 or not proof.optimal:
            return f"problem {column + 1} is not proven optimal: {proof}"
    return None


def _costs_are_those_of_snaphu(results: Results) -> str | None:
    """Expect SNAPHU's problems to the byte, and no solution of its that costs less than ours."""
    workspace = results.workspace
    kept_ones = workspace.case.reference_folder(workspace.oracle).glob("snaphu_keep/*")
    problems = [] if workspace.case.profile == _GRADIENT else sorted(kept_ones)
    if not problems:
        return NOT_LOOKED_AT
    log = _Log.read(workspace.dataset)
    for theirs in problems:
        ours = workspace.dataset / KEPT_COSTS / theirs.name
        missing = [name for name in _SNAPHU_FILES if not (theirs / name).exists()]
        if missing:
            return f"{', '.join(missing)} of problem {theirs.name} is not in the oracle"
        for name in ("snaphu.costinfile", "snaphu.conf"):
            if (ours / name).read_bytes() != (theirs / name).read_bytes():
                return f"{name} of problem {theirs.name} differs"
        found, want = (np.fromfile(side / "snaphu.in", np.complex64) for side in (ours, theirs))
        if found.shape != want.shape or np.abs(found - want).max() > _SAME_PHASOR:
            return f"snaphu.in of problem {theirs.name} differs"
        kept = KeptProblem.read(theirs, log.shape)
        cost = int(kept.problem.cost(kept.flow).sum())
        if log.records[int(theirs.name) - 1]["objective"] > cost:
            return f"SNAPHU's solution of problem {theirs.name} costs less: {cost}"
    return None


def _solutions(dataset: Path) -> Iterator[tuple[PosedProblem, Integers, dict[str, Any]]]:
    """Yield the problem of every interferogram, the flow that we publish, and what we say of it."""
    log = _Log.read(dataset)
    stored = read_mat_file(dataset / "uw_certificate.mat")
    ends = np.cumsum(stored["flow_count"].values.astype(int))
    for column, record in enumerate(log.records):
        posed = PosedProblem.read(dataset / KEPT_COSTS / f"{column + 1:03}", log.shape)
        flow = np.zeros(len(posed.problem.wraps), dtype=np.int64)
        part = slice(ends[column - 1] if column else 0, ends[column])
        arcs = stored["flow_arc"].values.ravel()[part].astype(int) - 1
        flow[arcs] = stored["flow"].values.ravel()[part]
        yield posed, flow, record


def _phase_has_its_cost(results: Results) -> str | None:
    """Count the cost of the published flow anew, and expect the nodes' phase to follow from it."""
    nodes = _file(results.ours, "uw_phaseuw.mat")["ph_uw"].values
    occupied = _file(results.ours, "uw_grid.mat")["nzix"].values.astype(bool)
    for column, (posed, flow, record) in enumerate(_solutions(results.workspace.dataset)):
        cost = int(posed.problem.cost(flow).sum())
        if cost != record["objective"] or posed.problem.excess(flow).any():
            return f"the flow of problem {column + 1} costs {cost}, not {record['objective']}"
        phase = posed.wrapped_rad + _TURN * posed.problem.cycles(flow)
        wrong = ~(np.abs(phase.T[occupied.T] - nodes[:, column]) <= _SAME_PHASE_RAD)
        if wrong.any():
            return f"{int(wrong.sum())} nodes of problem {column + 1} do not follow from its flow"
    return None


def _steps_have_their_mean_square(results: Results) -> str | None:
    """Expect ``msd`` to be the mean square of neighbours' differences that are not 0."""
    found = []
    for posed, flow, _ in _solutions(results.workspace.dataset):
        phase = (posed.wrapped_rad + _TURN * posed.problem.cycles(flow)).astype(np.float32)
        steps = np.concatenate([np.diff(phase, axis=axis).ravel() for axis in (0, 1)])
        different = steps[steps != 0].astype(float)
        found.append(np.mean(different**2) if different.size else 0.0)
    nodes = _file(results.ours, "uw_phaseuw.mat")
    want = nodes["msd"].values.ravel()
    if not np.allclose(want, found, rtol=_SAME_RELATIVE, atol=0):
        return "msd of uw_phaseuw.mat is not that of its phase"
    for name in ("phuw2.mat", "phuw_sb2.mat"):
        stored = results.ours.get((MERGED_PLACE, name), {}).get("msd")
        if stored is not None:
            columns = _columns(results, name)
            rest = np.delete(stored.values.ravel(), columns)
            if not np.allclose(stored.values.ravel()[columns], want, rtol=_SAME_RELATIVE, atol=0):
                return f"msd of {name} is not that of uw_phaseuw.mat"
            if rest.any():
                return f"msd of {name} has values for interferograms that were left out"
    return None


def _scatterers_follow_their_nodes(results: Results) -> str | None:
    """Expect that a PS has besides its node's phase what it has in the original's results."""
    name = "phuw_sb2.mat" if results.small_baseline else "phuw2.mat"
    columns = _columns(results, name)
    added = [_added(side, name, columns) for side in (results.ours, results.originals)]
    wrong = ~(np.abs(added[0] - added[1]) <= _SAME_PHASE_RAD)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        return f"{int(wrong.sum())} samples of {name} do not follow, first PS {row}, {column}"
    rest = np.delete(_file(results.ours, name)["ph_uw"].values, columns, axis=1)
    return f"{name} has phase in columns that were left out" if rest.any() else None


def _added(side: Any, name: str, columns: Array) -> Array:
    """Return what the PS have besides their node's phase and the difference to it."""
    nodes = _file(side, "uw_phaseuw.mat")["ph_uw"].values.astype(float)
    grid = _file(side, "uw_grid.mat")
    cells = grid["grid_ij"].values.astype(np.intp) - 1
    numbers = np.zeros(grid["nzix"].shape, dtype=np.intp)
    numbers.T[grid["nzix"].values.astype(bool).T] = np.arange(len(nodes))
    node = nodes[numbers[cells[:, 0], cells[:, 1]]]
    difference = np.angle(grid["ph_in"].values.astype(complex) * np.exp(-1j * node))
    return np.asarray(_file(side, name)["ph_uw"].values[:, columns] - (node + difference))


def _gradients_differ_by_their_spread(results: Results) -> str | None:
    """Expect ``spread`` to be the change of the gradients along edges that are judged by them."""
    edges = _file(results.ours, "uw_space_time.mat")
    gradients = [edges[name].values for name in ("ifreq_ij", "jfreq_ij") if name in edges]
    want = np.zeros(edges["spread"].shape)
    if gradients and gradients[0].size:
        low, high = _file(results.ours, "uw_interp.mat")["edgs"].values[:, 1:].astype(int).T - 1
        change = (gradients[0][high] - gradients[0][low]) + (gradients[1][high] - gradients[1][low])
        want = np.where(edges["shaky_ix"].values.astype(bool), change, 0.0)
    same = np.isclose(edges["spread"].values, want, rtol=1e-6, atol=0, equal_nan=True)
    return None if same.all() else f"{int((~same).sum())} values of spread are not the gradients'"


def _images_are_the_inversion(results: Results) -> str | None:
    """Expect the images' phase to be the least-squares solution of our own pairs' phase."""
    if not results.small_baseline:
        return NOT_LOOKED_AT
    pairs_rad = _file(results.ours, "phuw_sb2.mat")["ph_uw"].values
    dataset = Patch.open(results.workspace.dataset, version=2)
    want = inverted_series(dataset, pairs_rad)["phuw2.mat"]["ph_uw"]
    found = _file(results.ours, "phuw2.mat")["ph_uw"].values
    wrong = ~(np.abs(found - want) <= _SAME_INVERSION_RAD)
    return f"{int(wrong.sum())} samples of phuw2.mat are not its inversion" if wrong.any() else None


def _images_follow_their_pairs(results: Results) -> str | None:
    """Expect of small baselines that a pair's modelled phase is the difference of its images."""
    if not results.small_baseline:
        return NOT_LOOKED_AT
    pairs = read_mat_file(results.workspace.dataset / "ps2.mat")["ifgday_ix"].values.astype(int) - 1
    images = _file(results.ours, "phuw2.mat")["ph_uw"].values.astype(float)
    modelled = _file(results.ours, "phuw_sb_res2.mat")["ph_res"].values
    want = images[:, pairs[:, 1]] - images[:, pairs[:, 0]]
    wrong = np.count_nonzero(~(np.abs(want - modelled) <= _SAME_PHASE_RAD))
    return f"{wrong} modelled phases are not their images'" if wrong else None


def _columns(results: Results, name: str) -> Array:
    """Return the columns of a file that were unwrapped, those that are not 0 in the original."""
    phase = _file(results.originals, name)["ph_uw"].values
    return np.flatnonzero((phase != 0).any(axis=0))


def _nearest(side: Any) -> Array:
    return np.asarray(_file(side, "uw_interp.mat")["Z"].values.astype(np.intp) - 1)


def _file(side: Any, name: str) -> Variables:
    variables: Variables = side[MERGED_PLACE, name]
    return variables


def tied_cells(nearest: Array, occupied: Array) -> int:
    """Count the cells that have more than one nearest node.

    Parameters
    ----------
    nearest
        [n_i, n_j] node of every cell, from 0, in column-major order of the occupied cells.
    occupied
        [n_i, n_j] whether a cell has PS.
    """
    places = np.argwhere(occupied.T)[:, ::-1]
    count = 0
    for cell in np.argwhere(~occupied):
        squares = ((places - cell) ** 2).sum(axis=1)
        count += int(np.count_nonzero(squares == squares[nearest[tuple(cell)]]) > 1)
    return count


def unwrapping_notes(results: Results) -> Iterator[str]:
    """Yield what people should know of the freedom that there was."""
    occupied = _file(results.originals, "uw_grid.mat")["nzix"].values.astype(bool)
    ties = tied_cells(_nearest(results.originals), occupied)
    yield f"{ties} of {int((~occupied).sum())} empty cells have several nearest nodes"
    workspace = results.workspace
    kept = len(list(workspace.case.reference_folder(workspace.oracle).glob("snaphu_keep/*")))
    solved = len(_Log.read(workspace.dataset).records)
    yield f"of {kept} of {solved} problems SNAPHU's input, costs and solution are kept"


UNWRAPPING_RELATIONS: dict[str, Callable[[Results], str | None]] = {
    "every interferogram is proven optimal": _every_proof_holds,
    "the costs are SNAPHU's, and no solution of its costs less": _costs_are_those_of_snaphu,
    "the phase of the nodes has the cost in the log": _phase_has_its_cost,
    "msd is the mean square of the steps": _steps_have_their_mean_square,
    "every PS follows its node": _scatterers_follow_their_nodes,
    "spread is the change of the gradients": _gradients_differ_by_their_spread,
    "images are the inversion of their pairs": _images_are_the_inversion,
    "every pair is the difference of its images": _images_follow_their_pairs,
}
