"""Texts compared line by line."""

from __future__ import annotations


def compare_text(reference: str, candidate: str, substitutions: dict[str, str]) -> str | None:
    """Compare two texts after replacing placeholders in the reference."""
    for placeholder, real in substitutions.items():
        reference = reference.replace(placeholder, real)
    if reference == candidate:
        return None
    lines = zip(reference.splitlines(), candidate.splitlines(), strict=False)
    for number, (want, got) in enumerate(lines, start=1):
        if want != got:
            return f"line {number} is '{got}', want '{want}'"
    counts = (len(candidate.splitlines()), len(reference.splitlines()))
    return f"{counts[0]} lines, want {counts[1]} (or a final newline differs)"
