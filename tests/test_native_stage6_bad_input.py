"""Bad input to native stage 6: a diagnostic that names it, nothing lost."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parity.readers import read_mat_file
from parity.synthetic_merged import MergedShape, write_merged
from parity.synthetic_patch import change

from pystamps_shim.io import mat

Native = Callable[..., subprocess.CompletedProcess[str]]
Damage = Callable[[Path], None]

#: Diagnostics about parameters; all others are about data.
WRONG_USAGE = {
    "parameter-range",
    "parameter-value",
    "mode-not-native",
    "interferograms-all-dropped",
    "not-a-project",
    "reference-empty",
}


def phase(edit: Callable[[Any], Any]) -> Damage:
    """Return what changes the corrected phase."""

    def damage(dataset: Path) -> None:
        values = np.array(mat.read_variable(dataset / "rc2.mat", "ph_rc"))
        mat.write(dataset / "rc2.mat", {"ph_rc": edit(values)})

    return damage


def sample(value: complex) -> Damage:
    """Return what overwrites one sample."""

    def edit(values: Any) -> Any:
        values[41, 1] = value
        return values

    return phase(edit)


def parameter(**values: object) -> Damage:
    """Return what changes parameters."""
    return lambda dataset: change(dataset / "parms.mat", **values)


def stack(**values: object) -> Damage:
    """Return what changes variables of ps2.mat."""
    return lambda dataset: change(dataset / "ps2.mat", **values)


def scla(rows: int, value: float) -> Damage:
    """Return what leaves a result of an earlier stage 7."""

    def damage(dataset: Path) -> None:
        slope = np.full((rows, 1), value)
        offset = slope.astype(np.float32)
        mat.write(dataset / "scla_smooth2.mat", {"K_ps_uw": slope, "C_ps_uw": offset})

    return damage


def all_at(x: float, y: float) -> Damage:
    """Return what puts all PS at one place."""

    def damage(dataset: Path) -> None:
        xy = np.array(mat.read_variable(dataset / "ps2.mat", "xy"))
        xy[:, 1], xy[:, 2] = x, y
        change(dataset / "ps2.mat", xy=xy)

    return damage


def far_away(dataset: Path) -> None:
    """Put one PS far away from the others."""
    xy = np.array(mat.read_variable(dataset / "ps2.mat", "xy"))
    xy[7, 1:] = 9e6
    change(dataset / "ps2.mat", xy=xy)


def slope(value: float) -> Damage:
    """Return what overwrites the look-angle error of one PS."""

    def damage(dataset: Path) -> None:
        slopes = np.array(mat.read_variable(dataset / "pm2.mat", "K_ps"))
        slopes[3] = value
        change(dataset / "pm2.mat", K_ps=slopes)

    return damage


def as_patch(dataset: Path) -> None:
    """Make the folder look like a patch."""
    (dataset / "patch_noover.in").write_text("1\n9\n1\n9\n", encoding="ascii")


def truncated(file: str) -> Damage:
    """Return what cuts a file in half."""

    def damage(dataset: Path) -> None:
        raw = (dataset / file).read_bytes()
        (dataset / file).write_bytes(raw[: len(raw) // 2])

    return damage


_ALL = np.arange(1.0, 10.0)

_CASES: dict[str, tuple[Damage, str, str]] = {
    "zero phasor": (sample(0), "phase-missing", "the first at PS 42"),
    "NaN phasor": (sample(complex("nan")), "phase-missing", "drop_ifg_index 2"),
    "infinite phasor": (sample(complex("inf")), "phase-missing", "rc2.mat"),
    "phase of other PS": (phase(lambda values: values[:-1]), "variable-shape", "ph_rc"),
    "truncated phase": (truncated("rc2.mat"), "", "rc2.mat"),
    "no phase": (lambda dataset: (dataset / "rc2.mat").unlink(), "stage-input-missing", "stage 5"),
    "grid below the window": (
        parameter(unwrap_grid_size=500.0),
        "grid-too-small",
        "unwrap_gold_n_win",
    ),
    "all PS in one cell": (all_at(5.0, 5.0), "grid-too-small", "0 x 0"),
    "a PS far away": (far_away, "grid-too-large", "x = 9000000 m"),
    "no PS": (stack(xy=np.zeros((0, 3), np.float32), n_ps=0.0), "no-ps", "ps2.mat"),
    "all dropped": (
        parameter(drop_ifg_index=_ALL),
        "interferograms-all-dropped",
        "drop_ifg_index",
    ),
    "an interferogram that is not there": (
        parameter(drop_ifg_index=10.0),
        "parameter-range",
        "1 to 9",
    ),
    "a mode that does not exist": (parameter(unwrap_method="4D"), "parameter-range", "3D_FULL"),
    "a window that is none": (parameter(unwrap_gold_n_win=-3.0), "parameter-range", "gold_n_win"),
    "an odd window": (parameter(unwrap_gold_n_win=31.0), "parameter-range", "even"),
    "no time": (parameter(unwrap_time_win=0.0), "parameter-range", "unwrap_time_win"),
    "negative cells": (parameter(unwrap_grid_size=-1.0), "parameter-range", "unwrap_grid_size"),
    "NaN alpha": (parameter(unwrap_gold_alpha=float("nan")), "parameter-range", "gold_alpha"),
    "an exponent that overflows": (
        parameter(unwrap_gold_alpha=1000.0),
        "parameter-range",
        "0 to 20",
    ),
    "NaN slope": (slope(float("nan")), "phase-missing", "pm2.mat"),
    "a patch": (as_patch, "not-a-project", "--dataset"),
    "coordinates that are no cells": (
        parameter(unwrap_grid_size=0.0),
        "cells-impossible",
        "unwrap_grid_size",
    ),
    "an error too large to try": (parameter(max_topo_err=1e9), "parameter-range", "max_topo_err"),
    "an unknown correction": (
        parameter(subtr_tropo="y", tropo_method="a_nonsense"),
        "parameter-range",
        "a_gacos",
    ),
    "an earlier pass of other PS": (scla(7, 0.1), "variable-shape", "scla_smooth2.mat"),
    "an earlier pass without values": (scla(1200, float("nan")), "phase-missing", "stage 7"),
    "an impossible incidence": (
        stack(mean_incidence=float("nan")),
        "incidence-unknown",
        "mean_incidence",
    ),
}


def content(dataset: Path) -> dict[str, bytes]:
    """Every file a StaMPS user sees."""
    files = (path for path in dataset.rglob("*") if path.is_file())
    return {str(p): p.read_bytes() for p in files if ".pystamps" not in p.parts}


@pytest.mark.parametrize(("damage", "name", "words"), _CASES.values(), ids=list(_CASES))
def test_refused(native: Native, tmp_path: Path, damage: Damage, name: str, words: str) -> None:
    """A named diagnostic with what to do; the project is as it was."""
    dataset = write_merged(tmp_path / "dataset").folder
    damage(dataset)
    before = content(dataset)
    code = 2 if name in WRONG_USAGE else 1
    result = native("stage", 6, "--dataset", dataset, exit_code=code)
    assert f"error: [{name}" in result.stderr, result.stderr
    assert words in result.stderr
    assert "to do:" in result.stderr
    assert "panicked" not in result.stderr
    assert content(dataset) == before


def far_node(plane: Any, cells: Any) -> Any:
    """Let a cell without PS name the node that is farthest from it."""
    taken = {(int(row), int(column)) for row, column in cells - 1}
    row, column = next(place for place in np.ndindex(plane.shape) if place not in taken)
    far = np.hypot(cells[:, 0] - row - 1, cells[:, 1] - column - 1).argmax()
    plane[row, column] = far + 1
    return plane


def first_cell(value: float) -> Callable[[Any, Any], Any]:
    """Return what overwrites the node of the first cell."""

    def edit(plane: Any, _: Any) -> Any:
        plane[0, 0] = value
        return plane

    return edit


_NODES: dict[str, tuple[Callable[[Any, Any], Any], tuple[str, ...]]] = {
    "another shape": (lambda plane, _: plane[:-1], ("variable: Z\n", "expected: numbers,")),
    "number 0": (first_cell(0), ("Z(1, 1)", "a whole number from 1 to", "found:    0\n")),
    "a number too large": (first_cell(1e9), ("Z(1, 1)", "found:    1000000000\n")),
    "half a number": (first_cell(1.5), ("Z(1, 1)", "found:    1.5\n")),
    "a node far away": (far_node, ("Z(", "such as", "cells")),
    "another node's cell": (
        lambda plane, cells: np.where(plane == plane[tuple(cells[5].astype(int) - 1)], 1, plane),
        ("Z(", "expected: 6, the cell's own node"),
    ),
}


@pytest.mark.parametrize(("edit", "words"), _NODES.values(), ids=list(_NODES))
def test_nearest_nodes_that_are_none(
    native: Native, tmp_path: Path, edit: Callable[[Any, Any], Any], words: tuple[str, ...]
) -> None:
    """A file of another grid, or of anything else, names cell, found and expected."""
    dataset = write_merged(tmp_path / "dataset").folder
    native("stage", 6, "--dataset", dataset)
    plane = np.array(mat.read_variable(dataset / "uw_interp.mat", "Z"))
    cells = np.array(mat.read_variable(dataset / "uw_grid.mat", "ij"))
    given = tmp_path / "given.mat"
    mat.write(given, {"Z": edit(plane, cells)})
    before = content(dataset)
    command = ("stage", 6, "--dataset", dataset, "--force", "--nearest-nodes")
    result = native(*command, given, exit_code=1)
    assert "error: [nearest-nodes]" in result.stderr, result.stderr
    for word in ("given.mat", *words, "to do:"):
        assert word in result.stderr, result.stderr
    native(*command, tmp_path / "missing.mat", exit_code=1)
    assert content(dataset) == before


def test_clusters_far_apart_and_ps_on_top_of_each_other(native: Native, tmp_path: Path) -> None:
    """Neither is an error: the grid connects everything, and PS of one place share a node."""
    dataset = write_merged(tmp_path / "dataset").folder
    xy = np.array(mat.read_variable(dataset / "ps2.mat", "xy"))
    xy[:600, 1:] = np.float32(10)
    xy[600:, 1:] = xy[600:, 1:] / 8 + np.float32(9_000)
    change(dataset / "ps2.mat", xy=xy)
    native("stage", 6, "--dataset", dataset)
    native("verify-unwrap", "--dataset", dataset)
    phase_rad = read_mat_file(dataset / "phuw2.mat")["ph_uw"].values
    assert np.isfinite(phase_rad).all()


def test_costs_that_do_not_fit_16_bits_are_counted(native: Native, tmp_path: Path) -> None:
    """Lengths of long walls between few PS exceed the largest variance of SNAPHU's file."""
    dataset = write_merged(
        tmp_path / "dataset", MergedShape(ps=20, extent_m=8000.0, cell_m=10.0)
    ).folder
    change(dataset / "parms.mat", unwrap_method="2D")
    result = native("stage", 6, "--dataset", dataset)
    assert "cut at 16 bits" in result.stdout
    native("verify-unwrap", "--dataset", dataset)


