"""``python -m parity``: certification against original StaMPS."""

from __future__ import annotations

import sys

from parity.certification.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
