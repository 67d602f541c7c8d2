"""`verify` on what the native stages make of original StaMPS's results."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from parity.oracle import dataset_after

from pystamps_shim.verification import verify_dataset
from pystamps_shim.verification.text import report_text

Native = Callable[..., object]


def test_a_stage_from_the_original_s_stage_before_is_equal(
    native: Native, golden_stages: Path, tmp_path: Path
) -> None:
    """In the strict profile; the merged files are missing before the stage has run."""
    dataset = dataset_after(golden_stages, "T", 4, tmp_path / "dataset")
    reference = dataset_after(golden_stages, "T", 5, tmp_path / "reference")
    assert verify_dataset(dataset, reference).counts()["missing"] > 9
    native("stage", 5, "--dataset", dataset)
    report = verify_dataset(dataset, reference)
    assert report.equal, report_text(report)


@pytest.mark.shared
def test_a_whole_run_agrees_scientifically(native: Native, oracle: Path, tmp_path: Path) -> None:
    """With the original's random numbers; rounding adds up beyond the strict profile alone."""
    reference = dataset_after(oracle, "T", 8, tmp_path / "reference")
    dataset = dataset_after(oracle, "T", 1, tmp_path / "dataset")
    for stage in range(2, 9):
        engine = ["--random-engine", "octave"] if stage in {2, 3, 5} else []
        native("stage", stage, "--dataset", dataset, *engine)
    report = verify_dataset(dataset, reference, profile="scientific")
    assert report.equal, report_text(report)
    assert not verify_dataset(dataset, reference).equal
    again = shutil.copytree(dataset, tmp_path / "again")
    assert verify_dataset(again, dataset).equal
