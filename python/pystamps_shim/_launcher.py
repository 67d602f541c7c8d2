"""The console script ``pystamps-native``: becomes the native program as fast as Python can.

Nothing else of the package is imported before that, and Ctrl-C already ends the process as it
ends the program.
"""

import os
import signal
import sys


def native() -> int:
    """Run ``pystamps-native`` in place of this process.

    Without the packaged program the extension runs the same command line.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    folder = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is slow
    packaged = os.path.join(folder, "_bin", "pystamps-native")  # noqa: PTH118
    try:
        os.execv(packaged, [packaged, *sys.argv[1:]])
    except OSError:
        # Not packaged, or made for another machine.
        from pystamps_shim import _native

        return int(_native.cli_main(["pystamps-native", *sys.argv[1:]]))


if __name__ == "__main__":
    sys.exit(native())
