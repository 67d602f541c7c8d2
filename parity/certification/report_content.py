"""What a report of certificates says, before it becomes Markdown or HTML.

Certificates are read as they are found: a key that is missing leaves a gap, one that is unknown is
passed over, and whatever has failed is kept with all that is known of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from parity.certification.scopes import CHAIN, PREPARATION, STAGE_SCOPES

Map = Mapping[str, Any]

#: Levels of the deviation that certificates keep, and the share of elements above each.
LEVELS = {"q50": 0.5, "q99": 0.01, "max": 0.0}
#: What a cell without a value shows.
NOTHING = "-"
_PATCH = re.compile(r"^(PATCH_[^/]+)/(.*)$", flags=re.DOTALL)
_TITLES = {PREPARATION: "Preparation", CHAIN: "Chains"}
#: All names in the order of processing.
ORDER = (PREPARATION, *(scope.name for scope in STAGE_SCOPES), CHAIN)


@dataclass(frozen=True)
class LimitUse:
    """How much of its limit a variable uses.

    Attributes
    ----------
    share
        Deviation by limit, at the level where that is largest; infinite beyond any measure.
    level
        That level, ``other cycles`` for samples in another cycle, ``rows`` for rows that are not
        common; empty where the same bits are wanted.
    """

    share: float
    level: str = ""


@dataclass(frozen=True)
class Failure:
    """One thing that is wrong: where, what, how far, and the worst element."""

    where: str
    what: str
    how_far: str = ""
    worst: str = ""


@dataclass(frozen=True)
class Peak:
    """A largest value, and the case in which it occurs; empty where it is 0."""

    value: float
    where: str


@dataclass(frozen=True)
class VariableRow:
    """One variable under one rule, over all cases.

    Attributes
    ----------
    file, name, rule
        What it is, and how it is compared. Files of patches go without their patch.
    limited
        Whether its rule has limits or a share.
    by_form
        Whether its values were compared in no case.
    cases
        Names of the cases that have it.
    compared
        Elements compared in all.
    peaks
        Largest deviation by level.
    cycles, moved
        Samples in another cycle and columns moved as a whole, in all; None where that means
        nothing.
    most_cycles
        Most samples in another cycle in one case.
    use, used_in
        Largest share of the limit, and the case.
    failed_in
        Cases in which it does not agree.
    """

    file: str
    name: str
    rule: str
    limited: bool
    by_form: bool
    cases: tuple[str, ...]
    compared: int
    peaks: Mapping[str, Peak]
    cycles: int | None
    moved: int | None
    most_cycles: Peak
    use: LimitUse | None
    used_in: str
    failed_in: tuple[str, ...]


@dataclass(frozen=True)
class Scope:
    """One certificate as a report shows it; `certificate` is None where there is none."""

    name: str
    title: str
    certificate: Map | None
    failures: tuple[Failure, ...] = ()
    rows: tuple[VariableRow, ...] = ()

    @property
    def passed(self) -> bool:
        """Tell whether the certificate says so and nothing in it says otherwise."""
        said = self.certificate is not None and self.certificate.get("passed") is True
        return said and not self.failures

    @property
    def verdict(self) -> str:
        """Return the verdict as a word."""
        if self.certificate is None:
            return "no certificate"
        return "passed" if self.passed else "failed"

    @property
    def cases(self) -> list[Map]:
        """Return its cases."""
        return [as_map(case) for case in as_list(as_map(self.certificate).get("cases"))]

    @property
    def cases_text(self) -> str:
        """Return how many cases there are, and how many failed."""
        failed = sum(not case_passed(case) for case in self.cases)
        return f"{len(self.cases)}, {failed} failed" if failed else f"{len(self.cases)}"

    def part(self, name: str) -> Map:
        """Return an object of the certificate, empty where it is missing."""
        return as_map(as_map(self.certificate).get(name))

    @property
    def by_value(self) -> str:
        """Return how many variables were compared by value."""
        return _of(self.part("coverage"), "by_value", "variables")

    @property
    def noticed(self) -> str:
        """Return how many mutations were noticed."""
        return _of(self.part("mutations"), "detected", "made")

    @property
    def worst(self) -> VariableRow | None:
        """Return the variable that uses most of its limit; None if all have the same bits."""
        used = [row for row in self.rows if row.use is not None and row.use.share > 0]
        return max(used, key=lambda row: row.use.share if row.use else 0, default=None)

    @property
    def limited(self) -> list[VariableRow]:
        """Return the variables with limits and those that failed, worst first."""
        shown = [row for row in self.rows if row.failed_in or (row.limited and not row.by_form)]
        return sorted(
            shown, key=lambda row: (not row.failed_in, -(row.use.share if row.use else -1))
        )

    @property
    def exact(self) -> list[tuple[str, str, list[VariableRow]]]:
        """Return file, rule and variables with the same bits in every case."""
        shown: dict[tuple[str, str], list[VariableRow]] = {}
        for row in self.rows:
            if not (row.failed_in or row.limited or row.by_form):
                shown.setdefault((row.file, row.rule), []).append(row)
        return [(*key, rows) for key, rows in shown.items()]


def scopes_of(certificates: Sequence[Map]) -> list[Scope]:
    """Return a scope for every certificate, in the order of processing, others at the end."""
    order = {name: place for place, name in enumerate(ORDER)}
    found = [_scope_of(as_map(certificate)) for certificate in certificates]
    return sorted(found, key=lambda scope: order.get(scope.name, len(order)))


def title_of(name: str) -> str:
    """Return the name of a scope in words."""
    stage = re.fullmatch(r"stage(\d+)-(patch|merged)", name)
    if stage is None:
        return _TITLES.get(name, name)
    return f"Stage {stage[1]}, {'patches' if stage[2] == 'patch' else 'merged'}"


def _scope_of(certificate: Map) -> Scope:
    name = as_text(certificate.get("name")) or "unnamed"
    failures = tuple(_failures_of(certificate))
    return Scope(name, title_of(name), certificate, failures, tuple(_rows_of(certificate)))


def case_passed(case: Map) -> bool:
    """Tell whether a case says that it passed, and nothing in it says otherwise."""
    return not any(_case_failures(case))


def _failures_of(certificate: Map) -> Iterator[Failure]:
    cases = [as_map(case) for case in as_list(certificate.get("cases"))]
    found = [failure for case in cases for failure in _case_failures(case)]
    for where in as_list(as_map(certificate.get("mutations")).get("undetected")):
        found.append(Failure(as_text(where), "a mutation that nothing noticed"))
    for where in as_list(as_map(certificate.get("coverage")).get("without_evidence")):
        found.append(Failure(as_text(where), "its values were compared in no case"))
    if not cases:
        found.append(Failure("cases", "the certificate has none"))
    yield from found
    if certificate.get("passed") is not True and not found:
        yield Failure("certificate", "it says that it failed, but not why")
    elif certificate.get("passed") is True and found:
        yield Failure("certificate", "it says that it passed, in spite of the above")


def _case_failures(case: Map) -> Iterator[Failure]:
    name = as_text(case.get("name")) or "unnamed"
    found = [Failure(name, as_text(failure)) for failure in as_list(case.get("failures"))]
    for file in map(as_map, as_list(case.get("files"))):
        found.extend(_file_failures(name, file))
    for relation in map(as_map, as_list(case.get("relations"))):
        if relation.get("problem") is not None:
            sentence = as_text(relation.get("name"))
            found.append(Failure(f"{name}: {sentence}", as_text(relation["problem"])))
    yield from found
    if case.get("passed", True) is not True and not found:
        compared = bool(as_list(case.get("files")))
        yield Failure(name, "it failed, but does not say why" if compared else "nothing compared")


def _file_failures(case: str, file: Map) -> Iterator[Failure]:
    path = as_text(file.get("file"))
    found = []
    for variable in map(as_map, as_list(file.get("variables"))):
        if not agrees(variable):
            where = f"{case}: {path}: {as_text(variable.get('name'))}"
            what = as_text(variable.get("problem")) or as_text(variable.get("status"))
            found.append(Failure(where, what, _how_far(variable), worst_element(variable)))
    if not agrees(file) and (not found or file.get("note") is not None):
        status = as_text(file.get("status")) or "no status"
        note = as_text(file.get("note"))
        found.insert(0, Failure(f"{case}: {path}", f"{status}: {note}" if note else status))
    yield from found


def agrees(thing: Map) -> bool:
    """Tell whether a file or a variable leaves the verdict alone."""
    status = thing.get("status")
    return thing.get("problem") is None if status is None else status in ("equal", "not_compared")


def _how_far(variable: Map) -> str:
    """Return how many elements differ, and by how much."""
    parts = []
    compared, differing = as_number(variable.get("compared")), as_number(variable.get("differing"))
    if compared and differing is not None:
        parts.append(f"{count(differing)} of {count(compared)} differ")
    largest = as_number(as_map(variable.get("deviation")).get("max"))
    if largest:
        parts.append(f"by up to {number(largest)}")
    use = limit_use(variable)
    if use is not None and use.share > 1:
        parts.append(_of_limit(use))
    return ", ".join(parts)


def worst_element(variable: Map) -> str:
    """Return where the worst element is, the reference's value, and how far ours is from it."""
    worst = as_map(variable.get("worst"))
    if not worst:
        return ""
    place = f"at ({value_text(as_list(worst.get('index')))})"
    ours, original = (_complex(worst.get(side)) for side in ("dataset", "reference"))
    difference = math.nan if ours is None or original is None else abs(ours - original)
    if math.isfinite(difference):
        return f"{place}: {_number_of(original)} in the original, ours is {number(difference)} off"
    return f"{place}: {_number_of(ours)} instead of {_number_of(original)}"


