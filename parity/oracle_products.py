"""The products that original StaMPS plotted, by their names of today."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: Unit of a product, as the contract ``products`` has profiles for; phase has none.
_PROFILES = {"v": "velocity", "V": "velocity", "d": "slope", "D": "slope", "hgt": "height"}


@dataclass(frozen=True)
class StoredProduct:
    """One product of a scene.

    Attributes
    ----------
    value
        Its name, such as ``v-do``.
    path
        File with ``ph_disp`` and ``ifg_list``.
    """

    value: str
    path: Path

    @property
    def profile(self) -> str | None:
        """Return the profile of the contract that has its tolerance."""
        return _PROFILES.get(self.value.partition("-")[0])


@dataclass(frozen=True)
class StoredDeviation:
    """One bootstrap of the velocity, with few resamples drawn from the clock.

    Attributes
    ----------
    value, deviation
        Names of the velocity and of its standard deviation.
    path
        File with ``mean_v``, which is positive away from the satellite, and ``mean_v_std``.
    """

    value: str
    deviation: str
    path: Path


def stored_products(oracle: Path, scene: str) -> list[StoredProduct]:
    """Return what the oracle has of a scene, T, L or S."""
    found = []
    for path in sorted((oracle / scene / "products").glob("*.mat")):
        prefix, _, name = path.stem.partition("_")
        # vsb is a bootstrap: of random numbers.
        if prefix not in ("ps", "prod") or name == "vsb":
            continue
        value = name.removeprefix("plot_")
        # Of the series of images in small baselines.
        if value.startswith("SM_"):
            value = value.removeprefix("SM_").capitalize()
        found.append(StoredProduct(value, path))
    return found


def stored_deviations(oracle: Path, scene: str) -> list[StoredDeviation]:
    """Return the bootstraps of a scene."""
    found = []
    for path in sorted((oracle / scene / "products").glob("mv2_*.mat")):
        name = path.stem.removeprefix("mv2_")
        pairs = name.endswith("_sb")
        letters = name.removesuffix("_sb")
        suffix = "" if letters == "none" else f"-{letters}"
        base = "V" if scene == "S" and not pairs else "v"
        found.append(StoredDeviation(f"{base}{suffix}", f"{base}s{suffix}", path))
    return found


def stored_velocity(oracle: Path, scene: str) -> Path:
    """Return the original's ``mean_v.mat`` of the velocity that stage 8 makes."""
    return oracle / scene / "products" / "mean_v_v-do.mat"
