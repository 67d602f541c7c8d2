"""Options that stand for settings of `RunConfig`, and the settings that follow from them."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pystamps_shim.config.files import Layer, config_of, read_settings
from pystamps_shim.config.model import RunConfig, Sources
from pystamps_shim.errors import wrong_usage


@dataclass(frozen=True)
class _Option:
    """One option: its flag, the setting it stands for, what argparse is told, what it means."""

    flag: str
    section: str
    name: str
    meaning: str
    arguments: dict[str, Any]


def _choice(*values: str) -> dict[str, Any]:
    return {"choices": values}


#: Takes a scheduler of the settings file back.
_NONE = "none"
_FLAG: dict[str, Any] = {"action": "store_true", "default": None}
_NUMBER: dict[str, Any] = {"type": int, "metavar": "N"}
_FOLDER: dict[str, Any] = {"type": Path, "metavar": "DIR"}
_REPEATED: dict[str, Any] = {"action": "append", "metavar": "NAME=VALUE"}

_OPTIONS = (
    _Option(
        "--backend",
        "runtime",
        "backend",
        "who computes: the native program, or the Python reference (auto)",
        _choice("auto", "native", "reference"),
    ),
    _Option(
        "--executor",
        "runtime",
        "executor",
        "where: subprocesses of this machine, or a Dask cluster (local)",
        _choice("local", "dask"),
    ),
    _Option(
        "--scheduler",
        "runtime",
        "scheduler",
        "a running Dask scheduler; without one, or with none, a cluster is started here",
        {"metavar": "ADDRESS"},
    ),
    _Option(
        "--workers",
        "runtime",
        "workers",
        "patches at a time (as many as patches and threads allow)",
        _NUMBER,
    ),
    _Option(
        "--threads",
        "runtime",
        "threads",
        "threads of all workers together (all cores), with Dask of one stage (1); results do not "
        "depend on it",
        _NUMBER,
    ),
    _Option(
        "--memory-limit",
        "runtime",
        "memory_limit",
        "memory of all workers together, such as 4G (four fifths of what is free), with Dask of "
        "one stage",
        {"metavar": "SIZE"},
    ),
    _Option(
        "--kernel",
        "runtime",
        "kernel_backend_overrides",
        "native or numpy for one kernel of the Python reference; may be repeated",
        _REPEATED,
    ),
    _Option(
        "--progress",
        "runtime",
        "progress",
        "how to show progress (auto)",
        _choice("auto", "plain", "json", "none"),
    ),
    _Option(
        "--random-engine",
        "runtime",
        "random_engine",
        "whose random numbers to draw; octave repeats StaMPS under Octave (matlab)",
        _choice("matlab", "octave"),
    ),
    _Option(
        "--allow-partial",
        "runtime",
        "allow_partial",
        "merge the patches that are done although others failed",
        _FLAG,
    ),
    _Option("--force", "runtime", "force", "compute again what is there", _FLAG),
    _Option(
        "--reference-root",
        "compat",
        "reference_root",
        "dataset that original StaMPS has processed",
        _FOLDER,
    ),
    _Option(
        "--strict-reference",
        "compat",
        "strict_reference",
        "copy its results in place of computing them",
        _FLAG,
    ),
)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options, and ``--config`` for a file of settings."""
    group = parser.add_argument_group("settings (see also 'config show')")
    group.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="settings as .toml, .yaml or .json; options come before it",
    )
    for option in _OPTIONS:
        help_text = option.meaning.replace("%", "%%")
        group.add_argument(option.flag, dest=_dest(option), help=help_text, **option.arguments)


def settings_of(options: argparse.Namespace) -> tuple[RunConfig, Sources]:
    """Return the settings: defaults, then the file, then the options; and where each came from."""
    layers = []
    if options.config is not None:
        layers.append(Layer(read_settings(options.config), str(options.config)))
    typed: dict[str, dict[str, Any]] = {}
    for option in _OPTIONS:
        value = getattr(options, _dest(option))
        if value is not None:
            value = dict(map(_assignment, value)) if isinstance(value, list) else value
            if option.name == "scheduler" and value == _NONE:
                value = None
            typed.setdefault(option.section, {})[option.name] = value
    layers.append(Layer(typed, "command line"))
    return config_of(layers)


def _dest(option: _Option) -> str:
    return f"setting_{option.name}"


def _assignment(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        cause = f"'{text}' is no setting, expected NAME=VALUE"
        raise wrong_usage(cause, "for instance --kernel stage2_topofit=native")
    return name.strip(), value.strip()
