"""Dates in file names and MATLAB day numbers (parameters.md section 6, stage1.md B.1)."""

from __future__ import annotations

import datetime

from pystamps_shim.errors import PystampsError

#: Day number of 1970-01-01 minus its Python ordinal.
_DATENUM_MINUS_ORDINAL = 366


def datenum(yyyymmdd: str) -> int:
    """Return the MATLAB day number of a date written ``YYYYMMDD``."""
    try:
        date = datetime.datetime.strptime(yyyymmdd, "%Y%m%d").date()
    except ValueError as error:
        cause = f"'{yyyymmdd}' is not a date of the form YYYYMMDD"
        raise PystampsError(cause, "name the files MMMMMMMM_SSSSSSSS.diff") from error
    return date.toordinal() + _DATENUM_MINUS_ORDINAL


def pair_of_path(path: str) -> tuple[int, int]:
    """Return the (master, slave) day numbers of an interferogram path.

    StaMPS counts characters from the end: ``MMMMMMMM?SSSSSSSS.diff``.
    """
    return datenum(path[-22:-14]), datenum(path[-13:-5])
