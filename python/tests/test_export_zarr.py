"""The Zarr store as xarray reads it."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from measurements_made import (
    DATES,
    KNOWN_LONLAT_DEG,
    MASTER,
    NO_DISPLACEMENT,
    NO_VELOCITY,
    heights_only,
    limited,
    made,
    without_dates,
    written,
)

from pystamps_shim.products import point_table

xarray = pytest.importorskip("xarray")
pytest.importorskip("zarr")


def opened(path: Path) -> Any:
    """Return the data set, with the metadata that the store has in one piece."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return xarray.open_zarr(path, consolidated=True, chunks=None)


def test_points_and_dates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dimensions, coordinates, values, and NaN for what is not known."""
    monkeypatch.setattr(point_table, "BLOCK_ROWS", 17)
    found = made()
    data = opened(written("zarr", tmp_path))
    assert dict(data.sizes) == {"space": 60, "time": len(DATES)}
    assert data["displacement"].dims == ("space", "time")
    assert {"lon", "lat", "time"} <= set(data.coords)
    np.testing.assert_array_equal(data["time"], np.array(DATES, dtype="datetime64[ns]"))
    assert (data["lon"].values[0], data["lat"].values[0]) == KNOWN_LONLAT_DEG
    np.testing.assert_array_equal(data["lat"], found.places.lonlat_deg[:, 1])
    np.testing.assert_array_equal(data["displacement"], found.displacement_mm(0, 60))
    for name, expected in (
        ("pnt_id", found.places.ps),
        ("pnt_height", found.places.height_m),
        ("pnt_coherence", found.places.coherence),
        ("pnt_velocity", found.velocity_mm_per_year()),
        ("pnt_velocity_std", found.velocity_std_mm_per_year()),
        ("pnt_line", found.places.line),
        ("pnt_sample", found.places.sample),
        ("pnt_incidence_angle", np.rad2deg(found.places.incidence_rad)),
    ):
        np.testing.assert_allclose(data[name], expected, rtol=1e-7)
    assert np.isnan(data["pnt_velocity"].values[NO_VELOCITY])
    assert np.isnan(data["displacement"].values[NO_DISPLACEMENT]).sum() == 1
    assert len(list((tmp_path / "product" / "displacement").glob("[0-9]*"))) == 4


def test_dates_without_the_master(tmp_path: Path) -> None:
    """The time is that of the dates that were asked for."""
    found = limited(made(), DATES[MASTER + 2], DATES[-1])
    data = opened(written("zarr", tmp_path, found))
    np.testing.assert_array_equal(
        data["time"], np.array(DATES[MASTER + 2 :], dtype="datetime64[ns]")
    )
    np.testing.assert_array_equal(data["displacement"], found.displacement_mm(0, 60))


def test_attributes(tmp_path: Path) -> None:
    """Units, names and kinds after CF, and the product's own description."""
    data = opened(written("zarr", tmp_path))
    assert data.attrs["Conventions"].startswith("CF-")
    assert data.attrs["featureType"] == "timeSeries"
    assert data.attrs["sign_convention"].startswith("positive: towards the satellite")
    assert json.loads(data.attrs["pystamps"])["ps_count"] == 60
    assert data["displacement"].attrs["units"] == "mm"
    assert data["pnt_velocity"].attrs["units"] == "mm year-1"
    assert data["pnt_id"].attrs["cf_role"] == "timeseries_id"
    assert data["lon"].attrs["units"] == "degrees_east"
    assert data["lat"].attrs["standard_name"] == "latitude"
    assert data["time"].attrs["standard_name"] == "time"
    assert all(data[name].attrs["long_name"] for name in data.variables)
    grid_mapping = data["displacement"].encoding.get("grid_mapping") or data[
        "displacement"
    ].attrs.get("grid_mapping")
    assert data[grid_mapping].attrs["grid_mapping_name"] == "latitude_longitude"
    assert data[grid_mapping].attrs["inverse_flattening"] == 298.257223563


def test_products_without_dates(tmp_path: Path) -> None:
    """Points alone: there is no time."""
    data = opened(written("zarr", tmp_path, without_dates(made())))
    assert dict(data.sizes) == {"space": 60}
    assert data.attrs["featureType"] == "point"
    assert "displacement" not in data
    data = opened(written("zarr", tmp_path, heights_only(made())))
    assert data["pnt_hgt"].attrs["units"] == "m"
    assert "pnt_velocity" not in data