def _rows_of(certificate: Map) -> Iterator[VariableRow]:
    """Gather every variable under every rule; patches count as places of one case."""
    gathered: dict[tuple[str, str, str], list[tuple[str, str, Map]]] = {}
    cases = [as_map(case) for case in as_list(certificate.get("cases"))]
    labels = _labels(cases)
    for case in cases:
        name = as_text(case.get("name")) or "unnamed"
        for file in map(as_map, as_list(case.get("files"))):
            path = as_text(file.get("file"))
            patch = _PATCH.match(path)
            place = f"{name}, {patch[1]}" if patch else name
            for variable in map(as_map, as_list(file.get("variables"))):
                key = (labels[path], as_text(variable.get("name")), rule_text(variable))
                gathered.setdefault(key, []).append((name, place, variable))
    for key, found in gathered.items():
        yield _row(*key, found)


def _labels(cases: Sequence[Map]) -> dict[str, str]:
    """Return how files are called over all patches; a patch is named where the root has one too."""
    paths = {
        as_text(as_map(file).get("file")) for case in cases for file in as_list(case.get("files"))
    }
    labels = {}
    for path in paths:
        patch = _PATCH.match(path)
        labels[path] = path if patch is None else patch[2]
        if patch is not None and patch[2] in paths:
            labels[path] = f"PATCH_*/{patch[2]}"
    return labels


