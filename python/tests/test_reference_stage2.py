"""The Python reference of stage 2 against original StaMPS, and its single rules."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from parity.near_ties import ITERATION_RESULTS, FittedPhase, compare_iteration
from parity.oracle import stage_folder
from parity.readers import read_mat_file
from parity.stages import compare_in_memory, patches_of
from parity.synthetic_patch import PatchShape, change, histogram_file, write_patch

from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat
from pystamps_shim.kernels.topofit import stage2_topofit_coh_row_invariant
from pystamps_shim.pipeline.ported import stage2_estimate_gamma
from pystamps_shim.reference.candidate_phase import FilterSettings, read_candidates
from pystamps_shim.reference.inputs import Patch
from pystamps_shim.reference.random_coherence import RandomHistogram, random_coherence
from pystamps_shim.reference.stage2 import Estimate, estimate_once, next_weights

Array = NDArray[Any]
Processed = Callable[..., Path]


def random_record(oracle: Path, name: str, patch: str) -> Path:
    """Return the original's random coherence or histogram of a patch."""
    return stage_folder(oracle, name.replace("T_snr", "T"), 2) / patch / "oracle_rand.mat"


def estimate_of(state: dict[str, Array]) -> Estimate:
    """Return the original's state as an estimate of ours."""
    columns = [state[name].ravel() for name in ("K_ps", "C_ps", "coh_ps")]
    estimated = state["N_opt"].ravel() == 1
    phases = [state[name] for name in ("ph_res", "ph_patch", "ph_weight", "ph_grid")]
    return Estimate(columns[0], columns[1], columns[2], estimated, *phases)


def results_of(estimate: Estimate) -> dict[str, Array]:
    """Return one iteration's results under the original's names."""
    columns = (estimate.slope_rad_per_m, estimate.offset_rad, estimate.coherence)
    phases = (estimate.patch_phase, estimate.residual_rad, estimate.weighted_phase, estimate.grid)
    values: list[Array] = [*(column.reshape(-1, 1) for column in columns), *phases]
    return dict(zip(ITERATION_RESULTS, values, strict=True))


def read_values(path: Path) -> dict[str, Array]:
    """Read the values of a file with the independent reader."""
    return {name: variable.values for name, variable in read_mat_file(path).items()}


@pytest.mark.shared
@pytest.mark.parametrize("patch", ["PATCH_1", "PATCH_2"])
def test_single_iterations(oracle: Path, processed: Processed, patch: str) -> None:
    """Each of three iterations from the original's state before it, and the weights between."""
    folder = processed("T", 1) / patch
    opened = Patch.open(folder, 1)
    candidates, settings = read_candidates(opened), FilterSettings.of(opened)
    stored = oracle / "T" / "stage2" / patch
    states = [stored / "oracle_iter2_end0.mat", stored / "oracle_iter3_end0.mat"]
    before, weights = Estimate.start(candidates), candidates.first_weights
    random = RandomHistogram.read(stored / "oracle_rand.mat")
    wraps = float(candidates.n_trial_wraps)
    fitted = FittedPhase(candidates.unit_phase, candidates.baselines_m, wraps)
    for want in [*states, stored / "pm1.mat"]:
        found = estimate_once(candidates, settings, before, weights)
        report = compare_iteration(want, results_of(found), fitted)
        sys.stdout.write(f"{patch} {want.name}: {report.notes[0]}\n")  # shown by pytest -rP
        assert report.compared == 7
        assert not report.differences, str(report)
        assert fitted.near_ties(found.patch_phase).mean() <= 0.002
        if want.name == "pm1.mat":
            break
        state = read_values(want)
        before, weights = estimate_of(state), state["weighting"].ravel()
        own, random = next_weights(opened, candidates, before, random)
        np.testing.assert_allclose(own, weights, atol=5e-13)
        np.testing.assert_allclose(random.counts, state["Nr"].ravel(), rtol=1e-12)


@pytest.mark.shared
@pytest.mark.parametrize(
    "name", ["T", "T_snr", "S", *(pytest.param(name, marks=pytest.mark.large) for name in "LD")]
)
def test_whole_run(oracle: Path, processed: Processed, name: str) -> None:
    """All iterations with the original's random histogram."""
    dataset = processed(name, 1)
    for patch in patches_of(dataset):
        histogram = random_record(oracle, name, patch)
        artefacts = stage2_estimate_gamma(dataset / patch, reference_histogram=histogram)
        want = stage_folder(oracle, name, 2) / patch
        report = compare_in_memory(2, want, artefacts, small_baseline=name == "S")
        assert report.compared == 2 * 21
        assert not report.differences, str(report)


@pytest.mark.shared
def test_own_draws_with_the_octave_engine(oracle: Path, processed: Processed) -> None:
    """300,000 rows of random phase, drawn and fitted here."""
    opened = Patch.open(processed("T", 1) / "PATCH_1", 1)
    candidates = read_candidates(opened)
    stored = read_values(random_record(oracle, "T", "PATCH_1"))
    assert float(candidates.n_trial_wraps) == stored["n_trial_wraps"].item()
    wraps = float(candidates.n_trial_wraps)
    found = random_coherence("octave", candidates.bperp_m, wraps)
    want = stored["coh_rand"].ravel()
    assert np.mean(np.abs(found - want) <= 1e-6) >= 0.999
    counts = RandomHistogram.of(want).counts
    assert np.abs(RandomHistogram.of(found).counts - counts).sum() <= 10


