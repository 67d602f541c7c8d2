"""One MATLAB file of a dataset against that of the reference, variable by variable."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pystamps_shim.verification import velocity
from pystamps_shim.verification.contracts import Artefact, Policy, VariableContract
from pystamps_shim.verification.measured import described, differing, measured, with_match
from pystamps_shim.verification.pixels import Matcher
from pystamps_shim.verification.reading import COMPARABLE, Reader
from pystamps_shim.verification.results import Form, Status, VariableResult
from pystamps_shim.verification.rules import Rules


@dataclass(frozen=True)
class FileComparison:
    """How the files of one scope are compared.

    Attributes
    ----------
    rules
        Policies and tolerances.
    matcher
        Matches rows by pixel, where the rules want that.
    wavelength_m
        Radar wavelength, None where it is not known.
    reader
        Reads both files.
    """

    rules: Rules
    matcher: Matcher
    wavelength_m: float | None
    reader: Reader

    def variables(
        self, artefact: Artefact, dataset: Path, reference: Path
    ) -> tuple[VariableResult, ...]:
        """Compare every variable of two files, one at a time, the unknown ones included.

        A variable that the contract does not know must be the same, as text or bit by bit.

        Raises
        ------
        PystampsError
            A file cannot be read.
        """
        own, others = (self.reader.forms(path) for path in (dataset, reference))
        contracts = {contract.name: contract for contract in artefact.variables}
        results = []
        for name in [*contracts, *sorted({*own, *others} - set(contracts))]:
            rule = self.rules.of(artefact.file, contracts.get(name) or _unknown(name))
            found, wanted = own.get(name), others.get(name)
            if found is not None and wanted is not None:
                pair = _Pair(rule, (dataset, found), (reference, wanted))
                results.append(self._compare(artefact.file, pair))
            elif found is not None or wanted is not None:
                results.append(self._lonely(rule, found, wanted))
        return tuple(results)

    def _lonely(
        self, rule: VariableContract, found: Form | None, wanted: Form | None
    ) -> VariableResult:
        """Return the result of a variable that one side lacks."""
        result = described(rule, found, wanted)
        if rule.policy is Policy.IGNORED and self.rules.by_pixel:
            return replace(result, status=Status.NOT_COMPARED)
        if found is None:
            return replace(result, status=Status.MISSING, problem="not in the dataset")
        return replace(result, status=Status.EXTRA, problem="not in the reference")

    def _compare(self, file: str, pair: _Pair) -> VariableResult:
        """Compare a variable that both sides have."""
        rule, found, wanted = pair.rule, pair.dataset[1], pair.reference[1]
        result = described(rule, found, wanted)
        if rule.policy is Policy.IGNORED:
            if found.matlab_class == wanted.matlab_class or self.rules.by_pixel:
                return replace(result, status=Status.NOT_COMPARED)
            return differing(result, f"class {found.matlab_class}, want {wanted.matlab_class}")
        if not {found.matlab_class, wanted.matlab_class} <= COMPARABLE:
            classes = f"{found.matlab_class} and {wanted.matlab_class}"
            return differing(result, f"values of class {classes} cannot be compared")
        if rule.policy is Policy.SET and self.rules.by_pixel:
            return self._pixels(result, rule)
        return self._values(file, pair, result)

    def _pixels(self, result: VariableResult, rule: VariableContract) -> VariableResult:
        match = self.matcher.match(str(rule.shape[0]))
        if match is None:
            return differing(result, "its pixels cannot be read from ps1.mat, ps2.mat, select1.mat")
        return with_match(result, match, rule.jaccard)

    def _values(self, file: str, pair: _Pair, result: VariableResult) -> VariableResult:
        dataset, reference = (
            self.reader.variable(path, pair.rule.name) for path, _ in (pair.dataset, pair.reference)
        )
        if not self.rules.by_pixel:
            return measured(result, pair.rule, (dataset, reference))
        if (file, pair.rule.name) == (velocity.FILE, velocity.VARIABLE):
            if self.wavelength_m is None:
                return differing(result, "parms.mat holds no lambda to turn phase into mm/yr")
            dataset = velocity.in_millimetres(dataset, self.wavelength_m)
            reference = velocity.in_millimetres(reference, self.wavelength_m)
        if "char" not in (dataset.matlab_class, reference.matlab_class):
            dataset = replace(dataset, matlab_class=reference.matlab_class)
        axis = self.matcher.axis(pair.rule.shape, (dataset.shape, reference.shape))
        return measured(result, pair.rule, (dataset, reference), axis)


@dataclass(frozen=True)
class _Pair:
    """A variable of both sides: its rule, and file and form of either."""

    rule: VariableContract
    dataset: tuple[Path, Form]
    reference: tuple[Path, Form]


def _unknown(name: str) -> VariableContract:
    return VariableContract(name, "", [], Policy.EXACT, reason="not in the contract")
