"""Measure the kernels: ``python -m parity.bench_kernels``.

Native on one and on two threads against NumPy on the same data, whose results are compared. NumPy
itself may use more than one thread for products of matrices.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim import _native
from pystamps_shim.kernels import numpy_backend
from pystamps_shim.kernels.clap import clap_filter, window_count

Array = NDArray[Any]

_ROWS = 20_000
_INTERFEROGRAMS = 75
_GRID = (160, 160)
_REPEATS = 3


@dataclass(frozen=True)
class Measurement:
    """What one line of the table is made from.

    Attributes
    ----------
    name, unit
        Kernel, and what is counted.
    count
        Units one run works through.
    native
        Runs the native kernel on so many threads.
    numpy
        Runs the NumPy kernel.
    tolerance
        Largest difference of results.
    goal
        Units a second and core, or ``None``.
    threads
        Numbers of threads to measure.
    """

    name: str
    unit: str
    count: int
    native: Callable[[int], Any]
    numpy: Callable[[], Any]
    tolerance: float
    goal: float | None = None
    threads: tuple[int, ...] = (1, 2)


def main() -> None:
    """Print one line for each kernel."""
    for measurement in _measurements():
        _report(measurement)


def _measurements() -> list[Measurement]:
    random = np.random.default_rng(1)
    shape = (_ROWS, _INTERFEROGRAMS)
    samples = _ROWS * _INTERFEROGRAMS
    phasors = np.exp(2j * np.pi * random.random(shape))
    common = random.uniform(-150, 150, _INTERFEROGRAMS)
    each = common + random.uniform(-1, 1, shape)
    cells = np.stack([random.integers(1, n + 1, _ROWS) for n in _GRID], axis=1)
    weighted = phasors.astype(np.complex64)
    coherence = random.random(samples)
    centres = np.asarray(0.005 + 0.01 * np.arange(100), dtype=np.float64)
    wraps = 0.5  # 9 trials
    native, plain = _native.kernels, numpy_backend
    grid = phasors.ravel()[: _GRID[0] * _GRID[1]].reshape(_GRID)
    frequency_term = 1 / (1 + (np.fft.fftfreq(32, 50) * 800) ** 10)
    response = np.outer(frequency_term, frequency_term)
    windows = window_count(_GRID[0], 24) * window_count(_GRID[1], 24)
    return [
        Measurement(
            "stage2_topofit",
            "samples",
            samples,
            lambda threads: native.stage2_topofit(phasors, each, wraps, threads=threads)[2],
            lambda: plain.stage2_topofit(phasors, each, wraps)[2],
            1e-12,
            40e6,
        ),
        Measurement(
            "stage2_topofit_row_invariant",
            "samples",
            samples,
            lambda threads: native.stage2_topofit_row_invariant(
                phasors, common, wraps, threads=threads
            )[2],
            lambda: plain.stage2_topofit_row_invariant(phasors, common, wraps)[2],
            1e-12,
            40e6,
        ),
        Measurement(
            "stage2_topofit_coh_row_invariant",
            "samples",
            samples,
            lambda threads: native.stage2_topofit_coh_row_invariant(
                phasors, common, wraps, threads=threads
            ),
            lambda: plain.stage2_topofit_coh_row_invariant(phasors, common, wraps),
            1e-12,
        ),
        Measurement(
            "stage2_grid_accumulate",
            "samples",
            samples,
            lambda threads: native.stage2_grid_accumulate(weighted, cells, *_GRID, threads=threads),
            lambda: plain.stage2_grid_accumulate(weighted, cells, *_GRID),
            0,
        ),
        Measurement(
            "stage2_histogram",
            "values",
            samples,
            lambda _: native.stage2_histogram(coherence, centres),
            lambda: plain.stage2_histogram(coherence, centres),
            0,
            threads=(1,),
        ),
        Measurement(
            "clap_filter",
            "windows",
            windows,
            lambda _: native.clap_filter(grid, 1.0, 0.3, response),
            lambda: clap_filter(grid, 1.0, 0.3, response),
            1e-9,
            25e3,
            threads=(1,),
        ),
    ]


def _report(measurement: Measurement) -> None:
    reference, plain_seconds = _quickest(measurement.numpy)
    for threads in measurement.threads:
        result, seconds = _quickest(partial(measurement.native, threads))
        difference = float(np.nanmax(np.abs(result - reference)))
        if difference > measurement.tolerance:
            sys.exit(f"{measurement.name}: native and NumPy differ by {difference}")
        rate = measurement.count / seconds
        goal = f"goal {measurement.goal * threads / 1e6:g} M" if measurement.goal else ""
        sys.stdout.write(
            f"{measurement.name:<33} {threads} thread{'s' if threads > 1 else ' '} "
            f"{rate / 1e6:9.3f} M {measurement.unit}/s  "
            f"ratio to NumPy {plain_seconds / seconds:7.1f}  {goal}\n"
        )


def _quickest(run: Callable[[], Any]) -> tuple[Any, float]:
    seconds = []
    for _ in range(_REPEATS):
        begin = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - begin)
    return result, min(seconds)


if __name__ == "__main__":
    main()
