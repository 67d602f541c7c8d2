"""Progress stays silent for quick work and estimates the rest of long work."""

from __future__ import annotations

import io

import pytest

from pystamps_shim.progress import Progress


class Clock:
    """A clock that goes only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Replace the progress module's clock."""
    clock = Clock()
    monkeypatch.setattr("pystamps_shim.progress.time", clock)
    return clock


def test_quick_work_is_silent(clock: Clock) -> None:
    """Nothing under two seconds."""
    text = io.StringIO()
    progress = Progress("images", 10, text)
    for _ in range(10):
        clock.now += 0.19
        progress.step()
    assert not text.getvalue()


def test_long_work_is_estimated(clock: Clock) -> None:
    """A line every five seconds in a log, and one at the end."""
    text = io.StringIO()
    progress = Progress("images", 4, text)
    for _ in range(4):
        clock.now += 6
        progress.step()
    assert text.getvalue().splitlines() == [
        "images: 1 of 4, about 18 s left",
        "images: 2 of 4, about 12 s left",
        "images: 3 of 4, about 6 s left",
        "images: 4 of 4, done in 24 s",
    ]
