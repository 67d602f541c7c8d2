"""``run``: a whole dataset, from a raw export to velocities and figures."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pystamps_shim.commands.settings import add_settings, settings_of
from pystamps_shim.errors import ExitCode, wrong_usage
from pystamps_shim.report_file import report_target

if TYPE_CHECKING:
    from pystamps_shim.config import RunConfig, Sources
    from pystamps_shim.pipeline.commands import Native
    from pystamps_shim.pipeline.preparation import Preparation
    from pystamps_shim.pipeline.types import PipelineContext, PipelineReport

_DESCRIPTION = """\
Process a whole dataset with the native program: prepare the raw export where that is still to be
done, run the stages (patches side by side), and make the products of a finished dataset:
velocity.csv, timeseries.csv, a velocity map and time series as PNG, and report.html, a page for
the browser. Where the scene was simulated, its truth.npz is found beside the export and the
products are compared with it (truth.json).

Typed again after an interruption or a failure it goes on where it stopped: a stage whose inputs
and parameters have not changed is left as it is, and one that has to run again takes the results
that no longer fit with it when it publishes. --dry-run says which those are. Ctrl-C stops once the
stages that run have published, twice at once; nothing is lost either way.

Stages 6 to 8 run again with --force are a second pass: stage 6 then leaves out what stage 7 has
found. Remove scla_smooth2.mat for a first one.
"""
_EPILOG = """\
examples
  python -m pystamps_shim run --export EXPORT --dataset PROJECT --azimuth-patches 2
  python -m pystamps_shim run --dataset PROJECT --dry-run
  python -m pystamps_shim run --dataset PROJECT --start-step 6 --set unwrap_grid_size=100
  python -m pystamps_shim run --dataset PROJECT --workers 4 --threads 8 --memory-limit 16G
  python -m pystamps_shim run --dataset PROJECT --executor dask --scheduler tcp://node1:8786

