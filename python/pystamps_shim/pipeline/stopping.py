"""Stopping a run: once after the stages that run, twice at once."""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from types import FrameType

#: Ctrl-C, the end of a job, a terminal that is closed.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_FIRST_WORDS = (
    "\nstopping once the stages that run have published; Ctrl-C again stops now (nothing is lost)\n"
)
_SECOND_WORDS = "\nstopping now; what was not published is discarded\n"


class Stopper:
    """Knows whether to stop, and the processes to end if it is to be at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._processes: set[subprocess.Popen[bytes]] = set()
        #: No stage is begun any more.
        self.requested = False
        #: Running stages are ended.
        self.at_once = False

    def request(self) -> None:
        """Begin no further stage."""
        self.requested = True

    def stop_now(self) -> None:
        """End the running stages too; what they have not published is discarded."""
        self.requested = self.at_once = True
        with self._lock:
            for process in self._processes:
                process.kill()

    @contextlib.contextmanager
    def watching(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Have a process ended by `stop_now` while the block runs."""
        with self._lock:
            self._processes.add(process)
            if self.at_once:
                process.kill()
        try:
            yield
        finally:
            with self._lock:
                self._processes.discard(process)


@contextlib.contextmanager
def signals_stop(stopper: Stopper) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM stop the run while the block runs.

    The first Ctrl-C lets running stages publish, the second and SIGTERM stop at once. Outside the
    main thread signals stay as they are: Python lets nobody else change them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and not stopper.requested:
            stopper.request()
            _tell(_FIRST_WORDS)
        else:
            # Not from within the handler, and not by `threading`, which has a lock of its own: the
            # handler may have interrupted the holder of either.
            _thread.start_new_thread(stopper.stop_now, ())
            _tell(_SECOND_WORDS)

    # Under nohup a closed terminal is to be ignored, by us too.
    heard = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(words: str) -> None:
    """Write to standard error from a signal handler.

    Python's own stream refuses that with an exception where the signal has interrupted a write to
    it, and a run writes a line a stage.
    """
    with contextlib.suppress(OSError):
        os.write(2, words.encode())
