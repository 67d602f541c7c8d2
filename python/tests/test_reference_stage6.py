"""The Python reference of stage 6 against original StaMPS, and its single rules."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from parity.oracle import UNWRAPPING_VARIANTS, dataset_after, stage_folder
from parity.readers import read_mat_file
from parity.stages import compare_in_memory, compare_stage
from parity.synthetic_merged import Merged, MergedShape, write_merged
from parity.synthetic_patch import change

from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat
from pystamps_shim.pipeline.ported import stage6_unwrap
from pystamps_shim.reference.inputs import Patch
from pystamps_shim.reference.outputs import write_artefacts
from pystamps_shim.reference.phase_gradient import NodeGradients
from pystamps_shim.reference.stage1 import Artefacts
from pystamps_shim.reference.stage6 import UnwrappingProblem, trial_wraps
from pystamps_shim.reference.unwrapping_costs import EdgeCosts, cost_file, input_file
from pystamps_shim.reference.unwrapping_grid import node_cells

Array = NDArray[Any]
Processed = Callable[..., Path]

_GRADIENT = "uw_3D_FULL_scfy_lay"
_SCENES = ["T", "T_it2", "T_opt", "T_opt_iter1", "T_d1", "L", "S", *UNWRAPPING_VARIANTS]


def assert_stage_agrees(want: Path, artefacts: Artefacts, *, small_baseline: bool = False) -> None:
    """Compare with the original's files by the contract."""
    report = compare_in_memory(
        6,
        want,
        artefacts,
        scope="root",
        small_baseline=small_baseline,
        profile="gradient" if want.name == _GRADIENT else None,
    )
    assert report.compared >= 2 * 28
    assert not report.differences, str(report)


def assert_costs_agree(want: Path, problem: UnwrappingProblem, count: int) -> None:
    """Compare what SNAPHU was given, to the byte; its input from the original's filtered phase."""
    folders = sorted((want / "snaphu_keep").iterdir())
    assert len(folders) >= count
    phase = read_mat_file(want / "uw_grid.mat")["ph"].values
    for folder in folders:
        column = int(folder.name) - 1
        assert problem.cost_file(column) == (folder / "snaphu.costinfile").read_bytes(), folder
        given = (folder / "snaphu.in").read_bytes()
        assert input_file(phase, problem.nearest, column) == given, folder
        own = np.frombuffer(problem.input_file(column), np.complex64)
        np.testing.assert_allclose(own, np.frombuffer(given, np.complex64), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["T", "T_it2"])
def test_golden_passes(golden_unwrapping: Path, tmp_path: Path, name: str) -> None:
    """The first pass, and the second with what stage 7 has estimated."""
    dataset = dataset_after(golden_unwrapping, name, 5, tmp_path / "dataset")
    assert (dataset / "scla_smooth2.mat").exists() == (name == "T_it2")
    assert_stage_agrees(stage_folder(golden_unwrapping, name, 6), stage6_unwrap(dataset))


def test_golden_costs(golden_unwrapping: Path, tmp_path: Path) -> None:
    """Three of SNAPHU's problems, to the byte."""
    dataset = dataset_after(golden_unwrapping, "T", 5, tmp_path / "dataset")
    want = stage_folder(golden_unwrapping, "T", 6)
    assert_costs_agree(want, UnwrappingProblem.read(dataset), 3)


def test_written_files_agree(golden_unwrapping: Path, tmp_path: Path) -> None:
    """As files, over those of stage 5, sparse matrix included."""
    dataset = dataset_after(golden_unwrapping, "T", 5, tmp_path / "dataset")
    write_artefacts(dataset, stage6_unwrap(dataset))
    report = compare_stage(6, stage_folder(golden_unwrapping, "T", 6), dataset)
    assert report.compared == 2 * 33
    assert not report.differences, str(report)


@pytest.mark.shared
@pytest.mark.parametrize("name", _SCENES)
def test_scene(oracle: Path, processed: Processed, name: str) -> None:
    """Both passes, other thresholds, drops and ramps, small baselines, every method."""
    dataset = processed(name, 5)
    want = stage_folder(oracle, name, 6)
    assert_stage_agrees(want, stage6_unwrap(dataset), small_baseline=name == "S")
    # Costs with the spatial gradient follow interpolation ties; L's problems were not kept.
    if name not in (_GRADIENT, "L"):
        count = 2 if name in UNWRAPPING_VARIANTS else 15
        assert_costs_agree(want, UnwrappingProblem.read(dataset), count)


