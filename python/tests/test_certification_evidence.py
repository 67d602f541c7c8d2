"""What certification refuses as evidence, and that it is not blind."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parity.certification.case_record import CaseRecord, certify_case, certify_workspace
from parity.certification.cases import Case, cases_of
from parity.certification.certificate import Origin, certificate_of
from parity.certification.datasets import Workspace, lay_out
from parity.certification.evidence import (
    Evidence,
    evidence_of,
    refused_files,
    refused_values,
)
from parity.certification.mutations import OF_VALUES, try_mutations
from parity.certification.provenance import Code, Machine, Oracle
from parity.certification.results import Results
from parity.certification.scopes import STAGE_SCOPES
from parity.comparison import compare_one
from parity.readers import read_mat_file

from pystamps_shim._binary import find
from pystamps_shim.io import mat
from pystamps_shim.verification.contracts import Policy, VariableContract
from pystamps_shim.verification.results import FileResult, Status
from pystamps_shim.verification.variables import MatVariable

LOOK_ANGLE = STAGE_SCOPES[7]
ROWS = VariableContract("x", "double", ["N", 1], Policy.EXACT, minimum=5)
SCALAR = VariableContract("x", "double", [1, 1], Policy.EXACT, minimum=1)
ORIGIN = Origin(
    Code("1", "c", "d", clean=True), Oracle("e", "full", "i"), Machine(*"abcd"), (1,), {}
)


def case() -> Case:
    """Return stage 7 on the golden data."""
    (found,) = cases_of(LOOK_ANGLE, golden=True)
    return found


@pytest.fixture
def processed(golden_products: Path, tmp_path: Path) -> Workspace:
    """Run stage 7 on the golden data."""
    workspace = lay_out(case(), golden_products, tmp_path)
    assert not any(outcome.code for outcome in workspace.process(find(), 2))
    return workspace


@pytest.mark.parametrize(
    ("rule", "values", "want"),
    [
        (ROWS, np.arange(5.0).reshape(5, 1), Evidence.VALUES),
        (ROWS, np.zeros((9, 1)), Evidence.CONSTANT),
        (ROWS, np.full((9, 1), 3.5), Evidence.CONSTANT),
        (ROWS, np.full((9, 1), np.nan), Evidence.CONSTANT),
        (ROWS, np.array([[np.nan]] * 8 + [[1.0]]), Evidence.CONSTANT),
        (ROWS, np.zeros((0, 1)), Evidence.EMPTY),
        (ROWS, np.arange(4.0).reshape(4, 1), Evidence.FEW),
        (ROWS, np.array([[True]] * 5), Evidence.CONSTANT),
        (SCALAR, np.array([[7.0]]), Evidence.VALUES),
        (replace(SCALAR, policy=Policy.IGNORED), np.array([[7.0]]), Evidence.FORM),
    ],
)
def test_degenerate_references_prove_nothing(
    rule: VariableContract, values: np.ndarray, want: Evidence
) -> None:
    """Constant arrays, zero windows, empty sets, and fewer elements than the contract wants."""
    assert evidence_of(rule, MatVariable("double", values)) is want


def test_a_variable_without_evidence_fails_the_certificate() -> None:
    """Unless its contract says why it may be constant in the oracle."""
    good = FileResult("scla2.mat", 7, Status.EQUAL)
    record = CaseRecord("T", "T", (), None, {}, files=(good,))
    every = {
        (artefact.file, rule.name, pairs): Evidence.VALUES
        for pairs in (False, True)
        for artefact in LOOK_ANGLE.artefacts(small_baseline=pairs)
        for rule in artefact.variables
    }
    complete = replace(record, evidence=every)
    assert certificate_of(LOOK_ANGLE, ORIGIN, [complete])["passed"]
    for key, passed in (
        (("scla2.mat", "K_ps_uw", False), False),
        (("scla2.mat", "ph_ramp", False), False),
        (("scla2.mat", "ph_ramp", True), True),
    ):
        without = {one: evidence for one, evidence in every.items() if one != key}
        for evidence in ({**every, key: Evidence.CONSTANT}, without):
            lacking = replace(record, evidence=evidence)
            certificate = certificate_of(LOOK_ANGLE, ORIGIN, [lacking])
            assert certificate["passed"] is passed
            assert bool(certificate["coverage"]["without_evidence"]) is not passed
        assert certificate_of(LOOK_ANGLE, ORIGIN, [lacking, complete])["passed"]
    assert not certificate_of(LOOK_ANGLE, ORIGIN, [])["passed"]


def test_a_degenerate_scene_is_refused(golden_products: Path, tmp_path: Path) -> None:
    """All phase 0: both sides agree on nothing but zeros, and the certificate fails."""
    oracle = shutil.copytree(golden_products, tmp_path / "oracle")
    for path in (oracle / "T/stage6/phuw2.mat",):
        stored = {name: one.values for name, one in read_mat_file(path).items()}
        mat.write(path, {**stored, "ph_uw": np.zeros_like(stored["ph_uw"])})
    workspace = lay_out(case(), oracle, tmp_path / "work")
    assert not any(outcome.code for outcome in workspace.process(find(), 1))
    for name in ("scla2.mat", "scla_smooth2.mat"):
        # As if the original had made the same of it, in another file.
        found = {key: one.values for key, one in read_mat_file(workspace.dataset / name).items()}
        mat.write(oracle / "T/stage7" / name, found, deflate_level=1)
    record = certify_case(case(), oracle, find(), (1,), mutate=False)
    assert record.passed
    assert {refusal.why for refusal in record.refused} >= {"the reference is one value throughout"}
    certificate = certificate_of(LOOK_ANGLE, ORIGIN, [record])
    assert not certificate["passed"]
    without = "\n".join(certificate["coverage"]["without_evidence"])
    assert "scla2.mat: K_ps_uw: constant" in without


def test_replayed_and_copied_results_are_refused(
    processed: Workspace, golden_products: Path
) -> None:
    """By the ledger, and by their bytes."""
    assert not list(refused_files(Results.read(processed)))
    ours = processed.dataset / "scla2.mat"
    shutil.copyfile(processed.case.reference_of(golden_products, ".", "scla2.mat"), ours)
    (copied,) = refused_files(Results.read(processed))
    assert copied.where == "scla2.mat"
    assert "a copy" in copied.why
    ledger = processed.dataset / ".pystamps" / "ledger.json"
    stages = json.loads(ledger.read_text(encoding="utf-8"))
    stages["stages"]["7"]["origin"] = "replayed"
    ledger.write_text(json.dumps(stages), encoding="utf-8")
    whys = [refusal.why for refusal in refused_files(Results.read(processed))]
    assert "the ledger says that it was replayed" in whys
    ledger.unlink()
    whys = [refusal.why for refusal in refused_files(Results.read(processed))]
    assert "the ledger does not know this stage" in whys


def test_refused_results_fail_their_case(processed: Workspace, golden_products: Path) -> None:
    """A stage that finds its results there already has not computed them."""
    adopted = processed.dataset / ".pystamps" / "ledger.json"
    adopted.unlink()
    for name in ("scla2.mat", "scla_smooth2.mat"):
        original = processed.case.reference_of(golden_products, ".", name)
        shutil.copyfile(original, processed.dataset / name)
    record = certify_workspace(processed, find(), (1,), mutate=False)
    assert not record.passed


def test_bytes_that_depend_on_threads_fail_the_case(
    golden_products: Path, tmp_path: Path, native_with_noise: Path
) -> None:
    """A program that writes something else with three threads."""
    workspace = lay_out(case(), golden_products, tmp_path / "work")
    record = certify_workspace(workspace, native_with_noise, (1, 3), mutate=False)
    assert not record.passed
    assert any("other bytes with 3 threads" in failure for failure in record.failures)


@pytest.fixture
def native_with_noise(tmp_path: Path) -> Path:
    """Write a program that adds a byte to a result if it has three threads."""
    path = tmp_path / "pystamps-native"
    lines = [
        "#!/bin/sh",
        f'"{find()}" "$@" || exit 1',
        'while [ "$1" != --dataset ]; do shift; done',
    ]
    lines += ['case "$*" in *"--threads 3"*) printf x >> "$2/scla2.mat";; esac']
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    path.chmod(0o755)
    return path


def test_every_variable_is_spoilt_and_noticed(processed: Workspace) -> None:
    """In several ways each."""
    results = Results.read(processed)
    tried = list(try_mutations(results))
    assert all(one.detected for one in tried)
    kinds = Counter(one.where for one in tried if one.kind in OF_VALUES)
    wanted = {
        f"{pair.name}: {rule.name}"
        for pair in results.pairs
        for rule in pair.artefact.variables
        if rule.name in results.ours.get(pair.place, {})
        and results.ours[pair.place][rule.name].values.size
    }
    assert len(wanted) > 5
    assert wanted <= kinds.keys()
    assert {one.kind for one in tried} >= {
        *("missing", "class", "element", "rows exchanged", "row dropped", "PS dropped everywhere")
    }


def test_a_blind_comparison_is_found_out(
    golden_products: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If comparisons noticed nothing, the certificate would fail."""

    def blind(*arguments: Any) -> Any:
        found = compare_one(*arguments)
        if found.dataset is None or found.dataset != found.reference:
            return found
        return replace(found, status=Status.EQUAL, problem=None)

    monkeypatch.setattr("parity.certification.mutations.compare_one", blind)
    workspace = lay_out(case(), golden_products, tmp_path)
    record = certify_workspace(workspace, find(), (1,), mutate=True)
    assert any(one.detected is None for one in record.tried)
    certificate = certificate_of(LOOK_ANGLE, ORIGIN, [record])
    assert not certificate["passed"]
    assert certificate["mutations"]["detected"] < certificate["mutations"]["made"]


def test_refused_values_are_named(processed: Workspace) -> None:
    """An empty ramp, where nothing was deramped."""
    named = {refusal.where: refusal.why for refusal in refused_values(Results.read(processed))}
    assert named["scla_smooth2.mat: ph_ramp"] == "the reference is empty"
