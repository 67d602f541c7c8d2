"""The pieces of stage 6 one by one: filter, nearest nodes, edges, series, costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from parity.readers import read_mat_file
from parity.synthetic_merged import write_merged

from pystamps_shim.io import mat
from pystamps_shim.reference.edge_series import Method, SeriesSettings, analyse_edges
from pystamps_shim.reference.edge_slope import edge_slopes
from pystamps_shim.reference.edge_smoothing import smooth_by_inversion, smooth_by_master
from pystamps_shim.reference.goldstein import goldstein_filter
from pystamps_shim.reference.image_network import ImageNetwork
from pystamps_shim.reference.inputs import Patch
from pystamps_shim.reference.nearest_node import NodeEdges, nearest_nodes
from pystamps_shim.reference.phase_gradient import node_gradients
from pystamps_shim.reference.unwrapping_costs import ArcCosts, EdgeCosts, short
from pystamps_shim.reference.unwrapping_grid import Cells

Array = NDArray[Any]
Singles = NDArray[np.float32]


@pytest.mark.shared
@pytest.mark.parametrize("size", ["61x75", "64x64", "97x50"])
@pytest.mark.parametrize("precision", ["double", "single"])
def test_goldstein_oracle(oracle: Path, size: str, precision: str) -> None:
    """Grids that windows fit and do not fit."""
    path = oracle / "kernels" / f"k_goldstein_wrap_{size}_{precision}.mat"
    kernel = {name: variable.values for name, variable in read_mat_file(path).items()}
    found = goldstein_filter(kernel["ph_in"], 32, 0.8)
    np.testing.assert_allclose(found, kernel["wrap_out"], rtol=0, atol=1e-6)


def test_goldstein_keeps_modulus_and_empty_cells() -> None:
    """Noise goes, the fringe stays; a cell without number counts as empty."""
    random = np.random.default_rng(1)
    fringe = np.exp(0.3j * np.add.outer(np.arange(20), 2 * np.arange(33)))
    noisy = 3 * fringe * np.exp(1j * random.normal(0, 0.7, fringe.shape))
    noisy[4, 5], noisy[7, 8] = 0, np.nan
    found = goldstein_filter(noisy, 16, 0.8)
    assert found[4, 5] == 0
    assert found[7, 8] == 0
    used = np.abs(noisy) > 0
    used[7, 8] = False
    np.testing.assert_allclose(np.abs(found[used]), 3, rtol=1e-6)
    before, after = (np.abs(np.angle(grid * fringe.conj()))[used].mean() for grid in (noisy, found))
    assert after < 0.5 * before


@pytest.mark.parametrize("seed", range(5))
def test_nearest_nodes_against_all_distances(seed: int) -> None:
    """Few nodes, so that ties abound: the smallest number wins."""
    random = np.random.default_rng(seed)
    occupied = random.random((13, 17)) < 0.06
    occupied[3, 4] = True
    column, row = np.nonzero(occupied.T)
    cells = np.indices(occupied.shape)
    squares = (cells[0][..., None] - row) ** 2 + (cells[1][..., None] - column) ** 2
    ties = (squares == squares.min(axis=-1, keepdims=True)).sum(axis=-1) > 1
    assert ties.sum() > 5
    np.testing.assert_array_equal(nearest_nodes(occupied), squares.argmin(axis=-1))


@pytest.mark.shared
def test_measured_scatterers(shared_dir: Path) -> None:
    """112,418 PS that MATLAB has gridded: the same cells and edges, and no node nearer than ours.

    MATLAB decides ties by a search walk; the others agree.
    """
    folder = shared_dir / "real" / "s1b_siberia_112k"
    cells = Cells.of(Patch.open(folder, 2))
    stored = {name: found.values for name, found in read_mat_file(folder / "uw_interp.mat").items()}
    want = stored["Z"].astype(np.intp) - 1
    occupied = np.zeros(cells.shape, dtype=np.bool_)
    occupied[cells.row, cells.column] = True
    nearest = nearest_nodes(occupied)
    assert nearest.shape == want.shape == (82, 77)
    column, row = np.nonzero(occupied.T)
    place = np.indices(occupied.shape)
    squares = [
        (place[0] - row[node]) ** 2 + (place[1] - column[node]) ** 2 for node in (nearest, want)
    ]
    np.testing.assert_array_equal(*squares)
    assert 1000 < (nearest != want).sum() < 1300
    edges = NodeEdges.of(want)
    np.testing.assert_array_equal(edges.ends + 1, stored["edgs"][:, 1:])
    np.testing.assert_array_equal(edges.down, stored["rowix"])
    np.testing.assert_array_equal(edges.right, stored["colix"])


def test_edges_of_three_nodes() -> None:
    """Signs, numbers and counts, by hand."""
    nearest = np.array([[1, 1, 0], [1, 2, 0]])
    edges = NodeEdges.of(nearest)
    assert edges.ends.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert edges.down.tolist() == [[0, 3, 0]]
    assert edges.right.tolist() == [[0, -1], [3, -2]]
    assert edges.occurrences().tolist() == [1, 1, 2]


def test_a_single_node_has_no_edge() -> None:
    """All cells are its own."""
    occupied = np.zeros((3, 4), dtype=np.bool_)
    occupied[1, 2] = True
    edges = NodeEdges.of(nearest_nodes(occupied))
    assert edges.ends.shape == (0, 2)
    assert not edges.down.any()
    assert not edges.right.any()


def test_the_last_row_joins_the_one_before(tmp_path: Path) -> None:
    """Also where it would be well filled."""
    made = write_merged(tmp_path / "dataset")
    xy = mat.read_variable(made.folder / "ps2.mat", "xy")
    cells = Cells.of(Patch.open(made.folder, 2))
    plain = np.ceil((xy[:, 1:] - xy[:, 1:].min(axis=0) + np.float32(0.001)) / np.float32(60))
    assert plain.max() == 40
    assert cells.shape == (39, 39)
    inner = plain.max(axis=1) < 40
    np.testing.assert_array_equal(cells.column[inner], plain[inner, 0] - 1)
    np.testing.assert_array_equal(cells.row[inner], plain[inner, 1] - 1)
    last = plain[:, 1] == 40
    assert last.sum() > 5
    assert (cells.row[last] == 38).all()


def master_network(days: list[float], bperp_m: list[float], master: int) -> ImageNetwork:
    """Return interferograms of all images with one of them."""
    images = np.delete(np.arange(len(days)), master)
    pairs = np.stack([np.full_like(images, master), images], axis=1)
    return ImageNetwork.of(np.array(days), pairs, np.array(bperp_m))


DAYS = [-60.0, -36.0, -12.0, 0.0, 24.0, 48.0, 72.0]
BPERP_M = [60.0, -110.0, 35.0, -40.0, 120.0, -75.0]


@pytest.mark.parametrize("slope", [0.0, 0.021, -0.026])
def test_slopes_are_found_under_deformation(slope: float) -> None:
    """From differences of consecutive images: steady deformation is the same in all of them."""
    days = [24.0 * image for image in range(-3, 4)]
    network = master_network(days, BPERP_M, 3)
    trend = np.delete(np.array(days), 3) * 2 / 24
    phase = np.exp(1j * (np.outer([0, 1], trend) + slope * np.array(BPERP_M))).astype(np.complex64)
    found = edge_slopes(phase, network, 1.0)
    assert found[0, 0] == pytest.approx(float(found[1, 0]), abs=1e-8)
    assert found.shape == (2, 1)
    assert found.dtype == np.float32
    # One linear step from the best trial: close, not exact.
    assert found[0, 0] == pytest.approx(slope, abs=1e-3)


@pytest.mark.parametrize("bperp_m", [0.0, 50.0])
def test_equal_baselines_tell_nothing(bperp_m: float) -> None:
    """Although the master's, 0, differs from them."""
    flat = master_network(DAYS, [bperp_m] * 6, 3)
    phase = np.exp(1j * np.array([[0.02], [-0.01]]) * flat.bperp_m).astype(np.complex64)
    assert not edge_slopes(phase, flat, 2.0).any()


