"""`verify --products-only`: tables column by column, with what their descriptions say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from verified_datasets import Datasets, bad_files, only_variable

from pystamps_shim.errors import PystampsError
from pystamps_shim.verification.results import Status

COUNT = 400
DATES = ["D20200101", "D20200113", "D20200206"]
PLACES = ["lon_deg", "lat_deg", "height_m", "coherence"]
VELOCITIES = ["velocity_mm_per_year", "velocity_std_mm_per_year"]
Table = dict[str, np.ndarray[Any, np.dtype[np.float64]]]


def tables() -> dict[str, Table]:
    """Return both tables, as columns."""
    random = np.random.default_rng(3)
    places = {name: random.random(COUNT).round(4) + place for place, name in enumerate(PLACES)}
    series = {name: random.normal(0, 9, COUNT).round(3) for name in DATES}
    velocities = {name: random.normal(5, 9, COUNT).round(3) for name in VELOCITIES}
    return {"velocity.csv": {**places, **velocities}, "timeseries.csv": {**places, **series}}


def write(dataset: Path, file: str, table: Table, **description: object) -> None:
    """Write a table as the native program does, NaN as an empty cell."""
    folder = dataset / "products"
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        ",".join("" if np.isnan(cell) else f"{cell:.5f}" for cell in row)
        for row in zip(*table.values(), strict=True)
    ]
    folder.joinpath(file).write_text("\n".join([",".join(table), *rows]) + "\n", encoding="ascii")
    about = {"value_type": "v-do", "unit": "mm", "program_version": "1", **description}
    folder.joinpath(f"{file}.json").write_text(json.dumps(about), encoding="ascii")


@pytest.fixture
def made(tmp_path: Path) -> Datasets:
    """Return two datasets with the same products, of two versions of the program."""
    pair = Datasets(tmp_path / "dataset", tmp_path / "reference")
    for number, root in enumerate((pair.dataset, pair.reference)):
        for file, table in tables().items():
            write(root, file, table, program_version=str(number))
        root.joinpath("patch.list").write_text("PATCH_1\n", encoding="ascii")
    return pair


@pytest.mark.parametrize("profile", ["strict", "scientific"])
def test_equal_tables(made: Datasets, profile: str) -> None:
    """Columns are found by name, wherever they stand."""
    table = tables()["velocity.csv"]
    write(made.dataset, "velocity.csv", {name: table[name] for name in sorted(table)})
    report = made.verify(products_only=True, profile=profile)
    assert report.equal
    assert report.through_stage is None
    assert [result.file for result in report.files] == [
        "products/timeseries.csv",
        "products/velocity.csv",
    ]
    assert set(table) <= {one.name for one in report.files[1].variables}


def test_a_changed_cell_and_its_tolerance(made: Datasets) -> None:
    """Beyond rounding; a tolerance may be given for one date or for all."""
    table = tables()["timeseries.csv"]
    table[DATES[1]][17] += 0.1
    write(made.dataset, "timeseries.csv", table)
    result = only_variable(made.verify(products_only=True), "products/timeseries.csv")
    assert result.name == DATES[1]
    assert result.worst is not None
    assert result.worst.index == (17,)
    assert made.verify(products_only=True, profile="scientific").equal
    for column in (DATES[1], "D[0-9]*"):
        overrides = {f"timeseries.csv:{column}": 0.2}
        assert made.verify(products_only=True, overrides=overrides).equal
    assert not made.verify(products_only=True, overrides={f"timeseries.csv:{DATES[0]}": 1.0}).equal


def test_rows_are_matched_by_place_in_the_scientific_profile(made: Datasets) -> None:
    """One PS less in another order, and a velocity that is off by another reference area."""
    keep = np.arange(COUNT - 1)[::-1]
    table = {name: column[keep] for name, column in tables()["velocity.csv"].items()}
    table["velocity_mm_per_year"] = table["velocity_mm_per_year"] + 2
    write(made.dataset, "velocity.csv", table)
    assert made.verify(products_only=True, profile="scientific").equal
    bad = bad_files(made.verify(products_only=True))
    assert "shape (399,), want (400,)" in str(bad["products/velocity.csv"].variables)
    table["velocity_mm_per_year"][::2] += 1
    write(made.dataset, "velocity.csv", table)
    report = made.verify(products_only=True, profile="scientific")
    result = only_variable(report, "products/velocity.csv")
    assert "rms difference 0.703, at most 0.05" in str(result.problem)


def test_unknown_values_columns_and_descriptions(made: Datasets) -> None:
    """NaN agrees with NaN only; another unit makes no comparison of numbers good."""
    table = tables()["velocity.csv"]
    table["velocity_std_mm_per_year"][3] = np.nan
    write(made.dataset, "velocity.csv", table)
    for profile in ("strict", "scientific"):
        report = made.verify(products_only=True, profile=profile)
        assert only_variable(report, "products/velocity.csv").name == "velocity_std_mm_per_year"
    table = tables()["velocity.csv"]
    table["gloss"] = table.pop("coherence")
    write(made.dataset, "velocity.csv", table, unit="rad")
    bad = bad_files(made.verify(products_only=True))["products/velocity.csv"]
    statuses = {one.name: one.status for one in bad.variables if not one.status.agrees}
    assert statuses == {
        "description of unit": Status.DIFFERS,
        "coherence": Status.MISSING,
        "gloss": Status.EXTRA,
    }


def test_missing_extra_and_unreadable_tables(made: Datasets) -> None:
    """Each is one line."""
    products = made.dataset / "products"
    products.joinpath("velocity.csv").rename(products / "speed.csv")
    products.joinpath("timeseries.csv").write_text("lon_deg\nfar\n", encoding="ascii")
    bad = bad_files(made.verify(products_only=True))
    assert {file: result.status for file, result in bad.items()} == {
        "products/speed.csv": Status.EXTRA,
        "products/timeseries.csv": Status.UNREADABLE,
        "products/velocity.csv": Status.MISSING,
    }
    for path in (*products.iterdir(), *(made.reference / "products").iterdir()):
        path.unlink()
    with pytest.raises(PystampsError, match="has anything of products"):
        made.verify(products_only=True)
