"""Persistent scatterers: where they stand, how strong and how steady they are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.simulate.frame import Frame
from pystamps_shim.simulate.randomness import Purpose, stream

Singles = NDArray[np.float32]

_TOWN_SHARE, _ROAD_SHARE = 0.75, 0.25
_TOWN_RADIUS = (0.03, 0.10)
_ROAD_HALF_WIDTH_M = 12.0
_BORDER = (0.06, 0.94)
# Phase noise of a scatterer in one image; amplitude dispersion is about the same number.
_NOISE_RAD = (0.08, 0.50)
_STRENGTH_LOG_MEAN, _STRENGTH_LOG_SPREAD = 1.1, 0.45


class Cover(IntEnum):
    """What a pixel holds."""

    CLUTTER = 0
    TOWN = 1
    ROAD = 2
    SCATTERED = 3


@dataclass(frozen=True)
class Scatterers:
    """The persistent scatterers of a scene, in raster order.

    Attributes
    ----------
    line, sample
        Pixel, 0-based.
    cover
        `Cover` of the pixel.
    noise_rad
        Standard deviation of the phase noise in one image.
    strength
        Amplitude relative to the ground's brightness.
    """

    line: NDArray[np.intp]
    sample: NDArray[np.intp]
    cover: NDArray[np.uint8]
    noise_rad: Singles
    strength: Singles

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.line)


def cover_map(frame: Frame, water: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Place the scatterers and return the `Cover` of every pixel [lines, samples]."""
    settings = frame.settings
    rng = stream(settings.seed, Purpose.SCATTERERS)
    extent = np.array(frame.extent_m)
    grouped = max(0, settings.scatterers - settings.scattered)
    centres = rng.uniform(*_BORDER, (settings.towns, 2)) * extent
    radii = rng.uniform(*_TOWN_RADIUS, settings.towns) * extent.min()
    population = rng.gamma(1.5, 1.0, settings.towns)
    in_towns = round(grouped * (_TOWN_SHARE if settings.roads else 1.0))
    counts = rng.multinomial(in_towns, population / population.sum())
    cover = np.zeros(frame.shape, dtype=np.uint8)
    for centre, radius, count in zip(centres, radii, counts, strict=True):
        squash = np.array([1.0, rng.uniform(0.6, 1.4)])
        spots = centre + rng.standard_normal((int(count), 2)) * radius * squash
        _put(cover, frame, water, spots, Cover.TOWN)
    for _ in range(settings.roads):
        begin = centres[rng.integers(settings.towns)]
        end = np.array([rng.uniform(), float(rng.integers(2))]) * extent
        count = round(grouped * _ROAD_SHARE) // settings.roads
        spots = begin + (end - begin) * rng.uniform(-0.6, 1.0, count)[:, None]
        spots += rng.standard_normal(spots.shape) * _ROAD_HALF_WIDTH_M
        _put(cover, frame, water, spots, Cover.ROAD)
    anywhere = rng.uniform(size=(min(settings.scattered, settings.scatterers), 2)) * extent
    _put(cover, frame, water, anywhere, Cover.SCATTERED)
    return cover


def _put(
    cover: NDArray[np.uint8],
    frame: Frame,
    water: NDArray[np.bool_],
    spots_m: NDArray[np.float64],
    kind: Cover,
) -> None:
    """Mark the pixels under `spots_m` (along, across) that are dry, free and inside."""
    line = np.rint(spots_m[:, 0] / frame.settings.azimuth_spacing_m).astype(np.intp)
    sample = np.searchsorted(frame.ground_range_m, spots_m[:, 1])
    inside = (line >= 0) & (line < frame.shape[0]) & (sample < frame.shape[1])
    inside &= spots_m[:, 1] >= 0
    line, sample = line[inside], sample[inside]
    free = (cover[line, sample] == Cover.CLUTTER) & ~water[line, sample]
    cover[line[free], sample[free]] = kind


def scatterers_of(frame: Frame, cover: NDArray[np.uint8]) -> Scatterers:
    """Return the scatterers of a cover map with their strength and noise."""
    line, sample = np.nonzero(cover)
    rng = stream(frame.settings.seed, Purpose.STRENGTH)
    noise = rng.uniform(*_NOISE_RAD, len(line)).astype(np.float32)
    spread = rng.standard_normal(len(line)) * _STRENGTH_LOG_SPREAD
    strength = np.exp(_STRENGTH_LOG_MEAN + spread).astype(np.float32)
    return Scatterers(line, sample, cover[line, sample], noise, strength)
