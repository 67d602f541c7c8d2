"""Native stages 2 to 5 against original StaMPS, each from the original's stage before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from parity.compare import Report
from parity.oracle import ParameterValue, dataset_after, stage_folder
from parity.readers import read_mat_file
from parity.stages import compare_stage, patches_of

Native = Callable[..., object]
Edges = Callable[[Path], list[object]]

_VARIANTS = [
    *(f"density_rand_{number}" for number in ("0.5", "1", "2", "5", "10")),
    *(f"PERCENT_{number}" for number in ("1", "5", "20")),
]


def run_patches(native: Native, stage: int, dataset: Path, options: Edges | None = None) -> None:
    """Run a stage on every patch; `options` gives more arguments for each."""
    for patch in patches_of(dataset):
        extra = options(dataset / patch) if options else []
        engine = ["--random-engine", "octave"] if stage != 4 else []
        native("stage", stage, "--patch", dataset / patch, *engine, *extra)


def assert_same(report: Report, least: int) -> None:
    """Expect no difference in more than `least` comparisons."""
    assert report.compared > least
    assert not report.differences, str(report)


def test_golden_stages_2_to_4(native: Native, golden_stages: Path, tmp_path: Path) -> None:
    """One patch, each stage from the original's stage before, with the original's edges."""
    for stage in (2, 3, 4):
        dataset = dataset_after(golden_stages, "T1", stage - 1, tmp_path / str(stage))
        want = stage_folder(golden_stages, "T1", stage)
        options: dict[int, list[object]] = {
            2: ["--reference-histogram", want / "PATCH_1" / "pm1.mat"],
            4: ["--edges", want / "PATCH_1" / "psweed.2.edge"],
        }
        native("stage", stage, "--patch", dataset / "PATCH_1", *options.get(stage, []))
        profile = "oracle_edges" if stage == 4 else None
        assert_same(compare_stage(stage, want, dataset, profile=profile), 35)


def test_golden_stage_5(native: Native, golden_stages: Path, tmp_path: Path) -> None:
    """Two patches corrected and merged."""
    dataset = dataset_after(golden_stages, "T", 4, tmp_path / "dataset")
    native("stage", 5, "--dataset", dataset)
    assert_same(compare_stage(5, stage_folder(golden_stages, "T", 5), dataset), 60)


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
@pytest.mark.parametrize("name", ["T", "L", "D", "S", "T_snr"])
def test_stage2(native: Native, oracle: Path, name: str, tmp_path: Path) -> None:
    """The whole iteration with the original's random histogram."""
    dataset = dataset_after(oracle, name, 1, tmp_path / "dataset")
    base = "T" if name == "T_snr" else name

    def reference(patch: Path) -> list[object]:
        drawn = stage_folder(oracle, base, 2) / patch.name / "oracle_rand.mat"
        return ["--reference-histogram", drawn]

    run_patches(native, 2, dataset, reference)
    report = compare_stage(2, stage_folder(oracle, name, 2), dataset)
    assert_same(report, 40)


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


@pytest.mark.shared
@pytest.mark.parametrize("name", ["T", "L", "D", "S"])
def test_stage3(native: Native, oracle: Path, name: str, tmp_path: Path) -> None:
    """The same candidates selected and kept; D has thresholds that depend on dispersion."""
    dataset = dataset_after(oracle, name, 2, tmp_path / "dataset")
    run_patches(native, 3, dataset)
    assert_same(compare_stage(3, stage_folder(oracle, name, 3), dataset), 35)


@pytest.mark.shared
@pytest.mark.parametrize("variant", _VARIANTS)
def test_stage3_with_other_targets(
    native: Native, oracle: Path, variant: str, tmp_path: Path
) -> None:
    """The second threshold alone, from the coherence of the base run."""
    kind, number = variant.rsplit("_", 1)
    parameters: dict[str, ParameterValue] = {kind: float(number)}
    if kind == "PERCENT":
        parameters = {"select_method": kind, "percent_rand": float(number)}
    dataset = dataset_after(oracle, "T", 3, tmp_path / "dataset", parameters)
    run_patches(native, 3, dataset, lambda _: ["--reuse-coherence", "--force"])
    for patch in patches_of(dataset):
        want = read_mat_file(
            oracle / "T" / "variants" / f"select_{variant}" / patch / "select1.mat"
        )
        found = read_mat_file(dataset / patch / "select1.mat")
        np.testing.assert_array_equal(found["keep_ix"].values, want["keep_ix"].values)
        np.testing.assert_array_equal(found["ix"].values, want["ix"].values)
        threshold = found["coh_thresh"].values - want["coh_thresh"].values
        assert np.abs(threshold).max() <= 1e-6


@pytest.mark.shared
@pytest.mark.parametrize("own_edges", [False, True], ids=["oracle's edges", "own edges"])
@pytest.mark.parametrize("name", ["T", "T_d1", "L", "S"])
def test_stage4(native: Native, oracle: Path, name: str, own_edges: bool, tmp_path: Path) -> None:
    """The same PS left, and everything promoted as it was."""
    dataset = dataset_after(oracle, name, 3, tmp_path / "dataset")
    want = stage_folder(oracle, name, 4)

    def edges(patch: Path) -> list[object]:
        file = want / patch.name / "psweed.2.edge"
        return [] if own_edges or not file.exists() else ["--edges", file]

    run_patches(native, 4, dataset, edges)
    profile = None if own_edges else "oracle_edges"
    assert_same(compare_stage(4, want, dataset, profile=profile), 80)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["T", "T_d1", "L"])
def test_stage5(native: Native, oracle: Path, name: str, tmp_path: Path) -> None:
    """Corrected phase of the patches, and the merged project."""
    dataset = dataset_after(oracle, name, 4, tmp_path / "dataset")
    native("stage", 5, "--dataset", dataset, "--random-engine", "octave")
    assert_same(compare_stage(5, stage_folder(oracle, name, 5), dataset), 60)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["T", "L"])
def test_chain_from_our_own_results(
    native: Native, oracle: Path, name: str, tmp_path: Path
) -> None:
    """Stages 2 to 5 one after another: the PS of the original, all but a few."""
    dataset = dataset_after(oracle, name, 1, tmp_path / "dataset")
    for stage in (2, 3, 4):
        run_patches(native, stage, dataset)
    native("stage", 5, "--dataset", dataset)
    found, want = (
        {tuple(row[1:]) for row in read_mat_file(folder / "ps2.mat")["ij"].values.tolist()}
        for folder in (dataset, stage_folder(oracle, name, 5))
    )
    assert len(found & want) / len(found | want) >= 0.995
