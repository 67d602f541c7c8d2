"""Who reads the files that are compared: our own codec, or readers that share no code with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.io import mat
from pystamps_shim.verification.results import Form
from pystamps_shim.verification.variables import MatVariable

#: MATLAB classes whose values can be compared.
COMPARABLE = frozenset(
    {"double", "single", "logical", "char", "sparse"}
    | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
)

#: MATLAB's names where NumPy has others, by kind and size.
_CLASSES = {"f8": "double", "c16": "double", "f4": "single", "c8": "single", "b1": "logical"}


class Reader(Protocol):
    """Reads MATLAB files; raises `PystampsError` or `OSError` where one cannot be read."""

    def forms(self, path: Path) -> dict[str, Form]:
        """Return class and shape of every variable of a file."""

    def variable(self, path: Path, name: str) -> MatVariable:
        """Return a variable of a `COMPARABLE` class."""


class NativeReader:
    """Our own codec, which reads one variable of a large file at a time."""

    def forms(self, path: Path) -> dict[str, Form]:
        """Return class and shape of every variable of a file."""
        return {one.name: Form(one.class_name, tuple(one.dims)) for one in mat.list_variables(path)}

    def variable(self, path: Path, name: str) -> MatVariable:
        """Return a variable of a `COMPARABLE` class."""
        value = mat.read_variable(path, name)
        if isinstance(value, mat.SparseMatrix):
            return MatVariable("sparse", _with_zeros(value))
        if isinstance(value, mat.CharArray):
            return MatVariable("char", np.array(value.rows))
        values = np.asarray(value)
        if values.dtype.kind == "U":
            return MatVariable("char", values)
        kind = f"{values.dtype.kind}{values.itemsize}"
        return MatVariable(_CLASSES.get(kind, values.dtype.name), values)


def _with_zeros(matrix: mat.SparseMatrix) -> NDArray[Any]:
    """Return a sparse matrix as an array of all its elements."""
    values = np.zeros(matrix.dims, dtype=matrix.data.dtype)
    starts = matrix.column_starts.astype(np.intp)
    columns = np.repeat(np.arange(matrix.dims[1]), starts[1:] - starts[:-1])
    values[matrix.row_indices.astype(np.intp), columns] = matrix.data
    return values
