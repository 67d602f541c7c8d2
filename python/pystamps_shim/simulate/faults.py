"""Faults on request: zero and NaN phases, zero amplitudes, each at some scatterers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.simulate.randomness import Purpose, stream
from pystamps_shim.simulate.scatterers import Scatterers
from pystamps_shim.simulate.scene import SceneSettings

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Faults:
    """Which scatterers lose their signal, and in which image.

    Attributes
    ----------
    zero_phase, nan_phase
        Positions among the scatterers whose interferogram value is 0 or NaN, and the
        (slave) images concerned.
    zero_amplitude
        Positions whose SLC value is 0 in one image; its interferogram value then is 0 too.
    """

    zero_phase: Indices
    zero_phase_image: int
    nan_phase: Indices
    nan_phase_image: int
    zero_amplitude: Indices
    zero_amplitude_image: int

    def spoil_interferogram(self, image: int, values: NDArray[np.complex64]) -> None:
        """Put the faults of one slave image into its interferogram at the scatterers."""
        if image == self.zero_phase_image:
            values[self.zero_phase] = 0
        if image == self.nan_phase_image:
            values[self.nan_phase] = complex(np.nan, np.nan)

    def spoil_image(self, image: int, values: NDArray[np.complex64]) -> None:
        """Put the faults of one image into its SLC values at the scatterers."""
        if image == self.zero_amplitude_image:
            values[self.zero_amplitude] = 0


def draw_faults(settings: SceneSettings, scatterers: Scatterers) -> Faults:
    """Draw disjoint sets of scatterers for the three kinds of fault."""
    counts = (settings.zero_phases, settings.nan_phases, settings.zero_amplitudes)
    if sum(counts) > len(scatterers):
        cause = f"{sum(counts)} faults requested, but the scene has {len(scatterers)} scatterers"
        remedy = "lower --zero-phases, --nan-phases or --zero-amplitudes"
        raise PystampsError(cause, remedy, ExitCode.USAGE)
    rng = stream(settings.seed, Purpose.FAULTS)
    chosen = rng.permutation(len(scatterers))
    zero, nan, amplitude, _ = np.split(chosen, np.cumsum(counts))
    slaves = [image for image in range(settings.images) if image != settings.master_index]
    return Faults(
        zero_phase=np.sort(zero),
        zero_phase_image=slaves[len(slaves) // 2],
        nan_phase=np.sort(nan),
        nan_phase_image=slaves[(2 * len(slaves)) // 3],
        zero_amplitude=np.sort(amplitude),
        zero_amplitude_image=slaves[len(slaves) // 4],
    )
