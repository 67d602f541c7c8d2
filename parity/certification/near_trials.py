"""How many candidates of stage 2 had a choice that rounding decides.

The fit starts from the trial slope of highest coherence. Where two are nearly equal it may start
from either, and K ends elsewhere at the same coherence (stage2.md 4); filtering spreads that to
neighbours in later iterations.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from parity.certification.results import Results
from parity.near_ties import OTHER_SLOPE_RAD_PER_M, FittedPhase
from parity.readers import read_mat_file


def trial_notes(results: Results) -> Iterator[str]:
    """Yield for every patch how many candidates had such a choice, and how many slopes differ."""
    for (place, file), originals in results.originals.items():
        if file != "pm1.mat":
            continue
        folder = results.workspace.dataset / place
        fitted = _fitted(results, folder.name, float(originals["n_trial_wraps"].values.item()))
        ties = fitted.near_ties(originals["ph_patch"].values)
        found, want = (
            side["K_ps"].values.ravel() for side in (results.ours[place, file], originals)
        )
        with np.errstate(invalid="ignore"):
            other = np.abs(found - want) > OTHER_SLOPE_RAD_PER_M
        yield (
            f"{place}: {int(ties.sum())} of {ties.size} candidates have two nearly equal trials in"
            f" the last iteration; {int(other.sum())} slopes differ by more than"
            f" {OTHER_SLOPE_RAD_PER_M:g} rad/m"
        )


def _fitted(results: Results, place: str, n_trial_wraps: float) -> FittedPhase:
    """Return the phase that the candidates of a patch are fitted to, without the master's."""
    folder = results.workspace.dataset / place
    phase = read_mat_file(folder / "ph1.mat")["ph"].values
    if not results.small_baseline:
        master = int(read_mat_file(folder / "ps1.mat")["master_ix"].values.item()) - 1
        phase = np.delete(phase, master, axis=1)
    modulus = np.abs(phase)
    unit = np.divide(phase, modulus, out=np.zeros_like(phase), where=modulus > 0)
    return FittedPhase(unit, read_mat_file(folder / "bp1.mat")["bperp_mat"].values, n_trial_wraps)
