"""Whether a GeoPackage is whole: what GDAL could not write it does not always tell."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

_SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_master"
#: Tables whose rows hang on the points.
_OF_POINTS = ("gpkg_contents", "gpkg_ogr_contents")
_BOUNDS = "SELECT count(min_x + min_y + max_x + max_y) FROM gpkg_contents"


def damage(path: Path, empty: bytes, layer: str, geometry: str, count: int) -> str | None:
    """Return in words what is wrong with a file, if anything is.

    Parameters
    ----------
    path
        The file.
    empty
        Content of one with the same layer and no points, which no disk has seen.
    layer, geometry
        Names of the layer and of its column of points.
    count
        Number of points.
    """
    with (
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as written,
        closing(sqlite3.connect(":memory:")) as example,
    ):
        example.deserialize(empty)
        try:
            (state,) = _first(written, "PRAGMA integrity_check(1)")
            if state != "ok":
                return str(state).splitlines()[-1]
            counts = {
                table: f"SELECT count(*) FROM {_quoted(table)}"
                for table in (layer, f"rtree_{layer}_{geometry}_rowid")
            }
            counts["gpkg_ogr_contents"] = "SELECT feature_count FROM gpkg_ogr_contents"
            for table, query in counts.items():
                (points,) = _first(written, query)
                if points != count:
                    return f"{points} of {count:,} points are in {table}"
            for query in _queries(example):
                if _rows(written, query) != _rows(example, query):
                    return f"{query} gives other rows than it should"
            if _first(written, _BOUNDS) != (1,) and count:
                return "gpkg_contents has no bounds"
        except sqlite3.Error as error:
            return str(error)
    return None


def _queries(example: sqlite3.Connection) -> list[str]:
    """Return what has to give the same rows, whatever the points are."""
    names = [name for kind, name, *_ in _rows(example, _SCHEMA) if kind == "table"]
    fixed = [name for name in names if name.startswith("gpkg_") and name not in _OF_POINTS]
    rows = [f"SELECT * FROM {_quoted(name)}" for name in fixed]
    return ["PRAGMA application_id", "PRAGMA user_version", _SCHEMA, *rows]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _first(database: sqlite3.Connection, query: str) -> Any:
    return database.execute(query).fetchone()


def _rows(database: sqlite3.Connection, query: str) -> list[Any]:
    # What an empty layer gets at its end, another gets with its first points.
    return sorted(database.execute(query).fetchall(), key=repr)
