"""Measure exports: ``python -m parity.bench_exports [--points N] [--dates K] [--formats A,B]``.

First the writing alone: every format by a program of its own, from measurements that lie in a file
as the native program leaves them. Then the whole command, from a dataset after stage 7 to the file,
with the native program that it starts. Time and memory are told beside the limits, which are those
of the whole command.
"""

from __future__ import annotations

import argparse
import datetime
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from parity.measured_run import run_native, run_tree
from parity.synthetic_measurements import Acquisitions, assembled
from parity.synthetic_merged import MergedShape
from parity.synthetic_unwrapped import write_unwrapped
from pystamps_shim.products.export.formats import FORMATS, Format, format_named
from pystamps_shim.products.export.job import Export
from pystamps_shim.products.export.write import write_export
from pystamps_shim.products.measurements import Measurements, Places
from pystamps_shim.products.metadata import metadata_of
from pystamps_shim.products.point_table import MeasurementTable

_LIMIT_S, _LIMIT_BYTES = 60.0, 2e9
_FIRST_DATE, _DAYS_APART = datetime.date(2017, 1, 5), 12
_BLOCK = 100_000
_DEGREES_PER_SAMPLE, _DEGREES_PER_LINE = 3e-5, 1.4e-4
_SERIES, _VELOCITY = "series.npy", "velocity.npy"
# Of the dataset: what a Sentinel-1 burst covers at a density of cities.
_EXTENT_M, _CELL_M = 30_000.0, 200.0
_TITLES = "format       seconds   peak MB   file MB  points/s  of 60 s  of 2 GB"


def main() -> None:
    """Print the table, or in a program of its own write one format."""
    options = _options()
    if options.write is not None:
        _write(options.folder, options.write, options.points, options.dates)
        return
    _print(f"load of the machine before: {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores")
    _print(f"the writing alone: {options.points} PS x {options.dates} dates")
    _print(_TITLES)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        _make(Path(folder), options.points, options.dates)
        for name in options.formats.split(","):
            _measure(Path(folder), format_named(name).name, options)
    if options.dataset_points:
        _print(f"the whole command: {options.dataset_points} PS x {options.dates} images")
        _print(_TITLES)
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            dataset = _dataset(Path(folder) / "dataset", options.dataset_points, options.dates)
            for name in options.formats.split(","):
                _measure_command(dataset, format_named(name), options.dataset_points)
    _print(f"load of the machine after: {os.getloadavg()[0]:.1f}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure exports.")
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--dates", type=int, default=100)
    parser.add_argument(
        "--dataset-points",
        type=int,
        default=100_000,
        help="PS of the dataset for the whole command; 0 for the writing alone (100000)",
    )
    parser.add_argument("--formats", default="csv,gpkg,geoparquet", help=", ".join(FORMATS))
    parser.add_argument("--folder", type=Path, help="where to write; a temporary folder by default")
    parser.add_argument("--write", help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure(folder: Path, name: str, options: argparse.Namespace) -> None:
    command = [sys.executable, "-m", "parity.bench_exports", "--write", name]
    command += ["--folder", str(folder), "--points", str(options.points)]
    command += ["--dates", str(options.dates)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        _print(f"{name:<11} {finished.stderr.strip().splitlines()[-1]}")
        return
    _print_row(name, options.points, *map(float, finished.stdout.split()))


def _print_row(
    name: str, points: int, seconds: float, peak_bytes: float, size_bytes: float
) -> None:
    shares = f"{seconds / _LIMIT_S:8.2f} {peak_bytes / _LIMIT_BYTES:8.2f}"
    _print(
        f"{name:<11} {seconds:8.1f} {peak_bytes / 1e6:9.0f} {size_bytes / 1e6:9.1f} "
        f"{points / seconds:9.0f} {shares}"
    )


def _dataset(folder: Path, points: int, images: int) -> Path:
    """Make a merged dataset after stage 7."""
    shape = MergedShape(ps=points, images=images, extent_m=_EXTENT_M, cell_m=_CELL_M)
    write_unwrapped(folder, shape)
    run_native("stage", "7", "--dataset", folder)
    return folder


def _measure_command(dataset: Path, chosen: Format, points: int) -> None:
    """Run ``export`` as a user does and print what it takes, the native program included."""
    out = dataset.with_name("written") / f"product{chosen.suffix}"
    out.parent.mkdir()
    command = [sys.executable, "-m", "pystamps_shim", "export", "--dataset", str(dataset)]
    command += ["--format", chosen.name, "--out", str(out)]
    run = run_tree(command)
    _print_row(chosen.name, points, run.seconds, run.resident_bytes, _size_bytes(out.parent))
    shutil.rmtree(out.parent)


def _size_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _write(folder: Path, name: str, points: int, dates: int) -> None:
    """Write one format and print seconds, peak memory and size, bytes."""
    measurements = _opened(folder, points, dates)
    export = Export(MeasurementTable(measurements, metadata_of(measurements)), measurements)
    chosen = format_named(name)
    with tempfile.TemporaryDirectory(dir=folder) as target:
        out = Path(target) / f"product{chosen.suffix}"
        begin = time.perf_counter()
        write_export(chosen, export, out, force=False)
        seconds = time.perf_counter() - begin
        size_bytes = _size_bytes(out.parent)
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    _print(f"{seconds} {peak_bytes} {size_bytes}")


def _make(folder: Path, points: int, dates: int) -> None:
    """Write velocities and series, column after column as the native program does."""
    rng = np.random.default_rng(5)
    velocity = rng.normal(0, 6, points).astype(np.float32)
    std = rng.uniform(0.2, 1.5, points).astype(np.float32)
    np.save(folder / _VELOCITY, np.asfortranarray(np.column_stack([velocity, std])))
    series = np.lib.format.open_memmap(
        folder / _SERIES, "w+", np.float32, (points, dates - 1), fortran_order=True
    )
    for column, years in enumerate(_years(dates)):
        series[:, column] = velocity * years + rng.normal(0, 3, points)
    series.flush()


def _opened(folder: Path, points: int, dates: int) -> Measurements:
    days = [_FIRST_DATE + datetime.timedelta(_DAYS_APART * number) for number in range(dates)]
    rng = np.random.default_rng(6)
    side = int(np.ceil(np.sqrt(10 * points)))
    line, sample = np.divmod(np.sort(rng.choice(side * side, points, replace=False)), side)
    lonlat_deg = np.column_stack([11 + sample * _DEGREES_PER_SAMPLE, 44 + line * _DEGREES_PER_LINE])
    places = Places(
        ps=np.arange(1, points + 1),
        lonlat_deg=lonlat_deg,
        height_m=rng.uniform(0, 900, points),
        coherence=rng.uniform(0.5, 1, points),
        line=line,
        sample=sample,
        incidence_rad=rng.uniform(0.6, 0.7, points),
    )
    velocity, series = (np.load(folder / name, mmap_mode="r") for name in (_VELOCITY, _SERIES))
    return assembled(folder, places, Acquisitions(days, dates // 2), velocity, series)


def _years(dates: int) -> list[float]:
    master = dates // 2
    return [(n - master) * _DAYS_APART / 365.25 for n in range(dates) if n != master]


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
