"""The command line of certification."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from parity.certification.certificate import FOLDER, read_certificate, write_certificate
from parity.certification.certify import Request, certify, failures_of
from parity.certification.evidence import Evidence
from parity.certification.own_run import certify_own_run
from parity.certification.provenance import REPOSITORY, Code
from parity.certification.report_html import html_report
from parity.certification.report_markdown import markdown_report
from parity.certification.standing import changes, other_originals, problems_of_standing
from parity.fixtures import SHARED_VARIABLE
from pystamps_shim.errors import ExitCode, PystampsError

_DESCRIPTION = """\
Run every stage from the files that original StaMPS left before it, with several numbers of
threads, compare what it writes with what the original wrote, spoil the results to see that it is
noticed, and keep what was found as certificates. docs/certification.md explains how to read them.
"""
_EPILOG = """\
examples
  python -m parity certify                        everything, against ../shared/oracle
  python -m parity certify --golden               what the project's own data can show
  python -m parity certify --stage 7              stage 7 alone
  python -m parity certify --write                and keep the certificates: commit them
  python -m parity certify --check                do the committed certificates hold? runs nothing
  python -m parity certify --run STAMPS_FOLDER    against your own MATLAB run

exit codes: 0 certified, 1 it could not be tried, 2 wrong usage, 3 differences
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.random_engine is not None and options.run is None:
            cause = "--random-engine belongs to --run: the oracle ran under Octave"
            raise PystampsError(cause, "leave it out", ExitCode.USAGE)
        if options.check:
            others = (options.stage, options.chain, options.golden, options.write, options.report)
            if any(one not in (None, False) for one in others) or options.oracle:
                cause = "--check looks at all kept certificates, and at nothing else"
                raise PystampsError(cause, "leave the other options out", ExitCode.USAGE)
            return _check()
        return _own_run(options) if options.run is not None else _certify(options)
    except PystampsError as error:
        sys.stderr.write(f"error: {error.cause}\nto do: {error.remedy}\n")
        return int(error.exit_code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m parity")
    certify_parser = parser.add_subparsers(required=True, metavar="COMMAND").add_parser(
        "certify",
        help="certify the stages against original StaMPS",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = certify_parser.add_argument
    add("--stage", type=int, choices=range(9), metavar="N", help="one stage, 0 for preparation")
    add("--chain", action="store_true", help="the whole chains (with --stage: these too)")
    data = certify_parser.add_mutually_exclusive_group()
    data.add_argument(
        "--oracle", type=Path, metavar="DIR", help="($PYSTAMPS_SHARED/oracle, or ../shared/oracle)"
    )
    data.add_argument("--golden", action="store_true", help="the project's own data instead")
    data.add_argument("--run", type=Path, metavar="DIR", help="a dataset that StaMPS processed")
    add(
        "--random-engine",
        choices=("matlab", "octave"),
        help="with --run: what StaMPS ran under (matlab)",
    )
    add("--write", action="store_true", help="keep the certificates, if all is well")
    add("--check", action="store_true", help="only look whether the kept certificates hold")
    add("--report", type=Path, metavar="DIR", help="folder for report.html and report.md")
    add("--jobs", type=int, metavar="N", help="cases side by side (all processors)")
    return parser


def _check() -> int:
    problems = problems_of_standing()
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    if not problems:
        sys.stdout.write("every certificate is there, passed, and of the present code\n")
    return int(ExitCode.DIFFERENCES if problems else ExitCode.DONE)


def _certify(options: argparse.Namespace) -> int:
    certificates = certify(_request(options))
    failures = [line for one in certificates for line in failures_of(one)]
    if options.write:
        failures += _other_oracle(certificates)
    else:
        failures += _changed(certificates, partial=options.golden)
    _say(certificates, failures, options.report)
    if options.write and not failures:
        _write(certificates)
    return int(ExitCode.DIFFERENCES if failures else ExitCode.DONE)


def _request(options: argparse.Namespace) -> Request:
    shared = Path(os.environ.get(SHARED_VARIABLE, REPOSITORY.parent / "shared"))
    oracle = None if options.golden else options.oracle or shared / "oracle"
    if options.write and options.golden:
        cause = "certificates of the golden data are not kept: they show less than the oracle's"
        raise PystampsError(cause, "leave --write or --golden out", ExitCode.USAGE)
    if options.write and not Code.here().clean:
        cause = "the code has changes that are not committed, which a certificate could not name"
        raise PystampsError(cause, "commit them, then certify", ExitCode.USAGE)
    request = Request.everything(oracle)
    scopes, chains = request.scopes, request.chains
    if options.stage is not None:
        scopes = tuple(scope for scope in scopes if scope.stage == options.stage)
        chains = options.chain
    elif options.chain:
        scopes, chains = (), True
    if chains and oracle is None:
        cause = "the golden data begin too late for whole chains"
        raise PystampsError(cause, "leave --golden or --chain out", ExitCode.USAGE)
    jobs = request.jobs if options.jobs is None else max(1, options.jobs)
    return Request(scopes, chains, oracle, jobs=jobs)


def _changed(certificates: Sequence[Mapping[str, Any]], *, partial: bool) -> list[str]:
    """Return how the certificates differ from those that belong to the code."""
    found = []
    for certificate in certificates:
        kept = read_certificate(certificate["name"])
        if kept is not None:
            found += changes(kept, certificate, partial=partial)
    return found


def _other_oracle(certificates: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return which files of the original are others than the kept certificates were judged by."""
    found = []
    for certificate in certificates:
        kept = read_certificate(certificate["name"])
        before = {} if kept is None else {case["name"]: case for case in kept["cases"]}
        for case in certificate["cases"]:
            lines = other_originals(before.get(case["name"], {}), case)
            found += [f"{certificate['name']}, {case['name']}: {line}" for line in lines]
    return found


def _say(
    certificates: Sequence[Mapping[str, Any]], failures: Sequence[str], report: Path | None
) -> None:
    for certificate in certificates:
        mutations, coverage = certificate["mutations"], certificate.get("coverage")
        full = certificate["oracle"]["data"] == "full"
        verdict = ("certified" if full else "agrees") if certificate["passed"] else "DIFFERS"
        text = f"{certificate['name']:<14} {verdict:<9}  {len(certificate['cases']):>2} cases"
        if coverage is not None:
            text += f", {coverage['by_value']} of {coverage['variables']} variables by value"
        text += f", {mutations['detected']} of {mutations['made']} mutations noticed"
        sys.stdout.write(f"{text}\n")
    for failure in failures:
        sys.stdout.write(f"  {failure}\n")
    if report is not None:
        report.mkdir(parents=True, exist_ok=True)
        for name, text in (
            ("report.html", html_report(certificates)),
            ("report.md", markdown_report(certificates)),
        ):
            report.joinpath(name).write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {report / name}\n")


def _write(certificates: Sequence[Mapping[str, Any]]) -> None:
    for certificate in certificates:
        path = write_certificate(certificate, FOLDER)
        sys.stdout.write(f"wrote {path.relative_to(REPOSITORY)}\n")


def _own_run(options: argparse.Namespace) -> int:
    if options.write:
        cause = "certificates of your own run are not kept in the project"
        raise PystampsError(cause, "leave --write out, and use --report", ExitCode.USAGE)
    engine = options.random_engine or "matlab"
    certificates = certify_own_run(options.run, options.stage, engine)
    failures = [line for one in certificates for line in failures_of(one)]
    _say(certificates, failures, options.report)
    for one in certificates:
        for variable in one["coverage"]["not_shown"]:
            if not variable.endswith(Evidence.UNSEEN):
                sys.stdout.write(f"  {one['name']}: shows nothing of {variable}\n")
    return int(ExitCode.DIFFERENCES if failures else ExitCode.DONE)
