"""Native stages 2 to 4 one after another, and the random phase that stage 2 draws."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from parity.oracle import dataset_after, stage_folder
from parity.readers import read_mat_file
from parity.stages import patches_of

Native = Callable[..., object]


def run_patches(native: Native, stage: int, dataset: Path) -> None:
    """Run a stage on every patch, with the random numbers of Octave."""
    for patch in patches_of(dataset):
        engine = ["--random-engine", "octave"] if stage != 4 else []
        native("stage", stage, "--patch", dataset / patch, *engine)


def test_golden_chain(native: Native, golden_stages: Path, tmp_path: Path) -> None:
    """Stages 2 to 4 from our own results, with our own edges: the PS of the original."""
    dataset = dataset_after(golden_stages, "T1", 1, tmp_path / "dataset")
    reference = stage_folder(golden_stages, "T1", 2) / "PATCH_1" / "pm1.mat"
    native("stage", 2, "--patch", dataset / "PATCH_1", "--reference-histogram", reference)
    for stage in (3, 4):
        run_patches(native, stage, dataset)
    found, want = (
        {tuple(row[1:]) for row in read_mat_file(folder / "ps2.mat")["ij"].values.tolist()}
        for folder in (dataset / "PATCH_1", stage_folder(golden_stages, "T1", 4) / "PATCH_1")
    )
    assert len(found & want) / len(found | want) >= 0.995


@pytest.mark.shared
def test_stage2_draws_the_random_phase_of_octave(
    native: Native, oracle: Path, tmp_path: Path
) -> None:
    """Histograms of our own draws differ by a few counts that lie on a bin's edge."""
    dataset = dataset_after(oracle, "T", 1, tmp_path / "dataset")
    run_patches(native, 2, dataset)
    for patch in patches_of(dataset):
        cached = _histograms(dataset)
        drawn = read_mat_file(oracle / "T" / "stage2" / patch / "oracle_rand.mat")["coh_rand"]
        edges = np.append(np.arange(1, 100) / 100, np.inf)
        want = np.diff(np.searchsorted(np.sort(drawn.values.ravel()), edges, side="right"))
        differences = [np.abs(counts[1:] - want).sum() for counts in cached]
        assert min(differences) <= 10
        coherence = read_mat_file(dataset / patch / "pm1.mat")["coh_ps"].values
        original = read_mat_file(oracle / "T" / "stage2" / patch / "pm1.mat")["coh_ps"].values
        assert np.quantile(np.abs(coherence - original), 0.99) < 1e-5


def _histograms(dataset: Path) -> list[NDArray[Any]]:
    files = sorted(dataset.glob(".pystamps/cache/random-coherence-*.mat"))
    assert len(files) == len(patches_of(dataset))
    return [read_mat_file(path)["Nr"].values.ravel() for path in files]
