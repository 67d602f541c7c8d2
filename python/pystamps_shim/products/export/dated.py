"""Displacements of one date after the other, for formats that hold an image or a column a date."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import numpy as np

from pystamps_shim.products.measurements import Doubles, Measurements, parsed_date


def displacements_by_date(found: Measurements) -> Iterator[tuple[datetime.date, Doubles]]:
    """Yield every date and the displacements of all PS at it, [N] mm; 0 at the master.

    The master is among the dates of most series, not of those that are limited to other dates.

    Parameters
    ----------
    found
        A time series, whose file holds a date's values side by side.
    """
    columns = {parsed_date(label): number for number, label in enumerate(found.layer.labels)}
    for date in found.dates:
        if date in columns:
            stored = found.layer.values[:, columns[date]][found.rows]
            yield date, np.asarray(stored * found.scale, dtype=np.float64)
        else:
            yield date, np.zeros(len(found))
