"""The page's sections on the run, where the numbers come from, and the parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pystamps_shim.products.report.charts import pretty_label
from pystamps_shim.products.report.dataset_facts import Facts, Stage
from pystamps_shim.products.report.html_parts import (
    DASH,
    NOT_RECORDED,
    definitions,
    details,
    number,
    paragraph,
    table,
)
from pystamps_shim.products.report.summary import fitted_text

_PARAMETER_COLUMNS = 2


def run_section(facts: Facts) -> str:
    """Return timings and memory of the last run."""
    if facts.stages is None:
        return paragraph(f"Timings and memory: {NOT_RECORDED} (no report of a run is there).")
    heads = ("stage", "scope", "tasks", "state", "seconds", "peak memory, MB")
    rows = [_stage_row(stage) for stage in facts.stages]
    known = [stage.seconds for stage in facts.stages if stage.seconds is not None]
    words = f"{sum(known):,.1f} s of computing in all; patches run side by side, so that the run "
    words += "itself is shorter. Memory is that of the largest task of a stage."
    return table(heads, rows) + (paragraph(words) if known else "")


def _stage_row(stage: Stage) -> tuple[str, ...]:
    memory = None if stage.peak_memory_bytes is None else stage.peak_memory_bytes / 1e6
    seconds = NOT_RECORDED if stage.seconds is None else number(stage.seconds, 2)
    return (
        f"{stage.number}",
        "each patch" if stage.scope == "patch" else stage.scope,
        f"{stage.targets:,}",
        stage.status,
        seconds,
        NOT_RECORDED if memory is None else number(memory, 1),
    )


def certificates_section(facts: Facts) -> str:
    """Return the program's own certificates, by scope."""
    if not facts.scopes:
        return paragraph(f"Certificates of the program: {NOT_RECORDED}.")
    heads = ("stage", "scope", "what", "state", "scenes", "mutations noticed")
    rows = [_scope_row(scope) for scope in facts.scopes]
    engines = {
        str(scope["certificate"]["engine"])
        for scope in facts.scopes
        if scope.get("certificate") and scope["certificate"].get("engine")
    }
    words = (
        "What the program knows of itself: each stage was compared with the original, file by "
        "file; mutations are deliberate errors that the comparison had to notice."
    )
    lines = [paragraph(words), table(heads, rows)]
    lines += [paragraph(f"Compared with: {each}.") for each in sorted(engines)]
    return "".join(lines)


def _scope_row(scope: dict[str, Any]) -> tuple[str, ...]:
    certificate = scope.get("certificate") or {}
    mutations = certificate.get("mutations") or {}
    noticed = f"{mutations['detected']:,} of {mutations['made']:,}" if mutations else DASH
    cases = str(len(certificate["cases"])) if certificate.get("cases") else DASH
    return (
        str(scope.get("stage", DASH)),
        str(scope.get("scope", DASH)),
        str(scope.get("name", DASH)),
        str(scope.get("state", DASH)),
        cases,
        noticed,
    )


def provenance_section(metadata: dict[str, Any]) -> str:
    """Return where the numbers come from."""
    return definitions(_provenance(metadata))


def _provenance(metadata: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "program", f"{metadata['program']} {metadata['program_version']}"
    yield "method", str(metadata["method"])
    yield "dataset", str(metadata["dataset"])
    yield "product", f"{metadata['value_type']} ({metadata['unit']})"
    yield "definition", str(metadata["definition"])
    velocity = metadata["velocity"]
    if velocity is not None:
        yield "velocity", f"{velocity['value_type']}: {velocity['definition']}"
        if velocity["fitted_to"]:
            yield "period", fitted_text(velocity["fitted_to"])
        bootstrap = velocity["bootstrap"]
        if bootstrap:
            told = f"bootstrap of {bootstrap['resamples']:,} resamples, seed {bootstrap['seed']}"
            yield "standard deviation", told
    yield "corrections", "; ".join(metadata["corrections"]) or "none"
    yield "sign", str(metadata["sign_convention"])
    yield "projection", str(metadata["projection"])
    yield "reference", _reference(metadata["reference"])
    yield "master", pretty_label(str(metadata["master_date"]))
    yield "dates", _dates(metadata["dates"])
    yield "wavelength", f"{metadata['wavelength_m'] * 1000:.3f} mm"
    heading, incidence = metadata["heading_deg"], metadata["incidence_deg"]
    yield "heading", NOT_RECORDED if heading is None else f"{number(heading, 1)}°"
    yield "incidence", NOT_RECORDED if incidence is None else _incidence(incidence)
    yield "coordinates", f"{metadata['crs']}: {metadata['crs_note']}"
    yield "PS", f"{metadata['ps_count']:,} of {metadata['ps_count_of_dataset']:,} in the dataset"
    for step in metadata["selection"]:
        yield "selected by", f"{step['condition']}: {step['left']:,} of {step['before']:,} left"


def _reference(reference: dict[str, Any]) -> str:
    text = f"{reference['description']} ({reference['ps_count']:,} PS)"
    centre = reference.get("centre_lonlat_deg")
    if centre:
        text += f", centre: longitude {number(centre[0], 5)}°, latitude {number(centre[1], 5)}°"
    return text


def _dates(dates: list[str]) -> str:
    if not dates:
        return DASH
    ends = f"{pretty_label(dates[0])} to {pretty_label(dates[-1])}"
    return f"{len(dates)}: {ends}" if len(dates) > 1 else ends


def _incidence(incidence: dict[str, float]) -> str:
    low, mean, high = (incidence[name] for name in ("min", "mean", "max"))
    return f"{mean:.2f}° (from {low:.2f}° to {high:.2f}°)"


def parameters_section(parameters: dict[str, Any]) -> str:
    """Return all parameters, in two columns of the same length."""
    rows = [(name, _value(value)) for name, value in parameters.items()]
    half = -(-len(rows) // _PARAMETER_COLUMNS)
    tables = [table(("parameter", "value"), part) for part in (rows[:half], rows[half:]) if part]
    body = f'<div class="columns">{"".join(tables)}</div>'
    return details(f"{len(rows)} parameters", body)


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_value(each) for each in value) or "none"
    if isinstance(value, float):
        return f"{value:.10g}".replace("-", "\N{MINUS SIGN}")
    return str(value)
