"""Fuzz every parser for a while: ``python -m parity.fuzz --minutes 5``, or ``make fuzz MINUTES=5``.

Builds the targets of ``fuzz/`` with the stable compiler and libFuzzer, gives them seeds from the
project's own data, runs one after the other on all processors, and prints how many inputs each has
survived. An input that breaks a target stays in ``fuzz/artifacts``; the exit code is then 1. What
was found interesting stays in ``fuzz/corpus``, where the next run goes on.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.io

from parity.golden import golden_scene
from pystamps_shim.io import mat

_ROOT = Path(__file__).resolve().parents[1]
_FUZZ = _ROOT / "fuzz"
_TRIPLE = "x86_64-unknown-linux-gnu"
#: What ``cargo fuzz`` passes, without a sanitizer: that needs no other compiler.
_FLAGS = (
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg=fuzzing",
    "-Ccodegen-units=1",
)
_LARGEST_SEED = 16_384

Seeds = Iterator[tuple[str, bytes]]


@dataclass(frozen=True)
class Target:
    """One program of ``fuzz/src/bin``.

    Attributes
    ----------
    name
        Its file.
    seeds
        Yields names and contents of inputs to begin with.
    longest
        Bytes that inputs may grow to.
    """

    name: str
    seeds: Callable[[Path], Seeds]
    longest: int


@dataclass(frozen=True)
class Result:
    """What one target did."""

    target: str
    executions: int
    seconds: int
    corpus: int
    failed: bool


def mat_seeds(scene: Path) -> Seeds:
    """Yield small MATLAB files: the original's, scipy's with every class, ours of both versions."""
    for path in sorted(scene.rglob("*.mat")):
        if path.stat().st_size <= _LARGEST_SEED:
            yield path.name, path.read_bytes()
    values = {
        "doubles": np.arange(6.0).reshape(2, 3),
        "complex": np.array([[1 + 2j, 3 - 4j]], dtype=np.complex64),
        "text": "Änderung",
        "flags": np.array([[True, False]]),
        "cell": np.array([["a", np.eye(2)]], dtype=object),
        "record": {"one": 1.0, "two": "zwei"},
        "empty": np.zeros((0, 3)),
        "whole": np.array([[1, -2]], dtype=np.int16),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seed.mat"
        for compressed in (False, True):
            scipy.io.savemat(path, values, do_compression=compressed)
            yield f"scipy-{compressed}", path.read_bytes()
        for version in ("5", "7.3"):
            kept = {name: value for name, value in values.items() if name != "cell"}
            mat.write(path, kept, version=version)
            yield f"own-{version}", path.read_bytes()


def text_seeds(scene: Path) -> Seeds:
    """Yield parameter files of images and baselines."""
    for suffix in ("*.par", "*.base"):
        for path in sorted(scene.rglob(suffix))[:6]:
            yield path.name, path.read_bytes()


def list_seeds(_: Path) -> Seeds:
    """Yield lists of patches."""
    yield "one", b"PATCH_1\n"
    yield "several", b"# by hand\nPATCH_1\n\nPATCH_2\nPATCH_10\n"
    yield "leading-out", b"../PATCH_1\n/tmp\n.\n"


def typed_seeds(_: Path) -> Seeds:
    """Yield what people type for parameters and dates."""
    for text in ("20", "[1 2 3]", "1:5", "[]", "'y'", "nan", "-Inf", "1e3, 2", "20210224"):
        yield text.replace("/", "_"), text.encode()


def ledger_seeds(_: Path) -> Seeds:
    """Yield a record as stages write it."""
    entry = (
        b'{"schema":1,"stages":{"stage1":{"algorithm":"stage1/1","parameters":{"a":"1"},'
        b'"inputs":[{"path":"ps1.mat","bytes":10,"digest":"00"}],"outputs":[],"origin":"native"}}}'
    )
    yield "empty", b"{}"
    yield "one", entry


TARGETS = (
    Target("mat_list", mat_seeds, _LARGEST_SEED),
    Target("mat_read", mat_seeds, _LARGEST_SEED),
    Target("mat_array", mat_seeds, _LARGEST_SEED),
    Target("parameter_file", mat_seeds, _LARGEST_SEED),
    Target("gamma_text", text_seeds, 512),
    Target("parameter_text", typed_seeds, 128),
    Target("patch_list", list_seeds, 256),
    Target("ledger", ledger_seeds, 1024),
)


def build() -> Path:
    """Build the targets and return their folder."""
    command = ["cargo", "build", "--release", "--locked", "--quiet", "--target", _TRIPLE]
    environment = {**os.environ, "RUSTFLAGS": " ".join(_FLAGS)}
    subprocess.run(command, cwd=_FUZZ, env=environment, check=True)
    return _FUZZ / "target" / _TRIPLE / "release"


def run_target(target: Target, program: Path, scene: Path, seconds: int) -> Result:
    """Run one target for a while on every processor."""
    corpus, artifacts = _FUZZ / "corpus" / target.name, _FUZZ / "artifacts" / target.name
    seeds = Path(tempfile.mkdtemp(prefix="pystamps-seeds-"))
    corpus.mkdir(parents=True, exist_ok=True)
    artifacts.mkdir(parents=True, exist_ok=True)
    for name, content in target.seeds(scene):
        (seeds / name).write_bytes(content)
    workers = os.cpu_count() or 1
    command = [
        str(program), str(corpus), str(seeds), f"-max_total_time={seconds}",
        f"-max_len={target.longest}", f"-fork={workers}", "-rss_limit_mb=2048", "-timeout=10",
        f"-artifact_prefix={artifacts}/",
    ]  # fmt: skip
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        shutil.rmtree(seeds)
    # The last line of every report begins with the executions so far.
    counts = [int(number) for number in re.findall(r"^#(\d+):", told.stderr, re.MULTILINE)]
    failed = told.returncode != 0
    if failed:
        sys.stderr.write("\n".join(told.stderr.splitlines()[-30:]) + "\n")
    size = sum(1 for _ in corpus.iterdir())
    return Result(target.name, max(counts, default=0), seconds, size, failed)


def main() -> int:
    """Run all targets and print the table."""
    parser = argparse.ArgumentParser(prog="python -m parity.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="for all targets together (1)")
    names = [target.name for target in TARGETS]
    parser.add_argument("--targets", help=f"some of {', '.join(names)}")
    options = parser.parse_args()
    chosen = options.targets.split(",") if options.targets else names
    folder = build()
    seconds = max(1, round(60 * options.minutes / len(chosen)))
    results = []
    with tempfile.TemporaryDirectory() as unpacked:
        scene = golden_scene(Path(unpacked)).folder
        for target in TARGETS:
            if target.name in chosen:
                sys.stderr.write(f"{target.name}: {seconds} s …\n")
                results.append(run_target(target, folder / target.name, scene, seconds))
    print(f"{'target':<16}{'executions':>14}{'a second':>12}{'corpus':>9}")  # noqa: T201
    for each in results:
        rate = each.executions / each.seconds
        words = "  BROKEN: fuzz/artifacts" if each.failed else ""
        print(f"{each.target:<16}{each.executions:>14,}{rate:>12,.0f}{each.corpus:>9}{words}")  # noqa: T201
    print(f"{'all':<16}{sum(each.executions for each in results):>14,}")  # noqa: T201
    return int(any(each.failed for each in results))


if __name__ == "__main__":
    sys.exit(main())
