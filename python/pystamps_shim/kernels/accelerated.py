"""The kernels behind one name each, computed by the backend that is asked for.

``backend="auto"`` takes the native extension where it can be imported and NumPy otherwise. An
explicit backend is taken or refused, never replaced. Both give the same results within the
contract (`contract`), and refuse the same arguments (`arguments`); the functions of
`numpy_backend` say what they compute.
"""

from __future__ import annotations

import importlib
from functools import cache
from types import ModuleType
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError, nearest, wrong_usage
from pystamps_shim.kernels import arguments
from pystamps_shim.kernels.least_squares import NotPositiveDefiniteError
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
    function = _function("stage2_grid_accumulate", backend)
    weighted = arguments.phasors("ph_weight", ph_weight, np.complex64)
    size = (arguments.count("n_i", n_i), arguments.count("n_j", n_j))
    cells = arguments.cells(grid_ij, len(weighted), *size)
    return cast(NDArray[np.complex64], function(weighted, cells, *size))


def stage2_histogram(values: Array, centres: Array, *, backend: Backend = "auto") -> Doubles:
    """Count `values` [n] in the bins around ascending `centres` [b] as MATLAB's ``hist`` does.

    Returns
    -------
    [b] float64 counts; NaN is not counted.
    """
    function = _function("stage2_histogram", backend)
    return cast(Doubles, function(arguments.doubles("values", values), arguments.centres(centres)))


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
    samples = arguments.phasors("phasors", phasors)
    baselines = arguments.singles_or_doubles("bperp", bperp)
    if baselines.shape != samples.shape:
        arguments.refuse("bperp", f"of shape {baselines.shape}", f"{samples.shape}")
    return cast(Fit, function(samples, baselines, arguments.wraps(n_trial_wraps)))


def stage2_topofit_row_invariant(
    phasors: Array, bperp: Array, n_trial_wraps: float, *, backend: Backend = "auto"
) -> Fit:
    """Fit every row against the same baselines `bperp` [m]; otherwise as `stage2_topofit`."""
    function = _function("stage2_topofit_row_invariant", backend)
    return cast(Fit, function(*_common_baselines(phasors, bperp, n_trial_wraps)))


