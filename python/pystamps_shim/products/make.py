"""Make the products of a finished dataset: tables, figures, report, comparison with the truth."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from pystamps_shim._binary import package_version
from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.pipeline.commands import Native
from pystamps_shim.products.drawing import missing_library
from pystamps_shim.products.measurements import ProductRequest, measured
from pystamps_shim.products.report.make import make_page
from pystamps_shim.products.series_figure import draw_series
from pystamps_shim.products.standing import forget, record, recorded, state_of
from pystamps_shim.products.tables import SeriesTable, VelocityTable
from pystamps_shim.products.truth import Report, compare, true_series_mm
from pystamps_shim.products.truth_scene import SceneTruth
from pystamps_shim.products.velocity_map import draw_velocity_map
from pystamps_shim.reference.parameters import is_small_baseline

_SERIES = "ts-do"
_TRUTH = "truth.json"


@dataclass(frozen=True)
class Products:
    """What was made.

    Attributes
    ----------
    files
        Every file, in the order of their making.
    truth
        Comparison with the truth, None where there is none.
    kept
        Whether they were there already, of the dataset as it is.
    """

    files: list[Path]
    truth: Report | None
    kept: bool = False


def make_products(
    native: Native, dataset: Path, out: Path, truth_path: Path | None = None
) -> Products:
    """Write velocities and time series as tables, figures and a report into a folder.

    Parameters
    ----------
    native
        The native program.
    dataset
        Dataset after stage 8.
    out
        Folder to write; products of another state of the dataset are replaced.
    truth_path
        Truth of a simulated scene to compare with.

    Notes
    -----
    Without the plotting library the tables are written all the same, and what to install is said.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        cause = f"{out} is a file, expected a folder"
        raise PystampsError(cause, "choose another --out", ExitCode.USAGE) from error
    missing = missing_library()
    truth_files = [] if truth_path is None else [truth_path]
    program = Path(native.program[0]).stat()
    settings = {
        "version": package_version(),
        "program": [program.st_size, program.st_mtime_ns],
        "figures": missing is None,
    }
    state = state_of(dataset, truth_files, settings)
    kept = recorded(out, state)
    if kept is not None:
        return Products(kept, _told(out / _TRUTH) if out / _TRUTH in kept else None, kept=True)
    forget(out)
    velocity_csv, series_csv = out / "velocity.csv", out / "timeseries.csv"
    # Of the same images as the series.
    velocity = "V-do" if (dataset / "phuw_sb2.mat").is_file() else "v-do"
    native.product(velocity, dataset, velocity_csv)
    native.product(_SERIES, dataset, series_csv)
    velocities, series = VelocityTable.read(velocity_csv), SeriesTable.read(series_csv)
    truth = None if truth_path is None else SceneTruth.read(truth_path)
    files = [velocity_csv, series_csv]
    if missing is None:
        true_mm = None if truth is None else true_series_mm(dataset, series, truth)
        dates, _ = series.all_dates()
        files += [out / "velocity.png", out / "timeseries.png"]
        draw_velocity_map(velocities, dates, files[-2], "Mean line-of-sight velocity")
        draw_series(velocities, series, files[-1], "Line-of-sight displacement", true_mm)
    else:
        sys.stderr.write(f"no figures: {missing.cause}\n  try: {missing.remedy}\n")
    report = None
    if truth is not None:
        report = compare(dataset, velocities, truth)
        files.append(out / _TRUTH)
        files[-1].write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    page = _page(native, dataset, out / "report.html")
    if page is not None:
        files.append(page)
        record(out, state, files)
    return Products(files, report)


def _page(native: Native, dataset: Path, path: Path) -> Path | None:
    """Write the report; without it the other products are still there, and the reason is said."""
    # An earlier one would show other numbers than the tables.
    path.unlink(missing_ok=True)
    try:
        with measured(native, dataset, ProductRequest(), path.parent) as found:
            make_page(native, found, (), path, force=True)
    except PystampsError as error:
        sys.stderr.write(f"no report: {error.cause}\n  try: {error.remedy}\n")
        return None
    return path


def _told(path: Path) -> Report:
    """Return a comparison that was written before."""
    report: Report = json.loads(path.read_text(encoding="utf-8"))
    return report


def truth_beside_export(dataset: Path) -> Path | None:
    """Return the truth that the simulator left in the export of a dataset, None without one.

    Networks of small baselines are left out: nothing to compare them with is kept.
    """
    resource = dataset / "rsc.txt"
    if not resource.is_file() or is_small_baseline(dataset):
        return None
    image = Path(resource.read_text(encoding="utf-8").strip())
    truth = image.parent.parent / "truth.npz"
    return truth if truth.is_file() else None
