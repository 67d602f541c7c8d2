"""The parameters of ``parms.mat`` and ``localparms.mat`` the reference stages read and write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat
from pystamps_shim.reference.stage1 import Array

_NONE: tuple[float, ...] = ()

#: Defaults of the parameters of stages 1 to 8 for a single master (parameters.md section 3).
DEFAULTS: dict[str, str | float | tuple[float, ...]] = {
    "small_baseline_flag": "n",
    "max_topo_err": 20.0,
    "quick_est_gamma_flag": "y",
    "select_reest_gamma_flag": "y",
    "filter_grid_size": 50.0,
    "filter_weighting": "P-square",
    "gamma_change_convergence": 0.005,
    "gamma_max_iterations": 3.0,
    "slc_osf": 1.0,
    "clap_win": 32.0,
    "clap_low_pass_wavelength": 800.0,
    "clap_alpha": 1.0,
    "clap_beta": 0.3,
    "select_method": "DENSITY",
    "density_rand": 20.0,
    "percent_rand": 20.0,
    "gamma_stdev_reject": 0.0,
    "weed_time_win": 730.0,
    "weed_max_noise": np.inf,
    "weed_standard_dev": 1.0,
    "weed_zero_elevation": "n",
    "weed_neighbours": "n",
    "drop_ifg_index": _NONE,
    "merge_resample_size": 0.0,
    "merge_standard_dev": np.inf,
    "unwrap_method": "3D",
    "unwrap_patch_phase": "n",
    "unwrap_grid_size": 200.0,
    "unwrap_gold_n_win": 32.0,
    "unwrap_prefilter_flag": "y",
    "unwrap_gold_alpha": 0.8,
    "unwrap_time_win": 730.0,
    "unwrap_la_error_flag": "y",
    "unwrap_spatial_cost_func_flag": "n",
    "unwrap_hold_good_values": "n",
    "scla_deramp": "n",
    "scla_method": "L2",
    "scla_drop_index": _NONE,
    "sb_scla_drop_index": _NONE,
    "scn_wavelength": 100.0,
    "scn_time_win": 365.0,
    "scn_deramp_ifg": _NONE,
    "scn_kriging_flag": "n",
    "subtr_tropo": "n",
    "tropo_method": "a_l",
    "ref_lon": (-np.inf, np.inf),
    "ref_lat": (-np.inf, np.inf),
    "ref_centre_lonlat": (0.0, 0.0),
    "ref_radius": np.inf,
    "lambda": np.nan,
    "heading": np.nan,
}
#: Where small baselines differ.
SMALL_BASELINE_DEFAULTS: dict[str, str | float] = {
    "density_rand": 2.0,
    "percent_rand": 1.0,
    "weed_standard_dev": np.inf,
    "merge_resample_size": 100.0,
    "unwrap_method": "3D_QUICK",
}


@dataclass(frozen=True)
class Parameters:
    """Parameters as one folder sees them.

    Attributes
    ----------
    path
        The ``parms.mat`` that was found, for messages.
    values
        Values by name, ``localparms.mat`` and defaults applied.
    """

    path: Path
    values: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Parameters:
        """Read ``parms.mat`` of `folder` or else of its parent, and its ``localparms.mat``.

        Raises
        ------
        PystampsError
            Neither folder has a ``parms.mat``.
        """
        found = [place / "parms.mat" for place in (folder, folder.parent)]
        path = next((candidate for candidate in found if candidate.exists()), None)
        if path is None:
            cause = f"{found[0]}: not found"
            raise PystampsError(cause, "run the preparation, which writes it")
        stored = dict(mat.read(path))
        local = folder / "localparms.mat"
        overrides = dict(mat.read(local)) if local.exists() else {}
        small = str(stored.get("small_baseline_flag", "n")).lower() == "y"
        defaults = DEFAULTS | (SMALL_BASELINE_DEFAULTS if small else {})
        return cls(path, {**defaults, **stored, **overrides})

    @property
    def small_baseline(self) -> bool:
        """Tell whether the dataset is a network of small baselines."""
        return self.flag("small_baseline_flag")

    def flag(self, name: str) -> bool:
        """Tell whether a parameter is ``y``, in either case."""
        return self.text(name).lower() == "y"

    def text(self, name: str) -> str:
        """Return a parameter that is a word."""
        value = self._value(name)
        if not isinstance(value, str):
            raise self._unfit(name, "a word", value)
        return value

    def number(self, name: str) -> float:
        """Return a parameter that is one number."""
        values = self.numbers(name)
        if values.size != 1:
            raise self._unfit(name, "one number", self._value(name))
        return float(values[0])

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return a parameter that is a list of numbers, possibly empty."""
        value = self._value(name)
        if isinstance(value, str):
            raise self._unfit(name, "numbers", value)
        return np.asarray(value, dtype=np.float64).ravel()

    def _value(self, name: str) -> Any:
        if name not in self.values:
            cause = f"{self.path}: no parameter '{name}'"
            raise PystampsError(cause, "set it")
        return self.values[name]

    def _unfit(self, name: str, wanted: str, value: object) -> PystampsError:
        cause = f"{self.path}: parameter {name} is {value!r}, expected {wanted}"
        return PystampsError(cause, "set it anew")


def is_small_baseline(root: Path) -> bool:
    """Tell whether ``small_baseline_flag`` of the dataset is ``y``."""
    return Parameters.read(root).small_baseline


def update_parameters(path: Path, additions: dict[str, Array]) -> None:
    """Set parameters in ``parms.mat``, keeping every other one (setparm with flag 1)."""
    values = dict(mat.read(path)) if path.exists() else {}
    mat.write(path, {**values, **additions})
