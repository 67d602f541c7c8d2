"""Our rows in the order of the original's, where positions decide the order by their last bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.verification.contracts import Artefact
from pystamps_shim.verification.pixels import Match
from pystamps_shim.verification.variables import MatVariable

#: What a shape in a contract calls the rows of merged PS, or any size.
_ROWS = ("P", "any")
#: Variables whose first column is the number of the row.
_NUMBERED = ("ij", "xy")

Rows = NDArray[np.intp]


def rows_by_pixel(ours: NDArray[Any], originals: NDArray[Any]) -> Rows | None:
    """Return, for every row of the original's ``ij``, the row of ours with the same pixel.

    None if the pixels are not the same.
    """
    match = Match.of(*(values[:, 1] + 1j * values[:, 2] for values in (ours, originals)))
    if match.unmatched != (0, 0):
        return None
    rows = np.empty(len(originals), dtype=np.intp)
    rows[match.reference] = match.dataset
    return rows


def in_order(
    artefact: Artefact, variables: Mapping[str, MatVariable], rows: Rows
) -> dict[str, MatVariable]:
    """Return a file's variables with their rows taken in another order, numbered anew."""
    shapes = {rule.name: rule.shape for rule in artefact.variables}
    return {
        name: _taken(name, variable, rows)
        if shapes.get(name, [None])[0] in _ROWS and variable.shape[0] == rows.size
        else variable
        for name, variable in variables.items()
    }


def _taken(name: str, variable: MatVariable, rows: Rows) -> MatVariable:
    values = variable.values[rows]
    if name in _NUMBERED:
        values[:, 0] = variable.values[:, 0]
    return replace(variable, values=values)
