"""Whole chains: every stage from our own results of the stage before, from a raw export on.

Rows are no longer the original's then, and rounding adds up: results are compared by pixel, with
the profile ``scientific`` of `verify`, read by independent readers.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from parity.certification.case_record import plain_file
from parity.certification.cases import Case
from parity.certification.datasets import lay_out, run_native
from parity.certification.mutations import Tried
from parity.certification.scopes import PREPARATION_SCOPE
from parity.chain import judge_chain
from parity.oracle import LINEAGES, Scene, dataset_after, set_parameters
from parity.readers import IndependentReader
from pystamps_shim.verification import verify_dataset
from pystamps_shim.verification.reading import Reader
from pystamps_shim.verification.results import Form, VerificationReport
from pystamps_shim.verification.rules import SCIENTIFIC
from pystamps_shim.verification.variables import MatVariable

Array = NDArray[Any]
Edit = Callable[[Array], Array]

#: Stages that draw random numbers.
_DRAWING = (2, 3, 5)
_ALL = tuple(range(1, 9))


@dataclass(frozen=True)
class Chain:
    """One chain, or a part of it that goes another way.

    Attributes
    ----------
    name
        The scene whose results it must reach.
    branches_off
        The chain that it continues, and the stage after which; None starts from the raw export.
    stages
        Stages that are run.
    options
        More options, by stage.
    """

    name: str
    branches_off: tuple[str, int] | None = None
    stages: tuple[int, ...] = _ALL
    options: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def options_of(self, stage: int) -> tuple[str, ...]:
        """Return the options of a stage, with the engine of the original's random numbers."""
        drawing = ("--random-engine", "octave") if stage in _DRAWING else ()
        return (*drawing, *self.options.get(stage, ()))

    @property
    def last(self) -> int:
        """Return the last stage that is compared."""
        return self.stages[-1]


#: Chains that belong together share folders, and are run by one process.
FAMILIES: tuple[tuple[Chain, ...], ...] = (
    (
        Chain("T"),
        Chain("T_snr", ("T", 1), (2,)),
        Chain(
            "T_d1",
            ("T", 3),
            (3, 4, 5, 6, 7, 8),
            {3: ("--reuse-coherence", "--force")},
        ),
        Chain("T_it2", ("T", 8), (6, 7, 8), {6: ("--force",)}),
        Chain("T_opt_iter1", ("T", 5), (6, 7, 8), {8: ("--strict",)}),
        Chain("T_opt", ("T_opt_iter1", 8), (6, 7, 8), {6: ("--force",), 8: ("--strict",)}),
    ),
    (Chain("L"),),
    (Chain("S"),),
)


@dataclass(frozen=True)
class ChainOutcome:
    """What a chain has reached.

    Attributes
    ----------
    chain
        The chain.
    failures
        Calls that failed.
    report
        Comparison with the original's dataset; None if a call failed.
    figures
        PS in common, velocities and truth, where the original has plotted velocities.
    missed
        Figures that were not reached.
    tried
        Results spoilt on purpose, and whether that was noticed.
    """

    chain: Chain
    failures: tuple[str, ...] = ()
    report: VerificationReport | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    missed: tuple[str, ...] = ()
    tried: tuple[Tried, ...] = ()

    @property
    def passed(self) -> bool:
        """Tell whether a user would see no difference."""
        equal = self.report is not None and self.report.equal
        return equal and not self.failures and not self.missed

    def as_plain(self) -> dict[str, Any]:
        """Return everything but the spoilt results as JSON has it."""
        files = () if self.report is None else self.report.files
        findings = () if self.report is None else self.report.findings
        start = "the raw export" if self.chain.branches_off is None else self.chain.branches_off[0]
        return {
            "name": self.chain.name,
            "passed": self.passed,
            "starts_from": start,
            "stages": list(self.chain.stages),
            "failures": [*self.failures, *(finding.what for finding in findings), *self.missed],
            "figures": dict(self.figures),
            "files": [plain_file(file) for file in files],
        }


def run_family(
    family: Sequence[Chain],
    oracle: Path,
    program: Path,
    threads: int,
    work: Path,
    *,
    mutate: bool = True,
) -> Iterator[ChainOutcome]:
    """Run the chains of a family one after another and compare each; the first starts all.

    `mutate` also spoils results on purpose, which the comparison has to notice.
    """
    kept: dict[tuple[str, int], Path] = {}
    wanted = {chain.branches_off for chain in family}
    name = family[0].name
    start = lay_out(Case(name, name, PREPARATION_SCOPE), oracle, work)
    for chain in family:
        dataset, failures = start.dataset, []
        if chain.branches_off is None:
            failures += [outcome.failure for outcome in start.process(program, threads)]
        else:
            dataset = shutil.copytree(kept[chain.branches_off], work / chain.name)
            _take_parameters(oracle, chain.name, dataset)
        for stage in chain.stages:
            arguments = ["stage", str(stage), "--dataset", str(dataset), *chain.options_of(stage)]
            failures.append(run_native(program, [*arguments, "--threads", str(threads)]).failure)
            if (chain.name, stage) in wanted:
                copy = work / f"{chain.name}_after_{stage}"
                kept[chain.name, stage] = shutil.copytree(dataset, copy)
        failed = tuple(failure for failure in failures if failure is not None)
        outcome = ChainOutcome(chain, failed)
        if not failed:
            outcome = _compared(chain, oracle, start.scene, dataset, mutate=mutate)
        yield outcome


