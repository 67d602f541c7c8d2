"""Small measurements of known numbers, as tests of exports write them."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import numpy as np
from parity.synthetic_measurements import Acquisitions, assembled

from pystamps_shim.products.export.formats import format_named
from pystamps_shim.products.export.job import Export
from pystamps_shim.products.export.write import write_export
from pystamps_shim.products.measurements import Layer, Measurements, Places, parsed_date
from pystamps_shim.products.metadata import metadata_of
from pystamps_shim.products.point_table import MeasurementTable

#: Of the first PS: the place of EPSG's worked example of ETRS89-LAEA.
KNOWN_LONLAT_DEG = (5.0, 50.0)
DATES = tuple(datetime.date(2019, 1, 4) + datetime.timedelta(48 * number) for number in range(18))
MASTER = 7
#: Rows of the PS of which something is not known.
NO_PLACE_VALUES, NO_DEVIATION, NO_VELOCITY, NO_DISPLACEMENT = 1, 2, 3, 4


def made(
    count: int = 60, *, spread_deg: float = 0.02, dates: tuple[datetime.date, ...] = DATES
) -> Measurements:
    """Return measurements of `count` PS, every second one of a dataset of twice as many.

    The first lies at `KNOWN_LONLAT_DEG`; unknown values are at the rows above.
    """
    rng = np.random.default_rng(11)
    everything = 2 * count
    lonlat_deg = np.array(KNOWN_LONLAT_DEG) + spread_deg * rng.uniform(-1, 1, (everything, 2))
    lonlat_deg[0] = KNOWN_LONLAT_DEG
    line, sample = np.divmod(rng.permutation(4 * everything)[:everything], 4 * everything // 7)
    places = Places(
        ps=np.arange(1, everything + 1),
        lonlat_deg=lonlat_deg,
        height_m=rng.uniform(-5, 900, everything).round(3),
        coherence=rng.uniform(0.5, 1, everything),
        line=line,
        sample=sample,
        incidence_rad=rng.uniform(0.6, 0.7, everything),
    )
    velocity = np.column_stack(
        [rng.normal(0, 8, everything), rng.uniform(0.2, 2, everything)]
    ).astype(np.float32)
    years = np.array([(date - dates[MASTER]).days / 365.25 for date in dates])
    noise = rng.normal(0, 2, (everything, len(dates)))
    series = (velocity[:, :1] * years + noise)[:, np.arange(len(dates)) != MASTER]
    series = np.asfortranarray(series.astype(np.float32))
    for values in (places.height_m, places.coherence, places.incidence_rad):
        values[2 * NO_PLACE_VALUES] = np.nan
    velocity[2 * NO_DEVIATION, 1] = np.nan
    velocity[2 * NO_VELOCITY] = np.nan
    series[2 * NO_DISPLACEMENT, 3] = np.nan
    whole = assembled(Path("made"), places, Acquisitions(dates, MASTER), velocity, series)
    return whole.kept(np.arange(everything) % 2 == 0)


def without_dates(measurements: Measurements) -> Measurements:
    """Return the velocities alone."""
    assert measurements.velocity is not None
    return replace(measurements, layer=measurements.velocity)


def limited(measurements: Measurements, first: datetime.date, last: datetime.date) -> Measurements:
    """Return a series of the dates from `first` to `last` alone, as ``--from`` and ``--to`` do.

    The master is among its dates where it lies between the others.
    """
    layer = measurements.layer
    days = [parsed_date(label) for label in layer.labels]
    columns = [number for number, day in enumerate(days) if first <= day <= last]
    labels = tuple(layer.labels[number] for number in columns)
    about = {**layer.description, "columns": list(labels)}
    found = replace(measurements, layer=Layer(layer.values[:, columns], labels, about))
    dates = [days[number] for number in columns]
    if dates[0] < found.master_date < dates[-1]:
        dates = sorted([*dates, found.master_date])
    # What is cached is not worked out again.
    vars(found)["dates"] = dates
    return found


def heights_only(measurements: Measurements) -> Measurements:
    """Return a product that is neither a velocity nor a series."""
    values = np.linspace(0, 1, len(measurements.layer.values))[:, None]
    about = {**measurements.layer.description, "value_type": "hgt", "unit": "m", "columns": []}
    return replace(measurements, layer=Layer(values, ("",), about), velocity=None)


def export_of(measurements: Measurements, cell_m: float = 100.0) -> Export:
    """Return what is to be written."""
    table = MeasurementTable(measurements, metadata_of(measurements))
    return Export(table, measurements, cell_m, "exporting")


def written(
    name: str, folder: Path, measurements: Measurements | None = None, cell_m: float = 100.0
) -> Path:
    """Write measurements in a format and return the path."""
    chosen = format_named(name)
    path = folder / f"product{chosen.suffix}"
    write_export(chosen, export_of(measurements or made(), cell_m), path, force=True)
    return path
