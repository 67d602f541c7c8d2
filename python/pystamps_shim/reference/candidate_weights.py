"""How much each candidate counts in the next iteration's patch phase (stage2.md 6)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.kernels.chosen import stage2_histogram
from pystamps_shim.kernels.interpolation import interpolate
from pystamps_shim.kernels.windows import gauss_window
from pystamps_shim.reference.random_coherence import COHERENCE_BINS, RandomHistogram

Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]

_SMOOTHING_TAPS = 7
_FACTOR = 10


def low_coherence_bins(*, small_baseline: bool) -> int:
    """Return how many of the first bins hold next to no PS, only decorrelated candidates."""
    return 15 if small_baseline else 31


def scaled_to_low_coherence(counts: Doubles, observed: Doubles, low_bins: int) -> Doubles:
    """Scale random counts so that their low bins hold as many as those observed."""
    total = counts[:low_bins].sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(counts * observed[:low_bins].sum() / total)


def probability_of_random(
    coherence: Doubles, random: RandomHistogram, low_bins: int
) -> tuple[Doubles, RandomHistogram]:
    """Return the probability that a coherence is one of random phase, and the scaled histogram.

    Parameters
    ----------
    coherence
        [N] coherence of the candidates.
    random
        Counts of random phase, scaled or not.
    low_bins
        Bins taken as random throughout.

    Returns
    -------
    [1001] float64 for the coherences 0, 0.001, ... 1. May leave [0, 1] slightly, because the
    interpolation overshoots. It is smoothed from one side only and thus three bins late.

    Raises
    ------
    PystampsError
        Nothing to scale by: no candidate, or no random phase, has low coherence.
    """
    observed = stage2_histogram(coherence, COHERENCE_BINS)
    limit = low_bins / 100
    remedy = "process more candidates or more interferograms"
    if not random.counts[:low_bins].sum():
        cause = f"Nr: no random phase has a coherence up to {limit:g}: too few interferograms"
        raise PystampsError(cause, remedy)
    if not observed[:low_bins].sum():
        cause = f"coh_ps: no candidate has a coherence up to {limit:g}"
        raise PystampsError(cause, remedy)
    scaled = scaled_to_low_coherence(random.counts, observed, low_bins)
    ratio = scaled / np.where(observed == 0, 1, observed)
    ratio[:low_bins] = 1
    ratio[random.last_bin :] = 0
    ratio = np.minimum(ratio, 1)
    taps = gauss_window(_SMOOTHING_TAPS)
    preceded = np.concatenate([np.ones(_SMOOTHING_TAPS), ratio])
    smoothed = np.convolve(preceded, taps)[_SMOOTHING_TAPS : len(preceded)] / taps.sum()
    fine = interpolate(np.concatenate([[1.0], smoothed]), _FACTOR)
    return fine[: 1 - _FACTOR], RandomHistogram(scaled, random.last_bin)


def weights_from_probability(coherence: Doubles, probability: Doubles) -> Doubles:
    """Return ``(1 - P)^2`` at each coherence rounded to thousandths, halves upwards."""
    places = np.floor(1000 * coherence + 0.5).astype(np.intp)
    return np.asarray((1 - probability[places]) ** 2)


def weights_from_signal_to_noise(amplitude: Singles, residual_rad: Singles) -> Doubles:
    """Return the ratio of the coherent to the incoherent amplitude, in single precision.

    Parameters
    ----------
    amplitude
        [N, M] modulus of the phasors.
    residual_rad
        [N, M] residual phase.

    Returns
    -------
    [N] float64; 0 where there is no noise.
    """
    signal = (amplitude * np.cos(residual_rad)).mean(axis=1, dtype=np.float32)
    power = (amplitude**2).mean(axis=1, dtype=np.float32)
    # Rounding may leave a little less than nothing.
    variance = np.float32(0.5) * (power - signal**2)
    noise = np.sqrt(np.where(variance > 0, variance, np.inf))
    return np.asarray(signal / noise, dtype=np.float64)
