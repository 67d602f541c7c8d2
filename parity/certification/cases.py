"""What is run to certify a stage: every scene and variant of the oracle that has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from parity.certification.scopes import (
    MERGED,
    PATCH,
    PREPARATION_SCOPE,
    STAGE_SCOPES,
    StageScope,
)
from parity.oracle import UNWRAPPING_VARIANTS, ParameterValue, stage_folder


@dataclass(frozen=True)
class Case:
    """One run of a stage, and what its results are compared with.

    Attributes
    ----------
    name
        What makes it different, such as the scene.
    scene
        Scene of the oracle whose files before the stage are processed.
    stage_scope
        What is run.
    reference
        Folder of the oracle with the original's results; by default that of the scene's stage.
    options
        More arguments of the native program; ``{oracle}`` and ``{patch}`` stand for the oracle's
        folder and the patch.
    profile
        Circumstances with limits of their own (`load_contract`).
    parameters
        Parameters to change.
    start
        Last stage whose files of the original are there; by default the stage before.
    elsewhere
        Files of the original that have another place or name in the oracle, by their name.
    apart
        Files that are not compared, because the original wrote them in other circumstances.
    by_pixel
        Whether our rows are put in the original's order before they are compared.
    golden, shared
        Whether the project's own data have all it needs, and whether the oracle's folder has.
    """

    name: str
    scene: str
    stage_scope: StageScope
    reference: str | None = None
    options: tuple[str, ...] = ()
    profile: str | None = None
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    start: int | None = None
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    apart: tuple[str, ...] = ()
    by_pixel: bool = False
    golden: bool = False
    shared: bool = True

    def arguments(self, oracle: Path, patch: str) -> list[str]:
        """Return the options for one patch, or for the merged dataset."""
        return [option.format(oracle=oracle, patch=patch) for option in self.options]

    def reference_folder(self, oracle: Path) -> Path:
        """Return where the original's results are."""
        stage = self.stage_scope.stage
        if self.reference is not None:
            return oracle / self.reference
        if stage == 0:
            return oracle / self.scene / "stage0_prep"
        return stage_folder(oracle, self.scene, stage)

    def reference_of(self, oracle: Path, patch: str, file: str) -> Path:
        """Return the original's version of a file."""
        if file in self.elsewhere:
            return oracle / self.elsewhere[file]
        return self.reference_folder(oracle) / patch / file


def cases_of(stage_scope: StageScope, *, golden: bool = False) -> list[Case]:
    """Return the cases of a scope, or those for which the project's own data suffice."""
    found = [case for case in _CASES if case.stage_scope == stage_scope]
    return [case for case in found if (case.golden if golden else case.shared)]


#: Draw as Octave does, under which the original ran.
_OCTAVE = ("--random-engine", "octave")


def _drawn(histogram: str) -> tuple[str, ...]:
    """Stage 2: give the random coherences that the original has drawn."""
    return ("--reference-histogram", f"{{oracle}}/{histogram}")


def _edges_of(folder: str) -> tuple[str, ...]:
    """Stage 4: give the edges that Triangle has made for the original."""
    return ("--edges", f"{{oracle}}/{folder}/{{patch}}/psweed.2.edge")


_PREP = [
    Case(scene, scene, PREPARATION_SCOPE, golden=scene == "P") for scene in ("P", "T", "L", "S")
]

_LOAD, _COHERENCE, _SELECT, _WEED, _CORRECT, _MERGE, _UNWRAP, _LOOK_ANGLE, _NOISE = STAGE_SCOPES

_STAGE1 = [Case(scene, scene, _LOAD, golden=scene == "P") for scene in ("P", "T", "L", "S")]

_STAGE2 = [
    *(
        Case(scene, scene, _COHERENCE, None, _drawn(f"{scene}/stage2/{{patch}}/oracle_rand.mat"))
        for scene in ("T", "L", "D", "S")
    ),
    Case("T, SNR weights", "T_snr", _COHERENCE, None, _drawn("T/stage2/{patch}/oracle_rand.mat")),
    # The golden data lack the draws, but have the histogram that was made of them.
    Case(
        "T, one patch",
        "T1",
        _COHERENCE,
        options=_drawn("T1/stage2/{patch}/pm1.mat"),
        golden=True,
        shared=False,
    ),
]

_DENSITIES = ("0.5", "1", "2", "5", "10")
_PERCENTAGES = ("1", "5", "20")


