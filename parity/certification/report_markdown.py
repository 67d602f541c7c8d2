"""Certificates as Markdown: readable as it stands, and rendered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from parity.certification.report_content import (
    LEVELS,
    NOTHING,
    Peak,
    Scope,
    VariableRow,
    as_map,
    as_text,
    by_form,
    count,
    figures_of,
    notes_of_scope,
    number,
    provenance,
    relations_of_scope,
    scopes_of,
    use_text,
    whole_files,
    worst_text,
)

#: What would be markup in a cell or a line. An underscore inside a word is none.
_MARKUP = re.compile(r"[\\`*|<>~]|(?<!\w)_|_(?!\w)|\](?=[(\[:])|!(?=\[)")
_REFERENCE = re.compile(r"&(?=#?\w+;)")
#: Digits of a commit.
_COMMIT = 12


def markdown_report(certificates: Sequence[Mapping[str, Any]]) -> str:
    """Return a report of certificates: a summary, and a section for each.

    Parameters
    ----------
    certificates
        Certificates as JSON has them, in any order.
    """
    scopes = scopes_of(certificates)
    lines = ["# Certificates", "", *_summary(scopes)]
    for scope in scopes:
        lines += [*_section(scope)]
    return "\n".join(lines).rstrip() + "\n"


def _summary(scopes: Sequence[Scope]) -> Iterator[str]:
    failed = [scope for scope in scopes if not scope.passed]
    yield f"{len(scopes) - len(failed)} of {len(scopes)} passed."
    yield ""
    for scope in failed:
        first = scope.failures[0]
        others = len(scope.failures) - 1
        what = f"{_plain(first.where)}: {_plain(first.what)}"
        more = f" ({others} more below)" if others else ""
        yield f"- **{_plain(scope.title)} failed**: {what}{more}"
    if failed:
        yield ""
    head = ("scope", "verdict", "cases", "by value", "mutations noticed", "worst use of a limit")
    yield from _table(
        head,
        (
            (
                _plain(scope.title),
                _verdict(scope),
                scope.cases_text,
                scope.by_value,
                scope.noticed,
                _plain(worst_text(scope)),
            )
            for scope in scopes
        ),
    )
    yield "By value: variables whose values, not only class and shape, were compared."
    yield ""


def _section(scope: Scope) -> Iterator[str]:
    yield f"## {_plain(scope.title)}: {scope.verdict}"
    yield ""
    yield from _provenance(scope)
    yield from _failures(scope)
    yield from _figures(scope)
    yield from _limited(scope)
    yield from _exact(scope)
    yield from _whole(scope)
    yield from _relations(scope)
    yield from _notes(scope)
    yield from _by_form(scope)
    yield from _mutations(scope)


def _provenance(scope: Scope) -> Iterator[str]:
    known = dict(provenance(scope))
    if "Commit" in known:
        known["Commit"] = known["Commit"][:_COMMIT]
    for name, value in known.items():
        yield f"- {name}: {_plain(value)}"
    if known:
        yield ""


def _failures(scope: Scope) -> Iterator[str]:
    if not scope.failures:
        return
    yield "### Failures"
    yield ""
    rows = (
        (failure.where, failure.what, failure.how_far or NOTHING, failure.worst or NOTHING)
        for failure in scope.failures
    )
    head = ("where", "what is wrong", "how far", "worst element")
    yield from _table(head, ([_plain(cell) for cell in row] for row in rows))


def _figures(scope: Scope) -> Iterator[str]:
    rows = [[_plain(cell) for cell in figure] for figure in figures_of(scope)]
    if rows:
        yield "### Figures"
        yield ""
        yield from _table(("case", "figure", "value"), rows)


def _limited(scope: Scope) -> Iterator[str]:
    rows = scope.limited
    if not rows:
        return
    cycles = any(row.cycles is not None for row in rows)
    yield "### Variables with limits"
    yield ""
    levels = [*LEVELS]
    head = ["file", "variable", "compared by", "cases", "elements", *levels]
    head += [*(["other cycles"] if cycles else []), "limit used"]
    yield from _table(head, (_limited_row(row, cycles=cycles) for row in rows))


def _limited_row(row: VariableRow, *, cycles: bool) -> Iterator[str]:
    yield _plain(row.file)
    yield _plain(row.name)
    yield _plain(row.rule)
    yield f"{len(row.cases)}"
    yield count(row.compared)
    for level in LEVELS:
        yield _peak(row.peaks.get(level))
    if cycles:
        yield _cycles(row)
    yield _plain(use_text(row) + (f" ({row.used_in})" if row.used_in else ""))


def _peak(peak: Peak | None) -> str:
    if peak is None:
        return NOTHING
    return _plain(number(peak.value) + (f" ({peak.where})" if peak.where else ""))


def _cycles(row: VariableRow) -> str:
    if row.cycles is None:
        return NOTHING
    most = row.most_cycles
    found = f"{row.cycles}"
    if row.cycles:
        found += f", most {number(most.value)} ({most.where})"
    return _plain(found + (f", {row.moved} columns moved" if row.moved else ""))


def _exact(scope: Scope) -> Iterator[str]:
    rows = scope.exact
    if not rows:
        return
    yield "### Variables with the same bits in every case"
    yield ""
    yield from _table(
        ("file", "elements", "variables"),
        (
            (
                _plain(file if rule == "exact" else f"{file} ({rule})"),
                count(sum(row.compared for row in variables)),
                _plain(", ".join(dict.fromkeys(row.name for row in variables))),
            )
            for file, rule, variables in rows
        ),
    )


def _whole(scope: Scope) -> Iterator[str]:
    rows = whole_files(scope)
    if not rows:
        return
    yield "### Files compared as a whole"
    yield ""
    yield from _table(
        ("file", "compared", "agree"),
        ((_plain(file), f"{every}", f"{agree}") for file, every, agree in rows),
    )


def _relations(scope: Scope) -> Iterator[str]:
    rows = relations_of_scope(scope)
    if not rows:
        return
    yield "### Relations"
    yield ""
    yield from _list(f"{name}: holds in {held} of {every} cases" for name, held, every in rows)


def _notes(scope: Scope) -> Iterator[str]:
    notes = notes_of_scope(scope)
    if notes:
        yield "### Notes"
        yield ""
        yield from _list(f"{note} ({', '.join(cases)})" for note, cases in notes.items())


def _by_form(scope: Scope) -> Iterator[str]:
    reasons = by_form(scope)
    if not reasons:
        return
    yield "### Compared by form only"
    yield ""
    rows = ((_plain(why), _plain(", ".join(names))) for why, names in reasons.items())
    yield from _table(("why", "variables"), rows)


def _mutations(scope: Scope) -> Iterator[str]:
    mutations = scope.part("mutations")
    kinds = as_map(mutations.get("by_kind"))
    if not kinds:
        return
    yield "### Mutations"
    yield ""
    noticed = f"{scope.noticed} noticed"
    if mutations.get("by_relation"):
        noticed += f", {as_text(mutations['by_relation'])} of them by relations alone"
    listed = ", ".join(f"{as_text(kind)} {as_text(made)}" for kind, made in kinds.items())
    yield f"{_plain(noticed)}. By kind: {_plain(listed)}."
    yield ""


def _table(head: Sequence[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _list(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield f"- {_plain(line)}"
    yield ""


def _verdict(scope: Scope) -> str:
    return scope.verdict if scope.passed else f"**{scope.verdict}**"


def _plain(text: str) -> str:
    """Return a text in one line that Markdown shows as it is."""
    line = _REFERENCE.sub("&amp;", as_text(text))
    escaped = _MARKUP.sub(lambda found: _ESCAPES.get(found[0], f"\\{found[0]}"), line)
    return escaped or NOTHING


_ESCAPES = {"<": "&lt;", ">": "&gt;"}
