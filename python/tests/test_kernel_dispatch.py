"""Who computes a kernel: what is there, what is chosen, and that the choice acts."""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from kernel_inputs import ordinary

from pystamps_shim import _native, reference
from pystamps_shim.config import RuntimeConfig
from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.kernels import accelerated, chosen, numpy_backend
from pystamps_shim.kernels.names import KERNELS, STAGE_KERNELS
from pystamps_shim.reference import __main__ as stage_process

BACKENDS: dict[str, Any] = {"native": _native.kernels, "numpy": numpy_backend}
#: Result of a function that stands in for a kernel.
MARKER = ("computed", "by", "the", "marker")


@pytest.fixture(autouse=True)
def own_choice() -> Iterator[None]:
    """Forget what was chosen, and which modules were found."""
    accelerated._module.cache_clear()
    yield
    accelerated._module.cache_clear()
    chosen.choose_backends({})


@pytest.fixture
def without_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the extension from being imported."""
    monkeypatch.setitem(sys.modules, "pystamps_shim._native", None)


def marked(monkeypatch: pytest.MonkeyPatch, kernel: str, backend: str) -> None:
    """Let a marker stand in for the kernel of one backend."""
    monkeypatch.setattr(BACKENDS[backend], kernel, lambda *_, **__: MARKER)


def consumers(kernel: str) -> list[Callable[..., Any]]:
    """Return what the modules of the Python stages have under the name of a kernel."""
    names = [module.name for module in pkgutil.iter_modules(reference.__path__)]
    modules = [importlib.import_module(f"{reference.__name__}.{name}") for name in names]
    return [getattr(module, kernel) for module in modules if hasattr(module, kernel)]


def test_backends_are_described() -> None:
    described = accelerated.describe_backends()
    assert set(described) == {"native", "numpy"}
    for backend in described.values():
        assert tuple(backend) == KERNELS
    assert "_native" in described["native"]["stage7_scla"]
    assert "numpy_backend" in described["numpy"]["stage7_scla"]


@pytest.mark.parametrize("kernel", KERNELS)
def test_what_is_described_runs(kernel: str) -> None:
    for backend, kernels in accelerated.describe_backends().items():
        assert kernel in kernels
        result = getattr(accelerated, kernel)(**ordinary(kernel), backend=backend)
        assert all(np.isfinite(part).all() for part in result)


@pytest.mark.usefixtures("without_extension")
def test_a_missing_extension_is_not_described() -> None:
    assert list(accelerated.describe_backends()) == ["numpy"]
    counts = accelerated.stage2_histogram(np.ones(3), np.array([0.0, 1.0]))
    assert counts.tolist() == [0, 3]


@pytest.mark.usefixtures("without_extension")
@pytest.mark.parametrize("kernel", KERNELS)
def test_a_missing_extension_is_an_error_that_helps(kernel: str) -> None:
    with pytest.raises(PystampsError, match=f"kernel {kernel} has no native backend") as caught:
        getattr(accelerated, kernel)(**ordinary(kernel), backend="native")
    assert "make native" in caught.value.remedy
    assert caught.value.exit_code is ExitCode.FAILED


def test_an_extension_that_cannot_be_loaded_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    import_module = importlib.import_module

    def broken(name: str) -> ModuleType:
        if name.endswith("_native"):
            raise ImportError("undefined symbol: PyOther")  # noqa: EM101
        return import_module(name)

    monkeypatch.setattr(importlib, "import_module", broken)
    assert list(accelerated.describe_backends()) == ["numpy"]
    with pytest.raises(PystampsError, match="undefined symbol: PyOther"):
        accelerated.stage2_histogram(np.ones(3), np.array([0.0]), backend="native")


@pytest.mark.parametrize("instead", [None, "not a function"])
def test_an_extension_that_lacks_a_kernel(monkeypatch: pytest.MonkeyPatch, instead: Any) -> None:
    """Neither described nor, with ``auto``, replaced behind the user's back."""
    if instead is None:
        monkeypatch.delattr(_native.kernels, "stage7_scla")
    else:
        monkeypatch.setattr(_native.kernels, "stage7_scla", instead)
    described = accelerated.describe_backends()
    assert set(described["native"]) == set(KERNELS) - {"stage7_scla"}
    assert set(described["numpy"]) == set(KERNELS)
    backends: tuple[Any, ...] = ("native", "auto")
    for backend in backends:
        with pytest.raises(PystampsError, match="stage7_scla has no native backend"):
            accelerated.stage7_scla(**ordinary("stage7_scla"), backend=backend)
    assert accelerated.stage7_scla(**ordinary("stage7_scla"), backend="numpy")


