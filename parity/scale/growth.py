"""How the time of the whole chain grows with candidates and with interferograms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from parity.scale.measure import run_again
from parity.scale.scenes import Scene


@dataclass(frozen=True)
class Axis:
    """What grows.

    Attributes
    ----------
    name
        What differs between the scenes.
    fixed
        What does not, in words.
    limit
        Largest exponent of the time that is promised.
    sizes
        The sizes that are measured.
    scene
        Makes the scene of a size.
    """

    name: str
    fixed: str
    limit: float
    sizes: tuple[int, ...]
    scene: Callable[[int], Scene]


AXES = {
    axis.name: axis
    for axis in (
        Axis(
            "candidates",
            "38 interferograms",
            1.05,
            (50_000, 100_000, 200_000, 400_000),
            lambda count: Scene("growth", count, 38, runs=2),
        ),
        Axis(
            "interferograms",
            "50,000 candidates",
            1.1,
            (19, 38, 76, 152),
            lambda count: Scene("growth", 50_000, count, runs=2),
        ),
    )
}


@dataclass(frozen=True)
class Growth:
    """Times of scenes that differ in one size.

    Attributes
    ----------
    axis
        What grows.
    seconds
        Time of the whole chain by size, s, the best of several runs.
    stage_seconds
        The same by stage.
    """

    axis: Axis
    seconds: tuple[float, ...]
    stage_seconds: dict[str, tuple[float, ...]]

    @property
    def exponent(self) -> float:
        """Exponent of the size in the time of the whole chain."""
        return exponent(self.axis.sizes, self.seconds)

    @property
    def kept(self) -> bool:
        """Whether the promise is kept."""
        return self.exponent <= self.axis.limit


def exponent(sizes: tuple[int, ...], seconds: tuple[float, ...]) -> float:
    """Return the exponent of a power law through times, by least squares of the logarithms."""
    slope, _ = np.polyfit(np.log(sizes), np.log(seconds), 1)
    return float(slope)


def measure_growth(axis: Axis, work: Path) -> Growth:
    """Measure scenes of more and more of something."""
    scenes = [axis.scene(size) for size in axis.sizes]
    best = [
        min((run_again(scene, work) for _ in range(scene.runs)), key=lambda run: run.seconds)
        for scene in scenes
    ]
    names = best[0].stages
    stages = {name: tuple(run.stages[name].seconds for run in best) for name in names}
    return Growth(axis, tuple(run.seconds for run in best), stages)
