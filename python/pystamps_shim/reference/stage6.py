"""Stage 6, phase unwrapping (stage6.md)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.progress import tracked
from pystamps_shim.reference.edge_series import (
    Method,
    SeriesSettings,
    analyse_edges,
)
from pystamps_shim.reference.grid_unwrapping import UnwrappedGrid, unwrap_grid
from pystamps_shim.reference.image_network import ImageNetwork
from pystamps_shim.reference.inputs import Patch
from pystamps_shim.reference.nearest_node import NodeEdges, nearest_nodes
from pystamps_shim.reference.phase_gradient import NodeGradients, node_gradients
from pystamps_shim.reference.small_baseline_inversion import inverted_series
from pystamps_shim.reference.stage1 import Array, Artefacts
from pystamps_shim.reference.unwrapping_costs import ArcCosts, EdgeCosts, cost_file, input_file
from pystamps_shim.reference.unwrapping_grid import UnwrappingGrid, node_cells
from pystamps_shim.reference.unwrapping_phase import KnownPhase

#: Mean range that the largest DEM error is converted with, m; angles for want of better ones, rad.
_MEAN_RANGE_M = 830000.0
_LOOK_TO_INCIDENCE_RAD = 0.052
_DEFAULT_INCIDENCE_RAD = 21 * np.pi / 180
#: Side of a cell for the length of edges where positions are the cells' numbers, m.
_CELL_M = 5.0
_SERIES_METHODS = ("3D", "3D_NEW")


@dataclass(frozen=True)
class UnwrappingProblem:
    """Everything before the interferograms are unwrapped one by one.

    Attributes
    ----------
    dataset
        Merged dataset.
    phase
        Phase to unwrap and what has been taken out of it.
    grid
        Cells with their filtered phase.
    nearest
        [n_i, n_j] node of every cell, from 0.
    edges
        Pairs of nodes.
    network
        Images of the interferograms.
    costs
        Phase and costs of the edges.
    gradients
        Gradients at the nodes, None without the spatial cost function.
    replaced
        [E] bool, edges judged by the gradient, None without.
    """

    dataset: Patch
    phase: KnownPhase
    grid: UnwrappingGrid
    nearest: NDArray[np.intp]
    edges: NodeEdges
    network: ImageNetwork
    costs: EdgeCosts
    gradients: NodeGradients | None
    replaced: NDArray[np.bool_] | None

    @classmethod
    def read(cls, dataset_dir: Path | str) -> UnwrappingProblem:
        """Read a merged dataset and analyse its phase in space and time.

        Raises
        ------
        PystampsError
            As for `stage6_unwrap`.
        """
        dataset = Patch.open(Path(dataset_dir), 2)
        method = _method(dataset)
        phase = KnownPhase.read(dataset)
        grid = UnwrappingGrid.of(dataset, phase.wrapped[:, phase.columns])
        nearest = nearest_nodes(grid.occupied)
        edges = NodeEdges.of(nearest)
        network = _network(dataset, phase.columns)
        settings = SeriesSettings(
            method,
            dataset.parameters.flag("unwrap_la_error_flag"),
            _positive(dataset, "unwrap_time_win"),
            trial_wraps(dataset),
        )
        low, high = (grid.phase[edges.ends[:, side]] for side in (0, 1))
        series = analyse_edges(low, high, network, settings)
        spread = gradients = replaced = None
        if dataset.parameters.flag("unwrap_spatial_cost_func_flag") and _in_time(method):
            window = int(dataset.parameters.number("unwrap_gold_n_win"))
            gradients = node_gradients(grid.phase, grid.occupied, window)
            found = gradients.applied_to(series, edges.ends)
            series, spread, replaced = found.series, found.spread, found.replaced
        costs = EdgeCosts.of(edges, series, _lengths_m(grid, edges), spread)
        return cls(dataset, phase, grid, nearest, edges, network, costs, gradients, replaced)

    def arc_costs(self, column: int) -> tuple[ArcCosts, ArcCosts]:
        """Return the costs of an interferogram, counted from 0 among the unwrapped ones."""
        return self.costs.of_interferogram(column)

    def cost_file(self, column: int) -> bytes:
        """Return the ``snaphu.costinfile`` of an interferogram."""
        return cost_file(*self.arc_costs(column))

    def input_file(self, column: int) -> bytes:
        """Return the ``snaphu.in`` of an interferogram."""
        return input_file(self.grid.phase, self.nearest, column)

    def unwrap(self, column: int) -> UnwrappedGrid:
        """Unwrap the grid of an interferogram, counted from 0 among the unwrapped ones."""
        return unwrap_grid(self.grid.phase[:, column], self.nearest, *self.arc_costs(column))

    def on_ps(self, nodes_rad: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the unwrapped phase of the PS from that of the nodes, both float32.

        It is congruent with the phase before the filter. NaN where the PS of a cell cancel.
        """
        node = self.grid.node_of_ps()
        cell = nodes_rad[node]
        cell[node < 0] = np.nan
        return np.asarray(cell + np.angle(self.grid.phase_in * np.exp(-1j * cell)))

    def space_time(self) -> dict[str, Array]:
        """Return ``uw_space_time.mat``."""
        series = self.costs.series
        none = np.zeros((0, 0))
        shape = series.difference_rad.shape
        spread = np.zeros(shape) if self.costs.spread is None else self.costs.spread
        variables: dict[str, Array] = {
            "dph_space_uw": series.difference_rad,
            "dph_noise": none if series.noise_rad is None else series.noise_rad,
            "spread": _sparse(spread),
        }
        if not _in_time(_method(self.dataset)):
            return variables
        gradients, replaced = self.gradients, self.replaced
        return {
            **variables,
            "G": self.network.design(),
            "ifreq_ij": none if gradients is None else gradients.down,
            "jfreq_ij": none if gradients is None else gradients.right,
            "shaky_ix": none if replaced is None else replaced.reshape(-1, 1),
            "predef_ix": none,
        }


