"""What we write, other readers read."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from mat_comparison import file_differences

from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat

RANDOM = np.random.default_rng(2005)
NUMBERS: dict[str, Any] = {
    "ph": (RANDOM.normal(size=(7, 5)) + 1j * RANDOM.normal(size=(7, 5))).astype(np.complex64),
    "z": RANDOM.normal(size=(3, 1)) + 1j,
    "k_ps": RANDOM.normal(size=(4, 1)),
    "la": RANDOM.normal(size=(2, 3)).astype(np.float32),
    "cube": np.arange(24.0).reshape(2, 3, 4),
    "i8": np.array([[-128, 127]], dtype=np.int8),
    "u16": np.array([[0, 65535]], dtype=np.uint16),
    "i64": np.array([[-(2**63), 2**63 - 1]]),
    "nan": np.array([[np.nan, np.inf, -0.0]]),
    "flags": np.array([[True], [False]]),
    "none": np.zeros((0, 4), dtype=np.float32),
}
TEXT: dict[str, Any] = {"text": "small_baseline_flag", "umlaut": "Größe", "no_text": ""}
NESTED: dict[str, Any] = {
    "cell": np.array([[1.0, "a"]], dtype=object),
    "struct": {"name": "x", "inner": {"values": np.arange(3.0)}},
}


def expected(value: Any) -> Any:
    """Return the value as it reads back."""
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return value.reshape(-1, 1)
    return value


def assert_same(found: Any, value: Any) -> None:
    """Compare a value that was read back with what was written."""
    if isinstance(value, dict):
        assert list(found) == list(value)
        for name, member in value.items():
            assert_same(found[name], member)
    elif isinstance(value, np.ndarray) and value.dtype == object:
        assert found.shape == value.shape
        for item, other in zip(found.ravel(), value.ravel(), strict=True):
            assert_same(item, np.array([[other]]) if isinstance(other, float) else other)
    elif isinstance(value, str):
        assert found == value
    else:
        assert found.dtype == value.dtype
        np.testing.assert_array_equal(found, expected(value), strict=True)


@pytest.mark.parametrize(
    ("version", "deflate_level"), [("5", None), ("5", 6), ("7.3", None), (None, None)]
)
def test_everything_reads_back(
    tmp_path: Path, version: str | None, deflate_level: int | None
) -> None:
    path = tmp_path / "a.mat"
    variables = NUMBERS | TEXT | NESTED
    mat.write(path, variables, version=version, deflate_level=deflate_level)
    found = mat.read(path)
    assert set(found) == set(variables)
    for name, value in variables.items():
        assert_same(found[name], value)


@pytest.mark.parametrize("deflate_level", [None, 6])
def test_scipy_reads_level_5(tmp_path: Path, deflate_level: int | None) -> None:
    path = tmp_path / "a.mat"
    mat.write(path, NUMBERS | TEXT | NESTED, deflate_level=deflate_level)
    assert file_differences(path) == []
    found = scipy.io.loadmat(path)
    assert found["ph"].dtype == np.complex64
    np.testing.assert_array_equal(found["ph"], NUMBERS["ph"], strict=True)
    assert found["text"] == ["small_baseline_flag"]


def test_h5py_reads_v73(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    mat.write(path, NUMBERS | TEXT | NESTED, version="7.3")
    start = path.read_bytes()[:128]
    assert start.startswith(b"MATLAB 7.3 MAT-file")
    assert start[124:] == b"\x00\x02IM"
    classes = {
        "ph": b"single", "z": b"double", "k_ps": b"double", "la": b"single", "i8": b"int8",
        "u16": b"uint16", "i64": b"int64", "flags": b"logical", "none": b"single",
        "text": b"char", "no_text": b"char", "cell": b"cell", "struct": b"struct",
    }  # fmt: skip
    with h5py.File(path) as file:
        assert file.userblock_size == 512
        for name, kind in classes.items():
            assert file[name].attrs["MATLAB_class"] == kind, name
        assert file["ph"].dtype == np.dtype([("real", "<f4"), ("imag", "<f4")])
        stored = file["ph"][()]
        np.testing.assert_array_equal((stored["real"] + 1j * stored["imag"]).T, NUMBERS["ph"])
        for name in ("k_ps", "la", "cube", "i8", "u16", "i64", "nan"):
            np.testing.assert_array_equal(file[name][()].T, NUMBERS[name], strict=True)
        np.testing.assert_array_equal(file["flags"][()].T, [[1], [0]])
        assert file["flags"].attrs["MATLAB_int_decode"] == 1
        assert bytes(file["text"][()].T.astype(np.uint8)).decode() == TEXT["text"]
        assert file["none"].attrs["MATLAB_empty"] == 1
        np.testing.assert_array_equal(file["none"][()], [0, 4])
        first, second = file["cell"][()].ravel()
        assert file[first][()] == 1.0
        assert chr(file[second][0, 0]) == "a"
        np.testing.assert_array_equal(file["struct/inner/values"][()], [[0.0, 1.0, 2.0]])


OCTAVE = """
s = load(argv(){1});
assert(isa(s.k_ps, 'double') && isequal(size(s.k_ps), [4 1]));
assert(isa(s.ph, 'single') && iscomplex(s.ph) && isequal(size(s.ph), [7 5]));
assert(isequal(s.text, 'small_baseline_flag') && ischar(s.text));
assert(isequal(s.umlaut, 'Größe'));
assert(islogical(s.flags) && isequal(s.flags, [true; false]));
assert(isa(s.i8, 'int8') && isequal(s.i8, int8([-128 127])));
assert(isequal(size(s.none), [0 4]) && isa(s.none, 'single'));
assert(isequal(size(s.cube), [2 3 4]) && s.cube(2, 3, 4) == 23);
assert(ischar(s.no_text) && isempty(s.no_text));
assert(iscell(s.cell) && isequal(s.cell, {1, 'a'}));
assert(isequal(s.struct.inner.values, [0; 1; 2]) && isequal(s.struct.name, 'x'));
save('-v7', argv(){2}, '-struct', 's');
"""


def test_octave_reads_level_5_and_we_read_octave(tmp_path: Path) -> None:
    octave = shutil.which("octave-cli") or shutil.which("octave")
    if octave is None:
        pytest.skip("octave is not on PATH")
    variables = NUMBERS | TEXT | NESTED
    mat.write(tmp_path / "ours.mat", variables)
    script = tmp_path / "check.m"
    script.write_text(OCTAVE)
    arguments = [octave, "--norc", "--quiet", "check.m", "ours.mat", "octave.mat"]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = mat.read(tmp_path / "octave.mat")
    for name, value in variables.items():
        assert_same(found[name], value)


@given(
    hnp.arrays(
        dtype=st.one_of(hnp.floating_dtypes(sizes=(32, 64)), hnp.integer_dtypes(),
                        hnp.unsigned_integer_dtypes(), hnp.complex_number_dtypes(sizes=(64, 128)),
                        hnp.boolean_dtypes()),
        shape=hnp.array_shapes(min_dims=2, max_dims=4, min_side=0, max_side=5),
    ),
    st.sampled_from(["5", "7.3"]),
)  # fmt: skip
def test_any_array_reads_back(
    tmp_path_factory: pytest.TempPathFactory, array: np.ndarray[Any, Any], version: str
) -> None:
    path = tmp_path_factory.mktemp("any") / "a.mat"
    mat.write(path, {"x": array}, version=version)
    found = mat.read_variable(path, "x")
    native = array.dtype.newbyteorder("=")
    if version == "7.3" and array.size == 0 and native.kind == "c":
        # MATLAB has no empty complex array in v7.3 either.
        native = np.empty(0, native).real.dtype
    assert found.dtype == native
    assert found.shape == array.shape
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    ("variables", "version", "name"),
    [
        ({"1st": 1.0}, "5", "mat-invalid-name"),
        ({"ends ": 1.0}, "7.3", "mat-invalid-name"),
        ({"s": {"a-b": 1.0}}, "5", "mat-invalid-name"),
        ({"rows": mat.CharArray((2, 1), ["a", "b"])}, "7.3", "mat-unsupported"),
    ],
)
def test_what_cannot_be_stored_is_refused(
    tmp_path: Path, variables: dict[str, Any], version: str, name: str
) -> None:
    with pytest.raises(PystampsError) as refused:
        mat.write(tmp_path / "a.mat", variables, version=version)
    assert refused.value.name == name
    assert refused.value.remedy


def test_foreign_objects_are_refused_by_type(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="x: expected numbers"):
        mat.write(tmp_path / "a.mat", {"x": object()})
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="nested deeper"):
        mat.write(tmp_path / "a.mat", {"x": endless})


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(PystampsError, match="none") as failed:
        mat.write(tmp_path / "none" / "a.mat", {"x": 1.0})
    assert failed.value.name == "mat-io"
