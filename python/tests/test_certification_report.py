"""A report of certificates shows failures first, loses nothing, and refers to nothing outside."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from parity.certification.report_content import LimitUse, count, limit_use, number, scopes_of
from parity.certification.report_html import html_report
from parity.certification.report_markdown import markdown_report
from parity.certification.scopes import STAGE_SCOPES

Plain = dict[str, Any]

_HOSTILE = "</script><script>alert(1)</script>|`x`\n# *head* \"quoted' &lt; _it_ [a](b) \x00\ud800"
_VOID = {"meta", "input", "wbr", "br", "link", "img"}


def near(value: float) -> Any:
    return pytest.approx(value)


def variable(name: str = "K_ps", **changes: Any) -> Plain:
    plain = {
        "name": name,
        "status": "equal",
        "policy": "quantiles",
        "measure": "absolute",
        "limits": {"q99": 1e-4, "max": 1e-3},
        "compared": 1000,
        "differing": 0,
        "worst": {
            "index": [3, 1],
            "reference_index": [3, 1],
            "dataset": {"re": 1.0, "im": 2.0},
            "reference": {"re": 1.0, "im": 2.0003},
        },
        "deviation": {"q50": 0.0, "q99": 7.6e-5, "max": 3e-4},
    }
    return {**plain, **changes}


def exact(name: str = "n_ps", **changes: Any) -> Plain:
    plain = {"name": name, "status": "equal", "policy": "exact", "compared": 12, "differing": 0}
    return {**plain, **changes}


def case(name: str = "T", *variables: Plain, **changes: Any) -> Plain:
    file = {"file": "PATCH_1/pm1.mat", "status": "equal", "variables": list(variables)}
    plain = {
        "name": name,
        "passed": True,
        "scene": name,
        "options": ["--option"],
        "profile": None,
        "parameters": {"clap_win": [32.0], "scene": name, "weed": ["inf"]},
        "failures": [],
        "inputs": {"ps1.mat": "ab" * 32},
        "outputs": {"pm1.mat": {"ours": "cd" * 32, "original": "ef" * 32}},
        "files": [file],
        "relations": [{"name": "cells hold their sums", "problem": None}],
        "refused": [{"where": "pm1.mat: N_opt", "why": "the reference is empty"}],
        "notes": ["2 rows were moved"],
    }
    return {**plain, **changes}


def certificate(name: str = "stage2-patch", *cases: Plain, **changes: Any) -> Plain:
    plain = {
        "name": name,
        "oracle": {"engine": "StaMPS under Octave", "data": "full", "identity_sha256": "12" * 32},
        "program": {"version": "0.1.0", "commit": "e35ff798", "date": "2026-11-28T07:24:45Z"},
        "machine": {"architecture": "x86_64", "system": "Linux"},
        "threads": [1, 3],
        "passed": True,
        "mutations": {"made": 9, "detected": 9, "by_kind": {"element": 9}, "undetected": []},
        "coverage": {
            "variables": 3,
            "by_value": 2,
            "by_form": {"pm1.mat: N_opt": "1 for every candidate"},
            "without_evidence": [],
        },
        "cases": list(cases),
    }
    return {**plain, **changes}


def failing() -> Plain:
    """Return a certificate that fails in every way there is."""
    differing = variable(
        "ph_patch",
        status="differs",
        problem="5 of 1000 values differ; worst at (3, 1)",
        differing=5,
        deviation={"q50": 0.0, "q99": 0.002, "max": "inf"},
    )
    wrong_class = exact("n_ps", status="differs", problem="class single, want double")
    first = case("bad values", differing, wrong_class, passed=False)
    first["files"][0]["status"] = "differs"
    first["files"].append({"file": "pm2.mat", "status": "missing", "variables": []})
    first["relations"].append({"name": "sums are sums", "problem": "3 sums are wrong"})
    second = case("bad run", passed=False, files=[], failures=["exit code 2: no memory"])
    third = case("silent", passed=False, files=[])
    made = certificate("stage6-merged", first, case("good", variable()), second, third)
    made["passed"] = False
    made["mutations"] = {"made": 9, "detected": 8, "undetected": ["pm1.mat: K_ps: last bit"]}
    made["coverage"]["without_evidence"] = ["pm1.mat: lost: empty"]
    return made


_PROBLEMS = (
    "5 of 1000 values differ; worst at (3, 1)",
    "class single, want double",
    "missing",
    "3 sums are wrong",
    "exit code 2: no memory",
    "nothing compared",
    "pm1.mat: K_ps: last bit",
    "pm1.mat: lost: empty",
)


def everything() -> list[Plain]:
    """Return certificates of every sort, in a wrong order."""
    figures = {"jaccard": 0.99884, "velocity_rms_mm_per_year": {"v-do": 0.0041234}}
    chain = certificate("chain", case("T", variable(), figures=figures), stage=None, more=[1])
    hostile = certificate(_HOSTILE, case(_HOSTILE, variable(_HOSTILE), notes=[_HOSTILE]))
    hostile["cases"][0]["parameters"] = {_HOSTILE: _HOSTILE}
    hostile["cases"][0]["failures"] = [_HOSTILE]
    hostile["coverage"]["by_form"] = {_HOSTILE: _HOSTILE}
    hostile["machine"] = {"processor": _HOSTILE}
    two = certificate("stage2-patch", case("T", variable(), exact()), case("S", variable()))
    bare = {"name": "prep", "passed": True, "cases": [{"name": "T", "passed": True}]}
    odd = {"name": "stage3-patch", "passed": False, "cases": [{"files": [{"variables": [{}]}]}]}
    return [chain, two, hostile, failing(), two, bare, odd, {"name": "x", "cases": None}]


# The share of a limit.


@pytest.mark.parametrize(
    ("changes", "share", "level"),
    [
        ({}, 0.76, "q99"),
        ({"limits": {"q98": 1e-9, "max": 1e-3}}, 0.3, "max"),
        ({"limits": {"q99": 1e-4, "max": "inf"}}, 0.76, "q99"),
        ({"policy": "ulp", "deviation": {"max": 2.0}, "limits": {"max": 4.0}}, 0.5, "max"),
        ({"limits": {"max": 0.0}}, math.inf, "max"),
        ({"deviation": {"max": "nan"}}, math.inf, "max"),
        ({"policy": "rms", "share": 0.99, "limits": {"max": 1e-4}}, 1.0, "max"),
    ],
)
def test_share_of_limits(changes: Plain, share: float, level: str) -> None:
    """The level that comes nearest to its limit counts, if it has a finite one."""
    use = limit_use(variable(**changes))
    assert use is not None
    assert (use.share, use.level) == (near(share), level)


def test_share_without_limits() -> None:
    """The same bits use nothing; what is not compared, or has no finite limit, has no share."""
    assert limit_use(exact()) == LimitUse(0.0)
    assert limit_use(variable(policy="ignored")) is None
    assert limit_use(variable(status="not_compared")) is None
    assert limit_use(variable(limits={"max": "inf"})) is None
    assert limit_use({}) is None


def test_share_of_unwrapped_phase() -> None:
    """Whole cycles count by their number; they hide the largest deviation besides them."""
    unwrapped = variable(policy="cycles", limits={"max": 1e-4}, share=0.01, cycles=2)
    unwrapped["deviation"] = {"q50": 0.0, "q99": 1e-6, "max": 2 * math.pi}
    assert limit_use(unwrapped) == LimitUse(near(0.2), "other cycles")
    unwrapped["deviation"]["q99"] = 5e-5
    assert limit_use(unwrapped) == LimitUse(near(0.5), "q99")
    unwrapped.update(cycles=0, deviation={"q50": 0.0, "q99": 1e-6, "max": 8e-5})
    assert limit_use(unwrapped) == LimitUse(near(0.8), "max")


def test_share_of_sets() -> None:
    """Rows that are not common count by how many there may be."""
    rows = {"policy": "set", "share": 0.9, "compared": 1000, "differing": 20, "status": "equal"}
    assert limit_use(rows) == LimitUse(near(0.2), "rows")


def test_numbers_are_short() -> None:
    """Three digits are enough, and elements are counted in thousands."""
    assert [number(value) for value in (0.0, 8.1798e-5, 0.123456, 1e22)] == [
        *("0", "8.18e-5", "0.123", "1e22"),
    ]
    assert [count(value) for value in (12, 999, 1000, 13952, 999_999, 2_345_678)] == [
        *("12", "999", "1 k", "14 k", "1 M", "2.35 M"),
    ]


# Variables over all cases.


def test_variables_are_gathered_over_cases_and_patches() -> None:
    """The worst case is named with its patch; another rule is another row."""
    worse = variable(deviation={"q50": 1e-9, "q99": 9e-5, "max": 2e-4})
    other = variable(limits={"max": 1.0})
    files = [
        {"file": f"PATCH_{patch}/pm1.mat", "status": "equal", "variables": [one]}
        for patch, one in ((1, variable()), (2, worse))
    ]
    scope = scopes_of([certificate("x", case("T", files=files), case("S", other))])[0]
    assert [row.cases for row in scope.rows] == [("T",), ("S",)]
    row = scope.rows[0]
    assert (row.file, row.compared, row.used_in) == ("pm1.mat", 2000, "T, PATCH_2")
    assert (row.peaks["max"].value, row.peaks["max"].where) == (3e-4, "T, PATCH_1")
    assert (row.peaks["q99"].value, row.peaks["q99"].where) == (9e-5, "T, PATCH_2")


def test_a_file_of_a_patch_is_not_that_of_the_root() -> None:
    """Where both exist the patches' is marked."""
    files = [
        {"file": path, "status": "equal", "variables": [exact()]}
        for path in ("PATCH_1/ps2.mat", "ps2.mat")
    ]
    scope = scopes_of([certificate("chain", case("T", files=files))])[0]
    assert [row.file for row in scope.rows] == ["PATCH_*/ps2.mat", "ps2.mat"]