def _compared(
    chain: Chain, oracle: Path, scene: Scene | None, dataset: Path, *, mutate: bool
) -> ChainOutcome:
    with tempfile.TemporaryDirectory(prefix="chain_") as folder:
        work = Path(folder)
        original = dataset_after(oracle, chain.name, chain.last, work / "reference")
        report = _verified(dataset, original, chain, IndependentReader())
        figures: dict[str, Any] = {}
        missed: list[str] = []
        if chain.branches_off is None and scene is not None:
            outcome = judge_chain(oracle, scene, dataset, work)
            figures = outcome.figures()
            # One PS in another cycle tells in the rms of a network's short series: reported alone.
            missed = outcome.missed() if outcome.truth else []
        tried = tuple(_spoilt(dataset, original, chain)) if mutate and report.equal else ()
        return ChainOutcome(chain, (), report, figures, tuple(missed), tried)


def _verified(dataset: Path, original: Path, chain: Chain, reader: Reader) -> VerificationReport:
    return verify_dataset(
        dataset, original, profile=SCIENTIFIC, through_stage=chain.last, reader=reader
    )


class _SpoiltReader:
    """Reads as another reader does, but for one variable of the dataset."""

    def __init__(self, reader: Reader, path: Path, name: str, edit: Edit) -> None:
        self._reader, self._path, self._name, self._edit = reader, path, name, edit

    def forms(self, path: Path) -> dict[str, Form]:
        return self._reader.forms(path)

    def variable(self, path: Path, name: str) -> MatVariable:
        found = self._reader.variable(path, name)
        if (path, name) != (self._path, self._name):
            return found
        return replace(found, values=self._edit(found.values.copy()))


def _spoilt(dataset: Path, original: Path, chain: Chain) -> Iterator[Tried]:
    """Spoil results of the dataset, one at a time, by more than rounding could."""
    for file, name, kind, edit in _SPOILING:
        path = dataset / file
        if path.exists() and (original / file).exists():
            reader = _SpoiltReader(IndependentReader(), path, name, edit)
            report = _verified(dataset, original, chain, reader)
            yield Tried(f"{file}: {name}", kind, None if report.equal else "comparison")


def _take_parameters(oracle: Path, name: str, dataset: Path) -> None:
    """Change the parameters that differ in a scene which starts from another one's stages."""
    lineage = LINEAGES[name]
    changed = dict(lineage.parameters)
    if lineage.parms is not None:
        theirs, ours = (loadmat(path) for path in (oracle / lineage.parms, dataset / "parms.mat"))
        for parameter, value in theirs.items():
            own = ours.get(parameter)
            if parameter[0] != "_" and parameter != "Created" and not np.array_equal(value, own):
                changed[parameter] = value
    set_parameters(dataset / "parms.mat", changed)


def _moved_pixels(values: Array) -> Array:
    """Move one PS in fifty by a pixel that nobody has."""
    values[::50, 1] += 0.5
    return values


def _exchanged_columns(values: Array) -> Array:
    values[:, [0, -1]] = values[:, [-1, 0]]
    return values


def _cycle_in_one_interferogram(values: Array) -> Array:
    """Move a third of the PS of one interferogram by a cycle."""
    values[::3, 0] += 2 * np.pi
    return values


#: What is spoilt: file, variable, in words, and how.
_SPOILING: tuple[tuple[str, str, str, Edit], ...] = (
    ("ps2.mat", "ij", "pixels moved", _moved_pixels),
    ("ps2.mat", "lonlat", "shift", lambda values: values + 1e-3),
    ("pm2.mat", "K_ps", "rows exchanged", lambda values: np.roll(values, 1, axis=0)),
    ("pm2.mat", "coh_ps", "shift", lambda values: values + 0.01),
    ("pm2.mat", "C_ps", "shift", lambda values: values + 0.2),
    ("rc2.mat", "ph_rc", "sign", np.conj),
    ("rc2.mat", "ph_rc", "interferograms exchanged", _exchanged_columns),
    ("bp2.mat", "bperp_mat", "shift", lambda values: values + 1.0),
    ("ifgstd2.mat", "ifg_std", "scale", lambda values: values * 1.1),
    ("phuw2.mat", "ph_uw", "cycle", _cycle_in_one_interferogram),
    ("phuw2.mat", "ph_uw", "sign", np.negative),
    ("scla2.mat", "K_ps_uw", "rows exchanged", lambda values: np.roll(values, 1, axis=0)),
    ("scla2.mat", "ph_scla", "scale", lambda values: values * 1.2),
    ("scn2.mat", "ph_scn_slave", "interferograms exchanged", _exchanged_columns),
    ("PATCH_1/pm1.mat", "coh_ps", "rows exchanged", lambda values: np.roll(values, 1, axis=0)),
    ("PATCH_1/select1.mat", "K_ps2", "sign", np.negative),
)
