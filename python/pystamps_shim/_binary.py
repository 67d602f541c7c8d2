"""Find the native program ``pystamps-native`` of exactly this version."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pystamps_shim.errors import PystampsError

NAME = "pystamps-native"
#: The environment variable that names a program to use before any other.
VARIABLE = "PYSTAMPS_NATIVE"

_REMEDY = f"run 'make native' in the source tree, or set {VARIABLE} to the program"
_VERSION_TIMEOUT_S = 20


def find() -> Path:
    """Return the first program that runs and has this package's version.

    Order: ``$PYSTAMPS_NATIVE``, the copy packaged with this module, the scripts folder,
    ``PATH``, ``target/release`` of a source tree. A debug build is never taken: it is many
    times slower, and its times would be reported as ours.

    Raises
    ------
    PystampsError
        With every place tried and what was wrong there. A program named by the variable
        is used or refused, never passed over.
    """
    wanted = package_version()
    tried = []
    for place, path in _places():
        problem = _problem(path, wanted)
        if problem is None:
            return path
        tried.append(f"\n    {place}: {path}: {problem}")
        if place == f"${VARIABLE}":
            break
    cause = f"no usable {NAME} {wanted}; tried{''.join(tried)}"
    raise PystampsError(cause, _REMEDY)


def find_command() -> tuple[str, ...]:
    """Return how to start the native program: `find`, or else the extension, the same code.

    Raises
    ------
    PystampsError
        As `find`, if there is no extension either, or if the variable names a program.
    """
    try:
        return (str(find()),)
    except PystampsError:
        if os.environ.get(VARIABLE) or not importlib.util.find_spec("pystamps_shim._native"):
            raise
        return (sys.executable, "-m", "pystamps_shim._launcher")


@cache
def package_version() -> str:
    """Return the version of the extension, or without it that of the installed package.

    The extension comes first because asking for the package takes ten times as long.
    """
    try:
        return str(importlib.import_module("pystamps_shim._native").__version__)
    except (ImportError, AttributeError):
        pass
    from importlib import metadata  # noqa: PLC0415

    try:
        return metadata.version("pystamps")
    except metadata.PackageNotFoundError as error:
        cause = "the package pystamps is not installed, so its version is unknown"
        raise PystampsError(cause, "run 'make native' in the source tree") from error


def _places() -> Iterator[tuple[str, Path]]:
    package = Path(__file__).resolve().parent
    named = os.environ.get(VARIABLE)
    if named:
        yield f"${VARIABLE}", Path(named)
    yield "package", package / "_bin" / NAME
    yield "scripts", Path(sysconfig.get_path("scripts")) / NAME
    on_path = shutil.which(NAME)
    if on_path:
        yield "PATH", Path(on_path)
    yield "source tree", package.parents[1] / "target" / "release" / NAME


def _problem(path: Path, wanted: str) -> str | None:
    """Return why the program cannot be used, or None."""
    if not path.is_file():
        return "not there"
    if not os.access(path, os.X_OK):
        return "not executable"
    if path.resolve().parent.name == "debug":
        return "a debug build"
    try:
        result = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_VERSION_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"does not run ({error})"
    words = result.stdout.decode("utf-8", errors="replace").split()
    if result.returncode != 0 or not words:
        return f"--version ended with exit code {result.returncode}"
    return None if words[-1] == wanted else f"version {words[-1]}, expected {wanted}"
