"""Native products against original StaMPS, against the Python reference, and as text."""

from __future__ import annotations

import csv
import datetime
import json
import shutil
import subprocess
from collections.abc import Callable
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
from parity.synthetic_patch import change
from parity.synthetic_unwrapped import write_unwrapped

from pystamps_shim.io import mat
from pystamps_shim.pipeline.ported import stage7_calc_scla, stage8_filter_scn
from pystamps_shim.reference.outputs import write_artefacts
from pystamps_shim.reference.products import product
from pystamps_shim.verification.comparators import compare_variable
from pystamps_shim.verification.contracts import load_contract
from pystamps_shim.verification.variables import MatVariable

Native = Callable[..., subprocess.CompletedProcess[str]]
Array = NDArray[Any]

#: Every product of one master, and of small baselines.
_SINGLE = (
    *("hgt", "w", "w-d", "w-o", "w-do", "w-dm", "w-dmo", "w-a", "w-da", "p", "d", "m", "o", "s"),
    *("u", "u-d", "u-m", "u-o", "u-a", "u-s", "u-dm", "u-do", "u-da", "u-ao", "u-dmo", "u-dms"),
    *("u-dmos", "u-dao", "a", "a-o", "vdrop-do", "ts", "ts-d", "ts-do", "ts-so", "ts-dao"),
    *("v", "v-d", "v-o", "v-do", "v-s", "v-so", "v-ds", "v-dso", "v-a", "v-ao", "v-da", "v-dao"),
    *("vs", "vs-d", "vs-o", "vs-a", "vs-ao", "vs-do", "vs-da", "vs-dao"),
)
_PAIRS = (
    *("usb", "usb-d", "usb-do", "usb-dao", "rsb", "rsb-o", "asb", "asb-o", "d", "D", "m", "u-dms"),
    *("u-a", "V-a", "ts-dao"),
    *("v", "v-d", "v-do", "v-dao", "V", "V-do", "V-dso", "vs-do", "Vs-do", "ts-do", "w-d", "p"),
)
_PROFILES = {
    "hgt": "height",
    **dict.fromkeys(("d", "D"), "slope"),
    **dict.fromkeys(("v", "V", "vs", "Vs", "vdrop"), "velocity"),
    "ts": "displacement",
}


def compare_product(found: Path, want: dict[str, MatVariable], profile: str | None) -> None:
    """Compare values and column numbers by the contract."""
    stored = read_mat_file(found)
    for variable in load_contract("products", profile=profile)[0].variables:
        if variable.name in want:
            name = variable.name if variable.name in stored else "ph_mm"
            problem = compare_variable(variable, want[variable.name], stored[name])
            assert problem is None, f"{found.stem}: {variable.name}: {problem}"


def make(native: Native, dataset: Path, value: str, *options: object) -> Path:
    """Make a product beside the dataset."""
    path = dataset.parent / f"{value}.mat"
    native("product", value, "--dataset", dataset, "--out", path, "--force", *options)
    return path


def compare_with_original(native: Native, dataset: Path, wanted: list[StoredProduct]) -> None:
    """Make and compare products of a scene."""
    for each in wanted:
        want = read_mat_file(each.path)
        found = make(native, dataset, each.value, "--bootstrap", 0)
        compare_product(found, want, each.profile)


def test_golden(native: Native, golden_products: Path, tmp_path: Path) -> None:
    """Velocities, series and estimates from the original's stages 5 to 8."""
    dataset = dataset_after(golden_products, "T", 8, tmp_path / "dataset")
    wanted = stored_products(golden_products, "T")
    assert len(wanted) == 10
    compare_with_original(native, dataset, wanted)


@pytest.mark.shared
@pytest.mark.parametrize("scene", ["T", "L", "S"])
def test_oracle(native: Native, oracle: Path, scene: str, tmp_path: Path) -> None:
    """Everything that the original plotted; the spread of velocities is of other draws."""
    dataset = dataset_after(oracle, scene, 8, tmp_path / "dataset")
    compare_with_original(native, dataset, stored_products(oracle, scene))
    for stored in stored_deviations(oracle, scene):
        found = read_mat_file(make(native, dataset, stored.deviation))["ph_disp"].values
        ratio = np.median(found / read_mat_file(stored.path)["mean_v_std"].values)
        assert 0.85 < ratio < 1.15, stored.deviation


