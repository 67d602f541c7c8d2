"""Stage 6 on what is there of a real project: its geometry, and its cost file."""

from __future__ import annotations

import shutil
import subprocess
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from parity.readers import read_mat_file

from pystamps_shim import _native
from pystamps_shim.io import mat

Native = Callable[..., subprocess.CompletedProcess[str]]
Array = NDArray[Any]


@pytest.fixture(scope="module")
def real(shared_dir: Path) -> Path:
    """Find the Sentinel-1 project that MATLAB has processed."""
    folder: Path = shared_dir / "real" / "s1b_siberia_112k"
    return folder


@pytest.mark.shared
def test_geometry(native: Native, real: Path, tmp_path: Path) -> None:
    """112,418 real positions under simulated phase: MATLAB's grid and nodes, but for its ties."""
    dataset = tmp_path / "dataset"
    dataset.mkdir()
    for name in ("ps2.mat", "bp2.mat", "la2.mat", "parms.mat"):
        shutil.copyfile(real / name, dataset / name)
    stack = read_mat_file(real / "ps2.mat")
    xy = stack["xy"].values[:, 1:].astype(float)
    wave = np.exp(1j * xy @ np.array([[2e-4], [-3e-4]]) * np.arange(13) / 3)
    mat.write(dataset / "rc2.mat", {"ph_rc": wave.astype(np.complex64)})
    native("stage", 6, "--dataset", dataset)
    native("verify-unwrap", "--dataset", dataset)
    ours, theirs = (read_mat_file(folder / "uw_interp.mat") for folder in (dataset, real))
    found, want = ours["Z"].values.astype(int), theirs["Z"].values.astype(int)
    assert found.shape == want.shape == (82, 77)
    assert found.max() == want.max() == 4549
    node = read_mat_file(dataset / "uw_grid.mat")["ij"].values
    rows, columns = np.indices(found.shape) + 1
    squared = [
        (rows - node[nodes - 1, 0]) ** 2 + (columns - node[nodes - 1, 1]) ** 2
        for nodes in (found, want)
    ]
    np.testing.assert_array_equal(*squared)
    # MATLAB's search has taken the highest number of equally near nodes, ours takes the smallest.
    assert (found[found != want] < want[found != want]).all()


@pytest.mark.shared
def test_cost_file(real: Path) -> None:
    """The cost file is solved to proven optimality, also with its thousands of useless arcs.

    It was written column by column: for every column of the grid all offsets, variances,
    largest distances and shelves. The wrapped phase is that of the edges' series, which belongs
    to another run of the same interferogram; unknown edges follow from the others.
    """
    edges = read_mat_file(real / "uw_interp.mat")
    nearest = edges["Z"].values.astype(int) - 1
    rows, columns = nearest.shape
    raw = np.fromfile(real / "snaphu.costinfile", "<i2")
    split = 4 * (rows - 1) * columns
    down = raw[:split].reshape(columns, 4, rows - 1).transpose(2, 0, 1)
    right = raw[split:].reshape(columns - 1, 4, rows).transpose(2, 0, 1)
    assert set(np.unique(down[..., 2])) == {32000}
    series = read_mat_file(real / "uw_space_time.mat")["dph_space_uw"].values[:, 0]
    ends = edges["edgs"].values[:, 1:].astype(int) - 1
    phase = _node_phase(ends, series)[nearest]
    solved = _native.unwrap.solve_grid(phase.astype(np.float32), _costs(down, -1), _costs(right, 1))
    certificate = solved[-1]
    assert certificate["optimal"]
    assert certificate["objective"] == certificate["dual_bound"] > 0
    assert certificate["residues"] > 50


def _costs(records: Array, sign: int) -> Array:
    """Return offset and variance of every arc, in the direction in which phase is added up."""
    variance = np.where(records[..., 3] == 1, _native.unwrap.ABSOLUTE, records[..., 1])
    variance = np.where(records[..., 1] == 32000, _native.unwrap.FREE, variance)
    return np.stack([sign * records[..., 0], variance], axis=-1).astype(np.int16)


def _node_phase(ends: Array, difference_rad: Array) -> Array:
    """Add the known differences up along edges, from one node to all, modulo a cycle."""
    neighbours: dict[int, list[tuple[int, float]]] = {}
    for (low, high), step in zip(ends.tolist(), difference_rad.tolist(), strict=True):
        if not np.isnan(step):
            neighbours.setdefault(low, []).append((high, step))
            neighbours.setdefault(high, []).append((low, -step))
    phase = np.zeros(ends.max() + 1)
    reached = {0}
    queue = deque(reached)
    while queue:
        node = queue.popleft()
        for other, step in neighbours.get(node, []):
            if other not in reached:
                reached.add(other)
                phase[other] = phase[node] + step
                queue.append(other)
    assert len(reached) > 0.95 * len(phase)
    wrapped = np.mod(phase, 2 * np.pi)
    known = ~np.isnan(difference_rad) & np.isin(ends, list(reached)).all(axis=1)
    left = wrapped[ends[known, 1]] - wrapped[ends[known, 0]] - difference_rad[known]
    assert np.abs(np.angle(np.exp(1j * left))).max() < 1e-3
    return np.asarray(wrapped)
