"""Angles of a dataset, and the direction to the satellite."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from parity.synthetic_merged import MergedShape, write_merged
from parity.synthetic_patch import change

from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat
from pystamps_shim.products.line_of_sight import (
    heading_deg,
    incidence_rad,
    required_heading,
    required_incidence,
    towards_satellite,
)
from pystamps_shim.reference.inputs import Patch

_COUNT = 50


def _dataset(folder: Path, *, small: bool = False) -> Path:
    write_merged(folder, MergedShape(ps=_COUNT, images=5, small_baseline=small))
    mat.write(folder / "la2.mat", {"la": np.linspace(0.55, 0.65, _COUNT).reshape(-1, 1)})
    return folder


def test_a_single_master_stores_the_incidence_as_look_angle(tmp_path: Path) -> None:
    folder = _dataset(tmp_path / "dataset")
    found = incidence_rad(Patch.open(folder, 2))
    np.testing.assert_array_equal(found, np.linspace(0.55, 0.65, _COUNT))


def test_stored_incidence_comes_first_and_zero_is_unknown(tmp_path: Path) -> None:
    folder = _dataset(tmp_path / "dataset")
    stored = np.full((_COUNT, 1), 0.7)
    stored[3] = 0
    mat.write(folder / "inc2.mat", {"inc": stored})
    found = incidence_rad(Patch.open(folder, 2))
    assert found is not None
    assert np.isnan(found[3])
    assert set(found[np.arange(_COUNT) != 3]) == {0.7}
    mat.write(folder / "inc2.mat", {"inc": np.zeros((0, 0))})
    np.testing.assert_array_equal(
        incidence_rad(Patch.open(folder, 2)), np.linspace(0.55, 0.65, _COUNT)
    )


def test_small_baselines_store_the_look_angle(tmp_path: Path) -> None:
    """Look and incidence angle lie in one triangle with both radii."""
    folder = _dataset(tmp_path / "dataset", small=True)
    folder.joinpath("rsc.txt").unlink(missing_ok=True)
    assert incidence_rad(Patch.open(folder, 2)) is None
    image = "sar_to_earth_center: 7063000.0 m\nearth_radius_below_sensor: 6369500.0 m\n"
    (folder / "image.par").write_text(image, encoding="utf-8")
    (folder / "rsc.txt").write_text(str(folder / "image.par"), encoding="utf-8")
    found = incidence_rad(Patch.open(folder, 2))
    look = np.linspace(0.55, 0.65, _COUNT)
    assert found is not None
    np.testing.assert_allclose(np.sin(found) * 6369500.0, np.sin(look) * 7063000.0)
    assert np.all(found > look)


def test_what_is_given_comes_first(tmp_path: Path) -> None:
    folder = _dataset(tmp_path / "dataset")
    change(folder / "parms.mat", heading=-167.5)
    dataset = Patch.open(folder, 2)
    found = incidence_rad(dataset, 40.0)
    assert found is not None
    assert set(found) == {np.deg2rad(40)}
    assert heading_deg(dataset) == -167.5
    assert heading_deg(dataset, -12.0) == -12.0


def test_unknown_angles_are_asked_for(tmp_path: Path) -> None:
    folder = _dataset(tmp_path / "dataset")
    change(folder / "parms.mat", heading=np.nan)
    (folder / "la2.mat").unlink()
    dataset = Patch.open(folder, 2)
    with pytest.raises(PystampsError, match="incidence-deg"):
        required_incidence(incidence_rad(dataset), folder)
    with pytest.raises(PystampsError, match="heading-deg"):
        required_heading(heading_deg(dataset), folder)


def test_a_column_of_another_dataset_is_refused(tmp_path: Path) -> None:
    folder = _dataset(tmp_path / "dataset")
    mat.write(folder / "la2.mat", {"la": np.full((7, 1), 0.6)})
    with pytest.raises(PystampsError, match="7 values, expected 50"):
        incidence_rad(Patch.open(folder, 2))


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        # Flying north and looking right, the satellite is in the west; flying south in the east.
        (0.0, [-0.6, 0.0, 0.8]),
        (180.0, [0.6, 0.0, 0.8]),
        # Flying east and looking right, it is in the north.
        (90.0, [0.0, 0.6, 0.8]),
    ],
)
def test_the_satellite_is_on_the_left_of_its_look(heading: float, expected: list[float]) -> None:
    found = towards_satellite(np.array([np.arcsin(0.6)]), heading)
    np.testing.assert_allclose(found, [expected], atol=1e-12)
