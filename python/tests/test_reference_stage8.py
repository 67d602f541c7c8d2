"""The Python reference of stage 8 against original StaMPS, and its single rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from parity.oracle import dataset_after, stage_folder
from parity.oracle_products import stored_velocity
from parity.readers import read_mat_file
from parity.stages import compare_in_memory, in_memory
from parity.synthetic_merged import MergedShape
from parity.synthetic_patch import change
from parity.synthetic_unwrapped import write_unwrapped

from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat
from pystamps_shim.kernels.numpy_backend import stage8_edge_noise
from pystamps_shim.pipeline.ported import stage7_calc_scla, stage8_filter_scn
from pystamps_shim.reference.mean_velocity import millimetres_per_year
from pystamps_shim.reference.outputs import write_artefacts
from pystamps_shim.reference.spatial_noise import (
    spatial_low_pass,
    temporal_high_pass,
    temporal_weights,
)
from pystamps_shim.reference.stage1 import Artefacts
from pystamps_shim.reference.stage6 import UnwrappingProblem, trial_wraps
from pystamps_shim.verification.comparators import compare_variable
from pystamps_shim.verification.contracts import load_contract

Array = NDArray[Any]
Processed = Callable[..., Path]

#: Scenes, and whether they need the original's index of the master.
_SCENES = [(name, name.startswith("T_opt")) for name in ("T", "T_it2", "T_opt_iter1", "T_opt")]
_SCENES += [("T_d1", False), ("L", False), ("S", False)]
#: The second pass that a first one's edges are compared with.
_SECOND_PASS = {"T": "T_it2", "T_opt_iter1": "T_opt"}
_WAVELENGTH_M = 0.0554657595


def assert_atmosphere_agrees(want: Path, artefacts: Artefacts, *, small: bool = False) -> None:
    """Compare ``scn2.mat`` by the contract."""
    report = compare_in_memory(
        8, want, artefacts, scope="root", small_baseline=small, files=["scn2.mat"]
    )
    assert report.compared >= 6
    assert not report.differences, str(report)


def assert_edges_agree(second_pass: Path, artefacts: Artefacts) -> None:
    """Compare with the edges of the original's second stage 6, every variable of its own."""
    want = read_mat_file(second_pass / "uw_space_time.mat")
    found = artefacts["uw_space_time.mat"]
    contract = next(a for a in load_contract(8) if a.file == "uw_space_time.mat")
    for variable in contract.variables:
        if variable.name != "edge_noise_std":
            candidate = in_memory(found[variable.name])
            assert compare_variable(variable, want[variable.name], candidate) is None, variable.name
    spread = np.std(want["dph_noise"].values, axis=1, ddof=1, keepdims=True)
    np.testing.assert_allclose(found["edge_noise_std"], spread, atol=2e-5)


def assert_velocity_agrees(want: Path, artefacts: Artefacts) -> None:
    """Compare with ``mean_v.mat`` of the original's ``v-do``: rad, and mm/yr."""
    stored, found = read_mat_file(want)["m"], artefacts["mean_v.mat"]["m"]
    assert in_memory(found).matlab_class == stored.matlab_class
    np.testing.assert_allclose(found[0], stored.values[0], atol=5e-5)
    rates = [
        millimetres_per_year(line[1].astype(float), _WAVELENGTH_M)
        for line in (found, stored.values)
    ]
    np.testing.assert_allclose(rates[0], rates[1], atol=5e-4)
    assert np.ptp(rates[0]) > 10
    assert artefacts["mean_v.mat"]["value_type"] == "v-do"


def test_golden(golden_products: Path, tmp_path: Path) -> None:
    """Atmosphere, velocity, and the edges of a second pass of stage 6."""
    dataset = dataset_after(golden_products, "T", 7, tmp_path / "dataset")
    artefacts = stage8_filter_scn(dataset)
    assert_atmosphere_agrees(stage_folder(golden_products, "T", 8), artefacts)
    assert_edges_agree(stage_folder(golden_products, "T_it2", 6), artefacts)
    assert_velocity_agrees(stored_velocity(golden_products, "T"), artefacts)
    write_artefacts(dataset, artefacts)
    assert mat.read(dataset / "mean_v.mat")["value_type"] == "v-do"


@pytest.mark.shared
@pytest.mark.parametrize(("name", "strict"), _SCENES)
def test_scene(oracle: Path, processed: Processed, name: str, *, strict: bool) -> None:
    """Both passes, other thresholds, drops and ramps, small baselines."""
    artefacts = stage8_filter_scn(processed(name, 7), strict=strict)
    assert_atmosphere_agrees(stage_folder(oracle, name, 8), artefacts, small=name == "S")
    if name in _SECOND_PASS:
        assert_edges_agree(stage_folder(oracle, _SECOND_PASS[name], 6), artefacts)
    if name in ("L", "S"):
        assert_velocity_agrees(stored_velocity(oracle, name), artefacts)


