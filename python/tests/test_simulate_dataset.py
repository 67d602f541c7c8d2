"""Prepared datasets of the simulator: what stage 1 needs, and the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from parity.stages import patches_of

from pystamps_shim.errors import PystampsError
from pystamps_shim.pipeline.ported import stage1_load_initial
from pystamps_shim.simulate.dataset import DatasetSize, write_dataset
from pystamps_shim.simulate.scene import PRESETS

SIZE = DatasetSize(candidates=2000, interferograms=9, patches=2)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a small dataset once."""
    folder = tmp_path_factory.mktemp("dataset")
    summary = write_dataset(PRESETS["demo"], SIZE, folder, folder)
    assert summary.candidates == 2000
    assert len(summary.per_patch) == 2
    return folder


@pytest.fixture(scope="module")
def truth(dataset: Path) -> dict[str, NDArray[Any]]:
    """Load its truth."""
    with np.load(dataset / "truth.npz") as archive:
        return dict(archive)


def candidates(patch: Path) -> NDArray[np.int64]:
    """Return id, line, sample of a patch's candidates."""
    return np.loadtxt(patch / "pscands.1.ij", dtype=np.int64, ndmin=2)


def test_patches_cover_the_candidates(dataset: Path) -> None:
    """Windows without overlap part the scene; overlaps only repeat candidates."""
    whole: set[tuple[int, int]] = set()
    inside = 0
    for name in patches_of(dataset):
        patch = dataset / name
        table = candidates(patch)
        np.testing.assert_array_equal(table[:, 0], np.arange(1, len(table) + 1))
        inner = np.loadtxt(patch / "patch_noover.in", dtype=int)
        outer = np.loadtxt(patch / "patch.in", dtype=int)
        lines = table[:, 1] + 1
        assert ((lines >= outer[2]) & (lines <= outer[3])).all()
        inside += int(((lines >= inner[2]) & (lines <= inner[3])).sum())
        whole |= set(zip(table[:, 1].tolist(), table[:, 2].tolist(), strict=True))
        pairs = np.fromfile(patch / "pscands.1.ij.int", dtype=">i4").reshape(-1, 2)
        np.testing.assert_array_equal(pairs[:, ::-1], table[:, 1:])
    assert len(whole) == SIZE.candidates
    assert inside == SIZE.candidates


def test_stage1_reads_it_and_finds_the_true_phase(
    dataset: Path, truth: dict[str, NDArray[Any]]
) -> None:
    """Scatterers carry the truth; clutter does not."""
    checked = 0
    known = dict(
        zip(
            zip(truth["ps_line"].tolist(), truth["ps_sample"].tolist(), strict=True),
            range(len(truth["ps_line"])),
            strict=True,
        )
    )
    for name in patches_of(dataset):
        artefacts = stage1_load_initial(dataset / name, small_baseline=False)
        ij = artefacts["ps1.mat"]["ij"][:, 1:].astype(int).tolist()
        phase = np.delete(artefacts["ph1.mat"]["ph"], int(truth["master"]), axis=1)
        index = np.array([known.get((line, sample), -1) for line, sample in ij])
        steady = index >= 0
        left = phase[steady] * np.exp(-1j * truth["ps_phase_rad"][:, index[steady]].T)
        coherence = abs((left / abs(left)).mean(axis=1))
        assert np.median(coherence) > 0.9
        assert abs(np.angle(left.sum())) < 0.05
        clutter = phase[~steady] / abs(phase[~steady])
        assert abs(clutter.mean()) < 0.05
        checked += int(steady.sum())
    assert checked >= len(known) > 500


def test_candidates_look_selected(dataset: Path) -> None:
    """Amplitude dispersion lies where the selection would have let it pass, six digits."""
    for name in patches_of(dataset):
        text = dataset.joinpath(name, "pscands.1.da").read_text(encoding="ascii").split()
        values = np.array(text, dtype=float)
        assert np.quantile(values, 0.9) < 0.4
        assert values.min() > 0
        assert all(len(word.lstrip("0.").rstrip("e-05")) <= 7 for word in text)


def test_same_seed_same_bytes(dataset: Path, tmp_path: Path) -> None:
    """The folder it will lie in enters the control files only."""
    write_dataset(PRESETS["demo"], SIZE, tmp_path, dataset)
    files = [path.relative_to(dataset) for path in dataset.rglob("*") if path.is_file()]
    assert len(files) > 40
    for name in files:
        assert tmp_path.joinpath(name).read_bytes() == dataset.joinpath(name).read_bytes(), name


def test_control_files_agree(dataset: Path) -> None:
    """Every interferogram listed has its baseline file; rsc.txt names the master's."""
    width, *pairs = dataset.joinpath("pscphase.in").read_text(encoding="utf-8").splitlines()
    assert width == dataset.joinpath("width.txt").read_text(encoding="utf-8").strip()
    assert len(pairs) == SIZE.interferograms
    assert all(Path(pair).with_suffix(".base").is_file() for pair in pairs)
    assert Path(dataset.joinpath("rsc.txt").read_text(encoding="utf-8").strip()).is_file()


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (DatasetSize(10, 9, 1), "--candidates is 10, expected at least 100"),
        (DatasetSize(1000, 0, 1), "--ifgs is 0, expected at least 1"),
        (DatasetSize(1000, 9, 0), "--patches is 0, expected at least 1"),
        (DatasetSize(1000, 9, 10_000), "10000 patches do not fit"),
    ],
)
def test_senseless_sizes_are_named(tmp_path: Path, size: DatasetSize, message: str) -> None:
    """Option, value found, value expected."""
    with pytest.raises(PystampsError, match=message):
        write_dataset(PRESETS["demo"], size, tmp_path, tmp_path)


def test_smallest_dataset(tmp_path: Path) -> None:
    """A hundred candidates and one interferogram still make a dataset."""
    summary = write_dataset(PRESETS["demo"], DatasetSize(100, 1, 1), tmp_path, tmp_path)
    assert summary.per_patch == [100]
    artefacts = stage1_load_initial(tmp_path / "PATCH_1", small_baseline=False)
    assert artefacts["ph1.mat"]["ph"].shape == (100, 2)