def test_slopes_need_edges_and_coherence() -> None:
    """Noise tells nothing, and nothing tells nothing."""
    flat = master_network(DAYS, [0.0] * 6, 3)
    phase = np.exp(1j * np.random.default_rng(2).uniform(-np.pi, np.pi, (400, 6)))
    noise = edge_slopes(phase.astype(np.complex64), master_network(DAYS, BPERP_M, 3), 8.0)
    assert 0 < (noise == 0).mean() < 1
    assert (edge_slopes(phase[:0].astype(np.complex64), flat, 2.0)).shape == (0, 1)


def test_chains_of_pairs_are_used_as_they_are() -> None:
    """Consecutive pairs that connect all images need no forming of differences."""
    bperp = np.array([50.0, -120.0, 80.0, -70.0])
    pairs = np.array([[0, 1], [1, 2], [0, 2], [2, 3]])
    network = ImageNetwork.of(np.array([0.0, 12, 24, 36]), pairs, bperp)
    # The pair that skips an image has another slope, which must not matter.
    phase = np.exp(1j * np.array([[0.02, 0.02, -0.5, 0.02]]) * bperp).astype(np.complex64)
    assert edge_slopes(phase, network, 1.0)[0, 0] == pytest.approx(0.02, abs=1e-3)


def test_images_without_interferogram_do_not_count() -> None:
    """The others are numbered anew."""
    network = ImageNetwork.of(
        np.array([0.0, 10, 20, 30, 40]), np.array([[1, 2], [1, 4]]), np.zeros(2)
    )
    assert network.day.tolist() == [10, 20, 40]
    assert network.design().tolist() == [[-1, 1, 0], [-1, 0, 1]]


