"""The Python reference of the products against original StaMPS, and its single rules."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from parity.oracle import dataset_after
from parity.oracle_products import StoredProduct, stored_deviations, stored_products
from parity.readers import read_mat_file
from parity.stages import in_memory
from parity.synthetic_merged import MergedShape
from parity.synthetic_patch import WAVELENGTH_M, change
from parity.synthetic_unwrapped import Unwrapped, write_unwrapped

from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat
from pystamps_shim.pipeline.ported import stage7_calc_scla, stage8_filter_scn
from pystamps_shim.reference.bootstrap import resample_table, uniform_stream
from pystamps_shim.reference.outputs import write_artefacts
from pystamps_shim.reference.product_recipes import Recipe, Term, recipe_of
from pystamps_shim.reference.products import product
from pystamps_shim.verification.comparators import compare_variable
from pystamps_shim.verification.contracts import load_contract

Array = NDArray[Any]
Processed = Callable[..., Path]


def assert_product_agrees(dataset: Path, wanted: StoredProduct) -> None:
    """Compare values and column numbers by the contract."""
    found = product(dataset, wanted.value)
    want = read_mat_file(wanted.path)
    columns = found.columns.reshape(1, -1)
    for variable in load_contract("products", profile=wanted.profile)[0].variables:
        if variable.name in want:
            values = found.values if variable.name == "ph_disp" else columns
            problem = compare_variable(variable, want[variable.name], in_memory(values))
            assert problem is None, f"{wanted.value}: {variable.name}: {problem}"


def assert_deviations_agree(oracle: Path, scene: str, dataset: Path) -> None:
    """Compare velocity, positive towards the satellite here, and its spread, of other draws."""
    for stored in stored_deviations(oracle, scene):
        want = read_mat_file(stored.path)
        velocity = product(dataset, stored.value).values
        np.testing.assert_allclose(velocity, -want["mean_v"].values, atol=5e-4)
        deviation = product(dataset, stored.deviation).values
        ratio = np.median(deviation / want["mean_v_std"].values)
        assert 0.85 < ratio < 1.15, stored.deviation


def test_golden(golden_products: Path, tmp_path: Path) -> None:
    """Velocities, series and estimates from the original's stages 5 to 8."""
    dataset = dataset_after(golden_products, "T", 8, tmp_path / "dataset")
    wanted = stored_products(golden_products, "T")
    assert len(wanted) == 10
    for each in wanted:
        assert_product_agrees(dataset, each)
    assert_deviations_agree(golden_products, "T", dataset)


@pytest.mark.shared
@pytest.mark.parametrize(("scene", "count"), [("T", 17), ("L", 9), ("S", 13)])
def test_scene(oracle: Path, processed: Processed, scene: str, count: int) -> None:
    """Everything that the original plotted."""
    dataset = processed(scene, 8)
    wanted = stored_products(oracle, scene)
    assert len(wanted) == count
    for each in wanted:
        assert_product_agrees(dataset, each)
    assert_deviations_agree(oracle, scene, dataset)


def complete(folder: Path, *, small_baseline: bool = False, **parameters: object) -> Unwrapped:
    """Write a dataset and run stages 7 and 8."""
    shape = MergedShape(ps=600, images=9, small_baseline=small_baseline)
    made = write_unwrapped(folder, shape)
    change(folder / "parms.mat", **parameters)
    write_artefacts(folder, stage7_calc_scla(folder))
    write_artefacts(folder, stage8_filter_scn(folder))
    hgt = np.linspace(0, 90, 600).reshape(-1, 1)
    mat.write(folder / "hgt2.mat", {"hgt": hgt})
    return made


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Unwrapped:
    """Write a dataset of one master; its reference area is a part of the scene."""
    folder = tmp_path_factory.mktemp("single") / "dataset"
    return complete(folder, ref_lon=np.array([[12.505, 12.52]]), scla_deramp="y")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Unwrapped:
    """Write a dataset of small baselines."""
    return complete(tmp_path_factory.mktemp("small") / "dataset", small_baseline=True)