@pytest.fixture(scope="module", params=[False, True], ids=["one master", "small baselines"])
def processed_project(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Write a dataset with all results, corrections and a reference area."""
    small = bool(request.param)
    folder = tmp_path_factory.mktemp("products") / "dataset"
    shape = MergedShape(ps=600, images=9, small_baseline=small)
    write_unwrapped(folder, shape)
    change(
        folder / "parms.mat",
        scla_deramp="y",
        ref_lon=np.array([[12.505, 12.52]]),
        drop_ifg_index=7.0,
        tropo_method="a_gacos",
        platform="ENVISAT",
    )
    write_artefacts(folder, stage7_calc_scla(folder))
    write_artefacts(folder, stage8_filter_scn(folder))
    random = np.random.default_rng(3)
    mat.write(folder / "hgt2.mat", {"hgt": random.random((600, 1)) * 90})
    phase = mat.read_variable(folder / f"phuw{'_sb' if small else ''}2.mat", "ph_uw")
    correction = random.normal(0, 1, phase.shape).astype(np.float32)
    mat.write(folder / f"tca{'_sb' if small else ''}2.mat", {"ph_tropo_gacos": correction})
    return folder


def test_as_reference(native: Native, processed_project: Path) -> None:
    """All products of both, bit for bit the same draws."""
    small = (processed_project / "phuw_sb2.mat").exists()
    for value in _PAIRS if small else _SINGLE:
        want = product(processed_project, value, resamples=30, seed=9)
        options = ["--bootstrap", 30, "--seed", 9] if "vs" in value.lower() else ["--bootstrap", 0]
        found = make(native, processed_project, value, *options)
        variables = {
            "ph_disp": in_memory(want.values),
            "ifg_list": in_memory(want.columns.reshape(1, -1)),
        }
        compare_product(found, variables, _PROFILES.get(value.partition("-")[0]))
        stored = read_mat_file(found)
        assert stored["unit"].values == want.unit or "w" in value or value == "p", value


def test_a_product_says_what_it_is(native: Native, processed_project: Path) -> None:
    """Reference area, sign, unit and corrections, in both kinds of file."""
    path = make(native, processed_project, "v-do")
    stored = read_mat_file(path)
    assert stored["unit"].values == "mm/yr"
    assert "towards the satellite" in str(stored["sign_convention"].values)
    assert "ref_lon" in str(stored["reference_area"].values)
    assert "look-angle" in str(stored["corrections"].values)
    assert "ramp" in str(stored["corrections"].values)
    text = processed_project.parent / "v-do.csv"
    options = ["--dataset", processed_project, "--out", text, "--force", "--json"]
    outcome = json.loads(native("product", "v-do", *options).stdout)
    assert outcome["unit"] == "mm/yr"
    assert outcome["bootstrap"]["resamples"] == 200
    with text.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = ["lon_deg", "lat_deg", "height_m", "velocity_mm_per_year", "velocity_std_mm_per_year"]
    assert [name for name in rows[0] if name != "coherence"] == wanted
    velocity = np.array([float(row["velocity_mm_per_year"]) for row in rows])
    np.testing.assert_allclose(velocity, stored["ph_disp"].values.ravel(), atol=6e-4)


def test_displacements_as_text(native: Native, processed_project: Path) -> None:
    """One column a date, mm."""
    text = processed_project.parent / "ts-do.csv"
    native("product", "ts-do", "--dataset", processed_project, "--out", text, "--force")
    want = product(processed_project, "ts-do")
    with text.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    dates = [name for name in rows[0] if name.startswith("D2")]
    assert len(dates) == want.values.shape[1]
    assert dates == sorted(dates)
    found = np.array([[float(row[date]) for date in dates] for row in rows])
    np.testing.assert_allclose(found, want.values, atol=1e-3)


def test_arrays_hold_what_matlab_files_hold(native: Native, processed_project: Path) -> None:
    """The same values in columns; a velocity's standard deviation is its second."""
    for value, name in (
        ("ts-do", "ph_mm"),
        ("v-do", "ph_disp"),
        ("w-d", "ph_disp"),
        ("d", "ph_disp"),
    ):
        path = processed_project.parent / f"{value}.npy"
        native("product", value, "--dataset", processed_project, "--out", path, "--force")
        found = np.load(path, mmap_mode="r")
        stored = mat.read(make(native, processed_project, value))
        want = stored[name]
        if value == "v-do":
            want = np.hstack([want, stored["mean_v_std"].astype(want.dtype)])
        assert found.dtype == want.dtype, value
        assert found.flags.f_contiguous
        # MATLAB files have standard deviations in single precision.
        np.testing.assert_allclose(found, want, rtol=1e-7 if value == "v-do" else 0)
        description = json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))
        assert len(description["columns"]) in (0, found.shape[1])


