"""A disk that is full, refuses or writes half: at every write of every native command.

The command is run once undisturbed, which counts its writes: every call that creates or changes a
file of the dataset. Then the disk fails at one of them. Whatever fails, the command ends with exit
code 1 and names the file and the system's reason, or has done its work all the same; the dataset
holds the old state or the new one, whole; and the same command on a disk that works again ends with
the bytes of the undisturbed run. ``make test`` tries a share, ``make test-faults`` every write.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.disturbance import RecordProperty, Victim
from tests.fault_bench import Bench, Benches, Trial, fail_at, share
from tests.faulty_disk import WRITES, FaultyDisk, build

#: Faults of every command in ``make test``.
SHARE = 5
PARTS = 4
#: Files that take the place of memory: they lose their name at once, and nobody is told of them.
_NAMELESS = "scratch."


@dataclass(frozen=True)
class Work:
    """A command that changes a dataset.

    Attributes
    ----------
    words
        Its arguments; ``{}`` stands for the folder in which dataset and export lie.
    before
        The folder, beside the processed dataset, that holds the state it is run on.
    halfway
        Names of files that may be new while all others are old: a unit of their own.
    description
        Name of a file that may be missing until the next command puts it in its place.
    """

    words: str
    before: str = "old"
    halfway: tuple[str, ...] = ()
    description: str = ""


_PATCH = "--patch {}/dataset/PATCH_1 --threads 1 --invalidate"
_MERGED = "--dataset {}/dataset --threads 1 --invalidate"
_PREP = "prep snap --export {}/export --dataset {}/dataset --threads 1"
_PRODUCT = "product v-do --dataset {}/dataset --threads 1 --force --out {}/dataset"

WORKS = {
    "first preparation": Work(f"{_PREP} --azimuth-patches 2", "nothing"),
    "preparation again": Work(f"{_PREP} --azimuth-patches 3 --force"),
    # It adds to the parameters first, which are a unit of their own.
    "first stage 1": Work(f"stage 1 {_PATCH}", "before stage 1", ("parms.mat",)),
    "stage 1": Work(f"stage 1 {_PATCH} --force"),
    "first stage 2": Work(f"stage 2 {_PATCH}", "before stage 2"),
    "stage 2": Work(f"stage 2 {_PATCH} --set clap_alpha=0.9"),
    "stage 2 in little memory": Work(
        "stage 2 --patch {}/dataset/PATCH_1 --threads 2 --invalidate --set clap_alpha=0.9"
        " --memory-limit 16500K"
    ),
    "adopted stage 2": Work(
        "adopt 2 --patch {}/dataset/PATCH_1 --from {}/old/PATCH_1 --origin replayed",
        "before stage 2",
    ),
    "stage 3": Work(f"stage 3 {_PATCH} --set density_rand=2"),
    "stage 3 in little memory": Work(f"stage 3 {_PATCH} --set density_rand=2 --memory-limit 9600K"),
    "stage 4": Work(f"stage 4 {_PATCH} --set weed_standard_dev=0.8"),
    "stage 5": Work(f"stage 5 {_PATCH}", "before stage 5"),
    "merge": Work(f"stage 5 {_MERGED} --merge-only --set heading=10"),
    "stage 6": Work(f"stage 6 {_MERGED} --set unwrap_grid_size=40"),
    "stage 6 in little memory": Work(
        f"stage 6 {_MERGED} --set unwrap_gold_alpha=0.7 --memory-limit 9700K"
    ),
    "stage 7": Work(f"stage 7 {_MERGED} --force --set scla_deramp=y"),
    "stage 8": Work(f"stage 8 {_MERGED} --set scn_time_win=200"),
    "stage 8 in little memory": Work(
        f"stage 8 {_MERGED} --set scn_time_win=200 --memory-limit 10490K"
    ),
    "parameters": Work("params set clap_alpha 0.9 --dataset {}/dataset"),
    "product in MATLAB's format": Work(f"{_PRODUCT}/v.mat", "with products"),
    "product as text": Work(f"{_PRODUCT}/v.csv", "with products", description="v.csv.json"),
    "product for NumPy": Work(f"{_PRODUCT}/v.npy", "with products", description="v.npy.json"),
}


@pytest.fixture(scope="session")
def benches(native_program: Path, two_patches: Path) -> Benches:
    """Return what makes the bench of a command."""
    folder, dataset = two_patches, two_patches / "dataset"
    shutil.rmtree(dataset)
    shutil.copytree(folder / "old", dataset)
    for file in ("v.mat", "v.csv", "v.npy"):
        made_before = ["product", "v", "--dataset", dataset, "--out", dataset / file]
        Victim(native_program, made_before).finish()
    shutil.copytree(dataset, folder / "with products")
    library = build("faulty_disk", folder)
    made: dict[str, Bench] = {}

    def bench(name: str) -> Bench:
        if name not in made:
            work = WORKS[name]
            words = [word.replace("{}", str(folder)) for word in work.words.split()]
            plan = [native_program, "plan", "--without-times", "--dataset", dataset]
            before = folder / work.before
            trial = Trial(
                [native_program, *words], dataset, before, plan, work.halfway, work.description
            )
            made[name] = Bench(trial, FaultyDisk(library, dataset, folder / "notes"))
        return made[name]

    return bench


@pytest.mark.parametrize("name", WORKS)
def test_some_writes_fail(benches: Benches, name: str) -> None:
    """A few, spread over the whole command."""
    bench = benches(name)
    fail_at(bench, share(bench.faults(), SHARE))


@pytest.mark.parametrize("name", [name for name in WORKS if "little memory" in name])
def test_little_memory_is_so_little_that_files_take_its_place(benches: Benches, name: str) -> None:
    """Or else the disk that fails under them is none."""
    assert any(Path(point.path).name.startswith(_NAMELESS) for point in benches(name).points)


@pytest.mark.parametrize("name", WORKS)
def test_nothing_has_its_name_before_it_is_on_the_disk(benches: Benches, name: str) -> None:
    """Nor does a journal announce it: after a power cut, what is there is whole."""
    unsynced: set[Path] = set()
    named = 0
    for point in benches(name).points:
        path = Path(point.path)
        if point.call in WRITES and not path.name.startswith(_NAMELESS):
            unsynced.add(path)
        elif point.call == "fsync":
            unsynced.discard(path)
        elif point.call == "rename" and path.name == "journal.json":
            named += 1
            assert not [each for each in unsynced if path.parent / "new" in each.parents]
        elif point.call == "rename" and ".pystamps" not in path.parts:
            named += 1
            # A file of its own comes from a draft that begins with its name.
            drafts = (each for each in unsynced if path.parent in each.parents)
            assert not [each for each in drafts if each.name.startswith(path.name)]
    assert named > 0


@pytest.mark.faults
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", WORKS)
def test_every_write_fails(
    benches: Benches, name: str, part: int, record_property: RecordProperty
) -> None:
    """Each of them, in each way."""
    chosen = benches(name).faults()[part::PARTS]
    ends = fail_at(benches(name), chosen)
    assert ends["old"] > 0
    record_property("disk faults", ends.total())
