"""The kernels behind one name each, computed by the backend that is asked for.

``backend="auto"`` takes the native extension where it can be imported and NumPy otherwise. An
explicit backend is taken or refused, never replaced. Both give the same results within rounding;
the functions of `numpy_backend` say what they compute.
"""

from __future__ import annotations

import importlib
from functools import cache
from types import ModuleType
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.kernels.names import KERNELS

Array = NDArray[Any]
Doubles = NDArray[np.float64]
Fit = tuple[Doubles, Doubles, Doubles, NDArray[np.float32]]
Singles = NDArray[np.float32]
Backend = Literal["auto", "native", "numpy"]
Network = Literal["single_master", "small_baselines"]

_MODULES = {
    "native": "pystamps_shim._native",
    "numpy": "pystamps_shim.kernels.numpy_backend",
}
_REMEDIES = {
    "native": "build the extension with 'make native', or ask for backend='numpy'",
    "numpy": "install NumPy and the complete pystamps package",
}


def stage2_grid_accumulate(
    ph_weight: NDArray[np.complex64],
    grid_ij: Array,
    n_i: int,
    n_j: int,
    *,
    backend: Backend = "auto",
) -> NDArray[np.complex64]:
    """Add weighted phasors to their grid cells, in single precision and in the order of the rows.

    Parameters
    ----------
    ph_weight
        [n, m] complex64.
    grid_ij
        [n, 2] row and column of each candidate's cell, from 1.
    n_i, n_j
        Size of the grid, cells.
    backend
        Who computes.

    Returns
    -------
    [n_i, n_j, m] complex64.
    """
    weighted = np.asarray(ph_weight, dtype=np.complex64)
    cells = np.asarray(grid_ij).astype(np.int64)
    function = _function("stage2_grid_accumulate", backend)
    return cast(NDArray[np.complex64], function(weighted, cells, int(n_i), int(n_j)))


def stage2_histogram(values: Array, centres: Array, *, backend: Backend = "auto") -> Doubles:
    """Count `values` [n] in the bins around ascending `centres` [b] as MATLAB's ``hist`` does.

    Returns
    -------
    [b] float64 counts; NaN is not counted.
    """
    numbers = np.asarray(values, dtype=np.float64).ravel()
    bins = np.asarray(centres, dtype=np.float64).ravel()
    return cast(Doubles, _function("stage2_histogram", backend)(numbers, bins))


def stage2_topofit(
    phasors: Array, bperp: Array, n_trial_wraps: float, *, backend: Backend = "auto"
) -> Fit:
    """Fit the phase of every row against its own baselines.

    Parameters
    ----------
    phasors
        [n, m] complex64 or complex128; the modulus is the weight, 0 leaves a sample out.
    bperp
        [n, m] float32 or float64, m. Single baselines round K as StaMPS does; single phasors or
        baselines round C and the coherence.
    n_trial_wraps
        Wraps of the largest slope tried over the range of the baselines.
    backend
        Who computes.

    Returns
    -------
    K [n] rad/m, C [n] rad, coherence [n], all float64, and the residual phase [n, m] rad, float32,
    which contains C.
    """
    function = _function("stage2_topofit", backend)
    return cast(Fit, function(_complex(phasors), _real(bperp), float(n_trial_wraps)))


def stage2_topofit_row_invariant(
    phasors: Array, bperp: Array, n_trial_wraps: float, *, backend: Backend = "auto"
) -> Fit:
    """Fit every row against the same baselines `bperp` [m]; otherwise as `stage2_topofit`."""
    function = _function("stage2_topofit_row_invariant", backend)
    return cast(Fit, function(_complex(phasors), _real(bperp).ravel(), float(n_trial_wraps)))


def stage2_topofit_coh_row_invariant(
    phasors: Array, bperp: Array, n_trial_wraps: float, *, backend: Backend = "auto"
) -> Doubles:
    """Return only the coherence [n] of `stage2_topofit_row_invariant`."""
    function = _function("stage2_topofit_coh_row_invariant", backend)
    return cast(Doubles, function(_complex(phasors), _real(bperp).ravel(), float(n_trial_wraps)))


