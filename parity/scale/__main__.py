"""Measure the whole chain on large scenes: ``make bench-scale``, or ``python -m parity.scale``.

Prints a Markdown page with what every scene took of its limits, stage by stage, and how the time
grows with candidates and with interferograms; ``--out`` keeps it, with a chart beside it. Exit code
3 says that a limit was not kept. Scene C needs 25 GB of disk.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from parity.scale.chart import draw
from parity.scale.growth import AXES, Growth, measure_growth
from parity.scale.measure import Measured, measure
from parity.scale.scenes import SCENES
from parity.scale.tables import growth_lines, scene_lines


def main() -> int:
    """Measure what is asked for and print the page."""
    options = _options()
    options.work.mkdir(parents=True, exist_ok=True)
    scenes: list[Measured] = []
    growths: list[Growth] = []
    for name in options.growth:
        sys.stderr.write(f"growth with {name} …\n")
        growths.append(measure_growth(AXES[name], options.work))
    # The longest comes last.
    for scene in SCENES:
        if scene.name in options.scenes:
            sys.stderr.write(f"{scene.name}: {scene.size} …\n")
            scenes.append(measure(scene, options.work))
    chart = None
    if options.out is not None and growths:
        chart = options.out.with_suffix(".svg")
        draw(growths, chart)
    page = "\n".join(_page(scenes, growths, chart)) + "\n"
    sys.stdout.write(page)
    if options.out is not None:
        options.out.write_text(page, encoding="utf-8")
    missed = [words for each in scenes for words in each.misses()]
    missed += [
        f"exponent {growth.exponent:.2f} with {growth.axis.name}"
        for growth in growths
        if not growth.kept
    ]
    for words in missed:
        sys.stderr.write(f"missed: {words}\n")
    return 3 if missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m parity.scale", description=__doc__)
    names = [scene.name for scene in SCENES]
    parser.add_argument("--scenes", nargs="*", choices=names, default=names)
    parser.add_argument("--growth", nargs="*", choices=list(AXES), default=list(AXES))
    folder = Path(tempfile.gettempdir()) / "pystamps-scale"
    parser.add_argument("--work", type=Path, default=folder, help=f"where scenes go ({folder})")
    parser.add_argument("--out", type=Path, help="file of the page; its chart goes beside it")
    return parser.parse_args()


def _page(scenes: list[Measured], growths: list[Growth], chart: Path | None) -> Iterator[str]:
    yield "# The whole chain on large scenes"
    yield ""
    words = shlex.join(["python", "-m", "parity.scale", *sys.argv[1:]])
    yield f"Written by `{words}`: {os.cpu_count()} processors ({_processor()}), {_memory_gib():.0f}"
    yield "GiB of memory. Simulated scenes, stages 1 to 8 as a user runs them, files written and"
    yield "synced. Time and memory of a stage are those of its programs: times added, the largest"
    yield "memory. [Performance](performance.md) says what bounds the stages."
    yield ""
    for measured in scenes:
        yield from scene_lines(measured)
        yield ""
    for growth in growths:
        yield from growth_lines(growth)
        yield ""
    if chart is not None:
        yield f"![Time against size]({chart.name})"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)


if __name__ == "__main__":
    sys.exit(main())
