"""What each product is the sum of: one table (products.md 2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pystamps_shim.errors import ExitCode, PystampsError


class Term(StrEnum):
    """What is subtracted from the phase, by its letter in the name of a product."""

    SLOPE = "d"  #: scla2.ph_scla, what is proportional to the baseline
    MASTER = "m"  #: scla2.C_ps_uw, the master's own atmosphere
    TROPOSPHERE = "a"  #: the correction of another program
    ATMOSPHERE = "s"  #: scn2.ph_scn_slave, the other image's
    RAMP = "o"  #: fitted to what the other terms leave


@dataclass(frozen=True)
class Recipe:
    """How a product is made.

    Attributes
    ----------
    base
        What it starts from, or is.
    pairs
        Whether that is of the interferograms of small baselines, not of images.
    terms
        What is subtracted, in this order.
    """

    base: str
    pairs: bool
    terms: tuple[Term, ...]


#: Combinations of letters that each base takes, in the order StaMPS has them.
_V = ("", "d", "o", "do", "s", "so", "ds", "dso", "a", "ao", "da", "dao")
_SUFFIXES = {
    "hgt": ("",),
    "p": ("",),
    "w": ("", "a", "d", "o", "do", "dm", "dmo", "da"),
    "u": ("", "d", "m", "o", "a", "s", "dm", "do", "da", "ao", "dmo", "dms", "dmos", "dao"),
    "usb": ("", "d", "o", "do", "a", "ao", "da", "dao"),
    "rsb": ("", "o"),
    "d": ("",),
    "m": ("",),
    "o": ("",),
    "s": ("",),
    "a": ("", "o"),
    "asb": ("", "o"),
    "v": _V,
    "vs": ("", "d", "o", "a", "ao", "do", "da", "dao"),
    "vdrop": _V,
    "ts": _V,
}
#: Of small-baseline interferograms; with a capital V or D of the series of images instead.
_OF_PAIRS = ("w", "p", "usb", "rsb", "asb", "d", "v", "vs", "vdrop")
_ONLY_OF_PAIRS = ("usb", "rsb", "asb")


def recipe_of(value: str, *, small_baseline: bool) -> Recipe:
    """Return how a product is made.

    Parameters
    ----------
    value
        Its name, such as ``v-do``.
    small_baseline
        Kind of dataset.

    Raises
    ------
    PystampsError
        There is no such product, or not for this kind of dataset.

    Notes
    -----
    StaMPS compatibility: the value types of ``ps_plot`` without the ionosphere's and the tides',
    and as a product of its own ``ts``, the series that ``ps_plot`` makes on request. A velocity of
    images is less the master's atmosphere in ``v-d``; that acts on its offset alone. The ramp is
    fitted last, but by ``vs-dao`` before the tropospheric correction is subtracted.
    """
    base, _, letters = value.partition("-")
    images = base[:1] in ("V", "D")
    base, letters = base.lower(), letters.lower()
    if base not in _SUFFIXES or value.endswith("-"):
        cause = f"there is no product '{value}'"
        raise PystampsError(cause, f"choose one of {', '.join(_SUFFIXES)}", ExitCode.USAGE)
    if letters not in _SUFFIXES[base]:
        known = ", ".join(f"{base}-{suffix}" if suffix else base for suffix in _SUFFIXES[base])
        cause = f"there is no product '{value}'"
        raise PystampsError(cause, f"choose one of {known}", ExitCode.USAGE)
    pairs = small_baseline and base in _OF_PAIRS and not images
    terms = tuple(Term(letter) for letter in letters)
    if base in _ONLY_OF_PAIRS and not small_baseline:
        cause = f"product '{value}' is of small baselines, which this dataset is not"
        raise PystampsError(cause, f"choose '{base[0] if base != 'rsb' else 'u'}'", ExitCode.USAGE)
    if pairs and Term.ATMOSPHERE in terms:
        cause = f"product '{value}' does not exist for small baselines: the filter is of images"
        raise PystampsError(cause, f"choose 'V-{letters}'", ExitCode.USAGE)
    return Recipe(base, pairs, _in_order(base, terms))


def _in_order(base: str, terms: tuple[Term, ...]) -> tuple[Term, ...]:
    if base in ("v", "vdrop") and terms == (Term.SLOPE,):
        return (Term.SLOPE, Term.MASTER)
    if base == "ts" and Term.MASTER not in terms:
        terms = (*terms, Term.MASTER)
    if base == "vs" and set(terms) == {Term.SLOPE, Term.RAMP, Term.TROPOSPHERE}:
        return (Term.SLOPE, Term.RAMP, Term.TROPOSPHERE)
    last = (Term.RAMP,) if Term.RAMP in terms else ()
    return (*(term for term in terms if term is not Term.RAMP), *last)
