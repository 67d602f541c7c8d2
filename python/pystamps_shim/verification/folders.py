"""What a dataset folder consists of: patches, kind, wavelength."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.verification.reading import Reader
from pystamps_shim.verification.variables import MatVariable

#: The two sides of a comparison, as messages and options call them.
SIDES = ("dataset", "reference")
_REMEDY = "a dataset has patch.list or PATCH_* folders, or the merged files (ps2.mat, …)"


@dataclass(frozen=True)
class DatasetFolder:
    """A dataset as it lies on disk.

    Attributes
    ----------
    root
        Its folder.
    patches
        Names of the patch folders that exist, in the order of processing.
    reader
        Reads its files.
    """

    root: Path
    patches: tuple[str, ...]
    reader: Reader

    @classmethod
    def open(cls, root: Path, role: str, reader: Reader) -> DatasetFolder:
        """Find the patches of a folder; `role` (``dataset``, ``reference``) is for messages.

        Raises
        ------
        PystampsError
            There is no such folder, it is no dataset, or ``patch.list`` leads out of it.
        """
        if not root.is_dir():
            cause = f"{root}: no such folder"
            raise PystampsError(cause, f"correct --{role}", ExitCode.USAGE)
        listed = root / "patch.list"
        names = _listed(listed) if listed.is_file() else _numbered(root)
        patches = tuple(name for name in names if (root / name).is_dir())
        if not (listed.is_file() or patches or any(root.glob("*.mat"))):
            cause = f"{root} is not a dataset"
            raise PystampsError(cause, _REMEDY, ExitCode.USAGE)
        return cls(root, patches, reader)

    def small_baseline(self) -> bool | None:
        """Tell whether it is a network of small baselines; None if it does not say."""
        flag = self._parameter("small_baseline_flag")
        return None if flag is None else str(flag.values).lower() == "y"

    def wavelength_m(self) -> float | None:
        """Return the radar wavelength, None if the parameters do not hold it."""
        stored = self._parameter("lambda")
        value = np.empty(0) if stored is None else stored.values
        return float(value.item()) if value.dtype.kind == "f" and value.size == 1 else None

    def _parameter(self, name: str) -> MatVariable | None:
        try:
            return self.reader.variable(self.root / "parms.mat", name)
        except (PystampsError, OSError, KeyError):
            # That the file cannot be read, or is missing on one side, is a result of its own.
            return None


def _listed(path: Path) -> list[str]:
    """Return the entries of ``patch.list``; comments and blank lines do not count."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except ValueError as error:
        cause = f"{path}: is no text ({error})"
        raise PystampsError(cause, "write it again") from error
    names = [line.strip() for line in lines]
    names = [name for name in names if name and not name.startswith("#")]
    for name in names:
        inside = (path.parent / name).resolve().parent == path.parent.resolve()
        if Path(name).name != name or name == ".." or not inside:
            cause = f"{path}: '{name}' is no folder directly inside the dataset"
            raise PystampsError(cause, "name one patch folder a line, such as PATCH_1")
    return list(dict.fromkeys(names))


def _numbered(root: Path) -> list[str]:
    found = [path.name for path in root.glob("PATCH_*") if re.fullmatch(r"PATCH_\d+", path.name)]
    return sorted(found, key=lambda name: int(name.removeprefix("PATCH_")))
