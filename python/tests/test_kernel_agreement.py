"""Both backends on the same inputs: equal within the contract, or refused in the same words."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from kernel_inputs import (
    Inputs,
    counts,
    fits,
    grids,
    look_angles,
    node_edges,
    scatterer_edges,
)

from pystamps_shim.kernels import accelerated
from pystamps_shim.kernels.contract import compare_kernel, result_names
from pystamps_shim.kernels.names import KERNELS

#: Kernel, how its inputs are drawn, examples, and the least share of elements that is compared.
CASES: dict[str, tuple[str, st.SearchStrategy[Inputs], int, float]] = {
    "gridding": ("stage2_grid_accumulate", grids(), 150, 1.0),
    "counting": ("stage2_histogram", counts(), 150, 1.0),
    "fits": ("stage2_topofit", fits(common=False), 200, 0.6),
    "common fits": ("stage2_topofit_row_invariant", fits(common=True), 150, 0.6),
    "coherence": ("stage2_topofit_coh_row_invariant", fits(common=True), 150, 0.6),
    "scatterers": ("stage4_edge_stats", scatterer_edges(), 200, 0.6),
    "look angles": ("stage7_scla", look_angles(), 250, 0.8),
    "simplex": ("stage7_scla", look_angles(method="L1"), 15, 0.8),
    "edges": ("stage8_edge_noise", node_edges(mode="space_time"), 250, 0.4),
    "simple edges": ("stage8_edge_noise", node_edges(mode="simple"), 100, 0.5),
}


class Tally:
    """What has been compared of every result, so that no test passes by comparing nothing."""

    def __init__(self) -> None:
        self.examples = self.refused = 0
        self.compared: Counter[str] = Counter()
        self.excluded: Counter[str] = Counter()

    def judge(self, kernel: str, inputs: Inputs) -> None:
        """Compute in both backends and compare."""
        self.examples += 1
        native, reference = (_outcome(kernel, inputs, name) for name in ("native", "numpy"))
        if isinstance(native, Exception) or isinstance(reference, Exception):
            assert (type(native), str(native)) == (type(reference), str(reference))
            self.refused += 1
            event("refused")
            return
        for found in compare_kernel(kernel, native, reference, inputs):
            assert found.problem is None, f"{found.result}: {found.problem}"
            self.compared[found.result] += found.compared
            self.excluded[found.result] += found.excluded
            event(f"{found.result} {'compared' if found.compared else 'empty or left out'}")


def _outcome(kernel: str, inputs: Inputs, backend: str) -> Any:
    try:
        return getattr(accelerated, kernel)(**inputs, backend=backend)
    except ValueError as error:
        return error


def test_every_kernel_is_compared() -> None:
    assert {case[0] for case in CASES.values()} == set(KERNELS)


@pytest.mark.parametrize("case", CASES)
def test_backends_agree(case: str) -> None:
    kernel, inputs, examples, least = CASES[case]
    tally = Tally()

    @settings(
        derandomize=True,
        deadline=None,
        database=None,
        max_examples=examples,
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs)
    def judge(drawn: Inputs) -> None:
        tally.judge(kernel, drawn)

    judge()
    assert tally.examples >= examples // 2
    assert tally.refused <= tally.examples // 2
    for name in result_names(kernel):
        seen = tally.compared[name]
        assert seen > 50, (name, tally.compared)
        assert seen / (seen + tally.excluded[name]) >= least, (name, seen, tally.excluded)
