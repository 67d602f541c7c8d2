"""The Python reference of stage 3 against original StaMPS, and its single rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from parity.oracle import ParameterValue, stage_folder
from parity.stages import compare_in_memory, patches_of
from parity.synthetic_patch import MASTER, PatchShape, change, histogram_file, write_patch

from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat
from pystamps_shim.pipeline.ported import stage2_estimate_gamma, stage3_select_ps
from pystamps_shim.reference.inputs import Patch
from pystamps_shim.reference.outputs import write_artefacts
from pystamps_shim.reference.reestimation import WindowFilter
from pystamps_shim.reference.selection_threshold import SelectionTarget, polynomial_fit
from pystamps_shim.reference.stage3 import resample_indices, resampled_deviation

Processed = Callable[..., Path]

_VARIANTS = [
    *(f"density_rand_{number}" for number in ("0.5", "1", "2", "5", "10")),
    *(f"PERCENT_{number}" for number in ("1", "5", "20")),
]


@pytest.mark.shared
@pytest.mark.parametrize(
    "name", ["T", "S", *(pytest.param(name, marks=pytest.mark.large) for name in "LD")]
)
def test_selection_of_a_scene(oracle: Path, processed: Processed, name: str) -> None:
    """From the original's stage 2; D has thresholds that depend on amplitude dispersion."""
    dataset = processed(name, 2)
    for patch in patches_of(dataset):
        artefacts = stage3_select_ps(dataset / patch)
        want = stage_folder(oracle, name, 3) / patch
        report = compare_in_memory(3, want, artefacts, small_baseline=name == "S")
        assert report.compared == 2 * 18
        assert not report.differences, str(report)


@pytest.mark.shared
@pytest.mark.parametrize("patch", ["PATCH_1", "PATCH_2"])
@pytest.mark.parametrize("variant", _VARIANTS)
def test_other_targets(oracle: Path, processed: Processed, variant: str, patch: str) -> None:
    """The second threshold alone, from the coherence of the base run."""
    kind, number = variant.rsplit("_", 1)
    parameters: dict[str, ParameterValue] = {kind: float(number)}
    if kind == "PERCENT":
        parameters = {"select_method": kind, "percent_rand": float(number)}
    dataset = processed("T", 3, **parameters)
    artefacts = stage3_select_ps(dataset / patch, reuse_coherence=True)
    want = oracle / "T" / "variants" / f"select_{variant}" / patch
    report = compare_in_memory(3, want, artefacts, small_baseline=False, files=["select1.mat"])
    assert report.compared == 2 * 16
    assert not report.differences, str(report)


@pytest.fixture(scope="module")
def estimated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a synthetic patch with stage 2's results once."""
    folder = tmp_path_factory.mktemp("estimated")
    patch = write_patch(folder / "dataset")
    histogram = histogram_file(folder, patch)
    write_artefacts(patch, stage2_estimate_gamma(patch, reference_histogram=histogram))
    return patch


@pytest.fixture
def patch(estimated: Path, tmp_path: Path) -> Path:
    """Return a copy that may be changed."""
    import shutil

    shutil.copytree(estimated.parent, tmp_path / "dataset")
    return tmp_path / "dataset" / estimated.name


def test_the_coherent_half_is_selected(patch: Path) -> None:
    """Candidates with little noise have even rows; 20 others are accepted in each km^2."""
    select1 = stage3_select_ps(patch)["select1.mat"]
    rows = select1["ix"].ravel()[select1["keep_ix"].ravel()].astype(int) - 1
    area_km2 = 2.4**2
    assert (rows % 2 == 0).sum() > 700
    assert 0.5 * 20 * area_km2 < (rows % 2 == 1).sum() < 1.5 * 20 * area_km2


