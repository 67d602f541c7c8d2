"""Every format: the same bytes again, all or nothing on the disk, and what the command says."""

from __future__ import annotations

import errno
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from measurements_made import export_of, made, written

from pystamps_shim.cli import main
from pystamps_shim.commands import export as command
from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.products.east_up import east_and_up
from pystamps_shim.products.export import csv_text
from pystamps_shim.products.export.formats import FORMATS
from pystamps_shim.products.export.job import Export
from pystamps_shim.products.export.write import write_export
from pystamps_shim.products.measurements import Measurements
from pystamps_shim.products.metadata import metadata_of
from pystamps_shim.products.publish import FOLDER_MARK

LIBRARIES = sorted({name for each in FORMATS.values() for name in each.libraries})
for _name in LIBRARIES:
    pytest.importorskip(_name)

#: Runs the command for every format with files limited to few bytes, and to one byte less than its
#: largest file has; tells the exit codes.
FULL_DISK = """\
import json, resource, sys
from pathlib import Path
import test_export_publishing as here
from pystamps_shim.commands import export
export.selected = here.selected
folder, codes = Path(sys.argv[1]), {}
for name in here.FORMATS:
    here.written(name, here.new(folder / "warm" / name))
    largest = max(map(len, here.files_of(folder / "warm" / name).values()))
    for limit in (1_000, largest - 1):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        out = folder / "out" / f"{name}{here.FORMATS[name].suffix}"
        codes.setdefault(name, []).append(here.exit_code(name, out))
        unlimited = resource.RLIM_INFINITY, resource.RLIM_INFINITY
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
print(json.dumps(codes))
"""


#: Formats that need more than points: a series, or the angles of one line of sight.
OF_SERIES = {"mintpy", "egms", "visualizer"}


@contextmanager
def selected(*_: object) -> Iterator[tuple[Any, tuple[()]]]:
    """Stand in for the products of a dataset."""
    yield made(), ()


def exit_code(name: str, out: Path, *further: str) -> int:
    """Run the command."""
    return main(
        ["export", "--dataset", str(out.parent), "--format", name, "--out", str(out), *further]
    )


