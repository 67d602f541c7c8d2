"""Which stage's artefact a file is, on either side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from pystamps_shim.errors import PystampsError
from pystamps_shim.verification.contracts import Artefact, load_contract
from pystamps_shim.verification.reading import Reader

FIRST_STAGE, LAST_STAGE = 1, 8


class Presence(Enum):
    """Whether a stage's artefact is in a folder."""

    ABSENT = "absent"
    PRESENT = "present"
    #: A later stage has written a file of the same name.
    REPLACED = "replaced"
    #: There is a file, but whose it is cannot be read from it.
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class StageArtefact:
    """One artefact of one stage.

    Attributes
    ----------
    stage
        The stage that writes it.
    artefact
        Its contract.
    later
        Artefacts of later stages under the same name.
    """

    stage: int
    artefact: Artefact
    later: tuple[Artefact, ...]

    def presence(self, folder: Path, reader: Reader) -> Presence:
        """Tell whether a folder holds this stage's file."""
        path = folder / self.artefact.file
        if not path.is_file():
            return Presence.ABSENT
        if not (self.later or self.artefact.marked_by):
            return Presence.PRESENT
        try:
            names = set(reader.forms(path))
        except PystampsError:
            return Presence.UNREADABLE
        if any(names & set(later.marked_by) for later in self.later):
            return Presence.REPLACED
        marked = not self.artefact.marked_by or bool(names & set(self.artefact.marked_by))
        return Presence.PRESENT if marked else Presence.ABSENT


def stage_artefacts(through_stage: int, *, small_baseline: bool) -> list[StageArtefact]:
    """Return the artefacts of stages 1 to `through_stage`, in their order.

    A file that several stages write alike, such as ``psver.mat``, counts once, as the first's.
    """
    everything = list(_all_artefacts(small_baseline))
    seen: set[tuple[str, str]] = set()
    result = []
    for stage, artefact in everything:
        place = (artefact.scope, artefact.file)
        if stage > through_stage or (place in seen and not artefact.marked_by):
            continue
        seen.add(place)
        later = tuple(
            other
            for number, other in everything
            if number > stage and (other.scope, other.file) == place and other.marked_by
        )
        result.append(StageArtefact(stage, artefact, later))
    return result


def _all_artefacts(small_baseline: bool) -> Iterator[tuple[int, Artefact]]:
    for stage in range(FIRST_STAGE, LAST_STAGE + 1):
        for artefact in load_contract(stage, small_baseline=small_baseline):
            yield stage, artefact
