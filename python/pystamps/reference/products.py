"""Re-export of `pystamps_shim.reference.products`."""

from __future__ import annotations

from pystamps_shim.reference.products import Product, product

__all__ = ["Product", "product"]