@pytest.mark.parametrize("master", [0, 3, 6])
def test_master_series_unwraps_in_time(master: int) -> None:
    """Steps of a radian add up to several; near the master the phase is small."""
    bperp = [0.0] * 6
    network = master_network(DAYS, bperp, master)
    days = np.array(DAYS) - DAYS[master]
    truth = np.delete(days / 24, master)
    phase = np.exp(1j * truth)[None, :].astype(np.complex64)
    smooth = smooth_by_master(phase, network, 20.0)
    np.testing.assert_allclose(smooth[0], truth, atol=0.05)
    assert np.ptp(truth) > np.pi


def test_order_of_interferograms_does_not_matter() -> None:
    """The original writes the smooth phase back in the order of days."""
    network = master_network(DAYS, BPERP_M, 3)
    phase = np.exp(1j * np.random.default_rng(3).normal(0, 0.5, (5, 6))).astype(np.complex64)
    # The interferograms before the master and those after it keep their order to each other.
    order = np.array([3, 0, 4, 1, 5, 2])
    shuffled = ImageNetwork(network.day, network.pairs[order], network.bperp_m[order])
    want, found = (
        smooth_by_master(phase[:, columns], net, 50.0)
        for columns, net in ((np.arange(6), network), (order, shuffled))
    )
    turn = np.angle(np.exp(1j * (found - want[:, order])))
    np.testing.assert_allclose(turn, 0, atol=1e-5)


def test_inversion_of_disconnected_images() -> None:
    """Two pairs of images: a basic solution, which explains the pairs all the same."""
    network = ImageNetwork.of(
        np.array([0.0, 1e6, 2e6, 3e6]), np.array([[0, 1], [2, 3]]), np.zeros(2)
    )
    phase = np.exp(1j * np.array([[0.4, -0.7]])).astype(np.complex64)
    found = smooth_by_inversion(phase, network, 10.0)
    np.testing.assert_allclose(found, [[0.4, -0.7]], atol=1e-6)


def test_noisy_edges_say_nothing() -> None:
    """Above 1.2 rad with the full method, 1.3 with the quick one; an end without phase as well."""
    network = master_network(DAYS, BPERP_M, 3)
    random = np.random.default_rng(4)
    low = np.ones((200, 6), dtype=np.complex64)
    high = np.exp(1j * random.normal(0, np.linspace(0.1, 4, 200)[:, None], (200, 6)))
    high = high.astype(np.complex64)
    high[3] = 0
    for method, limit in ((Method.FULL, 1.2), (Method.QUICK, 1.3)):
        found = analyse_edges(low, high, network, SeriesSettings(method, False, 100.0, 1.0))
        assert found.noise_rad is not None
        lost = np.asarray(np.isnan(found.noise_rad).any(axis=1))
        assert lost[3]
        assert 5 < lost.sum() < 195
        deviation = found.noise_deviation_rad()[~lost]
        assert 0.9 * limit < deviation.max() <= limit
        kept = found.difference_rad[~lost]
        np.testing.assert_allclose(np.exp(1j * kept), high[~lost], atol=1e-5)


