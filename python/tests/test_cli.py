"""The command line: quick help, messages without tracebacks, exit codes, the demo's report."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from pystamps_shim import _binary
from pystamps_shim.cli import main
from pystamps_shim.errors import PystampsError

# Stands in for the native program: prepares and loads by leaving the files the demo looks for.
STAND_IN = """\
#!{python}
import pathlib, sys
arguments = sys.argv[1:]
log = pathlib.Path({log!r})
if arguments == ["--version"]:
    print("pystamps-native 9.8.7")
    sys.exit(0)
with log.open("a") as file:
    file.write(" ".join(arguments) + "\\n")
if arguments[0] == "prep":
    dataset = pathlib.Path(arguments[arguments.index("--dataset") + 1])
    for name in ("PATCH_1", "PATCH_2"):
        (dataset / name).mkdir(parents=True, exist_ok=True)
        (dataset / name / "pscands.1.ij").write_text("1 0 0\\n2 0 1\\n")
    (dataset / "patch.list").write_text("PATCH_1\\nPATCH_2\\n")
elif arguments[0] == "params":
    pass
elif {broken!r}:
    sys.stderr.write("stage broke\\n")
    sys.exit(1)
elif arguments[1] == "5":
    import numpy as np
    from pystamps_shim.io import mat
    dataset = pathlib.Path(arguments[arguments.index("--dataset") + 1])
    mat.write(dataset / "pm2.mat", {{"coh_ps": np.array([[0.5], [0.7]])}})
    mat.write(dataset / "ifgstd2.mat", {{"ifg_std": np.array([[12.0], [31.0]])}})
elif arguments[1] == "6":
    dataset = pathlib.Path(arguments[arguments.index("--dataset") + 1])
    records = '[{{"gap": 0, "residues": 4}}, {{"gap": 0, "residues": 3}}]'
    log = '{{"grid": [40, 50], "interferograms": ' + records + "}}"
    (dataset / "uw_solver.json").write_text(log)