def test_dropped_interferograms_do_not_count(patch: Path) -> None:
    """Their residuals are 0, the index skips them, and their phase changes no threshold."""
    change(patch.parent / "parms.mat", drop_ifg_index=np.array([[2.0, 9.0]]))
    select1 = stage3_select_ps(patch)["select1.mat"]
    assert select1["ifg_index"].ravel().tolist() == [1, 3, 4, 5, 6, 7, 9, 10, 11, 12]
    assert not select1["ph_res2"][:, [1, 7]].any()
    assert (select1["ph_res2"][:, 0] != 0).all()
    phase = mat.read_variable(patch / "ph1.mat", "ph")
    phase[:, 1] *= np.exp(1j * np.linspace(0, 40, len(phase))).astype(np.complex64)
    change(patch / "ph1.mat", ph=phase)
    again = stage3_select_ps(patch)["select1.mat"]
    np.testing.assert_array_equal(again["coh_ps2"], select1["coh_ps2"])


def test_dropping_the_master_changes_nothing(patch: Path) -> None:
    """It has no column among the data."""
    base = stage3_select_ps(patch)["select1.mat"]
    change(patch.parent / "parms.mat", drop_ifg_index=float(MASTER + 1))
    other = stage3_select_ps(patch)["select1.mat"]
    np.testing.assert_array_equal(base["ifg_index"], other["ifg_index"])


def test_dropping_everything_is_refused(patch: Path) -> None:
    """So is a number outside the stack."""
    everything = np.arange(1.0, 14.0).reshape(1, -1)
    change(patch.parent / "parms.mat", drop_ifg_index=everything)
    with pytest.raises(PystampsError, match="drops every interferogram"):
        stage3_select_ps(patch)
    change(patch.parent / "parms.mat", drop_ifg_index=14.0)
    with pytest.raises(PystampsError, match="holds 14, expected whole numbers from 1 to 13"):
        stage3_select_ps(patch)


def test_without_reestimation_stage_2_stands(patch: Path) -> None:
    """Everything above the first threshold is kept."""
    change(patch.parent / "parms.mat", select_reest_gamma_flag="n")
    select1 = stage3_select_ps(patch)["select1.mat"]
    pm1 = mat.read(patch / "pm1.mat")
    rows = select1["ix"].ravel().astype(int) - 1
    assert select1["keep_ix"].all()
    np.testing.assert_array_equal(select1["coh_ps2"], pm1["coh_ps"][rows])
    np.testing.assert_array_equal(select1["ph_patch2"], pm1["ph_patch"][rows])
    np.testing.assert_array_equal(
        rows, np.flatnonzero(pm1["coh_ps"].ravel() > select1["coh_thresh"].ravel())
    )


def test_unsteady_candidates_are_rejected(patch: Path) -> None:
    """A limit between the candidates' deviations splits the first selection."""
    base = stage3_select_ps(patch)["select1.mat"]["ix"]
    rows = base.ravel().astype(int) - 1
    residual = mat.read_variable(patch / "pm1.mat", "ph_res")[rows]
    deviation = resampled_deviation(residual, resample_indices("matlab", 12))
    limit = float(np.median(deviation))
    change(patch.parent / "parms.mat", gamma_stdev_reject=limit)
    steady = stage3_select_ps(patch)["select1.mat"]["ix"]
    np.testing.assert_array_equal(steady, base[deviation < limit])


def test_resampling_constant_phase_has_no_deviation() -> None:
    """Whatever is drawn; the indices stay inside."""
    indices = resample_indices("octave", 7)
    assert indices.shape == (100, 7)
    assert set(indices.ravel().tolist()) == set(range(7))
    deviation = resampled_deviation(np.full((3, 7), 0.4), indices)
    assert deviation.max() < 1e-12


def test_a_grid_smaller_than_the_window_loses_every_ps(patch: Path) -> None:
    """Recorded as empty, not an error."""
    grid = mat.read_variable(patch / "pm1.mat", "ph_grid")[:20]
    cells = mat.read_variable(patch / "pm1.mat", "grid_ij")
    cells[:, 0] = np.minimum(cells[:, 0], 20)
    change(patch / "pm1.mat", ph_grid=grid, grid_ij=cells)
    artefacts = stage3_select_ps(patch)
    select1 = artefacts["select1.mat"]
    assert len(select1["ix"])
    assert not select1["keep_ix"].any()
    assert np.isnan(select1["coh_ps2"]).all()
    assert artefacts["no_ps_info.mat"]["stamps_step_no_ps"].ravel().tolist() == [0, 0, 1, 0, 0]


