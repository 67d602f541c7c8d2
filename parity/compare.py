"""What certification notes beside the comparators: reports, bytes, shapes of a contract."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Difference:
    """One disagreement: where, and what it looks like."""

    where: str
    what: str

    def __str__(self) -> str:
        """Return one line for people."""
        return f"{self.where}: {self.what}"


@dataclass
class Report:
    """All that a comparison looked at and found, and what people should know besides."""

    compared: int = 0
    differences: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def check(self, where: str, problem: str | None) -> None:
        """Count one comparison and keep its problem, if any."""
        self.compared += 1
        if problem is not None:
            self.differences.append(Difference(where, problem))

    def __str__(self) -> str:
        """Return every difference, one a line, under a count."""
        head = f"{len(self.differences)} differences in {self.compared} comparisons"
        lines = [str(difference) for difference in self.differences] + self.notes
        return "\n".join([head, *(f"  {line}" for line in lines)])


def compare_bytes(reference: bytes, candidate: bytes) -> str | None:
    """Compare two files byte by byte."""
    if len(reference) != len(candidate):
        return f"{len(candidate)} bytes, want {len(reference)}"
    one = np.frombuffer(reference, np.uint8)
    other = np.frombuffer(candidate, np.uint8)
    wrong = np.flatnonzero(one != other)
    return None if wrong.size == 0 else f"{wrong.size} bytes differ, first at {wrong[0]}"


def check_shape(
    symbols: dict[str, int], shape: list[str | int], found: tuple[int, ...]
) -> str | None:
    """Check a shape written in symbols (N, M, Mi, …), binding symbols not seen before.

    The symbol ``any`` fits every size and binds nothing.
    """
    if len(shape) != len(found):
        return f"shape {found}, want {shape}"
    for symbol, size in zip(shape, found, strict=True):
        if symbol == "any":
            continue
        want = symbol if isinstance(symbol, int) else symbols.setdefault(symbol, size)
        if want != size:
            return f"shape {found}, want {shape} with {symbols}"
    return None
