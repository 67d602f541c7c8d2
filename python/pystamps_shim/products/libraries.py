"""The libraries that exports need, and how to get them."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from pystamps_shim.errors import PystampsError

#: Submodules that are part of a library as we use it.
_PARTS = {
    "pyarrow": ("compute", "csv", "parquet"),
    "pyogrio": ("raw", "errors"),
    "rasterio": ("errors",),
}


def import_library(name: str) -> Any:
    """Import an optional library.

    Raises
    ------
    PystampsError
        It is missing: what to install.
    """
    try:
        module: ModuleType = importlib.import_module(name)
        for part in _PARTS.get(name, ()):
            importlib.import_module(f"{name}.{part}")
    except ImportError as error:
        cause = f"this needs {name} ({error})"
        remedy = f"pip install {name} (the extra [export] has all of them), then run it again"
        raise PystampsError(cause, remedy) from error
    return module