def test_the_terms_add_up(single: Unwrapped) -> None:
    """What u has beyond u-dms is what d, m and s say, and the order of terms does not matter."""
    folder = single.folder
    values = {
        name: product(folder, name).values.astype(float)
        for name in ("u", "u-dms", "u-dm", "u-d", "s", "m", "u-dmos", "u-dmo")
    }
    slope = product(folder, "d").values
    assert slope.shape == (600, 1)
    others = np.delete(np.arange(9), 3)
    np.testing.assert_allclose(
        (values["u-d"] - values["u-dm"])[:, others], np.repeat(values["m"], 8, axis=1), atol=2e-5
    )
    np.testing.assert_allclose(
        (values["u-dm"] - values["u-dms"])[:, others], values["s"][:, others], atol=2e-5
    )
    assert (values["u-dms"][:, 3] == 0).all()
    planes = (values["u-dms"] - values["u-dmos"])[:, others]
    xy = mat.read_variable(folder / "ps2.mat", "xy").astype(float)[:, 1:]
    design = np.column_stack([np.ones(600), xy])
    np.testing.assert_allclose(design @ np.linalg.lstsq(design, planes)[0], planes, atol=2e-5)


def test_reference_area_is_zero(single: Unwrapped) -> None:
    """For everything but heights and phasors."""
    lonlat = mat.read_variable(single.folder / "ps2.mat", "lonlat")
    inside = (lonlat[:, 0] > 12.505) & (lonlat[:, 0] < 12.52)
    assert 0 < inside.sum() < 600
    for name in ("u", "u-o", "d", "m", "o", "s", "v", "v-do", "v-dso", "ts", "ts-do"):
        mean = product(single.folder, name).values[inside].astype(float).mean(axis=0)
        np.testing.assert_allclose(mean, 0, atol=2e-4, err_msg=name)
    for name in ("hgt", "w", "p"):
        assert np.abs(product(single.folder, name).values[inside].mean(axis=0)).max() > 0.1


def test_velocity_is_the_truth(single: Unwrapped, small: Unwrapped) -> None:
    """Towards the satellite, mm/yr; phase grows with the distance."""
    for made, names in ((single, ("v-do",)), (small, ("v-d", "V-d"))):
        want = -made.velocity_rad_per_day * 365.25 * WAVELENGTH_M * 1000 / (4 * np.pi)
        for name in names:
            found = product(made.folder, name)
            assert found.unit == "mm/yr"
            error = found.values.ravel() - want
            assert np.std(error) < 0.2 * np.std(want), name


def test_series_has_the_velocity(single: Unwrapped) -> None:
    """All noise is alike, so its slope is the velocity's; the master is not in it."""
    ps = mat.read(single.folder / "ps2.mat")
    since = np.delete(ps["day"].ravel() - float(ps["master_day"].item()), 3)
    for suffix in ("", "-d", "-o", "-do", "-s", "-so", "-dso"):
        series = product(single.folder, f"ts{suffix}")
        assert series.unit == "mm"
        assert series.columns.tolist() == [1, 2, 3, 5, 6, 7, 8, 9]
        slope = np.polyfit(since, series.values.astype(float).T, 1)[0] * 365.25
        velocity = product(single.folder, f"v{suffix}").values.ravel()
        np.testing.assert_allclose(slope, velocity, atol=2e-3, err_msg=suffix)


def test_velocity_without_each(single: Unwrapped) -> None:
    """As if each in turn were dropped."""
    found = product(single.folder, "vdrop-d")
    assert found.columns.tolist() == [1, 2, 3, 5, 6, 7, 8, 9]
    change(single.folder / "parms.mat", drop_ifg_index=6.0)
    want = product(single.folder, "v-d").values.ravel()
    change(single.folder / "parms.mat", drop_ifg_index=np.zeros((0, 0)))
    np.testing.assert_allclose(found.values[:, 4], want, atol=1e-4)
    assert np.abs(found.values[:, 5] - want).max() > 0.1


