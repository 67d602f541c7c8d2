"""Stage 6 with the nearest nodes of another run, which broke ties by another rule."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from parity.oracle import dataset_after, stage_folder
from parity.readers import read_mat_file
from scipy.io import loadmat

Native = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.shared
def test_another_tie_rule_is_followed(native: Native, oracle: Path, tmp_path: Path) -> None:
    """Stages 6 to 8 use the nodes handed in; without them the own rule acts again."""
    dataset = dataset_after(oracle, "T", 5, tmp_path / "dataset")
    given = stage_folder(oracle, "uw_tie_highest", 6) / "uw_interp.mat"
    options = ("--nearest-nodes", given)
    native("stage", 6, "--dataset", dataset, *options)
    native("verify-unwrap", "--dataset", dataset)
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
    native("stage", 6, "--dataset", dataset, "--invalidate")
    assert (loadmat(dataset / "uw_interp.mat")["Z"] == ours).all()
