"""``demo``: simulate a scene and run every stage there is."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.simulate.scene import DEFAULT_SEED, PRESETS, SceneSettings

_DESCRIPTION = """\
See pystamps work on a synthetic scene: simulate a raw export with known truth, prepare it, run
every stage there is, and say what was produced and where.
"""


@dataclass(frozen=True)
class _Stage:
    """One stage of the demo: its number, what it does and the file it is known by."""

    number: int
    title: str
    artefact: str


# Later stages are one line each.
_PATCH_STAGES = (
    _Stage(1, "candidates", "ps1.mat"),
    _Stage(2, "their coherence", "pm1.mat"),
    _Stage(3, "selected PS", "select1.mat"),
    _Stage(4, "PS without the noisy ones", "weed1.mat"),
    _Stage(5, "corrected phase", "rc2.mat"),
)
_MERGED_STAGES = (_Stage(6, "unwrapped phase", "phuw2.mat"),)
_NEXT = "stage 7, look-angle error and master atmosphere: not part of this version"


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


def run(options: argparse.Namespace) -> None:
    """Run the demo and print its report."""
    from pystamps_shim._binary import find  # noqa: PLC0415 - keeps --help quick
    from pystamps_shim.pipeline.commands import Native  # noqa: PLC0415
    from pystamps_shim.simulate.export import write_export  # noqa: PLC0415
    from pystamps_shim.simulate.publish import published, refuse_if_filled  # noqa: PLC0415

    settings = replace(PRESETS[options.preset], seed=options.seed).checked()
    refuse_if_filled(options.out, force=options.force)
    _refuse_foreign_dataset(options.out)
    native = Native(find())
    timed = _Timer()
    export, dataset = options.out / "export", options.out / "dataset"

    with timed("simulate"), published(export, force=options.force) as staging:
        summary = write_export(settings, staging)
    with timed("prepare"):
        native.prepare_snap(export, dataset, azimuth_patches=2, force=options.force)
    cell_m = _cell_for_small_scene_m(settings)
    if cell_m is not None:
        native.set_parameter("unwrap_grid_size", str(cell_m), dataset)
    patches = [dataset / name for name in _lines(dataset / "patch.list")]
    for stage in _PATCH_STAGES + _MERGED_STAGES:
        with timed(f"stage {stage.number}"):
            native.stage(stage.number, dataset, force=options.force)

    write = sys.stdout.write
    write(f"\n{options.out} now holds\n")
    write(
        f"  export   {summary.images} images of {summary.lines} x {summary.samples} pixels, "
        f"{_size_text(export)}; truth.npz, TRUTH.md\n"
    )
    write(f"  dataset  a StaMPS project of {len(patches)} patches, {_size_text(dataset)}\n")
    for patch in patches:
        count = len(_lines(patch / "pscands.1.ij"))
        write(f"    {patch.name}  {count} candidates, {_size_text(patch)}\n")
    results = ", ".join(f"{stage.artefact} ({stage.title})" for stage in _PATCH_STAGES)
    write(f"    in every patch {results}\n")
    write(f"    merged: {_merged_text(dataset)}\n")
    write(f"    unwrapped: {_unwrapped_text(dataset)}\n")
    write(f"time: {timed.text()}\n")
    write(f"look inside: pystamps-native inspect {dataset / 'phuw2.mat'}\n")
    write(f"next: {_NEXT}\n")


def _cell_for_small_scene_m(settings: SceneSettings) -> int | None:
    """Return the side of unwrapping cells where the usual 200 m are too coarse, else None.

    Stage 6 filters windows of 32 cells, and needs that many along both sides.
    """
    sides_m = (
        settings.width * settings.range_spacing_m,
        settings.length * settings.azimuth_spacing_m,
    )
    return None if min(sides_m) / 200 >= 36 else int(min(sides_m) / 40) // 10 * 10


def _refuse_foreign_dataset(out: Path) -> None:
    """Raise if `out` holds a dataset that no demo made: --force must not destroy it."""
    if (out / "dataset").exists() and not (out / "export" / "TRUTH.md").is_file():
        cause = f"{out / 'dataset'} was not made by a demo"
        raise PystampsError(cause, "choose another --out", ExitCode.USAGE)


class _Timer:
    """Measures named steps."""

    def __init__(self) -> None:
        self._seconds: list[tuple[str, float]] = []
        self._name, self._begin = "", 0.0

    def __call__(self, name: str) -> _Timer:
        self._name = name
        return self

    def __enter__(self) -> None:
        sys.stderr.write(f"{self._name} …\n")
        self._begin = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._seconds.append((self._name, time.monotonic() - self._begin))

    def text(self) -> str:
        """Return every step with its seconds."""
        return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in self._seconds)


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
