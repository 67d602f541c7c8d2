"""Certificates that no longer hold, and new ones that say something else."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from parity.certification import standing
from parity.certification.cases import cases_of
from parity.certification.certificate import (
    FOLDER,
    read_certificate,
    write_certificate,
)
from parity.certification.chains import FAMILIES
from parity.certification.harness import harness_digest, judging_modules
from parity.certification.scopes import PREPARATION_SCOPE, STAGE_SCOPES
from parity.certification.standing import changes, problems_of_standing

from pystamps_shim.errors import PystampsError

Certificate = dict[str, Any]
SCOPES = (PREPARATION_SCOPE, *STAGE_SCOPES)


def small(name: str, cases: list[str]) -> Certificate:
    """Return a certificate that holds."""
    variable = {"name": "x", "status": "equal", "compared": 9, "deviation": {"max": 1e-7}}
    files = [{"file": "a.mat", "status": "equal", "variables": [variable]}]
    certificate: Certificate = {
        "schema": 1,
        "name": name,
        "passed": True,
        "oracle": {"data": "full"},
        "program": {"code_sha256": f"code of {name}", "commit": "0123456789"},
        "harness_sha256": harness_digest(),
        "machine": {"processor": "one"},
        "mutations": {"made": 30, "detected": 30, "undetected": []},
        "cases": [{"name": case, "passed": True, "failures": [], "files": files} for case in cases],
    }
    return copy.deepcopy(certificate)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write certificates that all hold."""
    for scope in SCOPES:
        names = [case.name for case in cases_of(scope)]
        write_certificate(small(scope.name, names), tmp_path)
    chains = [chain.name for family in FAMILIES for chain in family]
    write_certificate(small("chain", chains), tmp_path)
    names = [*(scope.name for scope in SCOPES), "chain"]
    digests = {name: f"code of {name}" for name in names}
    monkeypatch.setattr(standing, "code_digests", lambda _: digests)
    return tmp_path


def test_certificates_that_hold(folder: Path) -> None:
    """Nothing to say."""
    assert problems_of_standing(folder) == []


def changed(**values: Any) -> Callable[[Certificate], None]:
    return lambda certificate: certificate.update(values)


def other_code(certificate: Certificate) -> None:
    certificate["program"]["code_sha256"] = "other code"


def differing_file(certificate: Certificate) -> None:
    certificate["cases"][0]["files"][0]["status"] = "differs"


def failed_case(certificate: Certificate) -> None:
    certificate["cases"][0]["failures"] = ["exit code 1"]


def case_lost(certificate: Certificate) -> None:
    certificate["cases"] = certificate["cases"][1:]


@pytest.mark.parametrize("name", ["prep", "stage3-patch", "stage8-merged", "chain"])
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (other_code, "its code has changed since commit 0123456"),
        (case_lost, "lacks the cases"),
        (changed(passed=False), "did not pass"),
        (changed(mutations={"made": 30, "detected": 30, "undetected": ["x"]}), "was spoilt: x"),
        (changed(machine={}, cases=[]), "lacks the cases"),
        (differing_file, "did not pass: "),
        (failed_case, "did not pass: "),
        (lambda one: one["cases"][0].update(passed=False), "a case of its certificate"),
        (lambda one: one["cases"][0]["files"].clear(), "has compared nothing"),
        (lambda one: one.pop("program"), "is incomplete"),
        (changed(schema=9), "schema 9"),
        (changed(oracle={"data": "golden"}), "golden data"),
        (changed(mutations={"made": 30, "detected": 29, "undetected": []}), "29 of 30 mutations"),
        (changed(mutations={"made": 0, "detected": 0, "undetected": []}), "0 of 0 mutations"),
    ],
)
def test_certificates_that_do_not_hold(
    folder: Path, name: str, damage: Callable[[Certificate], None], words: str
) -> None:
    """One of them is damaged; it is named, with what to do where something can be done."""
    certificate = read_certificate(name, folder)
    assert certificate is not None
    damage(certificate)
    write_certificate(certificate, folder)
    problems = problems_of_standing(folder)
    assert problems[0].startswith(f"{name}: ")
    assert words in problems[0]


def test_a_missing_certificate(folder: Path) -> None:
    """It is named, with what to do."""
    (folder / "stage5-merged.json").unlink()
    (problem,) = problems_of_standing(folder)
    assert problem.startswith("stage5-merged: there is no certificate; run 'make certify")


def test_different_oracles_and_broken_files(folder: Path) -> None:
    """All certificates are of one oracle, and each is JSON."""
    certificate = read_certificate("stage2-patch", folder)
    assert certificate is not None
    certificate["oracle"]["identity_sha256"] = "another"
    write_certificate(certificate, folder)
    (problem,) = problems_of_standing(folder)
    assert "2 different oracles" in problem
    (folder / "stage2-patch.json").write_text("{", encoding="ascii")
    with pytest.raises(PystampsError, match="no JSON"):
        problems_of_standing(folder)


