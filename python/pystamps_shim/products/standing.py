"""Whether products are still those of their dataset: then a finished run does not repeat them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

#: In the folder of the products: what they were made from.
RECORD = ".products.json"


def state_of(dataset: Path, others: Iterable[Path], settings: Mapping[str, object]) -> str:
    """Return a digest of what products depend on.

    Parameters
    ----------
    dataset
        Dataset folder; its own MATLAB files count, those of the patches do not.
    others
        Further files that were read.
    settings
        What else decides what is made: version, libraries.

    Notes
    -----
    Files count with name, size and time of change: a file of the same content that was written
    again makes products that are not needed, never missing ones.
    """
    paths = [*sorted(dataset.glob("*.mat")), *others]
    files = [(path.name, (found := path.stat()).st_size, found.st_mtime_ns) for path in paths]
    text = json.dumps([files, dict(settings)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def recorded(out: Path, state: str) -> list[Path] | None:
    """Return the products of a folder, None where they are not of this state or not all there."""
    try:
        record: Any = json.loads((out / RECORD).read_text(encoding="utf-8"))
        files = [(out / name, size) for name, size in record["files"].items()]
        same = record["state"] == state and all(p.stat().st_size == size for p, size in files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return [path for path, _ in files] if same else None


def forget(out: Path) -> None:
    """Remove the record of a folder, before its products change one by one."""
    (out / RECORD).unlink(missing_ok=True)


def record(out: Path, state: str, files: Iterable[Path]) -> None:
    """Record the products of a folder."""
    content = {"state": state, "files": {path.name: path.stat().st_size for path in files}}
    (out / RECORD).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
