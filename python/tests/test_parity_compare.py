"""The comparator must fail when something is wrong: every policy, class, shape, file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from numpy.typing import NDArray
from parity.compare import check_shape
from parity.golden import golden_scene, read_manifest
from parity.oracle import Scene
from parity.stages import compare_in_memory, compare_stage

from pystamps_shim.pipeline.ported import stage1_load_initial
from pystamps_shim.verification.contracts import load_contract
from pystamps_shim.verification.texts import compare_text

Doubles = NDArray[np.float64]


def test_one_mutated_value_is_found(golden: Scene, tmp_path: Path) -> None:
    """Changing the last bit of one baseline makes the comparison fail, there only."""
    dataset = golden.prepared(tmp_path / "dataset")
    artefacts = stage1_load_initial(dataset / "PATCH_1", small_baseline=False)
    baselines = artefacts["bp1.mat"]["bperp_mat"]
    baselines[7, 3] = np.nextafter(baselines[7, 3], np.float32(np.inf))
    report = compare_in_memory(1, golden.stage("stage1") / "PATCH_1", artefacts)
    assert len(report.differences) == 1
    assert "bp1.mat:bperp_mat: 1 of 6920 values differ; worst at (7, 3)" in str(report)


def copy_of(source: Path, target: Path) -> Path:
    """Copy a dataset folder, writable."""
    shutil.copytree(source, target)
    for path in target.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return target


def flip_byte_before_last(path: Path) -> None:
    """Change one byte of a file, not a final newline."""
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(bytes(content))


def test_identical_folders_agree(golden: Scene, tmp_path: Path) -> None:
    """A folder agrees with its copy in both contracts."""
    for stage, directory in ((0, "stage0_prep"), (1, "stage1")):
        source = golden.stage(directory)
        report = compare_stage(stage, source, copy_of(source, tmp_path / directory))
        assert report.compared > 50
        assert not report.differences, str(report)


@pytest.mark.parametrize(
    ("stage", "file", "damage", "message"),
    [
        (0, "PATCH_3/pscands.1.ll", flip_byte_before_last, "1 bytes differ, first at 7486"),
        (0, "PATCH_1/pscands.1.ij0", Path.unlink, "missing"),
        (0, "calamp.out", flip_byte_before_last, "line 9 is"),
        (1, "PATCH_2/la1.mat", Path.unlink, "missing"),
    ],
)
def test_damaged_files_are_found(  # noqa: PLR0917 - pytest passes them by name
    golden: Scene,
    tmp_path: Path,
    stage: int,
    file: str,
    damage: Callable[[Path], None],
    message: str,
) -> None:
    """One damaged or missing file is one difference."""
    source = golden.stage("stage1" if stage else "stage0_prep")
    copy = copy_of(source, tmp_path / "copy")
    damage(copy / file)
    report = compare_stage(stage, source, copy)
    assert len(report.differences) == 1
    assert file in str(report)
    assert message in str(report)


def test_changed_class_shape_and_surplus_variables_are_found(golden: Scene, tmp_path: Path) -> None:
    """Class and shape are strict, and nothing may hide in a file."""
    source = golden.stage("stage1")
    copy = copy_of(source, tmp_path / "copy")
    path = copy / "PATCH_1" / "da1.mat"
    dispersion = scipy.io.loadmat(path)["D_A"]
    for content, message in (
        ({"D_A": dispersion.astype(np.float32)}, "class of the candidate is single"),
        ({"D_A": dispersion.T}, "shape (1, 865)"),
        ({"D_A": dispersion, "stale": 1.0}, "stale: not in the contract"),
    ):
        scipy.io.savemat(path, content)
        report = compare_stage(1, source, copy)
        assert report.differences
        assert message in str(report)


def test_shape_symbols_bind_once() -> None:
    """The same symbol must mean the same size throughout a patch."""
    symbols: dict[str, int] = {}
    assert check_shape(symbols, ["N", "M"], (5, 2)) is None
    assert check_shape(symbols, ["N", 1], (5, 1)) is None
    assert check_shape(symbols, ["N", 1], (6, 1)) is not None
    assert check_shape(symbols, [1, "any"], (1, 99)) is None


def test_text_substitution() -> None:
    """Placeholders of the reference stand for real paths; anything else differs."""
    assert compare_text("@E@/a 1\n", "/x/a 1\n", {"@E@": "/x"}) is None
    problem = compare_text("@E@/a 1\n", "/x/a 2\n", {"@E@": "/x"})
    assert problem == "line 1 is '/x/a 2', want '/x/a 1'"
    assert compare_text("a\n", "a", {}) is not None


def test_contracts_name_every_oracle_variable() -> None:
    """Both kinds of dataset load; a tolerance always carries its reason."""
    for stage in (0, 1):
        for small_baseline in (False, True):
            contract = load_contract(stage, small_baseline=small_baseline)
            assert len(contract) > 8
            for artefact in contract:
                for variable in artefact.variables:
                    assert (variable.tolerance == 0) or variable.reason


def test_golden_archive_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member that does not have its recorded hash is refused."""
    manifest = read_manifest()
    manifest["archives"]["P"]["members"]["P/stage1/patch.list"] = "0" * 64
    monkeypatch.setattr("parity.golden.read_manifest", lambda: manifest)
    with pytest.raises(ValueError, match=r"patch\.list"):
        golden_scene(tmp_path)
