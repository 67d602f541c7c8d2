"""Settings from files and from a command line, checked against the fields of `RunConfig`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from pystamps_shim.config.model import RunConfig, Sources
from pystamps_shim.config.values import converted
from pystamps_shim.errors import nearest, wrong_usage


@dataclass(frozen=True)
class Layer:
    """Settings from one place: values by section and name, and what the place is called."""

    settings: Mapping[str, Any]
    source: str


def load_config(path: Path | str) -> RunConfig:
    """Read settings from a ``.toml``, ``.yaml`` or ``.json`` file; what it leaves out is default.

    Raises
    ------
    PystampsError
        The file cannot be read, has an unknown key (the nearest one is named) or a value of the
        wrong kind.
    """
    return config_of([Layer(read_settings(Path(path)), str(path))])[0]


def config_of(layers: Sequence[Layer]) -> tuple[RunConfig, Sources]:
    """Return the settings that layers make, later ones before earlier ones, and their sources.

    What makes no sense together is judged in the end only, so that a later layer can mend it.

    Raises
    ------
    PystampsError
        As `load_config`.
    """
    default = RunConfig()
    sections = {field.name: getattr(default, field.name) for field in fields(RunConfig)}
    values: dict[str, dict[str, Any]] = {section: {} for section in sections}
    sources: Sources = {}
    for layer in layers:
        for section, settings in layer.settings.items():
            _check_key(str(section), sections, layer.source, "")
            if not isinstance(settings, Mapping):
                cause = f"{layer.source}: {section} is {settings!r}, expected a table of settings"
                raise wrong_usage(cause, f"write [{section}] above its settings")
            section_class = type(sections[section])
            known = {field.name: None for field in fields(section_class)}
            hints = get_type_hints(section_class)
            for name, value in settings.items():
                _check_key(str(name), known, layer.source, f"{section}.")
                where = f"{layer.source}: {section}.{name}"
                values[section][name] = converted(value, hints[name], where)
                sources[(section, name)] = layer.source
    made = {section: type(sections[section])(**given) for section, given in values.items()}
    return RunConfig(**made), sources


def read_settings(path: Path) -> dict[str, Any]:
    """Read a settings file as it stands; paths in it stay relative to the working folder."""
    readers = {".toml": _read_toml, ".json": _read_json, ".yaml": _read_yaml, ".yml": _read_yaml}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(sorted(readers))
        cause = f"{path}: unknown kind of settings file"
        raise wrong_usage(cause, f"name it with one of {known}")
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        cause = f"{path}: cannot be read ({error.strerror})"
        raise wrong_usage(cause, "correct the path") from error
    except UnicodeDecodeError as error:
        cause = f"{path}: is no text in UTF-8"
        raise wrong_usage(cause, "save it as UTF-8") from error
    try:
        loaded = reader(text, path)
    except RecursionError as error:
        cause = f"{path}: is nested too deeply"
        raise wrong_usage(cause, "write sections with settings") from error
    if not isinstance(loaded, dict):
        cause = f"{path}: holds {type(loaded).__name__}, expected sections with settings"
        raise wrong_usage(cause, "see 'python -m pystamps_shim config show'")
    return loaded


def _read_toml(text: str, path: Path) -> Any:
    import tomllib  # noqa: PLC0415 - most runs have no settings file

    try:
        return tomllib.loads(text)
    except ValueError as error:
        cause = f"{path}: is no TOML: {error}"
        raise wrong_usage(cause, "mend that line") from error


def _read_json(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        cause = f"{path}: is no JSON: {error}"
        raise wrong_usage(cause, "mend that line") from error


def _read_yaml(text: str, path: Path) -> Any:
    try:
        import yaml  # noqa: PLC0415 - an optional library
    except ImportError as error:
        cause = f"{path}: YAML needs the library PyYAML, which is not installed"
        raise wrong_usage(cause, "pip install pyyaml, or write the settings as TOML") from error
    try:
        return yaml.safe_load(text)
    # Impossible dates and tags that do not fit their values raise what the conversion raises.
    except (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError) as error:
        cause = f"{path}: is no YAML: {' '.join(str(error).split())}"
        raise wrong_usage(cause, "mend that line") from error


def _check_key(name: str, known: Mapping[str, Any], source: str, prefix: str) -> None:
    if name not in known:
        hint = nearest(name, known)
        cause = f"{source}: unknown setting '{prefix}{name}'{hint}"
        raise wrong_usage(cause, f"use one of {', '.join(prefix + key for key in known)}")


def as_tables(config: RunConfig) -> dict[str, dict[str, Any]]:
    """Return the settings as plain values by section, for JSON and for people."""
    plain = dataclasses.asdict(config)
    root = plain["compat"]["reference_root"]
    plain["compat"]["reference_root"] = None if root is None else str(root)
    return plain