def _row(file: str, name: str, rule: str, found: Sequence[tuple[str, str, Map]]) -> VariableRow:
    variables = [variable for _, _, variable in found]
    uses = [(use, place) for _, place, v in found if (use := limit_use(v)) is not None]
    use, used_in = max(uses, key=lambda one: one[0].share, default=(None, ""))
    cycles = [(as_number(variable.get("cycles")), place) for _, place, variable in found]
    unseen = [v.get("policy") == "ignored" or v.get("status") == "not_compared" for v in variables]
    return VariableRow(
        file=file,
        name=name,
        rule=rule,
        limited=any(v.get("limits") or v.get("share") is not None for v in variables),
        by_form=all(unseen),
        cases=tuple(dict.fromkeys(case for case, _, _ in found)),
        compared=sum(int(as_number(v.get("compared")) or 0) for v in variables),
        peaks={level: peak for level in LEVELS if (peak := _peak(level, found)) is not None},
        cycles=_sum([value for value, _ in cycles]),
        moved=_sum([as_number(v.get("moved")) for v in variables]),
        most_cycles=max((Peak(value or 0, place) for value, place in cycles), key=_by_value),
        use=use,
        used_in=used_in if use is not None and use.share > 0 else "",
        failed_in=tuple(dict.fromkeys(case for case, _, v in found if not agrees(v))),
    )


def _by_value(peak: Peak) -> float:
    return math.inf if math.isnan(peak.value) else peak.value


def _peak(level: str, found: Sequence[tuple[str, str, Map]]) -> Peak | None:
    values = [(as_number(as_map(v.get("deviation")).get(level)), place) for _, place, v in found]
    peaks = [Peak(value, place if value else "") for value, place in values if value is not None]
    return max(peaks, key=_by_value, default=None)


def _sum(values: Sequence[float | None]) -> int | None:
    known = [int(value) for value in values if value is not None and math.isfinite(value)]
    return sum(known) if known else None