def test_small_baselines_share_the_phase_of_images() -> None:
    """Two interferograms of the same images have the same random phase."""
    pairs = np.array([[0, 1], [0, 1], [0, 1]])
    bperp = np.array([50.0, -70.0, -120.0])
    assert random_coherence("octave", bperp, 0.3, pairs, 2).min() > 0.999
    assert random_coherence("octave", bperp, 0.3).min() < 0.5


@pytest.fixture(scope="module")
def histogram(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the histogram for synthetic patches once."""
    folder = tmp_path_factory.mktemp("histogram")
    return histogram_file(folder, write_patch(folder / "dataset", PatchShape(candidates=3)))


def test_coherent_candidates_stand_out(tmp_path: Path, histogram: Path) -> None:
    """Half of the synthetic candidates have little noise."""
    patch = write_patch(tmp_path / "dataset")
    pm1 = stage2_estimate_gamma(patch, reference_histogram=histogram)["pm1.mat"]
    coherence = pm1["coh_ps"].ravel()
    assert coherence[::2].mean() > 0.85
    assert coherence[1::2].mean() < 0.5
    assert pm1["ph_grid"].shape == (47, 47, 12)


def test_zero_phase_leaves_no_estimate_and_voids_the_cell(tmp_path: Path, histogram: Path) -> None:
    """K is NaN, the coherence 0; its cell is NaN in all interferograms from iteration 2."""
    patch = write_patch(tmp_path / "dataset")
    phase = mat.read_variable(patch / "ph1.mat", "ph")
    phase[7, 2] = 0
    change(patch / "ph1.mat", ph=phase)
    pm1 = stage2_estimate_gamma(patch, reference_histogram=histogram)["pm1.mat"]
    assert np.isnan(pm1["K_ps"][7, 0])
    assert pm1["coh_ps"][7, 0] == 0
    assert pm1["N_opt"][7, 0] == 0
    row, column = pm1["grid_ij"][7].astype(int) - 1
    assert np.isnan(pm1["ph_grid"][row, column]).all()
    assert not np.isnan(np.delete(pm1["K_ps"], 7)).any()


def test_nan_phase_counts_as_none(tmp_path: Path, histogram: Path) -> None:
    """The original stops; here the candidate is left out."""
    patch = write_patch(tmp_path / "dataset")
    phase = mat.read_variable(patch / "ph1.mat", "ph")
    phase[9, 0] = np.nan
    change(patch / "ph1.mat", ph=phase)
    pm1 = stage2_estimate_gamma(patch, reference_histogram=histogram)["pm1.mat"]
    assert pm1["coh_ps"][9, 0] == 0
    assert np.isnan(pm1["coh_ps"]).sum() == 0


def test_zero_amplitude_dispersion_is_the_least_one(tmp_path: Path, histogram: Path) -> None:
    """It weighs as much as the steadiest candidate; the grid stays whole."""
    patch = write_patch(tmp_path / "dataset")
    dispersion = mat.read_variable(patch / "da1.mat", "D_A")
    dispersion[11:13, 0] = (0, np.nan)
    change(patch / "da1.mat", D_A=dispersion)
    change(patch.parent / "parms.mat", gamma_max_iterations=1.0)
    pm1 = stage2_estimate_gamma(patch, reference_histogram=histogram)["pm1.mat"]
    assert np.isfinite(pm1["ph_grid"]).all()
    weights = np.abs(pm1["ph_weight"][11:13, 0])
    np.testing.assert_allclose(weights, [1 / np.delete(dispersion, [11, 12]).min(), 1], rtol=1e-6)


@pytest.mark.large
def test_own_draws_of_both_engines_agree_in_distribution(tmp_path: Path) -> None:
    """The default engine is MATLAB's; other numbers, the same chance."""
    patch = write_patch(tmp_path / "dataset")
    change(patch.parent / "parms.mat", gamma_max_iterations=1.0)
    counts = [
        stage2_estimate_gamma(patch)["pm1.mat"]["Nr"],
        stage2_estimate_gamma(patch, random_engine="matlab")["pm1.mat"]["Nr"],
        stage2_estimate_gamma(patch, random_engine="octave")["pm1.mat"]["Nr"],
    ]
    np.testing.assert_array_equal(counts[0], counts[1])
    assert counts[0].sum() == counts[2].sum() == 300_000
    assert 0 < np.abs(counts[0] - counts[2]).sum() < 0.02 * 300_000


def test_an_empty_patch_gives_no_rows(tmp_path: Path, histogram: Path) -> None:
    """Arrays of no rows, marked."""
    patch = write_patch(tmp_path / "dataset", PatchShape(candidates=0))
    artefacts = stage2_estimate_gamma(patch, reference_histogram=histogram)
    assert artefacts["pm1.mat"]["ph_patch"].shape == (0, 12)
    assert artefacts["no_ps_info.mat"]["stamps_step_no_ps"].ravel().tolist() == [0, 1, 0, 0, 0]


def zero_interferogram(patch: Path) -> None:
    """Blank the fourth interferogram."""
    phase = mat.read_variable(patch / "ph1.mat", "ph")
    phase[:, 3] = 0
    change(patch / "ph1.mat", ph=phase)


def shorten_baselines(patch: Path) -> None:
    """Drop the last row of the baselines."""
    change(patch / "bp1.mat", bperp_mat=mat.read_variable(patch / "bp1.mat", "bperp_mat")[:-1])


def forget_wavelength(patch: Path) -> None:
    """Leave out what stage 1 sets."""
    mat.write(patch.parent / "parms.mat", {"small_baseline_flag": "n"})


def odd_window(patch: Path) -> None:
    """Choose a window that cannot be tapered in two halves."""
    change(patch.parent / "parms.mat", clap_win=30.0)


def slow_estimator(patch: Path) -> None:
    """Ask for what the original does not have."""
    change(patch.parent / "parms.mat", quick_est_gamma_flag="n")


def narrow_grid(patch: Path) -> None:
    """Choose cells that make 21 rows."""
    change(patch.parent / "parms.mat", filter_grid_size=109.0)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (zero_interferogram, r"ph1\.mat: ph is zero or NaN everywhere in interferogram 4"),
        (shorten_baselines, r"bp1\.mat: variable bperp_mat has shape \(1499, 12\), expected"),
        (forget_wavelength, r"parms\.mat: lambda is nan, expected a wavelength"),
        (odd_window, r"parms\.mat: clap_win is 30, expected a multiple of 8"),
        (slow_estimator, r"parms\.mat: quick_est_gamma_flag is not 'y'"),
        (narrow_grid, r"ps1\.mat: xy spans 21 cells of filter_grid_size along y, expected"),
        (lambda patch: (patch / "ph1.mat").unlink(), r"ph1\.mat: not found \(run stage 1"),
    ],
)
def test_bad_input_is_named(
    tmp_path: Path, histogram: Path, damage: Callable[[Path], None], message: str
) -> None:
    """File, variable, expected and found."""
    patch = write_patch(tmp_path / "dataset")
    damage(patch)
    with pytest.raises(PystampsError, match=message):
        stage2_estimate_gamma(patch, reference_histogram=histogram)