def test_noise_without_phase_is_named(native: Native, tmp_path: Path) -> None:
    """NaN in the smoothed phase leaves no covariance to weigh interferograms with."""
    dataset = write_merged(tmp_path / "dataset", MergedShape(small_baseline=True)).folder
    smoothed = np.array(mat.read_variable(dataset / "pm2.mat", "ph_patch"))
    smoothed[10, 3] = np.nan
    change(dataset / "pm2.mat", ph_patch=smoothed)
    before = content(dataset)
    result = native("stage", 6, "--dataset", dataset, exit_code=1)
    assert "[phase-missing]" in result.stderr
    assert "ph_patch(:, 4)" in result.stderr
    assert "PS 11" in result.stderr
    assert content(dataset) == before


def test_later_results_are_not_lost_without_force(native: Native, tmp_path: Path) -> None:
    """Neither where another program has unwrapped, nor where a part of its results is gone."""
    dataset = write_merged(tmp_path / "dataset").folder
    mat.write(dataset / "scn2.mat", {"ph_scn_slave": np.zeros((1200, 9))})
    result = native("stage", 6, "--dataset", dataset, exit_code=1)
    assert "[results-would-be-lost]" in result.stderr
    unwrapped = {"ph_uw": np.zeros((1200, 9), np.float32), "msd": np.zeros((9, 1), np.float32)}
    mat.write(dataset / "phuw2.mat", unwrapped)
    result = native("stage", 6, "--dataset", dataset, exit_code=1)
    assert "there is no uw_phaseuw.mat, uw_grid.mat" in result.stderr
    for name in ("uw_phaseuw", "uw_grid", "uw_interp", "uw_space_time"):
        mat.write(dataset / f"{name}.mat", {"n_ifg": 9.0})
    before = content(dataset)
    assert "another program" in native("stage", 6, "--dataset", dataset).stdout
    assert content(dataset) == before
    native("stage", 6, "--dataset", dataset, "--force")
    assert not (dataset / "scn2.mat").exists()


