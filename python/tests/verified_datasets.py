"""Two equal datasets to verify, and changes to one of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pystamps_shim.io import mat
from pystamps_shim.verification import VerificationReport, verify_dataset
from pystamps_shim.verification.results import FileResult, VariableResult


@dataclass(frozen=True)
class Datasets:
    """A dataset that may be changed, and a reference that may not be."""

    dataset: Path
    reference: Path

    def verify(self, **options: Any) -> VerificationReport:
        """Compare them."""
        return verify_dataset(self.dataset, self.reference, **options)

    def change(self, file: str, variable: str, edit: Callable[[Any], Any]) -> None:
        """Replace a variable of the dataset by what `edit` makes of it."""
        path = self.dataset / file
        values = mat.read(path)
        mat.write(path, {**values, variable: edit(values[variable])})

    def keep_rows(self, folder: str, files: dict[str, list[str]], rows: Any) -> None:
        """Keep, or reorder, rows of several variables of the dataset."""
        for file, variables in files.items():
            for variable in variables:
                self.change(f"{folder}/{file}", variable, lambda values: values[rows])


def copied(source: Path, target: Path) -> Datasets:
    """Return a copy of a dataset beside the dataset itself as the reference."""
    return Datasets(shutil.copytree(source, target), source)


def bad_files(report: VerificationReport) -> dict[str, FileResult]:
    """Return the files that do not agree."""
    return {result.file: result for result in report.files if not result.status.agrees}


def only_variable(report: VerificationReport, file: str) -> VariableResult:
    """Return the one variable of the one file that does not agree."""
    bad = bad_files(report)
    assert list(bad) == [file], bad
    variables = [one for one in bad[file].variables if not one.status.agrees]
    assert len(variables) == 1, variables
    return variables[0]
