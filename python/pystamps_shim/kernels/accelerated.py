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

Array = NDArray[Any]
Doubles = NDArray[np.float64]
Fit = tuple[Doubles, Doubles, Doubles, NDArray[np.float32]]
Backend = Literal["auto", "native", "numpy"]

#: The kernels that can be called here, by name.
KERNELS = (
    "stage2_grid_accumulate",
    "stage2_histogram",
    "stage2_topofit",
    "stage2_topofit_row_invariant",
    "stage2_topofit_coh_row_invariant",
)

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
