"""What the original and our program wrote in one case, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from parity.certification.datasets import MERGED_PLACE, Workspace
from parity.certification.row_order import in_order, rows_by_pixel
from parity.readers import read_mat_file
from parity.stages import is_small_baseline, patches_of
from pystamps_shim.verification.contracts import Artefact, FilePolicy
from pystamps_shim.verification.variables import MatVariable

Variables = Mapping[str, MatVariable]
#: A file by its place (patch or ``.``) and name.
Place = tuple[str, str]


@dataclass(frozen=True)
class Pair:
    """One artefact of both sides.

    Attributes
    ----------
    artefact
        Its contract.
    place
        Where it is.
    ours, originals
        Both files.
    """

    artefact: Artefact
    place: Place
    ours: Path
    originals: Path

    @property
    def name(self) -> str:
        """Return the path inside the dataset."""
        return "/".join(part for part in self.place if part != MERGED_PLACE)


@dataclass(frozen=True)
class Results:
    """All artefacts of a case, the MATLAB files of them read by independent readers.

    Attributes
    ----------
    workspace
        The case on disk.
    small_baseline
        Kind of dataset.
    pairs
        Artefacts that at least one side has.
    ours, originals
        Variables of the MATLAB files that are there, by place.
    moved_rows
        How many of our rows had another place before they were put in the original's order.
    """

    workspace: Workspace
    small_baseline: bool
    pairs: tuple[Pair, ...]
    ours: Mapping[Place, Variables]
    originals: Mapping[Place, Variables]
    moved_rows: int = 0

    @classmethod
    def read(cls, workspace: Workspace) -> Results:
        """Read what both sides have of the artefacts of a case."""
        small_baseline = is_small_baseline(workspace.dataset)
        pairs = tuple(_pairs(workspace, small_baseline))
        matlab = [pair for pair in pairs if pair.artefact.policy is FilePolicy.VARIABLES]
        ours = {pair.place: read_mat_file(pair.ours) for pair in matlab if pair.ours.exists()}
        originals = {
            pair.place: read_mat_file(pair.originals) for pair in matlab if pair.originals.exists()
        }
        results = cls(workspace, small_baseline, pairs, ours, originals)
        return results._reordered() if workspace.case.by_pixel else results

    def _reordered(self) -> Results:
        """Return our merged rows in the original's order, as they are if the PS differ."""
        place = (MERGED_PLACE, "ps2.mat")
        rows = rows_by_pixel(*(side[place]["ij"].values for side in (self.ours, self.originals)))
        if rows is None:
            return self
        ours = dict(self.ours)
        for pair in self.pairs:
            if pair.place in ours:
                ours[pair.place] = in_order(pair.artefact, ours[pair.place], rows)
        moved = int(np.count_nonzero(rows != np.arange(rows.size)))
        return replace(self, ours=ours, moved_rows=moved)

    def with_ours(self, place: Place, name: str, variable: MatVariable) -> Results:
        """Return the results with another value of one of our variables."""
        file = {**self.ours[place], name: variable}
        return replace(self, ours={**self.ours, place: file})


def _pairs(workspace: Workspace, small_baseline: bool) -> list[Pair]:
    case = workspace.case
    contract = case.stage_scope.artefacts(small_baseline=small_baseline, profile=case.profile)
    pairs = []
    for place in [MERGED_PLACE, *patches_of(workspace.dataset)]:
        scope = "root" if place == MERGED_PLACE else "patch"
        for artefact in contract:
            if artefact.scope != scope or artefact.file in case.apart:
                continue
            ours = workspace.dataset / place / artefact.file
            originals = case.reference_of(workspace.oracle, place, artefact.file)
            if ours.exists() or originals.exists() or not artefact.optional:
                pairs.append(Pair(artefact, (place, artefact.file), ours, originals))
    return pairs
