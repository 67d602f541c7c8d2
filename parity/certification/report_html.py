"""Certificates as one page of HTML that needs nothing besides itself."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from parity.certification import report_content as content
from parity.certification.report_content import NOTHING, Map, Scope, as_list, as_map, as_text

#: The least share of a limit that a bar shows, as a power of ten.
_LEAST_POWER = -4
_SIGNS = {"passed": "✓", "failed": "✗", "no certificate": "?"}
#: A cell: HTML, and what it is sorted by if that is a number.
Cell = str | tuple[str, float]


def html_report(certificates: Sequence[Mapping[str, Any]]) -> str:
    """Return a page about certificates; it refers to nothing outside itself.

    Parameters
    ----------
    certificates
        Certificates as JSON has them, in any order.
    """
    scopes = content.scopes_of(certificates)
    names = _unique_names(scopes)
    passed = sum(scope.passed for scope in scopes)
    cases = sum(len(scope.cases) for scope in scopes)
    body = [
        "<header><h1>Certificates</h1>",
        f"<p><b>{passed} of {len(scopes)}</b> certificates passed, {cases} cases in all.</p>",
        "</header><main>",
        _strip(scopes, names),
        _alarm(scopes, names),
        _TOOLS,
        *(_section(scope, name) for scope, name in zip(scopes, names, strict=True)),
        "</main>",
    ]
    return _PAGE.format(style=_STYLE, body="\n".join(body), script=_SCRIPT)


def _unique_names(scopes: Sequence[Scope]) -> list[str]:
    """Return an id for every scope; none but a repeated one has two hyphens in a row."""
    slugs = [re.sub(r"[^a-z0-9]+", "-", scope.name.lower()).strip("-") for scope in scopes]
    repeated = [slugs.index(slug) != place for place, slug in enumerate(slugs)]
    places = zip(slugs, repeated, range(len(slugs)), strict=True)
    return [f"s-{slug}--{place}" if again else f"s-{slug}" for slug, again, place in places]


def _strip(scopes: Sequence[Scope], names: Sequence[str]) -> str:
    """Return the overview: the scopes in the order of processing, each with its verdict."""
    known = list(zip(scopes, names, strict=True))
    present = {scope.name for scope in scopes}
    missing = [name for name in content.ORDER[1:-1] if name not in present]
    gaps = [(Scope(name, content.title_of(name), None), "") for name in missing]
    order = {name: place for place, name in enumerate(content.ORDER)}
    shown = sorted([*known, *gaps], key=lambda one: order.get(one[0].name, len(order)))
    items = "".join(f"<li>{_strip_item(scope, name)}</li>" for scope, name in shown)
    return f'<nav aria-label="Scopes in the order of processing"><ol class=strip>{items}</ol></nav>'


def _strip_item(scope: Scope, name: str) -> str:
    stage, _, place = scope.title.partition(", ")
    head = f"<b>{_e(stage)}</b><span>{_e(place) or '&nbsp;'}</span>{_verdict(scope.verdict)}"
    if scope.certificate is None:
        return f'<div class="box {scope.verdict.partition(" ")[0]}">{head}</div>'
    worst = scope.worst
    use = worst.use if worst is not None else content.LimitUse(0.0)
    reached = (
        "same bits" if worst is None or use is None else f"limit: {content.percent(use.share)}"
    )
    facts = [_count_cases(scope), f"{scope.by_value.replace(' of ', '/')} by value", reached]
    text = "".join(f"<small>{_e(fact)}</small>" for fact in facts) + _bar(use)
    return f'<a class="box {scope.verdict}" href="#{name}">{head}{text}</a>'


def _count_cases(scope: Scope) -> str:
    every, _, failed = scope.cases_text.partition(",")
    return f"{every} case{'' if every == '1' else 's'}{failed and ','}{failed}"


def _alarm(scopes: Sequence[Scope], names: Sequence[str]) -> str:
    """Return what has failed in all scopes, at once."""
    lines = []
    for scope, name in zip(scopes, names, strict=True):
        for failure in scope.failures[:1]:
            more = len(scope.failures) - 1
            rest = f" <i>and {more} more</i>" if more else ""
            link = f'<a href="#{name}">{_e(scope.title)}</a>'
            lines.append(f"<li>{link}: {_e(failure.where)}: {_e(failure.what)}{rest}</li>")
    if not lines:
        return ""
    title = f"{_SIGNS['failed']} {len(lines)} failed"
    return f"<section class=alarm><h2>{title}</h2><ul>{''.join(lines)}</ul></section>"


def _section(scope: Scope, name: str) -> str:
    facts = [_count_cases(scope), f"{scope.by_value} variables by value"]
    facts += [f"{scope.noticed} mutations noticed", content.worst_text(scope)]
    parts = [
        f'<section id="{name}" class=scope>',
        f"<h2>{_e(scope.title)} {_verdict(scope.verdict)}</h2>",
        f"<p class=facts>{''.join(f'<span>{_e(fact)}</span>' for fact in facts)}</p>",
        _failures(scope),
        _figures(scope),
        _limited(scope),
        _exact(scope),
        _whole(scope),
        _remarks(content.relations_of_scope(scope), content.notes_of_scope(scope)),
        _by_form(scope),
        _mutations(scope),
        _parameters_of_scope(scope),
        _origin(scope),
        _cases(scope),
        "</section>",
    ]
    return "\n".join(part for part in parts if part)


def _failures(scope: Scope) -> str:
    rows = [
        [_e(one.where), f"<b>{_e(one.what)}</b>", _e(one.how_far), _e(one.worst)]
        for one in scope.failures
    ]
    head = ["Where", "What is wrong", "How far", "Worst element"]
    return _titled("Failures", _table(head, rows, "Failures", "bad")) if rows else ""


def _figures(scope: Scope) -> str:
    rows = [[_e(name), _e(case), _n(_e(value))] for case, name, value in content.figures_of(scope)]
    table = _table(["Figure", "Case", "Value"], rows, f"Figures, {scope.title}", "sift")
    return _titled("Figures", table) if rows else ""


def _limited(scope: Scope) -> str:
    rows = scope.limited
    if not rows:
        return ""
    cycles = any(row.cycles is not None for row in rows)
    head = ["Variable", "File", "Limit used", "Compared by", "Cases", "Elements", *content.LEVELS]
    head += ["Other cycles"] if cycles else []
    cells = [[*_limited_row(row, cycles=cycles)] for row in rows]
    table = _table(head, cells, f"Variables with limits, {scope.title}", "sift")
    return _titled("Variables with limits", table)


def _limited_row(row: content.VariableRow, *, cycles: bool) -> Iterator[Cell]:
    yield _e(row.name)
    yield _e(row.file)
    yield _limit_used(row)
    yield _rule(row.rule)
    yield _n(f"{len(row.cases)}"), len(row.cases)
    yield _n(content.count(row.compared)), row.compared
    for level in content.LEVELS:
        peak = row.peaks.get(level)
        yield (_peak(peak), peak.value) if peak is not None else _n(NOTHING)
    if cycles:
        yield (_cycles(row), row.cycles) if row.cycles is not None else _n(NOTHING)


def _limit_used(row: content.VariableRow) -> Cell:
    failed = ", ".join(row.failed_in)
    share = math.inf if failed else row.use.share if row.use else -1
    where = f"<small>{_e(failed or row.used_in)}</small>" if failed or row.used_in else ""
    bar = _bar(row.use, failed=bool(failed))
    return f"<span class=u>{bar}{_e(content.use_text(row))}</span>{where}", share


def _rule(rule: str) -> str:
    policy, _, limits = rule.partition(": ")
    return f"{_e(policy)}<small>{_e(limits)}</small>" if limits else _e(policy)


def _peak(peak: content.Peak) -> str:
    place = _e(peak.where).replace("_", "_<wbr>")
    where = f"<small>{place}</small>" if place else ""
    return _n(f"{content.number(peak.value)}{where}")


def _cycles(row: content.VariableRow) -> str:
    moved = f"<small>{row.moved} columns moved</small>" if row.moved else ""
    most = _e(f"most {content.number(row.most_cycles.value)}, {row.most_cycles.where}")
    where = f"<small>{most.replace('_', '_<wbr>')}</small>" if row.cycles else ""
    return _n(f"{row.cycles}{where}{moved}")


def _exact(scope: Scope) -> str:
    rows = [
        [
            _e(file if rule == "exact" else f"{file} ({rule})"),
            _n(f"{len(variables)}"),
            _n(content.count(sum(row.compared for row in variables))),
            _e(", ".join(dict.fromkeys(row.name for row in variables))),
        ]
        for file, rule, variables in scope.exact
    ]
    number_ = sum(len(variables) for _, _, variables in scope.exact)
    head = ["File", "Variables", "Elements", "Names"]
    table = _table(head, rows, f"Variables with the same bits, {scope.title}", "sift")
    return _folded(f"Variables with the same bits in every case: {number_}", table) if rows else ""


def _whole(scope: Scope) -> str:
    rows = [
        [_e(file), _n(f"{every}"), _n(f"{agree}")]
        for file, every, agree in content.whole_files(scope)
    ]
    table = _table(["File", "Compared", "Agree"], rows, f"Whole files, {scope.title}", "sift")
    return _folded(f"Files compared as a whole: {len(rows)}", table) if rows else ""


def _remarks(relations: Sequence[tuple[str, int, int]], notes: Map) -> str:
    """Return relations and notes."""
    held = [
        f"<li>{_SIGNS[sign]} {_e(name)} {_held(holds, every)}</li>"
        for name, holds, every in relations
        for sign in ["passed" if holds == every else "failed"]
    ]
    said = [
        f"<li>{_e(note)} <small>{_e(', '.join(cases))}</small></li>"
        for note, cases in notes.items()
    ]
    shown = [("Relations", held), ("Notes", said)]
    return "".join(_titled(title, f"<ul>{''.join(lines)}</ul>") for title, lines in shown if lines)


def _held(holds: int, every: int) -> str:
    return f"<small>{holds} of {every} cases</small>" if every > 1 else ""


def _by_form(scope: Scope) -> str:
    reasons = content.by_form(scope)
    rows = [[_e(why), _e(", ".join(names))] for why, names in reasons.items()]
    number_ = sum(len(names) for names in reasons.values())
    table = _table(["Why", "Variables"], rows, f"Compared by form only, {scope.title}", "sift")
    return _folded(f"Variables compared by form only: {number_}", table) if rows else ""


def _mutations(scope: Scope) -> str:
    mutations = scope.part("mutations")
    kinds = as_map(mutations.get("by_kind"))
    rows = [[_e(kind), _n(_e(made))] for kind, made in kinds.items()]
    title = f"Mutations noticed: {scope.noticed}"
    if mutations.get("by_relation"):
        title += f", {as_text(mutations['by_relation'])} of them by relations alone"
    return _folded(title, _table(["Kind", "Made"], rows, "Mutations by kind")) if rows else ""


def _parameters_of_scope(scope: Scope) -> str:
    names = differing_parameters(scope)
    if not names:
        return ""
    head = ["Parameter", *(_e(case.get("name")) for case in scope.cases)]
    rows = [
        [_e(name), *(_parameter(as_map(case.get("parameters")), name) for case in scope.cases)]
        for name in names
    ]
    table = _table(head, rows, f"Parameters that differ, {scope.title}")
    return _folded(f"Parameters that differ between cases: {len(names)}", table)


def differing_parameters(scope: Scope) -> list[str]:
    """Return the names of the parameters that are not the same in all cases."""
    cases = [as_map(case.get("parameters")) for case in scope.cases]
    names = dict.fromkeys(name for case in cases for name in case)
    missing = object()
    return [
        name
        for name in names
        if any(case.get(name, missing) != cases[0].get(name, missing) for case in cases[1:])
    ]


def _parameter(parameters: Map, name: str) -> str:
    if name not in parameters:
        return NOTHING
    value = parameters[name]
    exact = (
        ", ".join(map(str, value))
        if isinstance(value, list) and value
        else content.value_text(value)
    )
    return _e(exact)


def _origin(scope: Scope) -> str:
    certificate = as_map(scope.certificate)
    digests = {
        "Digest of the oracle": scope.part("oracle").get("identity_sha256"),
        "Digest of cases and rules": certificate.get("harness_sha256"),
        "Digest of the code": scope.part("program").get("code_sha256"),
    }
    said = [
        *content.provenance(scope),
        *((name, as_text(value)) for name, value in digests.items()),
    ]
    lines = "".join(f"<dt>{_e(name)}</dt><dd>{_e(value)}</dd>" for name, value in said if value)
    return _folded("Provenance", f"<dl>{lines}</dl>") if lines else ""


def _cases(scope: Scope) -> str:
    differing = differing_parameters(scope)
    cases = "".join(_case(case, differing) for case in scope.cases)
    return _titled("Cases", cases) if cases else ""


def _case(case: Map, differing: Sequence[str]) -> str:
    passed = content.case_passed(case)
    options = " ".join(as_text(option) for option in as_list(case.get("options")))
    said = [("scene", case.get("scene")), ("profile", case.get("profile")), ("options", options)]
    facts = "".join(f"<small>{name} {_e(value)}</small>" for name, value in said if value)
    files = [as_map(file) for file in as_list(case.get("files"))]
    relations = [as_map(one) for one in as_list(case.get("relations"))]
    held = [(as_text(one.get("name")), int(one.get("problem") is None), 1) for one in relations]
    notes = {as_text(note): () for note in as_list(case.get("notes"))}
    problems = [_e(failure) for failure in as_list(case.get("failures"))]
    parts = [
        "".join(f'<p class="failed">{_SIGNS["failed"]} {problem}</p>' for problem in problems),
        _case_variables(files),
        _remarks(held, notes),
        _refused(case),
        _case_parameters(as_map(case.get("parameters")), differing),
        _hashes(case),
    ]
    title = f"{_verdict('passed' if passed else 'failed')} <b>{_e(case.get('name'))}</b>{facts}"
    opened = "" if passed else " open"
    return f"<details class=case{opened}><summary>{title}</summary>{''.join(parts)}</details>"


def _case_variables(files: Sequence[Map]) -> str:
    """Return the full table of a case: every variable of every file, and files as a whole."""
    rows: list[list[Cell]] = []
    for file in files:
        variables = [as_map(variable) for variable in as_list(file.get("variables"))]
        if not variables or file.get("note") is not None:
            gaps = [NOTHING] * (len(content.LEVELS) + 5)
            rows.append(
                [_e(file.get("file")), "whole file", _status(file), _e(file.get("note")), *gaps]
            )
        rows += [[_e(file.get("file")), *_case_variable(variable)] for variable in variables]
    head = ["File", "Variable", "Status", "Compared by", "Elements", "Differ", *content.LEVELS]
    head += ["Other cycles", "Limit used", "Worst element"]
    return _table(head, rows, "Variables of the case", row_head=1) if rows else ""


def _case_variable(variable: Map) -> Iterator[Cell]:
    yield _e(variable.get("name"))
    yield _status(variable)
    yield _rule(content.rule_text(variable))
    for key in ("compared", "differing"):
        yield _short(variable.get(key))
    for level in content.LEVELS:
        yield _short(as_map(variable.get("deviation")).get(level))
    yield _short(variable.get("cycles"))
    use = content.limit_use(variable)
    yield NOTHING if use is None else _e(f"{content.percent(use.share)} {use.level}")
    yield _e(content.worst_element(variable))


def _status(thing: Map) -> str:
    status = as_text(thing.get("status")).replace("_", " ") or NOTHING
    problem = f"<b>{_e(thing['problem'])}</b>" if thing.get("problem") is not None else ""
    return (
        f"{_e(status) if content.agrees(thing) else _verdict('failed', status)} {problem}".strip()
    )


def _short(value: Any) -> str:
    known = content.as_number(value)
    short = content.count if isinstance(value, int) else content.number
    return _n(NOTHING if known is None else short(known))


def _refused(case: Map) -> str:
    refused = [as_map(one) for one in as_list(case.get("refused"))]
    rows = [[_e(one.get("where")), _e(one.get("why"))] for one in refused]
    table = _table(["Variable", "Why"], rows, "Refused as evidence")
    return _folded(f"Values refused as evidence: {len(rows)}", table) if rows else ""


def _case_parameters(parameters: Map, differing: Sequence[str]) -> str:
    names = [name for name in differing if name in parameters]
    names += [name for name in parameters if name not in differing]
    rows = [
        [
            _e(name),
            _parameter(parameters, name),
            "<mark>differs between cases</mark>" if name in differing else "",
        ]
        for name in names
    ]
    table = _table(["Parameter", "Value", "Remark"], rows, "Parameters")
    return _folded(f"Parameters: {len(rows)}", table) if rows else ""


def _hashes(case: Map) -> str:
    inputs = as_map(case.get("inputs"))
    rows = [[_e(name), f"<code>{_e(digest)}</code>"] for name, digest in inputs.items()]
    outputs = {name: as_map(pair) for name, pair in as_map(case.get("outputs")).items()}
    pairs = [
        [
            _e(name),
            f"<code>{_e(pair.get('ours'))}</code>",
            f"<code>{_e(pair.get('original'))}</code>",
        ]
        for name, pair in outputs.items()
    ]
    first = _table(["Input", "SHA-256"], rows, "Inputs")
    second = _table(["Output", "SHA-256, ours", "SHA-256, original"], pairs, "Outputs")
    found = [(f"Inputs: {len(rows)}", first, rows), (f"Outputs: {len(pairs)}", second, pairs)]
    return "".join(_folded(title, table) for title, table, listed in found if listed)


def _e(value: Any) -> str:
    return escape(as_text(value))


def _n(html: str) -> str:
    """Mark the HTML of a content.number."""
    return f"<span class=n>{html}</span>"


def _is_number(cell: Cell) -> bool:
    return (cell if isinstance(cell, str) else cell[0]).startswith("<span class=n>")


def _verdict(verdict: str, words: str = "") -> str:
    sign = f'<span aria-hidden="true">{_SIGNS[verdict]}</span>'
    return f'<span class="verdict {verdict.partition(" ")[0]}">{sign} {_e(words or verdict)}</span>'


def _bar(use: content.LimitUse | None, *, failed: bool = False) -> str:
    """Return a bar for a share of a limit, on a logarithmic scale up to the whole limit."""
    share = 0.0 if use is None else use.share
    power = math.log10(share) if 0 < share < math.inf else math.copysign(math.inf, share - 0.5)
    width = 100 * min(max(1 - power / _LEAST_POWER, 0.0), 1.0)
    beyond = " over" if failed or share > 1 else ""
    return f'<span class="bar{beyond}" aria-hidden="true"><i style="width:{width:.0f}%"></i></span>'


def _titled(title: str, html: str) -> str:
    return f"<h3>{_e(title)}</h3>{html}"


def _folded(title: str, html: str) -> str:
    return f"<details><summary>{_e(title)}</summary>{html}</details>"


def _table(
    head: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    label: str,
    kind: str = "",
    row_head: int = 0,
) -> str:
    """Return a table; `kind` is ``sift`` where it can be sorted and filtered."""
    listed = list(rows)
    numbers = {place for row in listed[:1] for place, cell in enumerate(row) if _is_number(cell)}
    body = "".join(f"<tr>{_cells(row, row_head)}</tr>" for row in listed)
    heads = "".join(
        f"<th scope=col{' class=n' if place in numbers else ''}>{title}</th>"
        for place, title in enumerate(head)
    )
    return (
        f'<div class=scroll role=region tabindex=0 aria-label="{_e(label)}">'
        f'<table class="{kind}"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _cells(row: Sequence[Cell], row_head: int) -> str:
    found = []
    for place, cell in enumerate(row):
        html, value = cell if isinstance(cell, tuple) else (cell, None)
        sorted_by = "" if value is None else f' data-v="{value:g}"'
        if place == row_head:
            found.append(f"<th scope=row{sorted_by}>{html}</th>")
        else:
            found.append(f"<td{sorted_by}>{html}</td>")
    return "".join(found)


_TOOLS = """<div class=tools hidden>
<label>Show rows with <input type=search placeholder="file, variable or case"></label>
<button type=button data-open=1>Open all</button>
<button type=button data-open="">Close all</button>
</div>
<p class=legend>Bars show the share of a limit in use, from 0.01 % to all of it, on a logarithmic
scale with a line at every power of ten. Deviations stand with the case where they occur.</p>"""

_PAGE = """<!DOCTYPE html>
<html lang=en>
<head><meta charset=utf-8><meta name=viewport content="width=device-width, initial-scale=1">
<title>Certificates</title><style>{style}</style></head>
<body>
{body}
<script>{script}</script>
</body>
</html>
"""

_STYLE = """
:root{color-scheme:light dark;--page:#f7f7f5;--card:#fff;--ink:#1d2125;--soft:#5a6269;
--line:#d9dcd9;--good:#1b6e42;--bad:#b3261e;--badpage:#fdeeec;--bar:#3d6fa5;--mark:#fff1c2}
@media(prefers-color-scheme:dark){:root{--page:#15181b;--card:#1d2125;--ink:#e4e6e8;--soft:#9ba4ac;
--line:#363c42;--good:#6fcf97;--bad:#ff8a80;--badpage:#3a1f1e;--bar:#7aa9dd;--mark:#4d4115}}
*{box-sizing:border-box}body{margin:0 auto;padding:1.5rem clamp(.8rem,3vw,2.5rem) 4rem;
max-width:100rem;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1{margin:0;font-size:1.7rem}h2{margin:0 0 .3rem;font-size:1.3rem}
h3{margin:1.4rem 0 .4rem;font-size:1rem}header p{margin:.2rem 0 1rem;color:var(--soft)}
a{color:inherit}:focus-visible{outline:2px solid var(--bar);outline-offset:2px}
small{color:var(--soft);font-size:.8rem}ul{margin:.2rem 0;padding-left:1.2rem}
.strip{list-style:none;margin:0;padding:0;display:grid;gap:.5rem;
grid-template-columns:repeat(auto-fit,minmax(6.7rem,1fr))}.strip li{display:flex;min-width:0}
.box{flex:1;min-width:0;display:flex;flex-direction:column;padding:.5rem .55rem .6rem;
background:var(--card);border:1px solid var(--line);border-top:4px solid var(--soft);
border-radius:4px;text-decoration:none;line-height:1.35}a.box:hover{border-color:var(--bar)}
.box.passed{border-top-color:var(--good)}.box.no{border-style:dashed}
.box.failed{border-top:4px double var(--bad);background:var(--badpage)}
.box .verdict{margin:.2rem 0;white-space:normal}.box>small{font-size:.73rem}
.box .bar{display:block;margin:auto 0 0;width:100%}
.verdict{font-weight:600;font-size:.9rem;color:var(--soft);white-space:nowrap}
.verdict.passed{color:var(--good)}.verdict.failed,p.failed{color:var(--bad)}
.alarm{margin:1rem 0;padding:.8rem 1rem;border:1px solid var(--bad);border-left-width:6px;
background:var(--badpage);border-radius:4px}.alarm h2{color:var(--bad)}
.tools{display:flex;flex-wrap:wrap;gap:.6rem;align-items:center;margin:1.2rem 0 0}
.tools[hidden]{display:none}input,button{font:inherit;padding:.25rem .6rem;color:inherit;
background:var(--card);border:1px solid var(--line);border-radius:4px}
.legend{margin:.6rem 0;color:var(--soft);font-size:.85rem;max-width:60rem}
.scope{margin-top:1.2rem;padding:1rem 1.2rem 1.2rem;background:var(--card);
border:1px solid var(--line);border-radius:6px;scroll-margin-top:.5rem}
.facts{margin:0;color:var(--soft)}.facts span+span::before{content:" · "}
.scroll{overflow-x:auto;margin:.3rem 0}.n{font-variant-numeric:tabular-nums;white-space:nowrap}
table{border-collapse:collapse;font-size:.85rem;line-height:1.35}th,td{text-align:left;
padding:.28rem .9rem .28rem 0;vertical-align:top;border-bottom:1px solid var(--line)}
thead th{color:var(--soft);font-weight:600;white-space:nowrap;vertical-align:bottom}
tbody th{font-weight:600}td:has(.n),th.n{text-align:right}td small{display:block;line-height:1.25}
.u{white-space:nowrap}.sift td small{white-space:nowrap}.bad td{min-width:12rem}
.sift .n small{white-space:normal;max-width:8rem;margin-left:auto}
thead button{all:unset;cursor:pointer}thead button:focus-visible{outline:2px solid var(--bar)}
th[aria-sort=ascending] button::after{content:" ▲"}
th[aria-sort=descending] button::after{content:" ▼"}
.bar{display:inline-block;width:6rem;height:.55rem;margin:0 .5rem 0 0;border:1px solid var(--line);
background:repeating-linear-gradient(90deg,transparent 0 calc(25% - 1px),var(--line) 0 25%)}
.bar i{display:block;height:100%;background:var(--bar);opacity:.85}
.bar.over i{background:repeating-linear-gradient(45deg,var(--bad) 0 4px,transparent 0 7px)}
details{margin:.45rem 0}summary{cursor:pointer;color:var(--soft)}summary b{color:var(--ink)}
summary small{margin-left:.8rem}.case{border-top:1px solid var(--line);padding-top:.45rem}
details>:not(summary){margin-left:1rem}dl{display:grid;grid-template-columns:max-content 1fr;
gap:.1rem 1rem;font-size:.85rem}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
code{font:.75rem ui-monospace,Menlo,Consolas,monospace}
mark{background:var(--mark);color:inherit;padding:0 .3rem;border-radius:3px}
.bar,mark{print-color-adjust:exact}@media(max-width:40rem){.scope{padding:.8rem}
dl{grid-template-columns:1fr}details>:not(summary){margin-left:.3rem}}
@media print{:root{font-size:12px;color-scheme:light;--page:#fff;--card:#fff;
--ink:#000;--soft:#444;--line:#ccc;--good:#1b6e42;--bad:#b3261e;--badpage:#fff;
--bar:#3d6fa5;--mark:#fff1c2}body{font-size:12px;max-width:none;padding:0}
.tools,.legend{display:none}.scope{border:0;padding:0}.scroll{overflow:visible}
tr{break-inside:avoid}.sift td small,.u,.n{white-space:normal}}
"""

_SCRIPT = """
const all = (what, from = document) => [...from.querySelectorAll(what)];
const tools = document.querySelector('.tools'), wanted = tools.querySelector('input');
tools.hidden = false;
wanted.addEventListener('input', () => {
  const text = wanted.value.trim().toLowerCase();
  for (const row of all('table.sift tbody tr'))
    row.hidden = text !== '' && !row.textContent.toLowerCase().includes(text);
  if (text) for (const table of all('details > .scroll > table.sift'))
    table.closest('details').open = all('tbody tr', table).some(row => !row.hidden);
});
for (const button of all('button[data-open]', tools)) button.addEventListener('click', () => {
  for (const part of all('.scope > details')) part.open = Boolean(button.dataset.open);
});
for (const head of all('table.sift thead th')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener('click', () => {
    const up = head.ariaSort === 'descending', place = head.cellIndex;
    for (const other of head.parentNode.cells) other.ariaSort = null;
    head.ariaSort = up ? 'ascending' : 'descending';
    const body = head.closest('table').tBodies[0], key = row => {
      const cell = row.cells[place];
      return cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
    };
    const order = (a, b) => typeof a === 'number' && typeof b === 'number'
      ? a - b : String(a).localeCompare(String(b));
    body.append(...[...body.rows].sort((a, b) => (up ? 1 : -1) * order(key(a), key(b))));
  });
}
"""
