"""Bring a scene of original StaMPS onto disk as a dataset that can be processed."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import scipy.io

#: Placeholders in the oracle's text files: a folder per scene stands below each.
EXPORT_PLACEHOLDER = "@EXPORT@"
DATASET_PLACEHOLDER = "@DATASET@"

#: Text that a level-5 file begins with, and its length.
_HEADER = b"MATLAB 5.0 MAT-file, parameters of a certification"
_HEADER_BYTES = 116

#: Exports that the generator has made, by its content.
_RASTERS = Path(__file__).resolve().parents[1] / "build" / "rasters"

_TEXT_SUFFIXES = (".in", ".out", ".txt", ".list")

#: Value of a parameter as a MATLAB file holds it.
ParameterValue = str | float | list[float]


@dataclass(frozen=True)
class Lineage:
    """Where the stages of a scene come from, when some were not run anew.

    Attributes
    ----------
    base
        Scene whose stages it shares.
    own
        Stages it has itself, and their folder in the oracle.
    parms
        Parameter file in the oracle; that of the base's stage 1 by default.
    parameters
        Parameters that differ from that file.
    earlier_pass
        Folder of the oracle with the stage 7 of the pass before, whose ``scla_smooth2.mat`` the
        merged dataset then holds.
    """

    base: str
    own: Mapping[int, str] = field(default_factory=dict)
    parms: str | None = None
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    earlier_pass: str | None = None


def _unwrapping_variant(name: str) -> Lineage:
    folder = f"T/variants/{name}"
    return Lineage("T", {6: folder}, parms=f"{folder}/parms.mat")


#: Other unwrapping methods on the scene T, by the oracle's names of them.
UNWRAPPING_VARIANTS = (
    "uw_2D_scfn_lay",
    "uw_3D_FULL_scfn_lan",
    "uw_3D_FULL_scfy_lay",
    "uw_3D_NO_DEF_scfn_lay",
    "uw_3D_QUICK_scfn_lay",
    "uw_3D_SMALL_DEF_scfn_lan",
)


#: The scenes that start from another one's stages (oracle README).
LINEAGES = {
    "T_d1": Lineage(
        "T",
        {
            3: "T/variants/select_density_rand_1",
            **{stage: f"T_d1/stage{stage}" for stage in (4, 5, 6, 7, 8)},
        },
        parameters={"density_rand": 1.0, "weed_neighbours": "y"},
    ),
    "T_it2": Lineage(
        "T",
        {stage: f"T_it2/stage{stage}" for stage in (6, 7, 8)},
        earlier_pass="T/stage7",
    ),
    "T_opt": Lineage(
        "T",
        {stage: f"T_opt/stage{stage}" for stage in (6, 7, 8)},
        parms="T_opt/parms.mat",
        earlier_pass="T_opt/stage7_iter1",
    ),
    "T_opt_iter1": Lineage(
        "T",
        {stage: f"T_opt/stage{stage}_iter1" for stage in (6, 7, 8)},
        parms="T_opt/parms.mat",
    ),
    # Made with the parameters of T and the other rule for equally near nodes.
    "uw_tie_highest": Lineage("T", {6: "T/variants/uw_tie_highest"}),
    "T_snr": Lineage("T", {2: "T_snr/stage2"}, parms="T_snr/parms.mat"),
    **{name: _unwrapping_variant(name) for name in UNWRAPPING_VARIANTS},
}


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
    """Return `scene` with a complete export in `target`, made by the oracle's generator.

    That takes seconds: what it has made once is kept.
    """
    generator = oracle / "gen" / "make_dataset.py"
    kept = _RASTERS / f"{scene.name}-{sha256(generator.read_bytes()).hexdigest()[:16]}"
    if not kept.exists():
        _RASTERS.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_RASTERS) as folder:
            made = Path(folder) / "export"
            command = [sys.executable, str(generator), scene.name, str(made)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            with suppress(OSError):  # Another process has made it meanwhile.
                made.rename(kept)
    shutil.copytree(kept, target)
    return Scene(scene.name, scene.folder, target)


def stage_folder(oracle: Path, name: str, stage: int) -> Path:
    """Return the folder of what original StaMPS wrote in one stage of a scene."""
    lineage = LINEAGES.get(name, Lineage(name))
    return oracle / lineage.own.get(stage, f"{lineage.base}/stage{stage}")


def dataset_after(
    oracle: Path,
    name: str,
    stage: int,
    target: Path,
    parameters: Mapping[str, ParameterValue] | None = None,
    *,
    merged: bool = True,
) -> Path:
    """Make the dataset folder as original StaMPS left it after a stage, writable.

    Parameters
    ----------
    oracle
        Folder of the oracle scenes.
    name
        Scene: T, L, D, S, or one of `LINEAGES`.
    stage
        Last stage whose files are there, 1 to 8; from 5 on with the merged files.
    target
        Folder to create.
    parameters
        Parameters to set in ``parms.mat`` besides the scene's own.
    merged
        Whether the last stage left its files in the merged dataset too; stage 5 alone works on
        both.

    Returns
    -------
    `target`, with ``patch.list``, ``parms.mat``, and the patches with ``patch_noover.in`` where
    the oracle has it (not for D). Records of the oracle's makers (``oracle_*.mat``) stay out.
    """
    lineage = LINEAGES.get(name, Lineage(name))
    target.mkdir(parents=True)
    for number in range(1, stage + 1):
        _copy_results(stage_folder(oracle, name, number), target, root=merged or number < stage)
    if lineage.earlier_pass is not None and 5 <= stage < 7:
        smooth = "scla_smooth2.mat"
        shutil.copyfile(oracle / lineage.earlier_pass / smooth, target / smooth)
    prepared = oracle / lineage.base / "stage0_prep"
    for window in sorted(prepared.glob("PATCH_*/patch_noover.in")):
        shutil.copyfile(window, target / window.parent.name / window.name)
    parms = target / "parms.mat"
    if lineage.parms is not None:
        shutil.copyfile(oracle / lineage.parms, parms)
    set_parameters(parms, {**lineage.parameters, **(parameters or {})})
    return target


def set_parameters(parms: Path, values: Mapping[str, ParameterValue]) -> None:
    """Change parameters of a ``parms.mat`` in place; same values, same bytes."""
    if values:
        stored = scipy.io.loadmat(parms)
        kept = {name: value for name, value in stored.items() if not name.startswith("__")}
        content = io.BytesIO()
        scipy.io.savemat(content, {**kept, **values}, oned_as="row")
        # SciPy writes the time of day into the text that a file begins with.
        parms.write_bytes(_HEADER.ljust(_HEADER_BYTES) + content.getvalue()[_HEADER_BYTES:])


def _copy_results(source: Path, target: Path, *, root: bool) -> None:
    """Copy one stage's files over those of the stages before, those in its root if wanted."""
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if path.is_dir():
            place.mkdir(exist_ok=True)
        elif not path.name.startswith("oracle_") and (root or path.parent != source):
            shutil.copyfile(path, place)


def holds_paths(path: Path) -> bool:
    """Tell whether a file of a dataset is a text in which paths may stand."""
    return path.suffix in _TEXT_SUFFIXES and not path.name.startswith("pscands")


def _materialise(source: Path, target: Path, substitutions: dict[str, str]) -> Path:
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    target.chmod(0o755)
    for path in sorted(target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
        if holds_paths(path):
            text = path.read_bytes().decode("utf-8")
            for placeholder, real in substitutions.items():
                text = text.replace(placeholder, real)
            path.write_bytes(text.encode("utf-8"))
    return target