@pytest.fixture
def made_products(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the command export made measurements."""
    monkeypatch.setattr(command, "selected", selected)


def files_of(folder: Path) -> dict[str, bytes]:
    """Return all files by name."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_same_measurements_give_the_same_bytes(tmp_path: Path) -> None:
    """Two seconds later, which is what archives tell apart, and whatever the folder's name."""
    for name in FORMATS:
        written(name, new(tmp_path / "first" / name))
    time.sleep(2.1)
    for name in FORMATS:
        written(name, new(tmp_path / "second" / name))
    for name in FORMATS:
        first, second = (files_of(tmp_path / each / name) for each in ("first", "second"))
        assert first.keys() == second.keys(), name
        assert [key for key in first if first[key] != second[key]] == [], name


def new(folder: Path) -> Path:
    """Return a folder that was not there."""
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("name", FORMATS)
def test_metadata_are_inside_or_beside(tmp_path: Path, name: str) -> None:
    """The title of the product is found in a file of the export, whatever its format."""
    path = written(name, tmp_path)
    title = b"pystamps product ts-do of made"
    beside = path.with_name(f"{path.name}.json")
    if name == "kmz":
        import zipfile

        with zipfile.ZipFile(path) as file:
            assert title in file.read("metadata.json")
    elif path.is_dir():
        assert title in (path / FOLDER_MARK).read_bytes()
    else:
        assert title in path.read_bytes() + (beside.read_bytes() if beside.exists() else b"")
    assert not [each for each in tmp_path.iterdir() if each.name.startswith(".")]


@pytest.mark.usefixtures("made_products")
def test_command_tells_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Number of points, unit, sign and reference; as JSON for programs."""
    out = tmp_path / "velocity.csv"
    assert exit_code("csv", out) == ExitCode.DONE
    said = capsys.readouterr().out
    assert "60 points, ts-do, positive: towards the satellite" in said
    assert "relative to: mean of the PS within 300 m" in said
    assert exit_code("csv", out, "--force", "--json") == ExitCode.DONE
    told = json.loads(capsys.readouterr().out)
    assert told["file"] == str(out)
    assert told["points"] == 60


@pytest.mark.usefixtures("made_products")
@pytest.mark.parametrize("name", ["csv", "zarr"])
def test_an_earlier_export_is_replaced_only_by_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """And stays as it was otherwise."""
    out = tmp_path / "product"
    assert exit_code(name, out) == ExitCode.DONE
    before = files_of(tmp_path)
    assert exit_code(name, out) == ExitCode.USAGE
    assert "product exists" in capsys.readouterr().err
    assert files_of(tmp_path) == before
    assert exit_code(name, out, "--force") == ExitCode.DONE
    assert files_of(tmp_path) == before


@pytest.mark.usefixtures("made_products")
def test_a_foreign_folder_is_never_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even by force: only what carries our mark."""
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter.txt").write_text("one", encoding="ascii")
    assert exit_code("mintpy", out, "--force") == ExitCode.USAGE
    assert "a folder that pystamps has not made" in capsys.readouterr().err
    assert files_of(tmp_path) == {"thesis/chapter.txt": b"one"}


def test_unknown_format_is_told_all_formats(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the one that was perhaps meant."""
    assert exit_code("geotif", tmp_path / "a") == ExitCode.USAGE
    said = capsys.readouterr().err
    assert "did you mean 'geotiff'?" in said
    assert all(name in said for name in FORMATS)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [name for name in FORMATS if FORMATS[name].libraries])
def test_missing_library_is_told_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """The dataset is not even looked at."""
    missing = FORMATS[name].libraries[0]
    imported = importlib.import_module

    def without(wanted: str, package: str | None = None) -> Any:
        if wanted.split(".", maxsplit=1)[0] == missing:
            raise ImportError(f"No module named '{wanted}'")  # noqa: EM102
        return imported(wanted, package)

    monkeypatch.setattr(importlib, "import_module", without)
    assert exit_code(name, tmp_path / "absent" / "a") == ExitCode.FAILED
    said = capsys.readouterr().err
    assert f"needs {missing}" in said
    assert "pip install " in said
    assert "extra [export]" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("option", "missing"),
    [
        ("--with", "pyproj"),
        ("--polygon", "pyogrio"),
        ("--polygon", "shapely"),
        ("--polygon", "pyproj"),
        ("--mask", "rasterio"),
        ("--mask", "pyproj"),
    ],
)
def test_missing_library_of_an_option_is_told_before_any_work(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    option: str,
    missing: str,
) -> None:
    """Formats without libraries do as well; no product is made."""
    imported = importlib.import_module

    def without(wanted: str, package: str | None = None) -> Any:
        if wanted.split(".", maxsplit=1)[0] == missing:
            raise ImportError(f"No module named '{wanted}'")  # noqa: EM102
        return imported(wanted, package)

    def unwanted(*_: object) -> Any:
        pytest.fail("a product was made")

    monkeypatch.setattr(importlib, "import_module", without)
    monkeypatch.setattr(command, "selected", unwanted)
    code = exit_code(
        "kmz", tmp_path / "a.kmz", option, str(tmp_path), "--reference", "5", "50", "100"
    )
    assert code == ExitCode.FAILED
    assert f"needs {missing}" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["kmz", "geotiff"])
def test_formats_of_velocities_read_no_displacements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Of a large dataset they are most of what there is."""

    def unwanted(*_: object) -> Any:
        pytest.fail("displacements were read")

    monkeypatch.setattr(Measurements, "displacement_mm", unwanted)
    assert made().is_series
    assert written(name, tmp_path).is_file()


def test_formats_without_libraries_need_none(tmp_path: Path) -> None:
    """Nothing optional is imported for them."""
    code = (
        "import sys; from pathlib import Path; import measurements_made as m\n"
        "for name in ('kmz', 'visualizer'): m.written(name, Path(sys.argv[1]))\n"
        f"print(sorted(set({LIBRARIES!r}) & set(sys.modules)))"
    )
    assert _run(code, tmp_path).stdout.strip() == "[]"


def test_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    """Every format ends with exit code 1, and no file, hidden or not, stays."""
    (tmp_path / "out").mkdir()
    finished = _run(FULL_DISK, tmp_path)
    assert json.loads(finished.stdout.splitlines()[-1]) == {name: [1, 1] for name in FORMATS}
    assert list((tmp_path / "out").iterdir()) == []
    assert "Traceback" not in finished.stderr
    for line in finished.stderr.splitlines():
        assert len(line) < 500, line


def _run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    paths = [str(Path(__file__).parent), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )


def test_a_failed_export_leaves_the_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up in the middle takes nothing away."""

    def half(_: object, path: Path) -> None:
        path.write_text("half", encoding="ascii")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    out = written("csv", tmp_path)
    before = files_of(tmp_path)
    monkeypatch.setattr(csv_text, "write", half)
    with pytest.raises(PystampsError, match="No space left on device") as caught:
        write_export(FORMATS["csv"], export_of(made()), out, force=True)
    assert str(out) in caught.value.cause
    assert caught.value.exit_code == ExitCode.FAILED
    assert files_of(tmp_path) == before


@pytest.mark.parametrize("name", FORMATS)
def test_a_combination_of_two_datasets(tmp_path: Path, name: str) -> None:
    """East and up are written by every format of points or images; the others say why not."""
    both = replace(made(), heading_deg=-13.0), made()
    table = east_and_up(*both, 900.0, (metadata_of(both[0]), metadata_of(both[1])))
    chosen, out = FORMATS[name], tmp_path / f"both{FORMATS[name].suffix}"
    export = Export(table, None)
    if name not in OF_SERIES:
        write_export(chosen, export, out, force=False)
        assert out.exists()
        return
    with pytest.raises(PystampsError, match="which a combination of two datasets is not") as caught:
        write_export(chosen, export, out, force=False)
    assert caught.value.exit_code == ExitCode.USAGE
    assert not list(tmp_path.iterdir())


def test_help_lists_every_format(capsys: pytest.CaptureFixture[str]) -> None:
    """With what it is for."""
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    for each in FORMATS.values():
        assert f"{each.name} {each.meaning}" in said
