"""The phase that is unwrapped: what is known is taken out before and added again after (6 A, G)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat
from pystamps_shim.reference.inputs import Patch, read_variable
from pystamps_shim.reference.stage1 import Array
from pystamps_shim.reference.tropospheric_correction import tropospheric_phase_rad

Singles = NDArray[np.float32]


@dataclass(frozen=True)
class KnownPhase:
    """What is known of the phase of the merged PS before it is unwrapped.

    Attributes
    ----------
    wrapped
        [P, F] complex64 of unit modulus: the phase less `known_rad`; 0 where there is none.
    known_rad
        [P, F] float32 each: look-angle error, master phase, ramp, troposphere.
    beyond_patch_rad
        [P, F] float32, the phase less that of the patch where the latter is unwrapped, else None.
    columns
        [u] the interferograms to unwrap, counted from 0: not the dropped ones, not the master.
    """

    wrapped: NDArray[np.complex64]
    known_rad: list[Singles]
    beyond_patch_rad: Singles | None
    columns: NDArray[np.intp]

    @classmethod
    def read(cls, dataset: Patch) -> KnownPhase:
        """Read the merged phase and take out what stage 7 or others have estimated.

        Raises
        ------
        PystampsError
            Inputs are missing or disagree, or a sample to unwrap has no phase.

        Notes
        -----
        StaMPS compatibility: ``ps_unwrap``. A ``scla_smooth2.mat`` of other PS is refused; the
        original deletes it.
        """
        kept = dataset.used()
        columns = kept if dataset.small_baseline else kept[kept != dataset.master]
        bperp_m = dataset.with_master(baselines_or_means_m(dataset), 0)
        patch_phase = dataset.parameters.flag("unwrap_patch_phase")
        beyond = None
        if patch_phase:
            wrapped, beyond = _patch_phase(dataset)
        else:
            wrapped = _corrected_phase(dataset, bperp_m)
        _refuse_missing(dataset, wrapped[:, columns], columns, "pm" if patch_phase else "rc")
        wrapped = _unit(wrapped)
        known = _known_terms_rad(dataset, bperp_m)
        for term in known:
            _refuse_unknown(dataset, term[:, columns])
            wrapped = wrapped * np.exp(-1j * term)
        return cls(wrapped, known, beyond, columns)

    def restored(self, unwrapped_rad: Singles) -> Singles:
        """Return the unwrapped phase of all interferograms with what is known added again.

        Parameters
        ----------
        unwrapped_rad
            [P, u] float32, of the interferograms `columns`.

        Returns
        -------
        [P, F] float32; 0 for dropped interferograms and for the master.
        """
        total = np.zeros(self.wrapped.shape, dtype=np.float32)
        total[:, self.columns] = unwrapped_rad
        for term in self.known_rad:
            total += term
        if self.beyond_patch_rad is not None:
            total += self.beyond_patch_rad
        unused = np.ones(self.wrapped.shape[1], dtype=np.bool_)
        unused[self.columns] = False
        total[:, unused] = 0
        return total


def baselines_or_means_m(dataset: Patch) -> Singles:
    """Return each PS's baselines without the master's slot, or the images' mean ones.

    Returns
    -------
    [P, columns] float32; the means of ``ps2.mat`` for want of ``bp2.mat``.
    """
    if dataset.path("bp").exists():
        return dataset.baselines_m().astype(np.float32)
    means = dataset.bperp_m().astype(np.float32)
    return np.repeat(means[None, :], dataset.n_ps, axis=0)


def _corrected_phase(dataset: Patch, bperp_m: Singles) -> NDArray[np.complex64]:
    """Return the phase of stage 5 with each PS's own look-angle term, but without offset."""
    phase = dataset.rows("rc", "ph_rc", dataset.n_ifg, 5).astype(np.complex64)
    slope = _optional_slope(dataset)
    return phase if slope is None else phase * np.exp(1j * (slope * bperp_m))


