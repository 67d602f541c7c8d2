"""Compares values of our reader with those of other readers."""

import warnings
from typing import Any

import numpy as np
import scipy.io
import scipy.sparse

from pystamps_shim.io import mat


def difference(ours: Any, theirs: Any, classed: Any) -> str | None:  # noqa: PLR0911
    """Say how our value differs from SciPy's.

    SciPy gives values in the type that stores them (`theirs`) or in their class but without
    imaginary parts (`classed`), so both are needed.
    """
    if isinstance(ours, mat.SparseMatrix):
        return _sparse_difference(ours, theirs)
    if isinstance(ours, str | mat.CharArray):
        return _text_difference(ours, theirs)
    if isinstance(ours, dict | mat.StructArray):
        return _struct_difference(ours, theirs, classed)
    if scipy.sparse.issparse(theirs):
        return f"{type(ours).__name__} for a sparse matrix"
    if ours.shape != theirs.shape and not ours.size == theirs.size == 0:
        return f"shape {ours.shape}, not {theirs.shape}"
    if ours.dtype == object:
        triples = zip(ours.ravel("F"), theirs.ravel("F"), classed.ravel("F"), strict=True)
        return next(filter(None, (difference(*triple) for triple in triples)), None)
    native = classed.dtype.newbyteorder("=")
    if theirs.dtype.kind == "c":
        native = np.result_type(native, np.complex64)
    if ours.dtype != native:
        return f"class {ours.dtype}, not {native}"
    if not np.array_equal(ours, theirs.astype(native), equal_nan=native.kind in "fc"):
        return "different numbers"
    return None


def _text_difference(ours: "str | mat.CharArray", theirs: Any) -> str | None:
    if theirs.dtype.kind != "U":
        return f"text for an array of {theirs.dtype}"
    if isinstance(ours, str):
        dims: tuple[int, ...] = (1, len(ours)) if ours else (0, 0)
        rows = [ours] if ours else []
    else:
        dims, rows = ours.dims, ours.rows
    if theirs.size == 0:
        # SciPy gives every text without characters but one row the dimension 0.
        return None if 0 in dims else f"{dims}, not {theirs.shape}"
    if dims != theirs.shape:
        return f"{dims}, not {theirs.shape}"
    joined = ["".join(character or "\0" for character in row) for row in theirs]
    return None if rows == joined else f"{rows}, not {joined}"


def _struct_difference(
    ours: "dict[str, Any] | mat.StructArray", theirs: Any, classed: Any
) -> str | None:
    if isinstance(ours, dict):
        dims: tuple[int, ...] = (1, 1)
        fields = tuple(ours)
        elements: tuple[tuple[Any, ...], ...] = (tuple(ours.values()),)
    else:
        dims, fields, elements = ours.dims, ours.fields, ours.elements
    if dims != theirs.shape:
        return f"structure {dims}, not {theirs.shape}"
    if fields != (theirs.dtype.names or ()):
        return f"fields {fields}, not {theirs.dtype.names}"
    triples = zip(elements, theirs.ravel("F"), classed.ravel("F"), strict=True)
    for element, other, other_classed in triples:
        for field, value in zip(fields, element, strict=True):
            found = difference(value, other[field], other_classed[field])
            if found:
                return f"{field}: {found}"
    return None


def _sparse_difference(ours: "mat.SparseMatrix", theirs: Any) -> str | None:
    if not scipy.sparse.issparse(theirs):
        return "a sparse matrix for a full one"
    built = scipy.sparse.csc_array(
        (ours.data, ours.row_indices, ours.column_starts), shape=ours.dims
    )
    # Sparse matrices are double, complex or logical, whatever type SciPy leaves them in.
    kind = {"c": "c", "b": "b"}.get(theirs.dtype.kind, "f")
    if built.shape != theirs.shape or built.dtype.kind != kind:
        return f"{built.shape} {built.dtype}, not {theirs.shape} {theirs.dtype}"
    if not np.array_equal(built.toarray(), theirs.toarray(), equal_nan=True):
        return "different entries"
    return None


def file_differences(path: Any) -> list[str]:
    """Say in which variables our reading of a level-5 file differs from SciPy's."""
    with warnings.catch_warnings():
        # Of imaginary parts that are dropped, and of functions it cannot read.
        warnings.simplefilter("ignore")
        theirs = scipy.io.loadmat(path, chars_as_strings=False)
        classed = scipy.io.loadmat(path, chars_as_strings=False, mat_dtype=True)
    ours = mat.read(path)
    names = [name for name in theirs if not name.startswith("__")]
    if list(ours) != names:
        return [f"{path}: variables {list(ours)}, not {names}"]
    found = ((name, difference(ours[name], theirs[name], classed[name])) for name in ours)
    return [f"{path}: {name}: {what}" for name, what in found if what]
