"""The Python reference of stage 7 against original StaMPS, and its single rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from numpy.typing import NDArray
from parity.golden import FOLDER
from parity.oracle import dataset_after, stage_folder
from parity.readers import read_mat_file
from parity.stages import compare_in_memory, compare_stage
from parity.synthetic_merged import MergedShape
from parity.synthetic_patch import change
from parity.synthetic_unwrapped import Unwrapped, write_unwrapped

from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat
from pystamps_shim.kernels.least_squares import (
    NotPositiveDefiniteError,
    basic_solver,
    independent_columns,
)
from pystamps_shim.pipeline.ported import stage7_calc_scla
from pystamps_shim.reference.neighbour_clamp import clamp_to_neighbours
from pystamps_shim.reference.outputs import write_artefacts
from pystamps_shim.reference.ramps import RampDegree, deramp
from pystamps_shim.reference.stage1 import Artefacts
from pystamps_shim.reference.triangulation import triangulation_edges

Array = NDArray[Any]
Processed = Callable[..., Path]

_SCENES = ["T", "T_it2", "T_opt", "T_opt_iter1", "T_d1", "L", "S"]


def assert_stage_agrees(want: Path, artefacts: Artefacts, *, small_baseline: bool = False) -> None:
    """Compare with the original's files by the contract, and the clamp alone to the bit."""
    report = compare_in_memory(7, want, artefacts, scope="root", small_baseline=small_baseline)
    assert report.compared >= 18
    assert not report.differences, str(report)


def assert_clamp_agrees(want: Path, xy_m: Array, plain: str, smooth: str) -> None:
    """Clamp what the original clamped; our own triangulation, and the original's values."""
    given, found = (read_mat_file(want / name) for name in (plain, smooth))
    edges = triangulation_edges(xy_m)
    for name, tolerance in (("K_ps_uw", 1e-8), ("C_ps_uw", 0)):
        clamped = clamp_to_neighbours(given[name].values.ravel(), edges)
        np.testing.assert_allclose(clamped, found[name].values.ravel(), rtol=0, atol=tolerance)
        moved = clamped != given[name].values.ravel()
        assert name == "C_ps_uw" or 0.1 < moved.mean() < 0.4


def test_golden(golden_products: Path, tmp_path: Path) -> None:
    """From the original's stage 6, also as files."""
    dataset = dataset_after(golden_products, "T", 6, tmp_path / "dataset")
    artefacts = stage7_calc_scla(dataset)
    want = stage_folder(golden_products, "T", 7)
    assert_stage_agrees(want, artefacts)
    write_artefacts(dataset, artefacts)
    assert not compare_stage(7, want, dataset).differences
    xy_m = mat.read_variable(dataset / "ps2.mat", "xy")[:, 1:]
    assert_clamp_agrees(want, xy_m, "scla2.mat", "scla_smooth2.mat")


@pytest.mark.shared
@pytest.mark.parametrize("name", _SCENES)
def test_scene(oracle: Path, processed: Processed, name: str) -> None:
    """Both passes, other thresholds, drops and ramps, small baselines."""
    dataset = processed(name, 6)
    want = stage_folder(oracle, name, 7)
    assert_stage_agrees(want, stage7_calc_scla(dataset), small_baseline=name == "S")
    xy_m = mat.read_variable(dataset / "ps2.mat", "xy")[:, 1:]
    pairs = "_sb" if name == "S" else ""
    assert_clamp_agrees(want, xy_m, f"scla{pairs}2.mat", f"scla_smooth{pairs}2.mat")


def test_least_squares_of_matlab() -> None:
    """Unweighted, with weights, and with a covariance."""
    stored = scipy.io.loadmat(FOLDER / "kernels" / "k_lscov.mat")
    design, data = stored["A"], stored["B"]
    weights = np.diag(1 / stored["w"].ravel())
    for covariance, name in ((None, "x_0"), (weights, "x_w"), (stored["C"], "x_c")):
        found = basic_solver(design, covariance) @ data
        np.testing.assert_allclose(found, stored[name], rtol=1e-10, atol=1e-12)


