"""How far elements may be apart: a largest deviation for half of them, for 99 %, for all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: The level of all elements, as a key of a rule.
ALL = "max"
#: The tolerance of a rule is its limit at this level, or above.
_TOLERANCE_LEVEL = 0.9


@dataclass(frozen=True)
class Limits:
    """The largest deviation at every level that has one, the level of all elements included.

    Attributes
    ----------
    levels
        Pairs of a level (0.5: half of the elements) and the largest deviation there, by level.
        Infinity at the level 1 allows any number, but none against NaN.
    """

    levels: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Limits | None:
        """Read ``q50 = …, q99 = …, max = …`` from a rule; None where it has none of them.

        Raises
        ------
        ValueError
            A limit is no number from 0 up, falls with the level, or that of all is missing.
        """
        found = {_level(key): float(value) for key, value in values.items() if is_level(key)}
        if not found:
            return None
        levels = tuple(sorted(found.items()))
        bounds = [bound for _, bound in levels]
        if 1.0 not in found or bounds != sorted(bounds) or not bounds[0] >= 0:
            msg = f"limits {dict(levels)}: expected numbers from 0 up that do not fall, with 'max'"
            raise ValueError(msg)
        return cls(levels)

    @classmethod
    def all_within(cls, tolerance: float) -> Limits:
        """Return the limits that every element keeps."""
        return cls(((1.0, tolerance),))

    @property
    def tolerance(self) -> float:
        """Return the deviation from which on an element counts as differing."""
        return next(bound for level, bound in self.levels if level >= _TOLERANCE_LEVEL)

    @property
    def largest(self) -> float:
        """Return the largest deviation of any element."""
        return self.levels[-1][1]

    def within(self, tolerance: float) -> Limits:
        """Return the limits with a tolerance of the user's.

        All elements have to keep it; where any number was allowed to a few, those that had to
        keep the largest limit.
        """
        if math.isfinite(self.largest):
            return self.all_within(tolerance)
        return Limits(((self.levels[-2][0], tolerance), self.levels[-1]))

    def as_keys(self) -> dict[str, float]:
        """Return them as in a rule."""
        return {level_name(level): bound for level, bound in self.levels}


def level_name(level: float) -> str:
    """Return ``q50`` for a half, ``q999`` for all but a thousandth, ``max`` for all."""
    if level == 1:
        return ALL
    digits = f"{level:.6f}".removeprefix("0.").rstrip("0")
    return f"q{digits:0<2}"


def is_level(key: str) -> bool:
    """Tell whether an entry of a rule is a limit."""
    return key == ALL or (key.startswith("q") and key[1:].isdigit())


def _level(key: str) -> float:
    return 1.0 if key == ALL else float(f"0.{key[1:]}")
