"""Put what was measured into Markdown tables."""

from __future__ import annotations

import os
from collections.abc import Iterator

from parity.scale.growth import Growth, exponent
from parity.scale.measure import Measured
from parity.scale.scenes import GIB
from parity.scale.threads import THREADS_GAIN

_MIB = 1 << 20


def scene_lines(measured: Measured) -> Iterator[str]:
    """Yield the section of one scene: what it took of its limits, and the table of its stages."""
    scene, run = measured.scene, measured.run
    yield f"## {scene.name}: {scene.size}"
    yield ""
    yield f"`python -m pystamps_shim run --dataset … {' '.join(scene.options)}`".replace(" `", "`")
    yield ""
    if scene.runs > 1:
        yield f"The fastest of {scene.runs} runs."
        yield ""
    yield "| | measured | limit | ratio |"
    yield "|---|---|---|---|"
    yield _limit_row("time", run.seconds, scene.limit_s, "s")
    limit_gib = None if scene.limit_bytes is None else scene.limit_bytes / GIB
    yield _limit_row(
        "resident memory of all native programs", run.peak_bytes / GIB, limit_gib, "GiB"
    )
    predicted_s = measured.predicted_s
    yield (
        f"| time that `plan` predicts | {predicted_s:.0f} s | {run.seconds:.0f} s measured | "
        f"{predicted_s / run.seconds:.2f} |"
    )
    yield _memory_row(measured)
    if measured.gain is not None:
        threads, goal = os.cpu_count(), f"{THREADS_GAIN:g}"
        yield f"| time with one thread / with {threads}, median | {measured.gain:.2f} | {goal} | |"
        fastest = measured.gain_of_the_fastest
        yield f"| the same, fastest run of each | {fastest:.2f} | {goal} | |"
    yield ""
    yield from _sharing_table(measured)
    yield from _stage_table(measured)


def growth_lines(growth: Growth) -> Iterator[str]:
    """Yield the section of one growth."""
    axis = growth.axis
    yield f"## Growth with {axis.name}, {axis.fixed}"
    yield ""
    yield f"| {axis.name} | " + " | ".join(f"{size:,}" for size in axis.sizes) + " | exponent |"
    yield "|---|" + "---|" * (len(axis.sizes) + 1)
    rows = {"whole chain": growth.seconds} | {
        f"stage {name}": seconds for name, seconds in growth.stage_seconds.items()
    }
    for name, seconds in rows.items():
        times = " | ".join(f"{each:.2f} s" for each in seconds)
        yield f"| {name} | {times} | {exponent(axis.sizes, seconds):.2f} |"
    yield ""
    yield f"At most {axis.limit} is promised for the whole chain."


def _limit_row(name: str, value: float, limit: float | None, unit: str) -> str:
    if limit is None:
        return f"| {name} | {value:.1f} {unit} | | |"
    return f"| {name} | {value:.2f} {unit} | {limit:g} {unit} | {value / limit:.2f} |"


def _memory_row(measured: Measured) -> str:
    predicted, peak = measured.predicted_peak_bytes, measured.largest_program_bytes
    return (
        f"| memory that `plan` predicts for the largest program | {predicted / GIB:.2f} GiB | "
        f"{peak / GIB:.2f} GiB measured | {predicted / peak:.2f} |"
    )


def _sharing_table(measured: Measured) -> Iterator[str]:
    """Yield what threads gain, and what they could gain at most on this machine."""
    if not measured.sharings:
        return
    threads = os.cpu_count()
    yield "Runs right after each other. Programs side by side share nothing but the processors,"
    yield "which slow each other down; their speed also changes from one run to the next."
    yield ""
    yield (
        f"| {threads} threads | one thread | {threads} runs of one thread side by side | "
        "gain of threads | gain of programs | ratio |"
    )
    yield "|---|---|---|---|---|---|"
    for each in measured.sharings:
        yield (
            f"| {each.all_threads_s:.2f} s | {each.one_thread_s:.2f} s | "
            f"{each.side_by_side_s:.2f} s | {each.gain:.2f} | {each.programs_gain:.2f} | "
            f"{each.gain / each.programs_gain:.2f} |"
        )
    yield ""


def _stage_table(measured: Measured) -> Iterator[str]:
    yield (
        "| stage | programs | time | processor | predicted / time | peak memory | "
        "predicted / peak | read | written | million samples a second |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for name, cost in measured.run.stages.items():
        predicted = measured.predicted[name]
        samples = measured.samples(name)
        yield (
            f"| {name} | {cost.processes} | {cost.seconds:.2f} s | "
            f"{cost.processor_seconds:.2f} s | "
            f"{predicted.seconds / cost.seconds:.2f} | {cost.peak_bytes / _MIB:.0f} MiB | "
            f"{predicted.peak_bytes / cost.peak_bytes:.2f} | {cost.read_bytes / _MIB:,.0f} MiB | "
            f"{cost.written_bytes / _MIB:,.0f} MiB | {samples / cost.seconds / 1e6:.2f} |"
        )
