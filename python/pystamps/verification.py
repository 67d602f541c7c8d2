"""Re-export of `pystamps_shim.verification`."""

from __future__ import annotations

from pystamps_shim.verification import VerificationReport, verify_dataset

__all__ = ["VerificationReport", "verify_dataset"]