def stage6_unwrap(dataset_dir: Path | str) -> Artefacts:
    """Unwrap the phase of the merged PS, as StaMPS stage 6 does.

    Parameters
    ----------
    dataset_dir
        Dataset folder with the merged results of stage 5; ``scla_smooth2.mat`` of an earlier
        stage 7 is taken into account.

    Returns
    -------
    ``uw_grid uw_interp uw_space_time uw_phaseuw phuw2``; for small baselines besides
    ``phuw_sb2 phuw_sb_res2``. ``spread`` of ``uw_space_time.mat`` is a sparse array of SciPy.

    Raises
    ------
    PystampsError
        Inputs are missing or disagree, a parameter asks for what does not exist, a sample has no
        phase, or the grid is smaller than a window of the filter.

    Notes
    -----
    StaMPS compatibility: ``ps_unwrap``, ``uw_3d`` and for small baselines ``sb_invert_uw``; in
    place of SNAPHU an exact solver (`pystamps_shim.reference.flow`). Not offered:
    ``unwrap_hold_good_values`` and the simulated annealing of ``3D`` with several masters.
    """
    problem = UnwrappingProblem.read(dataset_dir)
    dataset, columns = problem.dataset, problem.phase.columns
    row, column = node_cells(problem.grid.occupied)
    nodes_rad = np.empty(problem.grid.phase.shape, dtype=np.float32)
    msd = np.empty((len(columns), 1))
    for index in tracked(range(len(columns)), "unwrapping", len(columns)):
        unwrapped = problem.unwrap(index)
        nodes_rad[:, index] = unwrapped.phase_rad[row, column]
        msd[index] = unwrapped.mean_square_difference()
    total_rad = problem.phase.restored(problem.on_ps(nodes_rad))
    all_msd = np.zeros((dataset.n_ifg, 1), dtype=np.float32)
    all_msd[columns] = msd
    artefacts: Artefacts = {
        "uw_grid.mat": problem.grid.variables(),
        "uw_interp.mat": problem.edges.variables(problem.nearest),
        "uw_space_time.mat": problem.space_time(),
        "uw_phaseuw.mat": {"ph_uw": nodes_rad, "msd": msd},
    }
    unwrapped_phase = {"ph_uw": total_rad, "msd": all_msd}
    if not dataset.small_baseline:
        return {**artefacts, "phuw2.mat": unwrapped_phase}
    inverted = inverted_series(dataset, total_rad)
    return {**artefacts, "phuw_sb2.mat": unwrapped_phase, **inverted}


