"""The pictures inside a KMZ: a colour scale with its limits, and the dot of a point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products.export.colour_scale import ColourScale
from pystamps_shim.products.export.png import png_bytes

_WIDTH, _HEIGHT, _MARGIN = 300, 64, 12
_BAR = slice(10, 30)
_TEXT_TOP, _ENLARGED = 38, 3
_GROUND, _INK = 255, 34
_DOT = 32
# Letters of three by five dots, a row an octal figure from the top.
_LETTERS = {
    "0": "75557",
    "1": "26227",
    "2": "71747",
    "3": "71717",
    "4": "55711",
    "5": "74717",
    "6": "74757",
    "7": "71111",
    "8": "75757",
    "9": "75717",
    "-": "00700",
    "+": "02720",
    ".": "00002",
    "/": "11244",
    "m": "05775",
    "y": "55716",
    "r": "00644",
    " ": "00000",
}


def legend_png(scale: ColourScale) -> bytes:
    """Return a PNG of the scale, its limits and its unit, mm/yr."""
    image = np.full((_HEIGHT, _WIDTH, 3), _GROUND, dtype=np.uint8)
    width = _WIDTH - 2 * _MARGIN
    classes = np.arange(width) * len(scale.colours) // width
    image[_BAR, _MARGIN : _MARGIN + width] = np.array(scale.colours, dtype=np.uint8)[classes]
    low, high = _word(f"-{scale.limit:.10g}"), _word(f"+{scale.limit:.10g}")
    middle = _word("mm/yr")
    _stamp(image, low, _MARGIN)
    _stamp(image, middle, (_WIDTH - middle.shape[1]) // 2)
    _stamp(image, high, _WIDTH - _MARGIN - high.shape[1])
    return png_bytes(image)


def _word(text: str) -> NDArray[np.bool_]:
    """Return the dots of a word, rows from the top, enlarged."""
    letters = []
    for letter in text:
        rows = [int(figure) for figure in _LETTERS[letter]]
        letters.append([[row >> place & 1 for place in (2, 1, 0)] + [0] for row in rows])
    dots = np.hstack([np.array(letter, dtype=bool) for letter in letters])
    return dots.repeat(_ENLARGED, axis=0).repeat(_ENLARGED, axis=1)


def _stamp(image: NDArray[np.uint8], word: NDArray[np.bool_], left: int) -> None:
    rows, columns = word.shape
    image[_TEXT_TOP : _TEXT_TOP + rows, left : left + columns][word] = _INK


def dot_png() -> bytes:
    """Return a PNG of a white disc, which Google Earth tints."""
    middle = (_DOT - 1) / 2
    across = np.arange(_DOT) - middle
    distance = np.hypot(across[:, None], across[None, :])
    image = np.full((_DOT, _DOT, 4), _GROUND, dtype=np.uint8)
    # The rim fades over one dot.
    image[:, :, 3] = np.rint(np.clip(middle - distance, 0, 1) * 255)
    return png_bytes(image)
