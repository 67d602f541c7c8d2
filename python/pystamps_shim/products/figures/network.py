"""The images of a dataset and the interferograms between them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products.figures.words import date_of_datenum
from pystamps_shim.products.measurements import Doubles
from pystamps_shim.reference.inputs import Patch


@dataclass(frozen=True)
class Network:
    """Images and interferograms.

    Attributes
    ----------
    dates
        Dates of the images, [I].
    baseline_m
        Perpendicular baselines of the images against the master, [I].
    master
        Place of the master among the images, from 0.
    pairs
        The two images of each interferogram, [K, 2], from 0; K without the master's own slot.
    columns
        Column of each interferogram in the dataset's files, [K], from 0.
    dropped
        Interferograms that ``drop_ifg_index`` leaves out, [K].
    small_baseline
        Whether interferograms are between any two images.
    """

    dates: tuple[datetime.date, ...]
    baseline_m: Doubles
    master: int
    pairs: NDArray[np.intp]
    columns: NDArray[np.intp]
    dropped: NDArray[np.bool_]
    small_baseline: bool

    @classmethod
    def of(cls, dataset: Patch) -> Network:
        """Read the network of a dataset.

        Raises
        ------
        PystampsError
            A variable is missing.

        Notes
        -----
        StaMPS compatibility: baselines of images come from those of the pairs by least squares, as
        in ``ps_info``, here with the master at 0.
        """
        days = np.asarray(dataset.variable("day"), dtype=np.float64).ravel()
        dates = tuple(date_of_datenum(float(day)) for day in days)
        baseline_m = np.asarray(dataset.variable("bperp"), dtype=np.float64).ravel()
        columns = np.arange(dataset.n_ifg)
        if dataset.small_baseline:
            master = int(dataset.variable("master_ix").item()) - 1
            pairs = np.asarray(dataset.variable("ifgday_ix"), dtype=np.intp) - 1
            baseline_m = _of_images(pairs, baseline_m, len(dates), master)
        else:
            master = dataset.master
            columns = np.delete(columns, master)
            pairs = np.column_stack([np.full(columns.size, master), columns])
        return cls(
            dates=dates,
            baseline_m=baseline_m,
            master=master,
            pairs=pairs,
            columns=columns,
            dropped=np.isin(columns, dataset.dropped()),
            small_baseline=dataset.small_baseline,
        )

    def labels(self) -> list[str]:
        """Return the dates of each interferogram, [K]: that of the image, or both of a pair."""
        if not self.small_baseline:
            return [f"{self.dates[slave]:%Y-%m-%d}" for _, slave in self.pairs]
        return [
            f"{self.dates[first]:%Y-%m-%d} → {self.dates[second]:%m-%d}"
            if self.dates[first].year == self.dates[second].year
            else f"{self.dates[first]:%Y-%m-%d} → {self.dates[second]:%Y-%m-%d}"
            for first, second in self.pairs
        ]

    def parts(self) -> int:
        """Return into how many parts the interferograms that are kept connect the images."""
        part = np.arange(len(self.dates))
        for first, second in self.pairs[~self.dropped]:
            part[part == part[second]] = part[first]
        return int(np.unique(part).size)


def _of_images(pairs: NDArray[np.intp], baseline_m: Doubles, images: int, master: int) -> Doubles:
    """Return the baselines of images whose differences are those of pairs, [I]."""
    design = np.zeros((len(pairs), images))
    rows = np.arange(len(pairs))
    design[rows, pairs[:, 0]] = -1
    design[rows, pairs[:, 1]] = 1
    solution = np.linalg.lstsq(design, baseline_m, rcond=None)[0]
    return np.asarray(solution - solution[master])
