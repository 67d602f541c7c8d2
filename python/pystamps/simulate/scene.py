"""Re-export of `pystamps_shim.simulate.scene`."""

from __future__ import annotations

from pystamps_shim.simulate.scene import PRESETS, SceneSettings

__all__ = ["PRESETS", "SceneSettings"]