def test_a_verdict_needs_the_contents_to_agree() -> None:
    """A certificate that says it passed does not hide a failure in it."""
    made = failing()
    made["passed"] = True
    scope = scopes_of([made])[0]
    assert scope.verdict == "failed"
    assert "in spite of" in scope.failures[-1].what
    assert scopes_of([certificate("x")])[0].verdict == "failed"


# Failures.


def _visible(page: str) -> str:
    """Return the text of a page, as far as it is read."""
    page = re.sub(r"<(style|script)>.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", "", page).replace("&#x27;", "'").split())


@pytest.mark.parametrize("kind", ["markdown", "html"])
def test_failures_come_first_and_none_is_lost(kind: str) -> None:
    """Every problem is said, before any table of variables and at the top for the scope."""
    page = (
        markdown_report([failing()]) if kind == "markdown" else _visible(html_report([failing()]))
    )
    first = page.index("Variables with limits")
    for problem in _PROBLEMS:
        assert problem in page[:first]
    assert "K_ps: last bit" in page[:first]
    assert "20 times its limit q99" not in page  # the largest deviation is infinite
    assert "inf times its limit max" in page
    assert "at (3, 1): 1 + 2i in the original, ours is 0.0003 off" in page


@pytest.mark.parametrize("make", [markdown_report, html_report])
def test_what_passed_is_said(make: Any) -> None:
    """A summary names the worst use of a limit, and sections keep notes, reasons and figures."""
    page = make(everything())
    for words in ("pm1.mat: K_ps reaches 76 % of its limit q99", "1 for every candidate"):
        assert words in page
    for words in ("2 rows were moved", "cells hold their sums", "StaMPS under Octave", "0.00412"):
        assert words in page
    assert "velocity_rms_mm_per_year, v-do" in page