def test_edges_say_nothing_if_an_interferogram_is_unknown() -> None:
    """One without an image that most others share has no smooth part with the full method."""
    pairs = np.array([[0, 1], [0, 2], [0, 3], [3, 4]])
    network = ImageNetwork.of(np.array([0.0, 12, 24, 36, 48]), pairs, np.array(BPERP_M[:4]))
    phase = np.exp(1j * np.array([[0.1, 0.2, 0.3, 0.4]])).astype(np.complex64)
    settings = SeriesSettings(Method.FULL, False, 100.0, 1.0)
    assert np.isnan(smooth_by_master(phase, network, 100.0)).sum() == 1
    found = analyse_edges(np.ones_like(phase), phase, network, settings)
    assert found.noise_rad is not None
    assert np.isnan(found.noise_rad).all()
    assert np.isnan(found.difference_rad).all()


def test_rounding_to_short() -> None:
    """Halves away from zero, saturating, no number is 0."""
    values = np.array([0.5, -0.5, 1.5, 2.49, -2.5, np.nan, 4e4, -4e4, np.inf])
    assert short(values).tolist() == [1, -1, 2, 2, -3, 0, 32767, -32768, 32767]
    # In single precision the sum with a half would round up.
    assert short(np.array([0.49999997], dtype=np.float32)).tolist() == [0]


def test_records_of_arcs() -> None:
    """Known, same node, without statistics; the offset's sign depends on the direction."""
    edges = NodeEdges.of(np.array([[0, 0, 1], [0, 2, 1]]))
    difference = np.array([[0.5], [np.nan], [4.0]], dtype=np.float32)
    noise = np.array([[0.1], [np.nan], [0.2]], dtype=np.float32)
    series = analyse_edges(
        np.ones((3, 1), np.complex64),
        np.exp(1j * difference).astype(np.complex64),
        master_network([0.0, 12.0], [10.0], 0),
        SeriesSettings(Method.NO_DEFORMATION, False, 100.0, 1.0),
    )
    changed = type(series)(difference, noise)
    costs = EdgeCosts.of(edges, changed, np.ones(3), None)
    assert costs.known.tolist() == [True, False, True]
    down, right = costs.of_interferogram(0)
    assert isinstance(down, ArcCosts)
    assert edges.down.tolist() == [[0, 2, 0]]
    assert edges.right.tolist() == [[0, 1], [2, -3]]
    # 0.1 rad of noise are 3 steps; 4 rad wrap to a cycle less, and the edge points backwards.
    assert right.records(1).tolist() == [
        [[0, 1, 32000, -32000], [3, 1, 32000, -32000]],
        [[0, 1, 32000, 1], [194, 1, 32000, -32000]],
    ]
    assert right.records(-1)[0, 1, 0] == -3
    assert down.unknown.tolist() == [[False, True, False]]


def test_gradients_of_a_ramp() -> None:
    """Along rows as it is, along columns with the original's opposite sign."""
    rows, columns = np.indices((48, 40))
    step = 2 * np.pi / 16
    phase = np.exp(1j * step * (rows + 2 * columns)).astype(np.complex64)
    occupied = np.ones(rows.shape, dtype=np.bool_)
    found = node_gradients(phase.T.reshape(-1, 1), occupied, 16)
    inside = (found.row > 8) & (found.row < 39) & (found.column > 8) & (found.column < 31)
    np.testing.assert_allclose(found.down[inside], step, atol=1e-6)
    np.testing.assert_allclose(found.right[inside], -2 * step, atol=1e-6)
    assert np.isnan(found.down[found.row == 0]).all()
    flat: Singles = node_gradients(
        phase.T.reshape(-1, 1)[:3], occupied & (rows + columns < 2), 16
    ).down
    assert np.isnan(flat).all()