def test_dependent_columns_are_left_out() -> None:
    """The shorter of two that say the same goes; its unknown is 0."""
    random = np.random.default_rng(1)
    bperp = random.normal(0, 100, 16)
    design = np.stack([np.ones(16), bperp, np.full(16, 24.0)], axis=1)
    assert independent_columns(design).tolist() == [1, 2]
    values = 0.3 + 0.01 * bperp
    found = basic_solver(design) @ values
    np.testing.assert_allclose(found, [0, 0.01, 0.3 / 24], atol=1e-14)
    nearly = design + np.array([0, 0, 1e-9]) * random.normal(size=(16, 3))
    assert independent_columns(nearly).tolist() == [0, 1, 2]
    for spoilt in (np.zeros((16, 16)), np.full((16, 16), np.nan), -np.eye(16)):
        with pytest.raises(NotPositiveDefiniteError):
            basic_solver(design, spoilt)


@pytest.mark.shared
def test_ramps_of_every_degree(oracle: Path) -> None:
    """With gaps, against the original's own."""
    stored = scipy.io.loadmat(oracle / "kernels" / "k_deramp.mat")
    for degree in RampDegree:
        flat, ramp = deramp(stored["ph_all"], stored["xy_in"][:, 1:], degree)
        name = f"{degree.value:g}".replace(".", "_")
        assert flat.dtype == np.float32
        np.testing.assert_allclose(ramp, stored[f"ph_ramp_{name}"], atol=1e-4)
        np.testing.assert_allclose(flat, stored[f"ph_out_{name}"], atol=1e-4)


def test_ramps_of_few_ps() -> None:
    """No ramp from five values; PS on a line leave terms at 0."""
    xy_m = np.random.default_rng(2).random((8, 2)).astype(np.float32) * 1000
    phase = np.random.default_rng(3).normal(size=(8, 2)).astype(np.float32)
    phase[:3, 1] = np.nan
    flat, ramp = deramp(phase, xy_m, RampDegree.PLANE)
    assert np.isfinite(ramp[:, 0]).all()
    assert np.isnan(ramp[:, 1]).all()
    np.testing.assert_array_equal(flat[:, 1], phase[:, 1])
    xy_m[:, 1] = xy_m[:, 0]
    flat, ramp = deramp(phase[:, :1], xy_m, RampDegree.PLANE)
    want = np.polyval(np.polyfit(xy_m[:, 0].astype(float), phase[:, 0], 1), xy_m[:, 0])
    np.testing.assert_allclose(ramp[:, 0], want, atol=1e-5)


def test_clamp_by_hand() -> None:
    """A chain of four, a PS apart, and one without a value: from the values as they were."""
    edges = np.array([[0, 1], [2, 1], [2, 3], [3, 5]])
    values = np.array([9.0, 1.0, 2.0, 3.0, 7.0, np.nan])
    assert clamp_to_neighbours(values, edges)[:5].tolist() == [1.0, 2.0, 2.0, 2.0, 7.0]
    assert np.isnan(clamp_to_neighbours(values, edges)[5])
    third = np.array([0.0, 1 / 3])
    assert clamp_to_neighbours(third, np.array([[0, 1]]))[0] == np.float32(1 / 3)


def estimate(made: Unwrapped, **parameters: object) -> dict[str, Any]:
    """Run stage 7 with changed parameters and return ``scla2.mat``."""
    change(made.folder / "parms.mat", **parameters)
    return stage7_calc_scla(made.folder)["scla2.mat"]


def relative(values: Array) -> Array:
    """Return values less their mean."""
    return np.asarray(values - values.mean())