def limit_use(variable: Map) -> LimitUse | None:
    """Return how much of its limit a variable uses; None where no limit says anything.

    Deviations of unwrapped phase hold whole cycles, which its limits are not about: levels that
    samples in another cycle reach do not count, and the level below stands for them. The root mean
    square itself is not kept: it is no larger than the largest deviation, nor, where the variable
    agrees, than its limit.
    """
    policy = variable.get("policy")
    if policy == "ignored" or variable.get("status") == "not_compared":
        return None
    if policy == "exact":
        return LimitUse(0.0)
    uses = list(_uses(variable))
    worst = max(uses, key=lambda use: use.share, default=None)
    if worst is not None and policy == "rms" and agrees(variable):
        return LimitUse(min(worst.share, 1.0), worst.level)
    return worst


def _uses(variable: Map) -> Iterator[LimitUse]:
    policy, share = variable.get("policy"), as_number(variable.get("share"))
    compared = as_number(variable.get("compared")) or 0
    off = 0.0
    if policy == "cycles" and compared:
        off = (as_number(variable.get("cycles")) or 0) / compared
        if share is not None:
            yield LimitUse(_ratio(off, share), "other cycles")
    if policy == "set" and compared and share is not None:
        differing = as_number(variable.get("differing")) or 0
        yield LimitUse(_ratio(differing / compared, 1 - share), "rows")
    reached = {
        level: value
        for level, value in _numbers(variable.get("deviation")).items()
        if off <= LEVELS.get(level, 0.0)
    }
    for level, limit in _numbers(variable.get("limits")).items():
        at = level if level in reached or not off else next(reversed(reached), level)
        if at in reached and not math.isinf(limit):
            yield LimitUse(_ratio(reached[at], limit), at)


def _ratio(value: float, limit: float) -> float:
    if value == 0:
        return 0.0
    share = value / limit if limit else math.inf
    return math.inf if math.isnan(share) else share


def _numbers(value: Any) -> dict[str, float]:
    known = ((as_text(name), as_number(item)) for name, item in as_map(value).items())
    return {name: item for name, item in known if item is not None}


def rule_text(variable: Map) -> str:
    """Return how a variable is compared: its policy with measure, limits and share."""
    policy = as_text(variable.get("policy")) or "no rule"
    measure, share = variable.get("measure"), as_number(variable.get("share"))
    parts = [
        f"{level} ≤ {number(limit)}" for level, limit in _numbers(variable.get("limits")).items()
    ]
    if share is not None:
        words = {
            "cycles": f"≤ {percent(share)} in other cycles",
            "set": f"≥ {percent(share)} of rows common",
            "rms": f"of the best {percent(share)}",
        }
        parts.append(words.get(policy, f"share {number(share)}"))
    head = policy if measure is None else f"{policy}, {as_text(measure)}"
    return f"{head}: {', '.join(parts)}" if parts else head


def relations_of_scope(scope: Scope) -> list[tuple[str, int, int]]:
    """Return every relation with how many cases it holds in, and how many looked at it."""
    found: dict[str, list[bool]] = {}
    for case in scope.cases:
        for relation in map(as_map, as_list(case.get("relations"))):
            holds = relation.get("problem") is None
            found.setdefault(as_text(relation.get("name")), []).append(holds)
    return [(name, sum(held), len(held)) for name, held in found.items()]


def notes_of_scope(scope: Scope) -> dict[str, list[str]]:
    """Return every note with the cases that have it."""
    found: dict[str, list[str]] = {}
    for case in scope.cases:
        for note in as_list(case.get("notes")):
            found.setdefault(as_text(note), []).append(as_text(case.get("name")))
    return found


def by_form(scope: Scope) -> dict[str, list[str]]:
    """Return the reasons why values were compared in no case, with the variables."""
    found: dict[str, list[str]] = {}
    listed = as_map(scope.part("coverage").get("by_form"))
    for name, why in listed.items():
        found.setdefault(as_text(why), []).append(as_text(name))
    for row in scope.rows:
        name = f"{row.file}: {row.name}"
        known = any(str(key).removesuffix(" (small baselines)") == name for key in listed)
        if row.by_form and not row.failed_in and not known:
            found.setdefault("not compared by value", []).append(name)
    return found


def whole_files(scope: Scope) -> list[tuple[str, int, int]]:
    """Return the files compared as a whole: name, how many in all cases, how many agree."""
    found: dict[str, list[bool]] = {}
    labels = _labels(scope.cases)
    for case in scope.cases:
        for file in map(as_map, as_list(case.get("files"))):
            if not as_list(file.get("variables")):
                found.setdefault(labels[as_text(file.get("file"))], []).append(agrees(file))
    return [(name, len(agreed), sum(agreed)) for name, agreed in found.items()]