@pytest.mark.parametrize("make", [markdown_report, html_report])
def test_nothing_to_report(make: Any) -> None:
    """No certificate, and one without anything, make a report too."""
    assert "0 of 0" in re.sub(r"<[^>]*>", "", make([]))
    assert "failed" in make([{}])


def test_scopes_stand_in_the_order_of_processing() -> None:
    """Whatever the order of the certificates, and what is missing is said in the overview."""
    made = [certificate(scope.name, case("T", exact())) for scope in STAGE_SCOPES]
    made = [certificate("chain", case("T")), *reversed(made[1:]), certificate("prep", case("T"))]
    text = markdown_report(made)
    order = ["Preparation", "Stage 2, patches", "Stage 5, patches", "Stage 5, merged", "Chains"]
    places = [text.index(f"## {title}:") for title in order]
    assert places == sorted(places)
    page = _visible(html_report(made))
    assert page.index("no certificate") < page.index("Stage 2")


# Markdown.


def test_markdown_tables_have_their_columns() -> None:
    """Every row of a table has as many cells as its head, whatever is in them."""
    text = markdown_report(everything())
    tables = 0
    for block in re.split(r"\n\n+", text.strip()):
        if not block.startswith("|"):
            continue
        tables += 1
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in block.split("\n")}
        assert len(counts) == 1, block
    assert tables >= 20


