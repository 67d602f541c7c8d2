"""Draw how the time of the whole chain grows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from parity.scale.growth import Growth


def draw(growths: Sequence[Growth], path: Path) -> None:
    """Write a chart with a panel for every growth, both axes logarithmic.

    Parameters
    ----------
    growths
        What was measured.
    path
        Where to: an SVG file, the same bytes for the same times.
    """
    figure = Figure(figsize=(4.6 * len(growths), 3.8), layout="constrained")
    panels = figure.subplots(1, len(growths), squeeze=False)[0]
    for panel, growth in zip(panels, growths, strict=True):
        sizes = growth.axis.sizes
        panel.loglog(sizes, growth.seconds, "o-", color="black", label="whole chain")
        for name, seconds in growth.stage_seconds.items():
            if max(seconds) > 0.05 * max(growth.seconds):
                panel.loglog(sizes, seconds, ".-", linewidth=0.8, label=f"stage {name}")
        first = growth.seconds[0] / sizes[0]
        panel.loglog(sizes, first * np.array(sizes), ":", color="grey", label="linear")
        panel.set_title(f"{growth.axis.fixed}: exponent {growth.exponent:.2f}", fontsize=10)
        panel.set_xlabel(growth.axis.name)
        panel.set_xticks(sizes, [f"{size:,}" for size in sizes])
        panel.minorticks_off()
        panel.grid(visible=True, linewidth=0.3)
        panel.legend(fontsize=8, frameon=False)
    panels[0].set_ylabel("time, s")
    figure.savefig(path, metadata={"Date": None})