def figures_of(scope: Scope) -> list[tuple[str, str, str]]:
    """Return case, name and value of named numbers, whatever way they are nested."""
    holders = [*scope.cases, as_map(scope.certificate)]
    flat = ((holder, *one) for holder in holders for one in _flat(holder.get("figures"), ""))
    return [(as_text(holder.get("name")), name, value) for holder, name, value in flat]


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _flat(item, f"{path}, {as_text(name)}" if path else as_text(name))
    elif path:
        yield path, value_text(value)


def provenance(scope: Scope) -> list[tuple[str, str]]:
    """Return where a certificate comes from, as far as it says so."""
    oracle, program, machine = (scope.part(name) for name in ("oracle", "program", "machine"))
    certificate = as_map(scope.certificate)
    said = {
        "Original": as_text(oracle.get("engine")),
        "Data": as_text(oracle.get("data")),
        "Version": as_text(program.get("version")),
        "Commit": as_text(program.get("commit")),
        "Date": as_text(program.get("date")),
        "Machine": ", ".join(as_text(part) for part in machine.values() if part is not None),
        "Threads": ", ".join(as_text(each) for each in as_list(certificate.get("threads"))),
    }
    return [(name, value) for name, value in said.items() if value]


def as_map(value: Any) -> Map:
    """Return an object, an empty one in place of anything else."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: Any) -> Sequence[Any]:
    """Return a list, an empty one in place of anything else."""
    return value if isinstance(value, list | tuple) else ()


def as_text(value: Any) -> str:
    """Return a value in one line, of letters that can be seen; nothing for None."""
    seen = (letter if letter.isprintable() else " " for letter in str(value))
    return "" if value is None else " ".join("".join(seen).split())


def as_number(value: Any) -> float | None:
    """Return a number, also one that JSON lacks and that stands there as a word."""
    if isinstance(value, int | float):
        return float(value)
    if value in ("inf", "-inf", "nan"):
        return float(value)
    return None


def number(value: float) -> str:
    """Return a number with three significant digits."""
    short = f"{value:.3g}"
    head, mark, exponent = short.partition("e")
    return f"{head}e{int(exponent)}" if mark else short


def count(value: float) -> str:
    """Return a number of elements, in thousands or millions where it is large."""
    for size, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if math.isfinite(value) and abs(value) >= max(0.9995 * size, 1000):
            return f"{float(f'{value / size:.3g}'):g} {name}"
    return f"{value:g}"


def percent(share: float) -> str:
    """Return a share in percent; a multiple where it is many times the whole."""
    return f"{number(share)} times" if share > 10 else f"{number(100 * share)} %"


def value_text(value: Any) -> str:
    """Return any value: numbers short, lists in one line."""
    if isinstance(value, list | tuple):
        return ", ".join(value_text(item) for item in value) or "empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return f"{value:.0f}" if abs(value) < 1e15 else number(value)
    return number(value) if isinstance(value, float) else as_text(value)


def use_text(row: VariableRow) -> str:
    """Return the share of the limit that a variable uses, with the level where it does."""
    used = NOTHING if row.use is None else f"{percent(row.use.share)} {row.use.level}".rstrip()
    if not row.failed_in:
        return used
    return f"failed: {used}" if row.use is not None and row.use.share > 1 else "failed"


def worst_text(scope: Scope) -> str:
    """Return in one phrase which variable uses most of its limit."""
    worst = scope.worst
    if worst is None or worst.use is None:
        return "the same bits everywhere" if scope.rows else NOTHING
    return f"{worst.file}: {worst.name} reaches {_of_limit(worst.use)}"


def _of_limit(use: LimitUse) -> str:
    share = percent(use.share) + ("" if use.share > 10 else " of")
    return f"{share} its limit {use.level if use.level in LEVELS else f'for {use.level}'}"


def _of(part: Map, some: str, every: str) -> str:
    values = [part.get(name) for name in (some, every)]
    return NOTHING if None in values else f"{as_text(values[0])} of {as_text(values[1])}"


def _complex(value: Any) -> complex | None:
    if isinstance(value, Mapping):
        parts = [as_number(value.get(part)) for part in ("re", "im")]
        return None if None in parts else complex(parts[0] or 0, parts[1] or 0)
    real = as_number(value)
    return None if real is None else complex(real)


def _number_of(value: complex | None) -> str:
    if value is None or value.imag == 0:
        return NOTHING if value is None else number(value.real)
    sign = "-" if value.imag < 0 else "+"
    return f"{number(value.real)} {sign} {number(abs(value.imag))}i"
