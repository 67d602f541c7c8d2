"""Fixtures of the whole-system tests."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from parity.fixtures import (
    golden,
    golden_products,
    golden_stages,
    golden_unwrapping,
    oracle,
    processed,
    shared_dir,
)

from pystamps_shim._binary import find

# Its assertions are to say what they found.
pytest.register_assert_rewrite("tests.disturbance")

__all__ = [
    "golden",
    "golden_products",
    "golden_stages",
    "golden_unwrapping",
    "native",
    "oracle",
    "processed",
    "shared_dir",
]

Native = Callable[..., subprocess.CompletedProcess[str]]

_TIMEOUT_S = 120


@pytest.fixture(scope="session")
def native_program() -> Path:
    """Find the native program; without it the whole-system tests fail."""
    return find()


@pytest.fixture
def native(native_module: Native) -> Native:
    """Return a function that runs the program and expects it to succeed, as `native_module`."""
    return native_module


@pytest.fixture(scope="session")
def native_module(native_program: Path) -> Native:
    """Return a function that runs the program and expects it to succeed.

    ``native("stage", 1, "--patch", path)``; pass ``exit_code`` to expect another code.
    """

    def run(*arguments: object, exit_code: int = 0) -> subprocess.CompletedProcess[str]:
        command = [str(native_program), *(str(argument) for argument in arguments)]
        result = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
        )
        assert result.returncode == exit_code, f"{command}\n{result.stdout}\n{result.stderr}"
        return result

    return run
