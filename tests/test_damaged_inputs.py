"""Bits turned over and files cut short, in everything that native commands read.

Whatever is damaged, a command ends by itself, with a diagnostic that names the file or with
results; where it ends with a diagnostic, the dataset is as it was. With the file as it was, the
same command then gives the bytes of an undisturbed run. ``make test`` damages a few files,
``make test-faults`` all of them in many places.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pystamps_shim.io import mat
from tests.damage import Damage, damaged, damages
from tests.disturbance import (
    RecordProperty,
    differing,
    environment,
    tree,
)

SEED = 20264
#: Bits turned over a file, in ``make test-faults``.
FLIPS = 8
#: Files damaged under every command, in ``make test``.
FEW = 3
#: How long a command may take that takes a tenth of a second undisturbed.
TIMEOUT_S = 60

_PATCH = "--patch {}/dataset/PATCH_1 --threads 1 --invalidate"
_MERGED = "--dataset {}/dataset --threads 1 --invalidate"
#: What a project's own records are called.
_RECORDS = ("ledger.json", "checksums.json", "lock", "cache")


@dataclass(frozen=True)
class Reader:
    """A command, the state it is run on, and the files that are damaged under it.

    Attributes
    ----------
    words
        Its arguments; ``{}`` stands for the folder in which dataset and export lie.
    before
        The state of the dataset.
    stage
        The stage and scope whose inputs are damaged, as ``status`` lists them.
    files
        Patterns of further files, from that folder.
    may_be_named
        What a diagnostic may name in place of the file.
    """

    words: str
    before: str
    stage: tuple[int, str] | None = None
    files: tuple[str, ...] = ()
    may_be_named: tuple[str, ...] = ()


_LEDGER = "dataset/PATCH_1/.pystamps/ledger.json"
READERS = {
    "preparation": Reader(
        "prep snap --export {}/export --dataset {}/dataset --threads 1 --azimuth-patches 2 --force",
        "nothing",
        files=(
            "export/rslc/20210[12]*.rslc",
            "export/rslc/20210224.rslc.par",
            "export/rslc/20210107.rslc.par",
            "export/diff0/20210224_202101*.*",
            "export/geo/*",
            "export/dem/*",
        ),
        # A raster is as long as the master's parameters say.
        may_be_named=("rslc.par", "rslc", "the phase"),
    ),
    "stage 1": Reader(
        f"stage 1 {_PATCH}",
        "before stage 1",
        (1, "patch"),
        ("dataset/*.txt", "dataset/*.in", "dataset/PATCH_1/*.in", "dataset/parms.mat"),
        # A list of paths that is damaged names files that are not there.
        ("pscands.1", ".par", ".base", ".diff", "rsc.txt", "width.txt", "len.txt"),
    ),
    "stage 2": Reader(f"stage 2 {_PATCH}", "before stage 2", (2, "patch")),
    "stage 3": Reader(f"stage 3 {_PATCH}", "before stage 3", (3, "patch"), (_LEDGER,)),
    "stage 4": Reader(f"stage 4 {_PATCH}", "before stage 4", (4, "patch")),
    "stage 5": Reader(f"stage 5 {_PATCH}", "before stage 5", (5, "patch")),
    "merge": Reader(
        f"stage 5 {_MERGED} --merge-only",
        "before stage 6",
        (5, "merged"),
        ("dataset/patch.list", "dataset/.pystamps/ledger.json"),
    ),
    "stage 6": Reader(
        f"stage 6 {_MERGED}", "before stage 6", (6, "merged"), ("dataset/parms.mat",)
    ),
    "stage 7": Reader(f"stage 7 {_MERGED}", "before stage 7", (7, "merged")),
    "stage 8": Reader(f"stage 8 {_MERGED}", "before stage 8", (8, "merged")),
    "product": Reader(
        "product v-dso --dataset {}/dataset --out {}/dataset/v.csv --force",
        "old",
        files=tuple(f"dataset/{n}2.mat" for n in ("ps", "phuw", "scla", "scn", "bp", "ifgstd")),
    ),
    "parameters": Reader(
        "params set clap_alpha 0.9 --dataset {}/dataset", "old", files=("dataset/parms.mat",)
    ),
}
#: Commands whose MATLAB files are also tried in version 7.3.
AGAIN_AS_V73 = ("stage 2", "stage 3", "stage 4", "merge", "stage 6", "stage 8")


class Bench:
    """A reader, its files, and what it makes of them undisturbed."""

    def __init__(self, program: Path, folder: Path, name: str, version: str) -> None:
        reader = READERS[name]
        self._folder, self._reader, self._version = folder, reader, version
        self.dataset = folder / "dataset"
        words = (word.replace("{}", str(folder)) for word in reader.words.split())
        self._command, self._program = [str(program), *words], str(program)
        self._restore(folder / reader.before)
        self.files = self._files()
        if version == "7.3":
            self._make_v73()
        self._before = folder / f"before {name}, version {version}"
        shutil.copytree(self.dataset, self._before)
        self.rewrite()
        assert self._run(self._command).returncode == 0
        self.new = tree(self.dataset)

    def _restore(self, before: Path) -> None:
        shutil.rmtree(self.dataset, ignore_errors=True)
        shutil.copytree(before, self.dataset)

    def rewrite(self) -> None:
        """Bring the state before the command back."""
        self._restore(self._before)

    def _files(self) -> list[Path]:
        """Return the files that are damaged, without those that are empty or not there."""
        found = [path for pattern in self._reader.files for path in self._folder.glob(pattern)]
        if self._reader.stage is not None:
            number, scope = self._reader.stage
            text = self._run([self._program, "status", "--json", "--dataset", str(self.dataset)])
            scopes = json.loads(text.stdout)["scopes"]
            target = next(one for one in scopes if one["scope"] == scope)
            stage = next(one for one in target["stages"] if one["stage"] == number)
            found += [self.dataset / target["target"] / name for name in stage["reads"]]
        whole = (path for path in found if path.is_file() and path.stat().st_size)
        return sorted(path for path in whole if "PATCH_2" not in path.parts)

    def _make_v73(self) -> None:
        """Bring the MATLAB files into the other version."""
        self.files = [path for path in self.files if path.suffix == ".mat"]
        for path in self.files:
            mat.write(path, mat.read(path), version="7.3")

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=environment(),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=TIMEOUT_S,
        )

    def damage(self, path: Path, damage: Damage) -> bool:
        """Run the command on a damaged file, and then as it was; tells whether it was refused."""
        self.rewrite()
        times = path.stat()
        with damaged(path, damage):
            before = tree(self.dataset)
            result = self._run(self._command)
            after = tree(self.dataset)
            looked = self._run([self._program, "status", "--dataset", str(self.dataset)])
        if path.name == "parms.mat":
            # The command has changed it, too: what was there before is no input of the next one.
            self.rewrite()
        # Rasters are known by their time of change.
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        words = result.stderr
        assert result.returncode in (0, 1, 2), words
        assert looked.returncode in (0, 1, 2), looked.stderr
        assert "panicked" not in words + looked.stderr
        if result.returncode:
            assert "error: [" in words, words
            assert "to do:" in words, words
            named = (path.name, *self._reader.may_be_named)
            assert path.name in _RECORDS or any(name in words for name in named), words
            assert differing(before, after) == [], words
        again = self._run(self._command)
        assert again.returncode == 0, again.stderr
        assert differing(tree(self.dataset), self.new) == []
        return result.returncode != 0


Benches = Callable[[str, str], Bench]


@pytest.fixture(scope="session")
def benches(native_program: Path, two_patches: Path) -> Benches:
    """Return what makes the bench of a reader."""
    made: dict[tuple[str, str], Bench] = {}

    def bench(name: str, version: str) -> Bench:
        if (name, version) not in made:
            made[name, version] = Bench(native_program, two_patches, name, version)
        return made[name, version]

    return bench


def damage_all(
    bench: Bench, files: Sequence[Path], choose: Callable[[Path], list[Damage]]
) -> tuple[int, int]:
    """Damage files of a bench in the chosen ways; returns how many, and how many were refused."""
    tried = refused = 0
    bench.rewrite()
    for path in files:
        for damage in choose(path):
            try:
                refused += bench.damage(path, damage)
            except (AssertionError, subprocess.TimeoutExpired) as error:
                error.add_note(f"{path}: {damage}")
                raise
            tried += 1
    return tried, refused


def once_each(path: Path) -> list[Damage]:
    """Cut a file in half, or turn a bit over, by its name."""
    size = path.stat().st_size
    found = damages(path.name, size, SEED, 1)
    return [found[-1] if len(path.name) % 2 else next(d for d in found if d.length == size // 2)]


def everywhere(path: Path) -> list[Damage]:
    """Cut and turn over."""
    return damages(path.name, path.stat().st_size, SEED, FLIPS)


@pytest.mark.parametrize("name", READERS)
def test_some_inputs_damaged(benches: Benches, name: str) -> None:
    """A bit or a half of some."""
    bench = benches(name, "5")
    some = bench.files[:: max(1, len(bench.files) // FEW)]
    tried, _ = damage_all(bench, some, once_each)
    assert tried > 0


@pytest.mark.faults
@pytest.mark.parametrize("name", READERS)
def test_every_input_damaged(benches: Benches, name: str, record_property: RecordProperty) -> None:
    """Bits, heads and tails of each."""
    bench = benches(name, "5")
    tried, refused = damage_all(bench, bench.files, everywhere)
    assert refused > 0
    record_property("damaged inputs", tried)


@pytest.mark.faults
@pytest.mark.parametrize("name", AGAIN_AS_V73)
def test_every_input_of_version_73_damaged(
    benches: Benches, name: str, record_property: RecordProperty
) -> None:
    """The same in HDF5."""
    bench = benches(name, "7.3")
    tried, refused = damage_all(bench, bench.files, everywhere)
    assert refused > 0
    record_property("damaged inputs", tried)
