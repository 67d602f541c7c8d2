"""One iteration of stage 2 against the original's, near ties counted apart.

A candidate whose two best trial slopes have nearly equal coherence may start its fit from either;
K then differs by up to 1e-4 rad/m at the same coherence (stage2.md 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.compare import Report
from parity.readers import read_mat_file
from parity.stages import in_memory
from pystamps_shim.kernels.topofit import trial_margin
from pystamps_shim.verification.comparators import compare_variable
from pystamps_shim.verification.contracts import load_contract

Array = NDArray[Any]

#: Coherence by which the best trial must exceed the second for K to be comparable.
LEAST_MARGIN = 1e-5
#: Difference of slopes that rounding of single precision does not explain, rad/m.
OTHER_SLOPE_RAD_PER_M = 1e-5
#: What one iteration finds, by the original's names.
ITERATION_RESULTS = ("K_ps", "C_ps", "coh_ps", "ph_patch", "ph_res", "ph_weight", "ph_grid")


@dataclass(frozen=True)
class FittedPhase:
    """What the candidates' fits start from.

    Attributes
    ----------
    phase
        [N, M] complex without master, of any modulus.
    bperp_m
        [N, M].
    n_trial_wraps
        As stored in ``pm1.mat``.
    """

    phase: Array
    bperp_m: Array
    n_trial_wraps: float

    def near_ties(self, patch_phase: Array) -> Array:
        """Tell which candidates have two trials of nearly equal coherence, [N] bool."""
        deviation = np.asarray(self.phase * np.conj(patch_phase))
        margin = trial_margin(deviation, self.bperp_m, self.n_trial_wraps)
        return np.asarray(margin < LEAST_MARGIN)


def compare_iteration(reference: Path, results: Mapping[str, Array], fitted: FittedPhase) -> Report:
    """Compare one iteration with the original's state after it.

    Parameters
    ----------
    reference
        ``oracle_iter*.mat`` or ``pm1.mat``.
    results
        At least `ITERATION_RESULTS`.
    fitted
        The candidates.

    Returns
    -------
    Report by the profile ``one_iteration``. K of near ties is left out; a note counts them and
    those whose K differs.
    """
    stored = read_mat_file(reference)
    contract = load_contract(2, profile="one_iteration")[0]
    ties = fitted.near_ties(stored["ph_patch"].values)
    found, want = results["K_ps"].ravel(), stored["K_ps"].values.ravel()
    report = Report()
    for variable in contract.variables:
        if variable.name not in ITERATION_RESULTS:
            continue
        values = results[variable.name]
        if variable.name == "K_ps":
            values = np.where(ties, want, found).reshape(-1, 1)
        problem = compare_variable(variable, stored[variable.name], in_memory(values))
        report.check(f"{reference}:{variable.name}", problem)
    differing = int((np.abs(found - want)[ties] > OTHER_SLOPE_RAD_PER_M).sum())
    report.notes.append(
        f"{int(ties.sum())} of {len(ties)} candidates are near ties; K of {differing} differs"
    )
    return report
