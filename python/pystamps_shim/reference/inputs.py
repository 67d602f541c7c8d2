"""What the stages after the first read: one patch's files, checked against each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat
from pystamps_shim.reference.parameters import Parameters
from pystamps_shim.reference.stage1 import Array, Artefacts

_STAGE_FLAGS = 5


def read_variable(path: Path, name: str, stage: int) -> Array:
    """Read one array of a MATLAB file that `stage` writes.

    Raises
    ------
    PystampsError
        The file or the variable is missing, or it holds no numbers.
    """
    remedy = f"run stage {stage} on {path.parent}"
    if not path.exists():
        cause = f"{path}: not found"
        raise PystampsError(cause, remedy)
    stored = [variable.name for variable in mat.list_variables(path)]
    if name not in stored:
        cause = f"{path}: variable {name} not found, the file holds {', '.join(stored) or 'none'}"
        raise PystampsError(cause, remedy)
    value = mat.read_variable(path, name)
    if not isinstance(value, np.ndarray):
        cause = f"{path}: variable {name} is {type(value).__name__}, expected numbers"
        raise PystampsError(cause, remedy)
    return value


@dataclass(frozen=True)
class Patch:
    """One patch, or the merged dataset, at one version of its files.

    Attributes
    ----------
    folder
        Where the files are.
    version
        1 for candidates, 2 for PS.
    parameters
        Parameters as this folder sees them.
    ps
        Variables of ``psN.mat``.
    unwritten
        Files that are taken from memory, because they are not in the folder yet.
    """

    folder: Path
    version: int
    parameters: Parameters
    ps: dict[str, Array]
    unwritten: Artefacts = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path, version: int, unwritten: Artefacts | None = None) -> Patch:
        """Read the positions and parameters of a folder.

        Raises
        ------
        PystampsError
            A file or variable is missing, or the row counts of ``psN.mat`` differ.
        """
        stage = 1 if version == 1 else 4
        path = folder / f"ps{version}.mat"
        held = unwritten or {}
        if path.name in held:
            ps = held[path.name]
        else:
            read_variable(path, "n_ps", stage)
            ps = dict(mat.read(path))
        count = int(ps["n_ps"].item())
        patch = cls(folder, version, Parameters.read(folder), ps, held)
        for name, columns in (("ij", 3), ("xy", 3), ("lonlat", 2)):
            patch.check(path, name, patch.variable(name), (count, columns), stage)
        patch.check(path, "bperp", patch.variable("bperp").ravel(), (patch.n_ifg,), stage)
        return patch

    def path(self, name: str, version: int | None = None) -> Path:
        """Return the path of ``<name><version>.mat``."""
        return self.folder / f"{name}{self.version if version is None else version}.mat"

    def variable(self, name: str) -> Array:
        """Return a variable of ``psN.mat``."""
        if name not in self.ps:
            cause = f"{self.path('ps')}: variable {name} not found"
            raise PystampsError(cause, f"run stage 1 on {self.folder}")
        return self.ps[name]

    @property
    def n_ps(self) -> int:
        """Return the number of rows."""
        return int(self.variable("n_ps").item())

    @property
    def n_ifg(self) -> int:
        """Return the number of interferograms, with the master's slot for a single master."""
        return int(self.variable("n_ifg").item())

    @property
    def small_baseline(self) -> bool:
        """Tell whether this is a network of small baselines."""
        return self.parameters.small_baseline

    @property
    def master(self) -> int:
        """Return the master's column, counted from 0."""
        index = int(self.variable("master_ix").item()) - 1
        if not 0 <= index < self.n_ifg and not self.small_baseline:
            cause = f"{self.path('ps')}: master_ix is {index + 1}, expected 1 to {self.n_ifg}"
            raise PystampsError(cause, f"run stage 1 on {self.folder} again")
        return index

    @property
    def columns(self) -> int:
        """Return the interferograms that hold data."""
        return self.n_ifg if self.small_baseline else self.n_ifg - 1

    def without_master(self, values: Array) -> Array:
        """Drop the master's slot from the last axis (single master)."""
        return values if self.small_baseline else np.delete(values, self.master, axis=-1)

    def with_master(self, values: Array, filling: complex) -> Array:
        """Insert the master's slot into the last axis (single master)."""
        if self.small_baseline:
            return values
        return np.insert(values, self.master, values.dtype.type(filling), axis=-1)

    def bperp_m(self) -> Array:
        """Return the mean baselines without the master, [M] in their own precision."""
        return self.without_master(self.variable("bperp").ravel())

    def phase(self) -> NDArray[np.complex64]:
        """Return ``ph``, [N, Mi] complex64, master included."""
        values = self.rows("ph", "ph", self.n_ifg, 1 if self.version == 1 else 4)
        return values.astype(np.complex64)

    def baselines_m(self) -> Array:
        """Return ``bperp_mat``, [N, M] in its own precision."""
        return self.rows("bp", "bperp_mat", self.columns, 1 if self.version == 1 else 4)

    def rows(self, file: str, name: str, columns: int, stage: int) -> Array:
        """Return a variable that has one row for each of this patch's, its shape checked."""
        path = self.path(file)
        held = self.unwritten.get(path.name)
        values = read_variable(path, name, stage) if held is None else held[name]
        self.check(path, name, values, (self.n_ps, columns), stage)
        return values

    def optional_rows(self, file: str, name: str) -> Array | None:
        """Return a column that not every dataset has, None without its file or values."""
        path = self.path(file)
        if path.name in self.unwritten:
            return self.unwritten[path.name][name]
        if not path.exists():
            return None
        values = read_variable(path, name, 1)
        if values.size == 0 and self.n_ps:
            return None
        self.check(path, name, values.reshape(-1, 1), (self.n_ps, 1), 1)
        return values.reshape(-1, 1)

    def dropped(self) -> NDArray[np.intp]:
        """Return ``drop_ifg_index`` counted from 0, with the master's slot in the count."""
        numbers = self.parameters.numbers("drop_ifg_index")
        wrong = [n for n in numbers if n != int(n) or not 1 <= n <= self.n_ifg]
        if wrong:
            cause = (
                f"{self.parameters.path}: drop_ifg_index holds {wrong[0]:g}, expected whole "
                f"numbers from 1 to {self.n_ifg}"
            )
            raise PystampsError(cause, "set drop_ifg_index anew")
        return numbers.astype(np.intp) - 1

    def used(self) -> NDArray[np.intp]:
        """Return the interferograms that are not dropped, from 0, the master's slot included.

        Raises
        ------
        PystampsError
            Nothing is left.
        """
        kept = np.setdiff1d(np.arange(self.n_ifg), self.dropped())
        data = kept if self.small_baseline else kept[kept != self.master]
        if data.size == 0:
            cause = f"{self.parameters.path}: drop_ifg_index drops every interferogram"
            raise PystampsError(cause, "drop fewer")
        return kept

    def used_without_master(self) -> NDArray[np.intp]:
        """Return the same in the numbering without the master's slot."""
        kept = self.used()
        if self.small_baseline:
            return kept
        kept = kept[kept != self.master]
        return np.asarray(np.where(kept > self.master, kept - 1, kept), dtype=np.intp)

    def check(
        self, path: Path, name: str, values: Array, expected: tuple[int, ...], stage: int
    ) -> None:
        """Refuse an array of another shape."""
        if values.shape != expected:
            cause = f"{path}: variable {name} has shape {values.shape}, expected {expected}"
            raise PystampsError(cause, f"run stage {stage} on {self.folder} again")

    def bookkeeping(self, stage: int, *, empty: bool) -> Artefacts:
        """Return ``no_ps_info.mat`` after a stage: entry `stage` tells that no PS is left.

        A stage without input leaves nothing either; later entries are void and become 0.
        """
        path = self.folder / "no_ps_info.mat"
        flags = np.zeros((_STAGE_FLAGS, 1))
        if path.exists():
            flags[: stage - 1] = read_variable(path, "stamps_step_no_ps", 1)[: stage - 1]
        flags[stage - 1] = empty or flags[stage - 2] != 0
        return {"no_ps_info.mat": {"stamps_step_no_ps": flags}}
