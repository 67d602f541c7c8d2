"""The command ``plot``: files, messages, and everything that is refused."""

from __future__ import annotations

import builtins
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from figure_sets import small

from pystamps_shim.cli import main
from pystamps_shim.products.figures.kinds import KINDS

__all__ = ["small"]

PlotCommand = Callable[..., int]


@pytest.fixture
def plot(small: Path, tmp_path: Path) -> PlotCommand:
    """Return a function that runs ``plot`` and returns its exit code."""

    def run(kind: str, *options: object, out: str = "figure.png", dataset: Path = small) -> int:
        arguments = ["plot", kind, "--dataset", str(dataset), "--out", str(tmp_path / out)]
        return main([*arguments, "--dpi", "40", *(str(option) for option in options)])

    return run


def test_a_figure_is_written_and_told(
    plot: PlotCommand, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing else is left in the folder; an earlier one stays without --force."""
    assert plot("noise", "--json", out="new/noise.svg") == 0
    told = json.loads(capsys.readouterr().out)
    path = tmp_path / "new" / "noise.svg"
    assert told["file"] == str(path)
    assert told["drawn"] == ["noise"]
    assert [each.name for each in path.parent.iterdir()] == ["noise.svg"]
    before = path.read_bytes()
    assert b"<svg" in before
    assert plot("noise", out="new/noise.svg") == 2
    assert "replace it: --force" in capsys.readouterr().err
    assert plot("noise", "--force", out="new/noise.svg") == 0
    assert path.read_bytes() == before


def test_all_draws_what_the_dataset_allows(
    plot: PlotCommand, small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says what it does not and why, figures of one reason together."""
    dataset = shutil.copytree(small, tmp_path / "dataset")
    for name in ("phuw2.mat", "rc2.mat", "pm2.mat"):
        (dataset / name).unlink()
    assert plot("all", "--format", "svg", out="figures", dataset=dataset) == 0
    drawn = {"baselines", "noise", "coherence-histogram", "da-histogram", "unwrapping"}
    files = {path.name for path in (tmp_path / "figures").iterdir()}
    assert files == {"pystamps-product.json", *(f"{name}.svg" for name in drawn)}
    said = capsys.readouterr().out
    together = "velocity, velocity-std, velocity-histogram, series, profile, scla, unwrapped"
    assert f"not drawn: {together}: {dataset / 'phuw2.mat'}: not found (run stage 6: " in said
    assert f"not drawn: wrapped: {dataset / 'rc2.mat'}: not found (run stage 5: " in said
    told = json.loads((tmp_path / "figures" / "pystamps-product.json").read_text("utf-8"))
    assert set(told["left_out"]) == set(KINDS) - drawn
    assert plot("all", out="figures", dataset=dataset) == 2


def test_all_of_nothing_fails(
    plot: PlotCommand, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And leaves no folder."""
    empty = tmp_path / "empty"
    empty.mkdir()
    assert plot("all", out="figures", dataset=empty) == 1
    error = capsys.readouterr().err
    assert error.count("ps2.mat: not found") == 1
    assert not (tmp_path / "figures").exists()


@pytest.mark.parametrize(
    ("kind", "file", "stage"),
    [
        ("velocity", "ps2.mat", 5),
        ("velocity", "phuw2.mat", 6),
        ("velocity-std", "scla2.mat", 7),
        ("series", "scla2.mat", 7),
        ("scla", "scla2.mat", 7),
        ("unwrapped", "phuw2.mat", 6),
        ("wrapped", "rc2.mat", 5),
        ("coherence", "pm2.mat", 5),
        ("noise", "ifgstd2.mat", 5),
        ("unwrapping", "uw_solver.json", 6),
        ("coherence-histogram", "PATCH_1/pm1.mat", 2),
        ("da-histogram", "PATCH_1/da1.mat", 1),
    ],
)
def test_a_missing_stage_is_named(
    *,
    plot: PlotCommand,
    small: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    file: str,
    stage: int,
) -> None:
    """With the file that it writes; no figure is begun."""
    dataset = shutil.copytree(small, tmp_path / "dataset")
    (dataset / file).unlink()
    assert plot(kind, dataset=dataset) == 1
    error = capsys.readouterr().err
    assert f"{dataset / file}: not found" in error
    assert f"try: run stage {stage}" in error
    assert not (tmp_path / "figure.png").exists()


def test_the_product_decides_what_is_needed(
    plot: PlotCommand, small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Velocities without the look-angle error need no stage 7; those less the noise, stage 8."""
    dataset = shutil.copytree(small, tmp_path / "dataset")
    for name in ("scla2.mat", "scla_smooth2.mat", "scn2.mat"):
        (dataset / name).unlink()
    assert plot("velocity", "--product", "v-o", dataset=dataset) == 0
    assert plot("velocity", "--product", "v-s", "--force", dataset=dataset) == 1
    assert "try: run stage 8" in capsys.readouterr().err
    assert plot("wrapped", "--product", "w-dm", "--force", dataset=dataset) == 1
    assert "scla_smooth2.mat: not found" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("velocty", (), "did you mean 'velocity'?"),
        ("baselines", ("--bbox", 0, 0, 1, 1), "--bbox does nothing for 'plot baselines'"),
        ("noise", ("--from", "20210101"), "--from does nothing for 'plot noise'"),
        ("coherence", ("--vertical",), "--vertical does nothing for 'plot coherence'"),
        ("wrapped", ("--vertical",), "--vertical does nothing for 'plot wrapped'"),
        ("velocity", ("--columns", 3), "--columns does nothing for 'plot velocity'"),
        ("velocity", ("--format", "png"), "--format is for 'plot all'"),
        ("velocity", ("--dpi", 5), "--dpi is 5, expected 30 to 1200"),
        ("wrapped", ("--columns", 0), "--columns is 0, expected 1 to 42"),
        ("series", ("--at", "11.3"), "--at is '11.3', expected LON,LAT"),
        ("series", ("--at", "44.2,111.3"), "--at is '44.2,111.3', expected LON,LAT"),
        ("series", ("--radius-m", 50), "--radius-m does nothing without --at"),
        ("series", ("--at", "11.3,44.2", "--radius-m", -1), "--radius-m is -1, expected"),
        ("series", ("--product", "v-do"), "product v-do has no displacements"),
        ("series", ("--at", "12,44"), "the nearest is at 11."),
        ("series", ("--at", "11.3,44.2") * 7, "--at is given 7 times, a figure shows 6"),
        ("profile", (), "a profile needs both ends of its line"),
        ("profile", ("--from-point", "11,44"), "both ends of a line"),
        ("profile", ("--width-m", 0), "--width-m is 0, expected"),
        ("velocity", ("--product", "u-dm"), "product u-dm has no velocity"),
        ("velocity", ("--product", "v-x"), "there is no product 'v-x'"),
        ("wrapped", ("--product", "v-do"), "this figure does not show product 'v-do'"),
        ("unwrapped", ("--product", "hgt"), "this figure does not show product 'hgt'"),
        ("scla", ("--product", "v-do"), "this figure does not show product 'v-do'"),
        ("all", ("--product", "v-do"), "--product is one product, and 'plot all' shows several"),
    ],
)
def test_wrong_usage_is_refused(
    *,
    plot: PlotCommand,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    options: tuple[Any, ...],
    message: str,
) -> None:
    """With exit code 2, a remedy, and nothing written."""
    out = "figures" if kind == "all" else "figure.png"
    assert plot(kind, *options, out=out) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "  try: " in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "out"), [("velocity", "figure.pdf"), ("velocity", "figure"), ("all", "figures.png")]
)
def test_names_decide_what_is_written(
    plot: PlotCommand, capsys: pytest.CaptureFixture[str], kind: str, out: str
) -> None:
    """One figure ends in .png or .svg, all of them are a folder."""
    assert plot(kind, out=out) == 2
    assert "for instance --out" in capsys.readouterr().err


