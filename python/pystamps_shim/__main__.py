"""Entry point of ``python -m pystamps_shim``."""

from __future__ import annotations

import sys

from pystamps_shim.cli import main

if __name__ == "__main__":
    sys.exit(main())
