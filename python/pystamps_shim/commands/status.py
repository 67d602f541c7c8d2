"""``status``: how far a dataset is, what is current and what a run would do again."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pystamps_shim.io.dataset import Dataset
    from pystamps_shim.pipeline.facts import DatasetFacts

_DESCRIPTION = """\
Say of every stage of every patch, and of the merged project, whether its results are there and
current, and if not why; who is working in the dataset; and how the last run ended. Nothing is
computed, changed or locked, so it can be asked while a run is at work.

  current    made by us from the present inputs and parameters
  foreign    made by another program, such as original StaMPS: kept as it is
  replayed   copied from a reference: no evidence
  outdated   inputs or parameters have changed since
  missing    not there yet
  damaged    cannot be examined
"""
_EPILOG = """\
examples
  python -m pystamps_shim status --dataset PROJECT
  python -m pystamps_shim run --dataset PROJECT --dry-run     what a run would do
"""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "status",
        help="how far a dataset is, and what is out of date",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--dataset", required=True, type=Path, metavar="DIR", help="its folder")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(options: argparse.Namespace) -> None:
    """Print the status."""
    from pystamps_shim._binary import find_command  # noqa: PLC0415 - keeps --help quick
    from pystamps_shim.io.dataset import discover_dataset  # noqa: PLC0415
    from pystamps_shim.pipeline.facts import read_facts  # noqa: PLC0415
    from pystamps_shim.pipeline.lock import holder_of_run  # noqa: PLC0415

    dataset = discover_dataset(options.dataset)
    facts = read_facts(find_command(), dataset.root)
    holder, last = holder_of_run(dataset), _last_report(dataset)
    if options.json:
        sys.stdout.write(json.dumps(_values(dataset, facts, holder, last)) + "\n")
    else:
        sys.stdout.write(_text(dataset, facts, holder, last))


def _values(
    dataset: Dataset, facts: DatasetFacts, holder: str | None, last: dict[str, Any] | None
) -> dict[str, Any]:
    stages = [
        {
            "stage": one.stage_id,
            "scope": one.scope,
            "target": one.target,
            "state": _state(one),
            "reason": one.reason,
            "replayed": one.origin == "replayed",
        }
        for one in facts.stages.values()
    ]
    return {
        "schema": 1,
        "dataset": str(dataset.root),
        "patches": list(dataset.patches),
        "small_baselines": facts.small_baselines,
        "run_by": holder,
        "in_use_by": facts.in_use_by,
        "unfinished_publications": facts.unfinished,
        "last_run": None if last is None else last.get("state"),
        "stages": stages,
    }


def _text(
    dataset: Dataset, facts: DatasetFacts, holder: str | None, last: dict[str, Any] | None
) -> str:
    from pystamps_shim.io.dataset import MERGED  # noqa: PLC0415

    kind = "small baselines" if facts.small_baselines else "single master"
    lines = [f"{dataset.root}: {len(dataset.patches)} patches, {kind}"]
    lines.append(f"{'':<12}" + "".join(f"{f'stage {n}':<10}" for n in range(1, 9)).rstrip())
    for target in (*dataset.patches, MERGED):
        cells = [
            next(
                (
                    _state(one)
                    for one in facts.stages.values()
                    if (one.stage_id, one.target) == (number, target)
                ),
                "",
            )
            for number in range(1, 9)
        ]
        name = "merged" if target == MERGED else target
        lines.append((f"{name:<12}" + "".join(f"{cell:<10}" for cell in cells)).rstrip())
    for one in facts.stages.values():
        if one.state in ("outdated", "damaged"):
            where = "merged" if one.target == MERGED else one.target
            lines.append(f"stage {one.stage_id} {where} is {one.state}: {one.reason}")
    lines += [
        f"unfinished publication in {name}: the next run completes it" for name in facts.unfinished
    ]
    if holder is not None:
        lines.append(f"at work: {holder}")
    lines += [f"at work in {name}: {who}" for name, who in facts.in_use_by.items()]
    if last is not None and holder is None:
        state = "was killed" if last.get("state") == "running" else f"ended: {last.get('state')}"
        lines.append(f"the last run {state}")
    lines.append(_next(dataset, facts))
    return "\n".join(lines) + "\n"


def _next(dataset: Dataset, facts: DatasetFacts) -> str:
    due = [one for one in facts.stages.values() if not one.stands]
    if not due:
        return "nothing is due"
    first = min(one.stage_id for one in due)
    count = sum(one.stage_id == first for one in due)
    return (
        f"next: stage {first} of {count} target{'s' if count > 1 else ''}; "
        f"python -m pystamps_shim run --dataset {dataset.root} --dry-run says all"
    )


def _state(one: Any) -> str:
    return "replayed" if one.stands and one.origin == "replayed" else str(one.state)


def _last_report(dataset: Dataset) -> dict[str, Any] | None:
    from pystamps_shim.io.dataset import CONTROL_FOLDER  # noqa: PLC0415
    from pystamps_shim.pipeline.report import REPORT_FILE  # noqa: PLC0415

    try:
        found = json.loads(
            (dataset.root / CONTROL_FOLDER / REPORT_FILE).read_text(encoding="utf-8")
        )
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
