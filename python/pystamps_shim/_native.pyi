"""Types of the native extension."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

__version__: str

@final
class CharArray:
    """A character array that is not one row."""

    dims: tuple[int, ...]
    rows: list[str]
    def __new__(cls, dims: tuple[int, ...], rows: Sequence[str]) -> CharArray: ...

@final
class StructArray:
    """A structure array that is not 1 x 1."""

    dims: tuple[int, ...]
    fields: tuple[str, ...]
    elements: tuple[tuple[Any, ...], ...]
    def __new__(
        cls,
        dims: tuple[int, ...],
        fields: tuple[str, ...],
        elements: tuple[tuple[Any, ...], ...],
    ) -> StructArray: ...

@final
class SparseMatrix:
    """A sparse matrix in compressed-column form."""

    dims: tuple[int, int]
    data: NDArray[Any]
    row_indices: NDArray[np.uintp]
    column_starts: NDArray[np.uintp]

@final
class MatVariable:
    """What a file says of a variable without its data."""

    name: str
    class_name: str
    dims: tuple[int, ...]
    is_complex: bool
    is_logical: bool
    bytes: int

def read_mat(path: str | PathLike[str], names: Sequence[str] | None = None) -> dict[str, Any]: ...
def list_mat(path: str | PathLike[str]) -> list[MatVariable]: ...
def write_mat(
    path: str | PathLike[str],
    variables: Mapping[str, object],
    *,
    version: str | None = None,
    deflate_level: int | None = None,
) -> None: ...
def cli_main(argv: Sequence[str]) -> int: ...

class kernels:  # noqa: N801 - a submodule
    """Numeric kernels; `pystamps_shim.kernels.accelerated` explains arguments and results."""

    @staticmethod
    def stage2_grid_accumulate(
        ph_weight: NDArray[np.complex64],
        grid_ij: NDArray[np.int64],
        n_i: int,
        n_j: int,
        *,
        threads: int | None = None,
    ) -> NDArray[np.complex64]: ...
    @staticmethod
    def stage2_histogram(values: NDArray[Any], centres: NDArray[Any]) -> NDArray[np.float64]: ...
    @staticmethod
    def stage2_topofit(
        phasors: NDArray[Any],
        bperp: NDArray[Any],
        n_trial_wraps: float,
        *,
        threads: int | None = None,
    ) -> tuple[
        NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float32]
    ]: ...
    @staticmethod
    def stage2_topofit_row_invariant(
        phasors: NDArray[Any],
        bperp: NDArray[Any],
        n_trial_wraps: float,
        *,
        threads: int | None = None,
    ) -> tuple[
        NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float32]
    ]: ...
    @staticmethod
    def stage2_topofit_coh_row_invariant(
        phasors: NDArray[Any],
        bperp: NDArray[Any],
        n_trial_wraps: float,
        *,
        threads: int | None = None,
    ) -> NDArray[np.float64]: ...
    @staticmethod
    def stage4_edge_stats(
        phases: NDArray[Any],
        node_a: NDArray[np.int64],
        node_b: NDArray[np.int64],
        bperp: NDArray[Any],
        day: NDArray[Any],
        time_win: float,
        mode: str = "single_master",
        *,
        threads: int | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...
    @staticmethod
    def stage7_scla(
        ph_uw: NDArray[np.float32],
        bperp: NDArray[np.float32],
        solve_ix: NDArray[np.int64],
        day: NDArray[Any],
        ifg_vcm: NDArray[np.float64],
        master_ix: int | None = None,
        network: str = "single_master",
        *,
        velocity: bool = True,
        method: str = "L2",
        threads: int | None = None,
    ) -> tuple[
        NDArray[np.float64], NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]
    ]: ...
    @staticmethod
    def stage8_edge_noise(
        node_phase: NDArray[np.complex64],
        node_a: NDArray[np.int64],
        node_b: NDArray[np.int64],
        mode: str = "space_time",
        *,
        bperp: NDArray[Any] | None = None,
        day: NDArray[Any] | None = None,
        ifgday_ix: NDArray[np.int64] | None = None,
        n_trial_wraps: float | None = None,
        time_win: float = 730.0,
        unwrap_method: str = "3D_FULL",
        la_error: bool = True,
        threads: int | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...
    @staticmethod
    def clap_filter(
        ph: NDArray[Any], alpha: float, beta: float, low_pass: NDArray[np.float64]
    ) -> NDArray[np.complex128]: ...
    @staticmethod
    def clap_patch_value(
        ph: NDArray[np.complex64],
        alpha: float,
        beta: float,
        low_pass: NDArray[np.float64],
        cell: tuple[int, int],
        *,
        reach: int = 0,
    ) -> complex | None: ...

class unwrap:  # noqa: N801 - a submodule
    """Phase unwrapping as a minimum-cost flow.

    Arcs run down [rows - 1, columns] and right [rows, columns - 1]; their costs are
    (offset, variance) as int16: floor((200 f + offset)^2 / variance), or one of the two markers in
    place of a variance.
    """

    ABSOLUTE: int
    FREE: int

    @staticmethod
    def solve_grid(
        phase_rad: NDArray[np.float32], down: NDArray[np.int16], right: NDArray[np.int16]
    ) -> tuple[
        NDArray[np.int16],
        NDArray[np.int16],
        NDArray[np.int32],
        NDArray[np.int64],
        dict[str, int],
    ]:
        """Return flows down and right, cycles of the pixels, potentials and certificate."""
    @staticmethod
    def verify_grid(
        phase_rad: NDArray[np.float32],
        down: NDArray[np.int16],
        right: NDArray[np.int16],
        flow_down: NDArray[np.int16],
        flow_right: NDArray[np.int16],
        potentials: Sequence[int] | NDArray[np.int64],
    ) -> dict[str, int]:
        """Return the certificate of somebody's flows and potentials."""
