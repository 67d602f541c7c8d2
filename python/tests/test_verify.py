"""`verify`: equal datasets are equal, and every kind of difference is found where it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parity.oracle import dataset_after
from verified_datasets import Datasets, bad_files, copied, only_variable

from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.io import mat
from pystamps_shim.verification import verify_dataset
from pystamps_shim.verification.contracts import Policy, load_contract
from pystamps_shim.verification.pixels import Match
from pystamps_shim.verification.results import Status
from pystamps_shim.verification.rules import Rules, known_variables, read_rules, scientific_rule

TURN = np.float32(2 * np.pi)


@pytest.fixture(scope="module")
def whole(golden_products: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the scene T after stage 8, with the files of stages 4 to 8."""
    return dataset_after(golden_products, "T", 8, tmp_path_factory.mktemp("verify") / "T")


@pytest.fixture(scope="module")
def early(golden_stages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the scene T1 after stage 4, with the files of stages 1 to 4."""
    return dataset_after(golden_stages, "T1", 4, tmp_path_factory.mktemp("verify") / "T1")


@pytest.fixture
def late(whole: Path, tmp_path: Path) -> Datasets:
    """Return two equal datasets of stages 4 to 8."""
    return copied(whole, tmp_path / "late")


@pytest.fixture
def patch(early: Path, tmp_path: Path) -> Datasets:
    """Return two equal datasets of stages 1 to 4."""
    return copied(early, tmp_path / "patch")


@pytest.mark.parametrize("profile", ["strict", "scientific"])
def test_equal_datasets_are_equal(late: Datasets, patch: Datasets, profile: str) -> None:
    """Every stage is looked at, and values are, not names alone."""
    for pair, stages in ((patch, {1, 2, 3, 4}), (late, {1, 4, 5, 6, 7, 8})):
        report = pair.verify(profile=profile)
        assert report.equal
        assert {result.stage for result in report.files} == stages
        assert report.counts()["equal"] > 10
        elements = [one.compared for result in report.files for one in result.variables]
        assert sum(elements) > 100_000


def test_stages_after_the_last_are_left_alone(late: Datasets) -> None:
    """What a later stage has written over a file of the same name is not taken for it."""
    late.change("scn2.mat", "ph_hpt", lambda values: values + 1)
    late.change("phuw2.mat", "ph_uw", lambda values: values + 1)
    assert "scn2.mat" in bad_files(late.verify())
    assert "phuw2.mat" in bad_files(late.verify(through_stage=7))
    report = late.verify(through_stage=5)
    assert report.equal
    assert "phuw2.mat" not in {result.file for result in report.files}


def test_one_element_is_found(late: Datasets) -> None:
    """With its place, both values, its rule, and how many are off."""

    def edit(values: Any) -> Any:
        values[7, 0] += 1e-3
        return values

    late.change("PATCH_2/pm2.mat", "K_ps", edit)
    result = only_variable(late.verify(), "PATCH_2/pm2.mat")
    assert result.name == "K_ps"
    assert (result.policy, result.differing) == ("exact", 1)
    assert result.worst is not None
    assert result.worst.index == result.worst.reference_index == (7, 0)
    assert result.worst.dataset == pytest.approx(result.worst.reference + 1e-3)
    assert result.deviation is not None
    assert result.deviation.q99 == 0
    assert result.deviation.max == pytest.approx(1e-3)
    assert result.problem is not None
    assert result.problem.startswith(f"1 of {result.compared} values differ; worst at (7, 0): ")


def test_nothing_stops_at_the_first_difference(late: Datasets) -> None:
    """Three files, four variables."""
    for file, variable in (
        ("PATCH_1/rc2.mat", "ph_rc"),
        ("scla2.mat", "K_ps_uw"),
        ("scla2.mat", "C_ps_uw"),
        ("scn2.mat", "ph_hpt"),
    ):
        late.change(file, variable, lambda values: values * 2)
    bad = bad_files(late.verify())
    assert list(bad) == ["PATCH_1/rc2.mat", "scla2.mat", "scn2.mat"]
    assert sum(not one.status.agrees for one in bad["scla2.mat"].variables) == 2


def test_whole_cycles_are_allowed_to_a_share(late: Datasets) -> None:
    """A cycle on a whole interferogram is none; on a quarter of its PS it is too much."""

    def shift(count: int | None) -> Callable[[Any], Any]:
        def edit(values: Any) -> Any:
            values[:count, 3] += TURN
            return values

        return edit

    late.change("phuw2.mat", "ph_uw", shift(None))
    assert late.verify().equal
    late.change("phuw2.mat", "ph_uw", shift(1))
    assert late.verify().equal
    late.change("phuw2.mat", "ph_uw", shift(600))
    for profile in ("strict", "scientific"):
        result = only_variable(late.verify(profile=profile), "phuw2.mat")
        assert result.policy == "cycles"
        assert result.deviation is not None
        # The first sample has two cycles more than its interferogram by now, the others one.
        assert result.deviation.max == pytest.approx(4 * np.pi, abs=1e-4)
        assert result.differing == 600


MERGED = {
    "ps2.mat": ["ij", "lonlat", "xy"],
    "rc2.mat": ["ph_rc", "ph_reref"],
    "ph2.mat": ["ph"],
    "pm2.mat": ["ph_patch", "ph_res", "K_ps", "C_ps", "coh_ps"],
    "bp2.mat": ["bperp_mat"],
    "la2.mat": ["la"],
    "hgt2.mat": ["hgt"],
    "phuw2.mat": ["ph_uw"],
    "scla2.mat": ["ph_scla", "K_ps_uw", "C_ps_uw"],
    "scla_smooth2.mat": ["ph_scla", "K_ps_uw", "C_ps_uw"],
    "scn2.mat": ["ph_scn_slave", "ph_hpt", "ph_ramp"],
}


def test_swapped_and_dropped_rows(late: Datasets) -> None:
    """The profile `strict` finds them, `scientific` matches rows by pixel and sees no harm."""
    count = len(mat.read_variable(late.dataset / "ps2.mat", "ij"))
    order = np.arange(count)
    order[[4, 9]] = order[[9, 4]]
    late.keep_rows(".", MERGED, order[1:])
    strict = bad_files(late.verify())
    assert set(strict) >= set(MERGED) - {"scn2.mat"}
    assert any("shape" in str(one.problem) for one in strict["rc2.mat"].variables)
    report = late.verify(profile="scientific")
    assert report.equal, bad_files(report)
    merged = next(result for result in report.files if result.file == "ps2.mat")
    pixels = next(one for one in merged.variables if one.name == "ij")
    assert (pixels.compared, pixels.differing) == (count, 1)


def test_a_swapped_row_of_one_file_is_found_by_both_profiles(late: Datasets) -> None:
    """Its pixels say that it belongs elsewhere; the worst element is named by its row there."""

    def edit(values: Any) -> Any:
        values[[4, 900]] = values[[900, 4]]
        return values

    late.change("hgt2.mat", "hgt", edit)
    for profile in ("strict", "scientific"):
        result = only_variable(late.verify(profile=profile), "hgt2.mat")
        assert result.differing == 2
        assert result.worst is not None
        assert result.worst.index[0] in {4, 900}
    late.keep_rows(".", MERGED, slice(3, None))
    result = only_variable(late.verify(profile="scientific"), "hgt2.mat")
    assert result.worst is not None
    assert result.worst.index[0] + 3 == result.worst.reference_index[0]


def test_too_many_dropped_ps_are_found_by_both_profiles(late: Datasets) -> None:
    """One in fifty is more than one in two hundred."""
    count = len(mat.read_variable(late.dataset / "ps2.mat", "ij"))
    late.keep_rows(".", MERGED, np.arange(count) % 50 != 0)
    assert not late.verify().equal
    result = only_variable(late.verify(profile="scientific"), "ps2.mat")
    assert result.name == "ij"
    assert "in the reference alone: Jaccard index 0.98" in str(result.problem)


def test_pixels_are_matched() -> None:
    """In the order of the dataset; equal lists agree even where a pixel is in them twice."""
    match = Match.of(np.array([3 + 1j, 2 + 2j, 1 + 1j]), np.array([1 + 1j, 3 + 1j, 7 + 7j]))
    assert match.dataset.tolist() == [0, 2]
    assert match.reference.tolist() == [1, 0]
    assert (match.unmatched, match.total, match.jaccard) == ((1, 1), 4, 0.5)
    twice = np.array([1 + 1j, 1 + 1j])
    assert Match.of(twice, twice.copy()).jaccard == 1
    none = np.empty(0, dtype=complex)
    assert Match.of(none, none).jaccard == 1


def test_rows_of_the_first_selection_are_matched(patch: Datasets) -> None:
    """By the pixels of the candidates that they name."""
    selected = ["ix", "keep_ix", "ph_patch2", "ph_res2", "K_ps2", "C_ps2", "coh_ps2"]
    threshold = mat.read_variable(patch.dataset / "PATCH_1/select1.mat", "coh_thresh")
    selected += ["coh_thresh"] if threshold.size > 1 else []
    patch.keep_rows("PATCH_1", {"select1.mat": selected}, slice(None, None, -1))
    assert "PATCH_1/select1.mat" in bad_files(patch.verify())
    assert patch.verify(profile="scientific").equal


def test_strict_fails_where_scientific_passes(late: Datasets) -> None:
    """Rounding, other classes, another day; and both fail on what a user would see."""

    def slightly(values: Any) -> Any:
        return np.asarray(values, dtype=np.float64) + 2e-3

    late.change("scn2.mat", "ph_hpt", slightly)
    assert only_variable(late.verify(), "scn2.mat").problem is not None
    assert late.verify(profile="scientific").equal
    late.change("scn2.mat", "ph_hpt", lambda values: values + 0.2)
    assert only_variable(late.verify(profile="scientific"), "scn2.mat").differing > 1000


def test_velocities_are_compared_in_mm_per_year(late: Datasets) -> None:
    """A common offset is another reference area; a hundredth of a mm/yr is nothing."""
    count = len(mat.read_variable(late.dataset / "ps2.mat", "ij"))
    wavelength_m = float(mat.read_variable(late.dataset / "parms.mat", "lambda").item())
    rad_per_day = 4 * np.pi / wavelength_m / 1000 / 365.25
    velocity = np.linspace(-20, 20, count)
    noise = np.where(np.arange(count) % 2 == 0, 1.0, -1.0)

    def written(folder: Path, mm_per_year: Any) -> None:
        lines = np.vstack([np.zeros(count), mm_per_year * rad_per_day])
        mat.write(folder / "mean_v.mat", {"m": lines, "value_type": "v-do"})

    reference = late.reference.parent / "with_velocities"
    shutil.copytree(late.reference, reference, dirs_exist_ok=True)
    written(reference, velocity)
    for rms, agrees in ((0.04, True), (0.06, False)):
        written(late.dataset, velocity + 3 + rms * noise)
        report = verify_dataset(late.dataset, reference, profile="scientific")
        assert report.equal is agrees
    result = only_variable(report, "mean_v.mat")
    assert "rms difference 0.06, at most 0.05" in str(result.problem)
    assert not verify_dataset(late.dataset, reference).equal


def test_what_original_stamps_does_not_write_is_no_difference(late: Datasets) -> None:
    """Stage 8 leaves more than the original's; that the dataset lacks it would be one."""
    lines = np.zeros((2, 5))
    mat.write(late.dataset / "mean_v.mat", {"m": lines, "value_type": "v-do"})
    edges = mat.read(late.dataset / "uw_space_time.mat")
    kept = {name: edges[name] for name in ("dph_space_uw", "dph_noise")}
    mat.write(late.dataset / "uw_space_time.mat", {**kept, "edge_noise_std": lines})
    report = late.verify()
    assert report.equal
    notes = {(one.file, one.stage): one.note for one in report.files if one.note}
    assert set(notes) == {("mean_v.mat", 8), ("uw_space_time.mat", 6), ("uw_space_time.mat", 8)}
    back = bad_files(verify_dataset(late.reference, late.dataset))
    assert {file: one.status for file, one in back.items()} == {
        "mean_v.mat": Status.MISSING,
        "uw_space_time.mat": Status.MISSING,
    }


def test_missing_and_extra_files_and_variables(late: Datasets) -> None:
    """Each is one line."""
    late.dataset.joinpath("hgt2.mat").unlink()
    shutil.copy(late.dataset / "la2.mat", late.dataset / "PATCH_1" / "inc2.mat")
    clean = mat.read(late.dataset / "ph2.mat")
    mat.write(late.dataset / "ph2.mat", {"phase": clean["ph"]})
    bad = bad_files(late.verify())
    assert {file: result.status for file, result in bad.items()} == {
        "PATCH_1/inc2.mat": Status.EXTRA,
        "hgt2.mat": Status.MISSING,
        "ph2.mat": Status.DIFFERS,
    }
    statuses = {one.name: one.status for one in bad["ph2.mat"].variables}
    assert statuses == {"ph": Status.MISSING, "phase": Status.EXTRA}


def test_variables_that_no_contract_knows_are_compared(late: Datasets) -> None:
    """Bit by bit; what cannot be compared is said to differ."""
    for folder in ("same", "other"):
        shutil.copytree(late.reference, late.dataset.parent / folder)
    same, other = (late.dataset.parent / folder for folder in ("same", "other"))
    for root, value in ((same, 1.0), (other, 1.0)):
        mat.write(root / "hgt2.mat", {**mat.read(root / "hgt2.mat"), "note": np.array([[value]])})
    assert verify_dataset(same, other).equal
    mat.write(other / "hgt2.mat", {**mat.read(other / "hgt2.mat"), "note": np.array([[2.0]])})
    assert only_variable(verify_dataset(same, other), "hgt2.mat").name == "note"
    for root in (same, other):
        mat.write(root / "hgt2.mat", {**mat.read(root / "hgt2.mat"), "note": [1, "a"]})
    assert "cannot be compared" in str(
        only_variable(verify_dataset(same, other), "hgt2.mat").problem
    )


def test_missing_and_extra_patches(late: Datasets) -> None:
    """One finding each; the files of the others are compared all the same."""
    shutil.move(late.dataset / "PATCH_2", late.dataset / "PATCH_7")
    late.dataset.joinpath("patch.list").write_text("# mine\nPATCH_1\n\nPATCH_7\n", encoding="ascii")
    report = late.verify()
    assert [(one.kind, one.where) for one in report.findings] == [
        ("missing-patch", "PATCH_2"),
        ("extra-patch", "PATCH_7"),
    ]
    assert not bad_files(report)
    assert any(result.file.startswith("PATCH_1/") for result in report.files)
    late.dataset.joinpath("patch.list").unlink()
    assert len(late.verify().findings) == 2


@pytest.mark.parametrize("file", ["PATCH_1/ps2.mat", "uw_space_time.mat", "phuw2.mat"])
def test_a_truncated_file_is_one_finding(late: Datasets, file: str) -> None:
    """The others are compared all the same."""
    path = late.dataset / file
    path.write_bytes(path.read_bytes()[:200])
    bad = bad_files(late.verify())
    assert {name: result.status for name, result in bad.items()} == {file: Status.UNREADABLE}
    assert file.rpartition("/")[2] in str(bad[file].note)


def test_a_file_of_bytes_where_text_is_due(late: Datasets) -> None:
    """A list of patches is read before anything else: without it nothing can be compared."""
    late.dataset.joinpath("patch.list").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PystampsError, match="is no text") as caught:
        late.verify()
    assert caught.value.exit_code is ExitCode.FAILED


