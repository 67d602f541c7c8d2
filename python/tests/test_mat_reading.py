"""Every file that SciPy reads, we read as SciPy does or refuse with a reason."""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io.matlab
from mat_comparison import file_differences

from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat

CORPUS = Path(scipy.io.matlab.__file__).parent / "tests" / "data"

VERSION_4 = {
    "debigged_m4.mat",
    "test_mat4_le_floats.mat",
    "testcomplex_4.2c_SOL2.mat",
    "testdouble_4.2c_SOL2.mat",
    "testmatrix_4.2c_SOL2.mat",
    "testminus_4.2c_SOL2.mat",
    "testmulti_4.2c_SOL2.mat",
    "testonechar_4.2c_SOL2.mat",
    "testsparse_4.2c_SOL2.mat",
    "testsparsecomplex_4.2c_SOL2.mat",
    "teststring_4.2c_SOL2.mat",
    "teststringarray_4.2c_SOL2.mat",
    "testvec_4_GLNX86.mat",
}
#: Objects and function handles; and an HDF5 layout that MATLAB gave up in 2006.
UNSUPPORTED = {
    "parabola.mat",
    "some_functions.mat",
    "sqr.mat",
    "testfunc_7.4_GLNX86.mat",
    "testhdf5_7.4_GLNX86.mat",
    "testobject_6.1_SOL2.mat",
    "testobject_6.5.1_GLNX86.mat",
    "testobject_7.1_GLNX86.mat",
    "testobject_7.4_GLNX86.mat",
}
#: Damaged on purpose. SciPy reads only the one with the duplicate field names, renaming them.
MALFORMED = {
    "bad_miuint32.mat",
    "bad_miutf8_array_name.mat",
    "corrupted_zlib_checksum.mat",
    "corrupted_zlib_data.mat",
    "nasty_duplicate_fieldnames.mat",
}
REFUSALS = (
    dict.fromkeys(VERSION_4, "mat-version-4")
    | dict.fromkeys(UNSUPPORTED, "mat-unsupported")
    | dict.fromkeys(MALFORMED, "mat-malformed")
    | {"malformed1.mat": "mat-truncated"}
)

#: Whole groups of files, so that a report names what it is about.
GROUPS = ["oracle/D", "oracle/L", "oracle/P", "oracle/S", "oracle/T*", "oracle/kernels", "real"]


def corpus() -> list[str]:
    if not CORPUS.is_dir():
        return []
    return sorted(path.name for path in CORPUS.glob("*.mat"))


def test_the_corpus_is_there() -> None:
    if not CORPUS.is_dir() and os.environ.get("CI") != "true":
        pytest.skip(f"{CORPUS} is absent: this SciPy comes without its test data")
    assert len(corpus()) > 100
    assert set(corpus()) >= set(REFUSALS)


@pytest.mark.parametrize("name", corpus())
def test_scipys_own_files(name: str) -> None:
    path = CORPUS / name
    if name in REFUSALS:
        with pytest.raises(PystampsError) as refused:
            mat.read(path)
        assert refused.value.name == REFUSALS[name]
        assert refused.value.remedy
        assert name in str(refused.value)
        return
    assert file_differences(path) == []


@pytest.mark.parametrize("group", GROUPS)
def test_files_of_stamps(shared_dir: Path, group: str) -> None:
    paths = sorted(shared_dir.glob(f"{group}/**/*.mat"))
    differences = [line for path in paths for line in file_differences(path)]
    assert differences == []


def test_every_file_of_stamps_is_in_a_group(shared_dir: Path) -> None:
    grouped = {path for group in GROUPS for path in shared_dir.glob(f"{group}/**/*.mat")}
    assert grouped == set(shared_dir.glob("oracle/**/*.mat")) | set(
        shared_dir.glob("real/**/*.mat")
    )
    assert len(grouped) > 500


