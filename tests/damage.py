"""Damage to a file, chosen by a seed: cut short, or with bits turned over."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: Where headers and titles end.
_HEAD_BYTES = 128


@dataclass(frozen=True)
class Damage:
    """What is done to a file.

    Attributes
    ----------
    length
        What is left of it, bytes; all where None.
    bits
        Bits that are turned over, counted from the first byte's lowest.
    """

    length: int | None = None
    bits: tuple[int, ...] = ()

    def of(self, content: bytes) -> bytes:
        """Return the damaged content."""
        left = bytearray(content[: self.length])
        for bit in self.bits:
            left[bit // 8] ^= 1 << bit % 8
        return bytes(left)


def damages(name: str, size: int, seed: int, flips: int) -> list[Damage]:
    """Return cuts of a file of that size, and bits to turn over in its head and anywhere."""
    chance = random.Random(seed + zlib.crc32(name.encode()))
    cuts = {0, 1, size // 2, size - 1, chance.randrange(size)} if size > 1 else {0}
    found = [Damage(length=cut) for cut in sorted(cuts) if cut < size]
    for number in range(flips):
        end = min(size, _HEAD_BYTES) if number % 2 else size
        bits = tuple(chance.randrange(8 * end) for _ in range(1 + number % 3))
        found.append(Damage(bits=bits))
    return found if size else []


@contextmanager
def damaged(path: Path, damage: Damage) -> Iterator[None]:
    """Damage a file while the block runs; it gets its content back, with another time of change."""
    content = path.read_bytes()
    path.write_bytes(damage.of(content))
    try:
        yield
    finally:
        path.write_bytes(content)