@pytest.mark.parametrize("small_baseline", [False, True])
def test_truth_is_found(tmp_path: Path, *, small_baseline: bool) -> None:
    """Slope and master phase relative to the mean; a velocity of any size is none of theirs."""
    shape = MergedShape(ps=400, extent_m=2000.0, images=11, small_baseline=small_baseline)
    made = write_unwrapped(tmp_path / "dataset", shape, noise_rad=0.01)
    artefacts = stage7_calc_scla(made.folder)
    for name in ("scla2.mat", "scla_sb2.mat")[: 1 + small_baseline]:
        scla = artefacts[name]
        error = relative(scla["K_ps_uw"].ravel()) - relative(made.slope_rad_per_m)
        # Each PS's own baselines differ from the mean ones, and the master enters beside itself.
        assert np.abs(error).max() < 2e-3
        assert np.corrcoef(scla["K_ps_uw"].ravel(), made.slope_rad_per_m)[0, 1] > 0.998
    if not small_baseline:
        error = relative(artefacts["scla2.mat"]["C_ps_uw"].ravel()) - relative(made.master_rad)
        assert np.abs(error).max() < 0.15
    assert "scla_smooth_sb2.mat" in artefacts if small_baseline else "scla_smooth2.mat" in artefacts


@pytest.mark.parametrize("regular", [False, True])
def test_velocity_leaves_the_slope(tmp_path: Path, *, regular: bool) -> None:
    """Also where a constant repeat interval makes the design dependent."""
    made = write_unwrapped(tmp_path / "dataset")
    if regular:
        day = 738000.0 + 12.0 * np.arange(11)
        change(made.folder / "ps2.mat", day=day.reshape(-1, 1), master_day=day[3])
    ps = mat.read(made.folder / "ps2.mat")
    before = estimate(made)
    since = ps["day"].ravel() - float(ps["master_day"].item())
    phase = mat.read_variable(made.folder / "phuw2.mat", "ph_uw")
    rate = np.random.default_rng(4).normal(0, 0.01, (400, 1))
    change(made.folder / "phuw2.mat", ph_uw=(phase + rate * since).astype(np.float32))
    after = estimate(made)
    np.testing.assert_allclose(after["K_ps_uw"], before["K_ps_uw"], atol=1e-6)
    np.testing.assert_allclose(after["C_ps_uw"], before["C_ps_uw"], atol=2e-5)


def test_dropped_columns_do_not_count(tmp_path: Path) -> None:
    """Neither by drop_ifg_index nor by scla_drop_index; the slope is told for them all the same."""
    made = write_unwrapped(tmp_path / "dataset")
    phase = mat.read_variable(made.folder / "phuw2.mat", "ph_uw")
    phase[:, 6] += np.random.default_rng(5).normal(0, 3, 400).astype(np.float32)
    change(made.folder / "phuw2.mat", ph_uw=phase)
    spoilt = estimate(made)
    found = [estimate(made, scla_drop_index=7.0)]
    found.append(estimate(made, scla_drop_index=np.zeros((0, 0)), drop_ifg_index=7.0))
    np.testing.assert_array_equal(found[0]["K_ps_uw"], found[1]["K_ps_uw"])
    np.testing.assert_array_equal(found[0]["C_ps_uw"], found[1]["C_ps_uw"])
    truth = relative(made.slope_rad_per_m)
    errors = [np.std(relative(scla["K_ps_uw"].ravel()) - truth) for scla in (spoilt, found[0])]
    assert errors[1] < errors[0] / 4
    assert np.abs(found[0]["ph_scla"][:, 6]).max() > 0.1


def test_absolute_residuals_bear_an_outlier(tmp_path: Path) -> None:
    """One wrong cycle moves the least sum of squares, and only slopes change with the method."""
    shape = MergedShape(ps=60, extent_m=2000.0, images=16)
    made = write_unwrapped(tmp_path / "dataset", shape, noise_rad=0.02)
    phase = mat.read_variable(made.folder / "phuw2.mat", "ph_uw")
    phase[::2, 15] += np.float32(2 * np.pi)
    change(made.folder / "phuw2.mat", ph_uw=phase)
    squares, absolute = (estimate(made, scla_method=method) for method in ("L2", "L1"))
    truth = made.slope_rad_per_m
    errors = [
        np.abs((scla["K_ps_uw"].ravel() - truth)[::2] - (scla["K_ps_uw"].ravel() - truth)[1::2])
        for scla in (squares, absolute)
    ]
    assert np.median(errors[1]) < np.median(errors[0]) / 3


