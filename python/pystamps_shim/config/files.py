"""Settings from files and from a command line, checked against the fields of `RunConfig`."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pystamps_shim.config.model import RunConfig, Sources
from pystamps_shim.errors import nearest, wrong_usage

Settings = Mapping[str, Mapping[str, Any]]


def load_config(path: Path | str) -> RunConfig:
    """Read settings from a ``.toml``, ``.yaml`` or ``.json`` file; what it leaves out is default.

    Raises
    ------
    PystampsError
        The file cannot be read, has an unknown key (the nearest one is named) or a value of the
        wrong kind.
    """
    return with_settings(RunConfig(), read_settings(Path(path)), str(path), {})


def with_settings(
    config: RunConfig, settings: Mapping[str, Any], source: str, sources: Sources
) -> RunConfig:
    """Return the settings with some changed.

    Parameters
    ----------
    config
        What holds so far.
    settings
        Values by section and name.
    source
        Where they come from, for messages.
    sources
        Takes down the source of every value changed.
    """
    sections = {field.name: getattr(config, field.name) for field in fields(RunConfig)}
    changed = {}
    for section, values in settings.items():
        _check_key(section, sections, source, "")
        if not isinstance(values, Mapping):
            cause = f"{source}: {section} is {values!r}, expected a table of settings"
            raise wrong_usage(cause, f"write [{section}] above its settings")
        section_class = type(sections[section])
        known = {field.name: None for field in fields(section_class)}
        hints = get_type_hints(section_class)
        converted = {}
        for name, value in values.items():
            _check_key(name, known, source, f"{section}.")
            converted[name] = _converted(value, hints[name], f"{source}: {section}.{name}")
            sources[(section, name)] = source
        changed[section] = converted
    return replace(
        config,
        **{section: replace(sections[section], **values) for section, values in changed.items()},
    )


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
    loaded = reader(text, path)
    if not isinstance(loaded, dict):
        cause = f"{path}: holds {type(loaded).__name__}, expected sections with settings"
        raise wrong_usage(cause, "see 'python -m pystamps_shim config show'")
    return loaded


def _read_toml(text: str, path: Path) -> Any:
    import tomllib  # noqa: PLC0415 - most runs have no settings file

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        cause = f"{path}: is no TOML: {error}"
        raise wrong_usage(cause, "mend that line") from error


def _read_json(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
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
    except yaml.YAMLError as error:
        cause = f"{path}: is no YAML: {' '.join(str(error).split())}"
        raise wrong_usage(cause, "mend that line") from error


def _check_key(name: str, known: Mapping[str, Any], source: str, prefix: str) -> None:
    if name not in known:
        hint = nearest(name, known)
        cause = f"{source}: unknown setting '{prefix}{name}'{hint}"
        raise wrong_usage(cause, f"use one of {', '.join(prefix + key for key in known)}")


def _converted(value: Any, hint: Any, where: str) -> Any:
    """Return a value as its field wants it, or raise with what it wants."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        (inner,) = (one for one in arguments if one is not type(None))
        return _converted(value, inner, where)
    if origin is Literal:
        if value not in arguments:
            hint_text = nearest(str(value), arguments)
            cause = f"{where} is {value!r}{hint_text}"
            raise wrong_usage(cause, f"use one of {', '.join(arguments)}")
        return value
    if typing.get_origin(hint) is not None and issubclass(typing.get_origin(hint), Mapping):
        if not isinstance(value, Mapping):
            cause = f"{where} is {value!r}, expected names with values"
            raise wrong_usage(cause, "write a table")
        return {str(k): _converted(v, arguments[1], f"{where}.{k}") for k, v in value.items()}
    return _plain(value, hint, where)


def _plain(value: Any, hint: Any, where: str) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if hint is float and is_number:
        return float(value)
    if hint is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if hint is bool and isinstance(value, bool):
        return value
    if hint is str and isinstance(value, str):
        return value
    if hint is Path and isinstance(value, str | Path):
        return Path(value)
    kinds = {float: "a number", int: "a whole number", bool: "true or false", Path: "a path"}
    cause = f"{where} is {value!r}, expected {kinds.get(hint, 'a text')}"
    raise wrong_usage(cause, "change it")


def as_tables(config: RunConfig) -> dict[str, dict[str, Any]]:
    """Return the settings as plain values by section, for JSON and for people."""
    plain = dataclasses.asdict(config)
    root = plain["compat"]["reference_root"]
    plain["compat"]["reference_root"] = None if root is None else str(root)
    return plain