@pytest.mark.shared
def test_costs_with_the_original_s_gradients(oracle: Path, processed: Processed) -> None:
    """Where the interpolation has no say, these costs too agree to the byte."""
    want = stage_folder(oracle, _GRADIENT, 6)
    stored = {
        name: found.values for name, found in read_mat_file(want / "uw_space_time.mat").items()
    }
    problem = UnwrappingProblem.read(processed("T", 5))
    row, column = node_cells(problem.grid.occupied)
    gradients = NodeGradients(row, column, stored["ifreq_ij"], stored["jfreq_ij"])
    found = gradients.applied_to(problem.costs.series, problem.edges.ends)
    np.testing.assert_array_equal(found.replaced[:, None], stored["shaky_ix"])
    np.testing.assert_array_equal(found.spread, stored["spread"])
    costs = EdgeCosts.of(problem.edges, found.series, np.zeros(len(row)), found.spread)
    for folder in sorted((want / "snaphu_keep").iterdir()):
        own = cost_file(*costs.of_interferogram(int(folder.name) - 1))
        assert own == (folder / "snaphu.costinfile").read_bytes(), folder


def merged(tmp_path: Path, shape: MergedShape | None = None, **parameters: object) -> Merged:
    """Write a small dataset with changed parameters."""
    made = write_merged(tmp_path / "dataset", shape)
    change(made.folder / "parms.mat", **parameters)
    return made


def wrong_cycles(made: Merged, unwrapped_rad: Array) -> int:
    """Count samples off by half a cycle once each interferogram's median is removed."""
    turn = 2 * np.pi
    error = unwrapped_rad - made.truth_rad
    error -= turn * np.rint(np.median(error, axis=0) / turn)
    return int((np.abs(error) > np.pi).sum())


@pytest.mark.parametrize(
    "method", ["3D", "3D_NEW", "3D_FULL", "3D_QUICK", "3D_SMALL_DEF", "3D_NO_DEF", "2D"]
)
def test_truth_is_reached(tmp_path: Path, method: str) -> None:
    """Three cycles of subsidence; congruent with the phase that went in."""
    made = merged(tmp_path, unwrap_method=method)
    artefacts = stage6_unwrap(made.folder)
    unwrapped = artefacts["phuw2.mat"]["ph_uw"]
    assert wrong_cycles(made, unwrapped) == 0
    assert np.ptp(unwrapped[:, -1]) > 2 * np.pi
    assert (unwrapped[:, 3] == 0).all()
    phasors = np.exp(1j * unwrapped)
    np.testing.assert_allclose(np.delete(phasors - made.wrapped, 3, axis=1), 0, atol=1e-5)
    assert ("G" in artefacts["uw_space_time.mat"]) == (method not in ("2D", "3D_NO_DEF"))


def smooth_terms(made: Merged) -> dict[str, object]:
    """Return slopes, offsets and ramps as stage 7 would write them."""
    random = np.random.default_rng(8)
    count, columns = made.truth_rad.shape
    return {
        "K_ps_uw": random.normal(0, 0.01, (count, 1)),
        "C_ps_uw": random.normal(0, 0.5, (count, 1)).astype(np.float32),
        "ph_ramp": random.normal(0, 0.5, (count, columns)),
    }


