"""Write the page: texts first, the map next, the series last, so that it works while it loads."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import numpy as np

from pystamps_shim.products.drawing import SUFFIXES
from pystamps_shim.products.export.formats import FORMATS
from pystamps_shim.products.measurements import Doubles, Measurements
from pystamps_shim.products.publish import FOLDER_MARK
from pystamps_shim.products.report.about import about, column_blocks, data_block, json_block
from pystamps_shim.products.report.codec import codes_of, packed
from pystamps_shim.products.report.columns import columns_of
from pystamps_shim.products.report.dataset_facts import Facts
from pystamps_shim.products.report.provenance_section import (
    certificates_section,
    parameters_section,
    provenance_section,
    run_section,
)
from pystamps_shim.products.report.quality import Quality, quality_of
from pystamps_shim.products.report.quality_section import quality_section
from pystamps_shim.products.report.series_blocks import SeriesSource, finest_step_mm
from pystamps_shim.products.report.spatial_order import in_spatial_order
from pystamps_shim.products.report.summary import (
    period_text,
    reference_text,
    summary_html,
)

#: A page may be as large as this; the step of the series follows from it.
BUDGET_BYTES = 60_000_000

#: Parts of the page's program, in the order in which they need each other.
SCRIPTS = (
    "unpack",
    "points",
    "colours",
    "view",
    "nearest",
    "draw_gl",
    "draw_2d",
    "map_marks",
    "legend",
    "series",
    "chart",
    "tables",
    "panel",
    "search",
    "address",
    "gestures",
    "start",
)
_STYLES = ("layout", "map", "quality")
# Texts, charts and script, generously.
_RESERVE_BYTES = 800_000
_RMS_BYTES_PER_PS = 2
_FILES = {*SUFFIXES, *(each.suffix for each in FORMATS.values() if each.suffix)}


@dataclass(frozen=True)
class Written:
    """What a page holds.

    Attributes
    ----------
    points
        PS on the map.
    dates
        Of every series; 0 without series.
    step_mm
        What displacements are rounded to; None without series.
    """

    points: int
    dates: int
    step_mm: float | None


def write_report(
    path: Path,
    measurements: Measurements,
    metadata: dict[str, Any],
    facts: Facts,
    beside: Path | None = None,
    *,
    budget_bytes: int = BUDGET_BYTES,
) -> Written:
    """Write the page; memory holds the PS's numbers and one block of series at a time.

    Parameters
    ----------
    path
        File to write.
    measurements
        Velocities, or series with velocities.
    metadata
        Of the product (`pystamps_shim.products.metadata.metadata_of`).
    facts
        Of the dataset's folder.
    beside
        Folder that the page will lie in: it links to the products there.
    budget_bytes
        How large the page may be.

    Raises
    ------
    PystampsError
        There are no velocities, no places, or more series than fit.
    """
    found = in_spatial_order(measurements)
    source = SeriesSource.of(found) if found.is_series else None
    with tempfile.TemporaryFile(dir=path.parent) as blocks:
        step_mm, rms_mm = None, None
        if source is not None:
            step_mm = finest_step_mm(source, _room(found, budget_bytes))
            rms_mm = _write_blocks(blocks, source, step_mm)
        columns = columns_of(found, rms_mm)
        known = about(found, metadata, columns, source, step_mm)
        codes = [codes_of(column.values, column.per_unit) for column in columns]
        texts = _texts(found, metadata, facts, quality_of(found, rms_mm))
        texts["precision"] = escape(_precision(step_mm))
        texts["files"] = _files(beside, path.name)
        texts["data"] = json_block("about", known) + "".join(column_blocks(columns, codes))
        with path.open("wb") as file:
            for part in _filled(texts, blocks):
                file.write(part)
    return Written(len(found), 0 if source is None else len(source.days), step_mm)


def _texts(
    measurements: Measurements, metadata: dict[str, Any], facts: Facts, quality: Quality
) -> dict[str, str]:
    """Return most of what the template's markers stand for."""
    return {
        "title": escape(f"{metadata['dataset']}: ground motion"),
        "style": "".join(_source(f"{name}.css") for name in _STYLES),
        "heading": escape(str(metadata["dataset"])),
        "lead": escape(_lead(measurements, metadata)),
        "summary": summary_html(measurements, metadata, quality),
        "quality": quality_section(quality, facts),
        "run": run_section(facts),
        "certificates": certificates_section(facts),
        "provenance": provenance_section(metadata),
        "parameters": parameters_section(metadata["parameters"]),
        "script": "".join(_source(f"{name}.js") for name in SCRIPTS),
    }


def _room(measurements: Measurements, budget_bytes: int) -> float:
    """Return what is left for the series."""
    columns = columns_of(measurements, None)
    size = sum(len(packed(codes_of(column.values, column.per_unit))) for column in columns)
    size += _RMS_BYTES_PER_PS * len(measurements)
    return budget_bytes - _RESERVE_BYTES - size * 4 / 3


def _write_blocks(file: IO[bytes], source: SeriesSource, step_mm: float) -> Doubles:
    """Write the series and return their root mean square residuals, [N] mm."""
    rms = []
    for number, (data, block_rms) in enumerate(source.packed_blocks(step_mm)):
        file.write(data_block(f"series-{number}", data).encode())
        rms.append(block_rms)
    return np.concatenate(rms)


def _filled(texts: dict[str, str], blocks: IO[bytes]) -> Iterator[bytes]:
    """Yield the page; what is filled in is never looked through for markers again."""
    for place, part in enumerate(re.split(r"<!-- \{(\w+)\} -->", _source("page.html"))):
        if place % 2 == 0:
            yield part.encode()
        elif part == "series":
            blocks.seek(0)
            yield from iter(lambda: blocks.read(1 << 20), b"")
        else:
            yield texts[part].encode()


def _source(name: str) -> str:
    folder = resources.files("pystamps_shim.products.report") / "page"
    return (folder / name).read_text(encoding="utf-8")


def _lead(measurements: Measurements, metadata: dict[str, Any]) -> str:
    period = period_text(metadata)
    way = "vertical" if measurements.vertical else "line-of-sight"
    scatterers = "persistent scatterer" if len(measurements) == 1 else "persistent scatterers"
    parts = [f"Mean {way} velocity of {len(measurements):,} {scatterers}"]
    parts += [period] if period else []
    parts.append(f"reference: {reference_text(metadata)}")
    return "; ".join(parts) + "."


def _precision(step_mm: float | None) -> str:
    text = (
        "Numbers in this page are rounded: coordinates to 0.000001°, velocities and their "
        "standard deviations to 0.01 mm/yr, coherence to 0.001, heights to 0.1 m"
    )
    return f"{text}, displacements to {step_mm:g} mm." if step_mm is not None else f"{text}."


def _files(beside: Path | None, own: str) -> str:
    """Return links to the products that lie in the folder of the page."""
    found = sorted(beside.iterdir()) if beside is not None and beside.is_dir() else []
    names = [each.name for each in found if each.is_file() and each.suffix in _FILES]
    names += [f"{each.name}/" for each in found if (each / FOLDER_MARK).is_file()]
    links = "".join(
        f'<li><a href="{escape(quote(name))}">{escape(name)}</a></li>'
        for name in names
        if name != own and not name.startswith(".")
    )
    return f"<ul>{links}</ul>" if links else "<p>No other products lie beside this page.</p>"
