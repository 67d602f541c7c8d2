"""Stages that were copied from a reference instead of computed: no evidence of anything."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

LEDGER = Path(".pystamps") / "ledger.json"
_ORIGIN_OF_COPIES = "replayed"


@dataclass(frozen=True)
class Ledger:
    """What the ledger of a scope says about the origin of its stages.

    Attributes
    ----------
    stages
        Numbers of the stages that it knows.
    replayed
        Those of them whose files were copied from a reference.
    problem
        Why the ledger cannot be used, None where it can or there is none.
    """

    replayed: frozenset[int]
    problem: str | None = None
    stages: frozenset[int] = frozenset()

    @classmethod
    def read(cls, scope: Path) -> Ledger:
        """Read the ledger of a patch or of a dataset; entries without an origin are native."""
        path = scope / LEDGER
        try:
            stages = json.loads(path.read_text(encoding="utf-8"))["stages"]
            origins = {name: entry.get("origin") for name, entry in stages.items()}
        except FileNotFoundError:
            return cls(frozenset())
        except OSError as error:
            return cls(frozenset(), f"cannot be read ({error.strerror})")
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls(frozenset(), "is no ledger that pystamps has written")
        numbers = {int(name): origin for name, origin in origins.items() if name.isdigit()}
        copied = (number for number, origin in numbers.items() if origin == _ORIGIN_OF_COPIES)
        return cls(frozenset(copied), stages=frozenset(numbers))