@pytest.mark.parametrize(
    "options",
    [
        {"scla": True},
        {"scla": True, "scla_deramp": "y"},
        {"subtr_tropo": "y", "tropo_method": "a_gacos"},
        {"subtr_tropo": "y", "tropo_method": "a_meris+a_erai-h"},
        {"unwrap_patch_phase": "y"},
        {"unwrap_prefilter_flag": "n"},
        {"unwrap_la_error_flag": "n"},
        {"unwrap_spatial_cost_func_flag": "y"},
        {"drop_ifg_index": np.array([[2.0, 7.0]])},
    ],
)
def test_what_is_taken_out_comes_back(tmp_path: Path, options: dict[str, Any]) -> None:
    """Congruent with the phase of stage 5, whatever was subtracted before unwrapping."""
    scla = options.pop("scla", False)
    made = merged(tmp_path, **options)
    if scla:
        mat.write(made.folder / "scla_smooth2.mat", smooth_terms(made))
    if "subtr_tropo" in options:
        correction = np.random.default_rng(9).normal(0, 1, made.truth_rad.shape)
        names = ("gacos", "meris", "era_hydro")
        mat.write(made.folder / "tca2.mat", {f"ph_tropo_{name}": correction for name in names})
    problem = UnwrappingProblem.read(made.folder)
    found = stage6_unwrap(made.folder)
    unwrapped = found["phuw2.mat"]["ph_uw"]
    columns = problem.phase.columns
    dropped = np.setdiff1d(np.arange(9), columns)
    assert dropped.tolist() == ([1, 3, 6] if "drop_ifg_index" in options else [3])
    assert (unwrapped[:, dropped] == 0).all()
    assert (found["phuw2.mat"]["msd"][dropped] == 0).all()
    if options.get("unwrap_patch_phase") == "y":
        want = mat.read_variable(made.folder / "rc2.mat", "ph_rc")
    else:
        want = made.wrapped
    difference = np.exp(1j * unwrapped[:, columns]) - want[:, columns]
    np.testing.assert_allclose(difference, 0, atol=2e-5)
    taken_out = bool(scla or "subtr_tropo" in options or "unwrap_patch_phase" in options)
    same_in = np.allclose(problem.grid.phase_in, made.wrapped[:, columns], atol=1e-4)
    assert same_in is not taken_out


def test_dry_delay_alone_is_no_correction(tmp_path: Path) -> None:
    """Without water vapour of an image its sum is 0, unless the method does not interpolate."""
    made = merged(tmp_path, subtr_tropo="y", tropo_method="a_meris+a_erai-h")
    dry = np.random.default_rng(9).normal(0, 1, made.truth_rad.shape)
    vapour = dry.copy()
    vapour[:, 5] = 0
    fields = {"ph_tropo_meris": vapour, "ph_tropo_era_hydro": dry}
    fields["ph_tropo_meris_no_interp"] = vapour
    mat.write(made.folder / "tca2.mat", fields)
    known = UnwrappingProblem.read(made.folder).phase.known_rad[0]
    want = (vapour + dry).astype(np.float32)
    want[:, 5] = 0
    np.testing.assert_allclose(known, want, atol=1e-6)
    change(made.folder / "parms.mat", tropo_method="a_meris-ni+a_erai-h")
    known = UnwrappingProblem.read(made.folder).phase.known_rad[0]
    np.testing.assert_allclose(known[:, 5], dry[:, 5], atol=1e-6)


def test_small_baselines(tmp_path: Path) -> None:
    """Unwrapped pairs, the series from them, and what that says of the pairs."""
    made = merged(tmp_path, MergedShape(small_baseline=True))
    artefacts = stage6_unwrap(made.folder)
    pairs = artefacts["phuw_sb2.mat"]["ph_uw"]
    assert wrong_cycles(made, pairs) == 0
    series = artefacts["phuw2.mat"]
    assert series["unwrap_ifg_index_sm"].tolist() == [list(range(1, 10))]
    assert (series["ph_uw"][:, 3] == 0).all()
    design = artefacts["uw_space_time.mat"]["G"]
    result = artefacts["phuw_sb_res2.mat"]
    np.testing.assert_allclose(result["ph_res"], series["ph_uw"] @ design.T, atol=2e-5)
    residual = pairs - pairs.mean(axis=0) - result["ph_res"]
    assert 0.01 < residual.std() < 0.2
    assert (result["sm_cov"][3] == 0).all()
    assert (np.delete(np.diag(result["sm_cov"]), 3) > 0).all()
    np.testing.assert_allclose(np.diag(result["sb_cov"]), 0.15**2, rtol=0.2)
    # The least-squares solution, against another way to it: whitened by the covariance.
    images = np.delete(np.arange(9), 3)
    whiten = np.linalg.inv(np.linalg.cholesky(result["sb_cov"]))
    given = (pairs - pairs.astype(float).mean(axis=0)).T
    want = np.linalg.lstsq(whiten @ design[:, images], whiten @ given)[0]
    np.testing.assert_allclose(series["ph_uw"][:, images], want.T, atol=1e-4)


