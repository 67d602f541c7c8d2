"""A disk that fails under the orchestrator, exports, figures and the report.

As `test_full_disk`, but the programs are written in Python: a run, whose own writes are tried one
by one, and those of all its processes here and there; and what is made of a finished dataset.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.disturbance import RecordProperty, Victim, differing
from tests.fault_bench import Bench, Benches, Trial, fail_at, share
from tests.faulty_disk import FaultyDisk, How, Point, build

SEED = 20263
#: Faults of every command in ``make test``.
SHARE = 2
#: Faults of whole runs: in ``make test``, and in every other test.
FEW, MANY, PARTS = 1, 10, 4

_SHIM = [sys.executable, "-m", "pystamps_shim"]
_EXPORT = "export --dataset {}/dataset --force --out {}/dataset/made/e"
#: What makes the product another one than the earlier.
_OTHER = "--min-coherence 0.6"
RUN = "run --dataset {}/dataset --no-products"
#: What is made of a finished dataset: of which there is an older one, of more PS.
MADE = {
    "csv": f"{_EXPORT}.csv --format csv",
    "geojson": f"{_EXPORT}.geojson --format geojson",
    "kmz": f"{_EXPORT}.kmz --format kmz",
    "GeoPackage": f"{_EXPORT}.gpkg --format gpkg",
    "shapefile": f"{_EXPORT}.shp --format shp",
    "zarr": f"{_EXPORT}.zarr --format zarr",
    "mintpy": f"{_EXPORT}.mintpy --format mintpy --cell-m 200",
    "geotiff": f"{_EXPORT}.tif --format geotiff --cell-m 200",
    "geoparquet": f"{_EXPORT}.parquet --format geoparquet",
    "egms": f"{_EXPORT}.egms.csv --format egms",
    "visualizer": f"{_EXPORT}.visualizer.csv --format visualizer",
    "figure": "plot velocity --dataset {}/dataset --force --out {}/dataset/made/velocity.png",
    "report": "report --dataset {}/dataset --force --out {}/dataset/made/page.html",
}
#: Faults of products of which more has to be tried: GDAL goes on after some writes that fail.
LARGER_SHARES = {"GeoPackage": 30}
#: GDAL tells what failed last, which need not be the write that failed first.
WORDS = {"GeoPackage": ("cannot be written",)}
WORKS = {"run": f"{RUN} --threads 1 --start-step 8"} | {
    name: f"{words} {_OTHER}" for name, words in MADE.items()
}


class Places:
    """A processed scene, and trials on it."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.folder, self.program = folder, program
        self.dataset = folder / "dataset"
        self.library = build("faulty_disk", folder)
        self._benches: dict[str, Bench] = {}

    def command(self, words: str) -> list[str]:
        """Return a command in Python."""
        return [*_SHIM, *(word.replace("{}", str(self.folder)) for word in words.split())]

    def disk(self, program: str = "") -> FaultyDisk:
        """Return the disk of the dataset, which fails under such programs alone."""
        return FaultyDisk(self.library, self.dataset, self.folder / "notes", program)

    def bench(self, name: str) -> Bench:
        """Return the bench of one of `WORKS`; a run has the last stage to do."""
        if name not in self._benches:
            before, settle = self.folder / "before stage 8", None
            if name in MADE:
                # It puts back what was set aside, and refuses to replace it.
                settle = self.command(WORKS[name].replace("--force ", ""))
                before = self.folder / f"with {name}"
                self.restore(self.folder / "old")
                Victim(Path(sys.executable), self.command(MADE[name])[1:]).finish()
                shutil.copytree(self.dataset, before)
            told = WORDS.get(name, ())
            trial = Trial(
                self.command(WORKS[name]), self.dataset, before, settle, settled=2, words=told
            )
            own = Path(sys.executable).name if name == "run" else ""
            self._benches[name] = Bench(trial, self.disk(own))
        return self._benches[name]

    def restore(self, before: Path) -> None:
        """Bring a state back."""
        shutil.rmtree(self.dataset, ignore_errors=True)
        shutil.copytree(before, self.dataset)

    def states(self) -> set[str]:
        """Return how the stages of the dataset stand, once the next command has come by.

        It moves the rest of what a failing disk has left half in place.
        """
        plan = [str(self.program), "plan", "--without-times", "--dataset", str(self.dataset)]
        subprocess.run(plan, check=True, capture_output=True)
        command = [str(self.program), "status", "--json", "--dataset", str(self.dataset)]
        text = subprocess.run(command, check=True, capture_output=True).stdout
        scopes = json.loads(text)["scopes"]
        return {stage["state"] for scope in scopes for stage in scope["stages"]}


