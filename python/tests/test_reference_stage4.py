"""The Python reference of stage 4 against original StaMPS, and its single rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from numpy.typing import NDArray
from parity.oracle import stage_folder
from parity.stages import compare_in_memory, patches_of
from parity.synthetic_patch import PatchShape, change, write_patch

from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat
from pystamps_shim.kernels.edge_noise import edge_noise
from pystamps_shim.pipeline.ported import stage4_weed_ps
from pystamps_shim.reference.inputs import Patch
from pystamps_shim.reference.neighbours import best_of_adjacent, best_of_coincident
from pystamps_shim.reference.promotion import Selected
from pystamps_shim.reference.stage4 import _corrected_phase, _kept_by_place
from pystamps_shim.reference.triangulation import given_edges, triangulation_edges

Array = NDArray[Any]
Processed = Callable[..., Path]


def oracle_edges(folder: Path) -> Array:
    """Read the edges of the original's triangulation, counted from 1."""
    return np.loadtxt(folder / "psweed.2.edge", skiprows=1, usecols=(1, 2), comments="#")


@pytest.mark.shared
@pytest.mark.parametrize("name", ["T", "T_d1", pytest.param("L", marks=pytest.mark.large)])
@pytest.mark.parametrize("profile", ["oracle_edges", None])
def test_weeding_of_a_scene(
    oracle: Path, processed: Processed, name: str, profile: str | None
) -> None:
    """Identical sets and promoted files, with the original's edges and with our own."""
    dataset = processed(name, 3)
    for patch in patches_of(dataset):
        want = stage_folder(oracle, name, 4) / patch
        edges = oracle_edges(want) if profile else None
        artefacts = stage4_weed_ps(dataset / patch, edges=edges)
        report = compare_in_memory(4, want, artefacts, small_baseline=False, profile=profile)
        assert report.compared == 2 * 29
        assert not report.differences, str(report)


@pytest.mark.shared
def test_small_baselines(oracle: Path, processed: Processed) -> None:
    """Scene S is neither weeded for neighbours nor for noise."""
    dataset = processed("S", 3)
    for patch in patches_of(dataset):
        artefacts = stage4_weed_ps(dataset / patch)
        want = stage_folder(oracle, "S", 4) / patch
        report = compare_in_memory(4, want, artefacts, small_baseline=True)
        assert report.compared > 50
        assert not report.differences, str(report)


@pytest.mark.shared
@pytest.mark.parametrize("patch", ["PATCH_1", "PATCH_2"])
def test_noise_of_every_edge(oracle: Path, processed: Processed, patch: str) -> None:
    """The original's record of the edges themselves."""
    stored = scipy.io.loadmat(oracle / "T" / "intermediates" / patch / "oracle_weed.mat")
    opened = Patch.open(processed("T", 3) / patch, 1)
    selected = Selected.read(opened)
    kept = _kept_by_place(opened, selected)
    edges = given_edges(stored["edgs"], int(kept.sum()))
    std, largest = edge_noise(
        _corrected_phase(opened, selected, kept),
        edges[:, 0],
        edges[:, 1],
        opened.variable("bperp"),
        opened.variable("day"),
        730.0,
    )
    assert np.abs(std - stored["edge_std"].ravel()).max() < 5e-7
    assert np.abs(largest - stored["edge_max"].ravel()).max() < 3e-6


@pytest.mark.shared
@pytest.mark.parametrize("patch", ["PATCH_1", "PATCH_2"])
def test_own_edges_are_the_original_s(oracle: Path, processed: Processed, patch: str) -> None:
    """The same set, so that only the direction of edges acts on the noise."""
    opened = Patch.open(processed("T", 3) / patch, 1)
    selected = Selected.read(opened)
    kept = _kept_by_place(opened, selected)
    own = triangulation_edges(opened.variable("xy")[selected.rows[kept], 1:3])
    stored = np.sort(oracle_edges(oracle / "T" / "stage4" / patch).astype(int) - 1, axis=1)
    np.testing.assert_array_equal(np.sort(own, axis=1), np.unique(stored, axis=0))
    reversed_edges = own[:, 0] > own[:, 1]
    np.testing.assert_array_equal(reversed_edges, own.sum(axis=1) % 2 == 1)


