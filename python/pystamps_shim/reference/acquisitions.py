"""The acquisitions of a stack: dates, master, baselines (stage1.md B.1, B.2, B.5, C)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.reference import geometry
from pystamps_shim.reference.dates import datenum, pair_of_path
from pystamps_shim.reference.gamma_text import GammaText

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Stack:
    """Interferograms in file order and the master's parameter file.

    Attributes
    ----------
    stored_columns
        Place of every interferogram in ``pscands.1.ph``, counted from 0.
    stored_count
        Interferograms in that file, a null one included.
    """

    master_parameters: GammaText
    interferogram_paths: list[str]
    master_day: int
    stored_columns: list[int]
    stored_count: int

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Return the (first, second) day numbers of every interferogram."""
        return [pair_of_path(path) for path in self.interferogram_paths]


def read_stack(root: Path, *, small_baseline: bool) -> Stack:
    """Read ``rsc.txt`` and ``pscphase.in`` of the dataset folder.

    # StaMPS compatibility
    A null master-master interferogram is left out; the original writes arrays of
    inconsistent size with it (stage1.md B.2).
    """
    rsc = root.joinpath("rsc.txt").read_text(encoding="utf-8").strip()
    # One path a line: blanks in a path survive, unlike in the original's token list.
    lines = root.joinpath("pscphase.in").read_text(encoding="utf-8").splitlines()
    paths = [line for line in lines[1:] if line]
    if not paths:
        cause = f"{root / 'pscphase.in'}: no interferogram listed"
        raise PystampsError(cause, "run the preparation again")
    master_day = datenum(rsc[-17:-9]) if small_baseline else pair_of_path(paths[0])[0]
    columns = [i for i, path in enumerate(paths) if len(set(pair_of_path(path))) == 2]
    kept = [paths[i] for i in columns]
    return Stack(GammaText(root / rsc), kept, master_day, columns, len(paths))


def single_master_days(stack: Stack) -> tuple[list[int], int]:
    """Return all image days with the master inserted, and the master's 0-based position.

    # StaMPS compatibility
    A master later than every slave makes the original fail; here it is appended, as
    stage1.md B.2 recommends.
    """
    days = [slave for _, slave in stack.pairs]
    position = sum(day < stack.master_day for day in days)
    return [*days[:position], stack.master_day, *days[position:]], position


def perpendicular_baselines_m(
    stack: Stack, root: Path, azimuth: Doubles, look_rad: Doubles
) -> Doubles:
    """Return the N x M perpendicular baselines in double precision."""
    master = stack.master_parameters
    middle = master.number("azimuth_lines") / 2 - 0.5
    seconds = (azimuth - middle) / master.number("prf")
    cosine, sine = np.cos(look_rad), np.sin(look_rad)
    columns = []
    for path in stack.interferogram_paths:
        text = GammaText(root / (path[:-4] + "base"))
        _, cross, normal = text.numbers("initial_baseline(TCN):", 3)
        _, cross_rate, normal_rate = text.numbers("initial_baseline_rate:", 3)
        columns.append(
            (cross + cross_rate * seconds) * cosine - (normal + normal_rate * seconds) * sine
        )
    return np.stack(columns, axis=1)


def slant_range_m(stack: Stack, range_sample: Doubles) -> Doubles:
    """Return the slant range of each 0-based range sample."""
    master = stack.master_parameters
    return master.number("near_range_slc") + range_sample * master.number("range_pixel_spacing")


def viewing_angles_rad(stack: Stack, range_m: Doubles) -> tuple[Doubles, Doubles]:
    """Return look and incidence angles on the spherical Earth of the parameter file."""
    orbit = stack.master_parameters.number("sar_to_earth_center")
    earth = stack.master_parameters.number("earth_radius_below_sensor")
    return (
        geometry.look_angle_rad(range_m, orbit, earth),
        geometry.incidence_angle_rad(range_m, orbit, earth),
    )
