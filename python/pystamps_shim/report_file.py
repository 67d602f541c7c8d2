"""Where a report may be written: nothing but an earlier report is ever replaced."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from pystamps_shim.errors import PystampsError, wrong_usage


def report_target(path: Path) -> Path:
    """Return where a report goes, links followed.

    Raises
    ------
    PystampsError
        It is a folder, its folder does not exist, or it holds something that is no report.
    """
    if is_stream(path):
        return path
    target = path.resolve()
    if path.name == "" or target.is_dir():
        cause = f"--report is '{path}', a folder"
        raise wrong_usage(cause, "name a file")
    if not target.parent.is_dir():
        cause = f"{path}: its folder does not exist"
        raise wrong_usage(cause, "create it, or correct --report")
    if target.is_file() and not _is_report(target):
        cause = f"{path} holds something else than a report: it is not replaced"
        raise wrong_usage(cause, "name another file for --report, or remove that one")
    return target


def write_report(path: Path, text: str) -> None:
    """Replace a report as a whole, or write it to a device or pipe as it is.

    A draft that a killed run has left is written over.

    Raises
    ------
    PystampsError
        The disk does not take it; the earlier report stays.
    """
    if is_stream(path):
        path.write_text(text, encoding="utf-8")
        return
    draft = path.with_name(f".{path.name}.draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        cause = f"{path}: the report cannot be written ({error.strerror})"
        raise PystampsError(cause, "check the rights and the room on the disk") from error


def is_stream(path: Path) -> bool:
    """Tell whether a report is read as it is written, so that only its last state goes there."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _is_report(path: Path) -> bool:
    """Tell whether a file is empty, or holds what looks like a report."""
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text) if text.strip() else {"schema": 0}
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "schema" in found
