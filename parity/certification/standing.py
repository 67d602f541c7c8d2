"""Whether the certificates of the code still hold, and whether a new run repeats them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from parity.certification.cases import cases_of
from parity.certification.certificate import FOLDER, SCHEMA, read_certificate
from parity.certification.certify import failures_of
from parity.certification.chains import FAMILIES
from parity.certification.harness import harness_digest
from parity.certification.provenance import code_digests
from parity.certification.scopes import (
    CHAIN,
    PREPARATION_SCOPE,
    STAGE_SCOPES,
)
from pystamps_shim._binary import find

#: What a comparison of a variable must say on every machine.
_SAID = ("status", "policy", "limits", "share", "compared", "cycles", "moved")
#: Least number of mutations over all scopes.
LEAST_MUTATIONS = 200
_REMEDY = "run 'make certify WRITE=1' and commit parity/certificates"


def problems_of_standing(folder: Path = FOLDER) -> list[str]:
    """Return why certificates are missing, failed or stale; nothing is run.

    A verdict is not believed but looked for in the cases, relations and mutations.
    """
    digests = code_digests(find())
    problems = []
    mutations = 0
    oracles: set[str | None] = set()
    for stage_scope in (PREPARATION_SCOPE, *STAGE_SCOPES):
        certificate = read_certificate(stage_scope.name, folder)
        wanted = {case.name for case in cases_of(stage_scope)}
        problems += _problems(stage_scope.name, certificate, digests, wanted)
        mutations += certificate.get("mutations", {}).get("made", 0) if certificate else 0
        oracles |= {certificate.get("oracle", {}).get("identity_sha256")} if certificate else set()
    chains = read_certificate(CHAIN, folder)
    wanted = {chain.name for family in FAMILIES for chain in family}
    problems += _problems(CHAIN, chains, digests, wanted)
    if len(oracles) > 1:
        problems.append(f"the certificates are of {len(oracles)} different oracles; {_REMEDY}")
    if mutations < LEAST_MUTATIONS:
        problems.append(f"{mutations} mutations in all, at least {LEAST_MUTATIONS}")
    return problems


def _problems(
    name: str,
    certificate: Mapping[str, Any] | None,
    digests: Mapping[str, str],
    wanted: set[str],
) -> list[str]:
    """Return what is wrong with the certificate of this name, which must have these cases."""
    if certificate is None:
        return [f"{name}: there is no certificate; {_REMEDY}"]
    if certificate.get("schema") != SCHEMA:
        found = certificate.get("schema")
        return [f"{name}: its certificate has schema {found}, expected {SCHEMA}; {_REMEDY}"]
    try:
        return [f"{name}: {problem}" for problem in _doubts(certificate, digests[name], wanted)]
    except (KeyError, TypeError, AttributeError) as error:
        return [f"{name}: its certificate is incomplete ({error!r}); {_REMEDY}"]


def _doubts(certificate: Mapping[str, Any], code_sha256: str, wanted: set[str]) -> Iterator[str]:
    failures = failures_of(certificate)
    if not certificate["passed"] or failures:
        yield f"its certificate did not pass: {failures[0] if failures else 'it says so'}"
    cases = certificate["cases"]
    if not all(case["passed"] and any(f["variables"] for f in case["files"]) for case in cases):
        yield "a case of its certificate did not pass, or has compared nothing"
    if certificate["oracle"]["data"] != "full":
        yield f"its certificate is of {certificate['oracle']['data']} data, expected the oracle's"
    if certificate["program"]["code_sha256"] != code_sha256:
        commit = certificate["program"]["commit"][:7]
        yield f"its code has changed since commit {commit}; {_REMEDY}"
    if certificate["harness_sha256"] != harness_digest():
        yield f"cases, comparisons or rules have changed since; {_REMEDY}"
    missing = wanted - {case["name"] for case in certificate["cases"]}
    if missing:
        yield f"its certificate lacks the cases {', '.join(sorted(missing))}; {_REMEDY}"
    mutations = certificate["mutations"]
    if mutations["undetected"] or not 0 < mutations["made"] == mutations["detected"]:
        yield f"{mutations['detected']} of {mutations['made']} mutations were noticed"


def changes(
    committed: Mapping[str, Any], fresh: Mapping[str, Any], *, partial: bool = False
) -> list[str]:
    """Return where a new certificate says something else than the one that belongs to the code.

    Verdicts, relations, refusals, numbers of compared elements and whole cycles must be the same on
    every machine, mutations and coverage where the results were spoilt at all. Quantiles and
    figures must be where the machine type is the same; elsewhere the last bits of the arithmetic
    may differ, and the limits of the contract have judged them already.

    Parameters
    ----------
    committed, fresh
        Certificates of one name.
    partial
        Compare the files of the cases that both have, and nothing else: other data show less.
    """
    before, now = ({case["name"]: case for case in one["cases"]} for one in (committed, fresh))
    name = fresh["name"]
    found = []
    if not partial:
        found += [f"{name}: case {case} is new" for case in sorted(now.keys() - before.keys())]
        found += [f"{name}: case {case} is gone" for case in sorted(before.keys() - now.keys())]
        found += _changed_as_a_whole(committed, fresh)
    same_machine = committed["machine"] == fresh["machine"]
    for case in sorted(before.keys() & now.keys()):
        if not partial:
            found += [
                f"{name}, {case}: {key} have changed"
                for key in ("relations", "refused", "notes", *(["figures"] if same_machine else []))
                if before[case].get(key) != now[case].get(key)
            ]
        found += [f"{name}, {case}: {line}" for line in other_originals(before[case], now[case])]
        pair = [_results(one[case], with_quantiles=same_machine) for one in (before, now)]
        for key in sorted(pair[0].keys() | pair[1].keys()):
            was, is_now = (one.get(key) for one in pair)
            if was != is_now:
                found.append(f"{name}, {case}: {': '.join(key)}: {_difference(was, is_now)}")
    return found


def other_originals(committed: Mapping[str, Any], fresh: Mapping[str, Any]) -> list[str]:
    """Return the files of the original that are not those of the certificate, by their hashes."""
    found = []
    for key in ("inputs", "outputs"):
        was, now = committed.get(key, {}), fresh.get(key, {})
        for file in sorted(was.keys() & now.keys()):
            pair = [one[file] for one in (was, now)]
            if key == "outputs":
                pair = [one.get("original") for one in pair]
            if pair[0] != pair[1]:
                found.append(f"{file}: the original's file is another one ({key})")
    return found


def _difference(was: Any, now: Any) -> str:
    """Return what differs between two results, in words."""
    if not (isinstance(was, dict) and isinstance(now, dict)):
        return f"{'absent' if now is None else now}, was {'absent' if was is None else was}"
    keys = (key for key in was | now if was.get(key) != now.get(key))
    return ", ".join(f"{key} {now.get(key)}, was {was.get(key)}" for key in keys)


def _changed_as_a_whole(committed: Mapping[str, Any], fresh: Mapping[str, Any]) -> Iterator[str]:
    """Yield what differs besides the cases, if the results of both were spoilt."""
    for key in ("mutations", "coverage"):
        if fresh["mutations"]["made"] and committed.get(key) != fresh.get(key):
            yield f"{fresh['name']}: {key} have changed"


def _results(case: Mapping[str, Any], *, with_quantiles: bool) -> dict[tuple[str, ...], Any]:
    """Return what every comparison of a case found, by file and variable."""
    found: dict[tuple[str, ...], Any] = {("verdict",): case["passed"]}
    for file in case["files"]:
        found[(file["file"],)] = str(file["status"])
        for variable in file["variables"]:
            said = {key: variable.get(key) for key in _SAID}
            if with_quantiles:
                said["deviation"] = variable.get("deviation")
            found[file["file"], variable["name"]] = said
    return found
