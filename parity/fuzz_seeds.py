"""The fuzz targets and what each begins with, from the project's own golden data."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io

from pystamps_shim.io import mat

_LONGEST_FILE = 8_192
_LONGEST_V73_FILE = 16_384
_LONGEST_TEXT = 1_024

Seeds = Iterator[tuple[str, bytes]]


@dataclass(frozen=True)
class Target:
    """One program of ``fuzz/src/bin``.

    Attributes
    ----------
    name
        Its file.
    seeds
        Yields names and contents of inputs to begin with.
    longest
        Bytes that inputs may grow to; longer seeds are left out or cut.
    weight
        Its share of the time.
    """

    name: str
    seeds: Callable[[Path], Seeds]
    longest: int = _LONGEST_TEXT
    weight: int = 1


def write_seeds(target: Target, scene: Path, folder: Path) -> int:
    """Write the seeds of a target into a folder and return how many there are."""
    count = 0
    for name, content in target.seeds(scene):
        (folder / f"{count:03}-{name.replace('/', '_')}").write_bytes(content[: target.longest])
        count += 1
    return count


#: A variable of every class.
_VALUES: dict[str, Any] = {
    "doubles": np.arange(6.0).reshape(2, 3),
    "complex": np.array([[1 + 2j, 3 - 4j]], dtype=np.complex64),
    "text": "Änderung",
    "flags": np.array([[True, False]]),
    "cell": np.array([["a", np.eye(2)]], dtype=object),
    "record": {"one": 1.0, "two": "zwei"},
    "empty": np.zeros((0, 3)),
    "whole": np.array([[1, -2]], dtype=np.int16),
}


def level5_seeds(scene: Path) -> Seeds:
    """Yield files of level 5: the original's, scipy's and ours, compressed and not."""
    for path in sorted(scene.rglob("*.mat")):
        if path.stat().st_size <= _LONGEST_FILE:
            yield path.name, path.read_bytes()
    corpus = Path(scipy.io.matlab.__file__).parent / "tests" / "data"
    for path in sorted(corpus.glob("*.mat")):
        if path.stat().st_size <= _LONGEST_FILE:
            yield f"scipy-{path.name}", path.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seed.mat"
        for compressed in (False, True):
            scipy.io.savemat(path, _VALUES, do_compression=compressed)
            yield f"saved-{compressed}", path.read_bytes()
        mat.write(path, _without_cell(), version="5")
        yield "ours", path.read_bytes()


def v73_seeds(_: Path) -> Seeds:
    """Yield files of version 7.3: ours, and such as MATLAB writes them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seed.mat"
        mat.write(path, _without_cell(), version="7.3")
        yield "ours", path.read_bytes()
        for name, value in _without_cell().items():
            mat.write(path, {name: value}, version="7.3")
            yield f"ours-{name}", path.read_bytes()
        for version in ("earliest", "v108", "v110"):
            for chunks in (None, (2, 2)):
                _write_as_matlab(path, version, chunks)
                yield f"hdf5-{version}-{chunks is not None}", path.read_bytes()


def array_seeds(scene: Path) -> Seeds:
    """Yield files of both versions."""
    yield from level5_seeds(scene)
    yield from v73_seeds(scene)


