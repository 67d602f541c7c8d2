"""Rows of two datasets matched by pixel, where their PS are not the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.verification.reading import Reader

Rows = NDArray[np.intp]
Pixels = NDArray[np.complex128]

#: What the first symbol of a shape in a contract stands for: candidates, PS of a patch, merged PS.
_TABLES = {"N": "ps1.mat", "n": "ps2.mat", "P": "ps2.mat"}
#: Candidates of the first selection: rows of ``ps1.mat`` that ``select1.mat`` names.
_SELECTED = "n1"
_OF_ANY_SHAPE = "any"


@dataclass(frozen=True)
class Match:
    """Which rows of both sides are the same pixel.

    Attributes
    ----------
    dataset, reference
        Rows of either side, [k] each, counted from 0; pixel by pixel the same.
    sizes
        Rows of the dataset and of the reference.
    """

    dataset: Rows
    reference: Rows
    sizes: tuple[int, int]

    @classmethod
    def of(cls, dataset: Pixels, reference: Pixels) -> Match:
        """Match two lists of pixels; of pixels that are in a list twice, the first.

        Equal lists match row by row.
        """
        if np.array_equal(dataset, reference):
            rows = np.arange(dataset.size)
            return cls(rows, rows, (rows.size, rows.size))
        _, own, others = np.intersect1d(dataset, reference, return_indices=True)
        order = np.argsort(own)
        return cls(own[order], others[order], (dataset.size, reference.size))

    @property
    def unmatched(self) -> tuple[int, int]:
        """Return how many rows the dataset alone has, and the reference alone."""
        return self.sizes[0] - self.dataset.size, self.sizes[1] - self.reference.size

    @property
    def total(self) -> int:
        """Return how many pixels there are on both sides together."""
        return self.dataset.size + sum(self.unmatched)

    @property
    def jaccard(self) -> float:
        """Return the common pixels by all pixels; 1 where there are none."""
        return self.dataset.size / self.total if self.total else 1.0

    def problem(self, least: float) -> str | None:
        """Return what is wrong with a Jaccard index below `least`, None otherwise."""
        if self.jaccard >= least:
            return None
        own, others = self.unmatched
        text = f"{self.dataset.size} pixels are common, {own} in the dataset alone, {others} in the"
        return f"{text} reference alone: Jaccard index {self.jaccard:.4f}, at least {least:g}"


class Matcher:
    """Matches the rows of one scope (a patch, or the merged dataset), reading what it needs once.

    Parameters
    ----------
    dataset, reference
        The scope's folder on either side.
    reader
        Reads their files.
    """

    def __init__(self, dataset: Path, reference: Path, reader: Reader) -> None:
        self._folders = (dataset, reference)
        self._reader = reader
        self._known: dict[str, Match | None] = {}

    def match(self, symbol: str) -> Match | None:
        """Match the rows that a symbol of a contract counts; None where that is not known."""
        if symbol != _SELECTED and symbol not in _TABLES:
            return None
        key = _TABLES.get(symbol, symbol)
        if key not in self._known:
            try:
                pair = [_pixels(self._reader, folder, symbol) for folder in self._folders]
                self._known[key] = Match.of(*pair)
            except (PystampsError, OSError, IndexError):
                # Files that cannot be read, or do not fit each other, are results of their own.
                self._known[key] = None
        return self._known[key]

    def axis(
        self, shape: list[str | int], sizes: tuple[tuple[int, ...], tuple[int, ...]]
    ) -> tuple[int, Match] | None:
        """Return which axis of a variable counts pixels, and how they match.

        Parameters
        ----------
        shape
            Its shape in the contract.
        sizes
            Its shape in the dataset and in the reference.
        """
        for axis, symbol in enumerate(shape):
            symbols = [*_TABLES, _SELECTED] if symbol == _OF_ANY_SHAPE else [str(symbol)]
            for one in symbols:
                match = self.match(one)
                fits = all(axis < len(size) for size in sizes)
                if match and fits and match.sizes == (sizes[0][axis], sizes[1][axis]):
                    return axis, match
        return None


def _pixels(reader: Reader, folder: Path, symbol: str) -> Pixels:
    """Return line and sample of every row as one complex number."""
    if symbol == _SELECTED:
        chosen = reader.variable(folder / "select1.mat", "ix").values.ravel()
        return _pixels(reader, folder, "N")[chosen.astype(np.intp) - 1]
    ij: NDArray[Any] = reader.variable(folder / _TABLES[symbol], "ij").values.astype(float)
    return np.asarray(ij[:, 1] + 1j * ij[:, 2])
