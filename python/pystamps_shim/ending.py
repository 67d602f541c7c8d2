"""An end in order when a batch system, or a closed terminal, asks for it: SIGTERM and SIGHUP."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)

_deferred = False
_pending: int | None = None


def end_in_order() -> None:
    """Let these signals raise `SystemExit`, so that what is half done is removed.

    Signals that somebody else handles or ignores stay as they are.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in _SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


@contextmanager
def deferred() -> Iterator[None]:
    """Put the end off while a block runs whose first half must not stand alone."""
    global _deferred, _pending  # noqa: PLW0603 - signals belong to the process
    _deferred = True
    try:
        yield
    finally:
        _deferred = False
        number, _pending = _pending, None
        if number is not None:
            raise SystemExit(128 + number)


def _end(number: int, _: FrameType | None) -> None:
    global _pending  # noqa: PLW0603
    if _deferred:
        _pending = number
        return
    raise SystemExit(128 + number)