def test_one_candidate_is_refused(tmp_path: Path, histogram: Path) -> None:
    """It has no neighbourhood; the original fails with an index error."""
    patch = write_patch(tmp_path / "dataset", PatchShape(candidates=1))
    with pytest.raises(PystampsError, match="xy spans 0 cells"):
        stage2_estimate_gamma(patch, reference_histogram=histogram)


def test_a_grid_smaller_than_the_window_is_refused(tmp_path: Path, histogram: Path) -> None:
    """At most 18 cells: the original leaves every coherence 0."""
    patch = write_patch(tmp_path / "dataset", PatchShape(candidates=200, height_m=800))
    with pytest.raises(PystampsError, match="cells of filter_grid_size along y, expected"):
        stage2_estimate_gamma(patch, reference_histogram=histogram)


def test_nothing_to_scale_by_is_refused(tmp_path: Path) -> None:
    """A histogram without low coherence, or of another length."""
    patch = write_patch(tmp_path / "dataset")
    path = tmp_path / "histogram.mat"
    high = np.zeros((1, 100))
    high[0, 60] = 300_000
    mat.write(path, {"Nr": high, "Nr_max_nz_ix": 61.0})
    with pytest.raises(PystampsError, match="no random phase has a coherence up to"):
        stage2_estimate_gamma(patch, reference_histogram=path)
    mat.write(path, {"Nr": high[:, :50], "Nr_max_nz_ix": 50.0})
    with pytest.raises(PystampsError, match="Nr holds 50 counts, expected 100"):
        stage2_estimate_gamma(patch, reference_histogram=path)
    with pytest.raises(PystampsError, match=r"missing\.mat: not found"):
        stage2_estimate_gamma(patch, reference_histogram=tmp_path / "missing.mat")


def test_local_parameters_win(tmp_path: Path) -> None:
    """``localparms.mat`` acts in its own folder."""
    patch = write_patch(tmp_path / "dataset")
    mat.write(patch / "localparms.mat", {"Created": "today", "filter_grid_size": 40.0})
    assert Patch.open(patch, 1).parameters.number("filter_grid_size") == 40
    other = write_patch(tmp_path / "dataset", name="PATCH_2")
    assert Patch.open(other, 1).parameters.number("filter_grid_size") == 50


def test_random_coherence_falls_with_interferograms() -> None:
    """Twenty random phases agree less than five."""
    random = np.random.default_rng(0)
    means = []
    for count in (5, 20):
        phasors = np.exp(2j * np.pi * random.random((2000, count)))
        bperp = np.linspace(-100, 100, count)
        means.append(stage2_topofit_coh_row_invariant(phasors, bperp, 0.2).mean())
    assert means[0] > 1.5 * means[1]
