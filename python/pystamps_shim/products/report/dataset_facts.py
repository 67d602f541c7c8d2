"""What a dataset's folder tells beside its products: the run, the noise, the unwrapping."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat
from pystamps_shim.products.figures.network import Network
from pystamps_shim.products.measurements import Doubles, Layer
from pystamps_shim.reference.inputs import Patch

_TIMEOUT_S = 60
_ROWS = 16_384


@dataclass(frozen=True)
class Stage:
    """One stage of the last run, its patches together.

    Attributes
    ----------
    number, scope
        Such as 5 and ``merged``.
    targets
        Patches, or 1.
    status
        Its statuses, each once.
    seconds
        Sum over the targets; None where nothing was computed.
    peak_memory_bytes
        Largest of any target; None where not known.
    """

    number: int
    scope: str
    targets: int
    status: str
    seconds: float | None
    peak_memory_bytes: int | None


@dataclass(frozen=True)
class Noise:
    """Noise of the interferograms.

    Attributes
    ----------
    labels
        Date or pair of dates, [K], as figures have them; a single master's own slot is none.
    std_deg
        Standard deviation of the phase, [K].
    dropped
        Interferograms that ``drop_ifg_index`` leaves out, [K].
    numbers
        How ``drop_ifg_index`` counts them, [K], from 1.
    """

    labels: tuple[str, ...]
    std_deg: Doubles
    dropped: NDArray[np.bool_]
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Closure:
    """What small baselines leave after they became images; [M] pairs.

    Attributes
    ----------
    labels
        Pairs of dates, [M].
    rms_rad
        Root mean square residual, [M].
    share_beyond
        Share of the PS whose residual exceeds half a cycle: closed to another cycle, [M].
    share_of_all
        Share of all residuals, of all pairs together; NaN without any.
    """

    labels: tuple[str, ...]
    rms_rad: Doubles
    share_beyond: Doubles
    share_of_all: float


@dataclass(frozen=True)
class Facts:
    """All of it; None where the folder does not tell.

    Attributes
    ----------
    stages
        Of the last run.
    noise
        Of the interferograms.
    closure
        Small baselines only.
    unwrapping
        ``uw_solver.json`` as it stands.
    scopes
        Of ``pystamps-native readiness``.
    """

    stages: tuple[Stage, ...] | None = None
    noise: Noise | None = None
    closure: Closure | None = None
    unwrapping: dict[str, Any] | None = None
    scopes: tuple[dict[str, Any], ...] = field(default=())


def facts_of(dataset: Patch, program: Sequence[str], residual: Layer | None) -> Facts:
    """Return what the folder tells.

    Parameters
    ----------
    dataset
        Merged dataset.
    program
        How to start the native program.
    residual
        Product ``rsb`` of small baselines; None without.
    """
    return Facts(
        stages=stages_of(dataset.folder / ".pystamps" / "report.json"),
        noise=noise_of(dataset),
        closure=None if residual is None else closure_of(residual),
        unwrapping=_json(dataset.folder / "uw_solver.json"),
        scopes=_scopes(program),
    )


def stages_of(path: Path) -> tuple[Stage, ...] | None:
    """Return the stages of the last run; None where no report of it is there."""
    report = _json(path)
    results = (report or {}).get("results")
    if not isinstance(results, list) or not results:
        return None
    groups: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for each in results:
        groups.setdefault((int(each["stage_id"]), str(each["scope"])), []).append(each)
    return tuple(_stage(key, groups[key]) for key in sorted(groups, key=_place))


def _place(key: tuple[int, str]) -> tuple[int, bool]:
    return key[0], key[1] == "merged"


def _stage(key: tuple[int, str], results: list[dict[str, Any]]) -> Stage:
    ran = [each for each in results if each.get("status") == "completed"]
    seconds = [float(each["duration_sec"]) for each in ran if each.get("duration_sec") is not None]
    memory = [int(each["memory_peak_bytes"]) for each in ran if each.get("memory_peak_bytes")]
    status = ", ".join(sorted({str(each.get("status")).replace("_", " ") for each in results}))
    total = sum(seconds) if seconds else None
    return Stage(*key, len(results), status, total, max(memory, default=None))


def noise_of(dataset: Patch) -> Noise | None:
    """Return the noise that stage 5 has estimated; None without it, or of another shape."""
    path = dataset.path("ifgstd")
    if not path.is_file() or "ifg_std" not in {each.name for each in mat.list_variables(path)}:
        return None
    std_deg = np.asarray(mat.read_variable(path, "ifg_std"), dtype=np.float64).ravel()
    try:
        network = Network.of(dataset)
        if std_deg.size != dataset.n_ifg:
            return None
    except PystampsError:
        return None
    columns = network.columns
    numbers = tuple(int(each) + 1 for each in columns)
    return Noise(tuple(network.labels()), std_deg[columns], network.dropped, numbers)


def closure_of(residual: Layer) -> Closure:
    """Return the statistics of residual phase, read in blocks; NaN counts for nothing."""
    values = residual.values
    square, beyond, count = (np.zeros(values.shape[1]) for _ in range(3))
    for first in range(0, len(values), _ROWS):
        block = np.asarray(values[first : first + _ROWS], dtype=np.float64)
        known = np.isfinite(block)
        block = np.where(known, block, 0.0)
        square += (block**2).sum(axis=0)
        beyond += (np.abs(block) > np.pi).sum(axis=0)
        count += known.sum(axis=0)
    share_of_all = float(beyond.sum() / count.sum()) if count.any() else float("nan")
    count = np.where(count > 0, count, np.nan)
    return Closure(residual.labels, np.sqrt(square / count), beyond / count, share_of_all)


def _scopes(program: Sequence[str]) -> tuple[dict[str, Any], ...]:
    command = [*program, "readiness", "--json"]
    try:
        told = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=_TIMEOUT_S
        )
        return tuple(json.loads(told.stdout)["scopes"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return ()


def _json(path: Path) -> dict[str, Any] | None:
    """Return a file of JSON; None where there is none, or it is damaged."""
    with suppress(OSError, ValueError):
        value = json.loads(path.read_text(encoding="utf-8"))
        return value if isinstance(value, dict) else None
    return None
