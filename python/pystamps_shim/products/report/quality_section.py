"""The page's section on quality."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pystamps_shim.products.measurements import Doubles
from pystamps_shim.products.report.cells import (
    LEAST_LIMIT_MM_PER_YEAR,
    LEAST_SHARE,
    MOST_LIMIT_MM_PER_YEAR,
    ROBUST_STDS,
    Stable,
)
from pystamps_shim.products.report.charts import (
    Axis,
    date_bars,
    histogram_chart,
    line_chart,
    pretty_label,
)
from pystamps_shim.products.report.dataset_facts import Closure, Facts, Noise
from pystamps_shim.products.report.html_parts import (
    DASH,
    NOT_RECORDED,
    details,
    figure,
    number,
    paragraph,
    table,
)
from pystamps_shim.products.report.quality import Histogram, Quality
from pystamps_shim.products.report.variogram import EDGES_KM, REQUIREMENT_MM_PER_YEAR, Bin

_ABOUT_RESIDUALS = (
    "Root mean square of each series about its line: noise, atmosphere, and motion that is not "
    "steady."
)
_TICKS_KM = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)


def quality_section(quality: Quality, facts: Facts) -> str:
    """Return the cards.

    Parameters
    ----------
    quality
        Statistics of the PS.
    facts
        Of the folder.
    """
    cards = [*_histograms(quality), _noise_card(facts.noise)]
    cards += [_closure_card(facts.closure), _variogram_card(quality), _density_card(quality)]
    cards.append(_unwrapping_card(facts.unwrapping))
    return "".join(cards)


def _histograms(quality: Quality) -> Iterator[str]:
    shown: list[tuple[str, Histogram | None, str, str]] = [
        ("Velocity", quality.velocity, "mm/yr", ""),
        (
            "Standard deviation of velocity",
            quality.std,
            "mm/yr",
            "By bootstrap over the dates.",
        ),
        (
            "Temporal coherence",
            quality.coherence,
            "",
            "Of the phase model in stage 2, 0 to 1: one is no noise.",
        ),
        (
            "Residuals of the series",
            quality.rms,
            "mm",
            _ABOUT_RESIDUALS,
        ),
    ]
    for title, histogram, unit, words in shown:
        if histogram is not None:
            middle = f"Median (dashed line): {histogram.median:.3g} {unit}".strip()
            middle = middle.replace("-", "\N{MINUS SIGN}")
            beyond = histogram.below + histogram.above
            rest = f" {beyond:,} PS lie beyond the ends." if beyond else ""
            caption = f"{middle}.{rest} {words}".strip()
            yield figure(title, histogram_chart(histogram, title, unit), caption)


def _variogram_card(quality: Quality) -> str:
    title = "Variogram of velocities"
    bins, stable = quality.variogram, quality.stable
    rule = _stable_rule(stable) if stable.told else _no_stable_rule(stable)
    if not bins:
        return figure(title, "", f"Too few pairs of PS 0.1 to 50 km apart. {rule}")
    limit = REQUIREMENT_MM_PER_YEAR if stable.told else None
    far = [each.difference_mm_per_year for each in bins]
    x = Axis("distance, km", float(EDGES_KM[0]), float(EDGES_KM[-1]), _TICKS_KM, logarithmic=True)
    y = Axis.around("difference of velocity (rms), mm/yr", 0.0, max(*far, limit or 0.0) * 1.2, 4)
    points = [(each.middle_km, each.difference_mm_per_year) for each in bins]
    text = f"Variogram: velocities differ by {min(far):.2g} to {max(far):.2g} mm/yr"
    chart = line_chart(x, y, points, limit, text)
    caption = (
        "How much the velocities of two PS differ (square root of twice the semivariance), by "
        f"their distance, over pairs that are each counted once. {rule}"
    )
    values = _variogram_table(bins, compared=stable.told)
    return figure(title, chart, caption, details("Values", values))


def _stable_rule(stable: Stable) -> str:
    """Return what was taken for stable, and what the choice does to the values."""
    limit = stable.limit_mm_per_year
    return (
        f"Dashed: {REQUIREMENT_MM_PER_YEAR:g} mm/yr, which OPERA requires of DISP-S1 over 0.1 to "
        "50 km and checks in this way; a yardstick, no certificate. "
        f"{int(stable.flags.sum()):,} PS ({stable.flags.mean():.0%}) on stable ground: cells of "
        f"500 m whose median velocity is within {limit:.2g} mm/yr of the most common one, "
        f"{number(stable.middle_mm_per_year, 1)} mm/yr ({ROBUST_STDS:g} robust standard "
        f"deviations, {LEAST_LIMIT_MM_PER_YEAR:g} mm/yr at least and {MOST_LIMIT_MM_PER_YEAR:g} "
        "at most). Ground is thus chosen by the velocity itself, which bounds the values over "
        f"long distances: the medians of two cells cannot differ by more than {2 * limit:.2g} "
        "mm/yr, however wrong they are. Values within a cell, up to 0.5 km, tell how well "
        "neighbours agree; those beyond prove little."
    )


def _no_stable_rule(stable: Stable) -> str:
    return (
        f"No stable ground can be told: {stable.share_of_cells:.0%} of the cells of 500 m have a "
        f"median velocity within {stable.limit_mm_per_year:.2g} mm/yr of the most common one, "
        f"fewer than {LEAST_SHARE:.0%}. So all PS are compared, motion counts like an error, and "
        "nothing is held against a requirement."
    )


def _variogram_table(bins: Sequence[Bin], *, compared: bool) -> str:
    """Return the values; with the share within the requirement if they are compared with it."""
    heads = ("distance, km", "pairs", "semivariance, mm²/yr²", "difference (rms), mm/yr")
    rows = [
        (
            f"{each.near_km:.2g} \N{EN DASH} {each.far_km:.2g}",
            f"{each.pairs:,}",
            number(each.semivariance, 3),
            number(each.difference_mm_per_year, 2),
            f"{each.share_within:.1%}",
        )
        for each in bins
    ]
    if compared:
        return table((*heads, f"within {REQUIREMENT_MM_PER_YEAR:g} mm/yr"), rows)
    return table(heads, [row[:-1] for row in rows])


def _density_card(quality: Quality) -> str:
    found = quality.density
    rows = [
        ("mean", f"{found.mean:,.0f} PS/km²"),
        ("median", f"{found.median:,.0f} PS/km²"),
        ("densest cell", f"{found.most:,} PS/km²"),
        ("cells that hold any PS", f"{found.occupied_km2:,} km²"),
    ]
    caption = "Counted in cells of 1 km²; those without any PS are left out."
    return figure("Density of the PS", table(("over occupied area", "value"), rows), caption)


def _noise_card(noise: Noise | None) -> str:
    title = "Noise of the interferograms"
    if noise is None:
        return figure(title, "", f"{NOT_RECORDED.capitalize()}: ifgstd2.mat is not there.")
    caption = (
        "Standard deviation of the phase that is left after surroundings and look-angle error "
        "(ifgstd2), of the whole dataset."
    )
    kept = np.where(noise.dropped, np.nan, noise.std_deg)
    median = number(_median(kept), 1)
    if np.isfinite(kept).any():
        worst = int(np.nanargmax(kept))
        caption += f" Median {median}°, largest {kept[worst]:.1f}° ({noise.labels[worst]})."
    dropped = int(noise.dropped.sum())
    if dropped:
        caption += f" {dropped} dropped (outlined), which these numbers leave out."
    text = f"Phase noise of {len(noise.labels)} interferograms: median {median} degrees"
    names = [
        f"{label}{' (dropped)' if out else ''}"
        for label, out in zip(noise.labels, noise.dropped, strict=True)
    ]
    std_deg = noise.std_deg.tolist()
    chart = date_bars(names, std_deg, "phase noise, degrees", text, noise.dropped.tolist())
    rows = [
        (f"{column}", name, number(value, 2))
        for column, name, value in zip(noise.numbers, names, std_deg, strict=True)
    ]
    values = table(("drop_ifg_index", "interferogram", "degrees"), rows)
    return figure(title, chart, caption, details("Values", values))


def _closure_card(closure: Closure | None) -> str:
    if closure is None:
        return ""
    rms, beyond = closure.rms_rad, closure.share_beyond
    median = number(_median(rms), 2)
    text = f"Closure residual of {len(rms)} interferograms: median {median} rad"
    chart = date_bars(closure.labels, rms.tolist(), "residual, rad (root mean square)", text)
    caption = (
        "What the unwrapped phase of each small baseline leaves after the inversion to images, of "
        "the whole dataset, whatever this page selects. "
        f"{_percent(closure.share_of_all)} of all residuals exceed half a cycle: there, "
        "unwrapping does not close."
    )
    rows = [
        (str(i + 1), pretty_label(label), number(float(rms[i]), 3), _percent(float(beyond[i])))
        for i, label in enumerate(closure.labels)
    ]
    values = table(("number", "pair", "rms, rad", "beyond half a cycle"), rows)
    return figure("Closure of the small baselines", chart, caption, details("Values", values))


def _unwrapping_card(solver: dict[str, Any] | None) -> str:
    title = "Certificates of unwrapping"
    solved = (solver or {}).get("interferograms") or []
    if not solved:
        return figure(title, "", f"{NOT_RECORDED.capitalize()}: uw_solver.json is not there.")
    if not all(isinstance(each, dict) for each in solved):
        return figure(title, "", f"{NOT_RECORDED.capitalize()}: uw_solver.json is damaged.")
    optimal = sum(each.get("gap") == 0 for each in solved)
    counts = [each.get("residues") for each in solved]
    residues = [count for count in counts if isinstance(count, int)] or [0]
    lead = (
        f"{optimal} of {len(solved)} interferograms proven optimal: the cost equals a lower bound "
        "that no solution can undercut (gap 0)."
    )
    rest = (
        f"Residues: {sum(residues):,} in all, {min(residues):,} to {max(residues):,} in one. "
        f"Grid of {solver['nodes']:,} nodes."
        if solver and isinstance(solver.get("nodes"), int)
        else ""
    )
    heads = ("interferogram", "cost", "lower bound", "gap", "residues", "saturated edges")
    keys = ("interferogram", "objective", "dual_bound", "gap", "residues", "saturated_edges")
    rows = [tuple(_whole(each.get(key)) for key in keys) for each in solved]
    more = details("Values", table(heads, rows))
    return figure(title, paragraph(lead), rest, more)


def _median(values: Doubles) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def _percent(share: float) -> str:
    return f"{share:.2%}" if np.isfinite(share) else DASH


def _whole(value: object) -> str:
    if isinstance(value, (int, float)):
        return f"{value:,}".replace("-", "\N{MINUS SIGN}")
    return DASH
