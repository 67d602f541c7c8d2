"""The comparison with the truth as people read it."""

from __future__ import annotations

from pystamps_shim.products.truth import COHERENT, Report

_QUANTITIES = (
    ("velocity_mm_per_year", "velocity, against the steady motion (mm/yr)"),
    ("velocity_without_atmosphere_mm_per_year", "velocity, atmosphere-driven part removed (mm/yr)"),
    ("dem_error_m", "height error, of the unwrapped phase (m)"),
    ("dem_error_of_wrapped_phase_m", "height error, of the wrapped phase (m)"),
)


def report_text(report: Report) -> str:
    """Return the comparison as a table."""
    ps = report["ps"]
    coherent = f"coherence > {COHERENT:g}"
    extent = f"{report['images']} images over {report['span_years']:.1f} years"
    lines = [
        f"against the truth ({report['value_type']}, {extent})",
        f"  {'':<58}{'all true PS':>12}{coherent:>18}",
    ]
    for name, title in _QUANTITIES:
        groups = report[name].values()
        lines.append(_row(title, ["", ""]))
        lines.append(_row("    PS", [str(group["count"]) for group in groups]))
        for figure, digits in (("bias", "+.2f"), ("rmse", ".2f"), ("correlation", ".3f")):
            lines.append(_row(f"    {figure}", [_cell(group[figure], digits) for group in groups]))
    shares = [_cell(group["share"], ".2%") for group in report["right_cycle"].values()]
    lines.append(_row("samples in the right cycle", shares))
    lines.append(
        f"  PS: {ps['true_selected']} of {ps['selected']} are true (precision "
        f"{_cell(ps['precision'], '.1%')}), {ps['true_candidates']} candidates were (recall "
        f"{_cell(ps['recall'], '.1%')})"
    )
    return "\n".join(lines) + "\n"


def _row(title: str, cells: list[str]) -> str:
    return f"  {title:<58}{cells[0]:>12}{cells[1]:>18}".rstrip()


def _cell(value: float | None, digits: str) -> str:
    return "-" if value is None else format(value, digits)
