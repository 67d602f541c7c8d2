"""What the solver of stage 6 proves of every interferogram."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.products.drawing import INK
from pystamps_shim.products.figures.baselines import BLUE, ORANGE
from pystamps_shim.products.figures.network import Network
from pystamps_shim.products.figures.noise import name_bars
from pystamps_shim.products.figures.page import page
from pystamps_shim.products.figures.plot import Plot
from pystamps_shim.products.measurements import Doubles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HEIGHT_INCHES = 5.6
_BAR_INCHES, _WIDTH_INCHES = 0.26, (7.4, 13.0)


@dataclass(frozen=True)
class Certificate:
    """The solver's log.

    Attributes
    ----------
    solver
        Whose solution is published: ``native`` or ``snaphu``.
    nodes, edges
        Size of the network that was unwrapped.
    column
        Column of each interferogram in the dataset's files, [K], from 0.
    residues
        Cells around which the wrapped differences do not add up to zero, [K].
    cost, bound
        Cost of the solution that is published, and what none can be below, [K].
    """

    solver: str
    nodes: int
    edges: int
    column: NDArray[np.intp]
    residues: NDArray[np.intp]
    cost: Doubles
    bound: Doubles

    @classmethod
    def read(cls, path: Path) -> Certificate:
        """Read ``uw_solver.json``.

        Raises
        ------
        PystampsError
            It cannot be read, or says something else.
        """
        try:
            log = json.loads(path.read_text(encoding="utf-8"))
            records: list[dict[str, Any]] = log["interferograms"]
            return cls(
                solver=str(log["solver"]),
                nodes=int(log["nodes"]),
                edges=int(log["edges"]),
                column=np.array([r["interferogram"] for r in records], dtype=np.intp) - 1,
                residues=np.array([r["residues"] for r in records], dtype=np.intp),
                # Of the flow that is published, whoever solved for it.
                cost=np.array([r["objective"] for r in records], dtype=np.float64),
                bound=np.array([r["dual_bound"] for r in records], dtype=np.float64),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            cause = f"{path}: is no solver's log ({type(error).__name__}: {error})"
            raise PystampsError(cause, "run stage 6 again") from error

    @property
    def optimal(self) -> NDArray[np.bool_]:
        """Tell which solutions are proven to be the cheapest, [K]."""
        return np.asarray(self.cost <= self.bound)


def draw_unwrapping(plot: Plot) -> None:
    """Draw residues and costs, those proven optimal and the others."""
    path = plot.source.dataset / "uw_solver.json"
    certificate = Certificate.read(path)
    network = Network.of(plot.source.patch)
    names = dict(zip(network.columns.tolist(), network.labels(), strict=True))
    labels = [names.get(int(column), f"no. {column + 1}") for column in certificate.column]
    count, proven = len(labels), int(certificate.optimal.sum())
    width = float(np.clip(1.6 + _BAR_INCHES * count, *_WIDTH_INCHES))
    subtitle = (
        f"{proven} of {count} interferograms proven optimal · solver: {certificate.solver} · "
        f"network of {certificate.nodes:,} nodes and {certificate.edges:,} edges · "
        f"{int(certificate.residues.sum()):,} residues"
    )
    notes = [
        "Residues: cells around which the wrapped differences do not add up to zero.",
        (
            "Cost: statistical cost of the solution; proven optimal where it equals the dual "
            "bound, which no solution can be below. An optimal solution can still differ from "
            "the truth."
        ),
    ]
    with page(plot, (width, _HEIGHT_INCHES), "Phase unwrapping", subtitle, notes) as drawn:
        panels = drawn.subplots(2, 1, sharex=True)
        _draw_bars(panels[0], certificate.residues.astype(np.float64), certificate.optimal)
        _whole_numbers(panels[0], "residues")
        _draw_bars(panels[1], certificate.cost, certificate.optimal)
        _draw_bound(panels[1], certificate)
        panels[1].set_ylabel("cost")
        panels[1].yaxis.set_major_formatter("{x:,.0f}")
        name_bars(panels[1], labels, width)
        panels[0].grid(visible=True, axis="y", color="#e6e6e6", lw=0.6)
        panels[0].set_axisbelow(True)
        handles, known = panels[1].get_legend_handles_labels()
        drawn.legend(handles, known, loc="outside lower center", ncols=3, fontsize=9, frameon=False)


def _draw_bars(axes: Axes, values: Doubles, optimal: NDArray[np.bool_]) -> None:
    places = np.arange(values.size)
    for chosen, colour, hatch, label in (
        (optimal, BLUE, "", "proven optimal"),
        (~optimal, ORANGE, "////", "not proven"),
    ):
        if chosen.any():
            axes.bar(
                places[chosen],
                values[chosen],
                width=0.78,
                color=colour,
                edgecolor=INK,
                linewidth=0.4,
                hatch=hatch,
                label=label,
            )


def _draw_bound(axes: Axes, certificate: Certificate) -> None:
    """Mark the bound on bars that are above it, and say by how much."""
    for place in np.flatnonzero(~certificate.optimal):
        bound, cost = certificate.bound[place], certificate.cost[place]
        axes.plot([place - 0.39, place + 0.39], [bound, bound], color=INK, lw=1.6)
        axes.annotate(
            f"+{100 * (cost - bound) / max(bound, 1.0):.2g} %",
            (place, cost),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=9,
            rotation=90,
            color=INK,
        )
    if not certificate.optimal.all():
        axes.set_ylim(0, 1.25 * certificate.cost.max())


def _whole_numbers(axes: Axes, label: str) -> None:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_ylabel(label)
    low, high = axes.get_ylim()
    axes.set_ylim(0, max(high, low + 1.0))