def test_listing_agrees_with_scipys(shared_dir: Path) -> None:
    for path in shared_dir.glob("oracle/T/**/*.mat"):
        ours = [(info.name, info.dims, info.class_name) for info in mat.list_variables(path)]
        theirs = [
            (name, dims, kind)
            for name, dims, kind in scipy.io.whosmat(path, chars_as_strings=False)
        ]
        assert ours == theirs, path


def test_v73_as_matlab_writes_it(tmp_path: Path) -> None:
    """Structure of a real v7.3 file, made with libhdf5: old groups, chunks, deflate, references."""
    path = tmp_path / "matlab.mat"
    numbers = np.arange(60_000, dtype=np.float64).reshape(200, 300)
    phases = (numbers + 1j * numbers[::-1]).astype(np.complex64)
    pairs = np.zeros(phases.shape, dtype=[("real", "<f4"), ("imag", "<f4")])
    pairs["real"], pairs["imag"] = phases.real, phases.imag
    with h5py.File(path, "w", userblock_size=512, libver="earliest") as file:
        file.create_dataset("k", data=numbers, compression="gzip", shuffle=True, chunks=(64, 64))
        file.create_dataset("ph", data=pairs, compression="gzip")
        file.create_dataset("flag", data=np.array([[1], [0]], dtype=np.uint8))
        file.create_dataset("text", data=np.array([[ord(c)] for c in "SAR"], dtype=np.uint16))
        file.create_dataset("none", data=np.array([0, 3], dtype=np.uint64))
        references = file.create_group("#refs#")
        references["a"], references["b"] = np.array([[1.0]]), np.array([[2.0]])
        links = np.array([[references["a"].ref], [references["b"].ref]], dtype=h5py.ref_dtype)
        file.create_dataset("cell", data=links)
        group = file.create_group("array")
        group.create_dataset("field", data=links)
        group.attrs["MATLAB_class"] = np.bytes_("struct")
        for name, kind in [
            ("k", "double"), ("ph", "single"), ("flag", "logical"), ("text", "char"),
            ("none", "single"), ("cell", "cell"),
        ]:  # fmt: skip
            file[name].attrs["MATLAB_class"] = np.bytes_(kind)
        for reference in references.values():
            reference.attrs["MATLAB_class"] = np.bytes_("double")
        file["none"].attrs["MATLAB_empty"] = np.uint8(1)
    with path.open("r+b") as file_bytes:
        file_bytes.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    found = mat.read(path)
    np.testing.assert_array_equal(found["k"], numbers.T)
    np.testing.assert_array_equal(found["ph"], phases.T)
    assert found["ph"].dtype == np.complex64
    np.testing.assert_array_equal(found["flag"], [[True, False]])
    assert found["text"] == "SAR"
    assert (found["none"].shape, found["none"].dtype) == ((0, 3), np.float32)
    assert [value.item() for value in found["cell"].ravel("F")] == [1.0, 2.0]
    assert found["array"].dims == (1, 2)
    assert [element[0].item() for element in found["array"].elements] == [1.0, 2.0]


def test_a_missing_variable_is_named(tmp_path: Path) -> None:
    mat.write(tmp_path / "a.mat", {"x": 1.0})
    with pytest.raises(PystampsError, match="no variable y: found x") as missing:
        mat.read_variable(tmp_path / "a.mat", "y")
    assert missing.value.name == "mat-missing-variable"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "mat-not-matlab"),
        (b"hello" * 100, "mat-not-matlab"),
        (b"# Created by Octave 7.3.0\n" * 10, "mat-not-matlab"),
        (b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + b"\x0e\x00\x00\x00", "mat-truncated"),
        (b"\x00" * 200, "mat-not-matlab"),
    ],
)
def test_foreign_bytes_are_refused(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / "ä b.mat"
    path.write_bytes(content)
    with pytest.raises(PystampsError) as refused:
        mat.read(path)
    assert refused.value.name == name
    assert "ä b.mat" in str(refused.value)
