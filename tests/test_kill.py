"""Kill preparation and stages at random moments: old state or new state, never a mixture.

A publication that was under way is completed by the next command that opens the folder; ``plan``
does so without computing anything. What the folder holds then must be the old state or the new one,
and the same command run again must end with the bytes of an undisturbed run.
"""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pystamps_shim.simulate.export import write_export
from pystamps_shim.simulate.scene import PRESETS
from tests.disturbance import RecordProperty, Victim, tree

SEED = 20260
#: How often every command is killed: by ``make test``, and besides by ``make test-faults``.
SHARE = pytest.mark.parametrize("kills", [6, pytest.param(24, marks=pytest.mark.faults)])
SMALL_SHARE = pytest.mark.parametrize("kills", [3, pytest.param(7, marks=pytest.mark.faults)])


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a small raw export."""
    folder: Path = tmp_path_factory.mktemp("export")
    write_export(replace(PRESETS["tiny"], seed=5), folder)
    return folder


def kill_often(
    victim: Victim, settle: Victim, old: Path, target: Path, kills: int
) -> tuple[int, int, int]:
    """Kill ``victim`` on copies of ``old`` at ``target`` until it was killed ``kills`` times.

    Returns
    -------
    tuple
        How often it was killed, and how often the old and the new state were found then.
    """

    def restore() -> None:
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(old, target)

    restore()
    seconds = victim.finish()
    new_state, old_state = tree(target), tree(old)
    assert new_state != old_state
    chance = random.Random(SEED + kills)
    killed = found_old = found_new = 0
    while killed < kills:
        restore()
        if not victim.kill_after(chance.uniform(0.0, 1.05 * seconds)):
            continue
        killed += 1
        settle.finish()
        state = tree(target)
        assert state in (old_state, new_state)
        found_old += state == old_state
        found_new += state == new_state
        victim.finish()
        assert tree(target) == new_state
    return killed, found_old, found_new


@SHARE
def test_preparation(
    native_program: Path,
    export: Path,
    tmp_path: Path,
    record_property: RecordProperty,
    kills: int,
) -> None:
    """An older preparation with a stage-1 result is replaced, or stays as it was."""
    target, old = tmp_path / "dataset", tmp_path / "old"
    arguments = ["prep", "snap", "--export", export, "--dataset", target, "--force"]
    Victim(native_program, [*arguments, "--azimuth-patches", 3]).finish()
    Victim(native_program, ["stage", 1, "--dataset", target]).finish()
    shutil.copytree(target, old)
    victim = Victim(native_program, [*arguments, "--azimuth-patches", 2])
    settle = Victim(native_program, ["plan", "--dataset", target, "--without-times"])
    killed, found_old, found_new = kill_often(victim, settle, old, target, kills)
    assert killed == kills
    # A test in which every kill comes before, or after, the work would prove nothing.
    assert found_old > 0
    assert found_old + found_new == killed
    record_property("kills", killed)


@SHARE
def test_stage_1(
    native_program: Path,
    export: Path,
    tmp_path: Path,
    record_property: RecordProperty,
    kills: int,
) -> None:
    """An older stage-1 result and a later stage's file are replaced, or stay as they were."""
    target, old = tmp_path / "dataset", tmp_path / "old"
    prep = ["prep", "snap", "--export", export, "--dataset", target]
    Victim(native_program, prep).finish()
    Victim(native_program, ["stage", 1, "--dataset", target]).finish()
    patch = target / "PATCH_1"
    (patch / "ps1.mat").write_bytes(b"an older result")
    (patch / "pm1.mat").write_bytes(b"a later result")
    shutil.copytree(target, old)
    victim = Victim(native_program, ["stage", 1, "--patch", patch, "--force"])
    settle = Victim(native_program, ["plan", "--dataset", target, "--without-times"])
    killed, found_old, found_new = kill_often(victim, settle, old, target, kills)
    assert killed == kills
    assert found_old > 0
    assert found_old + found_new == killed
    record_property("kills", killed)


@pytest.fixture(scope="module")
def processed(native_program: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Process a scene to its end; returns where it must lie, and a copy."""
    folder: Path = tmp_path_factory.mktemp("processed")
    export, target = folder / "export", folder / "dataset"
    export.mkdir()
    size = {"width": 190, "length": 260, "scatterers": 2600, "images": 12}
    write_export(replace(PRESETS["tiny"], seed=8, **size), export)  # type: ignore[arg-type]
    prep = ["prep", "snap", "--export", export, "--dataset", target, "--azimuth-patches", 2]
    Victim(native_program, prep).finish()
    for stage in (1, 2, 3, 4, 5):
        Victim(native_program, ["stage", stage, "--dataset", target]).finish()
    change = ["params", "set", "--dataset", target, "unwrap_grid_size", 50]
    Victim(native_program, change).finish()
    for stage in (6, 7, 8):
        Victim(native_program, ["stage", stage, "--dataset", target]).finish()
    shutil.copytree(target, folder / "old")
    return target, folder / "old"


COMMANDS = {
    "stage 2": "2 --patch PATCH_1 --set max_topo_err=30",
    "stage 3": "3 --patch PATCH_1 --set density_rand=2",
    "stage 4": "4 --patch PATCH_1 --set weed_standard_dev=0.8",
    "stage 5": "5 --patch PATCH_1",
    "merge": "5 --dataset . --set heading=10",
    "stage 6": "6 --dataset . --set unwrap_grid_size=20",
    "stage 7": "7 --dataset . --set scla_deramp=y",
    "stage 8": "8 --dataset . --set scn_time_win=200",
}


@SMALL_SHARE
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_later_stages(
    native_program: Path,
    processed: tuple[Path, Path],
    command: str,
    *,
    tmp_path: Path,
    record_property: RecordProperty,
    kills: int,
) -> None:
    """A stage run again with another parameter replaces its results and takes later ones away."""
    target, old = processed
    stage, scope, folder, *change = command.split()
    if not change:
        # No parameter acts on it: its result is missing.
        old = Path(shutil.copytree(old, tmp_path / "old"))
        (old / folder / "rc2.mat").unlink()
    arguments = ["stage", stage, scope, target / folder, *change, "--force"]
    victim = Victim(native_program, arguments)
    settle = Victim(native_program, ["plan", "--dataset", target, "--without-times"])
    killed, found_old, found_new = kill_often(victim, settle, old, target, kills)
    assert killed == kills
    assert found_old > 0
    assert found_old + found_new == killed
    record_property("kills", killed)
