"""The truth of a scene: one ``truth.npz`` and ``TRUTH.md``, which explains its layers."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.simulate.deformation import step_date
from pystamps_shim.simulate.faults import Faults
from pystamps_shim.simulate.gamma_files import date_names
from pystamps_shim.simulate.phase import ImagePhase, PhaseModel
from pystamps_shim.simulate.scatterers import Scatterers

_INTRODUCTION = """\
# Truth of scene `{name}` (seed {seed})

`numpy.load("truth.npz")` gives the layers below. Displacements and velocities count towards
the satellite. Lines (azimuth) and samples (range) are 0-based. An interferogram is
master x conj(slave), so at a scatterer its phase is

    phase = -4 pi / wavelength * displacement + (atmosphere_s - atmosphere_m)
            + (ramp_s - ramp_m) + topographic_rad_per_m * bperp + noise

wrapped; `ps_phase_rad` holds all but the noise, unwrapped. The perpendicular baseline of a
pixel follows from `baseline_tcn` and the master's `.par` as StaMPS stage 1 computes it.

| layer | type | shape | unit | meaning |
|---|---|---|---|---|
"""


class TruthWriter:
    """Writes layers one after another; the same layers give the same bytes.

    Members are stored without compression and with the zip epoch as their time.
    """

    def __init__(self, folder: Path, name: str, seed: int) -> None:
        self._folder = folder
        self._archive = zipfile.ZipFile(folder / "truth.npz", "w", zipfile.ZIP_STORED)
        self._text = [_INTRODUCTION.format(name=name, seed=seed)]

    def __enter__(self) -> TruthWriter:
        """Return the writer itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the archive and write the explanation."""
        self._archive.close()
        self._folder.joinpath("TRUTH.md").write_text("".join(self._text), encoding="utf-8")

    def add(self, name: str, values: NDArray[Any], unit: str, meaning: str) -> None:
        """Write one layer."""
        with self._member(name) as member:
            np.lib.format.write_array(member, np.asarray(values, order="C"), allow_pickle=False)
        self._explain(name, values.dtype, values.shape, unit, meaning)

    def add_spooled(self, layer: SpooledLayer) -> None:
        """Write a layer that was collected row by row."""
        with self._member(layer.name) as member:
            layer.copy_to(member)
        self._explain(layer.name, np.dtype(np.float32), layer.shape, layer.unit, layer.meaning)

    def _member(self, name: str) -> IO[bytes]:
        entry = zipfile.ZipInfo(f"{name}.npy")
        entry.external_attr = 0o644 << 16
        return self._archive.open(entry, "w", force_zip64=True)

    def _explain(
        self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...], unit: str, meaning: str
    ) -> None:
        size = " x ".join(str(size) for size in shape) or "scalar"
        kind = "text" if dtype.kind == "U" else dtype.name
        self._text.append(f"| `{name}` | {kind} | {size} | {unit} | {meaning} |\n")


class SpooledLayer:
    """A single-precision layer [rows, scatterers] kept on disk until it is complete.

    The spool lies in `folder`, where there is room for the scene itself.
    """

    def __init__(self, folder: Path, name: str, columns: int, unit: str, meaning: str) -> None:
        self.name, self.unit, self.meaning = name, unit, meaning
        self._columns = columns
        self._rows = 0
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by copy_to

    @property
    def shape(self) -> tuple[int, int]:
        """Return (rows so far, scatterers)."""
        return self._rows, self._columns

    def append(self, row: NDArray[np.float32]) -> None:
        """Add one row."""
        self._file.write(np.ascontiguousarray(row, dtype="<f4").tobytes())
        self._rows += 1

    def copy_to(self, member: IO[bytes]) -> None:
        """Write the layer in ``.npy`` format and forget it."""
        header = {"descr": "<f4", "fortran_order": False, "shape": self.shape}
        np.lib.format.write_array_header_1_0(member, header)
        self._file.seek(0)
        while chunk := self._file.read(1 << 20):
            member.write(chunk)
        self._file.close()


class ScattererTruth:
    """What is true at the scatterers, in both kinds of output; spools into `folder`."""

    def __init__(
        self, folder: Path, model: PhaseModel, scatterers: Scatterers, faults: Faults
    ) -> None:
        self._model, self._scatterers, self._faults = model, scatterers, faults
        count = len(scatterers)
        self._phase = SpooledLayer(
            folder,
            "ps_phase_rad",
            count,
            "rad",
            "noise-free unwrapped phase of every interferogram [interferogram, scatterer]",
        )
        self._atmosphere = SpooledLayer(
            folder,
            "ps_atmosphere_rad",
            count,
            "rad",
            "turbulent delay of every image, master included [image, scatterer]",
        )

    def record(self, image: int, phase: ImagePhase, master: ImagePhase) -> None:
        """Keep the truth of one image; call in the order of the images."""
        self._atmosphere.append(phase.atmosphere_rad)
        if image != self._model.frame.settings.master_index:
            self._phase.append(phase.total_rad - master.total_rad)

    def write(self, truth: TruthWriter) -> None:
        """Write all layers of the scatterers, of the acquisitions and of the faults."""
        self._write_scatterers(truth)
        truth.add_spooled(self._phase)
        truth.add_spooled(self._atmosphere)
        self._write_acquisitions(truth)
        self._write_faults(truth)

    def _write_scatterers(self, truth: TruthWriter) -> None:
        model, ps = self._model, self._scatterers
        motion = model.motion
        truth.add("ps_line", ps.line.astype(np.int32), "pixel", "azimuth line")
        truth.add("ps_sample", ps.sample.astype(np.int32), "pixel", "range sample")
        truth.add("ps_cover", ps.cover, "1 town, 2 road, 3 scattered", "where it stands")
        truth.add("ps_noise_rad", ps.noise_rad, "rad", "phase noise of one image, 1 sigma")
        truth.add("ps_velocity_m_yr", motion.rate_m_per_year, "m/yr", "steady velocity")
        truth.add("ps_step_m", motion.step_m, "m", "sudden displacement at `step_date`")
        truth.add("ps_seasonal_m", motion.seasonal_m, "m", "amplitude of the yearly sine")
        truth.add("ps_dem_error_m", model.dem_error_m.astype(np.float32), "m", "height error")
        truth.add(
            "ps_topographic_rad_per_m",
            model.topographic_rad_per_m.astype(np.float32),
            "rad/m",
            "K: phase per metre of perpendicular baseline",
        )

    def _write_acquisitions(self, truth: TruthWriter) -> None:
        model, frame = self._model, self._model.frame
        settings = frame.settings
        dates = date_names(frame)
        factors = model.time_factors
        slaves = [date for i, date in enumerate(dates) if i != settings.master_index]
        master = dates[settings.master_index]
        baselines = [
            (b.cross_m, b.normal_m, b.cross_rate_m_s, b.normal_rate_m_s) for b in model.baselines
        ]
        truth.add("dates", np.array(dates), "YYYYMMDD", "every image")
        truth.add("master", np.array(settings.master_index), "index", "master among `dates`")
        pairs = np.array([[master, slave] for slave in slaves])
        truth.add("interferograms", pairs, "YYYYMMDD", "master and slave of each")
        truth.add("years", np.array([f.years for f in factors]), "yr", "time since the master")
        truth.add("step_date", np.array(f"{step_date(settings):%Y%m%d}"), "YYYYMMDD", "of the step")
        truth.add("step_factor", np.array([f.step for f in factors]), "-", "factor of `ps_step_m`")
        truth.add(
            "season_factor", np.array([f.season for f in factors]), "-", "factor of `ps_seasonal_m`"
        )
        truth.add(
            "baseline_tcn",
            np.array(baselines),
            "m, m, m/s, m/s",
            "cross and normal baseline to the master at mid-scene, and their rates, per image",
        )
        truth.add(
            "orbital_ramp_rad", model.ramps_rad, "rad", "ramp along and across the scene, per image"
        )
        truth.add("wavelength_m", np.array(frame.wavelength_m), "m", "radar wavelength")

    def _write_faults(self, truth: TruthWriter) -> None:
        faults, dates = self._faults, date_names(self._model.frame)
        for name, positions, image, meaning in (
            ("zero_phase", faults.zero_phase, faults.zero_phase_image, "interferogram value 0"),
            ("nan_phase", faults.nan_phase, faults.nan_phase_image, "interferogram value NaN"),
            (
                "zero_amplitude",
                faults.zero_amplitude,
                faults.zero_amplitude_image,
                "SLC and interferogram value 0",
            ),
        ):
            text = f"scatterers with {meaning} in image {dates[image]}"
            truth.add(f"{name}_ps", positions.astype(np.int32), "index into ps_*", text)