@pytest.fixture(scope="session")
def places(native_program: Path, two_patches: Path) -> Places:
    """Return where the trials are made."""
    return Places(native_program, two_patches)


@pytest.fixture(scope="session")
def benches(places: Places) -> Benches:
    """Return what makes the bench of a command."""
    return places.bench


@pytest.mark.parametrize("name", ["run", "csv"])
def test_some_writes_fail(benches: Benches, name: str) -> None:
    """A few, spread over the whole command."""
    bench = benches(name)
    fail_at(bench, share(bench.faults(), SHARE))


@pytest.mark.faults
@pytest.mark.parametrize("part", range(2))
@pytest.mark.parametrize("name", ["run", "csv"])
def test_every_write_fails(
    benches: Benches, name: str, part: int, record_property: RecordProperty
) -> None:
    """Each of them, in each way."""
    chosen = benches(name).faults()[part::2]
    record_property("disk faults", fail_at(benches(name), chosen).total())


@pytest.mark.faults
@pytest.mark.parametrize("name", [name for name in MADE if name != "csv"])
def test_many_writes_fail(benches: Benches, name: str, record_property: RecordProperty) -> None:
    """Spread over the whole command: these take seconds each."""
    bench = benches(name)
    chosen = share(bench.faults(), LARGER_SHARES.get(name, 12))
    record_property("disk faults", fail_at(bench, chosen).total())


def fail_whole_runs(places: Places, count: int, chance: random.Random) -> None:
    """Let the disk fail at random moments of runs from the beginning, whoever writes."""
    # Two patches at a time: whose call is the chosen one depends on the moment.
    command = [*places.command(RUN), "--threads", "2", "--workers", "2"]
    disk, before = places.disk(), places.folder / "before stage 1"
    places.restore(before)
    assert disk.run(command).returncode == 0
    points, new = disk.points(), Bench.content(places.dataset)
    for _ in range(count):
        point = chance.choice(points)
        how = chance.choice(point.ways())
        places.restore(before)
        result = disk.run(command, point, how)
        words = f"{how} at {point}: {result.stdout}{result.stderr}"
        check_run(places, result, how, words)
        again = disk.run(command)
        assert again.returncode == 0, f"{words}{again.stdout}{again.stderr}"
        assert differing(Bench.content(places.dataset), new) == [], words


def check_run(
    places: Places, result: subprocess.CompletedProcess[str], how: How, words: str
) -> None:
    """Check how a run has ended whose disk has failed."""
    assert result.returncode in (0, 1), words
    assert not any(failure in words for failure in ("panicked", "Traceback", "a defect")), words
    if result.returncode == 1:
        assert how is not How.SHORT, words
        assert how.words in words, words
    # Whole results or none: others would be outdated.
    assert places.states() <= {"current", "missing"}, words


def test_one_run_fails(places: Places) -> None:
    """At one moment, chosen once and for all."""
    fail_whole_runs(places, FEW, random.Random(SEED))


@pytest.mark.faults
@pytest.mark.parametrize("part", range(PARTS))
def test_many_runs_fail(places: Places, part: int, record_property: RecordProperty) -> None:
    """At many moments."""
    fail_whole_runs(places, MANY, random.Random(SEED + 1 + part))
    record_property("disk faults", MANY)


def test_every_call_is_counted(places: Places) -> None:
    """The disk sees what it is to fail at, so that a test with none to fail at is noticed."""
    calls = {point.call for point in places.bench("run").points}
    assert {"mkdir", "open", "write", "rename"} <= calls
    assert Point(1, "rename", "").ways() == [How.ERROR, How.FULL]
