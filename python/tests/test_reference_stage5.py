"""The Python reference of stage 5 against original StaMPS, and its single rules."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from numpy.typing import NDArray
from parity.oracle import dataset_after, stage_folder
from parity.stages import compare_in_memory, compare_stage, patches_of
from parity.synthetic_patch import PatchShape, change, write_patch

from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat
from pystamps_shim.pipeline.ported import (
    stage2_estimate_gamma,
    stage3_select_ps,
    stage4_weed_ps,
    stage5_correct_and_promote,
    stage5_merge_and_ifgstd,
)
from pystamps_shim.reference.outputs import write_artefacts
from pystamps_shim.reference.stage1 import Artefacts

Array = NDArray[Any]
Processed = Callable[..., Path]


@pytest.mark.shared
@pytest.mark.parametrize("name", ["T", "T_d1", "L"])
def test_scene(oracle: Path, processed: Processed, name: str) -> None:
    """Every patch from the original's stage 4, then the merge of the original's patches."""
    dataset = processed(name, 4)
    for patch in patches_of(dataset):
        artefacts = stage5_correct_and_promote(dataset / patch)
        want = stage_folder(oracle, name, 5) / patch
        report = compare_in_memory(5, want, artefacts, small_baseline=False)
        assert report.compared == 2 * 3
        assert not report.differences, str(report)
        shutil.copyfile(want / "rc2.mat", dataset / patch / "rc2.mat")
    merged = stage5_merge_and_ifgstd(dataset)
    want = stage_folder(oracle, name, 5)
    report = compare_in_memory(5, want, merged, scope="root", small_baseline=False)
    assert report.compared == 2 * 28
    assert not report.differences, str(report)


@pytest.mark.shared
def test_written_files_agree(oracle: Path, processed: Processed) -> None:
    """Both scopes as files, in a folder that holds all earlier stages too."""
    dataset = processed("T", 4)
    for patch in patches_of(dataset):
        write_artefacts(dataset / patch, stage5_correct_and_promote(dataset / patch))
    write_artefacts(dataset, stage5_merge_and_ifgstd(dataset))
    for stage in (2, 3, 4, 5):
        report = compare_stage(stage, stage_folder(oracle, "T", stage), dataset)
        assert report.compared > 60
        # Stage 4 has replaced the version that stages 2 and 3 leave.
        wrong = [d for d in report.differences if not ("psver" in str(d) and stage < 4)]
        assert not wrong, str(report)


@pytest.mark.shared
def test_small_baselines(oracle: Path, processed: Processed) -> None:
    """Patches by the contract; the merge averages PS in cells of 100 m (single precision).

    Positions are rounded to half a metre there, which changes the order of close rows.
    """
    dataset = processed("S", 4)
    want = stage_folder(oracle, "S", 5)
    for patch in patches_of(dataset):
        artefacts = stage5_correct_and_promote(dataset / patch)
        report = compare_in_memory(5, want / patch, artefacts, small_baseline=True)
        assert not report.differences, str(report)
        shutil.copyfile(want / patch / "rc2.mat", dataset / patch / "rc2.mat")
    limit = scipy.io.loadmat(oracle / "kernels" / "k_max_coh_merge.mat")["max_coh"].item()
    merged = stage5_merge_and_ifgstd(dataset, max_coherence=limit)
    assert "phuw2.mat" not in merged
    stored = {name: scipy.io.loadmat(want / name) for name in merged}
    height = stored["hgt2.mat"]["hgt"].ravel()
    pairs = np.abs(merged["hgt2.mat"]["hgt"] - height).argmin(axis=1)
    assert sorted(pairs.tolist()) == list(range(len(height)))
    for file, name, tolerance in (
        ("ps2.mat", "lonlat", 1e-5),
        ("rc2.mat", "ph_rc", 2e-6),
        ("pm2.mat", "ph_patch", 1e-4),
        ("pm2.mat", "K_ps", 1e-8),
        ("pm2.mat", "coh_ps", 1e-6),
        ("bp2.mat", "bperp_mat", 1e-4),
    ):
        difference = np.abs(merged[file][name] - stored[file][name][pairs])
        assert difference.max() <= tolerance, name
        assert merged[file][name].dtype == stored[file][name].dtype
    noise = merged["ifgstd2.mat"]["ifg_std"] - stored["ifgstd2.mat"]["ifg_std"]
    assert np.abs(noise).max() < 2e-4


@pytest.mark.large
@pytest.mark.shared
def test_chain_from_own_results(oracle: Path, processed: Processed) -> None:
    """Stages 2 to 5 on what we wrote ourselves: the same PS, and rounding."""
    dataset = processed("T", 1)
    for patch in patches_of(dataset):
        folder = dataset / patch
        histogram = oracle / "T" / "stage2" / patch / "oracle_rand.mat"
        write_artefacts(folder, stage2_estimate_gamma(folder, reference_histogram=histogram))
        for stage in (stage3_select_ps, stage4_weed_ps, stage5_correct_and_promote):
            write_artefacts(folder, stage(folder))
    merged = stage5_merge_and_ifgstd(dataset)
    write_artefacts(dataset, merged)
    own = pixels(merged["ps2.mat"]["ij"])
    want = pixels(scipy.io.loadmat(oracle / "T" / "stage5" / "ps2.mat")["ij"])
    assert len(own & want) / len(own | want) >= 0.995
    for number in (2, 3, 4, 5):
        reference = stage_folder(oracle, "T", number)
        report = compare_stage(number, reference, dataset, profile="chained")
        # Stage 4 has replaced the version that stages 2 and 3 leave.
        wrong = [d for d in report.differences if not ("psver" in str(d) and number < 4)]
        assert not wrong, str(report)


def pixels(ij: Array) -> set[tuple[float, ...]]:
    """Return azimuth line and range sample of every PS."""
    return {tuple(row) for row in ij[:, 1:3].tolist()}


@pytest.mark.shared
def test_another_program_s_stage_4_is_promoted(processed: Processed) -> None:
    """Files of version 2 that are missing are made from what was weeded."""
    dataset = processed("T", 4)
    patch = dataset / "PATCH_1"
    names = ["ps2.mat", "ph2.mat", "pm2.mat", "bp2.mat", "la2.mat", "hgt2.mat"]
    stored = {name: mat.read(patch / name) for name in names}
    rc2 = stage5_correct_and_promote(patch)["rc2.mat"]
    for name in names:
        (patch / name).unlink()
    artefacts = stage5_correct_and_promote(patch)
    assert set(artefacts) == {*names, "rc2.mat", "psver.mat", "no_ps_info.mat"}
    np.testing.assert_array_equal(artefacts["rc2.mat"]["ph_rc"], rc2["ph_rc"])
    for name, variables in stored.items():
        assert set(artefacts[name]) == set(variables)
        for variable, values in variables.items():
            np.testing.assert_array_equal(artefacts[name][variable], values)
    (patch / "weed1.mat").unlink()
    with pytest.raises(PystampsError, match=r"weed1\.mat: not found \(run stage 4"):
        stage5_correct_and_promote(patch)


@pytest.mark.shared
def test_order_of_the_patches_matters_only_for_what_nobody_owns(
    oracle: Path, processed: Processed, tmp_path: Path
) -> None:
    """Scene T has no such pixels: the merged PS are the same in either order."""
    dataset = processed("T", 5)
    merged = stage5_merge_and_ifgstd(dataset)
    other = dataset_after(oracle, "T", 5, tmp_path / "other")
    (other / "patch.list").write_text("PATCH_2\nPATCH_1\n", encoding="ascii")
    again = stage5_merge_and_ifgstd(other)
    np.testing.assert_array_equal(merged["ps2.mat"]["lonlat"], again["ps2.mat"]["lonlat"])
    np.testing.assert_array_equal(merged["rc2.mat"]["ph_rc"], again["rc2.mat"]["ph_rc"])


def ps_patch(dataset: Path, name: str, shape: PatchShape) -> Path:
    """Write a patch whose candidates are all PS, with the results of stages 4 and 5."""
    patch = write_patch(dataset, shape, name)
    count = shape.candidates
    for file in ("ps", "ph", "bp", "la", "hgt"):
        shutil.copyfile(patch / f"{file}1.mat", patch / f"{file}2.mat")
    random = np.random.default_rng(shape.seed)
    pm2 = {
        "ph_patch": np.exp(1j * random.random((count, 12))).astype(np.complex64),
        "ph_res": random.normal(0, 0.3, (count, 12)).astype(np.float32),
        "K_ps": random.normal(0, 0.01, (count, 1)),
        "C_ps": random.normal(0, 0.3, (count, 1)),
        "coh_ps": random.random((count, 1)),
    }
    mat.write(patch / "pm2.mat", pm2)
    write_artefacts(patch, stage5_correct_and_promote(patch))
    return patch


def merged_pixels(merged: Artefacts) -> list[list[float]]:
    """Return the merged pixels, sorted."""
    return sorted(merged["ps2.mat"]["ij"][:, 1:3].tolist())


def place(patch: Path, pixels: list[list[float]], shift: float = 0.0) -> None:
    """Put the PS of a patch at some pixels, with positions that follow from them."""
    ij = np.column_stack([np.arange(1.0, len(pixels) + 1), pixels])
    lonlat = np.array([12.5, 45.2]) + np.array(pixels)[:, ::-1] / 1e4 + shift
    change(patch / "ps2.mat", ij=ij, lonlat=lonlat)


def test_owners_win_and_unowned_pixels_stay_with_the_first(tmp_path: Path) -> None:
    """Three PS each; one overlap pixel is owned by the second patch, one by nobody."""
    dataset = tmp_path / "dataset"
    first = ps_patch(dataset, "PATCH_1", PatchShape(3, seed=1))
    second = ps_patch(dataset, "PATCH_2", PatchShape(3, seed=2))
    place(first, [[2, 5], [10, 5], [30, 5]])
    place(second, [[10, 5], [12, 5], [30, 5]])
    (first / "patch_noover.in").write_text("1 100 1 10", encoding="ascii")
    (second / "patch_noover.in").write_text("1 100 11 20", encoding="ascii")
    merged = stage5_merge_and_ifgstd(dataset)
    assert merged_pixels(merged) == [[2, 5], [10, 5], [12, 5], [30, 5]]
    assert merged["phuw2.mat"]["ph_uw"].shape == (4, 13)
    np.testing.assert_allclose(np.abs(merged["rc2.mat"]["ph_rc"]), 1, atol=1e-6)
    assert merged["ps2.mat"]["ij"][:, 0].tolist() == [1, 2, 3, 4]
    assert merged["inc2.mat"]["inc"].shape == (0, 0)
    for bounds, owner, place_there in (("1 100 11 20", second, 0), ("1 100 12 20", first, 1)):
        (second / "patch_noover.in").write_text(bounds, encoding="ascii")
        merged = stage5_merge_and_ifgstd(dataset)
        row = merged["ps2.mat"]["ij"][:, 1].tolist().index(10)
        want = mat.read_variable(owner / "pm2.mat", "coh_ps")[place_there]
        assert merged["pm2.mat"]["coh_ps"][row] == want


def test_equal_positions_keep_the_most_coherent(tmp_path: Path) -> None:
    """Other pixels, the same longitude and latitude."""
    dataset = tmp_path / "dataset"
    first = ps_patch(dataset, "PATCH_1", PatchShape(3, seed=1))
    place(first, [[2, 5], [10, 5], [30, 5]])
    lonlat = mat.read_variable(first / "ps2.mat", "lonlat")
    lonlat[2] = lonlat[0]
    change(first / "ps2.mat", lonlat=lonlat)
    coherence = mat.read_variable(first / "pm2.mat", "coh_ps").ravel()
    merged = stage5_merge_and_ifgstd(dataset)
    kept = {10.0, 2.0 if coherence[0] >= coherence[2] else 30.0}
    assert set(merged["ps2.mat"]["ij"][:, 1].tolist()) == kept


def test_patches_without_ps_are_left_out(tmp_path: Path) -> None:
    """No rows, or marked; the dataset's fields come from the last patch with PS."""
    dataset = tmp_path / "dataset"
    ps_patch(dataset, "PATCH_1", PatchShape(5, seed=1))
    ps_patch(dataset, "PATCH_2", PatchShape(0, seed=2))
    marked = ps_patch(dataset, "PATCH_3", PatchShape(4, seed=3))
    mat.write(marked / "no_ps_info.mat", {"stamps_step_no_ps": np.eye(5)[:, 3:4]})
    merged = stage5_merge_and_ifgstd(dataset)
    assert merged["ps2.mat"]["n_ps"].item() == 5
    want = mat.read_variable(dataset / "PATCH_1" / "ps2.mat", "bperp")
    np.testing.assert_array_equal(merged["ps2.mat"]["bperp"], want)


