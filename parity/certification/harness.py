"""A digest of what judges: cases, comparisons, relations, mutations, and every rule.

A certificate that was judged by other rules says nothing of the present ones. What counts are the
modules that certification imports, followed through our own packages, and the contracts. Layout,
comments and docstrings of Python do not count.
"""

from __future__ import annotations

import ast
import hashlib
import json
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pystamps_shim.verification.contracts import CONTRACT_FOLDER

#: The module from which all that judges is reached.
_START = "parity.certification.certify"
#: Where our packages are.
_ROOTS = {
    "parity": Path(__file__).resolve().parents[2],
    "pystamps_shim": CONTRACT_FOLDER.parents[2],
}
#: Modules that start programs, show progress and read settings: no verdict depends on them.
_NOT_JUDGING = ("pystamps_shim.pipeline", "pystamps_shim.config", "pystamps_shim.progress")
#: Rules of other comparisons.
_OTHER_RULES = ("kernels.toml", "products.toml", "tables.toml")
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def harness_digest() -> str:
    """Return the SHA-256 of everything that judges."""
    digest = hashlib.sha256()
    for name, content in sorted([*_modules().items(), *_rules()]):
        digest.update(f"{name}\n{hashlib.sha256(content.encode()).hexdigest()}\n".encode())
    return digest.hexdigest()


def judging_modules() -> list[str]:
    """Return the names of the modules that count."""
    return sorted(_modules())


def _modules() -> dict[str, str]:
    """Return the meaning of every module that certification reaches."""
    found: dict[str, str] = {}
    waiting = [_START]
    while waiting:
        name = waiting.pop()
        path = _path(name)
        if path is None or name in found or name.startswith(_NOT_JUDGING):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found[name] = _meaning(tree)
        waiting += _imported(tree)
    return found


def _imported(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a module imports, and may be modules themselves."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _path(name: str) -> Path | None:
    """Return the file of a module of ours, None for others and for what is no module."""
    package, *parts = name.split(".")
    if package not in _ROOTS:
        return None
    place = _ROOTS[package].joinpath(package, *parts)
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path
    return None


def _rules() -> Iterator[tuple[str, str]]:
    for path in CONTRACT_FOLDER.glob("*.toml"):
        if path.name not in _OTHER_RULES:
            rules = tomllib.loads(path.read_text(encoding="utf-8"))
            yield path.name, json.dumps(rules, sort_keys=True)


def _meaning(tree: ast.Module) -> str:
    """Return a module as its syntax tree, without docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return ast.dump(tree)