def test_wrong_class_and_text(late: Datasets) -> None:
    """A class is part of the format; text is compared as text."""
    late.change("hgt2.mat", "hgt", lambda values: values.astype(np.float32))
    result = only_variable(late.verify(), "hgt2.mat")
    assert "class of the candidate is single, want double" in str(result.problem)
    late.change("hgt2.mat", "hgt", lambda _: "high")
    assert not late.verify(profile="scientific").equal
    late.change("hgt2.mat", "hgt", lambda _: mat.read_variable(late.reference / "hgt2.mat", "hgt"))
    late.change("parms.mat", "unwrap_method", lambda _: "2D")
    result = only_variable(late.verify(profile="scientific"), "parms.mat")
    assert result.problem == "'2D', want '3D'"


@pytest.mark.parametrize("profile", ["strict", "scientific"])
def test_nan_agrees_with_nan_only(late: Datasets, profile: str) -> None:
    """A number against NaN is infinitely far off, and JSON says so in a word."""

    def edit(values: Any) -> Any:
        values[5, 2] = np.nan
        return values

    late.change("scla2.mat", "ph_scla", edit)
    report = late.verify(profile=profile)
    result = only_variable(report, "scla2.mat")
    assert result.deviation is not None
    assert result.deviation.max == np.inf
    assert '"max": "inf"' in report.as_json()
    assert '"dataset": "nan"' in report.as_json()
    both = copied(late.dataset, late.dataset.parent / "both")
    assert both.verify(profile=profile).equal


