"""Read MATLAB files with scipy and h5py, keeping class and shape as stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.verification.results import Form
from pystamps_shim.verification.variables import MatVariable

_HDF5_SIGNATURE_AT = (0, 512)
#: Numbers may be stored narrower than their class; these are the classes' own types.
_NUMPY_TYPES = {
    "double": (np.float64, np.complex128),
    "single": (np.float32, np.complex64),
    "logical": (np.bool_, np.bool_),
}


def read_mat_file(path: Path) -> dict[str, MatVariable]:
    """Read every variable of a level-5 or v7.3 file."""
    with path.open("rb") as file:
        head = file.read(520)
    if any(head[at : at + 8] == b"\x89HDF\r\n\x1a\n" for at in _HDF5_SIGNATURE_AT):
        return _read_v73(path)
    return _read_level5(path)


def _read_level5(path: Path) -> dict[str, MatVariable]:
    classes = {name: matlab_class for name, _, matlab_class in scipy.io.whosmat(path)}
    # Not mat_dtype=True: that option drops imaginary parts. The class is applied below.
    loaded = scipy.io.loadmat(path, chars_as_strings=True)
    variables = {}
    for name, matlab_class in classes.items():
        values = loaded[name]
        if matlab_class == "char":
            values = np.array(str(values[0])) if values.shape == (1,) else values
        elif matlab_class == "sparse":
            values = values.toarray()
        elif matlab_class in _NUMPY_TYPES:
            real, complex_type = _NUMPY_TYPES[matlab_class]
            values = values.astype(complex_type if np.iscomplexobj(values) else real)
        variables[name] = MatVariable(matlab_class, values)
    return variables


def _read_v73(path: Path) -> dict[str, MatVariable]:
    variables = {}
    with h5py.File(path, "r") as file:
        for name, dataset in file.items():
            if name.startswith("#"):
                continue
            stored = dataset.attrs.get("MATLAB_class", b"")
            matlab_class = stored.decode() if isinstance(stored, bytes) else str(stored)
            variables[name] = MatVariable(matlab_class, _v73_values(dataset, matlab_class))
    return variables


def _v73_values(dataset: h5py.Dataset, matlab_class: str) -> NDArray[Any]:
    values = np.asarray(dataset)
    if dataset.attrs.get("MATLAB_empty", 0):
        return np.empty(tuple(int(size) for size in values))
    if values.dtype.names == ("real", "imag"):
        values = values["real"] + 1j * values["imag"]
    if matlab_class == "char":
        return np.array("".join(chr(code) for code in values.T.ravel()))
    if matlab_class == "logical":
        values = values.astype(bool)
    return values.T


class IndependentReader:
    """Reads files for `verify_dataset` without our own codec; keeps the file read last."""

    def __init__(self) -> None:
        self._last: tuple[Path, dict[str, MatVariable]] | None = None
        self._before: tuple[Path, dict[str, MatVariable]] | None = None

    def forms(self, path: Path) -> dict[str, Form]:
        """Return class and shape of every variable of a file."""
        return {name: Form(one.matlab_class, one.shape) for name, one in self._file(path).items()}

    def variable(self, path: Path, name: str) -> MatVariable:
        """Return a variable."""
        variables = self._file(path)
        if name not in variables:
            cause = f"{path}: no variable '{name}'"
            raise PystampsError(cause, "compare complete files")
        return variables[name]

    def _file(self, path: Path) -> dict[str, MatVariable]:
        """Read a file; two are kept, because two sides are compared."""
        for kept in (self._last, self._before):
            if kept is not None and kept[0] == path:
                return kept[1]
        self._last, self._before = (path, read_mat_file(path)), self._last
        return self._last[1]