def test_no_ps_left_is_told(plot: PlotCommand, capsys: pytest.CaptureFixture[str]) -> None:
    """By every figure of PS, with what the conditions did."""
    for kind in ("velocity", "wrapped", "coherence"):
        assert plot(kind, "--bbox", 0, 0, 1, 1) == 1
        assert "no PS is left after the selection (box 0 0 1 1: 0 of 639 left)" in (
            capsys.readouterr().err
        )
    line = ("--from-point", "11.1,44.19", "--to-point", "11.2,44.19")
    assert plot("profile", *line) == 1
    assert "no PS lies within 100 m of the line" in capsys.readouterr().err
    assert plot("velocity-std", "--bootstrap", 0) == 1
    assert "leave out --bootstrap 0" in capsys.readouterr().err


def test_without_matplotlib_it_is_told_how_to_get_it(
    plot: PlotCommand,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Before anything is computed."""
    original = builtins.__import__

    def without(name: str, *arguments: Any, **keywords: Any) -> Any:
        if name.partition(".")[0] in ("matplotlib", "cmcrameri"):
            cause = f"No module named '{name}'"
            raise ImportError(cause)
        return original(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    assert plot("velocity") == 1
    assert "pip install matplotlib cmcrameri" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_help_lists_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    """Every one with what it shows."""
    with pytest.raises(SystemExit):
        main(["plot", "--help"])
    said = capsys.readouterr().out
    for kind in KINDS.values():
        assert f"  {kind.name} " in said
        assert kind.meaning in said


def test_the_list_of_figures_loads_no_numerics() -> None:
    """Else every --help would be slow."""
    check = (
        "import sys; from pystamps_shim.products.figures.kinds import KINDS;"
        "sys.exit('numpy' in sys.modules or 'matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