def stage4_edge_stats(  # noqa: PLR0917 - the order of the specification
    phases: Array,
    node_a: Array,
    node_b: Array,
    bperp: Array,
    day: Array,
    time_win: float,
    mode: Network = "single_master",
    *,
    backend: Backend = "auto",
) -> tuple[Singles, Singles]:
    """Return the smallest standard deviation and the smallest maximum among each PS's edges.

    Parameters
    ----------
    phases
        [n, m] complex phasors of unit modulus, the DEM error removed.
    node_a, node_b
        [E] ends of the edges, counted from 0; the difference is b minus a.
    bperp
        [m] m, 0 for the master.
    day
        [m] days; not used for small baselines.
    time_win
        Standard deviation of the temporal window, days.
    mode
        Kind of network.
    backend
        Who computes.

    Returns
    -------
    ps_std, ps_max
        [n] float32 rad; Inf where a PS has no edge with a value.
    """
    function = _function("stage4_edge_stats", backend)
    ends = (_indices(node_a), _indices(node_b))
    series = (_doubles(bperp), _doubles(day), float(time_win))
    return cast(tuple[Singles, Singles], function(_complex(phases), *ends, *series, mode))


def stage7_scla(  # noqa: PLR0917 - the order of the specification
    ph_uw: Array,
    bperp: Array,
    solve_ix: Array,
    day: Array,
    ifg_vcm: Array,
    master_ix: int | None = None,
    network: Network = "single_master",
    *,
    velocity: bool = True,
    method: Literal["L1", "L2"] = "L2",
    backend: Backend = "auto",
) -> tuple[Doubles, Singles, Singles, Doubles]:
    """Estimate look-angle error and master atmosphere of every PS (stage7.md 4, steps 8-14).

    Parameters
    ----------
    ph_uw
        [n, m] float32 rad, deramped and referenced; the master column, if there is one, is 0.
    bperp
        [n, m] or, the same for every PS, [m]; float32 m, 0 for the master.
    solve_ix
        [k] columns to estimate from, counted from 0, ascending. StaMPS: ``U``.
    day
        [m] days: of the images for a single master, from the first to the second image of the
        interferograms for small baselines.
    ifg_vcm
        [m, m] float64 rad^2. Small baselines weigh the fit of K by it, single masters that of C.
    master_ix
        Column of the master, counted from 0. ``None``: there is none, and days count from 0.
    network
        Single master: differences of successive columns of `solve_ix` are fitted. Small baselines:
        the interferograms are, and C is 0.
    velocity
        Whether a mean velocity is estimated too; for K only from four columns on.
    method
        L1: a simplex search from the L2 solution for the least sum of absolute residuals.
    backend
        Who computes.

    Returns
    -------
    K_ps_uw
        [n] float64 rad/m; 0 where the design does not determine it.
    C_ps_uw
        [n] float32 rad; 0 where no column is left to estimate it from.
    ph_scla
        [n, m] float32 rad, ``K_ps_uw * bperp``.
    ifg_vcm
        [m, m] float64 rad^2, as given.

    Raises
    ------
    ValueError
        Shapes that do not fit, a column outside the phase, or a covariance that is not positive
        definite.
    """
    function = _function("stage7_scla", backend)
    phase = np.asarray(ph_uw, dtype=np.float32)
    baselines = np.asarray(bperp, dtype=np.float32)
    if baselines.ndim == 1 and phase.ndim == 2:
        baselines = np.broadcast_to(baselines, (len(phase), len(baselines)))
    covariance = np.asarray(ifg_vcm, dtype=np.float64)
    columns = (_indices(solve_ix), _doubles(day), covariance, master_ix, network)
    result = function(phase, baselines, *columns, velocity=bool(velocity), method=method)
    return cast(tuple[Doubles, Singles, Singles, Doubles], result)


