"""Perpendicular baselines against dates, and the interferograms between the images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pystamps_shim.products.drawing import INK
from pystamps_shim.products.figures.network import Network
from pystamps_shim.products.figures.page import page
from pystamps_shim.products.figures.plot import Plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#8c8c8c"

_SIZE_INCHES = (9.6, 5.2)


def draw_baselines(plot: Plot) -> None:
    """Draw a mark an image and a line an interferogram, dropped ones apart."""
    network = Network.of(plot.source.patch)
    title = "Perpendicular baselines"
    kind = "small baselines" if network.small_baseline else "single master"
    kept, dropped = int((~network.dropped).sum()), int(network.dropped.sum())
    parts = [
        kind,
        f"{len(network.dates)} images, {network.dates[0]:%Y-%m-%d} to {network.dates[-1]:%Y-%m-%d}",
        f"{kept} interferograms" + (f", {dropped} dropped" if dropped else ""),
    ]
    with page(plot, _SIZE_INCHES, title, " · ".join(parts), _notes(network)) as drawn:
        axes = drawn.subplots()
        _draw_edges(axes, network)
        _draw_images(axes, network)
        _finish(axes)
        drawn.legend(loc="outside lower center", ncols=5, fontsize=9, frameon=False)


def _draw_edges(axes: Axes, network: Network) -> None:
    from matplotlib.dates import date2num  # noqa: PLC0415

    days = date2num(network.dates)
    thin = 1.1 if len(network.pairs) < 120 else 0.6
    styles: tuple[dict[str, Any], dict[str, Any]] = (
        {"color": BLUE, "lw": thin, "alpha": 0.65, "label": "interferogram", "zorder": 2},
        {"color": ORANGE, "lw": thin, "ls": (0, (3, 2)), "label": "dropped", "zorder": 3},
    )
    for is_dropped, style in enumerate(styles):
        chosen = network.pairs[network.dropped == bool(is_dropped)]
        for i, pair in enumerate(chosen):
            # One of them stands for all in the legend.
            label = style["label"] if i == 0 else f"_{style['label']}"
            axes.plot(days[pair], network.baseline_m[pair], **{**style, "label": label})


def _draw_images(axes: Axes, network: Network) -> None:
    from matplotlib.dates import date2num  # noqa: PLC0415

    days = date2num(network.dates)
    used = sorted({int(image) for pair in network.pairs[~network.dropped] for image in pair})
    others = [image for image in range(len(days)) if image not in used and image != network.master]
    style: dict[str, Any] = {"ls": "none", "zorder": 4}
    used = [image for image in used if image != network.master]
    axes.plot(
        days[used], network.baseline_m[used], "o", color=INK, ms=6.5, mec="white", mew=0.8,
        label="image", **style,
    )  # fmt: skip
    if others:
        axes.plot(
            days[others], network.baseline_m[others], "o", mfc="white", mec=ORANGE, mew=1.3, ms=7,
            label="image of dropped ones only", **style,
        )  # fmt: skip
    axes.plot(
        days[network.master],
        network.baseline_m[network.master],
        "*",
        mfc="#f0e442",
        mec=INK,
        mew=0.9,
        ms=17,
        label=f"master {network.dates[network.master]:%Y-%m-%d}",
        ls="none",
        zorder=5,
    )


def _finish(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415

    locator = AutoDateLocator(minticks=4, maxticks=10)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.set(xlabel="date of the image", ylabel="perpendicular baseline (m)")
    axes.margins(0.05, 0.09)
    axes.grid(visible=True, color="#e6e6e6", lw=0.6)
    axes.set_axisbelow(True)


def _notes(network: Network) -> list[str]:
    notes = ["Baselines against the master, mean of the scene."]
    if network.small_baseline:
        notes = [
            (
                "Baselines of the images against the master, from those of the interferograms by "
                "least squares."
            )
        ]
        parts = network.parts()
        if parts > 1:
            notes.append(
                f"The interferograms that are kept leave the images in {parts} parts that none "
                "connects; how these lie to each other is not known."
            )
    return notes
