"""Settings: defaults, files of three kinds, what is refused, and that every field acts."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from pystamps_shim import _native
from pystamps_shim.cli import main
from pystamps_shim.config import (
    CompatConfig,
    RunConfig,
    RuntimeConfig,
    ToleranceConfig,
    load_config,
    parse_bytes,
)
from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.kernels import accelerated

TOML = """\
[runtime]
backend = "reference"
workers = 3
threads = 6
memory_limit = "1.5G"
kernel_backend_overrides = { stage2_topofit = "native" }
[tolerance]
profile = "scientific"
overrides = { "ph2.mat:ph" = 1 }
[compat]
reference_root = "stamps"
"""
EXPECTED = RunConfig(
    RuntimeConfig(
        backend="reference",
        workers=3,
        threads=6,
        memory_limit="1.5G",
        kernel_backend_overrides={"stage2_topofit": "native"},
    ),
    ToleranceConfig("scientific", {"ph2.mat:ph": 1.0}),
    CompatConfig(Path("stamps")),
)


def settings_file(folder: Path, text: str, suffix: str = ".toml") -> Path:
    """Write a settings file."""
    path = folder / f"settings{suffix}"
    path.write_text(text, encoding="utf-8")
    return path


def test_it_works_without_arguments() -> None:
    config = RunConfig()
    assert config.runtime.backend == "auto"
    assert config.runtime.memory_limit_bytes is None
    with pytest.raises(AttributeError):
        config.runtime.backend = "native"  # type: ignore[misc]


@pytest.mark.parametrize("suffix", [".toml", ".json", ".yaml", ".yml"])
def test_three_kinds_of_files_say_the_same(tmp_path: Path, suffix: str) -> None:
    if suffix == ".toml":
        text = TOML
    else:
        import tomllib

        # JSON is YAML too; real YAML is the next test's.
        text = json.dumps(tomllib.loads(TOML))
    config = load_config(settings_file(tmp_path, text, suffix))
    assert config == EXPECTED
    assert config.runtime.memory_limit_bytes == 3 << 29


def test_yaml_as_people_write_it(tmp_path: Path) -> None:
    text = "runtime:\n  workers: 2\n  force: true\ncompat:\n  reference_root: /data/stamps\n"
    config = load_config(settings_file(tmp_path, text, ".yaml"))
    assert config.runtime == RuntimeConfig(workers=2, force=True)
    assert config.compat.reference_root == Path("/data/stamps")


@pytest.mark.parametrize(
    ("text", "cause", "remedy"),
    [
        ("[runtim]\n", "unknown setting 'runtim': did you mean 'runtime'?", "use one of runtime"),
        ("[runtime]\nworker = 2\n", "'runtime.worker': did you mean 'workers'?", "runtime.workers"),
        ("[runtime]\nxyz = 2\n", "unknown setting 'runtime.xyz'", "runtime.threads"),
        ("runtime = 3\n", "runtime is 3, expected a table", "[runtime]"),
        ('[runtime]\nworkers = "2"\n', "workers is '2', expected a whole number", "change it"),
        ("[runtime]\nworkers = true\n", "workers is True, expected a whole number", "change it"),
        ("[runtime]\nworkers = 0\n", "runtime.workers is 0, expected 1 to", "change it"),
        ("[runtime]\nthreads = 10000\n", "runtime.threads is 10000", "change it"),
        ('[runtime]\nforce = "yes"\n', "force is 'yes', expected true or false", "change it"),
        ('[runtime]\nbackend = "natve"\n', "is 'natve': did you mean 'native'?", "auto, native"),
        ('[runtime]\nmemory_limit = "much"\n', "memory limit is 'much'", "4G"),
        ('[runtime]\nscheduler = "tcp://a:1"\n', "runtime.executor is local", "dask"),
        (
            '[runtime]\nexecutor = "dask"\nscheduler = "tcp://a:1"\nworkers = 2\n',
            "names a running cluster",
            "drop one",
        ),
        (
            '[runtime]\nkernel_backend_overrides = { stage2_topofit = "native" }\n',
            "acts on the Python reference",
            "backend to reference",
        ),
        (
            '[runtime]\nbackend="reference"\nkernel_backend_overrides = { topofit = "native" }\n',
            "'topofit' is no kernel that the Python stages call: did you mean 'stage2_topofit'?",
            "stage4_edge_stats",
        ),
        (
            '[runtime]\nbackend="reference"\nkernel_backend_overrides = { stage7_scla = "gpu" }\n',
            "backend of stage7_scla is 'gpu'",
            "native or numpy",
        ),
        (
            '[runtime]\nbackend="reference"\nkernel_backend_overrides={ stage7_scla = "natve" }\n',
            "backend of stage7_scla is 'natve': did you mean 'native'?",
            "native or numpy",
        ),
        ('[runtime]\nbackend="reference"\nallow_partial=true\n', "allow_partial", "native"),
        ("[tolerance]\noverrides = { a = true }\n", "overrides.a is True, expected a number", ""),
        ("[compat]\nstrict_reference = true\n", "reference_root, which", "--reference-root"),
        ("[compat]\nreference_root = 3\n", "reference_root is 3, expected a path", "change it"),
        ("[runtime\n", "is no TOML", "mend"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, cause: str, remedy: str) -> None:
    with pytest.raises(PystampsError) as caught:
        load_config(settings_file(tmp_path, text))
    assert cause in caught.value.cause
    assert remedy in caught.value.remedy
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("absent.toml", None, "cannot be read"),
        ("a.ini", b"", "unknown kind of settings file"),
        ("a.json", b"[1]", "holds list"),
        ("a.json", b"{", "is no JSON"),
        ("a.yaml", b"a: [", "is no YAML"),
        ("a.toml", b"\xff", "no text in UTF-8"),
    ],
)
def test_files_that_are_none(tmp_path: Path, name: str, content: bytes | None, cause: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(PystampsError, match=cause):
        load_config(tmp_path / name)


def test_yaml_without_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(PystampsError, match="pip install"):
        load_config(settings_file(tmp_path, "runtime: {}", ".yaml"))


@pytest.mark.parametrize(
    ("text", "count"),
    [("4G", 4 << 30), ("1.5GiB", 3 << 29), ("500m", 500 << 20), ("12", 12), ("2 TB", 2 << 40)],
)
def test_sizes(text: str, count: int) -> None:
    assert parse_bytes(text) == count


@pytest.mark.parametrize("text", ["", "G", "-1G", "0", "4X", "nan", "1e3"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(PystampsError):
        parse_bytes(text)


def test_layers_are_judged_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What one lacks another may bring, or take back."""
    text = '[runtime]\nscheduler = "tcp://a:1"\n[compat]\nstrict_reference = true\n'
    path = settings_file(tmp_path, text)
    show = ["config", "show", "--json", "--config", str(path)]
    assert main([*show, "--executor", "dask", "--reference-root", "x"]) == 0
    said = json.loads(capsys.readouterr().out)["settings"]
    assert (said["runtime"]["executor"], said["runtime"]["scheduler"]) == ("dask", "tcp://a:1")
    assert main([*show, "--scheduler", "none", "--reference-root", "x", "--workers", "4"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["runtime"]["scheduler"] is None
    assert main([*show, "--reference-root", "x"]) == 2
    assert "runtime.scheduler is tcp://a:1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        ({"backend": "natve"}, "runtime.backend is 'natve': did you mean 'native'?"),
        ({"workers": "2"}, "runtime.workers is '2', expected a whole number"),
        ({"memory_limit": "9" * 400}, "memory limit is"),
    ],
)
def test_python_is_held_to_the_same(settings: dict[str, Any], cause: str) -> None:
    with pytest.raises(PystampsError) as caught:
        RuntimeConfig(**settings)
    assert cause in caught.value.cause


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.yaml", "1: 2"), ("b.yaml", "runtime: {1: 2}"), ("c.json", "[" * 100_000)],
)
def test_strange_files_are_told(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(PystampsError):
        load_config(tmp_path / name)


def test_show_tells_every_value_and_its_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it prints is a settings file that says the same."""
    path = settings_file(tmp_path, TOML)
    assert main(["config", "show", "--config", str(path), "--workers", "5"]) == 0
    shown = capsys.readouterr().out
    (threads,) = [line for line in shown.splitlines() if line.startswith("threads")]
    assert threads.split() == ["threads", "=", "6", "#", str(path)]
    assert "# command line" in shown
    (tmp_path / "shown").mkdir()
    again = load_config(settings_file(tmp_path / "shown", shown))
    assert again.runtime.workers == 5
    assert again.tolerance == EXPECTED.tolerance
    assert main(["config", "show", "--config", str(path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["settings"]["compat"]["reference_root"] == "stamps"
    assert said["sources"]["runtime"]["threads"] == str(path)
    assert said["sources"]["runtime"]["progress"] == "default"
    names = {field.name for field in fields(RuntimeConfig)}
    assert set(said["settings"]["runtime"]) == names


def shown_kernels(capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return what ``config show`` says of the backends of kernels, as text and as JSON."""
    assert main(["config", "show"]) == 0
    *_, head, native, numpy = capsys.readouterr().out.splitlines()
    assert head == "# kernels that can be computed here"
    assert main(["config", "show", "--json"]) == 0
    text = dict(line.removeprefix("# ").split(": ", 1) for line in (native, numpy))
    return text, json.loads(capsys.readouterr().out)["kernel_backends"]


def test_show_tells_which_kernels_run_here(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text, said = shown_kernels(capsys)
    assert said == accelerated.describe_backends()
    assert text["native"].startswith("all 8, by pystamps_shim._native (/")
    assert text["numpy"].startswith("all 8, by pystamps_shim.kernels.numpy_backend (/")
    monkeypatch.delattr(_native.kernels, "stage7_scla")
    text, said = shown_kernels(capsys)
    assert text["native"].startswith("all but stage7_scla, by pystamps_shim._native (/")
    assert "stage7_scla" not in said["native"]


@pytest.fixture
def without_extension(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the extension from being imported."""
    accelerated._module.cache_clear()
    monkeypatch.setitem(sys.modules, "pystamps_shim._native", None)
    yield
    accelerated._module.cache_clear()


@pytest.mark.usefixtures("without_extension")
def test_show_tells_that_no_kernel_is_native(capsys: pytest.CaptureFixture[str]) -> None:
    text, said = shown_kernels(capsys)
    assert text["native"] == "none; 'make native' builds the extension"
    assert list(said) == ["numpy"]


def test_every_setting_of_a_run_has_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    """But the tolerances, which are verify's."""
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    text = capsys.readouterr().out
    for section in (RuntimeConfig, CompatConfig):
        for field in fields(section):
            flag = "kernel" if field.name.startswith("kernel") else field.name.replace("_", "-")
            assert f"--{flag} " in text.replace("\n", " "), field.name
