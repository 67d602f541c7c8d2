"""Variables of a MATLAB file for comparison, through our own codec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.io import mat
from pystamps_shim.verification.variables import MatVariable

#: MATLAB classes whose values can be compared.
COMPARABLE = frozenset(
    {"double", "single", "logical", "char", "sparse"}
    | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
)


def read_for_comparison(path: Path, listed: mat.MatVariable) -> MatVariable:
    """Read one variable of a `COMPARABLE` class.

    Parameters
    ----------
    path
        MATLAB file.
    listed
        What the file says of the variable.

    Raises
    ------
    PystampsError
        It cannot be read.
    """
    value = mat.read_variable(path, listed.name)
    if isinstance(value, mat.SparseMatrix):
        return MatVariable("sparse", _with_zeros(value))
    if isinstance(value, mat.CharArray):
        return MatVariable("char", np.array(value.rows))
    return MatVariable(listed.class_name, np.asarray(value))


def _with_zeros(matrix: mat.SparseMatrix) -> NDArray[Any]:
    """Return a sparse matrix as an array of all its elements."""
    values = np.zeros(matrix.dims, dtype=matrix.data.dtype)
    starts = matrix.column_starts.astype(np.intp)
    columns = np.repeat(np.arange(matrix.dims[1]), starts[1:] - starts[:-1])
    values[matrix.row_indices.astype(np.intp), columns] = matrix.data
    return values
