"""A cloud-optimised GeoTIFF: velocities as the means of cells, and of how many PS each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import wrong_usage
from pystamps_shim.products.export.gathered import (
    VELOCITY_UNIT,
    columns_of,
    count_fields,
    deviation_fields,
    velocity_fields,
)
from pystamps_shim.products.export.job import Export
from pystamps_shim.products.grid import Grid, metric_grid
from pystamps_shim.products.libraries import import_library
from pystamps_shim.products.metadata import metadata_text
from pystamps_shim.products.point_table import Field

_TILE = 512
_DEVIATION = "mean of the standard deviations of the PS, not the standard deviation of their mean"


@dataclass(frozen=True)
class _Band:
    """One band: values, [height, width], with name and unit."""

    name: str
    meaning: str
    unit: str
    values: NDArray[np.float32]


def write(export: Export, path: Path) -> None:
    """Write a band a velocity, the number of PS, and a band a known standard deviation.

    Of a combination of two datasets there is a number of each. A cell without PS has no value;
    nothing is interpolated, in the overviews neither.

    Raises
    ------
    PystampsError
        There is no velocity, the grid is too large, or the disk does not take it.
    """
    fields = export.table.fields
    velocities, deviations = velocity_fields(fields), deviation_fields(fields)
    if not velocities:
        cause = "format geotiff is of velocities, which this product has none of"
        raise wrong_usage(cause, "choose --product v-do or another format")
    grid = getattr(export.table, "grid", None)
    if grid is None:
        grid = metric_grid(export.table.lonlat_deg, export.cell_m)
        bands = _means(export, grid, velocities, deviations)
    else:
        bands = _as_solved(export, grid, [*velocities, *count_fields(fields), *deviations])
    _write(grid, bands, metadata_text(export.table.metadata), path)


def _means(
    export: Export, grid: Grid, velocities: Sequence[Field], deviations: Sequence[Field]
) -> list[_Band]:
    """Return the bands of one dataset, a cell the mean of its PS."""
    columns = columns_of(export, [*velocities, *deviations])
    bands = [
        _Band(field.short, f"mean of {field.meaning}", VELOCITY_UNIT, _mean(grid, values))
        for field, values in zip(velocities, columns, strict=False)
    ]
    averaged = replace(grid, cells=grid.cells[np.isfinite(columns[0])])
    count = averaged.count().astype(np.float32)
    bands.append(_Band("count", "number of PS that the mean velocity is of", "1", count))
    for field, values in zip(deviations, columns[len(velocities) :], strict=True):
        if np.isfinite(values).any():
            meaning = f"{_DEVIATION}: {field.meaning}"
            bands.append(_Band(field.short, meaning, VELOCITY_UNIT, _mean(grid, values)))
    return bands


def _as_solved(export: Export, grid: Grid, fields: Sequence[Field]) -> list[_Band]:
    """Return the bands of a combination, which has a row a cell."""
    bands = []
    for field, values in zip(fields, columns_of(export, fields), strict=True):
        if np.isfinite(values).any():
            unit = field.unit or "1"
            bands.append(_Band(field.short, field.meaning, unit, _mean(grid, values)))
    return bands


def _mean(grid: Grid, values: NDArray[np.float64]) -> NDArray[np.float32]:
    return grid.mean(values).astype(np.float32)


def _write(grid: Grid, bands: list[_Band], told: str, path: Path) -> None:
    """Make the file in memory and write it whole: GDAL does not tell every failure of a disk."""
    rasterio = import_library("rasterio")
    corner = rasterio.Affine(grid.step_x, 0.0, grid.left, 0.0, -grid.step_y, grid.top)
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="COG",
            width=grid.width,
            height=grid.height,
            count=len(bands),
            dtype="float32",
            crs=grid.crs,
            transform=corner,
            nodata=np.nan,
            blocksize=_TILE,
            compress="DEFLATE",
            predictor="FLOATING_POINT",
            bigtiff="IF_SAFER",
            overview_resampling="NEAREST",
        ) as file:
            for number, band in enumerate(bands, start=1):
                file.write(band.values, number)
                file.set_band_description(number, band.name)
                file.set_band_unit(number, band.unit)
                file.update_tags(number, meaning=band.meaning)
            file.update_tags(pystamps=told, AREA_OR_POINT="Area")
        path.write_bytes(memory.getbuffer())