@pytest.mark.shared
def test_index_of_the_master(oracle: Path, processed: Processed) -> None:
    """An interferogram before the master is dropped: the original takes the next one's weight."""
    found = stage8_filter_scn(processed("T_opt", 7))["scn2.mat"]
    want = read_mat_file(stage_folder(oracle, "T_opt", 8) / "scn2.mat")
    for name in ("ph_hpt", "ph_scn_slave"):
        assert 0.1 < np.abs(found[name] - want[name].values).max() < 1


def test_weights_in_time() -> None:
    """Normalised, without the master; far dates do not vanish together; one alone is itself."""
    day = np.array([0.0, 100, 200, 40000])
    weights = temporal_weights(day, 100, 1)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert (weights[:, 1] == 0).all()
    assert weights[0, 2] / weights[0, 0] == pytest.approx(np.exp(-2))
    assert weights[3].tolist() == [0, 0, 0, 1]
    assert temporal_weights(np.array([0.0, 1e6]), 1, 1).tolist() == [[1, 0], [1, 0]]
    assert temporal_weights(np.zeros(1), 1, 0).tolist() == [[1]]
    values = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    rough = temporal_high_pass(values, day, 100, 1)
    assert (rough[0] == 0).all()
    np.testing.assert_allclose(rough[:, 3], 0, atol=1e-12)


def test_mean_of_the_surroundings() -> None:
    """Against all pairs, in any order of the PS, and at the limit of four deviations."""
    random = np.random.default_rng(2)
    xy_m = (random.random((300, 2)) * 1000).astype(np.float32)
    values = random.normal(size=(300, 3)).astype(np.float32)
    away = np.hypot(*(xy_m[:, None] - xy_m[None]).astype(float).transpose(2, 0, 1))
    weight = np.where(away < 200, np.exp(-(away**2) / (2 * 50**2)), 0)
    want = weight @ values / weight.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(spatial_low_pass(values, xy_m, 50), want, atol=1e-6)
    line = np.array([[0, 0], [0, 400], [0, 799]], dtype=np.float32)
    found = spatial_low_pass(values[:3], line, 100)
    np.testing.assert_array_equal(found[0], values[0])
    assert (found[1] != values[1]).all()


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Write a dataset with the results of stage 7."""
    made = write_unwrapped(tmp_path / "dataset", MergedShape(ps=600, images=11))
    write_artefacts(made.folder, stage7_calc_scla(made.folder))
    return made.folder


def filtered(folder: Path, *, strict: bool = False, **parameters: object) -> dict[str, Any]:
    """Run stage 8 with changed parameters and return ``scn2.mat``."""
    change(folder / "parms.mat", **parameters)
    return stage8_filter_scn(folder, strict=strict)["scn2.mat"]


def test_steady_motion_is_no_atmosphere(dataset: Path) -> None:
    """A velocity of all PS together, or none at all, leaves the middle dates alike."""
    before = filtered(dataset)
    phase = mat.read_variable(dataset / "phuw2.mat", "ph_uw")
    smooth = np.linspace(0, 0.01, 600)[:, None]
    step = np.zeros((1, 11))
    step[0, 7] = 100
    change(dataset / "phuw2.mat", ph_uw=(phase + smooth * step).astype(np.float32))
    after = filtered(dataset)
    moved = np.abs(after["ph_scn_slave"] - before["ph_scn_slave"]).max(axis=0)
    assert moved.argmax() == 7
    assert moved[7] > 0.5
    assert (before["ph_scn_slave"][:, 3] == 0).all()
    assert (before["ph_scn_slave"][0] == 0).all()


def test_master_after_a_dropped_image(dataset: Path) -> None:
    """The default has the master's weight in its place; strict takes the next column's."""
    both = [filtered(dataset, strict=strict, drop_ifg_index=2.0) for strict in (False, True)]
    assert both[0]["ph_hpt"].shape == (600, 10)
    assert np.abs(both[0]["ph_hpt"] - both[1]["ph_hpt"]).max() > 0.01
    later = [filtered(dataset, strict=strict, drop_ifg_index=9.0) for strict in (False, True)]
    np.testing.assert_array_equal(later[0]["ph_hpt"], later[1]["ph_hpt"])
    dropped = filtered(dataset, drop_ifg_index=4.0)
    assert dropped["ph_hpt"].shape == (600, 10)
    assert (dropped["ph_scn_slave"][:, 3] == 0).all()
    few = np.arange(5.0, 12).reshape(1, -1)
    with pytest.raises(PystampsError, match=r"leaves 3 .* place among all is 4"):
        filtered(dataset, strict=True, drop_ifg_index=np.append(few, 1.0).reshape(1, -1))


def test_planes_count_as_atmosphere(dataset: Path) -> None:
    """Of the interferograms listed, or of all; numbers of dropped ones are passed over."""
    without = filtered(dataset)
    assert without["ph_ramp"].shape == (600, 0)
    some = filtered(dataset, scn_deramp_ifg=np.array([[2.0, 8.0]]), drop_ifg_index=8.0)
    assert some["ph_ramp"].shape == (600, 1)
    every = filtered(dataset, scn_deramp_ifg="all", drop_ifg_index=np.zeros((0, 0)))
    assert every["ph_ramp"].shape == (600, 11)
    xy = mat.read_variable(dataset / "ps2.mat", "xy").astype(float)
    rest = np.linalg.lstsq(np.column_stack([np.ones(600), xy[:, 1:]]), every["ph_ramp"])[1]
    np.testing.assert_allclose(rest, 0, atol=1e-12)
    assert np.abs(every["ph_hpt"] - without["ph_hpt"]).max() > 0.01


def test_gaps_become_zero(dataset: Path) -> None:
    """A sample without a value is 0 before the filter."""
    phase = mat.read_variable(dataset / "phuw2.mat", "ph_uw")
    phase[50] = np.nan
    change(dataset / "phuw2.mat", ph_uw=phase)
    found = filtered(dataset)
    assert np.isfinite(found["ph_scn_slave"]).all()
    assert np.isfinite(found["ph_hpt"]).all()


def test_small_baselines(tmp_path: Path) -> None:
    """All images are filtered; velocity and edges are those of the interferograms."""
    shape = MergedShape(ps=600, images=9, small_baseline=True)
    made = write_unwrapped(tmp_path / "dataset", shape)
    write_artefacts(made.folder, stage7_calc_scla(made.folder))
    artefacts = stage8_filter_scn(made.folder)
    assert artefacts["scn2.mat"]["ph_hpt"].shape == (600, 9)
    assert artefacts["mean_v.mat"]["m"].dtype == np.float64
    edges = artefacts["uw_space_time.mat"]
    assert edges["dph_noise"].shape[1] == 15
    assert edges["edge_noise_std"].dtype == np.float32


@pytest.mark.parametrize("method", ["3D_FULL", "2D"])
def test_edge_kernel(dataset: Path, method: str) -> None:
    """The kernel by itself gives what stage 8 writes."""
    change(dataset / "parms.mat", unwrap_method=method)
    want = stage8_filter_scn(dataset)["uw_space_time.mat"]
    problem = UnwrappingProblem.read(dataset)
    found = stage8_edge_noise(
        problem.grid.phase,
        problem.edges.ends[:, 0],
        problem.edges.ends[:, 1],
        bperp=problem.network.bperp_m,
        day=problem.network.day,
        ifgday_ix=problem.network.pairs,
        n_trial_wraps=trial_wraps(problem.dataset),
        unwrap_method=method,
    )
    np.testing.assert_array_equal(found[0], want["dph_space_uw"])
    np.testing.assert_array_equal(found[1], want["dph_noise"])
    assert (want["edge_noise_std"].shape == (0, 0)) == (method == "2D")


def test_simple_edge_kernel() -> None:
    """By hand: half of the deviation from the row's mean."""
    phase = np.exp(1j * np.array([[0.0, 0.0], [3.0, -1.0]])).astype(np.complex64)
    difference, noise = stage8_edge_noise(phase, np.array([0]), np.array([1]), "simple")
    np.testing.assert_allclose(difference, [[3, -1]], rtol=1e-6)
    np.testing.assert_allclose(noise, [[1, -1]], rtol=1e-6)
    with pytest.raises(ValueError, match="mode space_time needs bperp, day, ifgday_ix"):
        stage8_edge_noise(phase, np.array([0]), np.array([1]))


