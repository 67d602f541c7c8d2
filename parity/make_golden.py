"""Make the golden archives from an oracle folder: ``python -m parity.make_golden ORACLE``."""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

from parity.golden import FOLDER

_PRODUCER = "original StaMPS 4.1b (commit c159eb8) under GNU Octave 7.3.0"
_PROVENANCE = {
    "P": {
        "producer": _PRODUCER,
        "scene": "synthetic SNAP-style export, 150 x 260 pixels, 9 images; no measured data",
        "preparation": "amplitude dispersion 0.4, 2 x 2 patches, overlap 12 range, 15 azimuth",
        "placeholders": "@EXPORT@/P in text files stands for the folder of the raw export",
    },
    "T": {
        "producer": _PRODUCER,
        "scene": "synthetic SNAP-style stack of 17 images, 2 patches; no measured data",
        "contents": "stages 4 and 5 of both patches; as T1 stages 1 to 4 of PATCH_1 alone",
        "derived": "patch.list of T1 names PATCH_1 only",
    },
    "T6": {
        "producer": f"{_PRODUCER}, snaphu 2.0.7",
        "scene": "synthetic SNAP-style stack of 17 images, 2 patches; no measured data",
        "contents": "stage 6 of the scene T with three problems as SNAPHU got and solved them; "
        "its second pass T_it2 with the smoothed look-angle error of T's stage 7",
        "needs": "the archive T, which has the stages before",
    },
    "T8": {
        "producer": _PRODUCER,
        "scene": "synthetic SNAP-style stack of 17 images, 2 patches; no measured data",
        "contents": "stages 7 and 8 of the scene T, and products of it",
        "needs": "the archives T and T6, which have the stages before",
    },
}

#: Interferograms whose problem is kept: the cheapest, the dearest and the last.
_KEPT_PROBLEMS = ("005", "007", "016")

#: Products of every kind of correction; velocities are small.
_PRODUCTS = (
    *(f"ps_plot_{value}" for value in ("d", "m", "u-dmo", "u-dms")),
    *(f"ps_plot_v{suffix}" for suffix in ("", "-d", "-o", "-do", "-s", "-so")),
    *("mean_v_v-do", "mv2_none", "mv2_do"),
)

#: Content of a file, by its name in the archive.
Members = Iterator[tuple[str, bytes]]


def make_golden(oracle: Path) -> None:
    """Write ``golden/*.tar.xz`` and ``golden/MANIFEST.json``; same input, same bytes."""
    FOLDER.mkdir(exist_ok=True)
    archives = {}
    makers = {"P": _members_of_p, "T": _members_of_t, "T6": _members_of_t6, "T8": _members_of_t8}
    for name, members in ((name, maker(oracle)) for name, maker in makers.items()):
        hashes = _pack(FOLDER / f"{name}.tar.xz", members)
        archives[name] = {"provenance": _PROVENANCE[name], "members": hashes}
    text = json.dumps({"archives": archives}, indent=2, sort_keys=True) + "\n"
    FOLDER.joinpath("MANIFEST.json").write_text(text, encoding="utf-8")


def _members_of_p(oracle: Path) -> Members:
    for part in ("export", "stage0_prep", "stage1"):
        yield from _files(oracle, oracle / "P" / part)


def _members_of_t(oracle: Path) -> Members:
    """Stage 5 needs both patches from stage 4 on, the stages before it are shown on one."""
    scene = oracle / "T"
    for patch in ("PATCH_1", "PATCH_2"):
        yield from _files(oracle, scene / "stage0_prep" / patch / "patch_noover.in")
    for file in ("parms.mat", "patch.list"):
        yield from _files(oracle, scene / "stage1" / file)
    for stage in ("stage4", "stage5"):
        yield from _files(oracle, scene / stage)
    window = "stage0_prep/PATCH_1/patch_noover.in"
    yield f"T1/{window}", scene.joinpath(window).read_bytes()
    yield "T1/stage1/parms.mat", scene.joinpath("stage1/parms.mat").read_bytes()
    for stage in ("stage1", "stage2", "stage3", "stage4"):
        yield f"T1/{stage}/patch.list", b"PATCH_1\n"
        for name, content in _files(scene, scene / stage / "PATCH_1"):
            yield f"T1/{name}", content


def _members_of_t6(oracle: Path) -> Members:
    """Both passes of stage 6, and what the second one needs of stage 7."""
    for scene in ("T", "T_it2"):
        for path in sorted((oracle / scene / "stage6").glob("*.mat")):
            yield from _files(oracle, path)
    for number in _KEPT_PROBLEMS:
        for path in sorted((oracle / "T/stage6/snaphu_keep" / number).glob("snaphu.*")):
            yield from _files(oracle, path)
    yield from _files(oracle, oracle / "T/stage7/scla_smooth2.mat")


def _members_of_t8(oracle: Path) -> Members:
    """Yield stages 7 and 8; the smoothed look-angle error is in the archive before."""
    scene = oracle / "T"
    for file in ("stage7/scla2.mat", "stage8/scn2.mat"):
        yield from _files(oracle, scene / file)
    for name in _PRODUCTS:
        yield from _files(oracle, scene / "products" / f"{name}.mat")


def _files(root: Path, part: Path) -> Members:
    """Yield one file or all below a folder, without the records of the oracle's makers."""
    for path in [part] if part.is_file() else sorted(part.rglob("*")):
        if path.is_file() and not path.name.startswith("oracle_"):
            yield path.relative_to(root).as_posix(), path.read_bytes()


def _pack(path: Path, members: Members) -> dict[str, str]:
    """Write an archive; return the hash of every member."""
    hashes = {}
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(content))
            hashes[name] = hashlib.sha256(content).hexdigest()
    path.write_bytes(lzma.compress(raw.getvalue(), preset=9 | lzma.PRESET_EXTREME))
    return hashes


if __name__ == "__main__":
    make_golden(Path(sys.argv[1]))
