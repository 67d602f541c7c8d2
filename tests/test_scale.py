"""The scale benchmark measures what it says: a small scene, and growth of known exponent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from parity.scale.chart import draw
from parity.scale.growth import AXES, Growth
from parity.scale.measure import measure
from parity.scale.scenes import Scene
from parity.scale.tables import growth_lines, scene_lines
from parity.scale.threads import Sharing

_STAGES = ["1", "2", "3", "4", "5, patches", "5, merge", "6", "7", "8"]


def test_a_small_scene(native_program: Path, tmp_path: Path) -> None:
    """Every stage is seen, and every limit that is missed is named."""
    assert native_program.is_file()
    scene = Scene("tiny", 4_000, 6, 2, limit_s=0.01, limit_bytes=1 << 20, predictable=True)
    measured = measure(replace(scene, runs=2, one_thread=True), tmp_path)
    assert len(measured.sharings) == 2
    assert all(0 < each.all_threads_s < each.side_by_side_s * 2 for each in measured.sharings)
    assert sorted(measured.run.stages) == sorted(_STAGES)
    for name, cost in measured.run.stages.items():
        assert cost.processes == (2 if name in ("1", "2", "3", "4", "5, patches") else 1)
        assert 0 < cost.seconds < measured.run.seconds * 2
        assert cost.peak_bytes > 1 << 20
        assert measured.predicted[name].peak_bytes > 1 << 20
        assert measured.predicted[name].seconds > 0
    assert measured.candidates >= 4_000
    assert 0 < measured.scatterers < measured.candidates
    missed = measured.misses()
    assert "tiny took" in missed[0]
    assert "bytes of 1,048,576" in missed[1]
    measured.predicted_s = 2 * measured.run.seconds
    assert "2.00 of the time of tiny was predicted" in measured.misses()
    lines = list(scene_lines(measured))
    assert lines[0].startswith("## tiny: 4,000 candidates x 6 interferograms, 2 patches")
    assert sum(line.startswith("| 5, ") for line in lines) == 2
    assert "| gain of threads |" in "\n".join(lines)
    for each, seconds in enumerate(((8.0, 15.0), (10.0, 13.0))):
        sharings = [*measured.sharings]
        sharings[each] = Sharing(*seconds, side_by_side_s=20.0)
        measured.sharings = tuple(sharings)
    assert measured.gain == pytest.approx((15 / 8 + 13 / 10) / 2)
    assert any("1.59 times as fast" in words for words in measured.misses())
    # 13 s with one thread, 8 s with all.
    assert measured.gain_of_the_fastest == pytest.approx(13 / 8)
    assert list(tmp_path.iterdir()) == []


def test_two_threads_on_a_machine_of_two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs of one thread that take half as long again side by side leave a gain of 4 / 3."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    sharing = Sharing(all_threads_s=8.0, one_thread_s=10.0, side_by_side_s=15.0)
    assert sharing.gain == pytest.approx(1.25)
    assert sharing.programs_gain == pytest.approx(4 / 3)


def test_growth_of_a_known_exponent(tmp_path: Path) -> None:
    """Quadratic times have exponent two, and are no kept promise."""
    axis = AXES["candidates"]
    seconds = tuple(3e-9 * size**2 for size in axis.sizes)
    growth = Growth(axis, seconds, {"2": seconds, "3": tuple(1e-5 * n for n in axis.sizes)})
    assert growth.exponent == pytest.approx(2.0)
    assert not growth.kept
    lines = list(growth_lines(growth))
    assert lines[4].endswith("| 2.00 |")
    assert lines[6].endswith("| 1.00 |")
    chart = tmp_path / "chart.svg"
    draw([growth], chart)
    assert chart.read_text(encoding="utf-8").count("<svg") == 1
