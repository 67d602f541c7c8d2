"""The coherence that random phases reach, the yardstick of the candidates' (stage2.md 3)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat
from pystamps_shim.kernels.chosen import stage2_histogram, stage2_topofit_coh_row_invariant
from pystamps_shim.kernels.random_numbers import RandomEngine, uniform_matrix
from pystamps_shim.reference.stage1 import Array

Doubles = NDArray[np.float64]

#: Centres of the 100 coherence bins.
COHERENCE_BINS: Doubles = np.asarray(0.005 + 0.01 * np.arange(100), dtype=np.float64)
RANDOM_ROWS = 300_000
_SEED = 2005
_BLOCK = 20_000
_REMEDY = "give a file with Nr and Nr_max_nz_ix, or with coh_rand"


@dataclass(frozen=True)
class RandomHistogram:
    """Counts of random coherence.

    Attributes
    ----------
    counts
        [100] float64.
    last_bin
        Number, from 1, of the last bin that random phases reach.
    """

    counts: Doubles
    last_bin: int

    @classmethod
    def of(cls, coherence: Doubles) -> RandomHistogram:
        """Count coherences."""
        counts = stage2_histogram(coherence, COHERENCE_BINS)
        return cls(counts, int(np.flatnonzero(counts)[-1]) + 1 if counts.any() else 0)

    @classmethod
    def read(cls, path: Path) -> RandomHistogram:
        """Read ``Nr`` and ``Nr_max_nz_ix``, or count ``coh_rand``.

        Raises
        ------
        PystampsError
            The file is missing or holds neither.
        """
        if not path.exists():
            cause = f"{path}: not found"
            raise PystampsError(cause, _REMEDY)
        names = {variable.name for variable in mat.list_variables(path)}
        if "coh_rand" in names:
            return cls.of(np.asarray(mat.read_variable(path, "coh_rand"), dtype=np.float64))
        if not {"Nr", "Nr_max_nz_ix"} <= names:
            cause = f"{path}: holds {', '.join(sorted(names))}"
            raise PystampsError(cause, _REMEDY)
        counts = np.asarray(mat.read_variable(path, "Nr"), dtype=np.float64).ravel()
        if counts.size != COHERENCE_BINS.size:
            cause = f"{path}: Nr holds {counts.size} counts, expected {COHERENCE_BINS.size}"
            raise PystampsError(cause, _REMEDY)
        return cls(counts, int(mat.read_variable(path, "Nr_max_nz_ix").item()))


def random_coherence(
    engine: RandomEngine,
    bperp_m: Array,
    n_trial_wraps: float,
    pairs: NDArray[np.intp] | None = None,
    images: int = 0,
) -> Doubles:
    """Return the coherence of 300,000 rows of uniformly random phases.

    Parameters
    ----------
    engine
        Whose random numbers.
    bperp_m
        [M] mean baselines without the master.
    n_trial_wraps
        As for the candidates.
    pairs
        [M, 2] images of each interferogram, from 0, for small baselines: the phase is then the
        difference of random image phases, which closes triangles as real phase does.
    images
        Number of images (small baselines).

    Returns
    -------
    [300000] float64.
    """
    columns = images if pairs is not None else bperp_m.size
    draws = uniform_matrix(engine, _SEED, RANDOM_ROWS, columns)
    coherence = np.empty(RANDOM_ROWS)
    for begin in range(0, RANDOM_ROWS, _BLOCK):
        rows = slice(begin, begin + _BLOCK)
        phase_rad = 2 * np.pi * draws[rows]
        if pairs is not None:
            phase_rad = phase_rad[:, pairs[:, 1]] - phase_rad[:, pairs[:, 0]]
        phasors = np.exp(1j * phase_rad)
        coherence[rows] = stage2_topofit_coh_row_invariant(phasors, bperp_m, n_trial_wraps)
    return coherence
