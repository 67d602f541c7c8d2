"""What is true of a simulated scene, from either simulator's ``truth.npz``."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError

Doubles = NDArray[np.float64]

# Wavelength of the oracle's scenes, whose truth does not name it.
_ORACLE_WAVELENGTH_M = 0.05546576


@dataclass(frozen=True)
class SceneTruth:
    """The persistent scatterers of a scene and how they moved.

    Attributes
    ----------
    line, sample
        Where the scatterers are, counted from 0, [S].
    velocity_mm_per_year
        Steady velocity towards the satellite, [S].
    dem_error_m
        Height error, [S].
    topographic_rad_per_m
        K, phase per metre of perpendicular baseline, [S].
    dates
        Dates of all images, master included, [M].
    master
        The master among them, from 0.
    displacement_mm
        Displacement towards the satellite since the master, [S, M].
    phase_rad
        Noise-free unwrapped phase without the topographic term, [S, M], or with it
        (`topography_included`); zero at the master.
    topography_included
        Whether `phase_rad` holds the topographic term.
    """

    line: NDArray[np.intp]
    sample: NDArray[np.intp]
    velocity_mm_per_year: Doubles
    dem_error_m: Doubles
    topographic_rad_per_m: Doubles
    dates: list[datetime.date]
    master: int
    displacement_mm: Doubles
    phase_rad: Doubles
    topography_included: bool

    @classmethod
    def read(cls, path: Path) -> SceneTruth:
        """Read a truth file of ``python -m pystamps_shim simulate`` or of the oracle's generator.

        Raises
        ------
        PystampsError
            It is missing, no NumPy archive, or lacks a layer.
        """
        try:
            with np.load(path) as layers:
                return _of_simulator(layers) if "ps_line" in layers else _of_generator(layers)
        except OSError as error:
            cause = f"{path}: cannot be read ({error.strerror or error})"
            raise PystampsError(cause, "give the truth.npz that the simulator wrote") from error
        except (KeyError, ValueError) as error:
            cause = f"{path}: {str(error).strip(chr(39))}"
            raise PystampsError(cause, "give the complete truth.npz of a raw export") from error

    def __len__(self) -> int:
        """Return the number of scatterers."""
        return len(self.line)

    def rows_at(self, line: NDArray[np.intp], sample: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the scatterer at each place, -1 where there is none."""
        width = int(max(self.sample.max(initial=0), sample.max(initial=0))) + 1
        keys = self.line * width + self.sample
        order = np.argsort(keys, kind="stable")
        wanted = line * width + sample
        position = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
        found = order[position]
        return np.where(keys[found] == wanted, found, -1)


def _of_simulator(layers: NpzFile) -> SceneTruth:
    """Take the layers that `simulate.truth` documents."""
    master = int(layers["master"])
    steady, step = layers["ps_velocity_m_yr"], layers["ps_step_m"]
    displacement_m = (
        np.outer(steady, layers["years"])
        + np.outer(step, layers["step_factor"])
        + np.outer(layers["ps_seasonal_m"], layers["season_factor"])
    )
    phase = np.insert(layers["ps_phase_rad"].astype(np.float64), master, 0.0, axis=0)
    return SceneTruth(
        line=layers["ps_line"].astype(np.intp),
        sample=layers["ps_sample"].astype(np.intp),
        velocity_mm_per_year=steady.astype(np.float64) * 1000,
        dem_error_m=layers["ps_dem_error_m"].astype(np.float64),
        topographic_rad_per_m=layers["ps_topographic_rad_per_m"].astype(np.float64),
        dates=_dates(layers["dates"]),
        master=master,
        displacement_mm=displacement_m * 1000,
        phase_rad=phase.T,
        topography_included=True,
    )


def _of_generator(layers: NpzFile) -> SceneTruth:
    """Take the rasters of the oracle's ``make_dataset.py`` at the scatterers."""
    line, sample = np.nonzero(layers["isps"])
    master = int(layers["master"])

    def at_scatterers(name: str) -> Doubles:
        return np.asarray(layers[name][..., line, sample], dtype=np.float64)

    velocity_m = at_scatterers("vel_m_yr")
    delay = at_scatterers("aps") + at_scatterers("ramp")
    displacement_m = np.outer(velocity_m, layers["t_yr"])
    phase = -4 * np.pi / _ORACLE_WAVELENGTH_M * displacement_m + (delay - delay[master]).T
    return SceneTruth(
        line=line,
        sample=sample,
        velocity_mm_per_year=velocity_m * 1000,
        dem_error_m=at_scatterers("dh"),
        topographic_rad_per_m=at_scatterers("K"),
        dates=_dates(layers["dates"]),
        master=master,
        displacement_mm=displacement_m * 1000,
        phase_rad=phase,
        topography_included=False,
    )


def _dates(names: NDArray[np.str_]) -> list[datetime.date]:
    return [datetime.datetime.strptime(str(name), "%Y%m%d").date() for name in names]
