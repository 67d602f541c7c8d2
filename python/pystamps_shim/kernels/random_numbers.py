"""The uniform random numbers of MATLAB's legacy generator and of Octave (stage2.md 3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import ExitCode, PystampsError

Doubles = NDArray[np.float64]
Words = NDArray[np.uint32]
RandomEngine = Literal["matlab", "octave"]

_STATE_SIZE = 32
_LONG_LAG, _SHORT_LAG = 27, 12
_UNIT = 2.0**-53
_MANTISSA = np.uint64(2**52 - 1)
_BLOCK = 1 << 16


def uniform_matrix(engine: RandomEngine, seed: int, rows: int, columns: int) -> Doubles:
    """Return a matrix of uniform draws from (0, 1), filled column by column.

    Parameters
    ----------
    engine
        ``matlab``: the generator selected by ``rand('state', seed)`` in MATLAB. ``octave``: the
        one that the same call selects in Octave.
    seed
        Seed of the generator, 0 to 2^32 - 1.

    Returns
    -------
    [rows, columns] float64 in Fortran order.

    Raises
    ------
    PystampsError
        No such engine.
    """
    count = rows * columns
    if engine == "octave":
        draws = np.random.RandomState([seed]).random_sample(count)
    elif engine == "matlab":
        draws = matlab_uniform(seed, count)
    else:
        cause = f"random engine '{engine}' is not known"
        raise PystampsError(cause, "choose 'matlab' or 'octave'", ExitCode.USAGE)
    return draws.reshape((rows, columns), order="F")


def matlab_uniform(seed: int, count: int) -> Doubles:
    """Return `count` draws of MATLAB's subtract-with-borrow generator.

    Every value of the lagged subtraction has its mantissa mixed with a 32-bit shift-register
    sequence.

    Returns
    -------
    [count] float64.
    """
    state, register = _seeded_state(seed)
    words = _register_sequence(register, count + 1)
    low, high = words[:-1].astype(np.uint64), words[1:].astype(np.uint64)
    mask = ((high << np.uint64(32)) & _MANTISSA) ^ low
    subtracted = np.concatenate([np.empty(0), *_subtract_with_borrow(state, count)])
    mixed = (subtracted.view(np.uint64) ^ mask).view(np.float64)
    return np.where(subtracted == 0, mask * _UNIT, mixed)


def _subtract_with_borrow(state: list[float], count: int) -> Iterator[Doubles]:
    """Yield blocks of x[n] = x[n-12] - x[n-27] - borrow, modulo 1.

    Each draw needs the borrow of the one before, hence the plain loop.
    """
    history, borrow = state, 0.0
    for begin in range(0, count, _BLOCK):
        length = min(_BLOCK, count - begin)
        values = history
        for place in range(_STATE_SIZE, _STATE_SIZE + length):
            value = values[place - _SHORT_LAG] - values[place - _LONG_LAG] - borrow
            if value < 0:
                value += 1.0
                borrow = _UNIT
            else:
                borrow = 0.0
            values.append(value)
        yield np.array(values[_STATE_SIZE:])
        history = values[-_STATE_SIZE:]


def _seeded_state(seed: int) -> tuple[list[float], int]:
    """Return the 32 initial values and the register: bit 19 of 53 words makes a value."""
    register = seed or 1 << 31
    words = _register_sequence(register, 1 + 53 * _STATE_SIZE)[1:]
    bits = ((words >> np.uint32(19)) & np.uint32(1)).reshape(_STATE_SIZE, 53).astype(np.uint64)
    whole = (bits << np.arange(52, -1, -1).astype(np.uint64)).sum(axis=1, dtype=np.uint64)
    return [float(value) * _UNIT for value in whole.tolist()], register


def _register_sequence(first: int, count: int) -> Words:
    """Return `first` and what the shift register makes of it, `count` words.

    The step is linear over bits, so a sequence of n words is doubled by applying the n-th power
    of the step to it.
    """
    sequence = np.array([first], dtype=np.uint32)
    images = _step(np.uint32(1) << np.arange(32, dtype=np.uint32))
    while len(sequence) < count:
        sequence = np.concatenate([sequence, _apply(images, sequence)])
        images = _apply(images, images)
    return sequence[:count]


def _step(words: Words) -> Words:
    words = words ^ (words << np.uint32(13))
    words = words ^ (words >> np.uint32(17))
    return words ^ (words << np.uint32(5))


def _apply(images: Words, words: Words) -> Words:
    """Apply a bit-linear map, given by its images of the 32 single bits."""
    result = np.zeros_like(words)
    for bit, image in enumerate(images):
        result ^= ((words >> np.uint32(bit)) & np.uint32(1)) * image
    return result
