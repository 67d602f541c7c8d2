"""Datasets compared with a reference: contracts, comparators, reports."""

from pystamps_shim.verification.dataset import verify_dataset
from pystamps_shim.verification.results import VerificationReport

__all__ = ["VerificationReport", "verify_dataset"]
