"""Write a prepared dataset directly: control files and patch folders (prep.md 3, 4, 12).

For benchmarks of the stages with many candidates: there are no rasters to prepare.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.io import mat
from pystamps_shim.progress import tracked
from pystamps_shim.simulate.candidates import (
    CandidateSet,
    CandidateSignal,
    Dispersion,
    draw_candidates,
)
from pystamps_shim.simulate.export import write_big_endian
from pystamps_shim.simulate.faults import draw_faults
from pystamps_shim.simulate.frame import Frame
from pystamps_shim.simulate.gamma_files import date_names, write_text_files
from pystamps_shim.simulate.phase import PhaseModel
from pystamps_shim.simulate.scene import SceneSettings, scene_for_candidates
from pystamps_shim.simulate.terrain import make_terrain
from pystamps_shim.simulate.truth import ScattererTruth, TruthWriter

_OVERLAP_LINES = 50
_THRESHOLD = "0.4"
#: Not the day of the run: the same settings must give the same bytes.
_CREATED = "01-Jan-2000"


@dataclass(frozen=True)
class DatasetSize:
    """How much to write; patches divide the azimuth axis and overlap by 50 lines."""

    candidates: int
    interferograms: int
    patches: int

    def checked(self) -> DatasetSize:
        """Return the size, or raise with the first number that is too small."""
        for option, value, least in (
            ("--candidates", self.candidates, 100),
            ("--ifgs", self.interferograms, 1),
            ("--patches", self.patches, 1),
        ):
            if value < least:
                cause = f"{option} is {value}, expected at least {least}"
                raise PystampsError(cause, f"raise {option}", ExitCode.USAGE)
        return self


@dataclass(frozen=True)
class DatasetSummary:
    """What was written: the size of each patch counts its overlaps."""

    candidates: int
    interferograms: int
    scatterers: int
    per_patch: list[int]


@dataclass(frozen=True)
class Patch:
    """One patch: its windows (1-based, inclusive lines) and its candidates."""

    name: str
    window: tuple[int, int]
    window_without_overlap: tuple[int, int]
    rows: NDArray[np.intp]


def write_dataset(
    settings: SceneSettings, size: DatasetSize, folder: Path, final_folder: Path
) -> DatasetSummary:
    """Write a dataset that stage 1 can read, with its truth, into an existing folder.

    Parameters
    ----------
    settings
        Physics of the scene; its raster size, cover and image count are replaced.
    size
        Numbers of candidates, interferograms and patches.
    folder
        Where to write.
    final_folder
        Where the folder will be: control files hold absolute paths.
    """
    settings = replace(settings, images=size.checked().interferograms + 1)
    frame = Frame(scene_for_candidates(settings, size.candidates).checked())
    terrain = make_terrain(frame)
    chosen = draw_candidates(frame, terrain, size.candidates)
    model = PhaseModel(frame, chosen.scatterers)
    plan = _plan_patches(frame, chosen, size.patches)
    write_text_files(frame, model.baselines, folder / "export")
    _write_control_files(frame, plan, folder, final_folder / "export")
    _write_places(frame, terrain.height_m, chosen, plan, folder)
    del terrain
    with TruthWriter(folder, frame.settings.name, settings.seed) as truth:
        truth.add("ps_row", chosen.coherent.astype(np.int32), "0-based", "row among all candidates")
        _write_phases(frame, model, chosen, plan, folder).write(truth)
    per_patch = [len(patch.rows) for patch in plan]
    return DatasetSummary(len(chosen), size.interferograms, len(chosen.scatterers), per_patch)


def _plan_patches(frame: Frame, chosen: CandidateSet, patches: int) -> list[Patch]:
    lines = frame.shape[0]
    height = lines // patches
    if height == 0:
        cause = f"{patches} patches do not fit into {lines} lines"
        raise PystampsError(cause, "lower --patches", ExitCode.USAGE)
    plan = []
    for index in range(patches):
        inner = (height * index + 1, height * (index + 1))
        outer = (max(1, inner[0] - _OVERLAP_LINES), min(lines, inner[1] + _OVERLAP_LINES))
        first, beyond = np.searchsorted(chosen.line, [outer[0] - 1, outer[1]])
        plan.append(Patch(f"PATCH_{index + 1}", outer, inner, np.arange(first, beyond)))
    return plan


def _write_control_files(frame: Frame, plan: list[Patch], folder: Path, export: Path) -> None:
    dates = date_names(frame)
    lines, samples = frame.shape
    master = dates[frame.settings.master_index]
    images = [f"{export}/rslc/{date}.rslc" for date in dates]
    constants = [f"{image} 1" for image in images]
    pairs = [f"{export}/diff0/{master}_{date}.diff" for date in dates if date != master]
    geo = f"{export}/geo"
    contents = {
        "processor.txt": ["snap"],
        "width.txt": [str(samples)],
        "len.txt": [str(lines)],
        "rsc.txt": [f"{export}/rslc/{master}.rslc.par"],
        "calamp.in": images,
        "calamp.out": constants,
        "selpsc.in": [_THRESHOLD, str(samples), *constants],
        "pscphase.in": [str(samples), *pairs],
        "pscdem.in": [str(samples), f"{geo}/elevation_dem.rdc"],
        "psclonlat.in": [str(samples), f"{geo}/{master}.lon", f"{geo}/{master}.lat"],
        "patch.list": [patch.name for patch in plan],
    }
    for name, rows in contents.items():
        _write_lines(folder / name, rows)
    parameters = {"Created": _CREATED, "small_baseline_flag": "n", "insar_processor": "snap"}
    mat.write(folder / "parms.mat", {name: np.array(text) for name, text in parameters.items()})


def _write_places(
    frame: Frame,
    height_m: NDArray[np.float32],
    chosen: CandidateSet,
    plan: list[Patch],
    folder: Path,
) -> None:
    lonlat = np.stack(frame.lonlat_deg(chosen.line, chosen.sample), axis=1).astype(np.float32)
    for patch in plan:
        directory = folder / patch.name
        directory.mkdir()
        for name, window in (
            ("patch.in", patch.window),
            ("patch_noover.in", patch.window_without_overlap),
        ):
            _write_lines(directory / name, ["1", str(frame.shape[1]), *map(str, window)])
        line, sample = chosen.line[patch.rows], chosen.sample[patch.rows]
        table = zip(line.tolist(), sample.tolist(), strict=True)
        rows = [f"{number} {az} {rg}" for number, (az, rg) in enumerate(table, start=1)]
        _write_lines(directory / "pscands.1.ij", rows)
        _write_lines(directory / "pscands.1.ij0", [])
        pairs = np.stack([sample, line], axis=1).astype(np.int32)
        write_big_endian(directory / "pscands.1.ij.int", pairs)
        write_big_endian(directory / "pscands.1.ll", lonlat[patch.rows])
        write_big_endian(directory / "pscands.1.hgt", height_m[line, sample])


def _write_phases(
    frame: Frame, model: PhaseModel, chosen: CandidateSet, plan: list[Patch], folder: Path
) -> ScattererTruth:
    """Stream the interferograms into the patches; return the truth still to be written."""
    faults = draw_faults(frame.settings, chosen.scatterers)
    truth = ScattererTruth(folder, model, chosen.scatterers, faults)
    signal = CandidateSignal(frame, chosen, faults)
    dispersion = Dispersion(len(chosen))
    images, master_index = frame.settings.images, frame.settings.master_index
    master_phase = model.image(master_index)
    master = signal.image(master_index, master_phase)
    for index in tracked(range(images), "images", images):
        phase = master_phase if index == master_index else model.image(index)
        image = master if index == master_index else signal.image(index, phase)
        truth.record(index, phase, master_phase)
        dispersion.add(image)
        if index == master_index:
            continue
        values = signal.interferogram(index, master, image).astype(">c8")
        for patch in plan:
            with folder.joinpath(patch.name, "pscands.1.ph").open("ab") as file:
                file.write(values[patch.rows].data)
    texts = [f"{value:.6g}" for value in dispersion.result().tolist()]
    for patch in plan:
        part = texts[patch.rows[0] : patch.rows[-1] + 1] if len(patch.rows) else []
        _write_lines(folder / patch.name / "pscands.1.da", part)
    return truth


def _write_lines(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
