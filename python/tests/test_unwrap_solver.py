"""The native unwrapping solver against a linear programme, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from parity.flow_programme import ABSOLUTE, FREE, GridProgramme, arc_cost, wraps

from pystamps_shim import _native


def random_programme(seed: int, rows: int, columns: int, offset: int = 300) -> GridProgramme:
    random = np.random.default_rng(seed)

    def costs(*shape: int) -> NDArray[np.int16]:
        records = np.empty((*shape, 2), dtype=np.int16)
        records[..., 0] = random.integers(-offset, offset + 1, shape)
        records[..., 1] = random.choice([ABSOLUTE, FREE, 1, 7, 300, 32_767], shape)
        return records

    phase = random.uniform(0, 6.28, (rows, columns)).astype(np.float32)
    return GridProgramme(phase, costs(rows - 1, columns), costs(rows, columns - 1))


def arrays(programme: GridProgramme) -> tuple[Any, Any, Any]:
    return programme.phase_rad, programme.down, programme.right


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (6, 1), (2, 2), (3, 4), (9, 7), (16, 16)])
@pytest.mark.parametrize("seed", range(4))
def test_objective_is_that_of_the_linear_programme(seed: int, shape: tuple[int, int]) -> None:
    programme = random_programme(seed, *shape)
    down, right, cycles, potentials, certificate = _native.unwrap.solve_grid(*arrays(programme))
    assert certificate["optimal"]
    assert certificate["largest_flow"] < 12
    assert certificate["objective"] == programme.least_objective(reach=12)
    assert len(potentials) == (shape[0] - 1) * (shape[1] - 1) + 1
    # The flows are differences of the cycles, and cost what the certificate says.
    np.testing.assert_array_equal(np.diff(cycles, axis=0), wraps(programme.phase_rad, 0) + down)
    np.testing.assert_array_equal(np.diff(cycles, axis=1), wraps(programme.phase_rad, 1) + right)
    cost = arc_cost(programme.down, down.astype(np.int64)).sum()
    cost += arc_cost(programme.right, right.astype(np.int64)).sum()
    assert cost == certificate["objective"]


def test_verifier_notices_what_was_changed() -> None:
    programme = random_programme(5, 8, 9)
    down, right, _, potentials, certificate = _native.unwrap.solve_grid(*arrays(programme))
    verify = _native.unwrap.verify_grid
    assert verify(*arrays(programme), down, right, potentials) == certificate
    changed = down.copy()
    changed[3, 4] += 1
    assert verify(*arrays(programme), changed, right, potentials)["unbalanced_cells"] == 2
    wrong = potentials.copy()
    wrong[10] += 10**12
    unproven = verify(*arrays(programme), down, right, wrong)
    assert not unproven["optimal"]
    assert unproven["gap"] > 0


def test_memory_order_does_not_matter() -> None:
    programme = random_programme(6, 7, 5)
    expected = _native.unwrap.solve_grid(*arrays(programme))
    turned: Any = tuple(np.asfortranarray(array) for array in arrays(programme))
    for got, wanted in zip(_native.unwrap.solve_grid(*turned), expected, strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_bad_input_is_an_exception() -> None:
    programme = random_programme(7, 4, 4)
    phase, down, right = arrays(programme)
    solve = _native.unwrap.solve_grid
    no_phase = phase.copy()
    no_phase[1, 2] = np.nan
    with pytest.raises(ValueError, match="row 1, column 2"):
        solve(no_phase, down, right)
    with pytest.raises(ValueError, match="down has the shape"):
        solve(phase, down[1:], right)
    with pytest.raises(ValueError, match="no pixel"):
        solve(phase[:0], down, right)
    no_cost = right.copy()
    no_cost[0, 0, 1] = -7
    with pytest.raises(ValueError, match="variance of -7"):
        solve(phase, down, no_cost)
    flows = _native.unwrap.solve_grid(phase, down, right)
    with pytest.raises(ValueError, match="3 potentials for 10 nodes"):
        _native.unwrap.verify_grid(phase, down, right, flows[0], flows[1], [0, 0, 0])
