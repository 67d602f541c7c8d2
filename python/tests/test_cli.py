"""The command line: quick help, messages without tracebacks, exit codes, the demo's report."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
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
if arguments[0] == "status":
    print('{{"network": "single_master", "scopes": []}}')
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
elif arguments[0] == "product":
    import json
    out = pathlib.Path(arguments[arguments.index("--out") + 1])
    if arguments[1] == "v-do":
        columns, values = "velocity_mm_per_year,velocity_std_mm_per_year", "-3.5,0.4"
    else:
        columns, values = "D20200101,D20200301", "4.0,-2.0"
    header = "lon_deg,lat_deg,height_m,coherence," + columns
    rows = [f"11.{{i}},44.{{i}},10.0,0.8," + values for i in range(3)]
    out.write_text("\\n".join([header, *rows]) + "\\n")
    reference = {{"description": "mean of all PS", "ps_count": 3, "centre_lonlat_deg": [11, 44]}}
    about = {{
        "value_type": arguments[1], "reference": reference, "ps_count": 3,
        "wavelength_m": 0.0555, "master_date": "20200201",
    }}
    out.with_name(out.name + ".json").write_text(json.dumps(about))
elif arguments[0] == "plan":
    sys.exit(2)
elif {broken!r}:
    import json
    sys.stderr.write("stage broke\\n")
    error = {{"event": "error", "problem": "it broke", "path": "/x", "remedy": "mend it"}}
    print(json.dumps(error))
    sys.exit(1)
elif arguments[1] == "5" and "--merge-only" in arguments:
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
if arguments[0] == "stage":
    import json
    outcome = {{"event": "outcome", "status": "completed", "details": "well done"}}
    print(json.dumps(outcome))
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


def processor_s() -> float:
    """Return the processor time of the programs that this test has started and seen end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_is_quick_and_loads_no_numerics() -> None:
    """Under 300 ms of the processor, at best of three; numpy alone would take most of that.

    Other tests run beside this one: the clock on the wall would count them as well.
    """
    times = []
    for _ in range(3):
        begin = processor_s()
        result = run_module(["--help"])
        times.append(processor_s() - begin)
        assert result.returncode == 0
        assert "simulate" in result.stdout
    assert 0 < min(times) < 0.3
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
    assert commands[0] == (
        f"prep snap --export {out}/export --dataset {out}/dataset --azimuth-patches 2"
    )
    assert commands[1].startswith(f"plan --dataset {out}/dataset --json --threads 1")
    stages = [command.split(" --invalidate")[0] for command in commands[2:-2]]
    patches = [f"--patch {out}/dataset/PATCH_{number}" for number in (1, 2)]
    assert sorted(stages[:10]) == sorted(
        f"stage {stage} {patch}" for stage in range(1, 6) for patch in patches
    )
    assert stages[10:] == [f"stage {stage} --dataset {out}/dataset" for stage in range(5, 9)]
    assert commands[-2:] == [
        f"product v-do --dataset {out}/dataset --out {out}/products/velocity.csv --force",
        f"product ts-do --dataset {out}/dataset --out {out}/products/timeseries.csv --force",
    ]
    report = capsys.readouterr().out
    assert "PATCH_2  2 candidates" in report
    assert "2 persistent scatterers (ps2.mat), mean coherence 0.60" in report
    assert "2 interferograms on 40 x 50 cells (phuw2.mat), 7 residues, 2 proven optimal" in report
    assert "5 Merge                         1" in report
    assert f"the map of velocities: {out}/products/velocity.png" in report
    assert out.joinpath("export", "truth.npz").is_file()
    assert out.joinpath("products", "timeseries.png").is_file()
    assert main(arguments) == 2
    assert main([*arguments, "--force"]) == 0
    again = native_program[1].read_text(encoding="ascii").splitlines()[len(commands) :]
    assert len(again) == len(commands)
    assert again[0].endswith(" --force")