def test_other_files_of_the_original_are_noticed() -> None:
    """By their hashes, whatever the comparison with them says."""
    kept = small("stage7-merged", ["T"])
    kept["cases"][0] |= {"inputs": {"a": "1"}, "outputs": {"b": {"ours": "2", "original": "3"}}}
    for key, value in (("inputs", {"a": "9"}), ("outputs", {"b": {"ours": "2", "original": "9"}})):
        fresh = copy.deepcopy(kept)
        fresh["cases"][0][key] = value
        (change,) = changes(kept, fresh)
        assert "the original's file is another one" in change
        assert changes(kept, fresh, partial=True) == [change]


def test_rules_that_have_changed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was judged by others does not hold."""
    monkeypatch.setattr(standing, "harness_digest", lambda: "other rules")
    problems = problems_of_standing(folder)
    assert len(problems) == len(SCOPES) + 1
    assert all("cases, comparisons or rules have changed" in problem for problem in problems)


def test_too_few_mutations(folder: Path) -> None:
    """Two hundred over all scopes are the least."""
    for scope in SCOPES:
        certificate = read_certificate(scope.name, folder)
        assert certificate is not None
        certificate["mutations"] = {"made": 3, "detected": 3, "undetected": []}
        write_certificate(certificate, folder)
    assert problems_of_standing(folder) == ["30 mutations in all, at least 200"]


def variable_of(certificate: Certificate) -> dict[str, Any]:
    found: dict[str, Any] = certificate["cases"][0]["files"][0]["variables"][0]
    return found


@pytest.mark.parametrize(
    ("damage", "elsewhere"),
    [
        (lambda one: variable_of(one).update(status="differs"), True),
        (lambda one: variable_of(one).update(compared=8), True),
        (lambda one: variable_of(one).update(cycles=1), True),
        (lambda one: variable_of(one)["deviation"].update(max=2e-7), False),
        (lambda one: one["cases"][0].update(passed=False), True),
        (lambda one: one["cases"][0].update(name="U"), True),
        (lambda one: one["cases"][0]["files"].clear(), True),
    ],
)
def test_a_new_run_that_says_something_else(
    damage: Callable[[Certificate], None], *, elsewhere: bool
) -> None:
    """Everything counts on the same machine type; the last bits of quantiles do not on another."""
    kept = small("stage7-merged", ["T"])
    assert changes(kept, kept) == []
    fresh = copy.deepcopy(kept)
    damage(fresh)
    assert changes(kept, fresh)
    fresh["machine"] = {"processor": "another"}
    assert bool(changes(kept, fresh)) is elsewhere


def test_committed_certificates_name_no_folder_of_a_machine() -> None:
    """Paths of whoever certified have no place in them."""
    for path in FOLDER.glob("*.json"):
        absolute = re.search(r"[\" ]/\w+/\w+", path.read_text(encoding="utf-8"))
        assert absolute is None, path


def test_whatever_judges_counts() -> None:
    """Comparisons, relations, the truth that chains are held to; no report and no command line."""
    modules = set(judging_modules())
    assert modules >= {
        *("parity.certification.cases", "parity.certification.mutations", "parity.near_ties"),
        *("pystamps_shim.verification.comparators", "pystamps_shim.products.truth"),
        *("pystamps_shim.reference.unwrapping_costs", "pystamps_shim.kernels.topofit"),
    }
    assert not any("report_html" in name or name.endswith("command") for name in modules)


@pytest.mark.parametrize(
    ("key", "value"),
    [("relations", []), ("refused", ["x"]), ("notes", ["other ties"]), ("figures", {"a": 1})],
)
def test_relations_and_notes_must_be_the_same(key: str, value: Any) -> None:
    """A relation that is no longer looked at is noticed."""
    kept = small("stage6-merged", ["T"])
    kept["cases"][0]["relations"] = [{"name": "a proof", "problem": None}]
    fresh = copy.deepcopy(kept)
    fresh["cases"][0][key] = value
    assert changes(kept, fresh) == [f"stage6-merged, T: {key} have changed"]
    assert changes(kept, fresh, partial=True) == []


@pytest.mark.parametrize("key", ["mutations", "coverage"])
def test_fewer_mutations_or_less_coverage(key: str) -> None:
    """Unless the new run made no mutations at all."""
    kept = small("stage6-merged", ["T"])
    fresh = copy.deepcopy(kept)
    fresh[key] = {"made": 20, "detected": 20}
    assert changes(kept, fresh) == [f"stage6-merged: {key} have changed"]
    fresh["mutations"] = {"made": 0, "detected": 0}
    assert changes(kept, fresh) == []
