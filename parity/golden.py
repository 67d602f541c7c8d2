"""Load the project's own golden data, checking every byte against the manifest."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

from parity.oracle import Scene

FOLDER = Path(__file__).parent / "golden"


def golden_scene(target: Path, name: str = "P") -> Scene:
    """Unpack a golden archive into the empty folder `target` and return its scene.

    Raises
    ------
    ValueError
        If a member is missing, unknown, or does not have the hash of ``MANIFEST.json``.
    """
    expected: dict[str, str] = read_manifest()["archives"][name]["members"]
    found = {}
    with tarfile.open(FOLDER / f"{name}.tar.xz", "r:xz") as archive:
        archive.extractall(target, filter="data")
    for path in sorted(target.rglob("*")):
        if path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found[path.relative_to(target).as_posix()] = digest
    wrong = sorted(name for name in expected | found if expected.get(name) != found.get(name))
    if wrong:
        msg = f"{FOLDER / name}.tar.xz disagrees with MANIFEST.json in {wrong[:5]}"
        raise ValueError(msg)
    return Scene(name, target / name, target / name / "export")


def read_manifest() -> dict[str, dict[str, dict[str, dict[str, str]]]]:
    """Return ``MANIFEST.json``."""
    text = FOLDER.joinpath("MANIFEST.json").read_text(encoding="utf-8")
    manifest: dict[str, dict[str, dict[str, dict[str, str]]]] = json.loads(text)
    return manifest
