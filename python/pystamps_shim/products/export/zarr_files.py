"""The files of a Zarr store of the second format: a document or two a variable, a file a chunk.

Zarr's own library writes in the background, and goes on after a failure, into folders that are
being removed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products.libraries import import_library

Document = dict[str, Any]

#: Attribute by which xarray knows the dimensions of a variable.
_DIMENSIONS = "_ARRAY_DIMENSIONS"
_LEVEL = 3


class ZarrStore:
    """A new store.

    Parameters
    ----------
    folder
        Where it is to be.
    attributes
        Of the whole.
    """

    def __init__(self, folder: Path, attributes: Document) -> None:
        folder.mkdir()
        self._folder = folder
        self._documents: dict[str, Document] = {}
        self.document(".zgroup", {"zarr_format": 2})
        self.document(".zattrs", attributes)

    def document(self, name: str, content: Document) -> None:
        """Write a document and remember it."""
        self._documents[name] = content
        self.file(name, _json(content))

    def file(self, name: str, content: bytes) -> None:
        """Write a file."""
        path = self._folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)

    def consolidate(self) -> None:
        """Write all documents once more into one, so that a reader opens a single file."""
        content = {"metadata": self._documents, "zarr_consolidated_format": 1}
        self.file(".zmetadata", _json(content))


class ZarrVariable:
    """A variable, whose chunks are as long as the blocks that are written to it.

    Parameters
    ----------
    store
        Where to.
    name
        Of the variable.
    kind
        NumPy's name of its type.
    attributes
        Of the variable.
    dimensions
        Their names.
    shape, chunks
        Values and values of a chunk along each.
    """

    def __init__(
        self,
        store: ZarrStore,
        name: str,
        kind: str,
        attributes: Document,
        *,
        dimensions: Sequence[str] = (),
        shape: Sequence[int] = (),
        chunks: Sequence[int] = (),
    ) -> None:
        self._store, self._name = store, name
        self._chunks = tuple(chunks)
        self._dtype = np.dtype(kind).newbyteorder("<")
        self._codec = import_library("numcodecs").Zstd(level=_LEVEL)
        described = {
            "zarr_format": 2,
            "shape": list(shape),
            "chunks": list(chunks),
            "dtype": self._dtype.str,
            "compressor": self._codec.get_config(),
            "fill_value": "NaN" if self._dtype.kind == "f" else None,
            "order": "C",
            "filters": None,
        }
        store.document(f"{name}/.zarray", described)
        store.document(f"{name}/.zattrs", {_DIMENSIONS: list(dimensions), **attributes})

    def write(self, number: int, values: NDArray[Any]) -> None:
        """Write a chunk; the last one may be shorter, the file is filled up.

        Parameters
        ----------
        number
            Of the chunk along the first dimension, from 0; the other ones have a single one.
        values
            Its values.
        """
        chunk = np.zeros(self._chunks, dtype=self._dtype)
        chunk[tuple(map(slice, values.shape))] = values
        key = ".".join([str(number), *["0"] * (len(self._chunks) - 1)])
        self._store.file(f"{self._name}/{key}", bytes(self._codec.encode(chunk)))


def _json(content: Document) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=True) + "\n").encode("ascii")
