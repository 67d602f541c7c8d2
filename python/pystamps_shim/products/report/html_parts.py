"""Tables, definition lists and figures as HTML; every text is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

#: Where a dataset does not tell.
NOT_RECORDED = "not recorded"
#: Stands for a number that is not known.
DASH = "\N{EN DASH}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """Return a table; cells that begin with a digit or a sign are set flush right."""
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    body = "".join(f"<tr>{''.join(_cell(each) for each in row)}</tr>" for row in rows)
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Table">'
        f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def definitions(pairs: Iterable[tuple[str, str]]) -> str:
    """Return names and what they stand for."""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in pairs)
    return f"<dl>{rows}</dl>"


def details(summary: str, body: str) -> str:
    """Return something that opens on demand; `body` is HTML."""
    return f"<details><summary>{escape(summary)}</summary>{body}</details>"


def figure(title: str, body: str, caption: str, more: str = "") -> str:
    """Return a card with a heading, a chart, a caption, and more below; charts are HTML."""
    words = f"<p>{escape(caption)}</p>" if caption else ""
    return f'<article class="card"><h3>{escape(title)}</h3>{body}{words}{more}</article>'


def paragraph(text: str) -> str:
    """Return one."""
    return f"<p>{escape(text)}</p>"


def number(value: float | None, decimals: int) -> str:
    """Return a number with digits in groups and a true minus sign, a dash where unknown."""
    if value is None or not np.isfinite(value):
        return DASH
    text = f"{value:,.{decimals}f}"
    if text.startswith("-") and not text.strip("-0.,"):
        text = text[1:]
    return text.replace("-", "\N{MINUS SIGN}")


def _cell(text: str) -> str:
    numeric = text[:1].isdigit() or text[:1] in {"\N{MINUS SIGN}", DASH}
    return f'<td class="n">{escape(text)}</td>' if numeric else f"<td>{escape(text)}</td>"