def parameter(**values: object) -> Callable[[Path], None]:
    """Set parameters."""
    return lambda dataset: change(dataset / "parms.mat", **values)


def without(name: str) -> Callable[[Path], None]:
    """Remove a file."""
    return lambda dataset: (dataset / name).unlink()


def other_ps(dataset: Path) -> None:
    """Leave results of fewer PS."""
    scla = mat.read(dataset / "scla2.mat")
    mat.write(dataset / "scla2.mat", {**scla, "ph_scla": scla["ph_scla"][:-1]})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without("scla2.mat"), r"scla2\.mat: not found \(run stage 7"),
        (without("scla_smooth2.mat"), r"scla_smooth2\.mat: not found \(run stage 7"),
        (without("phuw2.mat"), r"phuw2\.mat: not found \(run stage 6"),
        (other_ps, r"scla2\.mat: .* \(599, 11\), but ps2\.mat has 600 PS, .* \(run stage 7"),
        (parameter(scn_time_win=0.0), "scn_time_win is 0, expected a number above 0"),
        (parameter(scn_wavelength=np.nan), "scn_wavelength is nan, expected a number above 0"),
        (parameter(scn_deramp_ifg=12.0), "scn_deramp_ifg holds 12, expected whole numbers from 1"),
        (parameter(scn_deramp_ifg="some"), "scn_deramp_ifg is 'some', expected numbers or all"),
    ],
)
def test_bad_input_is_named(dataset: Path, damage: Callable[[Path], None], message: str) -> None:
    """File, variable or parameter, expected and found."""
    damage(dataset)
    with pytest.raises(PystampsError, match=message):
        stage8_filter_scn(dataset)
