"""From candidates to PS: the files of version 2 (stage4.md 6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.reference.inputs import Patch, read_variable
from pystamps_shim.reference.stage1 import Array, Artefacts

Doubles = NDArray[np.float64]

#: Columns that not every dataset has: file and variable.
OPTIONAL_COLUMNS = {"la": "la", "inc": "inc", "hgt": "hgt"}
#: Variables of ``ps1.mat`` that describe rows, and one that does not survive.
_ROWS = ("ij", "xy", "lonlat")
_ONLY_STAGE_1 = ("sort_ix",)


@dataclass(frozen=True)
class Selected:
    """The candidates that stage 3 kept, n2 of them.

    Attributes
    ----------
    rows
        [n2] rows among the candidates, from 0.
    slope_rad_per_m, offset_rad, coherence
        [n2] float64.
    residual_rad
        [n2, M] float32.
    """

    rows: NDArray[np.intp]
    slope_rad_per_m: Doubles
    offset_rad: Doubles
    coherence: Doubles
    residual_rad: Array

    @classmethod
    def read(cls, patch: Patch) -> Selected:
        """Read ``select1.mat`` and check its lengths."""
        path = patch.path("select")
        index = read_variable(path, "ix", 3).ravel()
        count = len(index)
        keep = read_variable(path, "keep_ix", 3).ravel().astype(bool)
        patch.check(path, "keep_ix", keep, (count,), 3)
        if count and not (index.min() >= 1 and index.max() <= patch.n_ps):
            wrong = next(row for row in index if not 1 <= row <= patch.n_ps)
            cause = f"{path}: ix refers to row {wrong:g}, expected 1 to {patch.n_ps}"
            raise PystampsError(cause, f"run stage 3 on {patch.folder} again")
        columns = []
        for name in ("K_ps2", "C_ps2", "coh_ps2"):
            values = read_variable(path, name, 3).ravel()
            patch.check(path, name, values, (count,), 3)
            columns.append(values[keep].astype(np.float64))
        residual = read_variable(path, "ph_res2", 3)
        patch.check(path, "ph_res2", residual, (count, patch.columns), 3)
        slope, offset, coherence = columns
        return cls(index[keep].astype(np.intp) - 1, slope, offset, coherence, residual[keep])


def promoted_files(patch: Patch, selected: Selected, weeded: NDArray[np.bool_]) -> Artefacts:
    """Return the files of version 2 for the PS left after weeding.

    Parameters
    ----------
    patch
        The candidates.
    selected
        What stage 3 kept.
    weeded
        [n2] bool, true for what stays.

    Returns
    -------
    ``ps2.mat``, ``ph2.mat``, ``pm2.mat``, ``bp2.mat``, those of ``la2``, ``inc2`` and ``hgt2``
    whose first version exists, and ``psver.mat``. Ids keep their numbers of version 1.
    """
    rows = selected.rows[weeded]
    ps2 = {name: value for name, value in patch.ps.items() if name not in _ONLY_STAGE_1}
    for name in _ROWS:
        ps2[name] = patch.variable(name)[rows]
    ps2["n_ps"] = np.array([[float(len(rows))]])
    column = (-1, 1)
    files: Artefacts = {
        "ps2.mat": ps2,
        "ph2.mat": {"ph": patch.phase()[rows]},
        "pm2.mat": {
            "ph_patch": patch.rows("pm", "ph_patch", patch.columns, 2)[rows],
            "ph_res": selected.residual_rad[weeded],
            "K_ps": selected.slope_rad_per_m[weeded].reshape(column),
            "C_ps": selected.offset_rad[weeded].reshape(column),
            "coh_ps": selected.coherence[weeded].reshape(column),
        },
        "bp2.mat": {"bperp_mat": patch.baselines_m()[rows]},
        "psver.mat": {"psver": np.array([[2.0]])},
    }
    for file, name in OPTIONAL_COLUMNS.items():
        values = patch.optional_rows(file, name)
        if values is not None:
            files[f"{file}2.mat"] = {name: values[rows]}
    return files
