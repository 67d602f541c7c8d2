"""Our results spoilt on purpose: whatever is changed, certification has to notice.

Values are not changed by what a contract allows plus a little, but to what they could be by
mistake: an element gets the value of another one, at the usual distance between two of them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.certification.relations import relations_of
from parity.certification.results import Pair, Place, Results, Variables
from parity.comparison import Symbols, compare_contents, compare_one, compare_variables
from parity.readers import read_mat_file
from pystamps_shim.verification.contracts import FilePolicy, Policy, VariableContract
from pystamps_shim.verification.variables import MatVariable

Array = NDArray[Any]

#: Changes of values: those of class, shape or presence are noticed before any value is.
OF_VALUES = (
    *("element", "last bit", "cycle", "rows exchanged", "letter", "byte", "moved alike"),
    *("interferograms exchanged", "scale", "shift", "sign", "pixels moved"),
)
#: What a shape in a contract calls PS, of a patch or merged, candidates, and selected candidates.
_ROWS = ("N", "n", "P", "n1", "n2", "n3")
_ANOTHER_CLASS = {"double": "single", "single": "double", "logical": "double", "char": "double"}
_OF_CLASS = {"single": (np.float32, np.complex64), "double": (np.float64, np.complex128)}


@dataclass(frozen=True)
class Mutation:
    """One change of one variable.

    Attributes
    ----------
    kind
        What was changed.
    variable
        The variable after it; None if it was removed.
    """

    kind: str
    variable: MatVariable | None


@dataclass(frozen=True)
class Tried:
    """One mutation, and whether it was noticed.

    Attributes
    ----------
    where
        File and variable.
    kind
        What was changed.
    detected
        ``comparison`` or ``relation``: what noticed it. None if nothing did.
    """

    where: str
    kind: str
    detected: str | None


def try_mutations(results: Results) -> Iterator[Tried]:
    """Spoil every variable of a case that agrees, in several ways, one at a time."""
    for pair in results.pairs:
        if pair.artefact.policy is not FilePolicy.VARIABLES:
            yield from _whole_file(results, pair)
            continue
        ours, originals = (side.get(pair.place, {}) for side in (results.ours, results.originals))
        symbols = _bound(pair, ours, originals)
        for rule in pair.artefact.variables:
            if rule.name not in ours:
                continue
            for mutation in mutations_of(rule, ours[rule.name]):
                how = _noticed(results, pair.place, rule, mutation, symbols)
                yield Tried(f"{pair.name}: {rule.name}", mutation.kind, how)
        surplus = compare_variables(
            pair.artefact, {**ours, "more": next(iter(ours.values()))}, originals, {}
        )
        noticed = any(not result.status.agrees for result in surplus)
        yield Tried(pair.name, "surplus variable", "comparison" if noticed else None)
    yield from _dropped_scatterer(results)
    yield from _moved_images(results)


def mutations_of(rule: VariableContract, variable: MatVariable) -> Iterator[Mutation]:
    """Yield changes of a variable, each of which its rule or a relation has to notice."""
    yield Mutation("missing", None)
    values = variable.values
    if variable.matlab_class in _ANOTHER_CLASS:
        yield Mutation("class", _with_another_class(variable))
    if variable.matlab_class == "char":
        if rule.policy is not Policy.IGNORED:
            yield Mutation("letter", replace(variable, values=np.array(f"{values}"[:-1] + "#")))
        return
    if values.size == 0:
        yield Mutation("element added", replace(variable, values=np.zeros((1, 1), values.dtype)))
        return
    yield from (
        Mutation(kind, replace(variable, values=changed))
        for kind, changed in _changed_numbers(rule, values)
    )


def _changed_numbers(rule: VariableContract, values: Array) -> Iterator[tuple[str, Array]]:
    random = np.random.default_rng(zlib.crc32(rule.name.encode()))
    place = _somewhere(values, random)
    yield "element", _with(values, place, _another_value(values, place))
    if rule.policy is Policy.EXACT and values.dtype.kind == "f" and np.isfinite(values[place]):
        yield "last bit", _with(values, place, np.nextafter(values[place], np.inf))
    if rule.policy is Policy.CYCLES:
        yield "cycle", _with(values, place, values[place] + 2 * np.pi)
    axis = int(values.shape[0] == 1)
    count = values.shape[axis]
    rows = np.moveaxis(values, axis, 0).reshape(count, -1)
    other = _another_row(rows, place[axis], random)
    if other is not None:
        order = np.arange(count)
        order[[place[axis], other]] = other, place[axis]
        yield "rows exchanged", values.take(order, axis=axis)
    if count > 1:
        yield "row dropped", np.delete(values, place[axis], axis=axis)


def _somewhere(values: Array, random: np.random.Generator) -> tuple[int, ...]:
    """Return the place of an element that is a number, no smaller than most that are not 0."""
    known = ~np.isnan(values) if values.dtype.kind in "fc" else np.ones(values.shape, bool)
    wanted = known & (values != 0)
    if wanted.any():
        size = np.abs(values)
        wanted &= size >= np.median(size[wanted])
    candidates = np.argwhere(wanted if wanted.any() else known if known.any() else ~known)
    return tuple(int(i) for i in candidates[random.integers(len(candidates))])


def _another_value(values: Array, place: tuple[int, ...]) -> Any:
    """Return the value at the median distance, or a little more where all are the same."""
    own = values[place]
    if values.dtype == np.bool_:
        return not own
    others = values.ravel()
    with np.errstate(invalid="ignore"):
        distance = np.abs(others - own)
    different = np.flatnonzero(np.isfinite(distance) & (distance > 0))
    if different.size == 0:
        if not np.isfinite(own):
            return values.dtype.type(1)
        return own + 1 if own == np.rint(own.real) else own * 1.001
    order = different[np.argsort(distance[different], kind="stable")]
    return others[order[order.size // 2]]


def _another_row(rows: Array, own: int, random: np.random.Generator) -> int | None:
    """Return a row that differs from the own one in as many elements as most do."""
    with np.errstate(invalid="ignore"):
        differences = np.count_nonzero(rows != rows[own], axis=1)
    differing = np.flatnonzero(differences > 0)
    differing = differing[differing != own]
    if differing.size == 0:
        return None
    usual = differing[differences[differing] >= np.median(differences[differing])]
    return int(random.choice(usual))


def _with(values: Array, place: tuple[int, ...], value: Any) -> Array:
    changed = values.copy()
    changed[place] = value
    return changed


def _with_another_class(variable: MatVariable) -> MatVariable:
    name = _ANOTHER_CLASS[variable.matlab_class]
    if variable.matlab_class == "char":
        return MatVariable(name, np.zeros((1, max(1, len(str(variable.values))))))
    real, complex_type = _OF_CLASS[name]
    kind = complex_type if np.iscomplexobj(variable.values) else real
    return MatVariable(name, variable.values.astype(kind))


def _noticed(
    results: Results, place: Place, rule: VariableContract, mutation: Mutation, symbols: Symbols
) -> str | None:
    reference = results.originals.get(place, {}).get(rule.name)
    found = compare_one(rule, mutation.variable, reference, dict(symbols))
    if not found.status.agrees:
        return "comparison"
    if mutation.variable is None:
        return None
    spoilt = results.with_ours(place, rule.name, mutation.variable)
    broken = any(relation.problem is not None for relation in relations_of(spoilt))
    return "relation" if broken else None


def _bound(pair: Pair, ours: Variables, originals: Variables) -> Symbols:
    symbols: Symbols = {}
    compare_variables(pair.artefact, ours, originals, symbols)
    return symbols


def _whole_file(results: Results, pair: Pair) -> Iterator[Tried]:
    """Change one byte of a file that is compared as a whole, and cut the file."""
    content, original = pair.ours.read_bytes(), pair.originals.read_bytes()
    if not content:
        return
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    for kind, changed in (("byte", flipped), ("cut", content[:middle])):
        problem = compare_contents(
            pair.artefact.policy, changed, original, results.workspace.substitutions
        )
        yield Tried(pair.name, kind, None if problem is None else "comparison")


def _moved_images(results: Results) -> Iterator[Tried]:
    """Move inverted images of small baselines by far, and their modelled pairs with them."""
    images, modelled = ((".", name) for name in ("phuw2.mat", "phuw_sb_res2.mat"))
    if not {images, modelled} <= results.ours.keys():
        return
    pairs = read_mat_file(results.workspace.dataset / "ps2.mat")["ifgday_ix"].values.astype(int) - 1
    phase, pair_phase = results.ours[images]["ph_uw"], results.ours[modelled]["ph_res"]
    moved = np.zeros_like(phase.values)
    moved[::120, 1:] = 50.0
    spoilt = results.with_ours(images, "ph_uw", replace(phase, values=phase.values + moved))
    also = pair_phase.values + (moved[:, pairs[:, 1]] - moved[:, pairs[:, 0]])
    spoilt = spoilt.with_ours(modelled, "ph_res", replace(pair_phase, values=also))
    broken = any(relation.problem is not None for relation in relations_of(spoilt))
    yield Tried("phuw2.mat and phuw_sb_res2.mat", "moved alike", "relation" if broken else None)


def _dropped_scatterer(results: Results) -> Iterator[Tried]:
    """Leave one PS or candidate out of all files of a place, as if it had not been selected."""
    for place in {pair.place[0]: None for pair in results.pairs}:
        dropped, noticed = 0, False
        for pair in results.pairs:
            ours = results.ours.get(pair.place)
            if pair.place[0] != place or ours is None:
                continue
            changed = dict(ours)
            for rule in pair.artefact.variables:
                if rule.name in ours and rule.shape[0] in _ROWS and ours[rule.name].values.size > 1:
                    values = np.delete(ours[rule.name].values, 1, axis=0)
                    changed[rule.name] = replace(ours[rule.name], values=values)
                    dropped += 1
            found = compare_variables(
                pair.artefact, changed, results.originals.get(pair.place, {}), {}
            )
            noticed |= any(not result.status.agrees for result in found)
        if dropped:
            yield Tried(place, "PS dropped everywhere", "comparison" if noticed else None)
