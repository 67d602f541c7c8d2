"""The readable exact solver: against brute force, and its certificate against wrong results."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from parity.oracle import UNWRAPPING_VARIANTS, stage_folder
from parity.readers import read_mat_file
from parity.snaphu_files import KeptProblem

from pystamps_shim.reference.flow import FlowProblem, certificate, cheapest_flow
from pystamps_shim.reference.grid_unwrapping import UnwrappedGrid, flow_problem, unwrap_grid
from pystamps_shim.reference.unwrapping_costs import ArcCosts

Integers = NDArray[np.int64]


def random_problem(seed: int, shape: tuple[int, int]) -> FlowProblem:
    """Pose a problem with arcs of every kind and residues in abundance."""
    random = np.random.default_rng(seed)
    rows, columns = shape
    arcs = (rows - 1) * columns + rows * (columns - 1)
    kind = random.integers(0, 4, arcs)
    offset = np.where(kind == 0, 0, random.integers(-250, 251, arcs))
    variance = np.where(kind == 0, 1, random.integers(1, 32767, arcs))
    variance = np.where(kind == 1, random.integers(1, 40, arcs), variance)
    return FlowProblem(shape, random.integers(-1, 2, arcs), offset, variance, kind == 3)


def best_by_trying_all(problem: FlowProblem) -> int:
    """Return the least cost over all whole cycles of the cells, from -5 to 5."""
    rows, columns = problem.shape
    rest = np.array(list(itertools.product(range(-5, 6), repeat=rows * columns - 1)))
    cycles = np.insert(rest, 0, 0, axis=1).reshape(-1, rows, columns)
    steps = [np.diff(cycles, axis=axis).reshape(len(cycles), -1) for axis in (1, 2)]
    costs = problem.cost(np.concatenate(steps, axis=1) - problem.wraps)
    return int(costs.sum(axis=1).min())


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("shape", [(2, 2), (2, 3), (1, 4), (3, 1)])
def test_nothing_is_cheaper(seed: int, shape: tuple[int, int]) -> None:
    """Every labelling of a small grid."""
    problem = random_problem(seed, shape)
    flow, potential = cheapest_flow(problem)
    proof = certificate(problem, flow, potential)
    assert proof.optimal
    assert proof.objective == best_by_trying_all(problem)


@pytest.mark.parametrize("seed", range(4))
def test_large_grids_are_proven(seed: int) -> None:
    """Flow and cycles say the same, and the proof closes, where trying all is out of reach."""
    problem = random_problem(seed, (17, 23))
    flow, potential = cheapest_flow(problem)
    proof = certificate(problem, flow, potential)
    assert proof.optimal
    cycles = problem.cycles(flow)
    steps = np.concatenate([np.diff(cycles, axis=axis).ravel() for axis in (0, 1)])
    np.testing.assert_array_equal(steps, flow + problem.wraps)


def test_certificate_refuses_wrong_results() -> None:
    """A unit around one cell, an unbalanced flow, other potentials."""
    problem = random_problem(1, (6, 7))
    flow, potential = cheapest_flow(problem)
    around = flow.copy()
    cycles = np.zeros((6, 7), dtype=np.int64)
    cycles[3, 3] = 4
    around += np.concatenate([np.diff(cycles, axis=axis).ravel() for axis in (0, 1)])
    worse = certificate(problem, around, potential)
    assert worse.unbalanced == 0
    assert worse.objective > worse.lower_bound
    single = flow.copy()
    single[11] += 1
    assert certificate(problem, single, potential).unbalanced == 2
    shifted = potential.copy()
    shifted[5] += 100_000
    assert certificate(problem, flow, shifted).lower_bound < worse.lower_bound
    assert not certificate(problem, flow, shifted).optimal


def arcs(
    shape: tuple[int, int], offset: int, variance: int = 100, wrapped_rad: float = np.nan
) -> ArcCosts:
    """Return arcs that are all alike."""
    return ArcCosts(
        np.full(shape, offset, dtype=np.int16),
        np.full(shape, variance, dtype=np.int16),
        np.zeros(shape, dtype=np.bool_),
        np.full(shape, wrapped_rad, dtype=np.float32),
    )


def test_gradients_beyond_half_a_cycle_follow_the_expectation() -> None:
    """Three cycles a row downwards, minus two a column, which no phase shows."""
    phase = np.exp(1j * np.full(5, 0.7)).astype(np.complex64)
    nearest = np.arange(20).reshape(4, 5) % 5
    found = unwrap_grid(phase, nearest, arcs((3, 5), -600), arcs((4, 4), 400))
    assert found.proof.optimal
    assert found.proof.objective == 0
    down, right = (np.diff(found.phase_rad, axis=axis) / (2 * np.pi) for axis in (0, 1))
    np.testing.assert_allclose(down, 3, atol=1e-5)
    np.testing.assert_allclose(right, -2, atol=1e-5)
    assert found.phase_rad[0, 0] == np.float32(np.angle(phase[0].astype(np.complex128)))
    expected = (15 * 9 + 16 * 4) * (2 * np.pi) ** 2 / 31
    assert found.mean_square_difference() == pytest.approx(expected, rel=1e-5)


def test_differences_of_nothing_do_not_count() -> None:
    """A flat grid has no difference at all."""
    assert UnwrappedGrid(np.ones((3, 3), dtype=np.float32), None).mean_square_difference() == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(("wrapped_rad", "shift"), [(3.1415925, 0), (-3.1415925, 200)])
def test_half_cycles_on_the_other_side(wrapped_rad: float, shift: int) -> None:
    """The costs were made with half a cycle up or down; the cells are half a cycle up apart."""
    cells = np.array([[0.0], [np.pi]])
    problem = flow_problem(cells, arcs((1, 1), 30, 100, wrapped_rad), arcs((2, 0), 0))
    assert problem.wraps.tolist() == [0]
    assert problem.offset.tolist() == [30 + shift]


def test_the_reserved_variance_is_none() -> None:
    """32000 would be an arc without cost in SNAPHU."""
    problem = flow_problem(np.zeros((2, 1)), arcs((1, 1), 0, 32000), arcs((2, 0), 0))
    assert problem.variance.tolist() == [31999]


def assert_no_worse_than_snaphu(folder: Path, shape: tuple[int, int]) -> None:
    """Check SNAPHU's own account, and that ours costs no more."""
    kept = KeptProblem.read(folder, shape)
    assert not kept.problem.excess(kept.flow).any(), folder
    if kept.logged_cost is not None:
        assert kept.counted_cost(kept.flow) == kept.logged_cost, folder
    flow, potential = cheapest_flow(kept.problem)
    proof = certificate(kept.problem, flow, potential)
    assert proof.optimal, folder
    assert proof.objective <= kept.problem.cost(kept.flow).sum(), folder
    assert kept.counted_cost(flow) <= kept.counted_cost(kept.flow), folder


def test_golden_problems(golden_unwrapping: Path) -> None:
    """Three problems as SNAPHU got them, with the cost that it printed."""
    folders = sorted((golden_unwrapping / "T" / "stage6" / "snaphu_keep").iterdir())
    assert len(folders) == 3
    for folder in folders:
        assert_no_worse_than_snaphu(folder, (48, 36))


@pytest.mark.shared
@pytest.mark.parametrize(
    "name", ["T", "T_it2", "T_opt", "T_opt_iter1", "T_d1", "S", *UNWRAPPING_VARIANTS]
)
def test_kept_problems(oracle: Path, name: str) -> None:
    """All problems of the oracle: the same cost as SNAPHU's, or less."""
    folder = stage_folder(oracle, name, 6)
    shape = read_mat_file(folder / "uw_grid.mat")["nzix"].shape
    problems = sorted((folder / "snaphu_keep").iterdir())
    assert len(problems) >= 2
    for problem in problems:
        assert_no_worse_than_snaphu(problem, (shape[0], shape[1]))