def test_products_of_some_dates(native: Native, processed_project: Path, tmp_path: Path) -> None:
    """Velocities as if the other interferograms were dropped; columns of these dates alone."""
    small = (processed_project / "phuw_sb2.mat").exists()
    ps = mat.read(processed_project / "ps2.mat")
    days = ps["ifgday"] if small else ps["day"].reshape(-1, 1)
    first, last = np.sort(ps["day"].ravel())[[1, -2]]
    names = [f"{datetime.date.fromordinal(int(day) - 366):%Y%m%d}" for day in (first, last)]
    options = ["--from", names[0], "--to", names[1], "--bootstrap", 0]
    outside = np.flatnonzero(((days < first) | (days > last)).any(axis=1)) + 1.0
    assert outside.size > 1
    dropped = tmp_path / "dropped"
    shutil.copytree(processed_project, dropped)
    change(dropped / "parms.mat", drop_ifg_index=np.union1d(outside, [7.0]))
    want = product(dropped, "v-do", resamples=0)
    found = mat.read(make(native, processed_project, "v-do", *options))
    np.testing.assert_allclose(found["ph_disp"], want.values, rtol=1e-4, atol=1e-5)
    assert f"from {names[0]} to {names[1]}" in found["definition"]
    series = mat.read(make(native, processed_project, "ts-do", *options))
    assert series["day"].min() >= first
    assert series["day"].max() <= last
    assert series["day"].size >= 3


def test_dates_that_are_not_there(native: Native, processed_project: Path) -> None:
    """Before any work, and said so."""
    target = processed_project.parent / "never.npy"
    options = ["product", "ts-do", "--dataset", processed_project, "--out", target]
    backwards = native(*options, "--from", "20200102", "--to", "20200101", exit_code=2)
    assert "[dates-empty]" in backwards.stderr
    nowhere = native(*options, "--from", "29990101", exit_code=2)
    assert "[dates-empty]" in nowhere.stderr
    native(*options, "--from", "20201301", exit_code=2)
    assert not target.exists()


def test_same_bytes_for_any_thread_count(native: Native, processed_project: Path) -> None:
    """1, 2 and 16 threads; without --force an existing file stays."""
    for value in ("v-do", "vs-do", "ts-o"):
        found = []
        for threads in (1, 2, 16):
            path = make(native, processed_project, value, "--threads", threads)
            found.append(path.read_bytes())
        assert found[1] == found[0]
        assert found[2] == found[0]
    result = native("product", "v-do", "--dataset", processed_project, "--out", path, exit_code=2)
    assert "[file-exists]" in result.stderr
    assert path.read_bytes() == found[0]


@pytest.mark.parametrize(
    ("value", "out", "name", "words"),
    [
        ("v-od", "v.mat", "product-unknown", "v-do"),
        ("x", "v.mat", "product-unknown", "hgt"),
        ("u-dma", "v.mat", "product-unknown", "u-dm"),
        ("v", "v.txt", "format-unknown", ".csv"),
    ],
)
def test_wrong_usage(
    native: Native, processed_project: Path, value: str, out: str, *, name: str, words: str
) -> None:
    """Named, with what there is."""
    target = processed_project.parent / f"wrong_{out}"
    options = ["--dataset", processed_project, "--out", target]
    result = native("product", value, *options, exit_code=2)
    assert f"[{name}]" in result.stderr
    assert words in result.stderr
    assert not target.exists()


def test_results_that_are_not_there(native: Native, tmp_path: Path) -> None:
    """The stage to run is named."""
    dataset = write_unwrapped(tmp_path / "dataset", MergedShape(ps=100, images=6)).folder
    for value, words in (("v-d", "stage 7"), ("v-s", "stage 8"), ("hgt", "stage 5")):
        options = ["--dataset", dataset, "--out", tmp_path / "out.mat"]
        result = native("product", value, *options, exit_code=1)
        assert "[stage-input-missing]" in result.stderr
        assert words in result.stderr
