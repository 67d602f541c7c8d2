"""Colours of velocities: a diverging scale that people who do not tell red from green can read.

From a dark red away from the satellite over a pale middle to a dark blue towards it. Lightness
falls evenly to both ends, so that the scale also works in print.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products.drawing import symmetric_limit
from pystamps_shim.products.measurements import Doubles

Colour = tuple[int, int, int]

#: Red, green and blue at equal steps from one end to the other.
_ANCHORS: tuple[Colour, ...] = (
    (96, 18, 10),
    (170, 72, 36),
    (222, 150, 104),
    (243, 240, 234),
    (126, 174, 208),
    (44, 104, 164),
    (6, 40, 94),
)
#: Of a point whose velocity is not known.
UNKNOWN: Colour = (150, 150, 150)


@dataclass(frozen=True)
class ColourScale:
    """Classes of the same width between two limits, which the outer ones go beyond.

    Attributes
    ----------
    limit
        Velocity at the upper end; the lower end is its negative.
    colours
        Colour of each class, from the lowest, an odd number of them.
    """

    limit: float
    colours: tuple[Colour, ...]

    @classmethod
    def of(cls, values: Doubles, classes: int = 21) -> ColourScale:
        """Return a scale whose round limits hold nearly all of the values, [N]."""
        steps = np.linspace(0, len(_ANCHORS) - 1, classes)
        channels = np.array(_ANCHORS, dtype=np.float64).T
        rgb = [np.interp(steps, np.arange(len(_ANCHORS)), channel) for channel in channels]
        colours = [(int(red), int(green), int(blue)) for red, green, blue in np.rint(rgb).T]
        return cls(symmetric_limit(values), tuple(colours))

    def classes_of(self, values: Doubles) -> NDArray[np.intp]:
        """Return the class of every value, [N]; `len(colours)` for unknown ones."""
        count = len(self.colours)
        share = (np.nan_to_num(values) / self.limit + 1) / 2
        inside = np.clip(np.floor(share * count), 0, count - 1).astype(np.intp)
        return np.where(np.isfinite(values), inside, count)
