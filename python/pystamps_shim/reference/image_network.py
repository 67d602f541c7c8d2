"""Which images the unwrapped interferograms join, and when they were taken (stage6.md 5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class ImageNetwork:
    """Interferograms as differences of images.

    Attributes
    ----------
    day
        [n] of the images that belong to an interferogram, relative to any date.
    pairs
        [u, 2] first and second image of each interferogram, from 0.
    bperp_m
        [u] of the interferograms.
    """

    day: Doubles
    pairs: NDArray[np.intp]
    bperp_m: Doubles

    @classmethod
    def of(cls, day: Doubles, pairs: NDArray[np.intp], bperp_m: Doubles) -> ImageNetwork:
        """Leave out the images without an interferogram and number the others anew."""
        used = np.unique(pairs)
        return cls(day[used], np.searchsorted(used, pairs), bperp_m)

    def design(self) -> Doubles:
        """Return ``G``, [u, n]: -1 for an interferogram's first image, +1 for its second."""
        matrix = np.zeros((len(self.pairs), len(self.day)))
        rows = np.arange(len(self.pairs))
        matrix[rows, self.pairs[:, 0]] = -1
        matrix[rows, self.pairs[:, 1]] = 1
        return matrix

    def interferograms_of(self, image: int) -> NDArray[np.intp]:
        """Return the interferograms that an image belongs to, ascending."""
        return np.flatnonzero((self.pairs == image).any(axis=1))
