"""The raw candidate files of one patch (prep.md sections 11 and 12)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.reference.acquisitions import Stack

_REMEDY = "run the preparation again"


@dataclass(frozen=True)
class Candidates:
    """What preparation extracted for the N candidates of a patch.

    Attributes
    ----------
    ij
        N x 3 double: id, azimuth line, range sample (0-based).
    lonlat_deg
        N x 2 double holding single-precision values; NaN where the export has no position.
    amplitude_dispersion
        N x 1 double, or None without the file.
    height_m
        N x 1 double, or None without the file.
    """

    ij: NDArray[np.float64]
    lonlat_deg: NDArray[np.float64]
    amplitude_dispersion: NDArray[np.float64] | None
    height_m: NDArray[np.float64] | None


def read_candidates(patch: Path) -> Candidates:
    """Read every candidate file of `patch` but the phase."""
    ij = _text_table(patch / "pscands.1.ij", 3)
    count = len(ij)
    raw = _big_endian(patch / "pscands.1.ll", ">f4", 2 * count).reshape(count, 2)
    lonlat = _known_positions(raw.astype(np.float64))
    dispersion_file, height_file = patch / "pscands.1.da", patch / "pscands.1.hgt"
    dispersion = _text_table(dispersion_file, 1) if dispersion_file.exists() else None
    if dispersion is not None and len(dispersion) != count:
        cause = f"{dispersion_file}: {len(dispersion)} values, expected {count} as in pscands.1.ij"
        raise PystampsError(cause, _REMEDY)
    height = None
    if height_file.exists():
        height = _big_endian(height_file, ">f4", count).astype(np.float64).reshape(count, 1)
    return Candidates(ij, lonlat, dispersion, height)


def read_phase(patch: Path, count: int, stack: Stack) -> NDArray[np.complex64]:
    """Read ``pscands.1.ph``: stored interferogram by interferogram, returned N x M."""
    raw = _big_endian(patch / "pscands.1.ph", ">c8", count * stack.stored_count)
    stored = raw.astype(np.complex64).reshape(stack.stored_count, count)
    return stored[stack.stored_columns].T


def _known_positions(lonlat_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Replace what is no position on Earth by NaN.

    # StaMPS compatibility
    The original knows NaN only. Exports also mark pixels without position by 0, 0 or by
    values far outside the globe; they are treated as missing here.
    """
    longitude, latitude = lonlat_deg.T
    on_globe = (np.abs(longitude) <= 360) & (np.abs(latitude) <= 90)
    blank = (longitude == 0) & (latitude == 0)
    return np.where((on_globe & ~blank)[:, None], lonlat_deg, np.nan)


def _text_table(path: Path, columns: int) -> NDArray[np.float64]:
    try:
        values = np.array(path.read_text(encoding="ascii").split(), dtype=np.float64)
    except (OSError, ValueError) as error:
        cause = f"{path}: cannot be read as numbers ({error})"
        raise PystampsError(cause, _REMEDY) from error
    if values.size % columns:
        cause = f"{path}: {values.size} values, expected a multiple of {columns}"
        raise PystampsError(cause, _REMEDY)
    return values.reshape(-1, columns)


def _big_endian(path: Path, dtype: str, count: int) -> NDArray[np.generic]:
    expected = count * np.dtype(dtype).itemsize
    try:
        found = path.stat().st_size
    except OSError as error:
        cause = f"{path}: cannot be read ({error.strerror})"
        raise PystampsError(cause, _REMEDY) from error
    if found != expected:
        cause = f"{path}: {found} bytes, expected {expected} for {count} values"
        raise PystampsError(cause, _REMEDY)
    return np.fromfile(path, dtype=dtype)
