"""Fixtures of the Python tests."""

from __future__ import annotations

from parity.fixtures import (
    golden,
    golden_products,
    golden_stages,
    golden_unwrapping,
    oracle,
    processed,
    shared_dir,
)

__all__ = [
    "golden",
    "golden_products",
    "golden_stages",
    "golden_unwrapping",
    "oracle",
    "processed",
    "shared_dir",
]