exit codes: 0 done, 1 a stage failed, 2 wrong usage, 130 interrupted
figures need libraries: pip install matplotlib cmcrameri
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
    add("--dry-run", action="store_true", help="say what would be done, and do nothing")
    add(
        "--set",
        action="append",
        default=[],
        dest="parameters",
        metavar="NAME=VALUE",
        help="set a parameter of the dataset, for good; may be repeated",
    )
    add("--report", type=Path, metavar="FILE", help="report (DATASET/.pystamps/report.json)")
    add("--json", action="store_true", help="print the report as JSON in place of a table")
    add("--out", type=Path, metavar="DIR", help="folder of the products (DATASET/products)")
    add("--no-products", action="store_true", help="run the stages only")
    add("--truth", type=Path, metavar="FILE", help="truth.npz to compare with (beside the export)")
    group = parser.add_argument_group("preparation, where the dataset is not there yet")
    group.add_argument("--export", type=Path, metavar="DIR", help="raw export to prepare")
    group.add_argument(
        "--prepare-again",
        action="store_true",
        help="prepare what is prepared: all results and parameters of the dataset are replaced",
    )
    group.add_argument("--processor", choices=("snap", "gamma"), help="(snap)")
    for flag, kind, metavar, meaning in _PREPARATION:
        group.add_argument(flag, type=kind, metavar=metavar, help=meaning)
    add_settings(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Run what the options say, tell what was made, return the exit code."""
    from pystamps_shim._binary import find_command  # noqa: PLC0415 - keeps --help quick
    from pystamps_shim.pipeline.commands import Native  # noqa: PLC0415
    from pystamps_shim.pipeline.display import make_display  # noqa: PLC0415
    from pystamps_shim.pipeline.stages import check_range, run_pipeline  # noqa: PLC0415
    from pystamps_shim.pipeline.summary import summary_text  # noqa: PLC0415
    from pystamps_shim.pipeline.types import LAST_STAGE, PipelineContext, RunState  # noqa: PLC0415

    begin = time.monotonic()
    config, sources = settings_of(options)
    _refuse_idle(options, config, sources)
    target = None if options.report is None else report_target(options.report)
    if options.prepare_again and options.export is None:
        cause = "--prepare-again is about preparation, and there is no --export"
        raise wrong_usage(cause, "add --export DIR, or drop it")
    steps = (options.start_step, options.end_step)
    context = PipelineContext(options.dataset, config, *steps, options.dry_run)
    check_range(context)
    parameters = [_parameter(text) for text in options.parameters]
    if options.truth is not None and not options.truth.is_file():
        cause = f"{options.truth}: no such file"
        raise wrong_usage(cause, "correct --truth, or leave it out")
    preparation = _preparation(options, config)
    if preparation is not None and not _prepared(options, context, preparation):
        return int(ExitCode.DONE)
    report = run_pipeline(
        context,
        parameters=parameters,
        display=make_display(config.runtime.progress),
        report_path=target,
    )
    finished = report.state is RunState.FINISHED and not options.dry_run
    if finished and options.end_step == LAST_STAGE and not options.no_products:
        out = options.dataset / "products" if options.out is None else options.out
        write_products(Native(find_command(), quiet=True), options.dataset, out, options.truth)
    with contextlib.suppress(OSError):
        if config.runtime.progress == "json":
            sys.stdout.write(json.dumps({"event": "report", **report.content}) + "\n")
        elif options.json:
            sys.stdout.write(json.dumps(report.content) + "\n")
        else:
            sys.stdout.write(summary_text(report, options.dataset, time.monotonic() - begin))
        sys.stdout.flush()
    return exit_code(report)


def _refuse_idle(options: argparse.Namespace, config: RunConfig, sources: Sources) -> None:
    """Raise for options that would do nothing together with the others."""
    idle = {
        "--out": (options.no_products and options.out is not None, "--no-products"),
        "--truth": (options.no_products and options.truth is not None, "--no-products"),
        "--processor": (options.processor is not None and options.export is None, "no --export"),
        "--reference-root": (
            not config.compat.strict_reference
            and sources.get(("compat", "reference_root")) == "command line",
            "no --strict-reference",
        ),
    }
    for option, (nothing, reason) in idle.items():
        if nothing:
            cause = f"{option} does nothing with {reason}"
            raise wrong_usage(cause, "drop one of them")
    root = config.compat.reference_root
    if config.compat.strict_reference and root is not None and not root.is_dir():
        cause = f"the reference {root}: no such folder"
        raise wrong_usage(cause, "correct --reference-root")


def exit_code(report: PipelineReport) -> int:
    """Return the exit code of a run."""
    from pystamps_shim.cli import INTERRUPTED  # noqa: PLC0415
    from pystamps_shim.pipeline.types import RunState  # noqa: PLC0415

    if report.state is RunState.INTERRUPTED:
        return INTERRUPTED
    failed = report.failures or report.state is RunState.FAILED
    return int(ExitCode.FAILED if failed else ExitCode.DONE)


def write_products(native: Native, dataset: Path, out: Path, truth: Path | None) -> None:
    """Make the products and say what they are, and how they compare with the truth.

    Parameters
    ----------
    native
        The native program.
    dataset
        Dataset after stage 8.
    out
        Folder to write.
    truth
        Truth file; None takes the one beside the export, where there is one.
    """
    from pystamps_shim.products.make import make_products, truth_beside_export  # noqa: PLC0415
    from pystamps_shim.products.truth_report import report_text  # noqa: PLC0415

    begin = time.monotonic()
    made = make_products(native, dataset, out, truth or truth_beside_export(dataset))
    names = ", ".join(path.name for path in made.files)
    spent = "as they were" if made.kept else f"{time.monotonic() - begin:.1f} s"
    sys.stderr.write(f"products in {out}: {names} ({spent})\n")
    if made.truth is not None:
        sys.stderr.write(report_text(made.truth))
    sys.stderr.flush()


def _prepared(
    options: argparse.Namespace, context: PipelineContext, preparation: Preparation
) -> bool:
    """Prepare the dataset where that is to be done; tell whether there is one to run stages on."""
    from pystamps_shim._binary import find_command  # noqa: PLC0415
    from pystamps_shim.io.dataset import Dataset, discover_dataset  # noqa: PLC0415
    from pystamps_shim.pipeline.commands import Native  # noqa: PLC0415
    from pystamps_shim.pipeline.lock import exclusive_run  # noqa: PLC0415
    from pystamps_shim.pipeline.preparation import is_prepared  # noqa: PLC0415

    root, again = context.dataset_root, bool(options.prepare_again)
    there = is_prepared(root)
    if there and not again:
        return True
    if context.dry_run:
        text = f"would prepare {preparation.export} as {root}, then run the stages\n"
        told = {"dry_run": True, "prepare": str(preparation.export), "results": []}
        sys.stdout.write(json.dumps(told) + "\n" if options.json else text)
        return False
    dataset = discover_dataset(root) if there else Dataset(root, ())
    if not there:
        root.mkdir(parents=True, exist_ok=True)
    with exclusive_run(dataset, "pystamps run, preparation"):
        preparation.run(Native(find_command()), root, force=again)
    return True


def _preparation(options: argparse.Namespace, config: RunConfig) -> Preparation | None:
    from pystamps_shim.pipeline.preparation import Preparation  # noqa: PLC0415

    given: list[str] = []
    for flag, *_ in _PREPARATION:
        value = getattr(options, flag.removeprefix("--").replace("-", "_"))
        if value is not None:
            given += [flag, str(value)]
    if options.export is None:
        if given:
            cause = f"{given[0]} is about preparation, and there is no --export"
            raise wrong_usage(cause, f"add --export DIR, or drop {given[0]}")
        return None
    if not options.export.is_dir():
        cause = f"{options.export}: no such folder"
        raise wrong_usage(cause, "correct --export")
    for flag, value in (
        ("--threads", config.runtime.threads),
        ("--memory-limit", config.runtime.memory_limit),
    ):
        given += [] if value is None else [flag, str(value)]
    return Preparation(options.export, options.processor or "snap", given)


def _parameter(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        cause = f"--set is '{text}', expected NAME=VALUE"
        raise wrong_usage(cause, "for instance --set unwrap_grid_size=100")
    return name.strip(), value.strip()
