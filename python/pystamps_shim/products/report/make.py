"""Make the page of a dataset: its measurements, what its folder tells, and the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pystamps_shim.errors import wrong_usage
from pystamps_shim.pipeline.commands import Native
from pystamps_shim.products.measurements import Measurements, ProductRequest, measured
from pystamps_shim.products.metadata import metadata_of
from pystamps_shim.products.publish import published
from pystamps_shim.products.report.dataset_facts import Facts, facts_of
from pystamps_shim.products.report.write import Written, write_report
from pystamps_shim.products.selection import Step


def make_page(
    native: Native, found: Measurements, steps: Sequence[Step], out: Path, *, force: bool
) -> Written:
    """Write the page of measurements.

    Parameters
    ----------
    native
        The native program.
    found
        Velocities, or series with velocities.
    steps
        What selections left.
    out
        Page to write.
    force
        Replace an earlier one.
    """
    if found.velocity is None:
        cause = f"product {found.value_type} has no velocity, which the page is about"
        raise wrong_usage(cause, "choose --product ts-do or v-do")
    facts = _facts(native, found, out.parent)
    with published(out, force=force, suffix=".html") as path:
        return write_report(path, found, metadata_of(found, steps), facts, out.parent)


def _facts(native: Native, found: Measurements, scratch: Path) -> Facts:
    """Return what the folder tells; the closure of small baselines is a product of its own."""
    dataset = found.dataset
    if not (dataset.small_baseline and (dataset.folder / "phuw_sb_res2.mat").is_file()):
        return facts_of(dataset, native.program, None)
    with measured(native, dataset.folder, ProductRequest(value_type="rsb"), scratch) as residual:
        return facts_of(dataset, native.program, residual.layer)
