"""Smooth random fields with a power-law spectrum, and reading them between grid nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Singles = NDArray[np.float32]
Floats = NDArray[np.floating]

# The field is drawn on a larger area: a cyclic transform would make opposite borders alike.
_MARGIN = 1.5


@dataclass(frozen=True)
class FieldGrid:
    """A regular grid over the scene.

    Attributes
    ----------
    extent_m
        Size of the scene (along, across).
    posting_m
        Distance of the nodes.
    """

    extent_m: tuple[float, float]
    posting_m: float

    @property
    def shape(self) -> tuple[int, int]:
        """Return the number of nodes that cover the scene with one to spare."""
        rows, columns = (int(size / self.posting_m) + 2 for size in self.extent_m)
        return rows, columns

    def draw(self, rng: np.random.Generator, exponent: float, rms: float) -> Singles:
        """Draw a field whose power falls with wavenumber to the power -`exponent`.

        Mean 0 and standard deviation `rms` over the grid.
        """
        rows, columns = (_fast_size(round(_MARGIN * size)) for size in self.shape)
        noise = rng.standard_normal((rows, columns), dtype=np.float32)
        along = np.fft.fftfreq(rows)[:, None]
        across = np.fft.rfftfreq(columns)[None, :]
        wavenumber = np.hypot(along, across)
        wavenumber[0, 0] = np.inf
        spectrum = np.fft.rfft2(noise) * (wavenumber ** (-exponent / 2)).astype(np.float32)
        field = np.fft.irfft2(spectrum, s=(rows, columns))[: self.shape[0], : self.shape[1]]
        field = (field - field.mean()) * (rms / field.std())
        return np.ascontiguousarray(field, dtype=np.float32)

    def reader(self, along_m: Floats, across_m: Floats) -> GridReader:
        """Return a reader for places inside the scene; the arguments broadcast."""
        return GridReader(self, along_m, across_m)


class GridReader:
    """Bilinear interpolation at fixed places, for many fields on one grid."""

    def __init__(self, grid: FieldGrid, along_m: Floats, across_m: Floats) -> None:
        row, self._row_weight = _split(along_m / grid.posting_m)
        column, self._column_weight = _split(across_m / grid.posting_m)
        stride = grid.shape[1]
        self._corner = row * stride + column
        self._stride = stride

    def read(self, field: Singles) -> Singles:
        """Return the field at the reader's places."""
        flat = field.ravel()
        upper = self._between(flat, self._corner)
        lower = self._between(flat, self._corner + self._stride)
        return upper + self._row_weight * (lower - upper)

    def _between(self, flat: Singles, left: NDArray[np.intp]) -> Singles:
        value = flat.take(left)
        return value + self._column_weight * (flat.take(left + 1) - value)


def _split(position: Floats) -> tuple[NDArray[np.intp], Singles]:
    whole = np.floor(position)
    return whole.astype(np.intp), (position - whole).astype(np.float32)


def _fast_size(least: int) -> int:
    """Return the next size whose prime factors are 2, 3 and 5 only."""
    size = least
    while True:
        rest = size
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return size
        size += 1