def test_markdown_shows_hostile_text_as_it_is() -> None:
    """No tag, heading, emphasis, link or code comes out of a certificate."""
    text = markdown_report(everything())
    assert "<script" not in text
    assert not re.search(r"(?<!\\)`", text)
    assert "](b)" not in text.replace("\\](b)", "")
    heads = [line for line in text.split("\n") if line.startswith("# ")]
    assert heads == ["# Certificates"]
    text.encode("utf-8")


# HTML.


class _Page(HTMLParser):
    """Collects tags that do not match, ids, references and the cells of tables."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.scripts = 0
        self.rows: list[list[int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.references += [found[key] or "" for key in ("href", "src") if key in found]
        self.scripts += tag == "script"
        self.wrong += [key for key in found if key.startswith("on")]
        if tag == "table":
            self.rows.append([])
        if tag == "tr":
            self.rows[-1].append(0)
        if tag in ("td", "th"):
            self.rows[-1][-1] += 1
            assert tag == "td" or found.get("scope") in ("row", "col")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def _parsed(page: str) -> _Page:
    parser = _Page()
    parser.feed(page)
    parser.close()
    return parser


def test_html_is_one_sound_page() -> None:
    """Tags match, ids are unique, links lead inside, and rows have the cells of their head."""
    text = html_report(everything())
    page = _parsed(text)
    assert (page.wrong, page.open) == ([], [])
    assert len(set(page.ids)) == len(page.ids) == len(everything())
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.references)
    assert {link[1:] for link in page.references} == set(page.ids)
    assert not re.search(r"https?://|@import|url\(", text)
    assert all(len(set(cells)) == 1 for cells in page.rows)
    text.encode("utf-8")


def test_html_escapes_hostile_text() -> None:
    """What certificates say is text, everywhere."""
    text = html_report(everything())
    assert _parsed(text).scripts == 1
    assert "alert(1)</script>" not in text
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in text
    assert "\x00" not in text


def test_html_says_verdicts_in_words() -> None:
    """A verdict has a sign and a word; a case that failed stands open, with what failed."""
    text = html_report([failing()])
    assert text.count("<details class=case open>") == 3
    assert '<span aria-hidden="true">✗</span> failed' in text
    assert '<span aria-hidden="true">✓</span> passed' in text


def test_html_marks_parameters_that_differ() -> None:
    """Those come first in every case, marked in words."""
    text = html_report([certificate("x", case("T", exact()), case("S", exact()))])
    assert text.count("differs between cases") == 2
    assert text.index("Parameters that differ between cases: 1") < text.index("clap_win")
