"""MATLAB files, level 5 and v7.3, through the native codec.

What MATLAB has becomes in Python:

=======================  =====================================================
MATLAB                   Python
=======================  =====================================================
numbers, logical         ``numpy.ndarray`` of the same class, Fortran order
char, one row or ``''``  ``str``
other char               :class:`CharArray`
1 x 1 struct             ``dict``
other struct             :class:`StructArray`
cell                     ``numpy.ndarray`` of objects
sparse                   :class:`SparseMatrix` (read only)
=======================  =====================================================

Writing takes the same, and also Python numbers (double), ``bool`` (logical), lists and tuples
(cell rows), and NumPy arrays with no dimension (1 x 1) or one (a column).
"""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

from pystamps_shim._native import (
    CharArray,
    MatVariable,
    SparseMatrix,
    StructArray,
    list_mat,
    read_mat,
    write_mat,
)

__all__ = [
    "CharArray",
    "MatVariable",
    "SparseMatrix",
    "StructArray",
    "list_variables",
    "read",
    "read_variable",
    "write",
]


def read(path: str | PathLike[str], names: Sequence[str] | None = None) -> dict[str, Any]:
    """Read the variables of a MATLAB file.

    Parameters
    ----------
    path
        Level-5 or v7.3 file.
    names
        Variables to read; all of them by default. The others cost next to nothing.

    Returns
    -------
    dict
        Values by name, in file order.

    Raises
    ------
    PystampsError
        The file cannot be read, is damaged, holds an unsupported class or lacks a variable.
    """
    return read_mat(path, None if names is None else list(names))


def read_variable(path: str | PathLike[str], name: str) -> Any:
    """Read one variable of a MATLAB file.

    Raises
    ------
    PystampsError
        As for :func:`read`.
    """
    return read_mat(path, [name])[name]


def list_variables(path: str | PathLike[str]) -> list[MatVariable]:
    """List name, class and dimensions of the variables without reading their data.

    Raises
    ------
    PystampsError
        The file cannot be read or is damaged.
    """
    return list_mat(path)


def write(
    path: str | PathLike[str],
    variables: Mapping[str, object],
    *,
    version: str | None = None,
    deflate_level: int | None = None,
) -> None:
    """Write variables to a MATLAB file, which is created or replaced.

    Parameters
    ----------
    path
        File to write.
    variables
        Values by name.
    version
        ``"5"``, ``"7.3"``, or by default the one that the sizes ask for: v7.3 if a variable has
        2^31 bytes or more.
    deflate_level
        Compress level-5 variables, from 1 (fast) to 9 (small). Not compressed by default.

    Raises
    ------
    PystampsError
        A name or value cannot be stored in that version, or the file cannot be written.
    TypeError
        A value has no counterpart in MATLAB.
    """
    write_mat(path, dict(variables), version=version, deflate_level=deflate_level)
