"""Products appear all at once, and nothing half-written stays."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.products.publish import FOLDER_MARK, published
from pystamps_shim.products.scratch import scratch_folder
from pystamps_shim.products.standing import forget, record, recorded, state_of


def _write(out: Path, text: str, *, force: bool = False) -> None:
    with published(out, force=force) as path:
        path.write_text(text, encoding="utf-8")
        path.with_name(f"{path.name}.json").write_text("{}", encoding="utf-8")


def _write_on_a_full_disk(out: Path) -> None:
    with published(out, force=True) as path:
        path.write_text("second", encoding="utf-8")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_lies_beside_comes_along(tmp_path: Path) -> None:
    _write(tmp_path / "new" / "a.csv", "1")
    assert sorted(path.name for path in tmp_path.glob("new/*")) == ["a.csv", "a.csv.json"]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    _write(out, "first")
    with pytest.raises(PystampsError, match="No space left"):
        _write_on_a_full_disk(out)
    assert out.read_text(encoding="utf-8") == "first"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.csv.json"]


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    _write(out, "first")
    with pytest.raises(PystampsError, match="exists") as raised:
        _write(out, "second")
    assert raised.value.exit_code is ExitCode.USAGE
    _write(out, "third", force=True)
    assert out.read_text(encoding="utf-8") == "third"


def test_only_own_folders_are_replaced(tmp_path: Path) -> None:
    out = tmp_path / "store"
    out.mkdir()
    (out / "mine").write_text("x", encoding="utf-8")
    with (
        pytest.raises(PystampsError, match="has not made"),
        published(out, force=True, is_folder=True),
    ):
        pass
    (out / FOLDER_MARK).write_text("{}", encoding="utf-8")
    with published(out, force=True, is_folder=True) as path:
        path.mkdir()
        (path / FOLDER_MARK).write_text("new", encoding="utf-8")
    assert [path.name for path in out.iterdir()] == [FOLDER_MARK]
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    with pytest.raises(PystampsError, match="is a folder"), published(out, force=True):
        pass


@pytest.mark.parametrize("name", ["ps2.mat", "parms.mat", "phuw_sb2.mat"])
def test_names_of_stamps_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PystampsError, match="StaMPS"), published(tmp_path / name, force=True):
        pass


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    """By the next one that works there; that of a living one stays."""
    code = (
        "import os, signal, sys, pathlib\n"
        "from pystamps_shim.products.scratch import scratch_folder\n"
        "with scratch_folder(pathlib.Path(sys.argv[1])) as folder:\n"
        "    (folder / 'large').write_text('x')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 1
    with scratch_folder(tmp_path) as first, scratch_folder(tmp_path) as second:
        assert sorted(tmp_path.iterdir()) == sorted([first, second])
    assert not list(tmp_path.iterdir())


def test_a_record_is_of_one_state_and_of_whole_files(tmp_path: Path) -> None:
    dataset, out = tmp_path / "dataset", tmp_path / "products"
    dataset.mkdir()
    out.mkdir()
    (dataset / "ps2.mat").write_bytes(b"1")
    (out / "velocity.csv").write_text("1\n", encoding="utf-8")
    state = state_of(dataset, [], {"version": "1"})
    assert recorded(out, state) is None
    record(out, state, [out / "velocity.csv"])
    assert recorded(out, state) == [out / "velocity.csv"]
    assert recorded(out, state_of(dataset, [], {"version": "2"})) is None
    (dataset / "ps2.mat").write_bytes(b"12")
    assert recorded(out, state_of(dataset, [], {"version": "1"})) is None
    (out / "velocity.csv").write_text("12\n", encoding="utf-8")
    assert recorded(out, state) is None
    record(out, state, [out / "velocity.csv"])
    forget(out)
    assert recorded(out, state) is None
