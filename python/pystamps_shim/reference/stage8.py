"""Stage 8, atmosphere that is rough in time and smooth in space (stage8.md)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.reference.edge_series import row_deviation
from pystamps_shim.reference.inputs import Patch, read_variable
from pystamps_shim.reference.mean_velocity import fitted_line, velocity_class
from pystamps_shim.reference.noise_kriging import kriged_high_pass, kriged_low_pass
from pystamps_shim.reference.products import product_phase_rad
from pystamps_shim.reference.spatial_noise import spatial_low_pass, temporal_high_pass
from pystamps_shim.reference.stage1 import Array, Artefacts
from pystamps_shim.reference.stage6 import UnwrappingProblem
from pystamps_shim.reference.triangulation import triangulation_edges
from pystamps_shim.reference.unwrapped_phase import UnwrappedPhase, merged_rows

Columns = NDArray[np.intp]
Singles = NDArray[np.float32]
Doubles = NDArray[np.float64]

#: The velocity that ``mean_v.mat`` holds.
_VELOCITY = "v-do"
_LEAST_FOR_DEVIATION = 2


@dataclass(frozen=True)
class FilteredSeries:
    """Phase that stage 8 filters, and the planes taken out of it.

    Attributes
    ----------
    unwrapped
        Images with their phase.
    columns
        [n] columns that are filtered, from 0, the master's among them.
    phase_rad
        [P, n] float32 without the terms of stage 7 and without `planes_rad`.
    planes_rad
        [P, k] float64 of the columns `deramped`.
    deramped
        [k] places among the n columns.
    """

    unwrapped: UnwrappedPhase
    columns: Columns
    phase_rad: Singles
    planes_rad: Doubles
    deramped: Columns

    @classmethod
    def read(cls, dataset: Patch, *, every_plane: bool = False) -> FilteredSeries:
        """Read the phase and take out what stage 7 has found, and planes.

        Parameters
        ----------
        dataset
            Merged dataset.
        every_plane
            Whether planes are taken out of all columns, not of ``scn_deramp_ifg`` alone.

        Notes
        -----
        StaMPS compatibility: the unsmoothed results are used; samples without a value become 0;
        for small baselines all images take part, those without a solution as zeros.
        """
        unwrapped = UnwrappedPhase.of_images(dataset)
        count = unwrapped.phase_rad.shape[1]
        columns = np.arange(count) if dataset.small_baseline else dataset.used()
        phase = unwrapped.phase_rad - merged_rows(dataset, "scla", "ph_scla", count, 7)
        phase = phase - merged_rows(dataset, "scla", "C_ps_uw", 1, 7).astype(np.float32)
        if read_variable(dataset.path("scla"), "ph_ramp", 7).size:
            phase = phase - merged_rows(dataset, "scla", "ph_ramp", count, 7)
        kept = phase.astype(np.float32)[:, columns]
        kept[np.isnan(kept)] = 0
        listed = columns if every_plane else _columns_to_deramp(dataset, count)
        deramped = np.flatnonzero(np.isin(columns, listed))
        planes = _planes_rad(kept[:, deramped], dataset.variable("xy")[:, 1:])
        kept[:, deramped] -= planes
        return cls(unwrapped, columns, kept, planes, deramped)

    def of_all_columns(self, values: Array, master: float | None = None) -> Doubles:
        """Return [P, F] of all columns: `values` [P, n] of the filtered ones, 0 elsewhere.

        The master's own becomes `master` where that is given.
        """
        every = np.zeros(self.unwrapped.phase_rad.shape)
        every[:, self.columns] = values
        if master is not None:
            every[:, self.unwrapped.master] = master
        return every

    def weightless(self, *, strict: bool) -> int | None:
        """Return the place of the master among the columns, which has no weight in time.

        None where the master is dropped.

        Raises
        ------
        PystampsError
            `strict`, and the place lies beyond the columns.

        Notes
        -----
        StaMPS compatibility: the original takes the master's place among all columns (`strict`),
        which is another interferogram's as soon as one before the master is dropped.
        """
        if not strict:
            found = np.flatnonzero(self.columns == self.unwrapped.master)
            return int(found[0]) if found.size else None
        if self.unwrapped.master >= len(self.columns):
            dataset = self.unwrapped.dataset
            cause = (
                f"{dataset.parameters.path}: drop_ifg_index leaves {len(self.columns)} "
                f"interferograms, and the master's place among all is {self.unwrapped.master + 1}, "
                "where the original fails"
            )
            raise PystampsError(cause, "run stage 8 without strict")
        return self.unwrapped.master


def stage8_filter_scn(dataset_dir: Path | str, *, strict: bool = False) -> Artefacts:
    """Estimate the atmosphere of every image, the mean velocity, and the noise of the edges.

    Parameters
    ----------
    dataset_dir
        Dataset folder with the results of stages 5, 6 and 7.
    strict
        Repeat an index error of the original (`FilteredSeries.weightless`).

    Returns
    -------
    ``scn2.mat``; ``mean_v.mat``, the velocity ``v-do``; ``uw_space_time.mat``, the analysis of the
    edges of stage 6 once more without the look-angle error that stage 7 has found, with
    ``edge_noise_std``.

    Raises
    ------
    PystampsError
        Inputs are missing or disagree, or a parameter is out of range.

    Notes
    -----
    StaMPS compatibility: ``ps_scn_filt``, or with ``scn_kriging_flag`` ``ps_scn_filt_krig`` without
    its diagnostic files. The other two files are what a user of StaMPS makes
    next: ``mean_v.mat`` with ``ps_plot('v-do')``, ``uw_space_time.mat`` with a second step 6.
    """
    dataset = Patch.open(Path(dataset_dir), 2)
    smooth = dataset.path("scla_smooth_sb" if dataset.small_baseline else "scla_smooth")
    read_variable(smooth, "K_ps_uw", 7)
    return {
        "scn2.mat": _filtered(dataset, strict=strict),
        "mean_v.mat": _mean_velocity(dataset),
        "uw_space_time.mat": _edges_again(dataset),
    }


def _filtered(dataset: Patch, *, strict: bool) -> dict[str, Array]:
    """Return ``scn2.mat``."""
    if dataset.parameters.flag("scn_kriging_flag"):
        return _kriged(dataset, strict=strict)
    window_days = _positive(dataset, "scn_time_win")
    sigma_m = _positive(dataset, "scn_wavelength")
    series = FilteredSeries.read(dataset)
    day = series.unwrapped.days()[series.columns]
    rough = temporal_high_pass(series.phase_rad, day, window_days, series.weightless(strict=strict))
    rough[:, series.deramped] += series.planes_rad
    single = rough.astype(np.float32)
    smooth = spatial_low_pass(single, dataset.variable("xy")[:, 1:].astype(np.float32), sigma_m)
    return {
        "ph_scn_slave": series.of_all_columns(smooth - smooth[:1], master=0),
        "ph_hpt": single,
        "ph_ramp": series.planes_rad,
    }


def _kriged(dataset: Patch, *, strict: bool) -> dict[str, Array]:
    """Return ``scn2.mat`` by kriging; planes of all interferograms count as atmosphere.

    Notes
    -----
    StaMPS compatibility: ``ph_hpt`` is without the planes here, ``ph_scn_slave`` with them.
    """
    given = dataset.parameters.numbers("scn_time_win").size > 0
    window_days = _positive(dataset, "scn_time_win") if given else None
    series = FilteredSeries.read(dataset, every_plane=True)
    xy_m = dataset.variable("xy")[:, 1:]
    day = dataset.variable("day").ravel().astype(np.float64)[series.columns]
    weightless = series.weightless(strict=strict)
    edges = triangulation_edges(xy_m)
    rough = kriged_high_pass(
        series.phase_rad, xy_m, edges, day, window_days=window_days, weightless=weightless
    )
    single = rough.astype(np.float32)
    smooth = kriged_low_pass(single, xy_m) + series.planes_rad
    smooth -= smooth[:1]
    noise = single - smooth
    alone = noise.shape[1] < _LEAST_FOR_DEVIATION
    deviation = np.zeros(len(noise)) if alone else np.std(noise, axis=1, ddof=1)
    return {
        "ph_scn_slave": series.of_all_columns(smooth, master=0),
        "ph_hpt": single,
        "ph_ramp": series.planes_rad,
        "ph_noise_res": series.of_all_columns(noise),
        "std_ph_noise": deviation.reshape(-1, 1),
    }


def _columns_to_deramp(dataset: Patch, count: int) -> Columns:
    """Return the columns whose plane counts as atmosphere, from 0."""
    if isinstance(dataset.parameters.values["scn_deramp_ifg"], str):
        word = dataset.parameters.text("scn_deramp_ifg")
        if word != "all":
            cause = (
                f"{dataset.parameters.path}: scn_deramp_ifg is '{word}', expected numbers or all"
            )
            raise PystampsError(cause, "set scn_deramp_ifg anew")
        return np.arange(count)
    numbers = dataset.parameters.numbers("scn_deramp_ifg")
    wrong = [number for number in numbers if number != int(number) or not 1 <= number <= count]
    if wrong:
        cause = (
            f"{dataset.parameters.path}: scn_deramp_ifg holds {wrong[0]:g}, expected whole numbers "
            f"from 1 to {count}"
        )
        raise PystampsError(cause, "set scn_deramp_ifg anew")
    return numbers.astype(np.intp) - 1


def _planes_rad(phase_rad: Singles, xy_m: Array) -> Doubles:
    """Return the plane of each column, [P, k] float64."""
    design = np.column_stack([np.ones(len(xy_m)), xy_m.astype(np.float64)])
    return np.asarray(design @ np.linalg.lstsq(design, phase_rad.astype(np.float64))[0])


def _mean_velocity(dataset: Patch) -> dict[str, Array]:
    """Return ``mean_v.mat``; of the class of the noise it is weighted by, as in the original."""
    unwrapped, phase = product_phase_rad(dataset, _VELOCITY)
    line = fitted_line(unwrapped, phase)
    return {
        "m": line.astype(velocity_class(dataset)),
        "value_type": np.array(_VELOCITY),
    }


def _edges_again(dataset: Patch) -> dict[str, Array]:
    """Return ``uw_space_time.mat`` of a second pass, and the deviation of each edge's noise."""
    variables = UnwrappingProblem.read(dataset.folder).space_time()
    noise = variables["dph_noise"]
    deviation = row_deviation(noise).reshape(-1, 1) if noise.size else np.zeros((0, 0))
    return {**variables, "edge_noise_std": deviation}


def _positive(dataset: Patch, name: str) -> float:
    value = dataset.parameters.number(name)
    if not 0 < value < np.inf:
        cause = f"{dataset.parameters.path}: {name} is {value:g}, expected a number above 0"
        raise PystampsError(cause, f"set {name} anew")
    return value