"""


def stand_in(folder: Path, *, broken: bool = False) -> tuple[Path, Path]:
    """Write a stand-in for the native program; return it and its log."""
    program, log = folder / "pystamps-native", folder / "log.txt"
    text = STAND_IN.format(python=sys.executable, log=str(log), broken=broken)
    program.write_text(text, encoding="ascii")
    program.chmod(0o755)
    return program, log


def run_module(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run ``python -m pystamps_shim`` as a user would."""
    command = [sys.executable, "-m", "pystamps_shim", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_help_is_quick_and_loads_no_numerics() -> None:
    """Under 300 ms, at best of three; numpy alone would take most of that."""
    times = []
    for _ in range(3):
        begin = time.monotonic()
        result = run_module(["--help"])
        times.append(time.monotonic() - begin)
        assert result.returncode == 0
        assert "simulate" in result.stdout
    assert min(times) < 0.3
    check = (
        "import sys; from pystamps_shim.cli import build_parser; build_parser();"
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_help_of_simulate_teaches() -> None:
    """Units, defaults and examples."""
    text = run_module(["simulate", "--help"]).stdout
    assert "--bowl MM/YR" in text
    assert "(-25)" in text
    assert "--candidates 250000 --ifgs 76" in text


def test_simulate_writes_and_refuses_to_overwrite(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 0, then 2 with cause and remedy, then 0 with --force."""
    out = tmp_path / "scene with blank é"
    arguments = ["simulate", "--out", str(out), "--preset", "tiny", "--images", "3"]
    assert main(arguments) == 0
    assert "3 images" in capsys.readouterr().out
    before = out.joinpath("truth.npz").read_bytes()
    assert main([*arguments, "--seed", "5"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "is not empty" in lines[0]
    assert "--force" in lines[1]
    assert out.joinpath("truth.npz").read_bytes() == before
    assert main([*arguments, "--seed", "5", "--force"]) == 0
    assert out.joinpath("truth.npz").read_bytes() != before


def test_simulate_writes_a_dataset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Patch folders, and absolute paths that point to where the folder ended up."""
    out = tmp_path / "dataset"
    sizes = ["--candidates", "500", "--ifgs", "4", "--patches", "2"]
    assert main(["simulate", "--out", str(out), *sizes]) == 0
    assert "500 candidates" in capsys.readouterr().out
    assert out.joinpath("patch.list").read_text(encoding="ascii") == "PATCH_1\nPATCH_2\n"
    assert out.joinpath("pscphase.in").read_text(encoding="utf-8").count(f"{out}/export/") == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--ifgs", "5"], "--ifgs makes sense for a prepared dataset only"),
        (["--candidates", "500", "--width", "90"], "--width has no effect with --candidates"),
        (["--candidates", "5"], "--candidates is 5, expected at least 100"),
        (["--heading", "north"], "--heading is 'north', expected ascending"),
        (["--preset", "tiny", "--master", "9"], "--master is 9, expected 0 to 7"),
        (["--start", "2021-01-07"], "--start is 2021-01-07"),
    ],
)
def test_wrong_usage_is_one_line_of_cause_and_one_of_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """Exit 2, nothing written."""
    assert main(["simulate", "--out", str(tmp_path / "out"), *arguments]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert message in lines[0]
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_way_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a file as target nor below a file ends in a traceback."""
    file = tmp_path / "file"
    file.write_text("mine", encoding="ascii")
    assert main(["simulate", "--preset", "tiny", "--out", str(file)]) == 2
    assert main(["simulate", "--preset", "tiny", "--out", str(file / "below")]) == 1
    text = capsys.readouterr().err
    assert text.count("error:") == 2
    assert file.read_text(encoding="ascii") == "mine"


@pytest.fixture
def native_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Put a stand-in where the native program is looked for first."""
    program, log = stand_in(tmp_path)
    monkeypatch.setenv(_binary.VARIABLE, str(program))
    monkeypatch.setattr(_binary, "package_version", lambda: "9.8.7")
    return program, log


def test_demo_runs_every_step_and_reports(
    tmp_path: Path, native_program: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Preparation, then every stage there is; a second run needs --force."""
    out = tmp_path / "demo"
    arguments = ["demo", "--out", str(out), "--preset", "tiny"]
    assert main(arguments) == 0
    commands = native_program[1].read_text(encoding="ascii").splitlines()
    patches = "--range-patches 1 --azimuth-patches 2"
    assert commands == [
        f"prep snap --export {out}/export --dataset {out}/dataset {patches}",
        f"params set unwrap_grid_size 30 --dataset {out}/dataset",
        *(f"stage {stage} --dataset {out}/dataset" for stage in (1, 2, 3, 4, 5, 6)),
    ]
    report = capsys.readouterr().out
    assert "PATCH_2  2 candidates" in report
    assert "2 persistent scatterers (ps2.mat), mean coherence 0.60" in report
    assert "2 interferograms on 40 x 50 cells (phuw2.mat), 7 residues, 2 proven optimal" in report
    assert "prepare 0." in report
    assert "next: " in report
    assert out.joinpath("export", "truth.npz").is_file()
    assert main(arguments) == 2
    assert main([*arguments, "--force"]) == 0
    assert native_program[1].read_text(encoding="ascii").splitlines()[8].endswith(" --force")


def test_demo_names_the_step_that_failed(
    tmp_path: Path, native_program: tuple[Path, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    """The program's own message stays visible, ours says which command ended how."""
    stand_in(native_program[0].parent, broken=True)
    assert main(["demo", "--out", str(tmp_path / "demo"), "--preset", "tiny"]) == 1
    text = capfd.readouterr().err
    assert "stage broke" in text
    assert "dataset' ended with exit code 1" in text
    assert "Traceback" not in text


def test_program_of_another_version_is_refused(
    tmp_path: Path, native_program: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a program named by the variable is never passed over."""
    assert _binary.find() == native_program[0]
    monkeypatch.setattr(_binary, "package_version", lambda: "1.0.0")
    with pytest.raises(PystampsError, match=r"version 9\.8\.7, expected 1\.0\.0") as caught:
        _binary.find()
    assert "make native" in caught.value.remedy
    assert "PATH" not in caught.value.cause
    monkeypatch.setenv(_binary.VARIABLE, str(tmp_path / "absent"))
    with pytest.raises(PystampsError, match="not there"):
        _binary.find()


def test_places_are_tried_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packaged copy, scripts folder, PATH, source tree; a debug build is passed over."""
    tree = tmp_path / "tree"
    places = {
        "package": tree / "python" / "pystamps_shim" / "_bin",
        "scripts": tmp_path / "scripts",
        "PATH": tmp_path / "path",
        "source tree": tree / "target" / "release",
    }
    for folder in places.values():
        folder.mkdir(parents=True)
        stand_in(folder)
    monkeypatch.delenv(_binary.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", f"{places['PATH']}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(_binary, "__file__", str(tree / "python" / "pystamps_shim" / "x.py"))
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(places["scripts"]))
    monkeypatch.setattr(_binary, "package_version", lambda: "9.8.7")
    for folder in places.values():
        assert _binary.find() == folder / _binary.NAME
        folder.joinpath(_binary.NAME).unlink()
    debug = tree / "target" / "debug"
    debug.mkdir()
    link = places["source tree"] / _binary.NAME
    link.symlink_to(stand_in(debug)[0])
    with pytest.raises(PystampsError) as caught:
        _binary.find()
    for place in ("package", "scripts", "source tree"):
        assert f"{place}: " in caught.value.cause
    assert f"{link}: a debug build" in caught.value.cause