def test_series_of_small_baselines(small: Unwrapped) -> None:
    """The images', whatever the velocity is of."""
    assert product(small.folder, "ts").columns.tolist() == [1, 2, 3, 5, 6, 7, 8, 9]
    assert product(small.folder, "u").values.shape == (600, 9)
    pairs = product(small.folder, "usb").values.astype(float)
    rest = product(small.folder, "rsb").values
    assert pairs.shape == rest.shape == (600, 15)
    assert np.std(rest) < 0.3 * np.std(pairs)
    slopes = [product(small.folder, name).values for name in ("d", "D")]
    assert 0 < np.abs(slopes[0] - slopes[1]).max() < 0.01


def test_phasors(single: Unwrapped) -> None:
    """Turned back by the smoothed terms; the master's own is 1 where its atmosphere goes."""
    folder = single.folder
    plain = product(folder, "w").values
    turned = product(folder, "w-dmo").values
    smooth = mat.read(folder / "scla_smooth2.mat")
    terms = smooth["ph_scla"] + smooth["C_ps_uw"] + smooth["ph_ramp"]
    want = plain * np.exp(-1j * terms)
    want[:, 3] = 1
    np.testing.assert_allclose(turned, want, atol=1e-5)
    patch = product(folder, "p").values
    assert (patch[:, 3] == 0).all()
    np.testing.assert_allclose(np.abs(np.delete(patch, 3, axis=1)), 1, atol=1e-5)


def test_tropospheric_correction(tmp_path: Path) -> None:
    """Subtracted on request, whatever stages 6 and 7 did; vs-dao fits the ramp before it."""
    made = complete(tmp_path / "dataset", tropo_method="a_gacos")
    with pytest.raises(PystampsError, match=r"tca2\.mat: not found"):
        product(made.folder, "v-a")
    correction = np.random.default_rng(1).normal(0, 1, (600, 9)).astype(np.float32)
    mat.write(made.folder / "tca2.mat", {"ph_tropo_gacos": correction})
    phase, less, own = (product(made.folder, name).values for name in ("u", "u-a", "a"))
    others = np.delete(np.arange(9), 3)
    np.testing.assert_allclose((phase - less)[:, others], own[:, others], atol=2e-5)
    assert (less[:, 3] == 0).all()
    assert np.abs(product(made.folder, "v-a").values - product(made.folder, "v").values).max() > 1
    assert np.abs(product(made.folder, "vs-dao").values).max() > 0
    assert not np.allclose(product(made.folder, "a-o").values, own)


def test_oscillator_of_envisat(tmp_path: Path) -> None:
    """A velocity that grows with range, 3.02 micrometres a year for every sample."""
    made = complete(tmp_path / "dataset")
    before = product(made.folder, "v").values.ravel()
    change(made.folder / "parms.mat", platform="ENVISAT")
    after = product(made.folder, "v").values.ravel()
    sample = mat.read_variable(made.folder / "ps2.mat", "ij")[:, 2]
    want = -7.8 * 3.87e-7 * 1000 * (sample - sample.mean())
    np.testing.assert_allclose(after - before, want, atol=1e-4)
    assert not np.allclose(product(made.folder, "w").values[:, 0], 1)


def test_splitmix() -> None:
    """The published first numbers of seed 1234567."""
    words = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    want = [(word >> 11) * 2.0**-53 for word in words]
    assert list(islice(uniform_stream(1234567), 4)) == want


def test_resamples() -> None:
    """The same every time, row by row from one stream; rows of a single date are drawn again."""
    days = np.array([0.0, 12, 24, 36])
    table = resample_table(days, 3, 7)
    stream = uniform_stream(7)
    assert table.ravel().tolist() == [int(next(stream) * 4) for _ in range(12)]
    pairs = resample_table(np.array([12.0, 12, 24]), 500, 3)
    assert all(2 in row and min(row) < 2 for row in pairs.tolist())
    assert not np.array_equal(resample_table(days, 3, 8), table)