def test_a_folder_of_the_users_stays(native: Native, tmp_path: Path) -> None:
    """Whatever SNAPHU runs somebody keeps in the project."""
    dataset = write_merged(tmp_path / "dataset").folder
    (dataset / "snaphu_keep").mkdir()
    (dataset / "snaphu_keep" / "notes.txt").write_text("mine", encoding="ascii")
    native("stage", 6, "--dataset", dataset, "--keep-costs")
    native("stage", 6, "--dataset", dataset, "--force")
    assert (dataset / "snaphu_keep" / "notes.txt").exists()
    assert not (dataset / "pystamps_costs").exists()


def test_isolated_images_of_small_baselines(native: Native, tmp_path: Path) -> None:
    """Without the bridges between two groups of images there is no inversion."""
    dataset = write_merged(tmp_path / "dataset", MergedShape(small_baseline=True)).folder
    pairs = np.array(mat.read_variable(dataset / "ps2.mat", "ifgday_ix"))
    across = (pairs[:, 0] <= 5) != (pairs[:, 1] <= 5)
    change(dataset / "parms.mat", drop_ifg_index=np.flatnonzero(across) + 1.0)
    before = content(dataset)
    result = native("stage", 6, "--dataset", dataset, exit_code=1)
    assert "[images-isolated]" in result.stderr
    assert content(dataset) == before


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"unwrap_hold_good_values": "y"}, "mode-not-native"),
        ({"ref_lon": np.array([[1.0, 2.0]])}, "reference-empty"),
    ],
)
def test_refused_with_small_baselines(
    native: Native, tmp_path: Path, parameters: dict[str, object], name: str
) -> None:
    """What acts on small baselines only."""
    dataset = write_merged(tmp_path / "dataset", MergedShape(small_baseline=True)).folder
    change(dataset / "parms.mat", **parameters)
    result = native("stage", 6, "--dataset", dataset, exit_code=2)
    assert f"[{name}]" in result.stderr
