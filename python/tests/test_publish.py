"""Products appear all at once, and nothing half-written stays."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.products import scratch
from pystamps_shim.products.publish import FOLDER_MARK, published, refuse_existing
from pystamps_shim.products.scratch import scratch_folder
from pystamps_shim.products.standing import forget, record, recorded, state_of

_DESCRIPTION = '{"program": "pystamps"}'


def _write(out: Path, text: str, *, force: bool = False) -> None:
    with published(out, force=force) as path:
        path.write_text(text, encoding="utf-8")
        path.with_name(f"{path.name}.json").write_text(_DESCRIPTION, encoding="utf-8")


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


def test_a_living_one_of_another_container_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There, on a shared volume, numbers of processes mean others; the lock tells."""
    monkeypatch.setattr(scratch, "_is_alive", lambda _: False)
    with scratch_folder(tmp_path) as first:
        with scratch_folder(tmp_path):
            assert first.is_dir()
        # Just made, and not locked yet.
        young = tmp_path / first.name.replace(str(os.getpid()), "1")
        young.mkdir()
        with scratch_folder(tmp_path):
            assert young.is_dir()
        old = time.time() - 7_200
        os.utime(young, (old, old))
        with scratch_folder(tmp_path):
            assert not young.exists()
    assert not list(tmp_path.iterdir())


def _shapefile(out: Path, *, force: bool = False) -> None:
    with published(out, force=force) as path:
        for suffix in (".shp", ".dbf", ".prj"):
            path.with_suffix(suffix).write_text("new", encoding="utf-8")
        path.with_name(f"{path.name}.json").write_text(_DESCRIPTION, encoding="utf-8")


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("name", ["roads.dbf", "roads.shp.json"])
def test_files_beside_a_new_product_stay(tmp_path: Path, name: str, *, force: bool) -> None:
    """They are named before any work, and with or without --force."""
    (tmp_path / name).write_text("mine", encoding="utf-8")
    out = tmp_path / "roads.shp"
    with pytest.raises(PystampsError, match=re.escape(name)) as raised:
        refuse_existing(out, force=force, is_folder=False, suffix=".shp")
    assert raised.value.exit_code is ExitCode.USAGE
    with pytest.raises(PystampsError, match=re.escape(name)):
        _shapefile(out, force=force)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text(encoding="utf-8") == "mine"


def test_what_comes_while_a_product_is_made_stays(tmp_path: Path) -> None:
    """The product itself, and a file beside it that no ending tells of."""

    def work(comes: Path) -> None:
        with published(tmp_path / "a.tif", force=False) as path:
            path.write_text("new", encoding="utf-8")
            path.with_name("a.other").write_text("new", encoding="utf-8")
            comes.write_text("mine", encoding="utf-8")

    for name in ("a.tif", "a.other"):
        with pytest.raises(PystampsError, match=f"{name} exists"):
            work(tmp_path / name)
        assert [path.name for path in tmp_path.iterdir()] == [name]
        assert (tmp_path / name).read_text(encoding="utf-8") == "mine"
        (tmp_path / name).unlink()


def test_what_is_left_of_a_product_of_ours_is_replaced(tmp_path: Path) -> None:
    """Where its main file was removed, or was not moved any more by a killed process."""
    out = tmp_path / "roads.shp"
    _shapefile(out)
    out.unlink()
    _shapefile(out)
    _shapefile(out, force=True)
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("mark", ["parms.mat", "patch.list", "ps2.mat"])
@pytest.mark.parametrize("name", ["pscphase.in", "uw_solver.json", "a.csv"])
def test_files_of_a_dataset_are_never_replaced(tmp_path: Path, name: str, mark: str) -> None:
    """A new product may lie there, and be replaced if our description is beside it."""
    for each in (mark, name):
        (tmp_path / each).write_text("mine", encoding="utf-8")
    with pytest.raises(PystampsError, match="in the folder of a dataset") as raised:
        _write(tmp_path / name, "new", force=True)
    assert raised.value.exit_code is ExitCode.USAGE
    assert (tmp_path / name).read_text(encoding="utf-8") == "mine"
    _write(tmp_path / "own.csv", "first")
    _write(tmp_path / "own.csv", "second", force=True)
    assert (tmp_path / "own.csv").read_text(encoding="utf-8") == "second"