def test_replayed_stages_are_no_evidence(late: Datasets) -> None:
    """On either side; the stages that were computed count as before."""
    control = late.dataset / "PATCH_1" / ".pystamps"
    control.mkdir()
    stages = {"4": {"origin": "replayed"}, "5": {"origin": "native"}, "1": {}, "prep": {}}
    control.joinpath("ledger.json").write_text(json.dumps({"stages": stages}), encoding="ascii")
    report = late.verify()
    assert not report.equal
    assert [one.what for one in report.findings] == [
        "stage 4 of PATCH_1 was replayed from a reference: no evidence"
    ]
    compared = {(result.file.split("/")[0], result.stage) for result in report.files}
    assert ("PATCH_1", 4) not in compared
    assert {("PATCH_1", 5), ("PATCH_2", 4)} <= compared
    assert late.verify(through_stage=3).equal
    swapped = verify_dataset(late.reference, late.dataset)
    assert "stage 4 of PATCH_1 in the reference was replayed" in swapped.findings[0].what
    control.joinpath("ledger.json").write_text("[]", encoding="ascii")
    assert [one.kind for one in late.verify().findings] == ["ledger"]


def test_kinds_of_dataset(late: Datasets) -> None:
    """A network of small baselines is no single master."""
    late.change("parms.mat", "small_baseline_flag", lambda _: "y")
    assert [one.kind for one in late.verify().findings] == ["kind-of-dataset"]