def test_resampling_averages_cells(tmp_path: Path) -> None:
    """A single master: two PS in one cell become one with their phasors added."""
    dataset = tmp_path / "dataset"
    patch = ps_patch(dataset, "PATCH_1", PatchShape(3, seed=1))
    place(patch, [[2, 5], [10, 5], [30, 5]])
    xy = mat.read_variable(patch / "ps2.mat", "xy")
    xy[:, 1:] = [[20, 20], [60, 40], [500, 700]]
    change(patch / "ps2.mat", xy=xy)
    change(dataset / "parms.mat", merge_resample_size=100.0)
    merged = stage5_merge_and_ifgstd(dataset)
    assert merged["ps2.mat"]["n_ps"].item() == 2
    assert merged["ph2.mat"]["ph"].dtype == np.complex128
    assert "phuw2.mat" not in merged
    lines = merged["ps2.mat"]["ij"][:, 1]
    assert 30 in lines
    assert 2 <= min(lines) <= 10
    change(dataset / "parms.mat", merge_standard_dev=1e-3)
    with pytest.raises(PystampsError, match="no patch has PS left to merge"):
        stage5_merge_and_ifgstd(dataset)


def test_a_patch_that_loses_all_goes_through_every_stage(tmp_path: Path) -> None:
    """No random candidate is tolerated: no selection, arrays of no rows."""
    patch = write_patch(tmp_path / "dataset")
    change(tmp_path / "dataset" / "parms.mat", select_method="PERCENT", percent_rand=0.0)
    counts = np.full((1, 100), 3000.0)
    mat.write(tmp_path / "histogram.mat", {"Nr": counts, "Nr_max_nz_ix": 100.0})
    histogram = tmp_path / "histogram.mat"
    write_artefacts(patch, stage2_estimate_gamma(patch, reference_histogram=histogram))
    flags = []
    for stage in (stage3_select_ps, stage4_weed_ps, stage5_correct_and_promote):
        artefacts = stage(patch)
        write_artefacts(patch, artefacts)
        flags.append(artefacts["no_ps_info.mat"]["stamps_step_no_ps"].ravel().tolist())
    assert flags == [[0, 0, 1, 0, 0], [0, 0, 1, 1, 0], [0, 0, 1, 1, 1]]
    assert mat.read_variable(patch / "rc2.mat", "ph_rc").shape == (0, 13)
    with pytest.raises(PystampsError, match="no patch has PS left to merge"):
        stage5_merge_and_ifgstd(tmp_path / "dataset")


