"""Histograms: coherence and amplitude dispersion of candidates, velocities of PS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.products.drawing import INK
from pystamps_shim.products.figures.baselines import BLUE, ORANGE
from pystamps_shim.products.figures.candidates import BINS, LeftOut, coherence_counts, dispersions
from pystamps_shim.products.figures.page import page
from pystamps_shim.products.figures.plot import Plot
from pystamps_shim.products.figures.velocity import PRODUCT, direction, made_by, velocity_label
from pystamps_shim.products.figures.words import number, subtitle_of
from pystamps_shim.products.measurements import Doubles, Measurements

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE_INCHES = (8.6, 4.6)
_PALE = "#c9ced6"
_DISPERSION_BINS, _VELOCITY_BINS = 60, (9, 80)
_ROBUST = 1.4826
# A PS is stable if its velocity differs from the median by less than this many of its own
# standard deviations.
_STABLE = 2.0
# Of fewer PS none can be told to be stable.
_FEWEST = 20


def draw_coherence_histogram(plot: Plot) -> None:
    """Draw candidates, random phases and selected candidates by coherence, and the threshold."""
    small = plot.source.patch.small_baseline
    counts = coherence_counts(plot.source.dataset, small_baseline=small)
    edges = np.linspace(0, 1, BINS + 1)
    parts = [f"{int(counts.candidates.sum()):,} candidates"]
    if counts.selected is not None:
        parts.append(f"{int(counts.selected.sum()):,} selected in stage 3")
    parts.append(_patches(counts.left_out.patches))
    notes = ["Candidates: coherence of stage 2; selected: as stage 3 estimates it anew."]
    if counts.random is None:
        notes.append(
            f"No candidate or no simulated phase is below {counts.low:g}, so that random phase "
            "cannot be scaled."
        )
    else:
        notes.append(
            "Random phase: the simulation of stage 2, scaled to the candidates below "
            f"{counts.low:g}."
        )
    notes += _patch_notes(counts.left_out)
    title = "Coherence of the candidates"
    with page(plot, _SIZE_INCHES, title, " · ".join(parts), notes) as drawn:
        axes = drawn.subplots()
        _filled(axes, counts.candidates, edges, _PALE, "candidates")
        if counts.selected is not None:
            _filled(axes, counts.selected, edges, BLUE, "selected", alpha=0.75)
        if counts.random is not None:
            axes.stairs(counts.random, edges, color=ORANGE, lw=1.6, label="random phase")
        if counts.thresholds is not None:
            _mark_threshold(axes, counts.thresholds, "threshold")
        axes.set(
            xlim=(0, 1),
            xlabel="temporal coherence (0 to 1)",
            ylabel="candidates per 0.01 (log scale)",
        )
        axes.set_yscale("log")
        axes.set_ylim(0.8, 2 * max(counts.candidates.max(), 1.0))
        drawn.legend(loc="outside lower center", ncols=4, fontsize=9, frameon=False)


def draw_dispersion_histogram(plot: Plot) -> None:
    """Draw candidates and selected ones by amplitude dispersion, and the candidates' threshold."""
    found = dispersions(plot.source.dataset)
    known = found.candidates[np.isfinite(found.candidates)]
    if not known.size:
        cause = f"{plot.source.dataset}: no candidate has an amplitude dispersion"
        raise PystampsError(cause, "run stage 1 again")
    top = max(float(known.max()), found.threshold or 0.0)
    edges = np.linspace(0, top * 1.001, _DISPERSION_BINS + 1)
    parts = [f"{known.size:,} candidates"]
    if found.selected is not None:
        parts.append(f"{found.selected.size:,} selected in stage 3")
    parts.append(_patches(found.left_out.patches))
    notes = [
        f"Threshold: as {found.source} tells."
        if found.threshold is not None
        else "The threshold is not known: no selpsc.in or selsbc.in is in the dataset.",
        *_patch_notes(found.left_out),
    ]
    title = "Amplitude dispersion of the candidates"
    with page(plot, _SIZE_INCHES, title, " · ".join(parts), notes) as drawn:
        axes = drawn.subplots()
        _filled(axes, np.histogram(known, edges)[0], edges, _PALE, "candidates")
        if found.selected is not None:
            shown = np.histogram(found.selected, edges)[0]
            _filled(axes, shown, edges, BLUE, "selected", alpha=0.75)
        if found.threshold is not None:
            limits = (found.threshold, found.threshold)
            _mark_threshold(axes, limits, "threshold of candidates")
        axes.set(
            xlabel="amplitude dispersion (standard deviation / mean amplitude)",
            ylabel=f"candidates per {edges[1]:.2g}",
        )
        axes.set_xlim(0, edges[-1] * 1.03)
        drawn.legend(loc="outside lower center", ncols=4, fontsize=9, frameon=False)


