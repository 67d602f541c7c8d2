"""What a format is given, and what it tells of itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pystamps_shim.errors import wrong_usage
from pystamps_shim.products.measurements import Measurements
from pystamps_shim.products.point_table import PointTable, blocks
from pystamps_shim.progress import Progress


@dataclass(frozen=True)
class Export:
    """What is to be written.

    Attributes
    ----------
    table
        The points, as a flat table.
    measurements
        Where they come from; None for a combination of two datasets.
    cell_m
        Size of the cells of formats that are grids.
    label
        What progress is called.
    """

    table: PointTable
    measurements: Measurements | None
    cell_m: float = 100.0
    label: str = "exporting"

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.table.lonlat_deg)

    def blocks(self) -> Iterator[tuple[int, int]]:
        """Yield first and last (excluded) point of every block, telling the progress."""
        spans = list(blocks(len(self)))
        progress = Progress(self.label, len(spans))
        for span in spans:
            yield span
            progress.step()

    def series(self, format_name: str) -> Measurements:
        """Return measurements that have a velocity and displacements, or raise."""
        found = self.measurements
        if found is None or not found.is_series:
            what = "a combination of two datasets" if found is None else found.value_type
            cause = f"format {format_name} is of time series, which {what} is not"
            raise wrong_usage(cause, "choose --product ts-do or another format")
        return found

    def line_of_sight_series(self, format_name: str) -> Measurements:
        """Return time series that are along the line of sight, or raise."""
        found = self.series(format_name)
        if found.vertical:
            cause = f"format {format_name} is of displacements along the line of sight"
            raise wrong_usage(cause, "drop --vertical, or choose another format")
        return found
