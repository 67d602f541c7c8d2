"""Which stage a figure waits for: told before the native program is asked for a product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pystamps_shim.errors import PystampsError
from pystamps_shim.reference.product_recipes import recipe_of

if TYPE_CHECKING:
    from pystamps_shim.reference.inputs import Patch


@dataclass(frozen=True)
class Need:
    """A file and the stage that writes it.

    Attributes
    ----------
    file
        Its name in the merged dataset.
    stage
        What writes it.
    """

    file: str
    stage: int


def refuse_missing(dataset: Path, needs: Sequence[Need]) -> None:
    """Raise where a file is not there: which, and which stage to run."""
    for need in needs:
        if not (dataset / need.file).is_file():
            cause = f"{dataset / need.file}: not found"
            raise PystampsError(cause, f"run stage {need.stage}: {_command(dataset, need.stage)}")


def product_needs(value_type: str, dataset: Patch) -> tuple[Need, ...]:
    """Return the files that a product is made of.

    Raises
    ------
    PystampsError
        There is no such product.
    """
    recipe = recipe_of(value_type, small_baseline=dataset.small_baseline)
    letters = {term.value for term in recipe.terms}
    pairs = "_sb" if recipe.pairs else ""
    if recipe.base in ("w", "p"):
        needs = [Need("rc2.mat" if recipe.base == "w" else "pm2.mat", 5)]
        return (*needs, *([Need(f"scla_smooth{pairs}2.mat", 7)] if letters & {"d", "m"} else []))
    if recipe.base == "hgt":
        return (Need("hgt2.mat", 5),)
    needs = [Need(f"phuw{pairs}2.mat", 6)]
    if recipe.base in ("d", "m", "o") or letters & {"d", "m"}:
        needs.append(Need(f"scla{pairs}2.mat", 7))
    if recipe.base == "s" or "s" in letters:
        needs.append(Need("scn2.mat", 8))
    return tuple(needs)


def _command(dataset: Path, stage: int) -> str:
    return f"python -m pystamps_shim run --dataset {dataset} --end-step {stage}"