def _optional_slope(dataset: Patch) -> Singles | None:
    """Return ``K_ps``, [P, 1] rad/m, which datasets merged from PS and small baselines lack."""
    path = dataset.path("pm")
    stored = [variable.name for variable in mat.list_variables(path)] if path.exists() else []
    if "K_ps" not in stored or read_variable(path, "K_ps", 5).size == 0:
        return None
    return dataset.rows("pm", "K_ps", 1, 5).astype(np.float32)


def _patch_phase(dataset: Patch) -> tuple[NDArray[np.complex64], Singles]:
    """Return the phase of the surroundings, and what the phase of stage 5 has besides."""
    patch = dataset.rows("pm", "ph_patch", dataset.columns, 5).astype(np.complex64)
    phase = dataset.rows("rc", "ph_rc", dataset.n_ifg, 5).astype(np.complex64)
    beyond = np.angle(phase * dataset.with_master(patch, 0).conj())
    return dataset.with_master(patch, 1), beyond.astype(np.float32)


def _unit(phase: Array) -> NDArray[np.complex64]:
    modulus = np.abs(phase)
    # Dropped interferograms may hold anything.
    with np.errstate(invalid="ignore"):
        unit = phase / np.where(modulus == 0, np.float32(1), modulus)
    return np.asarray(unit, dtype=np.complex64)


def _known_terms_rad(dataset: Patch, bperp_m: Singles) -> list[Singles]:
    """Return what is subtracted, each term of the shape of the phase."""
    terms = []
    path = dataset.path("scla_smooth_sb" if dataset.small_baseline else "scla_smooth")
    if path.exists():
        slope = _smoothed(dataset, "K_ps_uw", 1)
        single_master = not dataset.small_baseline
        offset = _smoothed(dataset, "C_ps_uw", 1) if single_master else np.zeros_like(slope)
        unknown = ~np.isfinite(slope) | ~np.isfinite(offset)
        # Nothing is left out of a PS of which stage 7 knows nothing, unless that is all of them.
        if not unknown.all():
            slope, offset = np.where(unknown, 0, slope), np.where(unknown, 0, offset)
        terms.append(slope * bperp_m)
        if single_master:
            terms.append(np.repeat(offset, dataset.n_ifg, axis=1))
        if dataset.parameters.flag("scla_deramp") and read_variable(path, "ph_ramp", 7).size:
            terms.append(_smoothed(dataset, "ph_ramp", dataset.n_ifg))
    troposphere = tropospheric_phase_rad(dataset)
    return terms if troposphere is None else [*terms, troposphere]


def _smoothed(dataset: Patch, name: str, columns: int) -> Singles:
    """Return a result of stage 7's smoothing, [P, columns] float32."""
    path = dataset.path("scla_smooth_sb" if dataset.small_baseline else "scla_smooth")
    values = read_variable(path, name, 7)
    if values.shape != (dataset.n_ps, columns):
        cause = (
            f"{path}: variable {name} has shape {values.shape}, expected "
            f"{(dataset.n_ps, columns)}: it belongs to other PS"
        )
        raise PystampsError(cause, "remove the file, and run stage 7 after stage 6")
    return values.astype(np.float32)


def _refuse_missing(dataset: Patch, phase: Array, columns: Array, file: str) -> None:
    bad = np.argwhere((phase == 0) | ~np.isfinite(phase))
    if bad.size:
        row, column = bad[0]
        cause = (
            f"{dataset.path(file)}: {len(bad)} samples have no phase (zero or no number), the "
            f"first is PS {row + 1} in interferogram {columns[column] + 1}"
        )
        remedy = "drop that interferogram, or weed and merge again"
        raise PystampsError(cause, remedy)


def _refuse_unknown(dataset: Patch, term_rad: Singles) -> None:
    count = np.count_nonzero(~np.isfinite(term_rad))
    if count:
        cause = (
            f"{dataset.folder}: {count} samples of what is subtracted before unwrapping, the "
            "results of stage 7 or the tropospheric correction, are no numbers"
        )
        raise PystampsError(cause, "remove scla_smooth2.mat, or set subtr_tropo to n")