def test_tolerances_may_be_given(late: Datasets) -> None:
    """Wider or narrower; an exact variable becomes one with a tolerance."""
    late.change("PATCH_1/hgt2.mat", "hgt", lambda values: values + 0.5)
    assert not late.verify().equal
    for profile in ("strict", "scientific"):
        assert late.verify(profile=profile, overrides={"hgt2.mat:hgt": 0.6}).equal
        assert not late.verify(profile=profile, overrides={"hgt2.mat:hgt": 0.4}).equal
    both = copied(late.reference, late.dataset.parent / "both")
    both.change("scn2.mat", "ph_hpt", lambda values: values + np.float32(3e-7))
    assert both.verify().equal
    narrow = both.verify(overrides={"scn2.mat:ph_hpt": 1e-8})
    assert only_variable(narrow, "scn2.mat").reason == "given by the user"


@pytest.mark.parametrize(
    ("options", "message", "remedy"),
    [
        ({"overrides": {"ph3.mat:ph": 1.0}}, "no file 'ph3.mat'", "'ph2.mat'"),
        ({"overrides": {"ph2.mat:phase": 1.0}}, "no variable 'phase'", "'ph'"),
        ({"overrides": {"velocity.csv:velocity": 1.0}}, "no variable", "velocity_mm_per_year"),
        ({"overrides": {"ph": 1.0}}, "expected FILE:VARIABLE", "ph2.mat:ph=1e-4"),
        ({"overrides": {"ph2.mat:ph": -1.0}}, "expected a number from 0 up", "correct"),
        ({"overrides": {"ph2.mat:ph": float("nan")}}, "expected a number from 0 up", "correct"),
        ({"overrides": {"parms.mat:unwrap_method": 1.0}}, "is text", "leave"),
        (
            {"overrides": {"ps2.mat:ij": 1.0}, "profile": "scientific"},
            "is a set of pixels",
            "leave",
        ),
        ({"profile": "scientifc"}, "the profile is 'scientifc'", "'scientific'"),
        ({"through_stage": 0}, "--through-stage is 0, expected 1 to 8", "change"),
        ({"through_stage": 9}, "--through-stage is 9, expected 1 to 8", "change"),
        ({"products_only": True}, "has anything of products", "process them first"),
    ],
)
def test_wrong_usage(late: Datasets, options: dict[str, Any], message: str, remedy: str) -> None:
    """Cause and remedy with the nearest name, exit code 2."""
    with pytest.raises(PystampsError) as caught:
        late.verify(**options)
    assert caught.value.exit_code is ExitCode.USAGE
    assert message in caught.value.cause
    assert remedy in caught.value.remedy


