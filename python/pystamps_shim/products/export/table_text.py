"""Comma-separated text, block by block: a line of titles, then a line a point."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products.libraries import import_library
from pystamps_shim.products.point_table import rounded


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    title
        As the first line has it.
    decimals
        Digits after the point; 0 for whole numbers, None for words.
    """

    title: str
    decimals: int | None


def write_table(
    file: BinaryIO, columns: Sequence[Column], blocks: Iterable[Sequence[NDArray[Any]]]
) -> None:
    """Write titles and rows; what is unknown (NaN) is empty.

    Parameters
    ----------
    file
        Where to.
    columns
        The columns, [k].
    blocks
        Values of some rows each: k arrays of the same length.
    """
    pyarrow = import_library("pyarrow")
    titles = [column.title for column in columns]
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="none")
    file.write((",".join(titles) + "\n").encode())
    for block in blocks:
        arrays = [_cells(values, each) for values, each in zip(block, columns, strict=True)]
        pyarrow.csv.write_csv(pyarrow.record_batch(arrays, names=titles), file, options)


def _cells(values: NDArray[Any], column: Column) -> Any:
    pyarrow = import_library("pyarrow")
    if column.decimals is None:
        return pyarrow.array(values).cast(pyarrow.string())
    digits = rounded(values, column.decimals)
    # Adding zero turns a negative zero into zero.
    shown = digits + 0.0 if np.issubdtype(digits.dtype, np.floating) else digits
    return pyarrow.array(shown, from_pandas=True)
