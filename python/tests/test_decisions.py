"""The decision order of orchestration.md, row by row, on facts of the native program's kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pystamps_shim.config import CompatConfig, RunConfig, RuntimeConfig
from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.io.dataset import MERGED, Dataset, Scope, expected_stage_bundle
from pystamps_shim.pipeline.decisions import decide
from pystamps_shim.pipeline.facts import DatasetFacts, StageFacts
from pystamps_shim.pipeline.jobs import JobKind
from pystamps_shim.pipeline.types import PipelineContext, StageResult, Status
from pystamps_shim.pipeline.work_items import WorkItems

PATCHES = ("PATCH_1", "PATCH_2")
Key = tuple[int, Scope, str]


def all_current() -> dict[Key, StageFacts]:
    """Return the facts of a finished dataset."""
    keys: list[Key] = [(n, "patch", name) for name in PATCHES for n in range(1, 6)]
    keys += [(n, "merged", MERGED) for n in range(5, 9)]
    return {
        key: StageFacts(*key, "current", "same inputs", "native", ["in.mat"], ["out.mat"], [], [])
        for key in keys
    }


def decided(
    changes: Mapping[tuple[int, str], Mapping[str, object]],
    *,
    config: RunConfig | None = None,
    steps: tuple[int, int] = (1, 8),
    patches: tuple[str, ...] = PATCHES,
    unfinished: tuple[str, ...] = (),
) -> dict[tuple[int, str], StageResult]:
    """Return what becomes of every stage by number and target, some facts changed."""
    facts = all_current()
    for (number, target), values in changes.items():
        key: Key = (number, "merged" if target == MERGED else "patch", target)
        facts[key] = replace(facts[key], **values)  # type: ignore[arg-type]
    context = PipelineContext(Path("d"), config or RunConfig(), *steps)
    items = WorkItems.of(context, Dataset(Path("d"), patches), JobKind.NATIVE)
    chains = [items.patch_chain(name) for name in patches]
    told = DatasetFacts(False, facts, {}, list(unfinished))
    found = [*items.without_patches(), *decide(chains, items.merged_chain(), told)]
    return {(one.stage_id, one.target): one for one in found}


def of(status: Status, found: dict[tuple[int, str], StageResult]) -> list[tuple[int, str]]:
    """Return the stages with a status."""
    return [key for key, one in found.items() if one.status is status]


def test_a_current_dataset_has_nothing_to_do() -> None:
    found = decided({})
    assert len(found) == 14
    assert len(of(Status.SKIPPED_EXISTING, found)) == 14
    assert found[(6, MERGED)].details == "same inputs"


def test_no_such_stage_in_the_scope_is_skipped() -> None:
    """Rule 1: patch stages of a dataset whose patches have been put away."""
    found = decided({}, patches=())
    assert of(Status.SKIPPED, found) == [(number, MERGED) for number in range(1, 6)]
    assert of(Status.SKIPPED_EXISTING, found) == [(6, MERGED), (7, MERGED), (8, MERGED)]
    assert "no patches" in found[(1, MERGED)].details


def test_results_of_another_program_are_accepted_and_said_to_be() -> None:
    """Rule 2, without a ledger entry."""
    found = decided({(1, "PATCH_1"): {"state": "foreign", "reason": "made by another program"}})
    assert found[(1, "PATCH_1")].status is Status.SKIPPED_EXISTING
    assert "another program" in found[(1, "PATCH_1")].details
    assert not of(Status.PLANNED, found)


def test_replayed_results_are_flagged() -> None:
    found = decided({(3, "PATCH_1"): {"origin": "replayed"}})
    assert [key for key, one in found.items() if one.replayed] == [(3, "PATCH_1")]


@pytest.mark.parametrize("state", ["outdated", "missing"])
def test_what_is_due_takes_everything_after_it_along(state: str) -> None:
    """Rule 3: its own chain, and the merged project, but not the other patch."""
    change = {"state": state, "reason": "parameter x has changed", "invalidates": ["rc2.mat"]}
    found = decided({(4, "PATCH_2"): change})
    assert of(Status.PLANNED, found) == [
        (4, "PATCH_2"),
        (5, "PATCH_2"),
        *((number, MERGED) for number in range(5, 9)),
    ]
    first = found[(4, "PATCH_2")]
    assert first.details == "parameter x has changed; removes rc2.mat"
    assert first.plan == {"reads": ["in.mat"], "writes": ["out.mat"], "removes": ["rc2.mat"]}
    assert "stage 4 of PATCH_2 runs before it" in found[(5, MERGED)].details
    assert found[(8, MERGED)].status is Status.PLANNED


def test_a_merged_stage_leaves_those_before_it_alone() -> None:
    found = decided({(7, MERGED): {"state": "outdated", "reason": "r"}})
    assert of(Status.PLANNED, found) == [(7, MERGED), (8, MERGED)]


def test_force_plans_the_whole_range() -> None:
    found = decided({}, config=RunConfig(RuntimeConfig(force=True)), steps=(6, 7))
    assert of(Status.PLANNED, found) == [(6, MERGED), (7, MERGED)]
    assert found[(6, MERGED)].details == "asked for (force)"


def test_damage_is_a_failure_with_a_remedy() -> None:
    change = {"state": "damaged", "reason": "the ledger of this folder cannot be used"}
    found = decided({(2, "PATCH_1"): change})
    (failed,) = (found[key] for key in of(Status.FAILED, found))
    assert failed.details.startswith("the ledger of this folder cannot be used; ")


def test_a_failure_takes_what_follows_along() -> None:
    """As in a run: its own chain, and the merged project unless that may do without."""
    change = {"state": "damaged", "reason": "no ledger"}
    found = decided({(3, "PATCH_1"): change})
    assert of(Status.FAILED, found) == [(3, "PATCH_1")]
    assert found[(4, "PATCH_1")].details == "upstream failed"
    assert [found[(n, MERGED)].details for n in range(5, 9)] == ["upstream failed: PATCH_1"] * 4
    partial = decided(
        {(3, "PATCH_1"): change, (5, MERGED): {"state": "outdated", "missing": ["x"]}},
        config=RunConfig(RuntimeConfig(allow_partial=True)),
    )
    assert of(Status.PLANNED, partial) == [(n, MERGED) for n in range(5, 9)]


def test_damage_that_a_run_replaces_is_none() -> None:
    """A damaged result is made again; parameters or a ledger that cannot be read stay."""
    result = {"state": "damaged", "reason": "no MATLAB file"}
    scope = {**result, "reads": []}
    forced = RunConfig(RuntimeConfig(force=True))
    assert decided({(2, "PATCH_1"): result}, config=forced)[(2, "PATCH_1")].status == "planned"
    assert decided({(2, "PATCH_1"): scope}, config=forced)[(2, "PATCH_1")].status == "failed"
    due = {"state": "missing", "reason": "r"}
    found = decided({(1, "PATCH_1"): due, (2, "PATCH_1"): result})
    assert found[(2, "PATCH_1")].status is Status.PLANNED


def test_refusals_of_parameters_are_told_before_any_work() -> None:
    """Whatever runs before; other refusals an earlier stage may mend."""
    due = {"state": "missing", "reason": "r"}
    refused = {**due, "refusal": "[parameter-value] scla_method", "refused_by_parameters": True}
    found = decided({(1, "PATCH_1"): due, (7, MERGED): refused})
    assert of(Status.FAILED, found) == [(7, MERGED)]
    assert found[(7, MERGED)].details.startswith("[parameter-value] scla_method; ")
    assert found[(8, MERGED)].details == "upstream failed"
    mendable = {**refused, "refused_by_parameters": False}
    found = decided({(1, "PATCH_1"): due, (7, MERGED): mendable})
    assert not of(Status.FAILED, found)


def test_a_range_that_cannot_begin_is_refused() -> None:
    missing = {"state": "missing", "reason": "r", "missing": ["ph1.mat", "ps1.mat"]}
    one = decided({(2, "PATCH_2"): missing}, steps=(2, 5))
    assert of(Status.FAILED, one) == [(2, "PATCH_2")]
    assert "stage 2 of PATCH_2 needs ph1.mat, ps1.mat" in one[(2, "PATCH_2")].details
    assert one[(5, "PATCH_1")].status is Status.SKIPPED_EXISTING
    with pytest.raises(PystampsError) as caught:
        decided({(2, "PATCH_1"): missing, (2, "PATCH_2"): missing}, steps=(2, 5))
    assert caught.value.exit_code is ExitCode.USAGE
    assert "stage 2 of PATCH_1 needs ph1.mat, ps1.mat" in caught.value.cause
    assert "--start-step" in caught.value.remedy
    both = {(2, "PATCH_1"): missing, (2, "PATCH_2"): missing}
    found = decided(both, steps=(2, 5), unfinished=("PATCH_1",))
    assert found[(2, "PATCH_1")].status is Status.PLANNED
    merged = {"state": "missing", "reason": "r", "missing": ["PATCH_1/rc2.mat"]}
    with pytest.raises(PystampsError, match="the merged project needs PATCH_1/rc2"):
        decided({(5, MERGED): merged}, steps=(5, 8))


def test_what_an_earlier_stage_makes_is_not_missing() -> None:
    missing = {"state": "missing", "reason": "not there", "missing": ["x.mat"]}
    every = {(n, "PATCH_1"): missing for n in range(2, 6)} | {(n, MERGED): missing for n in (5, 6)}
    found = decided({(1, "PATCH_1"): {"state": "missing", "reason": "r"}, **every})
    assert of(Status.PLANNED, found)[:5] == [(number, "PATCH_1") for number in range(1, 6)]


def test_strict_replay_names_all_that_the_reference_lacks(tmp_path: Path) -> None:
    """Rule 4 comes after rule 2: what is current stays."""
    reference = tmp_path / "reference"
    (reference / "PATCH_1").mkdir(parents=True)
    for name in expected_stage_bundle(1, "patch"):
        if name not in ("bp1.mat", "la1.mat"):
            (reference / "PATCH_1" / name).write_bytes(b"")
    (reference / "PATCH_1" / "pm1.mat").write_bytes(b"")
    config = RunConfig(compat=CompatConfig(reference, strict_reference=True))
    due = {"state": "missing", "reason": "not there"}
    changes = {(1, "PATCH_1"): due, (2, "PATCH_1"): due}
    found = decided(changes, config=config, steps=(1, 2))
    assert found[(1, "PATCH_1")].status is Status.FAILED
    assert f"{reference}/PATCH_1 lacks bp1.mat, la1.mat" in found[(1, "PATCH_1")].details
    assert found[(2, "PATCH_1")].details == "upstream failed"
    assert found[(1, "PATCH_2")].status is Status.SKIPPED_EXISTING
    alone = decided({(2, "PATCH_1"): due}, config=config, steps=(2, 2))
    assert alone[(2, "PATCH_1")].details == f"not there; copied from {reference}/PATCH_1"
