"""All that is asked for, run side by side, as certificates."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from parity.certification.case_record import certify_case
from parity.certification.cases import cases_of
from parity.certification.certificate import Origin, certificate_of, chain_certificate
from parity.certification.chains import FAMILIES, Chain, ChainOutcome, run_family
from parity.certification.provenance import Code, Machine, Oracle, code_digests
from parity.certification.scopes import CHAIN, PREPARATION_SCOPE, STAGE_SCOPES, StageScope
from parity.golden import FOLDER as GOLDEN_FOLDER
from parity.golden import golden_scene
from pystamps_shim._binary import find
from pystamps_shim.progress import tracked

#: Numbers of threads with which every case is run.
THREADS = (1, 3)
#: Certificate and case, or family of chains.
Key = tuple[str, str]
#: Archives of the golden data that hold stages, in the order they are laid over each other.
_GOLDEN_ARCHIVES = ("P", "T", "T6", "T8")


@dataclass(frozen=True)
class Request:
    """What to certify.

    Attributes
    ----------
    scopes
        Stage scopes, preparation included.
    chains
        Whether whole chains are run too.
    oracle
        Folder of the oracle's scenes; None for the golden data.
    mutate
        Whether results are spoilt on purpose.
    jobs
        Cases side by side.
    """

    scopes: tuple[StageScope, ...]
    chains: bool
    oracle: Path | None
    mutate: bool = True
    jobs: int = os.cpu_count() or 1

    @classmethod
    def everything(cls, oracle: Path | None) -> Request:
        """Return the request for all that the oracle, or the golden data, can show."""
        return cls((PREPARATION_SCOPE, *STAGE_SCOPES), chains=oracle is not None, oracle=oracle)


def certify(request: Request) -> list[dict[str, Any]]:
    """Run every case and chain of a request and return the certificates, in its order."""
    with tempfile.TemporaryDirectory(prefix="golden_") as folder:
        if request.oracle is None:
            data, oracle = _golden(Path(folder)), Oracle.golden(GOLDEN_FOLDER / "MANIFEST.json")
        else:
            data, oracle = request.oracle.resolve(), Oracle.full(request.oracle)
        program = find()
        origin = Origin(Code.here(), oracle, Machine.here(), THREADS, code_digests(program))
        found = dict(_run(request, data, program))
    certificates = []
    for stage_scope in request.scopes:
        cases = cases_of(stage_scope, golden=request.oracle is None)
        records = [found[stage_scope.name, case.name] for case in cases]
        complete = request.oracle is not None
        certificates.append(certificate_of(stage_scope, origin, records, complete=complete))
    if request.chains:
        outcomes = [one for family in FAMILIES for one in found[CHAIN, family[0].name]]
        certificates.append(chain_certificate(origin, outcomes))
    return certificates


def _run(request: Request, oracle: Path, program: Path) -> Iterator[tuple[Key, Any]]:
    """Yield every case with its record and every family of chains with its outcomes."""
    jobs: dict[Key, Callable[[], Any]] = {}
    # Chains take longest: they begin first.
    for family in FAMILIES if request.chains else ():
        jobs[CHAIN, family[0].name] = partial(
            _chains, family, oracle, program, mutate=request.mutate
        )
    for scope in request.scopes:
        for case in cases_of(scope, golden=request.oracle is None):
            job = partial(certify_case, case, oracle, program, THREADS, mutate=request.mutate)
            jobs[scope.name, case.name] = job
    if request.jobs == 1:
        yield from tracked(((key, job()) for key, job in jobs.items()), "certifying", len(jobs))
        return
    with ProcessPoolExecutor(request.jobs, initializer=_silence) as pool:
        running = {pool.submit(job): key for key, job in jobs.items()}
        for done in tracked(as_completed(running), "certifying", len(jobs)):
            yield running[done], done.result()


def _silence() -> None:
    """Leave progress to the process that people look at."""
    sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as it lives


def _chains(
    family: Sequence[Chain], oracle: Path, program: Path, *, mutate: bool
) -> list[ChainOutcome]:
    with tempfile.TemporaryDirectory(prefix="chain_") as folder:
        found = run_family(family, oracle, program, THREADS[-1], Path(folder), mutate=mutate)
        return list(found)


def _golden(folder: Path) -> Path:
    """Unpack the project's own part of the oracle."""
    for name in _GOLDEN_ARCHIVES:
        golden_scene(folder / name, name)
    laid_out = folder / "all"
    for name in _GOLDEN_ARCHIVES:
        shutil.copytree(folder / name, laid_out, dirs_exist_ok=True)
    return laid_out


def failures_of(certificate: Mapping[str, Any]) -> list[str]:
    """Return what a certificate says is wrong, one line each."""
    found = []
    for case in certificate["cases"]:
        where = f"{certificate['name']}, {case['name']}"
        found += [f"{where}: {failure}" for failure in case["failures"]]
        for relation in case.get("relations", ()):
            if relation["problem"] is not None:
                found.append(f"{where}: {relation['problem']} (expected: {relation['name']})")
        for file in case["files"]:
            if file["status"] in ("equal", "not_compared"):
                continue
            problems = [
                f"{where}: {file['file']}: {one['name']}: {one['problem']}"
                for one in file["variables"]
                if one.get("problem") is not None
            ]
            found += problems or [f"{where}: {file['file']}: {file.get('note') or file['status']}"]
    name = certificate["name"]
    coverage = certificate.get("coverage")
    if coverage is not None and not coverage["by_value"]:
        found.append(f"{name}: not one variable was compared by value")
    mutations = certificate["mutations"]["undetected"]
    found += [f"{name}: nothing noticed that this was spoilt: {one}" for one in mutations]
    without = certificate.get("coverage", {}).get("without_evidence", ())
    return found + [f"{name}: no case has evidence of {one}" for one in without]