def test_only_files_of_the_same_ending_are_replaced(tmp_path: Path) -> None:
    thesis, table = tmp_path / "thesis.docx", tmp_path / "a.CSV"
    for out in (thesis, table):
        out.write_text("mine", encoding="utf-8")
    for force in (False, True):
        with pytest.raises(PystampsError, match=r"is no \.csv file") as raised:
            refuse_existing(thesis, force=force, is_folder=False, suffix=".csv")
        assert raised.value.exit_code is ExitCode.USAGE
    refuse_existing(table, force=True, is_folder=False, suffix=".csv")
    # With our description beside it, an export of whatever name is ours.
    (tmp_path / "thesis.docx.json").write_text(_DESCRIPTION, encoding="utf-8")
    refuse_existing(thesis, force=True, is_folder=False, suffix=".csv")


def _store(out: Path, text: str) -> None:
    with published(out, force=True, is_folder=True) as path:
        path.mkdir()
        (path / FOLDER_MARK).write_text(text, encoding="utf-8")


def test_a_kill_between_the_moves_of_folders_loses_neither(tmp_path: Path) -> None:
    """The earlier one is set aside where nobody cleans up, and the next process puts it back."""
    out = tmp_path / "store"
    _store(out, "first")
    code = (
        "import os, signal, sys, pathlib\n"
        "from test_publish import _store\n"
        "out = pathlib.Path(sys.argv[1])\n"
        "def kill(source, target):\n"
        "    if pathlib.Path(target) == out: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return os.rename(source, target)\n"
        "pathlib.Path.rename = pathlib.Path.replace = kill\n"
        "_store(out, 'second')\n"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
    }
    killed = subprocess.run([sys.executable, "-c", code, str(out)], check=False, env=environment)
    assert killed.returncode == -signal.SIGKILL
    assert not out.exists()
    with pytest.raises(PystampsError, match="exists"):
        refuse_existing(out, force=False, is_folder=True)
    assert (out / FOLDER_MARK).read_text(encoding="utf-8") == "first"
    _store(out, "third")
    assert (out / FOLDER_MARK).read_text(encoding="utf-8") == "third"
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_a_folder_that_was_set_aside_goes_with_the_next_export(tmp_path: Path) -> None:
    """Both are there after a kill behind the moves; what is not ours is left, and said."""
    out, aside = tmp_path / "store", tmp_path / ".store.old"
    _store(out, "first")
    _store(aside, "older")
    _store(out, "second")
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    aside.mkdir()
    with pytest.raises(PystampsError, match="in the way"):
        _store(out, "third")
    assert (out / FOLDER_MARK).read_text(encoding="utf-8") == "second"


def test_a_folder_that_cannot_be_moved_leaves_the_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "store"
    _store(out, "first")

    move = Path.rename

    def refused(source: Path, target: Path) -> Path:
        if Path(target) == out and source.name == "store":
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(source), None, str(target))
        return move(source, target)

    for each in ("rename", "replace"):
        monkeypatch.setattr(Path, each, refused)
    with pytest.raises(PystampsError, match=rf"{out}: cannot be written \(Input/output error\)"):
        _store(out, "second")
    assert (out / FOLDER_MARK).read_text(encoding="utf-8") == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def _copy(source: Path, out: Path) -> None:
    with published(out, force=False) as path:
        path.write_bytes(source.read_bytes())


def test_the_file_that_failed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is: one that is read, a folder above the product, the product itself."""
    monkeypatch.chdir(tmp_path)
    for out in (Path("a.csv"), tmp_path / "a.csv"):
        with pytest.raises(PystampsError, match=r"^absent\.mat: cannot be read or written"):
            _copy(Path("absent.mat"), out)
    Path("file").write_text("", encoding="utf-8")
    with pytest.raises(PystampsError, match=r"^file: cannot be written"):
        _copy(Path("file"), Path("file/a.csv"))
    with (
        pytest.raises(PystampsError, match=r"^a\.csv: cannot be written \(No such file"),
        published(Path("a.csv"), force=False) as path,
    ):
        (path / "deeper").write_text("", encoding="utf-8")


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