def test_folders_that_are_no_datasets(late: Datasets, tmp_path: Path) -> None:
    """Nothing to compare is never a success."""
    empty, listed = tmp_path / "empty", [tmp_path / name for name in ("one", "two")]
    for folder in (empty, *listed):
        folder.mkdir()
    for folder in listed:
        folder.joinpath("PATCH_1").mkdir()
    cases: list[tuple[Path, Path, str]] = [
        (late.dataset, tmp_path / "absent", "no such folder"),
        (empty, late.reference, "is not a dataset"),
        (late.reference, late.reference, "are the same folder"),
        (listed[0], listed[1], "has anything of stages up to 8"),
    ]
    for dataset, reference, message in cases:
        with pytest.raises(PystampsError, match=message) as caught:
            verify_dataset(dataset, reference)
        assert caught.value.exit_code is ExitCode.USAGE
    late.dataset.joinpath("patch.list").write_text("../T\n", encoding="ascii")
    with pytest.raises(PystampsError, match="no folder directly inside"):
        late.verify()


def test_every_variable_of_every_contract_is_known() -> None:
    """A tolerance may be given for it, and the profile `scientific` has a rule for it."""
    known, rules = known_variables(), Rules.checked("scientific", {})
    patterns = {
        pattern for rule in read_rules("scientific")["rule"] for pattern in rule["variables"]
    }
    used = set()
    for stage in range(9):
        for small_baseline in (False, True):
            for artefact in load_contract(stage, small_baseline=small_baseline):
                for variable in artefact.variables:
                    place = f"{artefact.file}:{variable.name}"
                    assert variable.name in known[artefact.file]
                    rule = rules.of(artefact.file, variable)
                    scientific = scientific_rule(artefact.file, variable.name)
                    assert scientific is not None, place
                    used |= set(scientific["variables"])
                    assert rule.policy is Policy.EXACT or rule.reason, place
                    assert rule.policy is not Policy.QUANTILES or rule.tolerance > 0
    assert used == patterns