@pytest.mark.parametrize("small_baseline", [False, True])
@pytest.mark.parametrize("legacy", [False, True])
def test_atmosphere_of_others_is_taken_out(
    tmp_path: Path, *, small_baseline: bool, legacy: bool
) -> None:
    """A correction added to the phase and subtracted again leaves the same result."""
    shape = MergedShape(ps=400, extent_m=2000.0, images=11, small_baseline=small_baseline)
    made = write_unwrapped(tmp_path / "dataset", shape)
    before = stage7_calc_scla(made.folder)
    images = np.random.default_rng(6).normal(0, 2, (400, 11)).astype(np.float32)
    images[:, 3] = 0
    pairs = mat.read_variable(made.folder / "ps2.mat", "ifgday_ix") if small_baseline else None
    if pairs is not None:
        first, second = pairs.astype(int).T - 1
        added = {"phuw": images, "phuw_sb": images[:, second] - images[:, first]}
    else:
        added = {"phuw": images}
    for name, values in added.items():
        phase = mat.read_variable(made.folder / f"{name}2.mat", "ph_uw")
        change(made.folder / f"{name}2.mat", ph_uw=(phase + values).astype(np.float32))
        if legacy:
            file = name.replace("phuw", "aps")
            mat.write(made.folder / f"{file}2.mat", {"ph_aps_slave": values})
    if not legacy:
        file, field = ("tca_sb2.mat", "phuw_sb") if small_baseline else ("tca2.mat", "phuw")
        mat.write(made.folder / file, {"ph_tropo_gacos": added[field]})
        change(made.folder / "parms.mat", subtr_tropo="y", tropo_method="a_gacos")
    after = stage7_calc_scla(made.folder)
    for file, variables in before.items():
        np.testing.assert_allclose(after[file]["K_ps_uw"], variables["K_ps_uw"], atol=1e-6)
        np.testing.assert_allclose(after[file]["C_ps_uw"], variables["C_ps_uw"], atol=2e-5)


def test_ramps_on_request(tmp_path: Path) -> None:
    """Of the degree in deramp_degree.mat; the master's and dropped columns have one too."""
    made = write_unwrapped(tmp_path / "dataset")
    assert estimate(made)["ph_ramp"].shape == (0, 0)
    plane = estimate(made, scla_deramp="y", drop_ifg_index=2.0)["ph_ramp"]
    mat.write(made.folder / "deramp_degree.mat", {"degree": 3.0})
    cubic = estimate(made)["ph_ramp"]
    phase = mat.read_variable(made.folder / "phuw2.mat", "ph_uw")
    kept = np.delete(np.arange(11), 3)
    spread = [np.std((phase - ramp)[:, kept]) for ramp in (0, plane, cubic)]
    assert spread[0] > spread[1] > spread[2]
    assert (plane[:, 3] == 0).all()
    assert (plane[:, 1] != 0).any()


def test_three_images_have_no_velocity(tmp_path: Path) -> None:
    """Two differences, and as many unknowns without it."""
    shape = MergedShape(ps=100, images=3, master=1)
    made = write_unwrapped(tmp_path / "dataset", shape, noise_rad=0)
    scla = estimate(made)
    steps = np.diff(mat.read_variable(made.folder / "phuw2.mat", "ph_uw"), axis=1)
    bperp = mat.read_variable(made.folder / "bp2.mat", "bperp_mat")
    means = np.diff(np.insert(bperp, 1, 0, axis=1), axis=1).astype(float).mean(axis=0)
    want = (steps[:, 1] - steps[:, 0]).astype(float) / (means[1] - means[0])
    np.testing.assert_allclose(relative(scla["K_ps_uw"].ravel()), relative(want), atol=1e-7)


