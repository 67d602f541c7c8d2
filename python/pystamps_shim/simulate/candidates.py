"""Candidates of a prepared dataset: coherent scatterers among clutter, without rasters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.simulate.export import noisy_phasors
from pystamps_shim.simulate.faults import Faults
from pystamps_shim.simulate.frame import Frame
from pystamps_shim.simulate.phase import ImagePhase
from pystamps_shim.simulate.randomness import Purpose, stream
from pystamps_shim.simulate.scatterers import Scatterers, cover_map, scatterers_of
from pystamps_shim.simulate.terrain import Terrain

ComplexColumn = NDArray[np.complex64]

# Clutter that passes the selection has steady amplitude by chance: uniform about 1.
_CLUTTER_SPREAD = 0.31
# Selection would have dropped the noisiest scatterers: these stay below the threshold 0.4.
_SELECTED_NOISE = np.float32(0.7)


@dataclass(frozen=True)
class CandidateSet:
    """Candidates in raster order, and which of them are scatterers.

    Attributes
    ----------
    line, sample
        Pixel, 0-based.
    coherent
        Positions of the scatterers among the candidates.
    scatterers
        The scatterers themselves.
    brightness
        Mean amplitude.
    """

    line: NDArray[np.intp]
    sample: NDArray[np.intp]
    coherent: NDArray[np.intp]
    scatterers: Scatterers
    brightness: NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of candidates."""
        return len(self.line)


def draw_candidates(frame: Frame, terrain: Terrain, count: int) -> CandidateSet:
    """Place scatterers and fill up with clutter on dry land to exactly `count` pixels."""
    cover = cover_map(frame, terrain.water)
    chosen = np.flatnonzero(cover)
    free = np.flatnonzero((cover == 0) & ~terrain.water)
    missing = count - len(chosen)
    if not 0 <= missing <= len(free):
        cause = f"the scene has room for {len(chosen)} to {len(chosen) + len(free)} candidates"
        raise PystampsError(cause, f"change --candidates {count}", ExitCode.USAGE)
    rng = stream(frame.settings.seed, Purpose.CLUTTER_CANDIDATES)
    pixels = np.concatenate([chosen, rng.choice(free, missing, replace=False, shuffle=False)])
    pixels.sort()
    line, sample = np.unravel_index(pixels, frame.shape)
    scatterers = scatterers_of(frame, cover)
    scatterers = replace(scatterers, noise_rad=scatterers.noise_rad * _SELECTED_NOISE)
    coherent = np.searchsorted(pixels, chosen)
    brightness = terrain.brightness.ravel()[pixels]
    brightness[coherent] *= scatterers.strength
    return CandidateSet(line, sample, coherent, scatterers, brightness)


class CandidateSignal:
    """Complex values of the candidates, image by image."""

    def __init__(self, frame: Frame, candidates: CandidateSet, faults: Faults) -> None:
        self._seed = frame.settings.seed
        self._candidates = candidates
        self._faults = faults

    def image(self, index: int, phase: ImagePhase) -> ComplexColumn:
        """Return the value of every candidate in one image."""
        candidates = self._candidates
        rng = stream(self._seed, Purpose.SPECKLE, index)
        angle = rng.random(len(candidates), dtype=np.float32) * np.float32(2 * np.pi)
        values = np.empty(len(candidates), dtype=np.complex64)
        np.cos(angle, out=values.real)
        np.sin(angle, out=values.imag)
        spread = np.float32(_CLUTTER_SPREAD * np.sqrt(12))
        values *= 1 + spread * (rng.random(len(candidates), dtype=np.float32) - np.float32(0.5))
        rng = stream(self._seed, Purpose.SCATTERER_NOISE, index)
        steady = noisy_phasors(rng, phase.total_rad, candidates.scatterers.noise_rad)
        self._faults.spoil_image(index, steady)
        values[candidates.coherent] = steady
        return values * candidates.brightness

    def interferogram(
        self, index: int, master: ComplexColumn, slave: ComplexColumn
    ) -> ComplexColumn:
        """Return master times conjugate slave with the faults of that image."""
        values = master * slave.conj()
        coherent = values[self._candidates.coherent]
        self._faults.spoil_interferogram(index, coherent)
        values[self._candidates.coherent] = coherent
        return values


class Dispersion:
    """Running amplitude dispersion over the images."""

    def __init__(self, count: int) -> None:
        self._images = 0
        self._sum = np.zeros(count)
        self._sum_of_squares = np.zeros(count)

    def add(self, values: ComplexColumn) -> None:
        """Take in one image."""
        amplitude = np.abs(values).astype(np.float64)
        self._images += 1
        self._sum += amplitude
        self._sum_of_squares += amplitude**2

    def result(self) -> NDArray[np.float64]:
        """Return standard deviation over mean; 0 where rounding would make it negative."""
        ratio = self._images * self._sum_of_squares / self._sum**2 - 1
        return np.sqrt(np.maximum(ratio, 0))