def stage2_topofit_coh_row_invariant(
    phasors: Array, bperp: Array, n_trial_wraps: float, *, backend: Backend = "auto"
) -> Doubles:
    """Return only the coherence [n] of `stage2_topofit_row_invariant`."""
    function = _function("stage2_topofit_coh_row_invariant", backend)
    return cast(Doubles, function(*_common_baselines(phasors, bperp, n_trial_wraps)))


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
    samples = arguments.phasors("phases", phases)
    ends = arguments.edges(node_a, node_b, len(samples))
    arguments.choice("mode", mode, arguments.NETWORKS)
    baselines, days = arguments.doubles("bperp", bperp), arguments.doubles("day", day)
    arguments.length("bperp", baselines, samples.shape[1], "as the rows of phases")
    width = float(time_win)
    if mode == "single_master":
        arguments.length("day", days, samples.shape[1], "as the rows of phases")
        arguments.finite("day", days)
        width = arguments.window(time_win)
    return cast(tuple[Singles, Singles], function(samples, *ends, baselines, days, width, mode))


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
        Infinity is no number.
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
        Shapes that do not fit, or a column outside the phase.
    NotPositiveDefiniteError
        The covariance of the columns that it weighs is not positive definite.
    """
    function = _function("stage7_scla", backend)
    phase, baselines = _phase_and_baselines(ph_uw, bperp)
    master = arguments.column_or_none("master_ix", master_ix, phase.shape[1])
    fixed = (*_columns(phase.shape[1], solve_ix, day, ifg_vcm), master, network)
    arguments.choice("network", network, arguments.NETWORKS)
    arguments.choice("method", method, ("L1", "L2"))
    kind = {"velocity": bool(velocity), "method": method}
    try:
        result = function(phase, baselines, *fixed, **kind)
    except ValueError as error:
        # The stages tell this error by its type, which the native side cannot raise.
        if "positive definite" in str(error):
            raise NotPositiveDefiniteError from error
        raise
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
    phase = arguments.phasors("node_phase", node_phase, np.complex64)
    ends = arguments.edges(node_a, node_b, len(phase))
    arguments.choice("mode", mode, ("space_time", "simple"))
    if mode == "simple":
        return cast(tuple[Singles, Singles], function(phase, *ends, mode))
    series = _interferograms(phase.shape[1], bperp, day, ifgday_ix)
    result = function(
        phase,
        *ends,
        mode,
        **series,
        n_trial_wraps=_search(n_trial_wraps) if la_error else None,
        time_win=arguments.window(time_win),
        unwrap_method=arguments.choice("unwrap_method", unwrap_method, arguments.METHODS),
        la_error=bool(la_error),
    )
    return cast(tuple[Singles, Singles], result)


def describe_backends() -> dict[str, dict[str, str]]:
    """Return, for each backend that can run here, its kernels and where each comes from.

    What is listed can be called: an extension that lacks a kernel does not list it.
    """
    described = {}
    for backend, name_of_module in _MODULES.items():
        module = _module(backend)
        if isinstance(module, ModuleType):
            # The kernels of the extension are a part of it, which has no file of its own.
            whole = importlib.import_module(name_of_module)
            origin = f"{whole.__name__} ({getattr(whole, '__file__', None) or 'built in'})"
            described[backend] = {name: origin for name in KERNELS if _has(module, name)}
    return described


def check_names(kernel: str, backend: str) -> None:
    """Refuse a kernel or a backend that is unknown, with the nearest name; nothing is imported.

    Raises
    ------
    PystampsError
        Of wrong usage.
    """
    if kernel not in KERNELS:
        cause = f"'{kernel}' is no kernel{nearest(kernel, KERNELS)}"
        raise wrong_usage(cause, f"use one of {', '.join(KERNELS)}")
    known = ("auto", *_MODULES)
    if backend not in known:
        cause = f"backend {backend!r} of kernel {kernel} is unknown{nearest(backend, known)}"
        raise wrong_usage(cause, "use 'auto', 'native' or 'numpy'")


def _function(name: str, backend: str) -> Any:
    """Return the function of a kernel in a backend that is there."""
    check_names(name, backend)
    if backend == "auto":
        backend = "native" if isinstance(_module("native"), ModuleType) else "numpy"
    module = _module(backend)
    if not _has(module, name):
        reason = f": {module}" if isinstance(module, ImportError) else ""
        cause = f"kernel {name} has no {backend} backend here{reason}"
        raise PystampsError(cause, _REMEDIES[backend])
    return getattr(module, name)


def _has(module: ModuleType | ImportError, name: str) -> bool:
    return isinstance(module, ModuleType) and callable(getattr(module, name, None))


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


def _common_baselines(
    phasors: Array, bperp: Array, n_trial_wraps: float
) -> tuple[Array, Array, float]:
    """Return the arguments of a fit of rows that share their baselines."""
    samples = arguments.phasors("phasors", phasors)
    baselines = arguments.singles_or_doubles("bperp", bperp).ravel()
    arguments.length("bperp", baselines, samples.shape[1], "as the rows of phasors")
    return samples, baselines, arguments.wraps(n_trial_wraps)


def _phase_and_baselines(ph_uw: Array, bperp: Array) -> tuple[Singles, Singles]:
    """Return unwrapped phase and baselines of one shape; baselines may be common to all PS."""
    phase = arguments.numbers("ph_uw", ph_uw).astype(np.float32, copy=False)
    if phase.ndim != 2:
        arguments.refuse("ph_uw", f"an array of shape {phase.shape}", "a matrix")
    baselines = arguments.numbers("bperp", bperp).astype(np.float32, copy=False)
    if baselines.shape == phase.shape[1:]:
        baselines = np.broadcast_to(baselines, phase.shape)
    if baselines.shape != phase.shape:
        arguments.refuse("bperp", f"of shape {baselines.shape}", f"{phase.shape}")
    return arguments.finite_or_nan(phase), baselines


def _columns(
    total: int, solve_ix: Array, day: Array, ifg_vcm: Array
) -> tuple[NDArray[np.int64], Doubles, Doubles]:
    """Return the columns to estimate from, and days and covariance of all."""
    days = arguments.doubles("day", day)
    arguments.length("day", days, total, "as the rows of ph_uw")
    covariance = arguments.covariance(ifg_vcm, total)
    return arguments.columns(solve_ix, total), days, covariance


def _interferograms(
    total: int, bperp: Array | None, day: Array | None, ifgday_ix: Array | None
) -> dict[str, Array]:
    """Return what the analysis in time has to know of the interferograms."""
    if bperp is None or day is None or ifgday_ix is None:
        cause = "mode space_time needs bperp, day and ifgday_ix"
        raise ValueError(cause)
    baselines, days = arguments.doubles("bperp", bperp), arguments.doubles("day", day)
    arguments.length("bperp", baselines, total, "as the rows of node_phase")
    pairs = arguments.image_pairs(ifgday_ix, total, len(days))
    arguments.finite("bperp", baselines)
    arguments.finite("day", days)
    return {"bperp": baselines, "day": days, "ifgday_ix": pairs}


def _search(n_trial_wraps: float | None) -> float:
    if n_trial_wraps is None:
        arguments.refuse("n_trial_wraps", None, "a number with la_error")
    return arguments.wraps(n_trial_wraps)
