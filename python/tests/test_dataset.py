"""Discovery of a dataset, and the table of artefacts (orchestration.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from pystamps_shim.errors import PystampsError
from pystamps_shim.io.dataset import (
    discover_dataset,
    expected_stage_artifact,
    expected_stage_bundle,
)


def dataset(folder: Path, patches: list[str], listed: str | None = None) -> Path:
    """Make patch folders, and a list of them."""
    for name in patches:
        (folder / name).mkdir()
    if listed is not None:
        (folder / "patch.list").write_text(listed, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("patches", "listed", "found"),
    [
        (["PATCH_1", "PATCH_2"], "PATCH_2\nPATCH_1\n", ("PATCH_2", "PATCH_1")),
        (["PATCH_1", "PATCH_2"], "# all\n\nPATCH_1\n  # PATCH_2\n", ("PATCH_1",)),
        (["north", "PATCH_1"], "north\n", ("north",)),
        (["PATCH_10", "PATCH_9", "PATCH_x", "PATCH_1b"], None, ("PATCH_9", "PATCH_10")),
    ],
)
def test_patches(
    tmp_path: Path, patches: list[str], listed: str | None, found: tuple[str, ...]
) -> None:
    assert discover_dataset(dataset(tmp_path, patches, listed)).patches == found


@pytest.mark.parametrize(
    ("listed", "cause", "remedy"),
    [
        ("../elsewhere\n", "line 1: '../elsewhere' is no folder name", "PATCH_1"),
        ("PATCH_1\nPATCH_1/..\n", "line 2", "one a line"),
        ("/tmp\n", "is no folder name", "one a line"),
        ("..\n", "is no folder name", "one a line"),
        ("PATCH_7\n", "'PATCH_7': no such folder", "bring the folder back"),
        ("PATCH_1\nPATCH_1\n", "stands there twice", "remove one"),
        ("# nothing\n", "patch.list lists no patch", "--export"),
        ("link\n", "leads out of the dataset", "copy the patch in"),
    ],
)
def test_lists_that_are_refused(tmp_path: Path, listed: str, cause: str, remedy: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "root"
    root.mkdir()
    dataset(root, ["PATCH_1"], listed)
    (root / "link").symlink_to(outside)
    with pytest.raises(PystampsError) as caught:
        discover_dataset(root)
    assert cause in caught.value.cause
    assert remedy in caught.value.remedy


def test_numbered_links_to_the_outside_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "PATCH_1").symlink_to(tmp_path / "a")
    with pytest.raises(PystampsError, match="leads out"):
        discover_dataset(tmp_path / "b")


def test_what_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(PystampsError, match="no such folder"):
        discover_dataset(tmp_path / "absent")
    with pytest.raises(PystampsError, match=r"no patch\.list, no PATCH_1"):
        discover_dataset(tmp_path)
    for name in ("ps2.mat", "ifgstd2.mat"):
        (tmp_path / name).write_bytes(b"")
    assert discover_dataset(tmp_path).patches == ()
    # Patches put away after their merge, their list left where it was.
    (tmp_path / "patch.list").write_text("PATCH_1\n", encoding="ascii")
    assert discover_dataset(tmp_path).patches == ()


def test_links_inside_the_dataset_are_followed(tmp_path: Path) -> None:
    (tmp_path / "store" / "p1").mkdir(parents=True)
    (tmp_path / "PATCH_1").symlink_to(Path("store") / "p1")
    assert discover_dataset(tmp_path).patches == ("PATCH_1",)


def test_a_list_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "patch.list").write_bytes(b"PATCH_\xff\n")
    with pytest.raises(PystampsError, match=r"patch\.list: cannot be read"):
        discover_dataset(tmp_path)


def test_markers() -> None:
    """The table of orchestration.md."""
    patch = ["ps1.mat", "pm1.mat", "select1.mat", "weed1.mat", "rc2.mat", None, None, None]
    merged = [None, None, None, None, "ifgstd2.mat", "phuw2.mat", "scla2.mat", "mean_v.mat"]
    for number in range(1, 9):
        assert expected_stage_artifact(number, "patch") == patch[number - 1]
        assert expected_stage_artifact(number, "merged") == merged[number - 1]
    assert expected_stage_artifact(9, "merged") is None
    assert expected_stage_artifact(6, "merged", small_baselines=True) == "phuw_sb2.mat"
    assert "scla_sb2.mat" in expected_stage_bundle(7, "merged", small_baselines=True)
    assert set(expected_stage_bundle(8, "merged")) == {
        "mean_v.mat",
        "scn2.mat",
        "uw_space_time.mat",
    }
    assert expected_stage_bundle(6, "patch") == ()
