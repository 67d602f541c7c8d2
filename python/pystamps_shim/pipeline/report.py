"""The report of a run as JSON, written anew after every stage."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pystamps_shim.config.files import as_tables
from pystamps_shim.errors import PystampsError
from pystamps_shim.io.dataset import CONTROL_FOLDER, MERGED, Dataset
from pystamps_shim.pipeline.types import (
    PipelineContext,
    RunState,
    StageResult,
)
from pystamps_shim.report_file import is_stream, write_report

#: Version of the file's layout.
SCHEMA = 1
REPORT_FILE = "report.json"
#: What looking into JSON of another shape raises.
_OF_ANOTHER_SHAPE = (AttributeError, TypeError)


class ReportFile:
    """Keeps the report of a run on disk: whenever the run dies, what was known is there.

    Parameters
    ----------
    path
        Where to write, None to write nothing.
    dataset
        Dataset of the run.
    context
        What is run.
    version
        Version of this package.
    """

    def __init__(
        self, path: Path | None, dataset: Dataset, context: PipelineContext, version: str
    ) -> None:
        self.path = path
        #: What was written last.
        self.content: dict[str, Any] = {}
        self._dataset = dataset
        self._head = {
            "schema": SCHEMA,
            "version": version,
            "dataset": str(dataset.root),
            "start_step": context.start_step,
            "end_step": context.end_step,
            "dry_run": context.dry_run,
            "config": as_tables(context.run_config),
        }

    def write(
        self,
        results: Sequence[StageResult],
        state: RunState,
        error: BaseException | None = None,
    ) -> None:
        """Replace the report by what is known now, and by why the run could not go on."""
        self.content = {
            **self._head,
            "state": state.value,
            "error": None if error is None else _reason(error),
            "results": [result.as_json() for result in results],
            "ledger": {} if state is RunState.RUNNING else self._ledgers(),
        }
        if self.path is None or (state is RunState.RUNNING and is_stream(self.path)):
            return
        # On one line: indented, it takes Python ten times as long, after every stage.
        write_report(self.path, json.dumps(self.content) + "\n")

    def _ledgers(self) -> dict[str, dict[str, Any]]:
        """Return fingerprint, parameters and origin of every stage in the ledgers, by target."""
        found = {}
        for target in (*self._dataset.patches, MERGED):
            path = self._dataset.folder(target) / CONTROL_FOLDER / "ledger.json"
            with contextlib.suppress(OSError, ValueError, RecursionError, *_OF_ANOTHER_SHAPE):
                stages = json.loads(path.read_text(encoding="utf-8")).get("stages", {})
                keys = ("fingerprint", "parameters", "algorithm_version", "origin")
                found[target] = {
                    stage: {key: entry[key] for key in keys if key in entry}
                    for stage, entry in stages.items()
                }
        return found


def _reason(error: BaseException) -> dict[str, str]:
    if isinstance(error, PystampsError):
        return {"cause": error.cause, "remedy": error.remedy}
    return {"cause": f"{type(error).__name__}: {error}", "remedy": "run the same command again"}
