"""Certification against somebody's own run of StaMPS: a processed folder in, a report out.

The folder has the results of every stage at once. Each stage is run on a copy without its own and
later results, and compared with them. What MATLAB decides by chance or by its own tie rules is
taken from the folder: the histogram of random coherences, Triangle's edges, the nearest nodes.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from parity.certification.case_record import CaseRecord, certify_workspace
from parity.certification.cases import Case
from parity.certification.certificate import Origin, certificate_of
from parity.certification.certify import THREADS
from parity.certification.datasets import Workspace
from parity.certification.provenance import Code, Machine, Oracle, code_digests
from parity.certification.scopes import MERGED, PATCH, STAGE_SCOPES, StageScope
from parity.stages import is_small_baseline, patches_of
from pystamps_shim._binary import find
from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.progress import tracked
from pystamps_shim.verification.contracts import load_contract
from pystamps_shim.verification.replays import Ledger

#: What several stages write, so that a finished folder has only the last one's.
_SHARED = ("psver.mat", "no_ps_info.mat", "patch.list", "parms.mat", "small_baselines.list")
#: What a finished folder may have from elsewhere: products, and edges of another pass.
_OF_OTHERS = {5: ("phuw2.mat",), 8: ("mean_v.mat", "uw_space_time.mat")}
#: The file whose presence shows that a scope was processed.
_MARKERS = {
    "stage1-patch": "ps1.mat",
    "stage2-patch": "pm1.mat",
    "stage3-patch": "select1.mat",
    "stage4-patch": "weed1.mat",
    "stage5-patch": "rc2.mat",
    "stage5-merged": "ifgstd2.mat",
    "stage6-merged": "phuw2.mat",
    "stage7-merged": "scla2.mat",
    "stage8-merged": "scn2.mat",
}


def certify_own_run(
    folder: Path, stage: int | None = None, random_engine: str = "matlab"
) -> list[dict[str, Any]]:
    """Certify the stages that a folder has, or one of them.

    Parameters
    ----------
    folder
        What StaMPS has left.
    stage
        Stage, None for all.
    random_engine
        What StaMPS ran under: ``matlab`` or ``octave``.

    Raises
    ------
    PystampsError
        The folder is no dataset, or has no stage that can be certified.
    """
    folder = folder.resolve()
    if not (folder / "patch.list").is_file() or not (folder / "parms.mat").is_file():
        cause = f"{folder}: patch.list or parms.mat is missing, expected a folder of StaMPS"
        raise PystampsError(cause, "name the folder that stamps was started in", ExitCode.USAGE)
    wanted = [scope for scope in STAGE_SCOPES if stage in (None, scope.stage)]
    left_out = {scope.name: _why_left_out(folder, scope) for scope in wanted}
    for name, why in left_out.items():
        if why is not None:
            sys.stderr.write(f"{name} is left out: {why}\n")
    cases = [
        _case(folder, scope, random_engine) for scope in wanted if left_out[scope.name] is None
    ]
    if not cases:
        what = "any stage" if stage is None else f"stage {stage}"
        cause = f"{folder} has nothing of {what} that can be certified: see above"
        raise PystampsError(cause, "name another folder, or another stage", ExitCode.USAGE)
    program = find()
    identity = hashlib.sha256((folder / "parms.mat").read_bytes()).hexdigest()
    oracle = Oracle(f"the run in {folder.name}", "own", identity)
    origin = Origin(Code.here(), oracle, Machine.here(), THREADS, code_digests(program))
    return [
        certificate_of(
            case.stage_scope, origin, [_certified(case, folder, program)], complete=False
        )
        for case in tracked(cases, "certifying", len(cases))
    ]


def _why_left_out(folder: Path, stage_scope: StageScope) -> str | None:
    """Return why a scope cannot be certified, None if it can."""
    places = patches_of(folder) if stage_scope.scope == PATCH else ["."]
    for name in _needs(stage_scope):
        missing = [place for place in places if not (folder / place / name).is_file()]
        if missing:
            return f"{name} is missing in {', '.join(missing)}"
    ledgers = [Ledger.read(folder / place) for place in places]
    if any(str(stage_scope.stage) in ledger.origins for ledger in ledgers):
        return "pystamps itself has processed it"
    if stage_scope.stage == 1 and not _export_is_there(folder):
        return "the raw export named in rsc.txt is not there"
    if stage_scope.stage == 6 and any(folder.glob("tmp_scla2_*.mat")):
        text = "tmp_scla2_*.mat shows several passes"
        return f"{text}, and the last one's scla_smooth2.mat was replaced after it"
    return None


def _case(folder: Path, stage_scope: StageScope, random_engine: str) -> Case:
    return Case(
        folder.name,
        folder.name,
        stage_scope,
        reference=".",
        options=tuple(_options(folder, stage_scope, random_engine)),
        apart=(*_SHARED, *_OF_OTHERS.get(stage_scope.stage, ())),
        by_pixel=stage_scope.name == "stage5-merged" and is_small_baseline(folder),
    )


def _needs(stage_scope: StageScope) -> list[str]:
    """Return the files that show that a scope, and on patches the stage before, was processed."""
    names = [_MARKERS[stage_scope.name]]
    if stage_scope.scope == PATCH and stage_scope.stage > 1:
        names.append(_MARKERS[f"stage{stage_scope.stage - 1}-patch"])
    return names


def _options(folder: Path, stage_scope: StageScope, random_engine: str) -> Iterator[str]:
    """Yield what is taken from the folder instead of being drawn or found anew."""
    if stage_scope.stage in (3, 5):
        yield from ("--random-engine", random_engine)
    if stage_scope.stage == 2:
        yield from ("--reference-histogram", "{oracle}/{patch}/pm1.mat")
    edges = "psweed.2.edge"
    everywhere = all((folder / patch / edges).is_file() for patch in patches_of(folder))
    if stage_scope.stage == 4 and everywhere:
        yield from ("--edges", f"{{oracle}}/{{patch}}/{edges}")
    if stage_scope.name == "stage5-merged":
        yield "--merge-only"
    if stage_scope.stage == 6:
        yield "--keep-costs"
        if (folder / "uw_interp.mat").is_file():
            yield from ("--nearest-nodes", "{oracle}/uw_interp.mat")


def _export_is_there(folder: Path) -> bool:
    """Tell whether stage 1 can still read the parameter file that the preparation named."""
    named = folder / "rsc.txt"
    return named.is_file() and Path(named.read_text(encoding="utf-8").split()[0]).is_file()


def _certified(case: Case, folder: Path, program: Path) -> CaseRecord:
    with tempfile.TemporaryDirectory(prefix="certify_") as work:
        dataset = Path(work) / "dataset"
        _copy_without(folder, dataset, case.stage_scope)
        workspace = Workspace(case, folder, dataset, None, timeout_s=None)
        return certify_workspace(workspace, program, THREADS, mutate=True)


def _copy_without(folder: Path, target: Path, stage_scope: StageScope) -> None:
    """Copy a dataset without the results of a scope and of all later ones."""
    patches = patches_of(folder)
    left_out = {(scope, file) for scope, file in _results_from(stage_scope) if file not in _SHARED}
    target.mkdir(parents=True)
    for place, scope in [(".", "root"), *((patch, "patch") for patch in patches)]:
        target.joinpath(place).mkdir(exist_ok=True)
        for path in sorted((folder / place).iterdir()):
            if path.is_file() and (scope, path.name) not in left_out:
                shutil.copyfile(path, target / place / path.name)


def _results_from(stage_scope: StageScope) -> Iterator[tuple[str, str]]:
    """Yield scope and name of every result of a scope and of those after it."""
    for number in range(stage_scope.stage, 9):
        for small_baseline in (False, True):
            for artefact in load_contract(number, small_baseline=small_baseline):
                earlier = number == stage_scope.stage == 5 and stage_scope.scope == MERGED
                if not (earlier and artefact.scope == "patch"):
                    yield artefact.scope, artefact.file
