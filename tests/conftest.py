"""Fixtures of the whole-system tests."""

from __future__ import annotations

import subprocess
from collections import Counter
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

# Their assertions are to say what they found.
pytest.register_assert_rewrite("tests.disturbance", "tests.fault_bench")

__all__ = [
    "golden",
    "golden_products",
    "golden_stages",
    "golden_unwrapping",
    "native",
    "oracle",
    "processed",
    "shared_dir",
    "two_patches",
]

Native = Callable[..., subprocess.CompletedProcess[str]]

_TIMEOUT_S = 120
#: What tests record of themselves (`record_property`), to be added up.
_COUNTED = ("kills", "disk faults", "damaged inputs", "writers at once", "wrong clocks")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many faults were survived."""
    survived: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        survived.update({n: v for n, v in report.user_properties if n in _COUNTED})
    if survived:
        counts = ", ".join(f"{survived[name]} {name}" for name in _COUNTED if survived[name])
        terminalreporter.write_line(f"survived: {counts}")


@pytest.fixture(scope="session")
def native_program() -> Path:
    """Find the native program; without it the whole-system tests fail."""
    return find()


@pytest.fixture(scope="session")
def two_patches(native_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Process a scene of two patches; see `process_two_patches` for what is in the folder.

    Whoever uses it brings the state back that it needs.
    """
    # Not before its assertions are rewritten.
    from tests.disturbance import process_two_patches

    folder: Path = tmp_path_factory.mktemp("two_patches")
    process_two_patches(native_program, folder)
    return folder


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
