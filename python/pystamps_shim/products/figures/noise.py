"""The noise of each interferogram as stage 5 estimates it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.products.drawing import INK
from pystamps_shim.products.figures.baselines import BLUE, GREY, ORANGE
from pystamps_shim.products.figures.network import Network
from pystamps_shim.products.figures.page import page
from pystamps_shim.products.figures.plot import Plot
from pystamps_shim.products.measurements import Doubles
from pystamps_shim.reference.inputs import read_variable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# How many robust standard deviations above the median an interferogram stands out.
_OUTLYING = 3.0
_ROBUST = 1.4826
_HEIGHT_INCHES = 4.6
_BAR_INCHES, _WIDTH_INCHES = 0.26, (7.0, 13.0)
_LABEL_INCHES = 0.165


def draw_noise(plot: Plot) -> None:
    """Draw a bar an interferogram; dropped ones hatched, noisy ones in another colour."""
    dataset = plot.source.patch
    network = Network.of(dataset)
    path = dataset.path("ifgstd")
    stored = np.asarray(read_variable(path, "ifg_std", 5), dtype=np.float64).ravel()
    if stored.size != dataset.n_ifg:
        cause = f"{path}: ifg_std has {stored.size} values, expected {dataset.n_ifg}"
        raise PystampsError(cause, "run stage 5 again")
    noise_deg = stored[network.columns]
    if not np.isfinite(noise_deg[~network.dropped]).any():
        cause = f"{path}: the noise of no interferogram is known"
        raise PystampsError(cause, "run stage 5 again")
    limit_deg = outlier_limit(noise_deg[~network.dropped])
    noisy = (noise_deg > limit_deg) & ~network.dropped
    width = float(np.clip(1.3 + _BAR_INCHES * noise_deg.size, *_WIDTH_INCHES))
    subtitle = (
        f"{noise_deg.size} interferograms · "
        f"median {np.nanmedian(noise_deg[~network.dropped]):.1f}° · {int(noisy.sum())} noisy, "
        f"{int(network.dropped.sum())} dropped"
    )
    notes = [
        (
            "Standard deviation of the phase that is left after surroundings and look-angle error "
            "(ifgstd2)."
        ),
        (
            f"Noisy: above {limit_deg:.1f}°, the median and {_OUTLYING:g} robust standard "
            "deviations (1.4826 times the median absolute deviation) of those kept."
        ),
    ]
    with page(
        plot, (width, _HEIGHT_INCHES), "Noise of the interferograms", subtitle, notes
    ) as drawn:
        axes = drawn.subplots()
        _draw_bars(axes, noise_deg, noisy, network.dropped)
        axes.axhline(limit_deg, color=ORANGE, lw=1.1, ls=(0, (4, 2)), label="limit of noisy ones")
        name_bars(axes, network.labels(), width)
        axes.set_ylabel("standard deviation of phase (°)")
        axes.set_ylim(0, 1.08 * max(float(np.nanmax(noise_deg)), limit_deg))
        drawn.legend(loc="outside lower center", ncols=4, fontsize=9, frameon=False)


def outlier_limit(values: Doubles) -> float:
    """Return the value above which one stands out from the others."""
    middle = float(np.nanmedian(values))
    return middle + _OUTLYING * _ROBUST * float(np.nanmedian(np.abs(values - middle)))


def name_bars(axes: Axes, labels: list[str], width_inches: float) -> None:
    """Name bars below, as many of them as there is room for."""
    step = int(np.ceil(len(labels) * _LABEL_INCHES / (width_inches - 1.1)))
    shown = np.arange(0, len(labels), step)
    axes.set_xticks(shown, [labels[i] for i in shown], rotation=90, fontsize=9)
    axes.set_xlim(-0.8, len(labels) - 0.2)
    axes.grid(visible=True, axis="y", color="#e6e6e6", lw=0.6)
    axes.set_axisbelow(True)


def _draw_bars(
    axes: Axes, noise_deg: Doubles, noisy: NDArray[np.bool_], dropped: NDArray[np.bool_]
) -> None:
    places = np.arange(noise_deg.size)
    for chosen, colour, hatch, label in (
        (~noisy & ~dropped, BLUE, "", "interferogram"),
        (noisy, ORANGE, "", "noisy"),
        (dropped, "#e4e4e4", "////", "dropped"),
    ):
        if chosen.any():
            axes.bar(
                places[chosen],
                noise_deg[chosen],
                width=0.78,
                color=colour,
                edgecolor=GREY if hatch else INK,
                linewidth=0.4,
                hatch=hatch,
                label=label,
            )
