"""The one form in which variables are compared, whoever has read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class MatVariable:
    """One variable: its MATLAB class, and its values in MATLAB's shape.

    Char arrays are held as a 0-d numpy string (one row) or a 1-d array of rows, sparse matrices
    with their zeros.
    """

    matlab_class: str
    values: NDArray[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the MATLAB shape; a char row counts its letters."""
        if self.matlab_class != "char":
            return tuple(self.values.shape)
        rows = np.atleast_1d(self.values)
        return (len(rows), len(str(rows[0])) if len(rows) else 0)
