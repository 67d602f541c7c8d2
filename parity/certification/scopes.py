"""What there is to certify: nine stage scopes, and two pieces of further evidence."""

from __future__ import annotations

from dataclasses import dataclass

from pystamps_shim.verification.contracts import Artefact, load_contract

PATCH, MERGED = "patch", "merged"
#: Further evidence: preparation, and whole chains from a raw export on.
PREPARATION, CHAIN = "prep", "chain"


@dataclass(frozen=True)
class StageScope:
    """A stage on patches or on the merged dataset; stage 0 is preparation, of no scope.

    Attributes
    ----------
    stage
        Its number.
    scope
        `PATCH` or `MERGED`.
    """

    stage: int
    scope: str

    @property
    def name(self) -> str:
        """Return the name of its certificate."""
        return PREPARATION if self.stage == 0 else f"stage{self.stage}-{self.scope}"

    def artefacts(self, *, small_baseline: bool, profile: str | None = None) -> list[Artefact]:
        """Return the files that it writes, by their contract."""
        contract = load_contract(self.stage, small_baseline=small_baseline, profile=profile)
        if self.stage != 5:
            return contract
        wanted = "patch" if self.scope == PATCH else "root"
        return [artefact for artefact in contract if artefact.scope == wanted]


#: In the order of processing.
STAGE_SCOPES = (
    *(StageScope(stage, PATCH) for stage in (1, 2, 3, 4, 5)),
    *(StageScope(stage, MERGED) for stage in (5, 6, 7, 8)),
)
#: Preparation in the form of the scopes.
PREPARATION_SCOPE = StageScope(0, PATCH)
