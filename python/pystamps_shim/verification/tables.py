"""Tables of products, column by column, and what their descriptions say of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.products.tables import Description, read_numbers
from pystamps_shim.progress import tracked
from pystamps_shim.verification.contracts import Policy, VariableContract
from pystamps_shim.verification.measured import differing, measured, under, with_match
from pystamps_shim.verification.pixels import Match
from pystamps_shim.verification.results import FileResult, Form, Status, VariableResult
from pystamps_shim.verification.rules import Rules, read_rules, with_tolerance
from pystamps_shim.verification.variables import MatVariable

FOLDER = "products"
#: Columns that say where a PS is.
_LONGITUDE, _LATITUDE = "lon_deg", "lat_deg"

Columns = dict[str, NDArray[np.float64]]


def compare_tables(dataset: Path, reference: Path, rules: Rules) -> list[FileResult]:
    """Compare every table in the products of two datasets."""
    folders = (dataset / FOLDER, reference / FOLDER)
    names = sorted({path.name for folder in folders for path in folder.glob("*.csv")})
    results = []
    for name in tracked(names, "verifying tables", len(names)):
        paths = (folders[0] / name, folders[1] / name)
        results.append(_table(f"{FOLDER}/{name}", paths, rules))
    return results


def _table(file: str, paths: tuple[Path, Path], rules: Rules) -> FileResult:
    present = [path.is_file() for path in paths]
    if not all(present):
        return FileResult(file, None, Status.EXTRA if present[0] else Status.MISSING)
    try:
        entries = list(_entries(paths, rules))
        columns = list(_columns(paths, rules))
    except PystampsError as error:
        return FileResult(file, None, Status.UNREADABLE, error.cause)
    results = (*entries, *columns)
    agrees = all(result.status.agrees for result in results)
    return FileResult(file, None, Status.EQUAL if agrees else Status.DIFFERS, None, results)


def _entries(paths: tuple[Path, Path], rules: Rules) -> Iterator[VariableResult]:
    """Compare the entries of both descriptions that make numbers comparable."""
    own, others = (Description.read(path).fields for path in paths)
    for name in read_rules("tables")["description"][rules.profile]:
        found, wanted = own.get(name), others.get(name)
        result = VariableResult(f"description of {name}", Status.EQUAL, policy="exact", compared=1)
        if found == wanted:
            yield result
        else:
            yield replace(differing(result, f"{found!r}, want {wanted!r}"), differing=1)


def _columns(paths: tuple[Path, Path], rules: Rules) -> Iterator[VariableResult]:
    """Compare the columns of both tables, by name."""
    own, others = (_read(path) for path in paths)
    match = None
    if rules.by_pixel and all({_LONGITUDE, _LATITUDE} <= set(side) for side in (own, others)):
        match = Match.of(*(side[_LONGITUDE] + 1j * side[_LATITUDE] for side in (own, others)))
        wanted = read_rules("tables")["rows"]
        rule = VariableContract("rows", "double", [], Policy.SET, reason=wanted["reason"])
        rule = replace(rule, jaccard=wanted["jaccard"])
        yield with_match(under(rule, VariableResult("rows", Status.EQUAL)), match, rule.jaccard)
    for name in {**others, **own}:
        found, reference = own.get(name), others.get(name)
        rule = _rule(paths[0].name, name, rules)
        result = VariableResult(
            name, Status.EQUAL, dataset=_form(found), reference=_form(reference)
        )
        result = under(rule, result)
        if found is None or reference is None:
            status = Status.MISSING if found is None else Status.EXTRA
            side = "dataset" if found is None else "reference"
            yield replace(result, status=status, problem=f"not in the {side}")
        else:
            pair = (MatVariable("double", found), MatVariable("double", reference))
            yield measured(result, rule, pair, None if match is None else (0, match))


def _read(path: Path) -> Columns:
    header, values = read_numbers(path)
    return {name: values[:, place] for place, name in enumerate(header)}


def _form(values: NDArray[Any] | None) -> Form | None:
    return None if values is None else Form("double", values.shape)


def _rule(file: str, column: str, rules: Rules) -> VariableContract:
    """Return how to compare a column; a tolerance may be given for it or for all of its kind."""
    blank = VariableContract(column, "double", ["rows"], Policy.EXACT)
    for entry in read_rules("tables")["column"]:
        for pattern in entry["names"]:
            if fnmatchcase(column, pattern):
                given = rules.overrides
                tolerance = given.get(f"{file}:{column}", given.get(f"{file}:{pattern}"))
                return with_tolerance(blank.compared_by(entry[rules.profile]), file, tolerance)
    return blank
