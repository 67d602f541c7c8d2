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
_EDGE_NODES = 2_000
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
    later = _LaterStages.of(random)
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
        *later.measurements(),
    ]


@dataclass(frozen=True)
class _LaterStages:
    """Data of the kernels of stages 4, 7 and 8."""

    phase_rad: Array
    bperp_m: Array
    day: Array
    node_a: Array
    node_b: Array

    @classmethod
    def of(cls, random: np.random.Generator) -> _LaterStages:
        """Make smooth series with noise, and edges between neighbours in a line."""
        day = 12.0 * np.arange(_INTERFEROGRAMS)
        phase = random.uniform(-0.005, 0.005, (_ROWS, 1)) * day
        phase += random.normal(0, 0.3, phase.shape)
        bperp = random.uniform(-150, 150, _INTERFEROGRAMS)
        bperp[0] = phase[:, 0] = 0
        nodes = np.arange(_EDGE_NODES - 3)
        node_a = np.concatenate([nodes] * 3)
        node_b = np.concatenate([nodes + step for step in (1, 2, 3)])
        return cls(phase.astype(np.float32), bperp.astype(np.float32), day, node_a, node_b)

    def measurements(self) -> list[Measurement]:
        """Return the measurements, in the order of the stages."""
        native, plain = _native.kernels, numpy_backend
        phasors = np.exp(1j * self.phase_rad[:_EDGE_NODES]).astype(np.complex64)
        baselines = np.broadcast_to(self.bperp_m, self.phase_rad.shape)
        noise = (
            phasors,
            self.node_a,
            self.node_b,
            self.bperp_m.astype(np.float64),
            self.day,
            730.0,
        )
        slope = (self.phase_rad, baselines, np.arange(_INTERFEROGRAMS), self.day)
        covariance = np.eye(_INTERFEROGRAMS)
        edges = (phasors[:, 1:], self.node_a, self.node_b)
        master = np.zeros(_INTERFEROGRAMS - 1, dtype=np.int64)
        series: dict[str, Any] = {
            "bperp": self.bperp_m[1:].astype(np.float64),
            "day": self.day,
            "ifgday_ix": np.stack([master, np.arange(1, _INTERFEROGRAMS)], axis=1),
            "n_trial_wraps": 0.5,
        }
        samples = len(self.node_a) * _INTERFEROGRAMS
        return [
            Measurement(
                "stage4_edge_stats",
                "samples",
                samples,
                lambda threads: native.stage4_edge_stats(*noise, threads=threads)[0],
                lambda: plain.stage4_edge_stats(*noise)[0],
                1e-4,
            ),
            Measurement(
                "stage7_scla",
                "samples",
                self.phase_rad.size,
                lambda threads: native.stage7_scla(*slope, covariance, 0, threads=threads)[0],
                lambda: plain.stage7_scla(*slope, covariance, 0)[0],
                1e-12,
            ),
            Measurement(
                "stage8_edge_noise space_time",
                "samples",
                samples,
                lambda threads: native.stage8_edge_noise(*edges, **series, threads=threads)[1],
                lambda: plain.stage8_edge_noise(*edges, **series)[1],
                1e-4,
            ),
            Measurement(
                "stage8_edge_noise simple",
                "samples",
                samples,
                lambda _: native.stage8_edge_noise(*edges, "simple")[1],
                lambda: plain.stage8_edge_noise(*edges, "simple")[1],
                2e-6,
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
