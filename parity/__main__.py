"""``python -m parity``: certification against original StaMPS."""

from __future__ import annotations

import sys

from parity.certification.command import main

if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        sys.stderr.close()
        sys.exit(1)
