"""From raw export to velocities: our chain against original StaMPS's, and both against the truth.

``python -m parity.chain --scene L`` makes the oracle's export again, prepares it as the oracle
was, runs stages 1 to 8 with Octave's random numbers, and compares PS and velocities. Exit code 3
says that a figure was not reached.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.oracle import PREP_SETTINGS, Scene, dataset_after, shared_scene, with_rasters
from parity.readers import read_mat_file
from pystamps_shim._binary import find_command
from pystamps_shim.config import RunConfig, RuntimeConfig
from pystamps_shim.errors import ExitCode
from pystamps_shim.pipeline.commands import Native
from pystamps_shim.pipeline.preparation import Preparation, process_export
from pystamps_shim.products.tables import Description, Places, VelocityTable
from pystamps_shim.products.truth import Report, compare
from pystamps_shim.products.truth_report import report_text
from pystamps_shim.products.truth_scene import SceneTruth

Doubles = NDArray[np.float64]

#: At least this share of the PS of either side is common to both (Jaccard index).
LEAST_JACCARD = 0.995
#: Largest rms difference of velocities on common PS with the same reference, mm/yr.
LARGEST_RMS_MM_PER_YEAR = 0.05
#: Part of a figure of truth by which two chains may differ in rounding.
TRUTH_SLACK = 1e-3
PRODUCTS = ("v", "v-do")
_REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Outcome:
    """What the comparison found.

    Attributes
    ----------
    jaccard
        Common PS by all PS of both sides.
    counts
        PS of ours, of the original, and common to both.
    rms_mm_per_year
        Difference of velocities on common PS, by product.
    truth
        Comparison with the truth, ours and the original's.
    """

    jaccard: float
    counts: tuple[int, int, int]
    rms_mm_per_year: dict[str, float]
    truth: dict[str, Report]

    @property
    def reached(self) -> bool:
        """Tell whether every figure was reached."""
        return not self.missed()

    def worse_than_original(self) -> list[str]:
        """Return the figures of truth in which ours falls behind, by more than rounding."""

        def figures(report: Report) -> dict[str, float]:
            rmse = {
                name: -report[name]["all"]["rmse"]
                for name in (
                    "velocity_mm_per_year",
                    "velocity_without_atmosphere_mm_per_year",
                    "dem_error_of_wrapped_phase_m",
                )
            }
            return {**rmse, "right_cycle": report["right_cycle"]["all"]["share"]}

        if not self.truth:
            return []
        ours, theirs = figures(self.truth["ours"]), figures(self.truth["original"])
        return [
            name for name in ours if ours[name] < theirs[name] - TRUTH_SLACK * abs(theirs[name])
        ]

    def figures(self) -> dict[str, Any]:
        """Return the figures by name."""
        ours, theirs, common = self.counts
        return {
            "jaccard": self.jaccard,
            "ps": {"ours": ours, "original": theirs, "common": common},
            "velocity_rms_mm_per_year": self.rms_mm_per_year,
            "truth": self.truth,
        }

    def missed(self) -> list[str]:
        """Return the figures that were not reached."""
        found = [f"truth: {name} is behind the original's" for name in self.worse_than_original()]
        if self.jaccard < LEAST_JACCARD:
            found.append(f"Jaccard index of the PS {self.jaccard:.4f}, at least {LEAST_JACCARD}")
        for product, rms in self.rms_mm_per_year.items():
            if rms > LARGEST_RMS_MM_PER_YEAR:
                limit = f"at most {LARGEST_RMS_MM_PER_YEAR}"
                found.append(f"{product}: rms difference {rms:.3g} mm/yr, {limit}")
        return found

    def text(self) -> str:
        """Return the figures and both comparisons."""
        ours, theirs, common = self.counts
        counts = f"ours {ours}, original {theirs}, common {common}"
        lines = [f"PS: {counts}: Jaccard index {self.jaccard:.4f} (at least {LEAST_JACCARD})"]
        for product, rms in self.rms_mm_per_year.items():
            limit = f"(at most {LARGEST_RMS_MM_PER_YEAR})"
            lines.append(f"{product}: rms difference on common PS {rms:.4f} mm/yr {limit}")
        behind = self.worse_than_original()
        lines.append(f"truth figures behind the original's: {', '.join(behind) or 'none'}")
        for side, report in self.truth.items():
            lines += ["", f"{side}, {report_text(report)}".rstrip()]
        return "\n".join(lines) + "\n"

    def as_json(self) -> str:
        """Return everything for machines."""
        values: dict[str, Any] = {
            "jaccard": self.jaccard,
            "ps_ours_original_common": self.counts,
            "velocity_rms_mm_per_year": self.rms_mm_per_year,
            "truth": self.truth,
            "reached": self.reached,
        }
        return json.dumps(values, indent=2) + "\n"


def run_chain(oracle: Path, name: str, work: Path, threads: int | None = None) -> Outcome:
    """Run the chain on an oracle scene and compare.

    Parameters
    ----------
    oracle
        Folder of the oracle scenes.
    name
        Scene with a single master: T or L.
    work
        Empty folder for the export and both datasets.
    threads
        Threads of the native program, None for all.
    """
    scene = with_rasters(oracle, shared_scene(oracle, name), work / "export")
    dataset = work / "dataset"
    preparation = Preparation(scene.export, "snap", preparation_options(name))
    runtime = RuntimeConfig(threads=threads, random_engine="octave")
    process_export(preparation, dataset, RunConfig(runtime))
    return judge_chain(oracle, scene, dataset, work)


def judge_chain(oracle: Path, scene: Scene, dataset: Path, work: Path) -> Outcome:
    """Compare a processed dataset with the original's velocities, and both with the truth.

    Parameters
    ----------
    oracle
        Folder of the oracle scenes.
    scene
        Its scene, with the complete export.
    dataset
        Dataset after stage 8.
    work
        Folder for tables and for the original's dataset.
    """
    native = Native(find_command(), quiet=True)
    for product in PRODUCTS:
        native.product(product, dataset, work / f"{product}.csv")
    ours = {product: VelocityTable.read(work / f"{product}.csv") for product in PRODUCTS}
    original = original_dataset(oracle, scene, work / "original")
    theirs = {product: original_velocities(original, scene, product) for product in PRODUCTS}
    agreements = {
        product: velocity_agreement(dataset, ours[product], original, theirs[product])
        for product in PRODUCTS
    }
    counts = (len(ours["v"].places), len(theirs["v"].places), agreements["v"].common)
    single_master = "ifgday_ix" not in read_mat_file(dataset / "ps2.mat")
    truth = SceneTruth.read(scene.export / "truth.npz") if single_master else None
    return Outcome(
        jaccard=agreements["v"].jaccard,
        counts=counts,
        rms_mm_per_year={name: found.rms_mm_per_year for name, found in agreements.items()},
        truth={}
        if truth is None
        else {
            "ours": compare(dataset, ours["v-do"], truth),
            "original": compare(original, theirs["v-do"], truth),
        },
    )


@dataclass(frozen=True)
class Agreement:
    """How far two velocity tables agree.

    Attributes
    ----------
    common
        PS that both have, by pixel.
    jaccard
        Common PS by all PS of both.
    rms_mm_per_year
        Difference on common PS, with their mean as the reference of both.
    """

    common: int
    jaccard: float
    rms_mm_per_year: float

    @property
    def reached(self) -> bool:
        """Tell whether a user would see no difference."""
        return self.jaccard >= LEAST_JACCARD and self.rms_mm_per_year <= LARGEST_RMS_MM_PER_YEAR


def velocity_agreement(
    dataset: Path, ours: VelocityTable, original: Path, theirs: VelocityTable
) -> Agreement:
    """Compare the velocities of two datasets on the PS they have in common."""
    own_rows, their_rows = _common(_pixels(dataset), _pixels(original))
    common, every = own_rows.size, len(ours.places) + len(theirs.places)
    rms = _rms(ours.velocity_mm_per_year[own_rows], theirs.velocity_mm_per_year[their_rows])
    return Agreement(common, common / (every - common), rms)


def preparation_options(name: str) -> list[str]:
    """Return the options with which original StaMPS prepared a scene."""
    settings = PREP_SETTINGS[name]
    return [
        *("--amp-dispersion", settings.amplitude_dispersion),
        *("--range-patches", str(settings.range_patches)),
        *("--azimuth-patches", str(settings.azimuth_patches)),
        *("--range-overlap", str(settings.range_overlap)),
        *("--azimuth-overlap", str(settings.azimuth_overlap)),
        *("--master", settings.master),
    ]


def original_dataset(oracle: Path, scene: Scene, target: Path) -> Path:
    """Return what the original left after its last stage, with the way to its images."""
    dataset_after(oracle, scene.name, 8, target)
    image = scene.export / "rslc" / f"{PREP_SETTINGS[scene.name].master}.rslc.par"
    target.joinpath("rsc.txt").write_text(f"{image}\n", encoding="utf-8")
    return target


def original_velocities(dataset: Path, scene: Scene, product: str) -> VelocityTable:
    """Return the velocities that the original has plotted, by product."""
    folder = scene.stage("products")
    names = (folder / f"{prefix}_{product}.mat" for prefix in ("ps_plot", "prod"))
    plotted = read_mat_file(next(path for path in names if path.exists()))["ph_disp"].values
    ps = read_mat_file(dataset / "ps2.mat")
    velocity = np.asarray(plotted, dtype=np.float64).ravel()
    coherence = read_mat_file(dataset / "pm2.mat")["coh_ps"].values.ravel()
    places = Places(ps["lonlat"].values, np.zeros(velocity.size), coherence)
    description = Description(scene.folder, {"value_type": product})
    return VelocityTable(places, velocity, np.full(velocity.size, np.nan), description)


def _pixels(dataset: Path) -> NDArray[np.int64]:
    """Return line and sample of every PS as one number."""
    ij = read_mat_file(dataset / "ps2.mat")["ij"].values.astype(np.int64)
    return np.asarray(ij[:, 1] * (1 << 32) + ij[:, 2])


def _common(
    ours: NDArray[np.int64], theirs: NDArray[np.int64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    _, own_rows, their_rows = np.intersect1d(ours, theirs, return_indices=True)
    return own_rows, their_rows


def _rms(ours: Doubles, theirs: Doubles) -> float:
    """Return the rms difference with the mean of the same PS as the reference of both."""
    difference = (ours - ours.mean()) - (theirs - theirs.mean())
    return float(np.sqrt(np.mean(difference**2)))


def main() -> int:
    """Run one scene and say what was reached."""
    parser = argparse.ArgumentParser(prog="python -m parity.chain", description=__doc__)
    parser.add_argument("--scene", choices=("T", "L"), default="T")
    parser.add_argument("--oracle", type=Path, default=_REPOSITORY.parent / "shared" / "oracle")
    parser.add_argument("--out", type=Path, help="keep exports and datasets in this empty folder")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    if options.out is not None and options.out.exists() and any(options.out.iterdir()):
        parser.error(f"{options.out} is not empty")
    work = Path(tempfile.mkdtemp(prefix="chain_")) if options.out is None else options.out
    work.mkdir(parents=True, exist_ok=True)
    try:
        outcome = run_chain(options.oracle, options.scene, work.resolve(), options.threads)
        if options.out is not None:
            work.joinpath("outcome.json").write_text(outcome.as_json(), encoding="utf-8")
    finally:
        if options.out is None:
            shutil.rmtree(work, ignore_errors=True)
    sys.stdout.write(outcome.text())
    return int(ExitCode.DONE if outcome.reached else ExitCode.DIFFERENCES)


if __name__ == "__main__":
    sys.exit(main())
