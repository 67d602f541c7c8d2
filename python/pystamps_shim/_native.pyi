"""Types of the native extension."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

__version__: str

@final
class CharArray:
    """A character array that is not one row."""

    dims: tuple[int, ...]
    rows: list[str]
    def __new__(cls, dims: tuple[int, ...], rows: Sequence[str]) -> CharArray: ...

@final
class StructArray:
    """A structure array that is not 1 x 1."""

    dims: tuple[int, ...]
    fields: tuple[str, ...]
    elements: tuple[tuple[Any, ...], ...]
    def __new__(
        cls,
        dims: tuple[int, ...],
        fields: tuple[str, ...],
        elements: tuple[tuple[Any, ...], ...],
    ) -> StructArray: ...

@final
class SparseMatrix:
    """A sparse matrix in compressed-column form."""

    dims: tuple[int, int]
    data: NDArray[Any]
    row_indices: NDArray[np.uintp]
    column_starts: NDArray[np.uintp]

@final
class MatVariable:
    """What a file says of a variable without its data."""

    name: str
    class_name: str
    dims: tuple[int, ...]
    is_complex: bool
    is_logical: bool
    bytes: int

def read_mat(path: str | PathLike[str], names: Sequence[str] | None = None) -> dict[str, Any]: ...
def list_mat(path: str | PathLike[str]) -> list[MatVariable]: ...
def write_mat(
    path: str | PathLike[str],
    variables: Mapping[str, object],
    *,
    version: str | None = None,
    deflate_level: int | None = None,
) -> None: ...
def cli_main(argv: Sequence[str]) -> int: ...
