"""The command `verify`: exit codes, text for people, JSON for machines, progress."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from parity.oracle import dataset_after
from verified_datasets import Datasets, copied

from pystamps_shim import progress
from pystamps_shim.cli import main


@pytest.fixture
def pair(golden_stages: Path, tmp_path: Path) -> Datasets:
    """Return two equal datasets of stages 1 to 4."""
    return copied(dataset_after(golden_stages, "T1", 4, tmp_path / "T1"), tmp_path / "dataset")


def arguments(pair: Datasets, *options: str) -> list[str]:
    """Return the command line."""
    paths = ["--dataset", str(pair.dataset), "--reference", str(pair.reference)]
    return ["verify", *paths, *options]


def spoil(pair: Datasets) -> None:
    """Change one height and remove one file."""
    pair.change(
        "PATCH_1/hgt1.mat", "hgt", lambda values: values + (np.arange(len(values)) == 2)[:, None]
    )
    pair.dataset.joinpath("PATCH_1", "da1.mat").unlink()


def test_text_for_people(pair: Datasets, capsys: pytest.CaptureFixture[str]) -> None:
    """A line a file, a line a variable that differs, a summary; exit codes 0 and 3."""
    assert main(arguments(pair)) == 0
    text = capsys.readouterr().out.splitlines()
    assert "  PATCH_1/ps1.mat         equal, 14 variables" in text
    assert text[-1] == "EQUAL"
    spoil(pair)
    assert main(arguments(pair)) == 3
    captured = capsys.readouterr()
    text = captured.out.splitlines()
    assert not captured.err
    assert "  PATCH_1/da1.mat         MISSING" in text
    place = text.index("  PATCH_1/hgt1.mat        DIFFERS in 1 of 1 variables")
    assert text[place + 1].startswith("      hgt [exact]: 1 of ")
    assert "worst at (2, 0)" in text[place + 1]
    assert "indices count from 0" in text[2]
    assert "1 differs, 1 missing, 0 extra, 0 unreadable" in text[-2]
    assert text[-1] == "DIFFERENT"


def test_json_for_machines(
    pair: Datasets, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One object on stdout, the same in the file, with everything that was measured."""
    spoil(pair)
    out = tmp_path / "report.json"
    options = ["--json", "--report", str(out), "--tolerance", "ph2.mat:ph=1e-4"]
    assert main(arguments(pair, *options, "--through-stage", "2")) == 3
    text = capsys.readouterr().out
    assert text == out.read_text(encoding="utf-8")
    report = json.loads(text)
    assert set(report) == {
        *("schema", "program_version", "dataset", "reference", "profile", "through_stage"),
        *("equal", "counts", "indices_count_from", "findings", "files"),
    }
    assert (report["schema"], report["profile"], report["through_stage"]) == (2, "strict", 2)
    assert report["equal"] is False
    assert report["counts"]["missing"] == report["counts"]["differs"] == 1
    files = {one["file"]: one for one in report["files"]}
    assert set(files["PATCH_1/da1.mat"]) == {"file", "stage", "status", "note", "variables"}
    assert files["PATCH_1/da1.mat"]["status"] == "missing"
    (height,) = files["PATCH_1/hgt1.mat"]["variables"]
    assert set(height) == {
        *("name", "status", "problem", "dataset", "reference", "policy", "measure", "limits"),
        *("share", "reason", "compared", "differing", "cycles", "moved", "worst", "deviation"),
    }
    assert height["worst"]["index"] == height["worst"]["reference_index"] == [2, 0]
    assert height["worst"]["dataset"] == pytest.approx(height["worst"]["reference"] + 1)
    assert height["deviation"] == {"q50": 0.0, "q99": 0.0, "max": 1.0}
    assert height["dataset"] == {"matlab_class": "double", "shape": [height["compared"], 1]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tolerance", "ph2.mat:ph"], "expected FILE:VARIABLE=VALUE"),
        (["--tolerance", "ph2.mat:ph=much"], "expected FILE:VARIABLE=VALUE"),
        (["--tolerance", "ph2.mat:phi=1"], "the nearest name is 'ph'"),
        (["--through-stage", "12"], "--through-stage is 12"),
        (["--products-only", "--through-stage", "3"], "has no effect with --products-only"),
        (["--report", "absent/report.json"], "its folder does not exist"),
        (["--products-only"], "has anything of products"),
    ],
)
def test_wrong_usage(
    pair: Datasets, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    """Exit 2, cause and remedy on stderr, nothing on stdout."""
    assert main(arguments(pair, *options)) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert len(captured.err.splitlines()) == 2
    assert not captured.out


def test_progress_with_an_estimate(
    pair: Datasets, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, and only for work that takes its time."""
    monkeypatch.setattr(progress, "_SILENT_S", 0.0)
    monkeypatch.setattr(progress, "_LOG_INTERVAL_S", 0.0)
    assert main(arguments(pair)) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("verifying files: 1 of ")
    assert "s left" in lines[0]
    assert "done in" in lines[-1]


def test_numpy_is_all_that_it_needs(pair: Datasets) -> None:
    """Neither scipy nor h5py nor the certification is loaded."""
    code = (
        "import sys; from pystamps_shim.cli import main; "
        f"assert main({arguments(pair)!r}) == 0; "
        "sys.exit(sorted({'scipy', 'h5py', 'parity', 'matplotlib'} & set(sys.modules)) or 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 0, result.stderr
