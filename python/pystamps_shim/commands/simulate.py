"""``simulate``: write a synthetic scene with known truth."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.simulate.scene import (
    DEFAULT_SEED,
    HEADINGS_DEG,
    PRESET_SUMMARIES,
    PRESETS,
    SceneSettings,
)

_DESCRIPTION = """\
Write a synthetic scene whose truth is known: persistent scatterers in towns, along roads and
scattered, speckle elsewhere, and a phase made of deformation, atmosphere, DEM error, orbital
ramps and noise.

By default the result is a raw export as SNAP's StaMPS export writes it (rslc, diff0, geo, dem),
ready for `pystamps-native prep snap`. With --candidates it is a prepared dataset (patch folders
without rasters), ready for `pystamps-native stage 1`: made for large benchmarks.

Either way truth.npz holds the truth and TRUTH.md explains its layers. The same options give the
same bytes. Values in parentheses are those of the demo preset.
"""
_EPILOG = """\
examples
  python -m pystamps_shim simulate --out scene --preset tiny
  python -m pystamps_shim simulate --out scene --images 40 --bowl -30 --seasonal 8 --seed 7
  python -m pystamps_shim simulate --out faulty --preset tiny --zero-phases 20 --nan-phases 5
  python -m pystamps_shim simulate --out big --candidates 250000 --ifgs 76 --patches 4
"""


@dataclass(frozen=True)
class _Option:
    """One command-line option that sets one field of the scene, scaled to SI units."""

    flag: str
    field: str
    kind: type
    metavar: str
    meaning: str
    scale: float | None = None


_GROUPS = {
    "raster and acquisitions": (
        _Option("--width", "width", int, "PIXELS", "range samples"),
        _Option("--length", "length", int, "PIXELS", "azimuth lines"),
        _Option("--images", "images", int, "N", "number of images, master included"),
        _Option("--master", "master", int, "INDEX", "master image, counted from 0 (the middle)"),
        _Option("--start", "start", str, "YYYYMMDD", "date of the first image"),
        _Option("--repeat-days", "repeat_days", int, "DAYS", "interval between images"),
        _Option("--baseline-spread", "baseline_spread_m", float, "M", "spread of the baselines"),
        _Option("--incidence", "incidence_deg", float, "DEG", "incidence angle at mid-swath"),
    ),
    "deformation (towards the satellite)": (
        _Option("--bowl", "bowl_m_per_year", float, "MM/YR", "rate at the bowl's centre", 1e-3),
        _Option("--bowl-radius", "bowl_radius_m", float, "M", "radius (1 sigma) of the bowl"),
        _Option("--ramp", "ramp_m_per_year", float, "MM/YR", "tilt across the scene", 1e-3),
        _Option("--step", "step_m", float, "MM", "sudden step at 60 %% of the series", 1e-3),
        _Option("--seasonal", "seasonal_m", float, "MM", "amplitude of a yearly swing", 1e-3),
    ),
    "nuisances": (
        _Option("--dem-error", "dem_error_m", float, "M", "height error of a scatterer"),
        _Option("--atmosphere", "atmosphere_rad", float, "RAD", "rms of the turbulent delay"),
        _Option("--orbital-ramp", "orbital_ramp_rad", float, "RAD", "residual ramp of an image"),
        _Option(
            "--calibration-spread", "calibration_spread", float, "X", "log spread of brightness"
        ),
        _Option(
            "--clutter", "clutter_modulation", float, "X", "extra log spread of speckle amplitude"
        ),
    ),
    "ground cover": (
        _Option("--towns", "towns", int, "N", "number of towns"),
        _Option("--roads", "roads", int, "N", "number of roads"),
        _Option("--scatterers", "scatterers", int, "N", "persistent scatterers aimed at"),
        _Option("--scattered", "scattered", int, "N", "how many of them stand anywhere"),
        _Option("--relief", "relief_m", float, "M", "rms height of the terrain"),
    ),
    "faults on request": (
        _Option("--zero-phases", "zero_phases", int, "N", "scatterers with one zero phase"),
        _Option("--nan-phases", "nan_phases", int, "N", "scatterers with one NaN phase"),
        _Option(
            "--zero-amplitudes", "zero_amplitudes", int, "N", "scatterers with one zero amplitude"
        ),
    ),
}
_DEFAULT_INTERFEROGRAMS = 24
_SIZED_BY_CANDIDATES = {
    "width", "length", "images", "scatterers", "scattered", "towns", "roads", "bowl_radius_m",
}  # fmt: skip


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand."""
    interferograms = f"number of interferograms ({_DEFAULT_INTERFEROGRAMS})"
    presets = "; ".join(f"{name}: {text}" for name, text in PRESET_SUMMARIES.items())
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "simulate",
        help="write a synthetic scene with known truth",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder to write")
    parser.add_argument("--preset", choices=PRESETS, default="demo", help=f"{presets} (demo)")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help=f"({DEFAULT_SEED})")
    parser.add_argument(
        "--force", action="store_true", help="replace an earlier simulation in that folder"
    )
    dataset = parser.add_argument_group("prepared dataset in place of a raw export")
    dataset.add_argument("--candidates", type=int, metavar="N", help="number of candidates")
    dataset.add_argument("--ifgs", type=int, metavar="M", help=interferograms)
    dataset.add_argument("--patches", type=int, metavar="K", help="number of patches (1)")
    for title, options in _GROUPS.items():
        group = parser.add_argument_group(title)
        for option in options:
            group.add_argument(
                option.flag,
                dest=option.field,
                type=option.kind,
                metavar=option.metavar,
                help=f"{option.meaning} ({_default_text(option)})",
            )
        if title == "raster and acquisitions":
            group.add_argument(
                "--heading",
                metavar="DEG",
                help="ascending, descending or degrees clockwise from north (descending)",
            )
        if title == "ground cover":
            group.add_argument(
                "--water",
                action=argparse.BooleanOptionalAction,
                default=None,
                help="a lake in one corner",
            )
    return parser


