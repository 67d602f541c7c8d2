"""Pictures as PNG, without a drawing library."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BITS = 8
# Kinds of colour by number of channels: with and without opacity.
_KINDS = {3: 2, 4: 6}


def png_bytes(image: NDArray[np.uint8]) -> bytes:
    """Return a picture as a PNG file.

    Parameters
    ----------
    image
        Red, green, blue and perhaps opacity, [height, width, 3 or 4].
    """
    height, width, channels = image.shape
    # Every row begins with its filter; 0 is none.
    rows = np.zeros((height, 1 + channels * width), dtype=np.uint8)
    rows[:, 1:] = image.reshape(height, -1)
    head = struct.pack(">IIBBBBB", width, height, _BITS, _KINDS[channels], 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(*each) for each in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check