def no_window(dataset: Path) -> None:
    """Remove the patch's own area."""
    (dataset / "PATCH_1" / "patch_noover.in").unlink()


def later_result(dataset: Path) -> None:
    """Leave a result of stage 6 in the patch."""
    mat.write(dataset / "PATCH_1" / "phuw2.mat", {"ph_uw": np.zeros((5, 13))})


def wrong_list(dataset: Path) -> None:
    """List a folder that is none."""
    (dataset / "patch.list").write_text("../elsewhere\n", encoding="ascii")


def short_phase(dataset: Path) -> None:
    """Drop the last row of the corrected phase."""
    path = dataset / "PATCH_1" / "rc2.mat"
    change(path, ph_rc=mat.read_variable(path, "ph_rc")[:-1])


def nothing_left(dataset: Path) -> None:
    """Mark the only patch as empty."""
    flags = {"stamps_step_no_ps": np.ones((5, 1))}
    mat.write(dataset / "PATCH_1" / "no_ps_info.mat", flags)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (no_window, r"patch_noover\.in: cannot be read"),
        (later_result, r"phuw2\.mat: results of stages 6 to 8 of a patch are not merged"),
        (wrong_list, r"patch\.list: 'elsewhere' is no patch folder of this dataset"),
        (short_phase, r"rc2\.mat: variable ph_rc has shape \(4, 13\), expected \(5, 13\)"),
        (nothing_left, "no patch has PS left to merge"),
    ],
)
def test_bad_input_is_named(tmp_path: Path, damage: Callable[[Path], None], message: str) -> None:
    """File, variable, expected and found."""
    dataset = tmp_path / "dataset"
    ps_patch(dataset, "PATCH_1", PatchShape(5))
    damage(dataset)
    with pytest.raises(PystampsError, match=message):
        stage5_merge_and_ifgstd(dataset)
