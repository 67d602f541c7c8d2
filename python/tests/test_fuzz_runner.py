"""What ``make fuzz`` counts, splits and begins with; nothing is built here."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from parity import fuzz
from parity.fuzz_seeds import TARGETS, Target, write_seeds
from parity.golden import golden_scene

from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat

ROOT = Path(__file__).resolve().parents[2]
RUNNING = "INFO: Seed: 7\n#2\tINITED cov: 3 ft: 4\n#1024\tpulse  cov: 9\n#900\tNEW    cov: 9\n"
ENDED = RUNNING + "Done 5000 runs in 2 second(s)\nstat::number_of_executed_units: 5000\n"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return golden_scene(tmp_path_factory.mktemp("scene")).folder


def test_executions_are_counted_while_a_target_runs_and_when_it_has_ended() -> None:
    assert fuzz.executions_in("") == 0
    assert fuzz.executions_in(RUNNING) == 1024
    assert fuzz.executions_in(ENDED) == 5000


def test_time_and_executions_are_split() -> None:
    targets = [Target("a", lambda _: iter(()), weight=3), Target("b", lambda _: iter(()))]
    assert fuzz.split_minutes(targets, 2.0) == [90.0, 30.0]
    assert fuzz.split_minutes(targets, 0.001) == [1.0, 1.0]
    assert fuzz.split_executions(10, 3) == [4, 3, 3]
    assert fuzz.split_executions(1, 2) == [1, 1]


def test_the_record_adds_up_over_runs(tmp_path: Path) -> None:
    path = tmp_path / "executions.json"
    assert fuzz.read_record(path) == {}
    record = fuzz.read_record(path)
    for executions in (10, 5):
        fuzz.add_to_record(record, fuzz.Result("a", executions, 2.0, 3))
    path.write_text(json.dumps(record), encoding="utf-8")
    assert fuzz.read_record(path) == {"a": {"executions": 15, "seconds": 4.0}}
    lines = fuzz.table([fuzz.Result("a", 5, 2.0, 3, failed=True)], record).splitlines()
    assert lines[1].split() == ["a", "5", "2", "3", "15", "BROKEN"]
    assert lines[-1].split() == ["all", "5", "15"]


def test_what_breaks_a_target_is_named_with_the_way_to_see_it_again() -> None:
    broken = fuzz.Result("a", 5, 2.0, 3, broken_by=(Path("x/crash-1"),), failed=True)
    words = fuzz.how_to_repeat(broken, Path("bin"))
    assert "a is broken by x/crash-1" in words
    assert "bin/a x/crash-1" in words


def test_targets_are_the_programs_that_there_are() -> None:
    programs = {path.stem for path in (ROOT / "fuzz" / "src" / "bin").glob("*.rs")}
    assert {target.name for target in TARGETS} == programs


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_every_target_has_seeds(target: Target, scene: Path, tmp_path: Path) -> None:
    count = write_seeds(target, scene, tmp_path)
    seeds = list(tmp_path.iterdir())
    assert len(seeds) == count > 1
    assert all(0 <= seed.stat().st_size <= target.longest for seed in seeds)


def test_seeds_of_version_73_can_be_read(scene: Path, tmp_path: Path) -> None:
    target = next(target for target in TARGETS if target.name == "mat_v73")
    write_seeds(target, scene, tmp_path)
    for seed in tmp_path.iterdir():
        try:
            assert mat.read(seed), seed
        except PystampsError as refused:
            pytest.fail(f"{seed.name}: {refused}")


def test_a_broken_target_ends_in_its_artifact_and_a_stopped_one_in_its_count(
    scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script in place of a target: it says what libFuzzer says."""
    monkeypatch.setattr(fuzz, "_FUZZ", tmp_path)
    program = tmp_path / "typed_text"
    program.write_text(
        f"#!{sys.executable}\n"
        "import pathlib, re, sys\n"
        "prefix = next(a for a in sys.argv if a.startswith('-artifact_prefix='))\n"
        "pathlib.Path(prefix.split('=')[1], 'crash-1').write_bytes(b'x')\n"
        "sys.stderr.write('#7\\tNEW\\nstat::number_of_executed_units: 9\\n')\n"
        "sys.exit(77)\n"
    )
    program.chmod(0o755)
    target = next(target for target in TARGETS if target.name == "typed_text")
    run = fuzz.Run(target, program, scene, tmp_path / "logs")
    run.start(5, [None])
    run.wait(5)
    result = run.result()
    assert (result.executions, result.failed) == (9, True)
    assert [path.name for path in result.broken_by] == ["crash-1"]
    program.write_text(
        "#!/bin/sh\ntrap 'kill $!; exit 72' INT\necho '#64\tpulse' >&2\nsleep 60 & wait\n"
    )
    run = fuzz.Run(target, program, scene, tmp_path / "more-logs")
    run.start(60, [None, None])
    while run.executions() < 128:
        pass
    run.stop()
    result = run.result()
    assert (result.executions, result.failed, result.broken_by) == (128, False, ())
    assert re.search(r"typed_text +128 ", fuzz.table([result], {}))


def test_options_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    options = fuzz.read_options(["--targets", "edge_file,mat_v73", "--jobs", "1"])
    assert [target.name for target in options.chosen] == ["mat_v73", "edge_file"]
    for wrong in (["--targets", "nothing"], ["--jobs", "0"], ["--minutes", "0"]):
        with pytest.raises(SystemExit):
            fuzz.read_options(wrong)
    assert "no such target: nothing" in capsys.readouterr().err