def run(options: argparse.Namespace) -> None:
    """Simulate as the options say and tell what was written."""
    settings = _settings(options).checked()
    if options.candidates is None:
        for option in ("ifgs", "patches"):
            if getattr(options, option) is not None:
                cause = f"--{option} makes sense for a prepared dataset only"
                raise PystampsError(cause, "add --candidates N, or drop it", ExitCode.USAGE)
        _run_export(settings, options)
    else:
        _run_dataset(settings, options)


def _run_export(settings: SceneSettings, options: argparse.Namespace) -> None:
    from pystamps_shim.simulate.export import write_export  # noqa: PLC0415 - keeps --help quick
    from pystamps_shim.simulate.publish import published  # noqa: PLC0415

    with published(options.out, force=options.force) as staging:
        summary = write_export(settings, staging)
    sys.stdout.write(
        f"{options.out}: raw export of {summary.lines} lines x {summary.samples} samples, "
        f"{summary.images} images (master {summary.master}), {summary.scatterers} scatterers\n"
        f"truth: {options.out / 'truth.npz'}, explained in {options.out / 'TRUTH.md'}\n"
        f"next: pystamps-native prep snap --export {options.out} --dataset DATASET\n"
    )


def _run_dataset(settings: SceneSettings, options: argparse.Namespace) -> None:
    _refuse_sized_options(options)
    from pystamps_shim.simulate.dataset import DatasetSize, write_dataset  # noqa: PLC0415
    from pystamps_shim.simulate.publish import published  # noqa: PLC0415

    patches = 1 if options.patches is None else options.patches
    size = DatasetSize(options.candidates, _interferograms(options), patches)
    with published(options.out, force=options.force) as staging:
        summary = write_dataset(settings, size, staging, options.out.resolve())
    counts = ", ".join(str(count) for count in summary.per_patch)
    sys.stdout.write(
        f"{options.out}: prepared dataset of {summary.candidates} candidates "
        f"({summary.scatterers} coherent) x {summary.interferograms} interferograms\n"
        f"candidates per patch, overlaps included: {counts}\n"
        f"truth: {options.out / 'truth.npz'}, explained in {options.out / 'TRUTH.md'}\n"
        f"next: pystamps-native stage 1 --patch {options.out / 'PATCH_1'}\n"
    )


def _refuse_sized_options(options: argparse.Namespace) -> None:
    for group in _GROUPS.values():
        for option in group:
            if option.field in _SIZED_BY_CANDIDATES and getattr(options, option.field) is not None:
                cause = f"{option.flag} has no effect with --candidates, which sizes the scene"
                raise PystampsError(cause, f"drop {option.flag}", ExitCode.USAGE)


def _settings(options: argparse.Namespace) -> SceneSettings:
    """Return the preset with every option given put in."""
    changes: dict[str, Any] = {"seed": options.seed}
    for group in _GROUPS.values():
        for option in group:
            value = getattr(options, option.field)
            if value is not None:
                changes[option.field] = value if option.scale is None else value * option.scale
    if options.heading is not None:
        changes["heading_deg"] = _heading_deg(options.heading)
    if options.water is not None:
        changes["water"] = options.water
    if options.candidates is not None:
        # The images follow from --ifgs; a master given by index is checked against them.
        changes["images"] = max(2, _interferograms(options) + 1)
    return replace(PRESETS[options.preset], **changes)


def _interferograms(options: argparse.Namespace) -> int:
    return _DEFAULT_INTERFEROGRAMS if options.ifgs is None else int(options.ifgs)


def _heading_deg(text: str) -> float:
    if text in HEADINGS_DEG:
        return HEADINGS_DEG[text]
    try:
        return float(text)
    except ValueError as error:
        cause = f"--heading is '{text}', expected ascending, descending or degrees"
        raise PystampsError(cause, "for instance --heading -12.8", ExitCode.USAGE) from error


def _default_text(option: _Option) -> str:
    """Return the demo preset's value as the option would be typed."""
    value = getattr(PRESETS["demo"], option.field)
    if value is None:
        value = PRESETS["demo"].master_index
    return f"{value / option.scale:g}" if option.scale else str(value)
