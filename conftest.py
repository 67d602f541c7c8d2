"""What all tests share: signals mean what they mean in a terminal, and memory is used again."""

from __future__ import annotations

import ctypes
import signal

#: Parameters of the GNU C library's `mallopt`.
_KEPT_BYTES, _ARRAYS_WITH_OWN_PAGES = -1, -4

# Also in the background.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# Programs inherit that a signal is ignored (`nohup make test`), but not how it is handled.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)

# Fresh pages for every array took a fifth of the time of the reference's stage 2. Other C libraries
# have no such function.
_set = getattr(ctypes.CDLL(None), "mallopt", None)
if _set is not None:
    _set(_KEPT_BYTES, 1 << 30)
    _set(_ARRAYS_WITH_OWN_PAGES, 0)
