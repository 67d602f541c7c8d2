"""From a raw export to a dataset, and through all its stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pystamps_shim._binary import find_command
from pystamps_shim.config.model import RunConfig
from pystamps_shim.errors import PystampsError
from pystamps_shim.io.dataset import PATCH_LIST
from pystamps_shim.pipeline.commands import Native
from pystamps_shim.pipeline.stages import run_pipeline
from pystamps_shim.pipeline.types import PipelineContext, PipelineReport


@dataclass(frozen=True)
class Preparation:
    """A raw export and how it becomes a dataset.

    Attributes
    ----------
    export
        Folder of the export.
    processor
        Program that wrote it: ``snap`` or ``gamma``.
    options
        Further options of ``pystamps-native prep``.
    """

    export: Path
    processor: str = "snap"
    options: Sequence[str] = ()

    def run(self, native: Native, dataset: Path, *, force: bool = False) -> None:
        """Prepare the dataset."""
        native.prepare(self.processor, self.export, dataset, self.options, force=force)


def is_prepared(dataset: Path) -> bool:
    """Tell whether preparation has made the dataset."""
    return (dataset / PATCH_LIST).is_file()


def process_export(
    preparation: Preparation, dataset: Path, config: RunConfig | None = None
) -> PipelineReport:
    """Prepare an export and run all stages on it.

    Raises
    ------
    PystampsError
        Preparation or a stage failed.
    """
    preparation.run(Native(find_command(), quiet=True), dataset)
    report = run_pipeline(PipelineContext(dataset, config or RunConfig()))
    for failure in report.failures:
        cause = f"stage {failure.stage_id} of {failure.target}: {failure.details}"
        raise PystampsError(cause, f"read {failure.log}")
    return report
