"""Measure stage 1, native against the Python reference, on one simulated patch.

``python -m parity.bench_stage1 [CANDIDATES INTERFEROGRAMS]``, 250,000 x 76 by default. Both read
the same candidate files and write the same MATLAB files; their arrays are compared at the end.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from parity.stages import compare_with_reference
from pystamps_shim._binary import find
from pystamps_shim.reference.outputs import write_artefacts
from pystamps_shim.reference.stage1 import stage1_load_initial
from pystamps_shim.simulate.dataset import DatasetSize, write_dataset
from pystamps_shim.simulate.scene import PRESETS

_REPEATS = 3
_WATCH = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def main() -> None:
    """Print one line for each implementation."""
    candidates, interferograms = (int(text) for text in sys.argv[1:] or (250_000, 76))
    with tempfile.TemporaryDirectory() as folder:
        dataset = Path(folder) / "dataset"
        dataset.mkdir()
        size = DatasetSize(candidates, interferograms, 1)
        write_dataset(replace(PRESETS["demo"], seed=1), size, dataset, dataset)
        patch = dataset / "PATCH_1"
        command = [str(find()), "stage", "1", "--patch", str(patch), "--force"]
        native = _quickest(lambda: subprocess.run(command, check=True, capture_output=True))
        artefacts = stage1_load_initial(patch)
        report = compare_with_reference(1, artefacts, patch)
        if report.differences:
            sys.exit(f"native and reference differ:\n{report}")
        _print_memory(dataset, command)
        reference = _quickest(lambda: write_artefacts(patch, stage1_load_initial(patch)))
    for name, seconds in (("native", native), ("reference", reference)):
        rate = candidates * interferograms / seconds / 1e6
        sys.stdout.write(
            f"stage 1 {name:<9} {candidates} x {interferograms}  {seconds:6.2f} s  "
            f"{rate:7.1f} M samples/s  ratio to reference {reference / seconds:.2f}\n"
        )


def _print_memory(dataset: Path, command: list[str]) -> None:
    plan = subprocess.run(
        [command[0], "plan", "--dataset", str(dataset), "--json"], check=True, capture_output=True
    )
    predicted = json.loads(plan.stdout)["patches"][0]["stages"][0]["memory_bytes"]
    # Through a small process: a child inherits the largest resident set of what it is forked from.
    watch = [sys.executable, "-c", _WATCH, *command]
    watched = subprocess.run(watch, check=True, capture_output=True)
    measured = 1024 * int(watched.stdout)
    sys.stdout.write(
        f"stage 1 memory    predicted {predicted / 1e6:.1f} MB  resident {measured / 1e6:.1f} MB  "
        f"ratio {predicted / measured:.2f}\n"
    )


def _quickest(run: Callable[[], object]) -> float:
    times = []
    for _ in range(_REPEATS):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return min(times)


if __name__ == "__main__":
    main()
