"""The tropospheric correction that another program has computed (products.md section 7)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat
from pystamps_shim.reference.inputs import Patch, read_variable
from pystamps_shim.reference.stage1 import Array

#: Field of the file by the long and the short name of the method.
_FIELDS = {
    ("a_linear", "a_l"): "ph_tropo_linear",
    ("a_powerlaw", "a_p"): "ph_tropo_powerlaw",
    ("a_meris", "a_m"): "ph_tropo_meris",
    ("a_meris-ni", "a_mi"): "ph_tropo_meris_no_interp",
    ("a_erai", "a_e"): "ph_tropo_era",
    ("a_erai-h", "a_eh"): "ph_tropo_era_hydro",
    ("a_erai-w", "a_ew"): "ph_tropo_era_wet",
    ("a_wrf", "a_w"): "ph_tropo_wrf",
    ("a_wrf-h", "a_wh"): "ph_tropo_wrf_hydro",
    ("a_wrf-w", "a_ww"): "ph_tropo_wrf_wet",
    ("a_modis", "a_M"): "ph_tropo_modis",
    ("a_modis-ni", "a_MI"): "ph_tropo_modis_no_interp",
    ("a_linear-man", "a_lman"): "strat_corr",
    ("a_recalmodis", "a_RM"): "ph_tropo_modis_recal",
    ("a_recalmodis-ni", "a_RMI"): "ph_tropo_modis_no_interp_recal",
    ("a_merra",): "ph_tropo_merra",
    ("a_merra-h",): "ph_tropo_merra_hydro",
    ("a_merra-w",): "ph_tropo_merra_wet",
    ("a_merra2",): "ph_tropo_merra2",
    ("a_merra2-h",): "ph_tropo_merra2_hydro",
    ("a_merra2-w",): "ph_tropo_merra2_wet",
    ("a_gacos",): "ph_tropo_gacos",
    ("a_narr",): "ph_tropo_narr",
    ("a_narr-h",): "ph_tropo_narr_hydro",
    ("a_narr-w",): "ph_tropo_narr_wet",
    ("a_era5",): "ph_tropo_era5",
    ("a_era5-h",): "ph_tropo_era5_hydro",
    ("a_era5-w",): "ph_tropo_era5_wet",
}
_FIELD_OF = {name: field for names, field in _FIELDS.items() for name in names}
#: Delays of water vapour that a dry delay is added to: ``a_meris+a_erai-h``.
_VAPOUR = ("meris", "meris-ni", "modis", "modis-ni", "recalmodis", "recalmodis-ni")
_DRY = ("a_erai-h", "a_wrf-h")
#: Images without a measurement are recognised by this field, which is not always the one added.
_MEASURED = {
    "a_meris": "ph_tropo_meris",
    "a_modis": "ph_tropo_modis",
    "a_recalmodis": "ph_tropo_modis",
}


def tropospheric_phase_rad(dataset: Patch) -> Array | None:
    """Return the correction of every sample, if it is to be subtracted and there is one.

    Parameters
    ----------
    dataset
        Merged dataset.

    Returns
    -------
    [P, F] float32 rad, or None with ``subtr_tropo = n`` or without ``tca2.mat`` (``tca_sb2.mat``).

    Raises
    ------
    PystampsError
        As for `stored_correction_rad`.
    """
    path = dataset.path("tca_sb" if dataset.small_baseline else "tca")
    if not dataset.parameters.flag("subtr_tropo") or not path.exists():
        return None
    return stored_correction_rad(dataset)


def stored_correction_rad(dataset: Patch) -> Array:
    """Return the correction of every sample, whether or not it is to be subtracted everywhere.

    Parameters
    ----------
    dataset
        Merged dataset.

    Returns
    -------
    [P, F] float32 rad.

    Raises
    ------
    PystampsError
        There is no file, ``tropo_method`` names no phase, or the file lacks its field.

    Notes
    -----
    StaMPS compatibility: selection of ``aps_corr``. Of a sum of vapour and dry delay the columns
    without a measurement of vapour are 0, except with the methods that do not interpolate. The
    specification says so for ERA-I; the same is done for WRF.
    """
    path = dataset.path("tca_sb" if dataset.small_baseline else "tca")
    if not path.exists():
        cause = f"{path}: not found"
        raise PystampsError(
            cause, "compute the tropospheric correction, or do without (subtr_tropo)"
        )
    method = dataset.parameters.text("tropo_method")
    if method in _FIELD_OF:
        return _field(dataset, _FIELD_OF[method])
    vapour, _, dry = method.partition("+")
    if vapour not in {f"a_{name}" for name in _VAPOUR} or dry not in _DRY:
        cause = f"{dataset.parameters.path}: tropo_method is '{method}', expected {_names()}"
        raise PystampsError(cause, "set tropo_method, or subtr_tropo to n")
    total = _field(dataset, _FIELD_OF[vapour]) + _field(dataset, _FIELD_OF[dry])
    if vapour in _MEASURED:
        total[:, _field(dataset, _MEASURED[vapour]).sum(axis=0) == 0] = 0
    return np.asarray(total)


def _field(dataset: Patch, name: str) -> NDArray[np.float32]:
    path = dataset.path("tca_sb" if dataset.small_baseline else "tca")
    stored = [variable.name for variable in mat.list_variables(path)]
    if name not in stored:
        cause = f"{path}: variable {name} not found, the file holds {', '.join(stored) or 'none'}"
        raise PystampsError(cause, "compute that correction, or set tropo_method to one that is")
    values = read_variable(path, name, 6)
    expected = (dataset.n_ps, dataset.n_ifg)
    if values.shape != expected:
        cause = f"{path}: variable {name} has shape {values.shape}, expected {expected}"
        raise PystampsError(cause, "compute the correction for these PS again")
    return values.astype(np.float32)


def _names() -> str:
    return ", ".join(names[0] for names in _FIELDS) + ", or a sum such as a_meris+a_erai-h"
