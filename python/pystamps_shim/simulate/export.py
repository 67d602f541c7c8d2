"""Write a scene as a raw SNAP-style StaMPS export, image by image (prep.md section 1)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.progress import tracked
from pystamps_shim.simulate.calibration import draw_factors
from pystamps_shim.simulate.deformation import motion_at
from pystamps_shim.simulate.faults import Faults, draw_faults
from pystamps_shim.simulate.frame import Frame
from pystamps_shim.simulate.gamma_files import date_names, write_text_files
from pystamps_shim.simulate.phase import ImagePhase, PhaseModel
from pystamps_shim.simulate.randomness import Purpose, stream
from pystamps_shim.simulate.scatterers import Scatterers, cover_map, scatterers_of
from pystamps_shim.simulate.scene import SceneSettings
from pystamps_shim.simulate.terrain import Terrain, make_terrain
from pystamps_shim.simulate.truth import ScattererTruth, TruthWriter

ComplexImage = NDArray[np.complex64]


@dataclass(frozen=True)
class ExportSummary:
    """What was written."""

    lines: int
    samples: int
    images: int
    scatterers: int
    master: str


class ImageMaker:
    """Renders the single-look complex images of a scene."""

    def __init__(self, frame: Frame, terrain: Terrain, scatterers: Scatterers) -> None:
        self._settings = frame.settings
        self._brightness = terrain.brightness
        self._scatterers = scatterers
        self.pixels = np.ravel_multi_index((scatterers.line, scatterers.sample), frame.shape)
        self._strength = scatterers.strength * terrain.brightness.ravel()[self.pixels]
        self._calibration = draw_factors(frame.settings)
        self.faults = draw_faults(frame.settings, scatterers)

    def render(self, image: int, phase: ImagePhase) -> ComplexImage:
        """Return one image: speckle, and scatterers that carry minus their phase.

        Minus, because the interferogram is master times conjugate slave.
        """
        rng = stream(self._settings.seed, Purpose.SPECKLE, image)
        speckle = complex_normal(rng, self._brightness.shape)
        modulation = rng.standard_normal(speckle.shape, dtype=np.float32)
        modulation *= np.float32(self._settings.clutter_modulation)
        np.exp(modulation, out=modulation)
        modulation *= self._brightness * np.float32(np.sqrt(0.5))
        speckle *= modulation
        rng = stream(self._settings.seed, Purpose.SCATTERER_NOISE, image)
        values = noisy_phasors(rng, phase.total_rad, self._scatterers.noise_rad) * self._strength
        self.faults.spoil_image(image, values)
        speckle.ravel()[self.pixels] = values
        speckle *= self._calibration[image]
        return speckle


def complex_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> ComplexImage:
    """Return complex normal numbers with variance 1 in each part."""
    parts = rng.standard_normal((*shape, 2), dtype=np.float32)
    return parts.view(np.complex64)[..., 0]


def noisy_phasors(
    rng: np.random.Generator, phase_rad: NDArray[np.float32], noise_rad: NDArray[np.float32]
) -> ComplexImage:
    """Return ``exp(-i phase)`` with additive circular noise of the given spread."""
    phasors = np.empty(phase_rad.shape, dtype=np.complex64)
    np.cos(phase_rad, out=phasors.real)
    np.negative(np.sin(phase_rad), out=phasors.imag)
    noise = complex_normal(rng, phase_rad.shape)
    noise *= noise_rad
    return phasors + noise


def write_export(settings: SceneSettings, folder: Path) -> ExportSummary:
    """Write the export of a scene, with its truth, into an existing folder.

    Memory holds a few rasters, whatever the number of images.
    """
    frame = Frame(settings.checked())
    terrain = make_terrain(frame)
    cover = cover_map(frame, terrain.water)
    scatterers = scatterers_of(frame, cover)
    model = PhaseModel(frame, scatterers)
    maker = ImageMaker(frame, terrain, scatterers)
    write_text_files(frame, model.baselines, folder)
    _write_geometry(frame, terrain, folder)
    truth = ScattererTruth(folder, model, scatterers, maker.faults)
    _write_images(model, maker, truth, folder)
    with TruthWriter(folder, settings.name, settings.seed) as writer:
        _write_maps(frame, terrain, cover, writer)
        truth.write(writer)
    dates = date_names(frame)
    return ExportSummary(*frame.shape, len(dates), len(scatterers), dates[settings.master_index])


def _write_images(
    model: PhaseModel, maker: ImageMaker, truth: ScattererTruth, folder: Path
) -> None:
    dates = date_names(model.frame)
    master_index = model.frame.settings.master_index
    master_phase = model.image(master_index)
    master = maker.render(master_index, master_phase)
    for index, date in tracked(enumerate(dates), "images", len(dates)):
        phase = master_phase if index == master_index else model.image(index)
        image = master if index == master_index else maker.render(index, phase)
        truth.record(index, phase, master_phase)
        write_big_endian(folder / "rslc" / f"{date}.rslc", image)
        if index == master_index:
            continue
        interferogram = master * image.conj()
        _spoil(maker.faults, index, interferogram, maker.pixels)
        name = f"{dates[master_index]}_{date}.diff"
        write_big_endian(folder / "diff0" / name, interferogram)


def _spoil(
    faults: Faults, image: int, interferogram: ComplexImage, pixels: NDArray[np.intp]
) -> None:
    flat = interferogram.ravel()
    values = flat[pixels]
    faults.spoil_interferogram(image, values)
    flat[pixels] = values


def _write_geometry(frame: Frame, terrain: Terrain, folder: Path) -> None:
    lines, samples = frame.shape
    longitude, latitude = frame.lonlat_deg(np.arange(lines)[:, None], np.arange(samples)[None, :])
    master = date_names(frame)[frame.settings.master_index]
    write_big_endian(folder / "geo" / f"{master}.lon", longitude.astype(np.float32))
    write_big_endian(folder / "geo" / f"{master}.lat", latitude.astype(np.float32))
    write_big_endian(folder / "geo" / "elevation_dem.rdc", terrain.height_m)


def _write_maps(
    frame: Frame, terrain: Terrain, cover: NDArray[np.uint8], truth: TruthWriter
) -> None:
    motion = motion_at(frame, frame.along_track_m[:, None], frame.ground_range_m[None, :])
    truth.add("velocity_m_yr", motion.rate_m_per_year, "m/yr", "steady velocity [line, sample]")
    truth.add("step_m", motion.step_m, "m", "sudden displacement at `step_date`")
    truth.add("seasonal_m", motion.seasonal_m, "m", "amplitude of the yearly sine")
    truth.add("height_m", terrain.height_m, "m", "height, as in geo/elevation_dem.rdc")
    truth.add("water", terrain.water, "-", "open water")
    truth.add("cover", cover, "0 clutter, 1 town, 2 road, 3 scattered", "what a pixel holds")


def write_big_endian(path: Path, values: NDArray[np.generic]) -> None:
    """Write a raster or column in the byte order of SNAP and GAMMA."""
    with path.open("wb") as file:
        file.write(values.astype(values.dtype.newbyteorder(">")).data)