def stack_seeds(scene: Path) -> Seeds:
    """Yield small ``ps2.mat`` of both kinds of stack, and the original's parameters."""
    stack = {
        "n_ps": 2.0,
        "n_ifg": 3.0,
        "n_image": 3.0,
        "bperp": np.array([[10.0], [0.0], [-20.0]]),
        "day": np.array([[738000.0], [738012.0], [738024.0]]),
        "master_ix": 2.0,
        "xy": np.array([[1, 5, 6], [2, 7, 8]], dtype=np.float32),
        "ifgday_ix": np.array([[1.0, 2.0], [2.0, 3.0], [1.0, 3.0]]),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ps2.mat"
        for version in ("5", "7.3"):
            mat.write(path, stack, version=version)
            yield f"stack-{version}", path.read_bytes()
    for path in sorted(scene.rglob("parms.mat")):
        yield path.name, path.read_bytes()


def parameter_seeds(scene: Path) -> Seeds:
    """Yield ``parms.mat``, the original's and ones that need to be brought up to date."""
    for path in sorted(scene.rglob("parms.mat")):
        yield path.name, path.read_bytes()
    old = {
        "small_baseline_flag": "y",
        "plot_pixel_size": 4.0,
        "unwrap_ifg_index": np.array([[1.0, 2.0]]),
        "recalc_index": "all",
        "max_topo_err": np.nan,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "parms.mat"
        for version in ("5", "7.3"):
            mat.write(path, old, version=version)
            yield f"old-{version}", path.read_bytes()


def gamma_seeds(scene: Path) -> Seeds:
    """Yield parameter files of images and baselines."""
    for suffix in ("*.par", "*.base"):
        for path in sorted(scene.rglob(suffix))[:3]:
            yield path.name, path.read_bytes()


def candidate_seeds(scene: Path) -> Seeds:
    """Yield the beginnings of candidate files, whole lines of the text ones, and windows."""
    patch = next(path.parent for path in sorted(scene.rglob("pscands.1.ij")))
    for name in ("pscands.1.ij", "pscands.1.da"):
        lines = (patch / name).read_bytes().splitlines(keepends=True)
        yield name, b"".join(lines[:12])
    yield "pscands.1.ll", (patch / "pscands.1.ll").read_bytes()[:96]
    yield "patch_noover.in", (patch / "patch_noover.in").read_bytes()


def name_seeds(scene: Path) -> Seeds:
    """Yield lists of interferograms, and names of the files of exports."""
    yield "pscphase.in", next(iter(scene.rglob("pscphase.in"))).read_bytes()
    yield (
        "pairs",
        (
            b"200\n/e/SMALL_BASELINES/20210101_20210113/20210101_20210113.diff\n"
            b"/e/SMALL_BASELINES/20210113_20210125/20210113_20210125.diff\n"
        ),
    )
    yield "single", b"20210101.rslc\n20210113.rslc\ndiff0/20210101_20210113.diff\n"
    yield "double", b"a/20210101.rslc\na/20210113.rslc\na/20210101_20210113.diff\n"


def edge_seeds(_: Path) -> Seeds:
    """Yield triangulations as Triangle writes them."""
    yield "two", b"2  1\n   1   3  1  1\n   2   1  2  0\n# Generated by triangle\n"
    yield "none", b"0 1\n"


def list_seeds(_: Path) -> Seeds:
    """Yield lists of patches."""
    yield "one", b"PATCH_1\n"
    yield "several", b"# by hand\nPATCH_1\n\nPATCH_2/\nPATCH_10\n"
    yield "leading-out", b"../PATCH_3\n/tmp\n.\nPATCH_1/..\n"


def control_seeds(_: Path) -> Seeds:
    """Yield what stands in ``.pystamps``."""
    record = {"path": "ps1.mat", "bytes": 10, "identity": "00ff"}
    entry = {
        "algorithm_version": 1,
        "parameters": {"max_topo_err": 20.0, "drop": [1, 2], "flag": "y", "none": None},
        "inputs": [record],
        "fingerprint": "ab",
        "outputs": [record],
        "origin": "replayed",
        "rows": 3,
    }
    known = {"bytes": 3, "modified_ns": 1_700_000_000_000_000_000, "inode": 5, "checksum": "ab"}
    journal = {"remove": ["ps2.mat"], "install": ["PATCH_1", "pm1.mat"], "markers": ["pm1.mat"]}
    holder = {"pid": 12, "host": "here", "command": "stage 2"}
    for name, content in (
        ("ledger", {"schema": 1, "stages": {"1": entry, "prep": entry}}),
        ("checksums", {"ps1.mat": known}),
        ("journal", journal),
        ("lock", holder),
    ):
        yield name, json.dumps(content).encode()


def solver_seeds(_: Path) -> Seeds:
    """Yield the log of stage 6 and a proof."""
    record = {
        "interferogram": 1,
        "objective": 5,
        "dual_bound": 5,
        "gap": 0,
        "objective_of_snaphu": 5,
        "residues": 2,
        "imbalance": 2,
        "augmentations": 1,
        "arcs_without_statistics_used": 0,
        "largest_flow": 1,
        "saturated_edges": 0,
    }
    log = {
        "schema": 1,
        "solver": "native",
        "grid": [2, 3],
        "nodes": 6,
        "edges": 7,
        "edges_without_statistics": 0,
        "left_out": ["ramps"],
        "interferograms": [record],
    }
    yield "log", json.dumps(log).encode()
    numbers = [np.array([2, 1, 1], "<u8"), np.array([3], "<u4"), np.array([-1], "<i2")]
    numbers += [np.array([0], "<u4"), np.array([-(1 << 40)], "<i8")]
    yield "proof", b"".join(part.tobytes() for part in numbers)


def typed_seeds(_: Path) -> Seeds:
    """Yield what people type for parameters, dates, sizes and products."""
    typed = "20|[1 2 3]|1:5|[]|'y'|nan|-Inf|1e3, 2|20210224|1.5GiB|500M|n_cores=4|v-do|usb-d|0.40"
    for place, text in enumerate(typed.split("|")):
        yield str(place), text.encode()


TARGETS = (
    Target("mat_level5", level5_seeds, _LONGEST_FILE, weight=4),
    Target("mat_v73", v73_seeds, _LONGEST_V73_FILE, weight=4),
    Target("mat_array", array_seeds, _LONGEST_FILE, weight=3),
    Target("parameter_file", parameter_seeds, _LONGEST_FILE, weight=2),
    Target("stack_file", stack_seeds, _LONGEST_FILE, weight=2),
    Target("gamma_text", gamma_seeds),
    Target("candidate_files", candidate_seeds),
    Target("name_lists", name_seeds),
    Target("edge_file", edge_seeds),
    Target("patch_list", list_seeds, 256),
    Target("control_files", control_seeds),
    Target("solver_files", solver_seeds),
    Target("typed_text", typed_seeds, 128),
)


def _without_cell() -> dict[str, Any]:
    return {name: value for name, value in _VALUES.items() if name != "cell"}


def _write_as_matlab(path: Path, version: str, chunks: tuple[int, int] | None) -> None:
    """Write numbers, complex ones, text, a cell and a structure through libhdf5."""
    pairs = np.zeros((2, 3), dtype=[("real", "<f4"), ("imag", "<f4")])
    storage = {} if chunks is None else {"chunks": chunks, "compression": "gzip", "shuffle": True}
    with h5py.File(path, "w", userblock_size=512, libver=(version, "v110")) as file:
        file.create_dataset("k", data=np.arange(6.0).reshape(2, 3), **storage)
        file.create_dataset("ph", data=pairs, **storage)
        file.create_dataset("text", data=np.array([[83], [65]], dtype=np.uint16))
        inner = file.create_group("#refs#").create_dataset("a", data=np.array([[1.0]]))
        inner.attrs["MATLAB_class"] = np.bytes_("double")
        links = np.array([[inner.ref], [inner.ref]], dtype=h5py.ref_dtype)
        file.create_dataset("cell", data=links)
        record = file.create_group("record")
        record.create_dataset("field", data=links)
        record.attrs["MATLAB_class"] = np.bytes_("struct")
        for name, kind in (("k", "double"), ("ph", "single"), ("text", "char"), ("cell", "cell")):
            file[name].attrs["MATLAB_class"] = np.bytes_(kind)
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    content = bytearray(path.read_bytes())
    content[: len(header)] = header
    path.write_bytes(content)
