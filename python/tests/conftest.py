"""Fixtures of the Python tests."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Folder of the original StaMPS oracle; skips without it, but fails in CI."""
    folder = Path(os.environ.get("PYSTAMPS_SHARED", REPOSITORY.parent / "shared"))
    if (folder / "oracle").is_dir():
        return folder
    reason = f"{folder} is absent; set PYSTAMPS_SHARED to where the oracle is"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
