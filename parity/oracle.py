"""Bring a scene of original StaMPS onto disk as a dataset that can be processed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

#: Placeholders in the oracle's text files: a folder per scene stands below each.
EXPORT_PLACEHOLDER = "@EXPORT@"
DATASET_PLACEHOLDER = "@DATASET@"

_TEXT_SUFFIXES = (".in", ".out", ".txt", ".list")


@dataclass(frozen=True)
class PrepSettings:
    """How original StaMPS prepared a scene."""

    amplitude_dispersion: str
    range_patches: int
    azimuth_patches: int
    range_overlap: int
    azimuth_overlap: int
    master: str


#: Read off ``stage0_prep``: selpsc.in, patch.in, patch_noover.in, rsc.txt.
PREP_SETTINGS = {
    "P": PrepSettings("0.4", 2, 2, 12, 15, "20210224"),
    "T": PrepSettings("0.4", 1, 2, 50, 50, "20210413"),
    "L": PrepSettings("0.4", 1, 2, 50, 50, "20190406"),
    "S": PrepSettings("0.48", 1, 2, 50, 50, "20200322"),
}


@dataclass(frozen=True)
class Scene:
    """One oracle scene, with its export where the text files can point to it.

    Attributes
    ----------
    name
        Scene letter.
    folder
        The scene's folder in the oracle (``stage0_prep``, ``stage1`` …).
    export
        Raw export: complete, or the ``.par`` and ``.base`` files only.
    """

    name: str
    folder: Path
    export: Path

    def stage(self, directory: str) -> Path:
        """Return the folder of what original StaMPS wrote in one step."""
        return self.folder / directory

    @property
    def substitutions(self) -> dict[str, str]:
        """Return what the placeholders of this scene stand for."""
        return {f"{EXPORT_PLACEHOLDER}/{self.name}": str(self.export)}

    def prepared(self, target: Path) -> Path:
        """Copy ``stage0_prep`` to `target`, placeholders replaced, ready for stage 1."""
        return _materialise(self.stage("stage0_prep"), target, self.substitutions)


def shared_scene(oracle: Path, name: str) -> Scene:
    """Return a scene of the oracle folder, with the export as it lies there."""
    return Scene(name, oracle / name, oracle / name / "export")


def with_rasters(oracle: Path, scene: Scene, target: Path) -> Scene:
    """Return `scene` with a complete export in `target`, made by the oracle's generator."""
    generator = oracle / "gen" / "make_dataset.py"
    command = [sys.executable, str(generator), scene.name, str(target)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return Scene(scene.name, scene.folder, target)


def _materialise(source: Path, target: Path, substitutions: dict[str, str]) -> Path:
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    target.chmod(0o755)
    for path in sorted(target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
        if path.suffix in _TEXT_SUFFIXES and not path.name.startswith("pscands"):
            text = path.read_bytes().decode("utf-8")
            for placeholder, real in substitutions.items():
                text = text.replace(placeholder, real)
            path.write_bytes(text.encode("utf-8"))
    return target