def stage8_edge_noise(
    node_phase: Array,
    node_a: Array,
    node_b: Array,
    mode: Literal["space_time", "simple"] = "space_time",
    *,
    bperp: Array | None = None,
    day: Array | None = None,
    ifgday_ix: Array | None = None,
    n_trial_wraps: float | None = None,
    time_win: float = 730.0,
    unwrap_method: str = "3D_FULL",
    la_error: bool = True,
    backend: Backend = "auto",
) -> tuple[Singles, Singles]:
    """Return the difference of the nodes' phase along every edge and its noise.

    Parameters
    ----------
    node_phase
        [n_node, m] complex64.
    node_a, node_b
        [E] ends of the edges, counted from 0; the difference is b minus a.
    mode
        ``space_time``: the edge analysis of stage 6 (stage6.md 5). ``simple``, a diagnostic: the
        wrapped difference, and half of what it differs from the mean of its row; the arguments
        below are not used.
    bperp
        [m] float64 m of the interferograms.
    day
        [n_image] days of the images, from that of the master.
    ifgday_ix
        [m, 2] images of every interferogram, counted from 0; (master, image) for a single master.
    n_trial_wraps
        Cycles that the largest look-angle error makes over the range of the baselines; not used
        without `la_error`.
    time_win
        Standard deviation of the Gaussian window in time, days.
    unwrap_method
        One of 2D, 3D_NO_DEF, 3D_FULL, 3D_QUICK, 3D_SMALL_DEF.
    la_error
        Whether a slope on the baselines is estimated for every edge.
    backend
        Who computes.

    Returns
    -------
    dph_space_uw
        [E, m] float32 rad; NaN without statistics.
    dph_noise
        [E, m] float32 rad; [0, 0] for ``2D``.

    Raises
    ------
    ValueError
        Shapes that do not fit, an argument that `space_time` needs and is missing, or a network
        that the method cannot use.
    """
    function = _function("stage8_edge_noise", backend)
    phase = np.asarray(node_phase, dtype=np.complex64)
    result = function(
        phase,
        _indices(node_a),
        _indices(node_b),
        mode,
        bperp=None if bperp is None else _doubles(bperp),
        day=None if day is None else _doubles(day),
        ifgday_ix=None if ifgday_ix is None else np.asarray(ifgday_ix).astype(np.int64),
        n_trial_wraps=None if n_trial_wraps is None else float(n_trial_wraps),
        time_win=float(time_win),
        unwrap_method=unwrap_method,
        la_error=bool(la_error),
    )
    return cast(tuple[Singles, Singles], result)


def describe_backends() -> dict[str, dict[str, str]]:
    """Return, for each backend that can run here, its kernels and where each comes from."""
    described = {}
    for backend in _MODULES:
        module = _module(backend)
        if isinstance(module, ModuleType):
            origin = f"{module.__name__} ({getattr(module, '__file__', None) or 'built in'})"
            described[backend] = {name: origin for name in KERNELS if hasattr(module, name)}
    return described


def _function(name: str, backend: str) -> Any:
    """Return the function of a kernel in a backend that is there."""
    if backend not in ("auto", *_MODULES):
        cause = f"backend {backend!r} of kernel {name} is unknown"
        raise PystampsError(cause, "use 'auto', 'native' or 'numpy'", ExitCode.USAGE)
    if backend == "auto":
        backend = "native" if isinstance(_module("native"), ModuleType) else "numpy"
    module = _module(backend)
    function = getattr(module, name, None)
    if function is None:
        reason = f": {module}" if isinstance(module, ImportError) else ""
        cause = f"kernel {name} has no {backend} backend here{reason}"
        raise PystampsError(cause, _REMEDIES[backend])
    return function


@cache
def _module(backend: str) -> ModuleType | ImportError:
    """Return the module of a backend, or why it cannot be imported."""
    try:
        module = importlib.import_module(_MODULES[backend])
        return module.kernels if backend == "native" else module
    except ImportError as error:
        return error
    except AttributeError as error:
        return ImportError(f"the extension is older than this package: {error}")


def _complex(values: Array) -> Array:
    array = np.asarray(values)
    return array if array.dtype == np.complex64 else array.astype(np.complex128, copy=False)


def _real(values: Array) -> Array:
    array = np.asarray(values)
    return array if array.dtype == np.float32 else array.astype(np.float64, copy=False)


def _doubles(values: Array) -> Doubles:
    return np.asarray(values, dtype=np.float64).ravel()


def _indices(values: Array) -> NDArray[np.int64]:
    return np.asarray(values).astype(np.int64).ravel()
