"""Measure the unwrapping solver against SNAPHU: ``python -m parity.bench_unwrap``.

Both solve the same files. SNAPHU comes from the Python package ``snaphu``, installed into an
environment of its own below ``build/``; where that does not work, only our solver is measured.
``--oracle`` names the folder of the original StaMPS oracle, some of whose kept problems
are then solved, too.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from parity.unwrap_scenes import UnwrapScene, write_problem

_ROOT = Path(__file__).parents[1]
_ENVIRONMENT = _ROOT / "build" / "snaphu-venv"
_NO_LIMIT = 1e9

#: Name, scene, and whether SNAPHU is fast enough to take part without ``--all``.
_SCENES = [
    ("500 typical", UnwrapScene(500, 0.3), True),
    ("500 some noise", UnwrapScene(500, 0.55), True),
    ("500 noisy", UnwrapScene(500, 0.8), True),
    ("500 dense", UnwrapScene(500, 1.6, noise_limit_rad=_NO_LIMIT), True),
    ("500 near-random", UnwrapScene(500, 3.0, noise_limit_rad=_NO_LIMIT), True),
    ("500 no statistics", UnwrapScene(500, 3.0, noise_limit_rad=0.3), True),
    ("1000 typical", UnwrapScene(1000, 0.3), True),
    ("1000 noisy", UnwrapScene(1000, 0.7), True),
    ("1000 dense", UnwrapScene(1000, 1.6, noise_limit_rad=_NO_LIMIT), True),
    ("1000 near-random", UnwrapScene(1000, 3.0, noise_limit_rad=_NO_LIMIT), False),
    ("1000 mostly without", UnwrapScene(1000, 1.6), True),
    ("2000 typical", UnwrapScene(2000, 0.3), False),
    ("2000 noisy", UnwrapScene(2000, 0.7), False),
]


@dataclass(frozen=True)
class Solved:
    """Seconds of a solver, and its sum of costs with arcs without statistics counted as 0 or 1."""

    seconds: float
    counted: int


def main() -> None:
    """Print one line for each problem."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="SNAPHU also where it takes minutes")
    parser.add_argument("--only", default="", help="scenes whose name contains this")
    parser.add_argument("--oracle", type=Path, help="folder of the original StaMPS oracle")
    arguments = parser.parse_args()
    solver = _build_solver()
    snaphu = _find_snaphu()
    if snaphu is None:
        _say("SNAPHU could not be installed: only our solver is measured")
    with tempfile.TemporaryDirectory() as folder:
        for name, scene, quick in _SCENES:
            if arguments.only in name:
                place = Path(folder) / "problem"
                unknown = write_problem(scene, place)
                referee = snaphu if quick or arguments.all else None
                label = f"{name}, {100 * unknown:.0f} % of edges unknown"
                _compare(label, place, scene.size, solver, referee)
                shutil.rmtree(place)
        if arguments.oracle is not None:
            for kept in sorted(arguments.oracle.glob("T/stage6/snaphu_keep/*"))[:4]:
                place = Path(folder) / kept.name
                shutil.copytree(kept, place, copy_function=shutil.copyfile)
                place.chmod(0o755)
                _compare(f"T {kept.name}", place, _columns(kept), solver, snaphu)


def _compare(label: str, folder: Path, columns: int, solver: Path, snaphu: Path | None) -> None:
    command = [str(solver), str(folder), str(columns), "3"]
    ours = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    cells = (folder / "snaphu.in").stat().st_size // 8
    line = (
        f"{label:<44} {ours['seconds']:8.4f} s  {ours['peak_bytes'] / cells:3.0f} B/cell"
        f"  {ours['residues']:7d} residues  cost {ours['counted']:10d}  gap {ours['gap']}"
    )
    if snaphu is not None:
        theirs = _run_snaphu(snaphu, folder, columns)
        line += f"  SNAPHU {theirs.seconds:8.2f} s, cost {theirs.counted:10d}"
        line += f"  ratio {theirs.seconds / ours['seconds']:.0f}"
    _say(line)


def _run_snaphu(snaphu: Path, folder: Path, columns: int) -> Solved:
    command = [str(snaphu), "-d", "-f", "snaphu.conf", str(columns)]
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - begin
    total = re.search(r"Total solution cost: (-?\d+)", done.stdout)
    return Solved(seconds, int(total.group(1)) if total else -1)


def _columns(kept: Path) -> int:
    """Return the number of columns from the command that the oracle ran."""
    return int((kept / "cmd.txt").read_text().split("snaphu.conf")[1].split()[0])


def _build_solver() -> Path:
    """Build the example that reads SNAPHU's files, and return its path."""
    command = ["cargo", "build", "--release", "--locked", "--quiet", "-p", "pystamps-unwrap"]
    subprocess.run([*command, "--example", "solve_snaphu_files"], cwd=_ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", _ROOT / "target"))
    return target / "release" / "examples" / "solve_snaphu_files"


def _find_snaphu() -> Path | None:
    """Return the executable inside the package, installed if need be."""
    python = _ENVIRONMENT / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(_ENVIRONMENT)], check=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "snaphu"]
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    found = _ENVIRONMENT.glob("lib/python*/site-packages/snaphu/snaphu")
    return next((path for path in found if os.access(path, os.X_OK)), None)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