def _selection(name: str, parameters: Mapping[str, ParameterValue]) -> Case:
    """Return another threshold on the coherences of the base run, as the variant was made."""
    return Case(
        f"T, {name.replace('_', ' = ', 1) if name.startswith('PERCENT') else name}",
        "T",
        _SELECT,
        reference=f"T/variants/select_{name}",
        options=(*_OCTAVE, "--reuse-coherence", "--force"),
        parameters=parameters,
        start=3,
        apart=("psver.mat", "no_ps_info.mat", "patch.list"),
    )


_STAGE3 = [
    *(Case(scene, scene, _SELECT, options=_OCTAVE) for scene in ("T", "L", "D", "S")),
    *(_selection(f"density_rand_{one}", {"density_rand": float(one)}) for one in _DENSITIES),
    *(
        _selection(f"PERCENT_{one}", {"select_method": "PERCENT", "percent_rand": float(one)})
        for one in _PERCENTAGES
    ),
    Case("T, one patch", "T1", _SELECT, options=_OCTAVE, golden=True, shared=False),
]

_STAGE4 = [
    *(
        Case(
            f"{scene}, the original's edges",
            scene,
            _WEED,
            None,
            _edges_of(f"{scene}/stage4"),
            "oracle_edges",
        )
        for scene in ("T", "T_d1", "L")
    ),
    *(Case(f"{scene}, own edges", scene, _WEED) for scene in ("T", "T_d1", "L", "S")),
    Case(
        "T, one patch",
        "T1",
        _WEED,
        None,
        _edges_of("T1/stage4"),
        "oracle_edges",
        golden=True,
        shared=False,
    ),
]

_STAGE5_PATCH = [
    Case(scene, scene, _CORRECT, options=_OCTAVE, golden=scene == "T")
    for scene in ("T", "T_d1", "L", "S")
]
# Merged positions of small baselines are means with weights that follow the last bits of the C
# library's single-precision arc tangent, and the order of the rows follows the positions.
_STAGE5_MERGED = [
    Case(
        scene,
        scene,
        _MERGE,
        options=(*_OCTAVE, "--merge-only"),
        start=5,
        by_pixel=scene == "S",
        golden=scene == "T",
    )
    for scene in ("T", "T_d1", "L", "S")
]

_UNWRAPPED = ("T", "T_it2", "T_opt_iter1", "T_opt", "T_d1", "L", "S", *UNWRAPPING_VARIANTS)
_GRADIENT = "uw_3D_FULL_scfy_lay"
_STAGE6 = [
    *(
        Case(
            scene,
            scene,
            _UNWRAP,
            options=("--keep-costs",),
            profile="gradient" if scene == _GRADIENT else None,
            golden=scene in ("T", "T_it2"),
        )
        for scene in _UNWRAPPED
    ),
    Case(
        "uw_tie_highest",
        "T",
        _UNWRAP,
        reference="T/variants/uw_tie_highest",
        # The original's nearest nodes, among which ties were broken by another rule.
        options=(
            *("--keep-costs", "--nearest-nodes"),
            "{oracle}/T/variants/uw_tie_highest/uw_interp.mat",
        ),
    ),
]

_ESTIMATED = ("T", "T_it2", "T_opt_iter1", "T_opt", "T_d1", "L", "S")
_STAGE7 = [Case(scene, scene, _LOOK_ANGLE, golden=scene == "T") for scene in _ESTIMATED]

#: Second passes of stage 6, whose edges stage 8 of the first pass estimates too.
_SECOND_PASSES = {"T": "T_it2/stage6", "T_opt_iter1": "T_opt/stage6"}


def _filtered(scene: str) -> Case:
    elsewhere = {}
    apart = []
    if scene in _SECOND_PASSES:
        elsewhere["uw_space_time.mat"] = f"{_SECOND_PASSES[scene]}/uw_space_time.mat"
    else:
        apart.append("uw_space_time.mat")
    if scene in ("T", "L", "S"):
        elsewhere["mean_v.mat"] = f"{scene}/products/mean_v_v-do.mat"
    else:
        apart.append("mean_v.mat")
    return Case(
        scene,
        scene,
        _NOISE,
        # The original's index of the master, where an earlier interferogram is dropped.
        options=("--strict",) if scene.startswith("T_opt") else (),
        elsewhere=elsewhere,
        apart=tuple(apart),
        golden=scene == "T",
    )


_STAGE8 = [_filtered(scene) for scene in _ESTIMATED]

_CASES = [
    *(*_PREP, *_STAGE1, *_STAGE2, *_STAGE3, *_STAGE4),
    *(*_STAGE5_PATCH, *_STAGE5_MERGED, *_STAGE6, *_STAGE7, *_STAGE8),
]

assert {case.stage_scope.scope for case in _CASES} == {PATCH, MERGED}, "invariant: both scopes"
