"""``verify``: a dataset against a reference, file by file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from pystamps_shim.commands.settling import settle
from pystamps_shim.config import RunConfig, load_config
from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.report_file import report_target, write_report

_DESCRIPTION = """\
Compare every artefact of the stages in a dataset, patches and merged, with those of a reference
that StaMPS, pystamps or an earlier version of it has made. Everything is compared; nothing stops at
the first difference. Stages that were replayed from a reference are refused as evidence.

The profile `strict` has the tolerances of certification, row by row. They are those of one stage
that starts from the reference's files of the stage before: where stages have run one after the
other, rounding adds up beyond them. The profile `scientific` asks whether a user would see a
difference: PS are matched by pixel, 99.5 % of them must be common, and values may differ by what
does not matter; pystamps_shim/verification/contract/scientific.toml has every tolerance with its
reason.

Not compared: the preparation, whose candidates are in stage 1, and files of other programs.
"""
_EPILOG = """\
examples
  python -m pystamps_shim verify --dataset PROJECT --reference STAMPS
  python -m pystamps_shim verify --dataset NEW --reference OLD --profile scientific --json
  python -m pystamps_shim verify --dataset NEW --reference OLD --tolerance ph2.mat:ph=1e-4
  python -m pystamps_shim verify --dataset NEW --reference OLD --products-only

exit codes: 0 equal, 1 a folder cannot be read, 2 wrong usage or nothing to compare, 3 differences
"""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "verify",
        help="compare a dataset with a reference, file by file",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--dataset", required=True, type=Path, metavar="DIR", help="dataset to judge")
    add("--reference", type=Path, metavar="DIR", help="dataset to judge it by")
    add("--profile", choices=("strict", "scientific"), help="(strict)")
    add(
        "--config",
        type=Path,
        metavar="FILE",
        help="settings with reference, profile and tolerances; options come before it",
    )
    add("--through-stage", type=int, metavar="N", help="last stage to compare (8)")
    add("--products-only", action="store_true", help="compare the tables in products/ alone")
    add(
        "--tolerance",
        action="append",
        default=[],
        dest="tolerances",
        metavar="FILE:VARIABLE=VALUE",
        help="another tolerance, such as ph2.mat:ph=1e-4; may be repeated",
    )
    add("--json", action="store_true", help="one JSON object on stdout, for machines")
    add("--report", type=Path, metavar="FILE", help="write that JSON object to a file too")
    return parser


def run(options: argparse.Namespace) -> ExitCode:
    """Compare, tell what was found, and say by the exit code whether it was equal."""
    config = RunConfig() if options.config is None else load_config(options.config)
    reference = options.reference or config.compat.reference_root
    if reference is None:
        cause = "there is nothing to judge the dataset by"
        raise PystampsError(cause, "add --reference DIR", ExitCode.USAGE)
    overrides = {**config.tolerance.overrides, **dict(map(_override, options.tolerances))}
    if options.products_only and options.through_stage is not None:
        cause = "--through-stage has no effect with --products-only"
        raise PystampsError(cause, "leave one of them out", ExitCode.USAGE)
    target = None if options.report is None else report_target(options.report)
    try:
        from pystamps_shim.verification import verify_dataset  # noqa: PLC0415 - quick --help
        from pystamps_shim.verification.text import report_text  # noqa: PLC0415
    except ImportError as error:
        cause = f"the native extension cannot be loaded ({error})"
        raise PystampsError(cause, "run 'make native' in the source tree") from error
    for folder in (options.dataset, reference):
        settle(folder)
    stage = {} if options.through_stage is None else {"through_stage": options.through_stage}
    report = verify_dataset(
        options.dataset,
        reference,
        profile=options.profile or config.tolerance.profile,
        overrides=overrides,
        products_only=options.products_only,
        **stage,
    )
    if target is not None:
        write_report(target, report.as_json())
    sys.stdout.write(report.as_json() if options.json else report_text(report))
    return ExitCode.DONE if report.equal else ExitCode.DIFFERENCES


def _override(text: str) -> tuple[str, float]:
    name, sign, value = text.rpartition("=")
    try:
        number = float(value)
    except ValueError:
        sign = ""
    if not sign or not name:
        cause = f"--tolerance is '{text}', expected FILE:VARIABLE=VALUE"
        raise PystampsError(cause, "for instance --tolerance ph2.mat:ph=1e-4", ExitCode.USAGE)
    return name.strip(), number
