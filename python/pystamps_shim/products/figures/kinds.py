"""The figures by name: one table, in the order in which ``plot --help`` tells them.

Their modules are loaded when they are drawn: a list of figures needs no numerics.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pystamps_shim.errors import nearest, wrong_usage
from pystamps_shim.products.figures.needs import Need, product_needs, refuse_missing

if TYPE_CHECKING:
    from pystamps_shim.products.figures.plot import Plot

#: Stands for every figure that a dataset allows.
ALL = "all"


@dataclass(frozen=True)
class Kind:
    """One figure.

    Attributes
    ----------
    name
        As ``plot`` has it.
    meaning
        What it shows, for a list of kinds.
    module, function
        What draws it, beside this module.
    needs
        Files of the dataset it is drawn of, besides the positions.
    product
        Product it shows unless another is asked for, of images and of small baselines; None where
        it shows none.
    selects
        Whether it shows the PS that are selected; figures of the dataset as a whole do not.
    options
        Names of the options that are for it alone.
    """

    name: str
    meaning: str
    module: str
    function: str
    needs: tuple[Need, ...] = ()
    product: tuple[str, str] | None = None
    selects: bool = True
    options: tuple[str, ...] = ()

    @property
    def of_motion(self) -> bool:
        """Tell whether it shows velocities or displacements, which can be made vertical."""
        return self.product is not None and shows_motion(self.product[0])

    def draw(self, plot: Plot) -> None:
        """Draw it, whatever the dataset has."""
        module = importlib.import_module(f"pystamps_shim.products.figures.{self.module}")
        function: Callable[[Plot], None] = getattr(module, self.function)
        function(plot)


_POSITIONS = Need("ps2.mat", 5)
_VELOCITY = ("v-do", "v-do")
_SERIES = ("ts-do", "ts-do")

KINDS: dict[str, Kind] = {
    each.name: each
    for each in (
        Kind(
            "velocity", "map of the mean velocity", "velocity", "draw_velocity", product=_VELOCITY
        ),
        Kind(
            "velocity-std",
            "map of its standard deviation",
            "velocity",
            "draw_velocity_std",
            product=_VELOCITY,
        ),
        Kind(
            "velocity-histogram",
            "velocities of all and of stable PS",
            "histograms",
            "draw_velocity_histogram",
            product=_VELOCITY,
        ),
        Kind(
            "series",
            "time series at places (--at), else at three PS by rule",
            "series",
            "draw_series_page",
            product=_SERIES,
            options=("at", "radius_m"),
        ),
        Kind(
            "profile",
            "velocities and heights along a line (--from-point, --to-point)",
            "profile",
            "draw_profile",
            product=_VELOCITY,
            options=("from_point", "to_point", "width_m"),
        ),
        Kind(
            "coherence",
            "map of the temporal coherence",
            "quality_maps",
            "draw_coherence_map",
            needs=(Need("pm2.mat", 5),),
        ),
        Kind(
            "scla",
            "map of the look-angle (DEM) error, in rad/m and metres",
            "quality_maps",
            "draw_look_angle_error",
            product=("d", "d"),
        ),
        Kind(
            "wrapped",
            "wrapped phase of the interferograms, small maps",
            "phase_pages",
            "draw_wrapped",
            product=("w", "w"),
            options=("columns",),
        ),
        Kind(
            "unwrapped",
            "unwrapped phase of the interferograms, small maps",
            "phase_pages",
            "draw_unwrapped",
            product=("u", "usb"),
            options=("columns",),
        ),
        Kind(
            "baselines",
            "perpendicular baselines and interferograms against dates",
            "baselines",
            "draw_baselines",
            selects=False,
        ),
        Kind(
            "noise",
            "noise of each interferogram",
            "noise",
            "draw_noise",
            needs=(Need("ifgstd2.mat", 5),),
            selects=False,
        ),
        Kind(
            "coherence-histogram",
            "coherence of candidates, selected and random ones",
            "histograms",
            "draw_coherence_histogram",
            selects=False,
        ),
        Kind(
            "da-histogram",
            "amplitude dispersion of candidates and selected ones",
            "histograms",
            "draw_dispersion_histogram",
            selects=False,
        ),
        Kind(
            "unwrapping",
            "residues, costs and proofs of the unwrapping",
            "unwrapping",
            "draw_unwrapping",
            needs=(Need("uw_solver.json", 6),),
            selects=False,
        ),
    )
}


def kind_named(name: str) -> Kind:
    """Return a figure.

    Raises
    ------
    PystampsError
        There is none of that name.
    """
    if name not in KINDS:
        cause = f"there is no figure '{name}'{nearest(name, [*KINDS, ALL])}"
        raise wrong_usage(cause, f"choose one of {', '.join(KINDS)}, or {ALL}")
    return KINDS[name]


def shows_motion(value_type: str) -> bool:
    """Tell whether a product is of velocities or displacements."""
    return value_type.partition("-")[0].lower() in ("v", "vs", "ts")


def draw(kind: Kind, plot: Plot) -> None:
    """Draw a figure.

    Raises
    ------
    PystampsError
        The dataset lacks what it is drawn of, or the options ask for something impossible.
    """
    source = plot.source
    source.next_figure()
    refuse_missing(source.dataset, (_POSITIONS, *kind.needs))
    if kind.product is not None:
        default = kind.product[1 if source.patch.small_baseline else 0]
        refuse_missing(source.dataset, product_needs(source.product or default, source.patch))
    kind.draw(plot)
