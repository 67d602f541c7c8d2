"""The kernels as the Python stages call them: NumPy's, unless another backend was chosen by name.

The choice holds for the whole process. It is made once, before a stage begins.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

from pystamps_shim.kernels import accelerated, numpy_backend

P = ParamSpec("P")
R = TypeVar("R")

_BACKENDS: dict[str, str] = {}


def choose_backends(overrides: Mapping[str, str]) -> None:
    """Choose backends by kernel, in place of an earlier choice.

    Raises
    ------
    PystampsError
        No such kernel or no such backend; the earlier choice is left as it was. Whether the backend
        can run here is found out by the first kernel that is called.
    """
    for kernel, backend in overrides.items():
        accelerated.check_names(kernel, backend)
    _BACKENDS.clear()
    _BACKENDS.update(overrides)


def _by_choice(function: Callable[P, R]) -> Callable[P, R]:
    name = function.__name__

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        backend = _BACKENDS.get(name, "numpy")
        if backend == "numpy":
            return function(*args, **kwargs)
        result: R = getattr(accelerated, name)(*args, **kwargs, backend=backend)
        return result

    return call


stage2_grid_accumulate = _by_choice(numpy_backend.stage2_grid_accumulate)
stage2_histogram = _by_choice(numpy_backend.stage2_histogram)
stage2_topofit = _by_choice(numpy_backend.stage2_topofit)
stage2_topofit_coh_row_invariant = _by_choice(numpy_backend.stage2_topofit_coh_row_invariant)
stage4_edge_stats = _by_choice(numpy_backend.stage4_edge_stats)
stage7_scla = _by_choice(numpy_backend.stage7_scla)