def selected_patch(dataset: Path, shape: PatchShape | None = None, count: int = 60) -> Path:
    """Write a patch whose first candidates stage 3 has selected."""
    patch = write_patch(dataset, shape or PatchShape(candidates=2 * count))
    stage1 = mat.read(patch / "ps1.mat")
    total = int(stage1["n_ps"].item())
    random = np.random.default_rng(6)
    zeros = np.zeros((count, 1))
    mat.write(patch / "pm1.mat", {"ph_patch": np.ones((total, 12), dtype=np.complex64)})
    select1 = {
        "ix": np.arange(1.0, count + 1).reshape(-1, 1),
        "keep_ix": np.ones((count, 1), dtype=bool),
        "K_ps2": zeros,
        "C_ps2": zeros,
        "coh_ps2": 0.5 + 0.5 * random.random((count, 1)),
        "ph_res2": np.zeros((count, 12), dtype=np.float32),
    }
    mat.write(patch / "select1.mat", select1)
    quiet = np.exp(1j * random.normal(0, 0.1, (total, 13))).astype(np.complex64)
    change(patch / "ph1.mat", ph=quiet)
    return patch


def test_a_noisy_ps_is_weeded(tmp_path: Path) -> None:
    """It alone: its neighbours have quiet edges elsewhere."""
    patch = selected_patch(tmp_path / "dataset")
    phase = mat.read_variable(patch / "ph1.mat", "ph")
    phase[20] *= np.exp(1j * np.random.default_rng(1).normal(0, 2, 13)).astype(np.complex64)
    change(patch / "ph1.mat", ph=phase)
    artefacts = stage4_weed_ps(patch)
    assert np.flatnonzero(~artefacts["weed1.mat"]["ix_weed"]).tolist() == [20]
    ids = artefacts["ps2.mat"]["ij"][:, 0]
    assert ids.tolist() == [number for number in range(1, 61) if number != 21]
    assert artefacts["ps2.mat"]["n_ps"].item() == 59
    assert "sort_ix" not in artefacts["ps2.mat"]
    assert artefacts["psver.mat"]["psver"].item() == 2


def test_limits_of_pi_switch_the_noise_off(tmp_path: Path) -> None:
    """Zeros in double precision, and everything passes."""
    patch = selected_patch(tmp_path / "dataset")
    change(patch.parent / "parms.mat", weed_standard_dev=4.0)
    weed1 = stage4_weed_ps(patch)["weed1.mat"]
    assert weed1["ps_std"].dtype == np.float64
    assert not weed1["ps_std"].any()
    assert weed1["ix_weed"].all()


def test_dropped_interferograms_carry_no_noise(tmp_path: Path) -> None:
    """Wild phase in one that is dropped changes nothing; the index keeps the master."""
    patch = selected_patch(tmp_path / "dataset")
    change(patch.parent / "parms.mat", drop_ifg_index=3.0)
    base = stage4_weed_ps(patch)["weed1.mat"]
    phase = mat.read_variable(patch / "ph1.mat", "ph")
    phase[:, 2] *= np.exp(1j * np.arange(len(phase))).astype(np.complex64)
    change(patch / "ph1.mat", ph=phase)
    again = stage4_weed_ps(patch)["weed1.mat"]
    np.testing.assert_array_equal(base["ps_std"], again["ps_std"])
    assert base["ifg_index"].ravel().tolist() == [1, 2, *range(4, 14)]