def test_demo_names_the_step_that_failed(
    tmp_path: Path, native_program: tuple[Path, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    """Cause and remedy of the program are told, its own words are in the log."""
    stand_in(native_program[0].parent, broken=True)
    assert main(["demo", "--out", str(tmp_path / "demo"), "--preset", "tiny"]) == 1
    said = capfd.readouterr()
    assert "stage 1 PATCH_1 failed: it broke; file /x; mend it" in said.err
    assert "stage 2 PATCH_1 skipped: upstream failed" in said.err
    assert "stage 5 merged skipped: upstream failed: PATCH_1, PATCH_2" in said.err
    (log, *_) = [line.split()[1] for line in said.out.splitlines() if line.startswith("  log: ")]
    assert "stage broke" in Path(log).read_text(encoding="utf-8")
    assert "Traceback" not in said.err


def test_run_prepares_once_and_hands_options_on(
    tmp_path: Path, native_program: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Random numbers for the stages that draw some, parameters for good, threads for all."""
    export, dataset = tmp_path / "export", tmp_path / "dataset"
    export.mkdir()
    arguments = ["run", "--dataset", str(dataset), "--export", str(export), "--threads", "3"]
    patches = ["--range-patches", "2", "--amp-dispersion", "0.45"]
    chosen = ["--set", "max_topo_err=30", "--random-engine", "octave", "--end-step", "5"]
    assert main([*arguments, *patches, *chosen]) == 0
    commands = native_program[1].read_text(encoding="ascii").splitlines()
    drawing = {"2", "3", "5"}
    paths = f"--export {export} --dataset {dataset}"
    assert commands[:2] == [
        f"prep snap {paths} --amp-dispersion 0.45 --range-patches 2 --threads 3",
        f"params set max_topo_err 30 --dataset {dataset}",
    ]
    stages = [command for command in commands if command.startswith("stage")]
    assert len(stages) == 11
    for command in stages:
        words = command.split()
        assert (words[1] in drawing) == ("--random-engine octave" in command)
        assert int(words[words.index("--threads") + 1]) <= 3
    assert "s in all" in capsys.readouterr().out
    assert main([*arguments, "--start-step", "7", "--out", str(tmp_path / "results")]) == 0
    later = native_program[1].read_text(encoding="ascii").splitlines()[len(commands) :]
    assert [command.split(" --")[0] for command in later] == [
        "plan",
        "stage 7",
        "stage 8",
        "product v-do",
        "product ts-do",
    ]
    made = sorted(path.name for path in (tmp_path / "results").iterdir())
    # Stand-ins make no page, so that nothing is recorded and all is tried again.
    assert made == [
        "timeseries.csv",
        "timeseries.csv.json",
        "timeseries.png",
        "velocity.csv",
        "velocity.csv.json",
        "velocity.png",
    ]


def test_run_stops_at_the_first_failure(
    tmp_path: Path, native_program: tuple[Path, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    """Of every patch; the merged project is not tried."""
    stand_in(native_program[0].parent, broken=True)
    (tmp_path / "export").mkdir()
    paths = ["--dataset", str(tmp_path / "dataset"), "--export", str(tmp_path / "export")]
    assert main(["run", *paths]) == 1
    assert capfd.readouterr().err.count("it broke; file /x; mend it") == 2
    commands = native_program[1].read_text(encoding="ascii").splitlines()
    assert [command.split()[0] for command in commands] == ["prep", "plan", "stage", "stage"]


def test_tables_are_made_without_the_plotting_library(
    tmp_path: Path,
    native_program: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And what to install is said."""
    monkeypatch.setitem(sys.modules, "cmcrameri", None)
    (tmp_path / "PATCH_1").mkdir()
    assert main(["run", "--dataset", str(tmp_path), "--start-step", "8"]) == 0
    assert "pip install matplotlib cmcrameri" in capsys.readouterr().err
    made = sorted(path.suffix for path in (tmp_path / "products").glob("[!.]*"))
    assert made == [".csv", ".csv", ".json", ".json"]
    assert native_program[1].is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--start-step", "0"], "--start-step is 0, expected 1 to 8"),
        (["--end-step", "9"], "--end-step is 9, expected 1 to 8"),
        (["--start-step", "5", "--end-step", "3"], "--start-step 5 comes after --end-step 3"),
        (["--set", "max_topo_err"], "--set is 'max_topo_err', expected NAME=VALUE"),
        (["--export", "absent"], "absent: no such folder"),
        (["--azimuth-patches", "2"], "--azimuth-patches is about preparation"),
        (["--truth", "absent.npz"], "absent.npz: no such file"),
    ],
)
def test_wrong_usage_of_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """Exit 2 before anything is started."""
    (tmp_path / "PATCH_1").mkdir()
    assert main(["run", "--dataset", str(tmp_path), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_run_wants_a_prepared_dataset_or_an_export(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says which option is missing."""
    assert main(["run", "--dataset", str(tmp_path)]) == 2
    text = capsys.readouterr().err
    assert "it has no patch.list" in text
    assert "--export DIR" in text


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
