"""Maps of the temporal coherence and of the look-angle error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pystamps_shim.errors import PystampsError
from pystamps_shim.products.drawing import INK
from pystamps_shim.products.figures.plot import Plot, refuse_other_products
from pystamps_shim.products.figures.point_map import (
    diverging,
    draw_point_map,
    sequential,
)
from pystamps_shim.products.measurements import Measurements

if TYPE_CHECKING:
    from matplotlib.colorbar import Colorbar


def draw_coherence_map(plot: Plot) -> None:
    """Draw the temporal coherence of the PS, incoherent ones on top."""
    chosen = plot.source.positions()
    coherence = chosen[0].places.coherence
    if not np.isfinite(coherence).any():
        cause = f"{plot.source.dataset / 'pm2.mat'}: holds no coherence"
        raise PystampsError(cause, "run stage 5 again")
    scale = sequential(coherence, "temporal coherence (0 to 1)", small_on_top=True)
    note = "Coherence of the phase that is left after surroundings and look-angle error (stage 2)."
    draw_point_map(plot, chosen, coherence, scale, title="Temporal coherence", notes=[note])


def draw_look_angle_error(plot: Plot) -> None:
    """Draw the phase for a metre of baseline that stage 7 found, and as metres of height."""
    chosen = plot.source.measurements("d")
    measurements = chosen[0]
    refuse_other_products(measurements.value_type, ("d",), "choose --product d, or leave it out")
    slope = np.asarray(measurements.layer_block(0, len(measurements))[:, 0], dtype=np.float64)
    # Milliradians, so that the scale has readable numbers.
    values = slope * 1000
    scale = diverging(values, "K: phase for each metre of baseline (mrad/m)")
    metres = metres_per_radian_per_metre(measurements)
    notes = [f"K: {measurements.layer.description['definition']}."]
    if metres is not None:
        notes.append(
            f"Height error: K times {metres:,.0f} m²/rad, "
            "wavelength times range times sin(incidence) over 4π at mid-swath; positive where K is."
        )
    draw_point_map(
        plot,
        chosen,
        values,
        scale,
        title="Look-angle (DEM) error",
        notes=notes,
        finish=None if metres is None else lambda bar: _add_metres(bar, metres / 1000),
    )


def metres_per_radian_per_metre(measurements: Measurements) -> float | None:
    """Return the height error for a radian per metre of baseline; None without geometry.

    Notes
    -----
    StaMPS compatibility: ``K2q`` without its minus sign, with the scene's own wavelength, mean
    range and mean incidence in place of those of ERS.
    """
    distance = measurements.dataset.ps.get("mean_range")
    incidence = measurements.places.incidence_rad
    known = incidence[np.isfinite(incidence)]
    if distance is None or distance.size != 1 or not distance.item() > 0 or not known.size:
        return None
    wavelength_m = float(measurements.layer.description["wavelength_m"])
    factor = wavelength_m * float(distance.item()) * np.sin(known.mean()) / (4 * np.pi)
    return float(factor)


def _add_metres(bar: Colorbar, metres_per_value: float) -> None:
    """Add a scale in metres on the left side of a colour bar."""

    def to_metres(value: Any) -> Any:
        return value * metres_per_value

    def from_metres(metres: Any) -> Any:
        return metres / metres_per_value

    axis = bar.ax.secondary_yaxis("left", functions=(to_metres, from_metres))
    axis.set_ylabel("height error (m)", color=INK)