def test_equal_cells_share_the_result_of_one() -> None:
    """Filtering each candidate on its own gives the same bits."""
    random = np.random.default_rng(8)
    grid = random.normal(size=(40, 45, 3)) + 1j * random.normal(size=(40, 45, 3))
    grid = grid.astype(np.complex64)
    cells = random.integers(0, 40, (30, 2))
    cells[10:20] = cells[:10]
    window = WindowFilter(1.0, 0.3, np.full((32, 32), 0.5), 0)
    together = window.values(grid, cells)
    for row in range(30):
        np.testing.assert_array_equal(together[row], window.values(grid, cells[row : row + 1])[0])


def test_oversampling_blanks_neighbours_in_the_first_interferogram_only() -> None:
    """A quirk of the original's indexing."""
    random = np.random.default_rng(9)
    grid = random.normal(size=(36, 36, 2)) + 1j * random.normal(size=(36, 36, 2))
    grid = grid.astype(np.complex64)
    blanked = grid.copy()
    blanked[15:18, 16:19, 0] = 0
    cell = np.array([[16, 17]])
    low_pass = np.full((32, 32), 0.5)
    found = WindowFilter(1.0, 0.3, low_pass, 1).values(grid, cell)
    want = WindowFilter(1.0, 0.3, low_pass, 0).values(blanked, cell)
    np.testing.assert_array_equal(found, want)
    assert found[0, 0] != WindowFilter(1.0, 0.3, low_pass, 0).values(grid, cell)[0, 0]


def test_repeated_abscissae_have_a_basic_solution() -> None:
    """Three distinct values carry a parabola; the redundant coefficient is 0."""
    abscissa = np.array([0.0, 0, 0, 1, 1, 2])
    ordinate = abscissa**2 + 1
    fit = polynomial_fit(abscissa, ordinate, 3)
    np.testing.assert_allclose(np.polyval(fit, abscissa), ordinate, atol=1e-12)
    assert (fit == 0).sum() == 1
    exact = polynomial_fit(np.arange(6.0), np.polyval([2, 0, -1, 3], np.arange(6.0)), 3)
    np.testing.assert_allclose(exact, [2, 0, -1, 3], atol=1e-9)


def test_bins_of_amplitude_dispersion(tmp_path: Path) -> None:
    """Below 10,000 candidates one bin; above, 2,000 in each."""
    small = write_patch(tmp_path / "small")
    assert SelectionTarget.of(Patch.open(small, 1)).edges.tolist() == [0, 1]
    large = write_patch(tmp_path / "large", PatchShape(candidates=11_000))
    target = SelectionTarget.of(Patch.open(large, 1))
    counts = np.histogram(target.dispersion, target.edges)[0]
    assert len(target.edges) == 6
    assert np.abs(counts[:4] - 2000).max() <= 1
    assert counts[4] == pytest.approx(3000, abs=1)
    assert isinstance(target.accepted, np.float32)


def test_wrong_rows_are_named(patch: Path) -> None:
    """A coherence column of another length, and a missing file."""
    change(patch / "pm1.mat", coh_ps=np.zeros((4, 1)))
    with pytest.raises(PystampsError, match=r"pm1\.mat: variable coh_ps has shape \(4, 1\)"):
        stage3_select_ps(patch)
    (patch / "pm1.mat").unlink()
    with pytest.raises(PystampsError, match=r"pm1\.mat: not found \(run stage 2"):
        stage3_select_ps(patch)


def test_an_empty_patch_selects_nothing(tmp_path: Path, estimated: Path) -> None:
    """Arrays of no rows, marked."""
    patch = write_patch(tmp_path / "dataset", PatchShape(candidates=0))
    histogram = estimated.parent.parent / "histogram.mat"
    write_artefacts(patch, stage2_estimate_gamma(patch, reference_histogram=histogram))
    artefacts = stage3_select_ps(patch)
    assert artefacts["select1.mat"]["ix"].shape == (0, 1)
    assert artefacts["select1.mat"]["keep_ix"].dtype == bool
    assert artefacts["no_ps_info.mat"]["stamps_step_no_ps"].ravel().tolist() == [0, 1, 1, 0, 0]
