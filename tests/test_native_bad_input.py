"""Bad input to native stages 2 and 3: a diagnostic or a recorded empty result, nothing lost."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parity.synthetic_patch import MASTER, PatchShape, change, histogram_file, write_patch

from pystamps_shim.io import mat

Native = Callable[..., subprocess.CompletedProcess[str]]
Damage = Callable[[Path], None]


#: Diagnostics about parameters; all others are about data.
WRONG_USAGE = {"parameter-range", "mode-unsupported", "no-interferograms"}


def content(patch: Path) -> dict[str, bytes]:
    """Every file a StaMPS user sees."""
    files = (path for path in patch.parent.rglob("*") if path.is_file())
    return {str(p): p.read_bytes() for p in files if ".pystamps" not in p.parts}


def refused(native: Native, stage: int, patch: Path, name: str, *options: object) -> str:
    """Run a stage that must end in a named diagnostic and leave everything as it was."""
    before = content(patch)
    code = 2 if name in WRONG_USAGE else 1
    result = native("stage", stage, "--patch", patch, *options, exit_code=code)
    assert f"error: [{name}]" in result.stderr, result.stderr
    assert "to do:" in result.stderr
    assert "panicked" not in result.stderr
    assert content(patch) == before
    return result.stderr


def variable(file: str, name: str, edit: Callable[[Any], Any]) -> Damage:
    """Return what changes one variable of a patch."""

    def damage(patch: Path) -> None:
        change(patch / file, **{name: edit(mat.read_variable(patch / file, name))})

    return damage


def parameter(name: str, value: object) -> Damage:
    """Return what changes one parameter of the project."""
    return lambda patch: change(patch.parent / "parms.mat", **{name: value})


def blank(value: complex) -> Callable[[Any], Any]:
    """Return what overwrites one column."""

    def edit(array: Any) -> Any:
        array[:, 3] = value
        return array

    return edit


def first(value: float) -> Callable[[Any], Any]:
    """Return what overwrites one element of the last column."""

    def edit(array: Any) -> Any:
        array[4, -1] = value
        return array

    return edit


STAGE_2 = {
    "zero interferogram": (variable("ph1.mat", "ph", blank(0)), "interferogram-empty"),
    "NaN interferogram": (variable("ph1.mat", "ph", blank(np.nan)), "interferogram-empty"),
    "infinite interferogram": (variable("ph1.mat", "ph", blank(np.inf)), "interferogram-empty"),
    "short phase": (variable("ph1.mat", "ph", lambda a: a[:-1]), "variable-shape"),
    "short baselines": (variable("bp1.mat", "bperp_mat", lambda a: a[:-1]), "variable-shape"),
    "short dispersion": (variable("da1.mat", "D_A", lambda a: a[:-1]), "variable-shape"),
    "short dates": (variable("ps1.mat", "day", lambda a: a[:-1]), "variable-shape"),
    "position NaN": (variable("ps1.mat", "xy", first(np.nan)), "variable-range"),
    "position far off": (variable("ps1.mat", "xy", first(3e7)), "grid-too-large"),
    "baseline infinite": (variable("ps1.mat", "bperp", first(np.inf)), "variable-range"),
    "baselines equal": (variable("ps1.mat", "bperp", lambda a: a * 0), "baselines-equal"),
    "angle NaN": (variable("la1.mat", "la", first(np.nan)), "incidence-unknown"),
    "no phase file": (lambda patch: (patch / "ph1.mat").unlink(), "stage-input-missing"),
    "small cells": (parameter("filter_grid_size", 0.5), "grid-too-large"),
    "large cells": (parameter("filter_grid_size", 109.0), "grid-too-small"),
    "window": (parameter("clap_win", 30.0), "parameter-range"),
    "infinite weight": (parameter("clap_beta", np.inf), "parameter-range"),
    "enormous DEM error": (parameter("max_topo_err", 1e15), "parameter-range"),
    "slow estimator": (parameter("quick_est_gamma_flag", "n"), "mode-unsupported"),
}


@pytest.mark.parametrize(("damage", "name"), STAGE_2.values(), ids=STAGE_2)
def test_stage_2_refuses(native: Native, tmp_path: Path, damage: Damage, name: str) -> None:
    """File, variable, expected and found; the patch stays as it was."""
    patch = write_patch(tmp_path / "dataset")
    damage(patch)
    refused(native, 2, patch, name)


def test_stage_2_refuses_too_few(native: Native, tmp_path: Path) -> None:
    """One candidate has no surroundings; with three interferograms everything is coherent."""
    one = write_patch(tmp_path / "one", PatchShape(candidates=1))
    assert "0 x 0 cells" in refused(native, 2, one, "grid-too-small")
    few = write_patch(tmp_path / "few")
    keep = [0, 1, MASTER]
    for name in ("bperp", "day"):
        variable("ps1.mat", name, lambda a: a[keep])(few)
    change(few / "ps1.mat", n_ifg=3.0, n_image=3.0, master_ix=3.0)
    variable("ph1.mat", "ph", lambda a: a[:, keep])(few)
    variable("bp1.mat", "bperp_mat", lambda a: a[:, :2])(few)
    assert "add interferograms" in refused(native, 2, few, "no-low-coherence")


def test_stage_2_refuses_a_foreign_histogram(native: Native, tmp_path: Path) -> None:
    """Not a histogram, not 100 counts, negative, of other baselines."""
    patch = write_patch(tmp_path / "dataset")
    path = tmp_path / "histogram.mat"
    for variables in (
        {"other": 1.0},
        {"Nr": np.ones((1, 50))},
        {"Nr": -np.ones((1, 100))},
        {"Nr": np.full((1, 100), np.nan)},
        {"Nr": np.ones((1, 100)), "n_trial_wraps": 77.0},
    ):
        mat.write(path, variables)
        refused(native, 2, patch, "reference-histogram", "--reference-histogram", path)


def test_single_bad_candidates_stay_alone(native: Native, tmp_path: Path) -> None:
    """Without phase or baseline: no slope, coherence 0; the others have theirs."""
    patch = write_patch(tmp_path / "dataset")
    histogram = histogram_file(tmp_path, patch)
    phase = mat.read_variable(patch / "ph1.mat", "ph")
    phase[3, 0], phase[5, 1] = 0, np.nan
    change(patch / "ph1.mat", ph=phase)
    baselines = mat.read_variable(patch / "bp1.mat", "bperp_mat")
    baselines[7, 2] = np.nan
    change(patch / "bp1.mat", bperp_mat=baselines)
    (patch / "da1.mat").unlink()
    result = native("stage", 2, "--patch", patch, "--reference-histogram", histogram)
    assert "no da1.mat" in result.stderr
    pm1 = mat.read(patch / "pm1.mat")
    bad = [3, 5, 7]
    assert np.isnan(pm1["K_ps"][bad]).all()
    assert not pm1["coh_ps"][bad].any()
    assert np.isfinite(np.delete(pm1["K_ps"], bad)).all()


def test_an_empty_patch_goes_through_every_stage(native: Native, tmp_path: Path) -> None:
    """Arrays of no rows, marked as such; nothing to merge."""
    patch = write_patch(tmp_path / "dataset", PatchShape(candidates=0))
    for stage in (2, 3, 4, 5):
        native("stage", stage, "--patch", patch)
    assert mat.read_variable(patch / "pm1.mat", "ph_patch").shape == (0, 12)
    assert mat.read_variable(patch / "rc2.mat", "ph_rc").shape == (0, 13)
    marks = mat.read_variable(patch / "no_ps_info.mat", "stamps_step_no_ps")
    assert marks.ravel().tolist() == [0, 1, 1, 1, 1]
    result = native("stage", 5, "--dataset", patch.parent, exit_code=1)
    assert "error: [no-ps]" in result.stderr


@pytest.fixture(scope="module")
def estimated(native_module: Native, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a patch with stage 2's results once."""
    folder = tmp_path_factory.mktemp("estimated")
    patch = write_patch(folder / "dataset")
    histogram = histogram_file(folder, patch)
    native_module("stage", 2, "--patch", patch, "--reference-histogram", histogram)
    return patch


