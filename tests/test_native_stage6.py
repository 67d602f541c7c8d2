"""Native stage 6 against original StaMPS: grid, edges, series, costs, and solutions with proofs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from parity.oracle import UNWRAPPING_VARIANTS, dataset_after, stage_folder
from parity.readers import read_mat_file
from parity.snaphu_files import KeptProblem
from parity.stages import compare_stage
from scipy.io import loadmat

Native = Callable[..., subprocess.CompletedProcess[str]]

_SCENES = ["T", "T_it2", "T_opt", "T_opt_iter1", "T_d1", "L", "S", *UNWRAPPING_VARIANTS]
_GRADIENTS = "uw_3D_FULL_scfy_lay"


def unwrap_and_compare(
    native: Native, folder: Path, name: str, target: Path, *options: object
) -> Path:
    """Run stage 6 from the original's stage 5 and compare all artefacts; the certificates hold."""
    dataset = dataset_after(folder, name, 5, target)
    native("stage", 6, "--dataset", dataset, "--keep-costs", *options)
    want = stage_folder(folder, name, 6)
    profile = "gradient" if name == _GRADIENTS else None
    report = compare_stage(6, want, dataset, profile=profile)
    assert report.compared > 25
    assert not report.differences, str(report)
    native("verify-unwrap", "--dataset", dataset)
    log = json.loads((dataset / "uw_solver.json").read_text(encoding="utf-8"))
    assert all(record["gap"] == 0 for record in log["interferograms"])
    if name != _GRADIENTS:  # Ties of the interpolation there decide about steps of the costs.
        compare_with_snaphu(want, dataset, log)
    return dataset


def compare_with_snaphu(want: Path, dataset: Path, log: dict[str, object]) -> None:
    """SNAPHU is handed the same bytes, and no solution of its costs less."""
    records = log["interferograms"]
    assert isinstance(records, list)
    ours = sorted(dataset.glob("pystamps_costs/*"))
    assert len(ours) == len(records)
    last = want / "snaphu.costinfile"
    if last.exists():
        assert (ours[-1] / last.name).read_bytes() == last.read_bytes()
    for theirs in sorted(want.glob("snaphu_keep/*")):
        costs = dataset / "pystamps_costs" / theirs.name / "snaphu.costinfile"
        assert costs.read_bytes() == (theirs / "snaphu.costinfile").read_bytes(), theirs.name
        if (theirs / "snaphu.out").exists():
            kept = KeptProblem.read(theirs, tuple(log["grid"]))  # type: ignore[arg-type]
            record = records[int(theirs.name) - 1]
            assert record["objective"] <= int(kept.problem.cost(kept.flow).sum()), theirs.name


@pytest.mark.parametrize("name", ["T", "T_it2"])
def test_golden(native: Native, golden_unwrapping: Path, name: str, tmp_path: Path) -> None:
    """A first pass, and a second one without what stage 7 has found."""
    unwrap_and_compare(native, golden_unwrapping, name, tmp_path / "dataset")


@pytest.mark.shared
@pytest.mark.parametrize("name", _SCENES)
def test_oracle(native: Native, oracle: Path, name: str, tmp_path: Path) -> None:
    """All scenes and methods."""
    unwrap_and_compare(native, oracle, name, tmp_path / "dataset")


@pytest.mark.shared
def test_nearest_nodes_of_another_tie_rule(native: Native, oracle: Path, tmp_path: Path) -> None:
    """A run of the original's that chose the highest of equally near nodes can be followed."""
    name = "uw_tie_highest"
    given = stage_folder(oracle, name, 6) / "uw_interp.mat"
    options = ("--nearest-nodes", given)
    dataset = unwrap_and_compare(native, oracle, name, tmp_path / "dataset", *options)
    nodes, ours = (
        loadmat(path)["Z"] for path in (given, stage_folder(oracle, "T", 6) / "uw_interp.mat")
    )
    assert (nodes != ours).sum() > 100
    assert (loadmat(dataset / "uw_interp.mat")["Z"] == nodes).all()
    assert "current" in native("stage", 6, "--dataset", dataset, *options).stdout
    edges = loadmat(dataset / "uw_interp.mat")["n_edge"].item()
    assert edges != loadmat(stage_folder(oracle, "T", 6) / "uw_interp.mat")["n_edge"].item()
    for stage in (7, 8):
        native("stage", stage, "--dataset", dataset)
    assert len(read_mat_file(dataset / "uw_space_time.mat")["dph_space_uw"].values) == edges
    # Without the option its own rule acts again: the results are no longer current.
    native("stage", 6, "--dataset", dataset, "--invalidate")
    assert (loadmat(dataset / "uw_interp.mat")["Z"] == ours).all()


@pytest.mark.shared
def test_kept_files_are_those_of_snaphu(native: Native, oracle: Path, tmp_path: Path) -> None:
    """Input and configuration too: input to rounding, configuration to the byte."""
    dataset = dataset_after(oracle, "T", 5, tmp_path / "dataset")
    native("stage", 6, "--dataset", dataset, "--keep-costs")
    for theirs in sorted((stage_folder(oracle, "T", 6) / "snaphu_keep").iterdir()):
        ours = dataset / "pystamps_costs" / theirs.name
        assert (ours / "snaphu.conf").read_text() == (theirs / "snaphu.conf").read_text()
        found, want = (np.fromfile(f / "snaphu.in", np.complex64) for f in (ours, theirs))
        assert np.abs(found - want).max() < 1e-5
