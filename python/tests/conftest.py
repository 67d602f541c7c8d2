"""Fixtures of the Python tests."""

from __future__ import annotations

from parity.fixtures import golden, oracle, processed, shared_dir

__all__ = ["golden", "oracle", "processed", "shared_dir"]
