"""What can be set. Every field acts; a value that makes no sense is refused when it is made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pystamps_shim.config.values import check_kinds
from pystamps_shim.errors import nearest, wrong_usage

Backend = Literal["auto", "native", "reference"]
ExecutorName = Literal["local", "dask"]
ProgressMode = Literal["auto", "plain", "json", "none"]
Profile = Literal["strict", "scientific"]
RandomEngine = Literal["matlab", "octave"]

#: Section and name of a setting, and where its value came from.
Sources = dict[tuple[str, str], str]

_MOST_WORKERS = 4096
_MOST_THREADS = 512
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


@dataclass(frozen=True)
class RuntimeConfig:
    """Who computes, where, and with how much.

    Attributes
    ----------
    backend
        ``native``: the compiled program, or an error. ``auto``: where it is not found, the same
        code in the extension. ``reference``: the readable Python stages, many times slower.
    executor
        ``local``: subprocesses of this machine. ``dask``: the same commands on a cluster.
    scheduler
        Address of a running Dask scheduler; None starts a cluster on this machine.
    workers
        Patches at a time; None for as many as patches and threads allow.
    threads
        Threads of all workers together, or with Dask of one stage; None for all cores, with Dask 1.
    memory_limit
        Memory of all workers together, or with Dask of one stage, such as ``4G``; None for four
        fifths of what is free, with Dask no limit.
    kernel_backend_overrides
        ``native`` or ``numpy`` by kernel name, for the Python reference.
    progress
        ``auto``: lines that are rewritten on a terminal, plain lines otherwise.
    random_engine
        Whose random numbers stages 2, 3 and 5 draw.
    allow_partial
        Merge the patches that are done although others failed.
    force
        Compute again what is there.
    """

    backend: Backend = "auto"
    executor: ExecutorName = "local"
    scheduler: str | None = None
    workers: int | None = None
    threads: int | None = None
    memory_limit: str | None = None
    kernel_backend_overrides: Mapping[str, str] = field(default_factory=dict)
    progress: ProgressMode = "auto"
    random_engine: RandomEngine = "matlab"
    allow_partial: bool = False
    force: bool = False

    def __post_init__(self) -> None:
        """Refuse values of a wrong kind, and those that make no sense together."""
        check_kinds(self, "runtime")
        _in_range("runtime.workers", self.workers, _MOST_WORKERS)
        _in_range("runtime.threads", self.threads, _MOST_THREADS)
        if self.memory_limit is not None:
            parse_bytes(self.memory_limit)
        for kernel, backend in self.kernel_backend_overrides.items():
            _check_kernel(kernel, backend)
        if self.kernel_backend_overrides and self.backend != "reference":
            cause = (
                f"runtime.kernel_backend_overrides acts on the Python reference, and "
                f"runtime.backend is {self.backend}"
            )
            raise wrong_usage(
                cause,
                "set runtime.backend to reference, or drop the overrides",
            )
        if self.allow_partial and self.backend == "reference":
            cause = "runtime.allow_partial is not offered by the Python reference"
            raise wrong_usage(
                cause,
                "set runtime.backend to native, or drop it",
            )
        if self.scheduler is not None and self.executor != "dask":
            cause = (
                f"runtime.scheduler is {self.scheduler}, and runtime.executor is {self.executor}"
            )
            raise wrong_usage(
                cause,
                "set runtime.executor to dask, or drop the scheduler",
            )
        if self.scheduler is not None and self.workers is not None:
            cause = "runtime.workers starts workers, and runtime.scheduler names a running cluster"
            raise wrong_usage(
                cause,
                "drop one of them",
            )

    @property
    def memory_limit_bytes(self) -> int | None:
        """Return the memory limit in bytes, None without one."""
        return None if self.memory_limit is None else parse_bytes(self.memory_limit)


@dataclass(frozen=True)
class ToleranceConfig:
    """How ``verify`` compares.

    Attributes
    ----------
    profile
        ``strict``: the contract of certification. ``scientific``: what matters to a user.
    overrides
        Tolerance by ``FILE:VARIABLE``, such as ``{"ph2.mat:ph": 1e-4}``.
    """

    profile: Profile = "strict"
    overrides: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse values of a wrong kind."""
        check_kinds(self, "tolerance")


@dataclass(frozen=True)
class CompatConfig:
    """Results of another program.

    Attributes
    ----------
    reference_root
        Dataset that original StaMPS, or another version, has processed. What ``verify`` compares
        with, and what strict replay copies from.
    strict_reference
        Copy the results of the reference in place of computing, to try later stages on them.
    """

    reference_root: Path | None = None
    strict_reference: bool = False

    def __post_init__(self) -> None:
        """Refuse values of a wrong kind, and a replay of nothing."""
        check_kinds(self, "compat")
        if self.strict_reference and self.reference_root is None:
            cause = (
                "compat.strict_reference copies results of compat.reference_root, which is not set"
            )
            raise wrong_usage(
                cause,
                "add --reference-root DIR, or drop --strict-reference",
            )


@dataclass(frozen=True)
class RunConfig:
    """All settings; made without arguments it holds the defaults."""

    runtime: RuntimeConfig = field(default_factory=RuntimeConfig)
    tolerance: ToleranceConfig = field(default_factory=ToleranceConfig)
    compat: CompatConfig = field(default_factory=CompatConfig)


def parse_bytes(text: str) -> int:
    """Return the bytes of a size such as ``4G``, ``1.5GiB`` or ``500M``; units are powers of 1024.

    Raises
    ------
    PystampsError
        It is no size above zero.
    """
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{0,15})?)\s*([KMGT]?)(?:I?B)?", text.strip().upper())
    size = int(float(found[1]) * _UNITS[found[2]]) if found else 0
    if size <= 0:
        cause = f"memory limit is '{text}', expected a size"
        raise wrong_usage(cause, "write it like 4G or 500M")
    return size


def _in_range(name: str, value: int | None, most: int) -> None:
    if value is not None and not 1 <= value <= most:
        cause = f"{name} is {value}, expected 1 to {most}"
        raise wrong_usage(cause, "change it, or drop it")


def _check_kernel(kernel: str, backend: str) -> None:
    from pystamps_shim.kernels.names import KERNELS, STAGE_KERNELS  # noqa: PLC0415

    where = "runtime.kernel_backend_overrides"
    backends = ("native", "numpy")
    if kernel not in STAGE_KERNELS:
        cause = f"{where}: no Python stage calls {kernel}, so a backend for it would change nothing"
        if kernel not in KERNELS:
            hint = nearest(kernel, STAGE_KERNELS)
            cause = f"{where}: '{kernel}' is no kernel that the Python stages call{hint}"
        raise wrong_usage(cause, f"use one of {', '.join(STAGE_KERNELS)}")
    if backend not in backends:
        cause = f"{where}: backend of {kernel} is '{backend}'{nearest(backend, backends)}"
        raise wrong_usage(cause, "use native or numpy")
