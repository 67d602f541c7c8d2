"""The parameters of ``parms.mat`` the reference stages read and write."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pystamps_shim.errors import PystampsError
from pystamps_shim.io.mat import read_mat, write_mat
from pystamps_shim.reference.stage1 import Array


def is_small_baseline(root: Path) -> bool:
    """Tell whether ``small_baseline_flag`` of the dataset is ``y``."""
    path = root / "parms.mat"
    if not path.exists():
        cause = f"{path}: not found"
        raise PystampsError(cause, "run the preparation, which writes it")
    flag = read_mat(path, names=["small_baseline_flag"]).get("small_baseline_flag", "n")
    return str(np.asarray(flag).item()).lower() == "y"


def update_parameters(path: Path, additions: dict[str, Array]) -> None:
    """Set parameters in ``parms.mat``, keeping every other one (setparm with flag 1)."""
    values = dict(read_mat(path)) if path.exists() else {}
    write_mat(path, {**values, **additions})