def test_one_reference_ps_is_zero_in_every_interferogram(tmp_path: Path) -> None:
    """The original subtracts its mean over the interferograms instead."""
    made = merged(tmp_path, MergedShape(small_baseline=True))
    lonlat = mat.read_variable(made.folder / "ps2.mat", "lonlat")
    change(made.folder / "parms.mat", ref_centre_lonlat=lonlat[[77]], ref_radius=0.001)
    series = stage6_unwrap(made.folder)["phuw2.mat"]["ph_uw"]
    np.testing.assert_allclose(series[77], 0, atol=1e-5)
    change(made.folder / "parms.mat", ref_centre_lonlat=np.array([[0.0, 0.0]]), ref_radius=1.0)
    with pytest.raises(PystampsError, match=r"the reference area \(ref_\*\) holds no PS"):
        stage6_unwrap(made.folder)


def test_positions_may_be_cells(tmp_path: Path) -> None:
    """A grid of cells given as whole numbers, every one of them with a PS: no edge is lost."""
    made = merged(tmp_path, MergedShape(ps=1600), unwrap_grid_size=0.0, unwrap_method="2D")
    ids = np.arange(1600)
    numbers = np.stack([ids + 1, ids % 40 + 1, ids // 40 + 1], axis=1).astype(np.float32)
    change(made.folder / "ps2.mat", xy=numbers)
    artefacts = stage6_unwrap(made.folder)
    assert artefacts["uw_grid.mat"]["nzix"].all()
    assert artefacts["uw_interp.mat"]["n_edge"].item() == 2 * 40 * 39
    assert (artefacts["uw_interp.mat"]["rowix"] > 0).all()
    np.testing.assert_array_equal(artefacts["uw_grid.mat"]["grid_ij"], numbers[:, [2, 1]])
    change(made.folder / "ps2.mat", xy=numbers - np.float32(0.5))
    with pytest.raises(PystampsError, match=r"xy is \(0\.5, 0\.5\) for PS 1, expected whole"):
        stage6_unwrap(made.folder)


@pytest.mark.parametrize("images", [2, 3])
def test_few_images(tmp_path: Path, images: int) -> None:
    """One or two interferograms; every image may then stand for the master."""
    made = merged(tmp_path, MergedShape(images=images, master=1))
    artefacts = stage6_unwrap(made.folder)
    unwrapped = artefacts["phuw2.mat"]["ph_uw"]
    difference = np.exp(1j * unwrapped) - made.wrapped
    np.testing.assert_allclose(np.delete(difference, 1, axis=1), 0, atol=1e-5)
    noise = artefacts["uw_space_time.mat"]["dph_noise"]
    assert noise.shape[1] == images - 1
    assert np.isfinite(noise).any()


def test_missing_baselines_are_the_images_own(tmp_path: Path) -> None:
    """Without ``bp2.mat`` every PS has the mean one; without ``K_ps`` no slope is added."""
    made = merged(tmp_path)
    phase = mat.read_variable(made.folder / "rc2.mat", "ph_rc")
    slope = mat.read_variable(made.folder / "pm2.mat", "K_ps")
    bperp = mat.read_variable(made.folder / "ps2.mat", "bperp").ravel()
    (made.folder / "bp2.mat").unlink()
    found = UnwrappingProblem.read(made.folder).grid.phase_in
    want = np.delete(phase * np.exp(1j * slope * bperp), 3, axis=1)
    np.testing.assert_allclose(found, want, atol=1e-5)
    change(made.folder / "pm2.mat", K_ps=np.zeros((0, 0)))
    found = UnwrappingProblem.read(made.folder).grid.phase_in
    np.testing.assert_allclose(found, np.delete(phase, 3, axis=1), atol=1e-5)


def cancelling(made: Merged, interferogram: int) -> Array:
    """Turn the phase of one of two PS alone in a cell, and return both."""
    change(made.folder / "pm2.mat", K_ps=np.zeros((1200, 1)))
    node = UnwrappingProblem.read(made.folder).grid.node_of_ps()
    pair = np.flatnonzero(node == np.flatnonzero(np.bincount(node) == 2)[5])
    phase = mat.read_variable(made.folder / "rc2.mat", "ph_rc")
    phase[pair[1], interferogram] = -phase[pair[0], interferogram]
    change(made.folder / "rc2.mat", ph_rc=phase)
    return pair


def test_ps_that_cancel_have_no_node(tmp_path: Path) -> None:
    """In the first interferogram, whose cells are the nodes: their phase is no number."""
    made = merged(tmp_path)
    before = stage6_unwrap(made.folder)
    pair = cancelling(made, 0)
    after = stage6_unwrap(made.folder)
    counts = [found["uw_grid.mat"]["n_ps"].item() for found in (before, after)]
    assert counts[0] - counts[1] == 1
    lost = np.isnan(after["phuw2.mat"]["ph_uw"])
    assert np.flatnonzero(lost.any(axis=1)).tolist() == pair.tolist()
    assert (np.delete(lost[pair], 3, axis=1)).all()


def test_ps_that_cancel_later_say_nothing(tmp_path: Path) -> None:
    """The node is there, but its edges have no statistics; all PS are unwrapped."""
    made = merged(tmp_path)
    pair = cancelling(made, 5)
    problem = UnwrappingProblem.read(made.folder)
    node = problem.grid.node_of_ps()[pair[0]]
    assert problem.grid.phase[node, 4] == 0
    touching = (problem.edges.ends == node).any(axis=1)
    assert not problem.costs.known[touching].any()
    assert np.isfinite(stage6_unwrap(made.folder)["phuw2.mat"]["ph_uw"]).all()


def test_incidence_for_want_of_better(tmp_path: Path) -> None:
    """The mean look angle and 0.052 rad, or 21 degrees: they bound the look-angle error."""
    made = merged(tmp_path)
    ps = mat.read(made.folder / "ps2.mat")
    del ps["mean_incidence"]
    mat.write(made.folder / "ps2.mat", ps)
    wraps = []
    for look_rad in (None, 0.6):
        if look_rad is not None:
            mat.write(made.folder / "la2.mat", {"la": np.full((1200, 1), look_rad)})
        wraps.append(trial_wraps(Patch.open(made.folder, 2)))
    assert wraps[0] * np.sin(21 * np.pi / 180) == pytest.approx(wraps[1] * np.sin(0.652))


def zero_sample(dataset: Path) -> None:
    """Take the phase of one sample away."""
    phase = mat.read_variable(dataset / "rc2.mat", "ph_rc")
    phase[6, 2] = 0
    change(dataset / "rc2.mat", ph_rc=phase)


def nan_samples(dataset: Path) -> None:
    """Make two samples no numbers."""
    phase = mat.read_variable(dataset / "rc2.mat", "ph_rc")
    phase[[7, 9], 4] = np.nan
    change(dataset / "rc2.mat", ph_rc=phase)


def other_ps(dataset: Path) -> None:
    """Leave an estimate of other PS."""
    mat.write(dataset / "scla_smooth2.mat", {"K_ps_uw": np.zeros((7, 1))})


def no_correction(dataset: Path) -> None:
    """Ask for a correction that was not computed."""
    change(dataset / "parms.mat", subtr_tropo="y", tropo_method="a_era5")
    mat.write(dataset / "tca2.mat", {"ph_tropo_gacos": np.zeros((1200, 9))})


def no_phase_in_correction(dataset: Path) -> None:
    """Ask for a map of slopes, which is no phase."""
    change(dataset / "parms.mat", subtr_tropo="y", tropo_method="a_powerlaw-k")
    mat.write(dataset / "tca2.mat", {"K_tropo_powerlaw": np.zeros((1200, 9))})


def nan_correction(dataset: Path) -> None:
    """Give a correction with a gap."""
    change(dataset / "parms.mat", subtr_tropo="y", tropo_method="a_l")
    correction = np.zeros((1200, 9))
    correction[4, 4] = np.nan
    mat.write(dataset / "tca2.mat", {"ph_tropo_linear": correction})


def short_correction(dataset: Path) -> None:
    """Give the correction of fewer PS."""
    change(dataset / "parms.mat", subtr_tropo="y", tropo_method="a_l")
    mat.write(dataset / "tca2.mat", {"ph_tropo_linear": np.zeros((7, 9))})


def without(name: str) -> Callable[[Path], None]:
    """Remove a file."""
    return lambda dataset: (dataset / name).unlink()


def parameter(**values: object) -> Callable[[Path], None]:
    """Set parameters."""
    return lambda dataset: change(dataset / "parms.mat", **values)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (zero_sample, r"rc2\.mat: 1 samples have no phase .* PS 7 in interferogram 3"),
        (nan_samples, r"rc2\.mat: 2 samples have no phase .* PS 8 in interferogram 5"),
        (other_ps, r"scla_smooth2\.mat: variable K_ps_uw has shape \(7, 1\), expected \(1200, 1\)"),
        (no_correction, r"tca2\.mat: variable ph_tropo_era5 not found, .* ph_tropo_gacos"),
        (no_phase_in_correction, "tropo_method is 'a_powerlaw-k', expected a_linear, "),
        (short_correction, r"tca2\.mat: variable ph_tropo_linear has shape \(7, 9\)"),
        (nan_correction, "1 samples of what is subtracted before unwrapping"),
        (without("rc2.mat"), r"rc2\.mat: not found \(run stage 5"),
        (parameter(unwrap_method="4D"), "unwrap_method is '4D', expected one of 3D, 3D_NEW, 2D"),
        (parameter(unwrap_grid_size=100.0), "has 2[345] x 2[345] cells of 100 m, fewer than the"),
        (parameter(unwrap_grid_size=5000.0), "has 0 x 0 cells of 5000 m, fewer than the 32"),
        (parameter(unwrap_grid_size=-1.0), "unwrap_grid_size is -1, expected metres"),
        (parameter(unwrap_gold_n_win=31.0), "unwrap_gold_n_win is 31, expected an even number"),
        (parameter(unwrap_time_win=0.0), "unwrap_time_win is 0, expected a number above 0"),
        (parameter(max_topo_err=-1.0), "max_topo_err -1, expected metres"),
        (
            parameter(drop_ifg_index=np.arange(1.0, 10).reshape(1, -1)),
            "drop_ifg_index drops every interferogram",
        ),
    ],
)
def test_bad_input_is_named(tmp_path: Path, damage: Callable[[Path], None], message: str) -> None:
    """File, variable or parameter, expected and found."""
    made = merged(tmp_path)
    damage(made.folder)
    with pytest.raises(PystampsError, match=message):
        stage6_unwrap(made.folder)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"unwrap_method": "3D"}, "'3D', which with several masters .* 3D_QUICK"),
        ({"unwrap_hold_good_values": "y"}, "unwrap_hold_good_values is 'y', which is not"),
        ({"drop_ifg_index": np.array([[1.0, 2.0]])}, "1 isolated subsets of images"),
        ({"drop_ifg_index": np.array([[3.0, 4.0, 5.0, 6.0, 7.0, 8.0]])}, "contains the master"),
    ],
)
def test_bad_networks_are_named(
    tmp_path: Path, parameters: dict[str, object], message: str
) -> None:
    """Small baselines that the series cannot be had from."""
    made = merged(tmp_path, MergedShape(small_baseline=True), **parameters)
    if "isolated" in message:
        # Images 1 and 2 are joined to each other, but to no other image.
        pairs = mat.read_variable(made.folder / "ps2.mat", "ifgday_ix")
        pairs[2:][(pairs[2:] <= 2).any(axis=1)] = [3, 4]
        pairs[2] = [1, 2]
        change(made.folder / "ps2.mat", ifgday_ix=pairs)
    with pytest.raises(PystampsError, match=message):
        stage6_unwrap(made.folder)


def test_stage_7_and_6_again(golden_unwrapping: Path, tmp_path: Path) -> None:
    """A second pass is no repetition of the first: the look-angle error is taken out before."""
    first = dataset_after(golden_unwrapping, "T", 5, tmp_path / "first")
    second = tmp_path / "second"
    shutil.copytree(first, second)
    smooth = golden_unwrapping / "T" / "stage7" / "scla_smooth2.mat"
    shutil.copyfile(smooth, second / "scla_smooth2.mat")
    noisy = [
        int(np.isnan(UnwrappingProblem.read(folder).costs.series.difference_rad[:, 0]).sum())
        for folder in (first, second)
    ]
    assert noisy == [66, 37]
