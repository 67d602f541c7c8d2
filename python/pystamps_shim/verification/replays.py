"""Stages that were copied from a reference instead of computed: no evidence of anything."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LEDGER = Path(".pystamps") / "ledger.json"
_ORIGIN_OF_COPIES = "replayed"


@dataclass(frozen=True)
class Ledger:
    """What the ledger of a scope says about the origin of its stages.

    Attributes
    ----------
    origins
        Where the stages that it knows come from, by their names; None for those computed natively.
    problem
        Why the ledger cannot be used, None where it can or there is none.
    """

    origins: Mapping[str, str | None]
    problem: str | None = None

    @property
    def replayed(self) -> set[int]:
        """Return the numbers of the stages whose files were copied from a reference."""
        copied = (name for name, origin in self.origins.items() if origin == _ORIGIN_OF_COPIES)
        return {int(name) for name in copied if re.fullmatch("[0-9]", name)}

    @classmethod
    def read(cls, scope: Path) -> Ledger:
        """Read the ledger of a patch or of a dataset; entries without an origin are native."""
        path = scope / LEDGER
        try:
            stages = json.loads(path.read_text(encoding="utf-8"))["stages"]
            origins = {name: entry.get("origin") for name, entry in stages.items()}
        except FileNotFoundError:
            return cls({})
        except OSError as error:
            return cls({}, f"cannot be read ({error.strerror})")
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            return cls({}, "is no ledger that pystamps has written")
        return cls(origins)
