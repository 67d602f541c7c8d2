"""The Python reference of stage 1 against original StaMPS, and its single rules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from parity.oracle import Scene, shared_scene
from parity.stages import compare_in_memory, compare_stage, patches_of

from pystamps_shim.errors import PystampsError
from pystamps_shim.pipeline.ported import stage1_load_initial
from pystamps_shim.reference import geometry
from pystamps_shim.reference.dates import datenum
from pystamps_shim.reference.gamma_text import GammaText
from pystamps_shim.reference.outputs import write_artefacts


def assert_reference_agrees(scene: Scene, target: Path) -> None:
    """Run the reference on every patch of `scene` and compare by the contract."""
    dataset = scene.prepared(target)
    patches = patches_of(dataset)
    for patch in patches:
        artefacts = stage1_load_initial(dataset / patch)
        report = compare_in_memory(1, scene.stage("stage1") / patch, artefacts)
        assert report.compared > 20
        assert not report.differences, str(report)
    assert patches


def test_golden_scene(golden: Scene, tmp_path: Path) -> None:
    """Four patches, NaN rows and water: exact in every variable."""
    assert_reference_agrees(golden, tmp_path / "dataset")


@pytest.mark.shared
@pytest.mark.parametrize("name", ["P", "T", "L", "S"])
def test_oracle_scene(oracle: Path, name: str, tmp_path: Path) -> None:
    """Every oracle scene, small baselines (S) included."""
    assert_reference_agrees(shared_scene(oracle, name), tmp_path / "dataset")


def test_written_files_agree_with_golden(golden: Scene, tmp_path: Path) -> None:
    """What the write step puts on disk, read by scipy, equals original StaMPS's files."""
    dataset = golden.prepared(tmp_path / "dataset")
    for patch in patches_of(dataset):
        write_artefacts(dataset / patch, stage1_load_initial(dataset / patch))
    report = compare_stage(1, golden.stage("stage1"), dataset, golden.substitutions)
    assert report.compared > 200
    assert not report.differences, str(report)


@pytest.mark.shared
def test_small_baselines_list(oracle: Path, tmp_path: Path) -> None:
    """The text table of date pairs has Octave's format."""
    scene = shared_scene(oracle, "S")
    dataset = scene.prepared(tmp_path / "dataset")
    write_artefacts(dataset / "PATCH_1", stage1_load_initial(dataset / "PATCH_1"))
    written = dataset.joinpath("small_baselines.list").read_bytes()
    assert written == scene.stage("stage1").joinpath("small_baselines.list").read_bytes()


def test_master_after_every_slave_is_appended(golden: Scene, tmp_path: Path) -> None:
    """The original fails here; the recommended reading appends the master."""
    dataset = golden.prepared(tmp_path / "dataset")
    listing = dataset / "pscphase.in"
    width, *paths = listing.read_text(encoding="utf-8").splitlines()
    earlier = [path for path in paths if path[-13:-5] < "20210224"]
    listing.write_text("\n".join([width, *earlier]) + "\n", encoding="utf-8")
    phase = dataset / "PATCH_1" / "pscands.1.ph"
    count = phase.stat().st_size // 8 // len(paths)
    phase.write_bytes(phase.read_bytes()[: count * 8 * len(earlier)])
    ps1 = stage1_load_initial(dataset / "PATCH_1", small_baseline=False)["ps1.mat"]
    assert ps1["master_ix"].item() == len(earlier) + 1
    assert ps1["day"].ravel()[-1] == ps1["master_day"].item()
    assert ps1["bperp"].ravel()[-1] == 0


def test_truncated_phase_is_named(golden: Scene, tmp_path: Path) -> None:
    """A short file is refused with its name and both sizes."""
    dataset = golden.prepared(tmp_path / "dataset")
    phase = dataset / "PATCH_1" / "pscands.1.ph"
    phase.write_bytes(phase.read_bytes()[:-8])
    with pytest.raises(PystampsError, match=r"pscands\.1\.ph: 55352 bytes, expected 55360"):
        stage1_load_initial(dataset / "PATCH_1", small_baseline=False)


def test_missing_baseline_key_is_named(tmp_path: Path) -> None:
    """A parameter file without a needed key names file and key."""
    path = tmp_path / "x.base"
    path.write_text("initial_baseline(TCN): 0 1\n", encoding="ascii")
    with pytest.raises(PystampsError, match=r"x\.base: key 'prf' not found"):
        GammaText(path).number("prf")
    with pytest.raises(PystampsError, match="followed by 2 values, expected 3"):
        GammaText(path).numbers("initial_baseline(TCN):", 3)


def test_token_search_takes_the_first_prefix(tmp_path: Path) -> None:
    """A longer key that starts alike wins when it stands first, as in StaMPS."""
    path = tmp_path / "x.par"
    path.write_text("prf_nominal: 7\nprf: 5\n", encoding="ascii")
    assert GammaText(path).number("prf") == 7


def test_local_coordinates_vector() -> None:
    """The test vector of stage1.md E."""
    xy = geometry.local_km(np.array([[12.6, 45.25]]), np.array([12.5, 45.2])) * 1000
    np.testing.assert_allclose(xy, [[7850.407789344, 5561.611795427]], atol=5e-10)


def test_rounding_is_half_away_from_zero_and_keeps_the_sign_of_zero() -> None:
    """Halves exactly representable after scaling, and a small negative number."""
    metres = np.array([0.0625, -0.0625, 0.1875, -0.0001, 2.0], dtype=np.float32)
    rounded = geometry.round_to_millimetres(metres)
    want = np.array([0.063, -0.063, 0.188, -0.0, 2.0], dtype=np.float32)
    np.testing.assert_array_equal(rounded, want)
    assert rounded.dtype == np.float32
    assert np.signbit(rounded[3])


def test_day_numbers() -> None:
    """MATLAB's epoch, and a refusal."""
    assert datenum("19700101") == 719529
    with pytest.raises(PystampsError, match="'2021022x' is not a date"):
        datenum("2021022x")
