"""``demo``: simulate a scene and run every stage there is."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.simulate.scene import DEFAULT_SEED, PRESETS, SceneSettings

_DESCRIPTION = """\
See pystamps work on a synthetic scene: simulate a raw export with known truth, prepare it, run
every stage, make velocities, time series and figures, compare them with the truth, and say what
was produced and where.
"""
_PATCHES = 2


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "demo",
        help="simulate a scene and run every stage on it",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out", type=Path, default=Path("demo"), metavar="DIR", help="folder to write (demo)"
    )
    parser.add_argument("--preset", choices=PRESETS, default="demo", help="scene (demo)")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help=f"({DEFAULT_SEED})")
    parser.add_argument("--force", action="store_true", help="replace an earlier demo")
    return parser


def run(options: argparse.Namespace) -> int:
    """Run the demo, print its report, return the exit code."""
    from pystamps_shim._binary import find_command  # noqa: PLC0415 - keeps --help quick
    from pystamps_shim.commands.run import exit_code, write_products  # noqa: PLC0415
    from pystamps_shim.pipeline.commands import Native  # noqa: PLC0415
    from pystamps_shim.pipeline.display import make_display  # noqa: PLC0415
    from pystamps_shim.pipeline.preparation import Preparation  # noqa: PLC0415
    from pystamps_shim.pipeline.stages import run_pipeline  # noqa: PLC0415
    from pystamps_shim.pipeline.summary import summary_text  # noqa: PLC0415
    from pystamps_shim.pipeline.types import PipelineContext, RunState  # noqa: PLC0415
    from pystamps_shim.simulate.publish import refuse_if_filled  # noqa: PLC0415

    settings = replace(PRESETS[options.preset], seed=options.seed).checked()
    refuse_if_filled(options.out, force=options.force)
    _refuse_foreign_dataset(options.out)
    begin = time.monotonic()
    native = Native(find_command())
    export, dataset = options.out / "export", options.out / "dataset"
    products = options.out / "products"
    sys.stderr.write("simulating a scene …\n")
    _simulate(settings, export, force=options.force)
    preparation = Preparation(export, "snap", ["--azimuth-patches", str(_PATCHES)])
    preparation.run(native, dataset, force=options.force)
    report = run_pipeline(PipelineContext(dataset), display=make_display("auto"))
    if report.state is RunState.FINISHED:
        _report(options.out)
        write_products(Native(find_command(), quiet=True), dataset, products, None)
    write = sys.stdout.write
    write(summary_text(report, dataset, time.monotonic() - begin))
    if (products / "velocity.png").is_file():
        write(f"look inside: pystamps-native inspect {dataset / 'mean_v.mat'}\n")
        write(f"the map of velocities: {products / 'velocity.png'}\n")
        write(f"the time series:       {products / 'timeseries.png'}\n")
    if (products / "report.html").is_file():
        write(f"open in a browser:     {products / 'report.html'}\n")
    return exit_code(report)


def _simulate(settings: SceneSettings, export: Path, *, force: bool) -> None:
    from pystamps_shim.simulate.export import write_export  # noqa: PLC0415
    from pystamps_shim.simulate.publish import published  # noqa: PLC0415

    with published(export, force=force) as staging:
        write_export(settings, staging)


def _report(out: Path) -> None:
    """Say what was made before the products."""
    export, dataset = out / "export", out / "dataset"
    patches = [dataset / name for name in _lines(dataset / "patch.list")]
    write = sys.stdout.write
    write(f"\n{out} now holds\n")
    write(f"  export   a raw export, {_size_text(export)}; truth.npz, TRUTH.md\n")
    write(f"  dataset  a StaMPS project of {len(patches)} patches, {_size_text(dataset)}\n")
    for patch in patches:
        count = len(_lines(patch / "pscands.1.ij"))
        write(f"    {patch.name}  {count} candidates, {_size_text(patch)}\n")
    write(f"    merged: {_merged_text(dataset)}\n")
    write(f"    unwrapped: {_unwrapped_text(dataset)}\n")
    sys.stdout.flush()


def _refuse_foreign_dataset(out: Path) -> None:
    """Raise if `out` holds a dataset that no demo made: --force must not destroy it."""
    if (out / "dataset").exists() and not (out / "export" / "TRUTH.md").is_file():
        cause = f"{out / 'dataset'} was not made by a demo"
        raise PystampsError(cause, "choose another --out", ExitCode.USAGE)


def _merged_text(dataset: Path) -> str:
    """Say how many PS were found, and how coherent they are."""
    from pystamps_shim.io import mat  # noqa: PLC0415 - keeps --help quick

    coherence = mat.read_variable(dataset / "pm2.mat", "coh_ps")
    noise_deg = mat.read_variable(dataset / "ifgstd2.mat", "ifg_std")
    return (
        f"{coherence.size} persistent scatterers (ps2.mat), mean coherence "
        f"{coherence.mean():.2f}; interferogram noise {noise_deg.min():.0f} to "
        f"{noise_deg.max():.0f} degrees (ifgstd2.mat)"
    )


def _unwrapped_text(dataset: Path) -> str:
    """Say what the solver proved."""
    log = json.loads((dataset / "uw_solver.json").read_text(encoding="utf-8"))
    records = log["interferograms"]
    proven = sum(record["gap"] == 0 for record in records)
    residues = sum(record["residues"] for record in records)
    return (
        f"{len(records)} interferograms on {log['grid'][0]} x {log['grid'][1]} cells (phuw2.mat), "
        f"{residues} residues, {proven} proven optimal (uw_solver.json)"
    )


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")[:-1]


def _size_text(folder: Path) -> str:
    files = [path for path in folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    return f"{len(files)} files, {size / 1e6:.1f} MB"