STAGE_3 = {
    "coherence NaN": (variable("pm1.mat", "coh_ps", lambda a: a * np.nan), "variable-shape"),
    "short slopes": (variable("pm1.mat", "K_ps", lambda a: a[:-1]), "variable-shape"),
    "cell outside": (variable("pm1.mat", "grid_ij", lambda a: a + 500), "variable-shape"),
    "wraps infinite": (
        variable("pm1.mat", "n_trial_wraps", lambda a: a + np.inf),
        "variable-shape",
    ),
    "zero interferogram": (variable("ph1.mat", "ph", blank(0)), "interferogram-empty"),
    "no estimates": (lambda patch: (patch / "pm1.mat").unlink(), "stage-input-missing"),
    "method": (parameter("select_method", "BEST"), "parameter-range"),
    "density": (parameter("density_rand", -5.0), "parameter-range"),
    "dropped by name": (parameter("drop_ifg_index", "all"), "parameter-range"),
    "dropped beyond": (parameter("drop_ifg_index", np.array([[14.0]])), "parameter-range"),
    "all dropped": (parameter("drop_ifg_index", np.arange(1.0, 14.0)), "no-interferograms"),
}


@pytest.mark.parametrize(("damage", "name"), STAGE_3.values(), ids=STAGE_3)
def test_stage_3_refuses(
    native: Native, estimated: Path, tmp_path: Path, damage: Damage, name: str
) -> None:
    """File, variable, expected and found; the patch stays as it was."""
    shutil.copytree(estimated.parent, tmp_path / "dataset")
    patch = tmp_path / "dataset" / estimated.name
    damage(patch)
    refused(native, 3, patch, name)


def test_dropping_the_master_changes_nothing(
    native: Native, estimated: Path, tmp_path: Path
) -> None:
    """Its slot holds no interferogram."""
    selected = []
    for index, parameters in enumerate(({}, {"drop_ifg_index": float(MASTER + 1)})):
        shutil.copytree(estimated.parent, tmp_path / str(index))
        change(tmp_path / str(index) / "parms.mat", **parameters)
        patch = tmp_path / str(index) / estimated.name
        native("stage", 3, "--patch", patch)
        selected.append((patch / "select1.mat").read_bytes())
    assert selected[0] == selected[1]
