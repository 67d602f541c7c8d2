"""Values of settings: whether they are of the kind that their field wants."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pystamps_shim.errors import nearest, wrong_usage


def converted(value: Any, hint: Any, where: str) -> Any:
    """Return a value as its field wants it, or raise with what it wants."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        (inner,) = (one for one in arguments if one is not type(None))
        return converted(value, inner, where)
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
        return {str(k): converted(v, arguments[1], f"{where}.{k}") for k, v in value.items()}
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


def check_kinds(section: Any, name: str) -> None:
    """Raise if a field of a frozen dataclass holds no value of its kind."""
    for field, hint in typing.get_type_hints(type(section)).items():
        converted(getattr(section, field), hint, f"{name}.{field}")
