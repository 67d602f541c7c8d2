"""A digest of what judges: cases, comparisons, relations, mutations, and every rule.

A certificate that was judged by other rules says nothing of the present ones. Layout, comments and
docstrings of Python do not count, nor do reports and the command line.
"""

from __future__ import annotations

import ast
import hashlib
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

from pystamps_shim.verification.contracts import CONTRACT_FOLDER

_PARITY = Path(__file__).resolve().parents[1]
_PACKAGE = CONTRACT_FOLDER.parents[1]
#: What shows certificates, and what people type.
_NOT_JUDGING = ("report_content.py", "report_html.py", "report_markdown.py", "command.py")
#: Modules outside both folders that comparisons and relations rest on.
_BESIDES = (
    *(_PARITY / f"{name}.py" for name in ("chain", "compare", "comparison", "golden", "oracle")),
    *(_PARITY / f"{name}.py" for name in ("readers", "snaphu_files", "stages")),
    *(_PACKAGE / "reference" / f"{name}.py" for name in ("flow", "grid_unwrapping")),
    *(_PACKAGE / "reference" / f"{name}.py" for name in ("neighbour_clamp", "triangulation")),
)
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def harness_digest() -> str:
    """Return the SHA-256 of everything that judges."""
    digest = hashlib.sha256()
    for name, content in sorted(_contents()):
        digest.update(f"{name}\n{hashlib.sha256(content.encode()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _contents() -> Iterator[tuple[str, str]]:
    """Yield every file by its name in the source tree, without what does not count."""
    modules = [
        *_BESIDES,
        *Path(__file__).parent.glob("*.py"),
        *CONTRACT_FOLDER.parent.glob("*.py"),
    ]
    for path in modules:
        if path.name not in _NOT_JUDGING:
            yield f"{path.parent.name}/{path.name}", _meaning(path.read_text(encoding="utf-8"))
    for path in CONTRACT_FOLDER.glob("*.toml"):
        rules = tomllib.loads(path.read_text(encoding="utf-8"))
        yield f"contract/{path.name}", json.dumps(rules, sort_keys=True)


def _meaning(source: str) -> str:
    """Return a module as its syntax tree, without docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return ast.dump(tree)
