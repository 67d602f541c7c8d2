"""The one exception type that reaches users, and the exit codes of design.md section 4."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes shared by every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    DIFFERENCES = 3


class PystampsError(Exception):
    """A failure the user can act on: one sentence of cause, one of remedy.

    Parameters
    ----------
    cause
        What is wrong: file, key, expected, found.
    remedy
        What to do next.
    exit_code
        Exit code of a command that ends with this error.
    """

    def __init__(self, cause: str, remedy: str, exit_code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(f"{cause} ({remedy})")
        #: Stable short name of errors that the native side raises, such as ``mat-truncated``.
        self.name: str | None = None
        self.cause = cause
        self.remedy = remedy
        self.exit_code = exit_code


def wrong_usage(cause: str, remedy: str) -> PystampsError:
    """Return the error of a command or a setting that asks for something impossible."""
    return PystampsError(cause, remedy, ExitCode.USAGE)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``: did you mean 'x'?`` for the known name most like one, nothing if none is alike."""
    import difflib  # noqa: PLC0415 - for wrong names only

    alike = difflib.get_close_matches(name, list(known), n=1)
    return f": did you mean '{alike[0]}'?" if alike else ""
