"""Make the golden archive from an oracle folder: ``python -m parity.make_golden ORACLE``."""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import sys
import tarfile
from pathlib import Path

from parity.golden import FOLDER

_SCENE = "P"
_PARTS = ("export", "stage0_prep", "stage1")
_PROVENANCE = {
    "producer": "original StaMPS 4.1b (commit c159eb8) under GNU Octave 7.3.0",
    "scene": "synthetic SNAP-style export, 150 x 260 pixels, 9 images; no measured data",
    "preparation": "amplitude dispersion 0.4, 2 x 2 patches, overlap 12 range, 15 azimuth",
    "placeholders": "@EXPORT@/P in text files stands for the folder of the raw export",
}


def make_golden(oracle: Path) -> None:
    """Write ``golden/P.tar.xz`` and ``golden/MANIFEST.json``; same input, same bytes."""
    members = {}
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for part in _PARTS:
            for path in sorted((oracle / _SCENE / part).rglob("*")):
                if not path.is_file():
                    continue
                name = path.relative_to(oracle).as_posix()
                content = path.read_bytes()
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                entry.mode = 0o644
                archive.addfile(entry, io.BytesIO(content))
                members[name] = hashlib.sha256(content).hexdigest()
    FOLDER.mkdir(exist_ok=True)
    packed = lzma.compress(raw.getvalue(), preset=9 | lzma.PRESET_EXTREME)
    FOLDER.joinpath(f"{_SCENE}.tar.xz").write_bytes(packed)
    manifest = {"archives": {_SCENE: {"provenance": _PROVENANCE, "members": members}}}
    text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
    FOLDER.joinpath("MANIFEST.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    make_golden(Path(sys.argv[1]))