def draw_velocity_histogram(plot: Plot) -> None:
    """Draw all PS and the stable ones by velocity, with mean, median and spread of both."""
    chosen = plot.source.measurements(PRODUCT)
    measurements, steps = chosen
    velocity = measurements.velocity_mm_per_year()
    known = velocity[np.isfinite(velocity)]
    if not known.size:
        cause = f"no PS has a velocity in product {measurements.value_type}"
        raise PystampsError(cause, "choose other PS, or another product")
    stable = stable_ps(measurements)
    edges = _velocity_edges(known)
    beyond = int(np.sum((known < edges[0]) | (known > edges[-1])))
    notes = made_by(measurements)
    notes.append(
        f"Stable: velocity within {_STABLE:g} of its own standard deviations from the median."
        if stable.any()
        else "No PS is told to be stable: there are fewer than 20, or no standard deviations."
    )
    notes.append("Spread: 1.4826 times the median absolute deviation.")
    if beyond:
        notes.append(f"{beyond:,} PS lie beyond the ends of the axis.")
    title = f"Mean {direction(measurements)} velocities"
    with page(plot, _SIZE_INCHES, title, subtitle_of(measurements, steps), notes) as drawn:
        axes = drawn.subplots()
        counts = np.histogram(known, edges)[0]
        _filled(axes, counts, edges, _PALE, f"all PS: {_summary(known)}")
        if stable.any():
            shown = velocity[stable]
            counts = np.histogram(shown, edges)[0]
            _filled(axes, counts, edges, BLUE, f"stable PS: {_summary(shown)}", alpha=0.75)
        axes.axvline(float(np.median(known)), color=INK, lw=1.4, label="median of all PS")
        mean = float(np.mean(known))
        axes.axvline(mean, color=ORANGE, lw=1.4, ls=(0, (4, 2)), label="mean of all PS")
        axes.set_xlabel(velocity_label(measurements))
        axes.set_ylabel(f"PS per {edges[1] - edges[0]:.2g} mm/yr")
        axes.set_xlim(edges[0], edges[-1])
        drawn.legend(loc="outside lower center", ncols=2, fontsize=9, frameon=False)


def stable_ps(measurements: Measurements) -> NDArray[np.bool_]:
    """Tell which PS surely do not move against the others, [N]."""
    velocity = measurements.velocity_mm_per_year()
    std = measurements.velocity_std_mm_per_year()
    if np.isfinite(velocity).sum() < _FEWEST:
        return np.zeros(len(measurements), dtype=bool)
    return np.asarray(np.abs(velocity - np.nanmedian(velocity)) <= _STABLE * std)


def robust_spread(values: Doubles) -> float:
    """Return the standard deviation that the median absolute deviation stands for."""
    return _ROBUST * float(np.median(np.abs(values - np.median(values))))


def _summary(values: Doubles) -> str:
    return (
        f"{values.size:,}, mean {number(float(values.mean()))}, "
        f"median {number(float(np.median(values)))}, spread {robust_spread(values):.1f} mm/yr"
    )


def _velocity_edges(known: Doubles) -> Doubles:
    """Return edges of bins that hold all but a thousandth of the velocities at each end."""
    low, high = (float(each) for each in np.quantile(known, [0.001, 0.999]))
    margin = 0.05 * (high - low) or 1.0
    bins = int(np.clip(2 * np.sqrt(known.size), *_VELOCITY_BINS))
    return np.linspace(low - margin, high + margin, bins + 1)


def _filled(
    axes: Axes, counts: Doubles, edges: Doubles, colour: str, label: str, *, alpha: float = 1.0
) -> None:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    axes.stairs(counts, edges, fill=True, color=colour, alpha=alpha, label=label)
    axes.stairs(counts, edges, color=INK, lw=0.5, label=f"_{label}")
    axes.set_ylim(0, max(axes.get_ylim()[1], 1.0))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(visible=True, axis="y", color="#e6e6e6", lw=0.6)
    axes.set_axisbelow(True)


def _mark_threshold(axes: Axes, limits: tuple[float, float], label: str) -> None:
    """Mark one threshold as a line, several as the band between them."""
    low, high = limits
    if low == high:
        axes.axvline(low, color=INK, lw=1.6, ls=(0, (4, 2)), label=f"{label} {low:.3g}")
    else:
        text = f"{label}s {low:.3g} to {high:.3g}"
        axes.axvspan(low, high, color=INK, alpha=0.2, lw=0, label=f"_{text}")
        for place, name in ((low, text), (high, f"_{text}")):
            axes.axvline(place, color=INK, lw=1.6, ls=(0, (4, 2)), label=name)


def _patches(count: int) -> str:
    return f"{count} patches" if count > 1 else "1 patch"


def _patch_notes(left_out: LeftOut) -> list[str]:
    """Return what has to be known of several patches, and of those that are left out."""
    whole = _patches(left_out.patches)
    notes = []
    if left_out.patches > 1:
        notes.append("Candidates where patches overlap count twice.")
    if left_out.without_candidates:
        count = _patches(left_out.without_candidates)
        notes.append(f"{count} left out: empty, or not processed yet.")
    # Where nothing is selected or scaled, the figure says so or shows none.
    if 0 < left_out.without_selection < left_out.patches:
        notes.append(f"No selection yet in {left_out.without_selection} of {whole}.")
    if 0 < left_out.without_random < left_out.patches:
        notes.append(f"No random phase of {left_out.without_random} of {whole}.")
    return notes
