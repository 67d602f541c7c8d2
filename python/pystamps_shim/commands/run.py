"""``run``: a whole dataset, from a raw export to velocities and figures."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from pystamps_shim.errors import ExitCode, PystampsError

_DESCRIPTION = """\
Process a whole dataset with the native program: prepare the raw export where that is still to be
done, run the stages in order, and make the products of a finished dataset: velocity.csv,
timeseries.csv, a velocity map and time series as PNG. Where the scene was simulated, its truth.npz
is found beside the export and the products are compared with it (truth.json).

Typed again after an interruption or a failure it goes on where it stopped: a stage whose inputs
and parameters have not changed is left as it is. Stages 6 to 8 run again with --force are a second
pass: stage 6 then leaves out what stage 7 has found. Remove scla_smooth2.mat for a first one.
"""
_EPILOG = """\
examples
  python -m pystamps_shim run --export EXPORT --dataset PROJECT --azimuth-patches 2
  python -m pystamps_shim run --dataset PROJECT --start-step 6 --set unwrap_grid_size=100 --force
  python -m pystamps_shim run --dataset PROJECT --out results

figures need matplotlib: pip install 'pystamps[plot]'
"""
#: Options of ``pystamps-native prep`` that are handed on as they are.
_PREPARATION = (
    ("--amp-dispersion", float, "D_A", "amplitude dispersion below which a pixel is a candidate"),
    ("--range-patches", int, "N", "patches across range"),
    ("--azimuth-patches", int, "N", "patches along azimuth"),
    ("--range-overlap", int, "PIXELS", "overlap of patches in range"),
    ("--azimuth-overlap", int, "PIXELS", "overlap of patches in azimuth"),
    ("--master", str, "YYYYMMDD", "master date, where names do not tell"),
    ("--mask", Path, "FILE", "raster of bytes: 0 uses a pixel"),
)


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "run",
        help="process a whole dataset: raw export in, velocities and figures out",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--dataset", required=True, type=Path, metavar="DIR", help="folder of the dataset")
    add("--start-step", type=int, default=1, metavar="N", help="first stage to run (1)")
    add("--end-step", type=int, default=8, metavar="N", help="last stage to run (8)")
    add("--threads", type=int, metavar="N", help="threads (all cores); results do not depend on it")
    add(
        "--set",
        action="append",
        default=[],
        dest="parameters",
        metavar="NAME=VALUE",
        help="set a parameter of the dataset, for good; may be repeated",
    )
    add(
        "--random-engine",
        choices=("matlab", "octave"),
        help="whose random numbers to draw; octave repeats StaMPS under Octave (matlab)",
    )
    add("--force", action="store_true", help="prepare and compute again what is there")
    add("--out", type=Path, metavar="DIR", help="folder of the products (DATASET/products)")
    add("--truth", type=Path, metavar="FILE", help="truth.npz to compare with (beside the export)")
    group = parser.add_argument_group("preparation, where the dataset is not there yet")
    group.add_argument("--export", type=Path, metavar="DIR", help="raw export to prepare")
    group.add_argument("--processor", choices=("snap", "gamma"), default="snap", help="(snap)")
    for flag, kind, metavar, meaning in _PREPARATION:
        group.add_argument(flag, type=kind, metavar=metavar, help=meaning)
    return parser


def run(options: argparse.Namespace) -> None:
    """Run what the options say and tell what was made."""
    from pystamps_shim._binary import find  # noqa: PLC0415 - keeps --help quick
    from pystamps_shim.pipeline.commands import Native  # noqa: PLC0415
    from pystamps_shim.pipeline.whole_dataset import (  # noqa: PLC0415
        LAST_STAGE,
        Journal,
        Plan,
        run_plan,
    )

    plan = Plan(
        dataset=options.dataset,
        preparation=_preparation(options),
        first=options.start_step,
        last=options.end_step,
        parameters=[_parameter(text) for text in options.parameters],
        threads=options.threads,
        random_engine=options.random_engine,
        force=options.force,
    ).checked()
    if options.truth is not None and not options.truth.is_file():
        cause = f"{options.truth}: no such file"
        raise PystampsError(cause, "correct --truth, or leave it out", ExitCode.USAGE)
    native, journal = Native(find()), Journal()
    run_plan(plan, native, journal)
    if plan.last == LAST_STAGE:
        out = options.dataset / "products" if options.out is None else options.out
        journal.step("products", lambda: write_products(native, plan.dataset, out, options.truth))
    sys.stdout.write(f"{options.dataset}: {journal.text()}; {journal.total_s:.1f} s in all\n")


def write_products(native: Any, dataset: Path, out: Path, truth: Path | None) -> None:
    """Make the products and print what they are, and how they compare with the truth.

    Parameters
    ----------
    native
        The native program, a `pipeline.commands.Native`.
    dataset
        Dataset after stage 8.
    out
        Folder to write.
    truth
        Truth file; None takes the one beside the export, where there is one.
    """
    from pystamps_shim.products.make import make_products, truth_beside_export  # noqa: PLC0415
    from pystamps_shim.products.truth_report import report_text  # noqa: PLC0415

    made = make_products(native, dataset, out, truth or truth_beside_export(dataset))
    sys.stdout.write(f"products in {out}: {', '.join(path.name for path in made.files)}\n")
    if made.truth is not None:
        sys.stdout.write(report_text(made.truth))
    sys.stdout.flush()


def _preparation(options: argparse.Namespace) -> Any:
    from pystamps_shim.pipeline.whole_dataset import Preparation  # noqa: PLC0415

    given: list[str] = []
    for flag, *_ in _PREPARATION:
        value = getattr(options, flag.removeprefix("--").replace("-", "_"))
        if value is not None:
            given += [flag, str(value)]
    if options.export is None:
        if given:
            cause = f"{given[0]} is about preparation, and there is no --export"
            raise PystampsError(cause, f"add --export DIR, or drop {given[0]}", ExitCode.USAGE)
        return None
    if not options.export.is_dir():
        cause = f"{options.export}: no such folder"
        raise PystampsError(cause, "correct --export", ExitCode.USAGE)
    return Preparation(options.export, options.processor, given)


def _parameter(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        cause = f"--set is '{text}', expected NAME=VALUE"
        raise PystampsError(cause, "for instance --set unwrap_grid_size=100", ExitCode.USAGE)
    return name.strip(), value.strip()