def test_missing_values_stay_with_their_ps(tmp_path: Path) -> None:
    """A gap in one PS makes its own results no numbers."""
    made = write_unwrapped(tmp_path / "dataset")
    phase = mat.read_variable(made.folder / "phuw2.mat", "ph_uw")
    phase[17, 4] = np.nan
    change(made.folder / "phuw2.mat", ph_uw=phase)
    artefacts = stage7_calc_scla(made.folder)
    for variables in artefacts.values():
        lost = np.isnan(variables["K_ps_uw"].ravel())
        assert np.flatnonzero(lost).tolist() == [17]


def other_ps(dataset: Path) -> None:
    """Leave the phase of fewer PS."""
    phase = mat.read_variable(dataset / "phuw2.mat", "ph_uw")
    change(dataset / "phuw2.mat", ph_uw=phase[:-3])


def parameter(**values: object) -> Callable[[Path], None]:
    """Set parameters."""
    return lambda dataset: change(dataset / "parms.mat", **values)


def stored(file: str, **values: object) -> Callable[[Path], None]:
    """Write a file."""
    return lambda dataset: mat.write(dataset / file, values)


def without(name: str) -> Callable[[Path], None]:
    """Remove a file."""
    return lambda dataset: (dataset / name).unlink()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (other_ps, r"phuw2\.mat: .* \(397, 11\), but ps2\.mat has 400 PS, .* \(run stage 6"),
        (without("phuw2.mat"), r"phuw2\.mat: not found \(run stage 6"),
        (parameter(scla_method="L3"), "scla_method is 'L3', expected L1 or L2"),
        (parameter(scla_drop_index=12.0), "scla_drop_index holds 12, expected whole numbers from"),
        (
            parameter(drop_ifg_index=np.arange(1.0, 10).reshape(1, -1)),
            "fewer than two observations",
        ),
        (parameter(subtr_tropo="y"), r"tca2\.mat: not found"),
        (parameter(ref_lon=np.array([[1.0, 2.0]])), r"the reference area \(ref_\*\) holds no PS"),
        (stored("ifgstd2.mat", ifg_std=np.zeros((11, 1))), r"ifgstd2\.mat: noise of 0"),
        (stored("ifgstd2.mat", ifg_std=np.full((11, 1), np.nan)), r"ifgstd2\.mat: .* no number"),
        (stored("ifgstd2.mat", ifg_std=np.ones((9, 1))), r"ifg_std has shape \(9,\)"),
        (stored("aps2.mat", ph_aps_slave=np.ones((9, 1))), r"aps2\.mat: .* has 400 PS"),
        (stored("deramp_degree.mat", degree=4.0), "degree is 4, expected one of 1, 1.5, 2, 3"),
    ],
)
def test_bad_input_is_named(tmp_path: Path, damage: Callable[[Path], None], message: str) -> None:
    """File, variable or parameter, expected and found."""
    made = write_unwrapped(tmp_path / "dataset")
    change(made.folder / "parms.mat", scla_deramp="y")
    damage(made.folder)
    with pytest.raises(PystampsError, match=message):
        stage7_calc_scla(made.folder)


def test_a_sum_of_corrections_is_not_inverted(tmp_path: Path) -> None:
    """Of small baselines, where each image's correction is needed."""
    shape = MergedShape(ps=100, images=6, small_baseline=True)
    made = write_unwrapped(tmp_path / "dataset", shape)
    count = len(mat.read_variable(made.folder / "ps2.mat", "ifgday"))
    fields = {f"ph_tropo_{name}": np.ones((100, count)) for name in ("meris", "era_hydro")}
    mat.write(made.folder / "tca_sb2.mat", fields)
    change(made.folder / "parms.mat", subtr_tropo="y", tropo_method="a_meris+a_erai-h")
    with pytest.raises(PystampsError, match="a sum, which cannot be inverted to images"):
        stage7_calc_scla(made.folder)