def test_bootstrap_against_a_fit_of_every_resample(single: Unwrapped) -> None:
    """Rows drawn, weights left in their places."""
    folder = single.folder
    degrees = np.linspace(10, 40, 9).reshape(-1, 1)
    kept = mat.read_variable(folder / "ifgstd2.mat", "ifg_std")
    mat.write(folder / "ifgstd2.mat", {"ifg_std": degrees})
    found = product(folder, "vs", resamples=40, seed=5).values.ravel()
    again = product(folder, "vs", resamples=40, seed=5).values.ravel()
    other = product(folder, "vs", resamples=40, seed=6).values.ravel()
    mat.write(folder / "ifgstd2.mat", {"ifg_std": kept})
    np.testing.assert_array_equal(found, again)
    assert 0.5 < np.median(other / found) < 2
    ps = mat.read(folder / "ps2.mat")
    since = np.delete(ps["day"].ravel() - float(ps["master_day"].item()), 3)
    series = product(folder, "ts").values[:5].astype(float)
    weights = 1 / np.delete(degrees.ravel(), 3)
    slopes = [
        np.polyfit(since[drawn], series[:, drawn].T, 1, w=weights)[0] * 365.25
        for drawn in resample_table(since, 40, 5)
    ]
    np.testing.assert_allclose(found[:5], np.std(slopes, axis=0, ddof=1), rtol=1e-3)


@pytest.mark.parametrize(
    ("value", "small_baseline", "recipe"),
    [
        ("v-d", False, Recipe("v", False, (Term.SLOPE, Term.MASTER))),
        ("V-do", False, Recipe("v", False, (Term.SLOPE, Term.RAMP))),
        ("v-do", True, Recipe("v", True, (Term.SLOPE, Term.RAMP))),
        ("V-ds", True, Recipe("v", False, (Term.SLOPE, Term.ATMOSPHERE))),
        ("u-dmos", False, Recipe("u", False, tuple(Term(letter) for letter in "dmso"))),
        ("vs-dao", False, Recipe("vs", False, tuple(Term(letter) for letter in "doa"))),
        ("v-dao", False, Recipe("v", False, tuple(Term(letter) for letter in "dao"))),
        ("ts-o", True, Recipe("ts", False, (Term.MASTER, Term.RAMP))),
        ("D", True, Recipe("d", False, ())),
        ("V-DO", False, Recipe("v", False, (Term.SLOPE, Term.RAMP))),
    ],
)
def test_recipes(value: str, recipe: Recipe, *, small_baseline: bool) -> None:
    """Terms in their order, and whose phase it is."""
    assert recipe_of(value, small_baseline=small_baseline) == recipe


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("x", "there is no product 'x' .*hgt, p, w"),
        ("v-doa", "there is no product 'v-doa' .*v-dao"),
        ("u-dma", "there is no product 'u-dma'"),
        ("v-", "there is no product 'v-'"),
        ("usb", "'usb' is of small baselines, which this dataset is not"),
        ("o", "scla_deramp = n"),
    ],
)
def test_what_does_not_exist_is_named(tmp_path: Path, value: str, message: str) -> None:
    """With what there is instead."""
    made = write_unwrapped(tmp_path / "dataset", MergedShape(ps=60, images=6))
    write_artefacts(made.folder, stage7_calc_scla(made.folder))
    with pytest.raises(PystampsError, match=message):
        product(made.folder, value)


def test_small_baselines_have_no_atmosphere_of_pairs(small: Unwrapped) -> None:
    """The filter is of images, and so is the velocity less it."""
    with pytest.raises(PystampsError, match=r"'v-so' does not exist .*V-so"):
        product(small.folder, "v-so")
    assert np.isfinite(product(small.folder, "V-so").values).all()


def test_too_few_dates(tmp_path: Path) -> None:
    """A bootstrap needs two dates and two resamples."""
    made = write_unwrapped(tmp_path / "dataset", MergedShape(ps=60, images=6))
    with pytest.raises(PystampsError, match="1 resamples with seed 1, expected 2 or more"):
        product(made.folder, "vs", resamples=1)
    change(made.folder / "parms.mat", drop_ifg_index=np.array([[1.0, 2, 3, 5]]))
    with pytest.raises(PystampsError, match="span no time"):
        product(made.folder, "vs")
