"""What HDF5 lets a v7.3 file claim: that must cost neither time nor memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat

#: Reads a file with this much memory beside what importing takes, in bytes.
ROOM = 64 << 20
READ_ALL = """
import resource, sys
from pathlib import Path
import numpy
from pystamps_shim.io import mat
taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + int(sys.argv[2]),) * 2)
print(len(mat.list_variables(Path(sys.argv[1]))), len(mat.read(Path(sys.argv[1]))))
"""


def read_in_little_memory(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", READ_ALL, str(path), str(ROOM)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_structures_inside_each_other_twice_are_refused(tmp_path: Path) -> None:
    """Forty levels would be 2^40 values."""
    path = tmp_path / "laughs.mat"
    with h5py.File(path, "w", libver="earliest") as file:
        inner = file.create_group("#refs#/last")
        inner.attrs["MATLAB_class"] = np.bytes_("struct")
        for level in range(40):
            group = file.create_group(f"#refs#/{level}")
            group.attrs["MATLAB_class"] = np.bytes_("struct")
            group["a"], group["b"] = inner, inner
            inner = group
        file["x"] = inner
    assert [info.name for info in mat.list_variables(path)] == ["x"]
    with pytest.raises(PystampsError) as refused:
        mat.read(path)
    assert refused.value.name == "mat-limit"


def test_many_names_of_one_long_header_take_little_memory(tmp_path: Path) -> None:
    """Opened all at once, they would take thousands of times the header."""
    path = tmp_path / "names.mat"
    names = 1_000
    with h5py.File(path, "w", libver="earliest") as file:
        values = file.create_dataset("a0", data=np.zeros((1, 1)))
        values.attrs["MATLAB_class"] = np.bytes_("double")
        for number in range(150):
            values.attrs[f"note{number}"] = np.zeros(200)
        for number in range(1, names):
            file[f"a{number}"] = values
    assert names * 150 * 200 * 8 > 3 * ROOM
    found = read_in_little_memory(path)
    assert found.stdout.split() == [str(names), str(names)], found.stderr


def test_a_chunk_longer_than_the_file_is_refused(tmp_path: Path) -> None:
    """The index says how long a chunk is, up to 4 GiB: no room is made for it."""
    path = tmp_path / "chunk.mat"
    with h5py.File(path, "w", libver="earliest") as file:
        values = file.create_dataset("k", data=np.eye(8), chunks=(8, 8), compression="gzip")
        values.attrs["MATLAB_class"] = np.bytes_("double")
        chunk = values.id.get_chunk_info(0)
    assert mat.read(path)["k"].sum() == 8
    content = path.read_bytes()
    # The entry of the index: size, filters that were left out, and the place in the array.
    entry = chunk.size.to_bytes(4, "little") + bytes(4 + 3 * 8)
    assert content.count(entry) == 1
    longer = (0x7000_0000).to_bytes(4, "little") + bytes(4 + 3 * 8)
    path.write_bytes(content.replace(entry, longer))
    found = read_in_little_memory(path)
    assert "PystampsError" in found.stderr, found
    assert "bytes in chunks" in found.stderr


def test_more_chunks_than_a_file_can_hold_are_refused(tmp_path: Path) -> None:
    """Without an index every chunk of the grid would be listed."""
    path = tmp_path / "grid.mat"
    with h5py.File(path, "w", libver="earliest") as file:
        shape = (1 << 20, 1 << 10)
        values = file.create_dataset("k", shape=shape, chunks=(1, 1), dtype="f8")
        values.attrs["MATLAB_class"] = np.bytes_("double")
    found = read_in_little_memory(path)
    assert "PystampsError" in found.stderr, found
