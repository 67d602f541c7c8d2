"""The public name `pystamps` holds re-exports and nothing else."""

from __future__ import annotations

import importlib
import pkgutil

import pystamps


def test_every_module_re_exports() -> None:
    """Each public object of `pystamps.x` is the one of `pystamps_shim.x`."""
    checked = 0
    for info in pkgutil.walk_packages(pystamps.__path__, "pystamps."):
        if info.ispkg or info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        original = importlib.import_module(info.name.replace("pystamps", "pystamps_shim", 1))
        for name in module.__all__:
            assert getattr(module, name) is getattr(original, name)
            checked += 1
    assert checked >= 10
