"""Bits turned over and files cut short, in what the Python side reads and in finished results.

A finished dataset of which a file is damaged is mended by the next run: ledgers hold checksums of
what every stage has written. Settings, reports, locks and ledgers that cannot be read
are named, or do not matter; never is there a traceback.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.damage import Damage, damaged, damages
from tests.disturbance import RecordProperty, Tree, differing, environment
from tests.fault_bench import Bench

SEED = 20266
FLIPS = 6
TIMEOUT_S = 120
#: StaMPS itself writes the first two again, and two stages the third: they outdate nothing.
_REWRITTEN = ("psver.mat", "no_ps_info.mat", "uw_space_time.mat")
#: Results of stage 6. After stage 7 it is a second pass, which gives others.
_UNWRAPPED = ("phuw2", "uw_")
_FAILURES = ("panicked", "Traceback", "a defect of pystamps")

RECORDS = {
    "report": ".pystamps/report.json",
    "lock of runs": ".pystamps/run.lock",
    "lock": "PATCH_1/.pystamps/lock",
    "checksums": "PATCH_1/.pystamps/checksums.json",
    "ledger of a patch": "PATCH_1/.pystamps/ledger.json",
    "ledger": ".pystamps/ledger.json",
    "list of patches": "patch.list",
    "parameters": "parms.mat",
}
#: What is exported is made of these.
MERGED = ("ps2.mat", "phuw2.mat", "scla2.mat", "mean_v.mat", "pm2.mat", "hgt2.mat", "parms.mat")
SETTINGS = {
    "toml": '[runtime]\nthreads = 2\nworkers = 1\nprogress = "none"\n[compat]\n'
    "strict_reference = false\n",
    "json": '{"runtime": {"threads": 2, "workers": 1, "progress": "none"}}\n',
    "yaml": "runtime:\n  threads: 2\n  workers: 1\n  progress: none\n",
}


@dataclass(frozen=True)
class Scene:
    """A finished dataset, run by the orchestrator, and a copy of it."""

    dataset: Path
    copy: Path
    content: Tree

    def restore(self) -> None:
        """Bring it back."""
        shutil.rmtree(self.dataset, ignore_errors=True)
        shutil.copytree(self.copy, self.dataset)


@pytest.fixture(scope="session")
def scene(two_patches: Path) -> Scene:
    """Let a run go over a finished dataset, so that it has left its records."""
    dataset, copy = two_patches / "dataset", two_patches / "finished by a run"
    shutil.rmtree(dataset)
    shutil.copytree(two_patches / "old", dataset)
    assert run(dataset).returncode == 0
    export(dataset)
    holder = '{"pid": 4194305, "host": "elsewhere", "command": "stage 1"}'
    for name in ("lock of runs", "lock"):
        # As a killed program leaves it.
        (dataset / RECORDS[name]).write_text(holder, encoding="utf-8")
    shutil.copytree(dataset, copy)
    return Scene(dataset, copy, Bench.content(dataset))


def shim(*words: object) -> subprocess.CompletedProcess[str]:
    """Run a command; whatever it is, it ends by itself and shows no traceback."""
    result = subprocess.run(
        [sys.executable, "-m", "pystamps_shim", *(str(word) for word in words)],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=TIMEOUT_S,
    )
    said = f"{result.stdout}{result.stderr}"
    assert result.returncode in (0, 1, 2), said
    assert not any(failure in said for failure in _FAILURES), said
    return result


def export(dataset: Path) -> subprocess.CompletedProcess[str]:
    """Export velocities as a table."""
    out = dataset / "made" / "v.csv"
    return shim(
        *("export", "--dataset", dataset, "--format", "csv", "--product", "v-do"),
        *("--out", out, "--force"),
    )


def run(dataset: Path) -> subprocess.CompletedProcess[str]:
    """Run whatever is due."""
    return shim("run", "--dataset", dataset, "--no-products")


@contextmanager
def told(path: Path, damage: Damage) -> Iterator[None]:
    """Add to an error what was damaged."""
    try:
        yield
    except (AssertionError, subprocess.TimeoutExpired) as error:
        error.add_note(f"{path}: {damage}")
        raise


def result_files(scene: Scene) -> list[Path]:
    """Return what the stages have made, of one patch and of the merged project."""
    found = [*scene.copy.glob("*.mat"), *(scene.copy / "PATCH_1").glob("*.mat")]
    names = [p.relative_to(scene.copy) for p in found if p.name not in _REWRITTEN]
    return sorted(scene.dataset / name for name in names if name.name != "parms.mat")


def mend(scene: Scene, path: Path, damage: Damage) -> None:
    """Damage a result; a run finds it and makes it again."""
    scene.restore()
    times = path.stat()
    content = damage.of(path.read_bytes())
    path.write_bytes(content)
    # An older file is no less damaged.
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns - 1))
    result = run(scene.dataset)
    assert result.returncode == 0, result.stderr
    if path.name.startswith(_UNWRAPPED):
        assert f"runs again: {path.name} has been changed" in result.stderr, result.stderr
        return
    assert differing(Bench.content(scene.dataset), scene.content) == [], result.stderr


def damages_of(path: Path, flips: int) -> list[Damage]:
    """Return what is done to a file of that name."""
    return damages(path.name, path.stat().st_size, SEED, flips)


def test_a_damaged_result_is_mended(scene: Scene) -> None:
    """A bit of an estimate, on which everything later depends."""
    path = scene.dataset / "PATCH_1" / "pm1.mat"
    scene.restore()
    mend(scene, path, damages_of(path, 1)[-1])


@pytest.mark.faults
def test_every_damaged_result_is_mended(scene: Scene, record_property: RecordProperty) -> None:
    """Bits and halves of each."""
    scene.restore()
    tried = [(p, d) for p in result_files(scene) for d in damages_of(p, 2)[2:]]
    for path, damage in tried:
        with told(path, damage):
            mend(scene, path, damage)
    record_property("damaged inputs", len(tried))


def damage_record(scene: Scene, name: str, chosen: Sequence[Damage]) -> None:
    """Damage a record: a run mends it, or says what is wrong; as it was, all is as it was."""
    for damage in chosen:
        scene.restore()
        path = scene.dataset / RECORDS[name]
        with told(path, damage):
            with damaged(path, damage):
                shim("status", "--dataset", scene.dataset)
                result = run(scene.dataset)
                if result.returncode:
                    assert path.name in f"{result.stdout}{result.stderr}", result.stderr
                else:
                    path_is = path.read_bytes()
            if result.returncode == 0:
                # What the run has made of it is the state now.
                path.write_bytes(path_is)
            again = run(scene.dataset)
            assert again.returncode == 0, again.stderr


def test_a_record_damaged(scene: Scene) -> None:
    """Cut in half."""
    name = "ledger of a patch"
    damage_record(scene, name, damages_of(scene.copy / RECORDS[name], 0)[2:3])


@pytest.mark.faults
@pytest.mark.parametrize("name", RECORDS)
def test_record_damaged_everywhere(
    scene: Scene, name: str, record_property: RecordProperty
) -> None:
    """Cut and turned over in many places."""
    chosen = damages_of(scene.copy / RECORDS[name], FLIPS)
    damage_record(scene, name, chosen)
    record_property("damaged inputs", len(chosen))


def damage_exported(scene: Scene, name: str, chosen: Sequence[Damage]) -> None:
    """Damage what is exported: an earlier table stays, or there is a whole new one."""
    path, out = scene.dataset / name, scene.dataset / "made"
    scene.restore()
    before = Bench.content(out)
    for damage in chosen:
        with told(path, damage):
            with damaged(path, damage):
                result = export(scene.dataset)
            if result.returncode:
                assert path.name in result.stderr, result.stderr
                assert differing(Bench.content(out), before) == []
            assert export(scene.dataset).returncode == 0
            assert differing(Bench.content(out), before) == []


def test_damaged_input_of_an_export(scene: Scene) -> None:
    """Half of the stack."""
    damage_exported(scene, "ps2.mat", damages_of(scene.copy / "ps2.mat", 0)[2:3])


@pytest.mark.faults
@pytest.mark.parametrize("name", MERGED)
def test_damaged_inputs_of_an_export(
    scene: Scene, name: str, record_property: RecordProperty
) -> None:
    """Of every file."""
    chosen = damages_of(scene.copy / name, 4)
    damage_exported(scene, name, chosen)
    record_property("damaged inputs", len(chosen))


@pytest.mark.faults
@pytest.mark.parametrize("kind", SETTINGS)
def test_settings_damaged_everywhere(
    tmp_path: Path, kind: str, record_property: RecordProperty
) -> None:
    """They are refused by the file's name, or hold."""
    path, refused = tmp_path / f"settings.{kind}", 0
    path.write_text(SETTINGS[kind], encoding="utf-8")
    chosen = damages(path.name, path.stat().st_size, SEED, 40)
    for damage in chosen:
        with told(path, damage), damaged(path, damage):
            result = shim("config", "show", "--config", path, "--json")
            refused += result.returncode != 0
            assert result.returncode == 0 or path.name in result.stderr, result.stderr
    assert refused > 0
    record_property("damaged inputs", len(chosen))