def trial_wraps(dataset: Patch) -> float:
    """Return the turns that the largest DEM error makes over the range of all baselines."""
    parameters = dataset.parameters
    if "mean_incidence" in dataset.ps:
        incidence_rad = float(dataset.ps["mean_incidence"].item())
    else:
        look_rad = dataset.optional_rows("la", "la")
        incidence_rad = _DEFAULT_INCIDENCE_RAD
        if look_rad is not None:
            incidence_rad = float(np.mean(look_rad)) + _LOOK_TO_INCIDENCE_RAD
    error_m = parameters.number("max_topo_err")
    wavelength_m = parameters.number("lambda")
    if not (0 < wavelength_m < np.inf and 0 <= error_m < np.inf):
        cause = (
            f"{parameters.path}: lambda is {wavelength_m:g} and max_topo_err {error_m:g}, "
            "expected metres"
        )
        raise PystampsError(cause, "set them anew")
    per_metre = wavelength_m * _MEAN_RANGE_M * np.sin(incidence_rad) / (4 * np.pi)
    range_m = float(np.ptp(dataset.variable("bperp").astype(np.float64)))
    return float(range_m * error_m / per_metre / (2 * np.pi))


def _method(dataset: Patch) -> Method:
    """Return the analysis that ``unwrap_method`` stands for with this network."""
    parameters = dataset.parameters
    if dataset.small_baseline and parameters.flag("unwrap_hold_good_values"):
        cause = f"{parameters.path}: unwrap_hold_good_values is 'y', which is not offered"
        raise PystampsError(cause, "set unwrap_hold_good_values to n")
    name = parameters.text("unwrap_method")
    if name in _SERIES_METHODS:
        first = dataset.variable("ifgday_ix")[:, 0] if dataset.small_baseline else np.zeros(1)
        dropped = parameters.numbers("drop_ifg_index").astype(int) - 1
        used = np.setdiff1d(np.arange(len(first)), dropped)
        if len(np.unique(first[used])) > 1:
            cause = (
                f"{parameters.path}: unwrap_method is '{name}', which with several masters is "
                "simulated annealing and not offered"
            )
            raise PystampsError(cause, "set unwrap_method to 3D_QUICK")
        return Method.FULL
    known = [method.value for method in Method]
    if name not in known:
        expected = ", ".join([*_SERIES_METHODS, *known])
        cause = f"{parameters.path}: unwrap_method is '{name}', expected one of {expected}"
        raise PystampsError(cause, "set unwrap_method anew")
    return Method(name)


def _in_time(method: Method) -> bool:
    """Tell whether the method smooths the series of edges in time."""
    return method not in (Method.SPATIAL, Method.NO_DEFORMATION)


def _network(dataset: Patch, columns: NDArray[np.intp]) -> ImageNetwork:
    day = dataset.variable("day").ravel() - dataset.variable("master_day").item()
    if dataset.small_baseline:
        pairs = dataset.variable("ifgday_ix").astype(np.intp) - 1
        wrong = (pairs < 0) | (pairs >= len(day))
        if pairs.shape != (dataset.n_ifg, 2) or wrong.any():
            cause = (
                f"{dataset.path('ps')}: variable ifgday_ix has shape {pairs.shape}, expected "
                f"{(dataset.n_ifg, 2)} with numbers from 1 to {len(day)}"
            )
            raise PystampsError(cause, f"run stage 5 on {dataset.folder} again")
    else:
        images = np.arange(dataset.n_ifg)
        pairs = np.stack([np.full_like(images, dataset.master), images], axis=1)
    bperp_m = dataset.variable("bperp").ravel().astype(np.float64)
    return ImageNetwork.of(day, pairs[columns], bperp_m[columns])


def _positive(dataset: Patch, name: str) -> float:
    value = dataset.parameters.number(name)
    if not value > 0:
        cause = f"{dataset.parameters.path}: {name} is {value:g}, expected a number above 0"
        raise PystampsError(cause, f"set {name} anew")
    return value


def _lengths_m(grid: UnwrappingGrid, edges: NodeEdges) -> Array:
    row, column = node_cells(grid.occupied)
    low, high = edges.ends.T
    cells = np.hypot(row[high] - row[low], column[high] - column[low])
    return np.asarray(cells * (grid.cells.size_m or _CELL_M))


def _sparse(values: Array) -> Array:
    try:
        import scipy.sparse  # noqa: PLC0415 - of the test dependencies
    except ImportError as error:
        cause = "the reference of stage 6 makes a sparse matrix with SciPy, which is not installed"
        raise PystampsError(cause, "pip install scipy") from error
    matrix: Array = scipy.sparse.csc_array(values)
    return matrix
