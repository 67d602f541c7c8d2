"""The terms of products, where they are stored, and how they are taken out (products.md 1, 2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.reference.inputs import Patch
from pystamps_shim.reference.product_recipes import Term
from pystamps_shim.reference.ramps import deramp, ramp_degree
from pystamps_shim.reference.stage1 import Array
from pystamps_shim.reference.tropospheric_correction import stored_correction_rad
from pystamps_shim.reference.tropospheric_series import tropospheric_images_rad
from pystamps_shim.reference.unwrapped_phase import UnwrappedPhase, merged_rows

Singles = NDArray[np.float32]

#: Drift of ENVISAT's oscillator, m/yr towards the satellite for every metre of range.
_OSCILLATOR_PER_YEAR = 3.87e-7
_RANGE_SPACING_M = 7.8
_DAYS_A_YEAR = 365.25


def less_term(unwrapped: UnwrappedPhase, phase_rad: Array, term: Term) -> Array:
    """Return the phase without a term, of the class it had.

    Parameters
    ----------
    unwrapped
        Where the phase comes from: which files and columns a term has.
    phase_rad
        [P, n]
    term
        What to take out.
    """
    dataset, count = unwrapped.dataset, phase_rad.shape[1]
    if term is Term.RAMP:
        return deramp(phase_rad, dataset.variable("xy")[:, 1:], ramp_degree(dataset))[0]
    scla = "scla_sb" if unwrapped.pairs else "scla"
    if term is Term.SLOPE:
        values = merged_rows(dataset, scla, "ph_scla", count, 7)
    elif term is Term.MASTER:
        values = merged_rows(dataset, scla, "C_ps_uw", 1, 7)
    elif term is Term.ATMOSPHERE:
        values = merged_rows(dataset, "scn", "ph_scn_slave", count, 8)
    elif dataset.small_baseline and not unwrapped.pairs:
        values = tropospheric_images_rad(dataset)
    else:
        values = stored_correction_rad(dataset)
    return np.asarray((phase_rad - values).astype(phase_rad.dtype))


def turned_by_terms(dataset: Patch, terms: tuple[Term, ...]) -> NDArray[np.complex64]:
    """Return the phasors of stage 5 turned back by terms.

    Parameters
    ----------
    dataset
        Merged dataset.
    terms
        Look-angle error, master atmosphere and ramps are those of the smoothed results, but the
        ramps alone those of ``scla2.mat``.

    Returns
    -------
    [P, F] complex64; where the master's atmosphere is taken out, 1 in its own column.
    """
    phasors = merged_rows(dataset, "rc", "ph_rc", dataset.n_ifg, 5).astype(np.complex64)
    pairs = "_sb" if dataset.small_baseline else ""
    smooth, plain = f"scla_smooth{pairs}", f"scla{pairs}"
    oscillator = oscillator_rad(_columns_of_stage_5(dataset))
    if oscillator is not None:
        phasors = phasors * np.exp(-1j * oscillator)
    for term in terms:
        if term is Term.RAMP:
            file = plain if terms == (Term.RAMP,) else smooth
            values = merged_rows(dataset, file, "ph_ramp", dataset.n_ifg, 7)
        elif term is Term.SLOPE:
            values = merged_rows(dataset, smooth, "ph_scla", dataset.n_ifg, 7)
        elif term is Term.MASTER:
            values = merged_rows(dataset, smooth, "C_ps_uw", 1, 7)
        else:
            values = stored_correction_rad(dataset)
        phasors = phasors * np.exp(-1j * values)
    if Term.MASTER in terms and not dataset.small_baseline:
        phasors[:, dataset.master] = 1
    return phasors.astype(np.complex64)


def oscillator_rad(unwrapped: UnwrappedPhase) -> Singles | None:
    """Return what the drift of ENVISAT's oscillator adds, [P, n] float32 rad.

    None for other satellites. It grows with range and with time.
    """
    parameters = unwrapped.dataset.parameters
    platform = parameters.values.get("platform")
    if not isinstance(platform, str) or platform.upper() != "ENVISAT":
        return None
    rate = unwrapped.dataset.variable("ij")[:, 2] * _RANGE_SPACING_M * _OSCILLATOR_PER_YEAR
    per_year = -4 * np.pi / parameters.number("lambda") * rate
    return np.outer(per_year, unwrapped.days() / _DAYS_A_YEAR).astype(np.float32)


def _columns_of_stage_5(dataset: Patch) -> UnwrappedPhase:
    """Return what stands for the interferograms of stage 5, which need not be unwrapped."""
    none = np.zeros((dataset.n_ps, dataset.n_ifg), dtype=np.float32)
    return UnwrappedPhase(dataset, dataset.small_baseline, none, dataset.used())
