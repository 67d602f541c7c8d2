"""Whole numbers as compressed text that a browser unpacks by itself."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int32]

#: Stands for an unknown value.
UNKNOWN = -(2**31)


def codes_of(values: NDArray[Any], per_unit: float) -> Codes:
    """Return values as whole numbers of steps of ``1 / per_unit``; NaN becomes `UNKNOWN`."""
    steps = np.rint(np.asarray(values, dtype=np.float64) * per_unit)
    known = np.isfinite(steps) & (np.abs(steps) < 2**31)
    return np.where(known, steps, UNKNOWN).astype(np.int32)


def packed(codes: Codes) -> bytes:
    """Return rows of whole numbers, small and compressed.

    Parameters
    ----------
    codes
        [k, n], or [n] for one row.

    Returns
    -------
    A byte with the number of planes, a byte that tells whether neighbours along a row were
    subtracted (whichever is smaller), then the planes: the bytes of all numbers, least significant
    first, zig-zag coded (0, -1, 1, -2, … become 0, 1, 2, 3, …), deflated together.
    """
    rows = np.atleast_2d(codes)
    differences = np.diff(rows, axis=1, prepend=np.int32(0))
    plain, different = _zigzag(rows), _zigzag(differences)
    subtracted = _bits(different) < _bits(plain)
    chosen = different if subtracted else plain
    count = max(1, (int(chosen.max(initial=0)).bit_length() + 7) // 8)
    planes = np.ascontiguousarray(chosen, dtype="<u4").view(np.uint8).reshape(-1, 4).T[:count]
    return bytes([count, subtracted]) + _deflated(planes.tobytes())


def as_text(data: bytes) -> str:
    """Return bytes as a page can hold them."""
    return base64.b64encode(data).decode("ascii")


def _deflated(data: bytes) -> bytes:
    """Return noise, small: looking for repetitions farther back costs time and even size."""
    squeeze = zlib.compressobj(6, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    return squeeze.compress(data) + squeeze.flush()


def _zigzag(codes: Codes) -> NDArray[np.uint32]:
    return ((codes << 1) ^ (codes >> 31)).view(np.uint32)


def _bits(numbers: NDArray[np.uint32]) -> float:
    """Return about how many bits numbers need."""
    return float(np.log2(numbers.astype(np.float32) + 1).sum(dtype=np.float64))
