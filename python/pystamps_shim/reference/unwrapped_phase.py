"""The unwrapped phase of the merged PS, and what goes with each interferogram (stage7.md 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.reference.inputs import Patch, read_variable
from pystamps_shim.reference.reference_area import reference_ps

Array = NDArray[Any]
Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]


@dataclass(frozen=True)
class UnwrappedPhase:
    """Unwrapped phase and the geometry of its columns.

    A column is an image, whose phase is relative to the master's, or in `pairs` of small
    baselines an interferogram.

    Attributes
    ----------
    dataset
        Merged dataset.
    pairs
        Whether the columns are the interferograms of small baselines.
    phase_rad
        [P, n] float32.
    columns
        [u] those with a solution, from 0; the master's own, which is 0, among those of images
        unless it is dropped.
    """

    dataset: Patch
    pairs: bool
    phase_rad: Singles
    columns: NDArray[np.intp]

    @classmethod
    def of_images(cls, dataset: Patch) -> UnwrappedPhase:
        """Read the phase of the images, ``phuw2.mat``."""
        if not dataset.small_baseline:
            phase = merged_rows(dataset, "phuw", "ph_uw", dataset.n_ifg, 6)
            return cls(dataset, False, phase.astype(np.float32), dataset.used())
        images = int(dataset.variable("n_image").item())
        phase = merged_rows(dataset, "phuw", "ph_uw", images, 6)
        path = dataset.path("phuw")
        numbers = read_variable(path, "unwrap_ifg_index_sm", 6).ravel()
        if not np.isin(numbers, np.arange(1, images + 1)).all():
            cause = f"{path}: variable unwrap_ifg_index_sm is not of numbers from 1 to {images}"
            raise PystampsError(cause, f"run stage 6 on {dataset.folder} again")
        return cls(dataset, False, phase.astype(np.float32), numbers.astype(np.intp) - 1)

    @classmethod
    def of_pairs(cls, dataset: Patch) -> UnwrappedPhase:
        """Read the phase of the interferograms of small baselines, ``phuw_sb2.mat``."""
        phase = merged_rows(dataset, "phuw_sb", "ph_uw", dataset.n_ifg, 6)
        return cls(dataset, True, phase.astype(np.float32), dataset.used())

    @property
    def master(self) -> int:
        """Return the master's column among the images, from 0."""
        return master_image(self.dataset)

    def days(self) -> Doubles:
        """Return [n] days: since the master, or from the first to the second of a pair."""
        day = self.dataset.variable("day").ravel().astype(np.float64)
        if not self.pairs:
            return np.asarray(day - self.dataset.variable("master_day").item())
        first, second = image_pairs(self.dataset).T
        return np.asarray(day[second] - day[first])

    def covariance_rad2(self) -> Doubles:
        """Return [n, n] of the columns' noise: from stage 5, or for small baselines stage 6.

        The identity for a single master without ``ifgstd2.mat``.
        """
        count = self.phase_rad.shape[1]
        if self.dataset.small_baseline:
            path, name = self.dataset.path("phuw_sb_res"), "sb_cov" if self.pairs else "sm_cov"
            values = read_variable(path, name, 6)
            self.dataset.check(path, name, values, (count, count), 6)
            return values.astype(np.float64)
        path = self.dataset.path("ifgstd")
        if not path.exists():
            return np.eye(count)
        degrees = read_variable(path, "ifg_std", 5).ravel()
        self.dataset.check(path, "ifg_std", degrees, (count,), 5)
        return np.diag((degrees.astype(np.float64) * np.pi / 180) ** 2)

    def covariance_file(self) -> str:
        """Return what `covariance_rad2` is read from, for messages."""
        return str(self.dataset.path("phuw_sb_res" if self.dataset.small_baseline else "ifgstd"))


def merged_rows(dataset: Patch, file: str, name: str, columns: int, stage: int) -> Array:
    """Read a variable with one row for each PS.

    Raises
    ------
    PystampsError
        It is missing, or of other PS or interferograms: both files are named.
    """
    path = dataset.path(file)
    values = read_variable(path, name, stage)
    if values.shape != (dataset.n_ps, columns):
        cause = (
            f"{path}: variable {name} has shape {values.shape}, but {dataset.path('ps').name} has "
            f"{dataset.n_ps} PS, expected {(dataset.n_ps, columns)}"
        )
        raise PystampsError(cause, f"run stage {stage} on {dataset.folder} again")
    return values


def master_image(dataset: Patch) -> int:
    """Return the number of the master image, from 0, counted by date as StaMPS does."""
    day = dataset.variable("day").ravel()
    return int(np.count_nonzero(day < dataset.variable("master_day").item()))


def image_pairs(dataset: Patch) -> NDArray[np.intp]:
    """Return first and second image of every small-baseline interferogram, [F, 2] from 0."""
    return np.asarray(dataset.variable("ifgday_ix").astype(np.intp) - 1)


def referenced(dataset: Patch, phase_rad: Singles) -> Singles:
    """Subtract the mean of the reference area from every column.

    Parameters
    ----------
    dataset
        Merged dataset.
    phase_rad
        [P, n]

    Returns
    -------
    [P, n] of the same class. A column without a value in the reference area becomes NaN.
    """
    reference = phase_rad[reference_ps(dataset)].astype(np.float64)
    known = ~np.isnan(reference)
    with np.errstate(invalid="ignore"):
        mean = np.where(known, reference, 0).sum(axis=0) / known.sum(axis=0)
    return np.asarray(phase_rad - mean.astype(phase_rad.dtype))
