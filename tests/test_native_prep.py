"""Native preparation: the master it finds, and the same bytes for any number of threads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from parity.chain import preparation_options
from parity.oracle import Scene
from parity.stages import compare_stage

Native = Callable[..., object]


def prepare(native: Native, scene: Scene, dataset: Path, *extra: object) -> Path:
    """Prepare `scene` with the settings original StaMPS was given, but for the master."""
    options = preparation_options(scene.name)
    del options[options.index("--master") :]
    native("prep", "snap", "--export", scene.export, "--dataset", dataset, *options, *extra)
    return dataset


def test_the_master_is_found(native: Native, golden: Scene, tmp_path: Path) -> None:
    """Nobody named it, and everything is the original's."""
    dataset = prepare(native, golden, tmp_path / "dataset")
    report = compare_stage(0, golden.stage("stage0_prep"), dataset, golden.substitutions)
    assert report.compared > 50
    assert not report.differences, str(report)


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the files StaMPS knows, by name; parms.mat holds the day of the run."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    names = {path: path.relative_to(folder).as_posix() for path in paths}
    return {
        name: path.read_bytes()
        for path, name in names.items()
        if not name.startswith(".") and name != "parms.mat"
    }


def test_same_bytes_for_any_thread_count(native: Native, golden: Scene, tmp_path: Path) -> None:
    """One, two and seven threads write the same files."""
    results = [
        files_of(prepare(native, golden, tmp_path / f"threads{count}", "--threads", count))
        for count in (1, 2, 7)
    ]
    assert len(results[0]) > 50
    assert results[0] == results[1] == results[2]