def test_zero_elevation_and_coincidence(tmp_path: Path) -> None:
    """Water goes; of equal positions the most coherent stays."""
    patch = selected_patch(tmp_path / "dataset")
    height = mat.read_variable(patch / "hgt1.mat", "hgt") + 1
    height[4] = 0
    change(patch / "hgt1.mat", hgt=height)
    xy = mat.read_variable(patch / "ps1.mat", "xy")
    xy[10, 1:] = xy[30, 1:]
    change(patch / "ps1.mat", xy=xy)
    change(patch.parent / "parms.mat", weed_zero_elevation="y", weed_standard_dev=4.0)
    coherence = mat.read_variable(patch / "select1.mat", "coh_ps2").ravel()
    worse = 10 if coherence[10] < coherence[30] else 30
    weed1 = stage4_weed_ps(patch)["weed1.mat"]
    assert set(np.flatnonzero(~weed1["ix_weed"]).tolist()) == {4, worse}
    assert len(weed1["ix_weed2"]) == 58


def test_adjacent_pixels_follow_the_first_claim() -> None:
    """A chain of three is one group; ties keep the first."""
    pixels = np.array([[5, 5], [5, 6], [5, 7], [9, 9], [9, 12]])
    keep = best_of_adjacent(pixels, np.array([0.5, 0.6, 0.9, 0.4, 0.4]))
    assert keep.tolist() == [False, False, True, True, True]
    tied = best_of_adjacent(pixels[:2], np.array([0.7, 0.7]))
    assert tied.tolist() == [True, False]


def test_coincident_positions_keep_the_first_of_the_best() -> None:
    """NaN is below everything."""
    positions = np.array([[1.0, 2], [3, 4], [1, 2], [1, 2], [3, 4]], dtype=np.float32)
    coherence = np.array([0.5, np.nan, 0.8, 0.8, 0.1])
    assert best_of_coincident(positions, coherence).tolist() == [False, False, True, False, True]


def test_points_without_a_triangle_make_a_chain() -> None:
    """Fewer than three points, or points on a line, in the order of x, then y; odd sums turn."""
    assert triangulation_edges(np.array([[1.0, 2.0]])).shape == (0, 2)
    assert triangulation_edges(np.array([[3.0, 0], [1, 5]])).tolist() == [[1, 0]]
    line = np.array([[4.0, 8], [1, 2], [3, 6], [2, 4]])
    assert triangulation_edges(line).tolist() == [[0, 2], [1, 3], [3, 2]]
    square = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])
    assert len(triangulation_edges(square)) == 5


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_ps_leave_nothing(tmp_path: Path, count: int) -> None:
    """No edge, or a single one without variance: recorded as empty, not an error."""
    patch = selected_patch(tmp_path / "dataset", PatchShape(candidates=5), count)
    artefacts = stage4_weed_ps(patch)
    assert artefacts["weed1.mat"]["ix_weed"].shape == (count, 1)
    assert artefacts["ps2.mat"]["n_ps"].item() == 0
    assert artefacts["ph2.mat"]["ph"].shape == (0, 13)
    assert artefacts["no_ps_info.mat"]["stamps_step_no_ps"].ravel().tolist() == [0, 0, 0, 1, 0]


def test_bad_edges_and_selections_are_named(tmp_path: Path) -> None:
    """Numbers outside, another shape, and rows that do not exist."""
    patch = selected_patch(tmp_path / "dataset")
    with pytest.raises(PystampsError, match="edges refer to rows 1 to 61, expected 1 to 60"):
        stage4_weed_ps(patch, edges=np.array([[1, 61]]))
    with pytest.raises(PystampsError, match=r"edges have shape \(3,\)"):
        stage4_weed_ps(patch, edges=np.array([1, 2, 3]))
    change(patch / "select1.mat", ix=np.full((60, 1), 121.0))
    with pytest.raises(PystampsError, match=r"select1\.mat: ix refers to row 121, expected"):
        stage4_weed_ps(patch)
