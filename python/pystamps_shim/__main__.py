"""Entry points: ``python -m pystamps_shim`` and the console script ``pystamps-native``."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from pystamps_shim.cli import main


def native() -> int:
    """Run ``pystamps-native`` in place of this process.

    The program packaged in the wheel replaces the process; without it the extension runs
    the same command line, with Ctrl-C ending it at once as it would end a program.
    """
    packaged = Path(__file__).parent / "_bin" / "pystamps-native"
    if packaged.is_file():
        os.execv(packaged, [str(packaged), *sys.argv[1:]])
    from pystamps_shim import _native  # noqa: PLC0415 - loaded only without the program

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return int(_native.cli_main(["pystamps-native", *sys.argv[1:]]))


if __name__ == "__main__":
    sys.exit(main())
