"""Complete what a killed program has left half in place, before a command reads a dataset."""

from __future__ import annotations

from pathlib import Path

from pystamps_shim.errors import PystampsError
from pystamps_shim.io.dataset import CONTROL_FOLDER

_JOURNAL = f"{CONTROL_FOLDER}/staging/journal.json"


def settle(dataset: Path) -> None:
    """Have the native program finish a publication in a dataset or its patches, if one was cut off.

    Raises
    ------
    PystampsError
        It cannot be finished.
    """
    if not _unfinished(dataset):
        return
    from pystamps_shim._binary import find_command  # noqa: PLC0415 - hardly ever needed
    from pystamps_shim.pipeline.commands import Native  # noqa: PLC0415

    try:
        # Before it plans, it does that.
        Native(find_command(), quiet=True).run(
            ["plan", "--dataset", str(dataset), "--without-times"]
        )
    except PystampsError:
        if _unfinished(dataset):
            raise


def _unfinished(dataset: Path) -> bool:
    return any(any(dataset.glob(pattern)) for pattern in (_JOURNAL, f"*/{_JOURNAL}"))
