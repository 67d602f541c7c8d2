"""The parameters of ``parms.mat`` the reference stages read and write."""

from __future__ import annotations

from pathlib import Path

from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat
from pystamps_shim.reference.stage1 import Array


def is_small_baseline(root: Path) -> bool:
    """Tell whether ``small_baseline_flag`` of the dataset is ``y``."""
    path = root / "parms.mat"
    if not path.exists():
        cause = f"{path}: not found"
        raise PystampsError(cause, "run the preparation, which writes it")
    return str(mat.read(path).get("small_baseline_flag", "n")).lower() == "y"


def update_parameters(path: Path, additions: dict[str, Array]) -> None:
    """Set parameters in ``parms.mat``, keeping every other one (setparm with flag 1)."""
    values = dict(mat.read(path)) if path.exists() else {}
    mat.write(path, {**values, **additions})