def test_an_extension_without_kernels_is_older(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pystamps_shim._native", ModuleType("_native"))
    assert list(accelerated.describe_backends()) == ["numpy"]
    with pytest.raises(PystampsError, match="older than this package"):
        accelerated.stage2_histogram(np.ones(3), np.array([0.0]), backend="native")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kernel", KERNELS)
def test_the_backend_that_is_asked_for_computes(
    monkeypatch: pytest.MonkeyPatch, kernel: str, backend: str
) -> None:
    marked(monkeypatch, kernel, backend)
    for asked in BACKENDS:
        result = getattr(accelerated, kernel)(**ordinary(kernel), backend=asked)
        assert (result is MARKER) == (asked == backend)
    result = getattr(accelerated, kernel)(**ordinary(kernel))
    assert (result is MARKER) == (backend == "native")


@pytest.mark.parametrize("kernel", STAGE_KERNELS)
def test_an_override_reaches_the_stages(monkeypatch: pytest.MonkeyPatch, kernel: str) -> None:
    """Through whatever the modules of the stages have imported."""
    marked(monkeypatch, kernel, "native")
    stages = consumers(kernel)
    assert stages
    config = RuntimeConfig(backend="reference", kernel_backend_overrides={kernel: "native"})
    for overrides in ({}, config.kernel_backend_overrides, {kernel: "numpy"}):
        chosen.choose_backends(overrides)
        for function in stages:
            result = function(**ordinary(kernel))
            assert (result is MARKER) == (overrides.get(kernel) == "native")


def test_stages_import_kernels_only_where_they_are_chosen() -> None:
    for kernel in KERNELS:
        found = consumers(kernel)
        assert bool(found) == (kernel in STAGE_KERNELS)
        assert all(function is getattr(chosen, kernel) for function in found)


@pytest.mark.parametrize("kernel", sorted(set(KERNELS) - set(STAGE_KERNELS)))
def test_an_override_without_effect_is_refused(kernel: str) -> None:
    """In words: a kernel it is, but not of the stages; and no other one is suggested."""
    with pytest.raises(PystampsError, match=f"no Python stage calls {kernel}, so ") as caught:
        RuntimeConfig(backend="reference", kernel_backend_overrides={kernel: "native"})
    assert "did you mean" not in caught.value.cause
    assert all(name in caught.value.remedy for name in STAGE_KERNELS)
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.usefixtures("without_extension")
def test_an_override_that_cannot_run_is_no_fallback() -> None:
    chosen.choose_backends({"stage2_histogram": "native"})
    with pytest.raises(PystampsError, match="make native"):
        chosen.stage2_histogram(np.ones(3), np.array([0.0]))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"stage2_topofitt": "native"}, "did you mean 'stage2_topofit'"),
        ({"scla": "numpy"}, "'scla' is no kernel"),
        ({"stage7_scla": "natve"}, "did you mean 'native'"),
        ({"stage7_scla": "cuda"}, "'auto', 'native' or 'numpy'"),
    ],
)
def test_unknown_names_are_refused(overrides: dict[str, str], message: str) -> None:
    chosen.choose_backends({"stage7_scla": "native"})
    with pytest.raises(PystampsError, match=message) as caught:
        chosen.choose_backends(overrides)
    assert caught.value.exit_code is ExitCode.USAGE
    assert chosen._BACKENDS == {"stage7_scla": "native"}


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        (
            "stage2_topofitt=native",
            "'stage2_topofitt' is no kernel: did you mean 'stage2_topofit'?",
        ),
        ("stage7_scla=natve", "backend 'natve' of kernel stage7_scla is unknown"),
        ("stage7_scla", "backend '' of kernel stage7_scla is unknown"),
    ],
)
def test_a_stage_of_its_own_tells_what_is_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], override: str, problem: str
) -> None:
    """As the line of JSON that its parent reads, and before any work."""
    arguments = ["2", "--patch", str(tmp_path), "--out", str(tmp_path / "out")]
    assert stage_process.main([*arguments, "--kernel", override]) == ExitCode.USAGE
    said = capsys.readouterr()
    event = json.loads(said.out)
    assert (event["event"], event["exit_code"]) == ("error", ExitCode.USAGE)
    assert problem in event["problem"]
    assert event["remedy"].startswith("use ")
    assert not said.err


def test_an_unknown_backend_is_refused() -> None:
    backend: Any = "cuda"
    with pytest.raises(PystampsError, match="'auto', 'native' or 'numpy'"):
        accelerated.stage2_histogram(np.ones(3), np.array([0.0]), backend=backend)
