"""Progress for people: one line on stderr with an estimate of the time left."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TextIO, TypeVar

T = TypeVar("T")

# Shorter work needs no words; a log file needs fewer than a terminal.
_SILENT_S = 2.0
_TERMINAL_INTERVAL_S, _LOG_INTERVAL_S = 0.2, 5.0


class Progress:
    """Counts the steps of one piece of work.

    Nothing is printed in the first two seconds, so that quick work stays quiet.
    """

    def __init__(self, label: str, total: int, stream: TextIO | None = None) -> None:
        self._label, self._total = label, total
        self._stream = sys.stderr if stream is None else stream
        self._begin = time.monotonic()
        self._last_print = self._begin
        self._printed = False
        self._done = 0

    def step(self) -> None:
        """Count one step and print if it is time to."""
        self._done += 1
        now = time.monotonic()
        elapsed = now - self._begin
        interval = _TERMINAL_INTERVAL_S if self._stream.isatty() else _LOG_INTERVAL_S
        last = self._done == self._total
        due = now - self._last_print >= interval or (last and self._printed)
        if elapsed < _SILENT_S or not due:
            return
        left = elapsed / self._done * (self._total - self._done)
        text = f"{self._label}: {self._done} of {self._total}"
        text += f", done in {elapsed:.0f} s" if last else f", about {left:.0f} s left"
        self._write(text, last=last)
        self._last_print, self._printed = now, True

    def _write(self, text: str, *, last: bool) -> None:
        if self._stream.isatty():
            self._stream.write(f"\r{text:<78}" + ("\n" if last else ""))
        else:
            self._stream.write(text + "\n")
        self._stream.flush()


def tracked(items: Iterable[T], label: str, total: int) -> Iterator[T]:
    """Yield `items`, counting each as one step once it has been worked on."""
    progress = Progress(label, total)
    for item in items:
        yield item
        progress.step()
