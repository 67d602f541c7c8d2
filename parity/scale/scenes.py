"""The scenes of the scale benchmark, and what is promised for each."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pystamps_shim.simulate.dataset import DatasetSize, write_dataset
from pystamps_shim.simulate.scene import PRESETS

SEED = 20240711
GIB = 1 << 30


@dataclass(frozen=True)
class Scene:
    """A simulated dataset and its limits.

    Attributes
    ----------
    name
        Letter.
    candidates, interferograms, patches
        Sizes; candidates in the overlaps of patches count once.
    limit_s
        Time of stages 1 to 8, s; None if none is promised.
    limit_bytes
        Resident memory of all programs together.
    options
        Options of the run.
    runs
        How often it runs; the fastest counts.
    one_thread
        Whether every run is followed by runs with a single thread.
    predictable
        Whether ``plan`` has to be right about it.
    """

    name: str
    candidates: int
    interferograms: int
    patches: int = 1
    limit_s: float | None = None
    limit_bytes: int | None = None
    options: tuple[str, ...] = ()
    runs: int = 1
    one_thread: bool = False
    predictable: bool = False

    @property
    def size(self) -> str:
        """Sizes in words."""
        patches = "one patch" if self.patches == 1 else f"{self.patches} patches"
        return f"{self.candidates:,} candidates x {self.interferograms} interferograms, {patches}"


SCENES = (
    Scene("A", 100_000, 76, 1, 120.0, 4 * GIB, runs=5, one_thread=True, predictable=True),
    Scene("B", 700_000, 76, 4, 600.0, 8 * GIB, predictable=True),
    Scene("C", 5_000_000, 30, 40, None, 4 * GIB, ("--memory-limit", "4G")),
)


@contextmanager
def written(scene: Scene, work: Path) -> Iterator[Path]:
    """Write a scene's dataset into a folder, for as long as it is used."""
    folder = work / f"scene-{scene.name}-{scene.candidates}x{scene.interferograms}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = replace(PRESETS["demo"], images=scene.interferograms + 1, seed=SEED).checked()
    size = DatasetSize(scene.candidates, scene.interferograms, scene.patches)
    write_dataset(settings, size, folder, folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
