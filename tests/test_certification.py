"""Certification of the program, and of programs that are wrong on purpose."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from parity.certification.certificate import read_certificate
from parity.certification.certify import Request, certify, failures_of
from parity.certification.command import main
from parity.certification.own_run import certify_own_run
from parity.certification.scopes import PREPARATION_SCOPE, STAGE_SCOPES, StageScope
from parity.certification.standing import changes
from parity.oracle import dataset_after

from pystamps_shim._binary import VARIABLE
from pystamps_shim.errors import PystampsError

SCOPES = (PREPARATION_SCOPE, *STAGE_SCOPES)

#: A native program that runs the real one and then changes what one stage wrote.
_WRONG = """\
#!{python}
import subprocess, sys
import scipy.io
result = subprocess.run([{program!r}, *sys.argv[1:]])
if sys.argv[1:3] == ["stage", "{stage}"] and result.returncode == 0:
    folder = sys.argv[max(map(sys.argv.index, {{"--dataset", "--patch"}} & set(sys.argv))) + 1]
    path = folder + "/{file}"
    stored = {{k: v for k, v in scipy.io.loadmat(path).items() if not k.startswith("__")}}
    stored["{variable}"] = stored["{variable}"] * stored["{variable}"].dtype.type(1.001)
    scipy.io.savemat(path, stored)
sys.exit(result.returncode)
"""
#: What is a thousandth off: stage, file, variable, and the scope that has to fail.
_FORMULAS = [
    ((2, "pm1.mat", "coh_ps"), "stage2-patch"),
    ((3, "select1.mat", "ph_patch2"), "stage3-patch"),
    ((4, "weed1.mat", "ps_std"), "stage4-patch"),
    ((6, "uw_grid.mat", "ph"), "stage6-merged"),
    ((7, "scla2.mat", "K_ps_uw"), "stage7-merged"),
    ((8, "mean_v.mat", "m"), "stage8-merged"),
]
_SLOW = {"stage2-patch", "stage4-patch", "stage6-merged"}


@pytest.mark.shared
@pytest.mark.parametrize("stage_scope", SCOPES, ids=[scope.name for scope in SCOPES])
def test_oracle(oracle: Path, stage_scope: StageScope) -> None:
    """Every scene and variant; the committed certificate says the same."""
    request = Request((stage_scope,), chains=False, oracle=oracle, mutate=False, jobs=1)
    (certificate,) = certify(request)
    assert not failures_of(certificate)
    assert certificate["passed"]
    kept = read_certificate(stage_scope.name)
    assert kept is not None
    assert not changes(kept, certificate)


@pytest.mark.shared
def test_chains(oracle: Path) -> None:
    """From raw exports on, and second passes and other parameters from our own results."""
    (certificate,) = certify(Request((), chains=True, oracle=oracle, mutate=False, jobs=2))
    assert not failures_of(certificate)
    assert certificate["passed"]
    kept = read_certificate("chain")
    assert kept is not None
    assert not changes(kept, certificate)


def wrong_program(native_program: Path, folder: Path, formula: tuple[int, str, str]) -> Path:
    """Write a program with a stage whose formula is a thousandth off."""
    path = folder / "pystamps-native"
    stage, file, variable = formula
    values = {"program": str(native_program), "stage": stage, "file": file, "variable": variable}
    path.write_text(_WRONG.format(python=sys.executable, **values), "utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("formula", "scope"),
    [
        pytest.param(*case, marks=[pytest.mark.large] if case[1] in _SLOW else [])
        for case in _FORMULAS
    ],
)
def test_a_wrong_formula_fails_its_scope_alone(
    native_program: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    formula: tuple[int, str, str],
    scope: str,
) -> None:
    """The stage after it starts from the original's files, not from the wrong ones."""
    monkeypatch.setenv(VARIABLE, str(wrong_program(native_program, tmp_path, formula)))
    place = [one.name for one in STAGE_SCOPES].index(scope)
    request = Request(
        STAGE_SCOPES[place : place + 2], chains=False, oracle=None, mutate=False, jobs=1
    )
    failed = {one["name"]: failures_of(one) for one in certify(request) if not one["passed"]}
    assert failed.keys() == {scope}
    text = "\n".join(failed[scope])
    assert f"{formula[1]}: {formula[2]}" in text
    assert "worst at" in text


def test_failures_are_told_by_exit_code_and_report(
    native_program: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 3, one line each, and a report that shows them."""
    monkeypatch.setenv(VARIABLE, str(wrong_program(native_program, tmp_path, _FORMULAS[-2][0])))
    report = tmp_path / "report"
    command = ["certify", "--golden", "--stage", "7", "--jobs", "1", "--report", str(report)]
    assert main(command) == 3
    said = capsys.readouterr().out
    assert "stage7-merged  DIFFERS" in said
    assert "K_ps_uw" in said
    for name in ("report.html", "report.md"):
        assert "K_ps_uw" in report.joinpath(name).read_text(encoding="utf-8")


def own_run(golden_products: Path, target: Path) -> Path:
    """Lay out a folder as somebody's StaMPS has left it after stage 8."""
    return dataset_after(golden_products, "T", 8, target)


def test_an_own_run_is_certified(golden_products: Path, tmp_path: Path) -> None:
    """Every stage whose inputs the folder has; those of the first stages are missing here."""
    folder = own_run(golden_products, tmp_path / "mine")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    certificates = certify_own_run(folder)
    assert [one["name"] for one in certificates] == [
        *("stage5-patch", "stage5-merged", "stage6-merged", "stage7-merged", "stage8-merged")
    ]
    assert all(one["passed"] for one in certificates)
    assert {one["oracle"]["data"] for one in certificates} == {"own"}
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_own_run_that_differs(golden_products: Path, tmp_path: Path) -> None:
    """Its stage 7 used another parameter than the folder says."""
    folder = own_run(golden_products, tmp_path / "mine")
    from parity.oracle import set_parameters

    set_parameters(folder / "parms.mat", {"scla_deramp": "y"})
    (certificate,) = certify_own_run(folder, 7)
    assert not certificate["passed"]
    assert any("ph_ramp" in failure for failure in failures_of(certificate))


def test_own_runs_that_cannot_be_certified(golden_products: Path, tmp_path: Path) -> None:
    """No dataset, nothing of that stage, and several passes."""
    with pytest.raises(PystampsError, match=r"patch\.list or parms\.mat is missing"):
        certify_own_run(tmp_path)
    folder = own_run(golden_products, tmp_path / "mine")
    with pytest.raises(PystampsError, match="nothing of stage 2"):
        certify_own_run(folder, 2)
    shutil.copyfile(folder / "scla2.mat", folder / "tmp_scla2_20260102_030405.mat")
    with pytest.raises(PystampsError, match="nothing of stage 6"):
        certify_own_run(folder, 6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--golden", "--chain"], "whole chains"),
        (["--oracle", "absent"], "README.md"),
        (["--run", "absent"], "patch.list"),
        (["--run", "absent", "--write"], "leave --write out"),
        (["--golden", "--write"], "are not kept"),
        (["--random-engine", "octave"], "belongs to --run"),
    ],
)
def test_wrong_usage(
    options: list[str],
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Cause and remedy, no traceback."""
    monkeypatch.chdir(tmp_path)
    assert main(["certify", *options]) in {1, 2}
    said: Any = capsys.readouterr()
    assert words in said.err
    assert said.err.startswith("error: ")
