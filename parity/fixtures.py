"""Pytest fixtures shared by the suites: the golden data and the oracle folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from parity.golden import golden_scene
from parity.oracle import ParameterValue, Scene, dataset_after

_REPOSITORY = Path(__file__).resolve().parents[1]
#: The environment variable that names the folder with the oracle.
SHARED_VARIABLE = "PYSTAMPS_SHARED"


@pytest.fixture(scope="session")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Unpack the golden scene P once."""
    return golden_scene(tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="session")
def golden_stages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack what original StaMPS made of the scenes T and T1, laid out like the oracle."""
    return golden_scene(tmp_path_factory.mktemp("golden_stages"), "T").folder.parent


@pytest.fixture(scope="session")
def golden_unwrapping(golden_stages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack stage 6 of the scenes T and T_it2 beside the stages before."""
    folder = golden_scene(tmp_path_factory.mktemp("golden_unwrapping"), "T6").folder.parent
    shutil.copytree(golden_stages / "T", folder / "T", dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def golden_products(golden_unwrapping: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack stages 7 and 8 of the scene T and its products beside the stages before."""
    folder = golden_scene(tmp_path_factory.mktemp("golden_products"), "T8").folder.parent
    shutil.copytree(golden_unwrapping, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Find the folder that holds the oracle: ``$PYSTAMPS_SHARED`` or ``../shared``.

    Without it the test is skipped; in continuous integration that is a failure.
    """
    default = _REPOSITORY.parent / "shared"
    folder = Path(os.environ.get(SHARED_VARIABLE, default)).resolve()
    if folder.joinpath("oracle", "README.md").is_file():
        return folder
    reason = f"no oracle in {folder}; set PYSTAMPS_SHARED to the folder that holds oracle/"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def oracle(shared_dir: Path) -> Path:
    """Return the folder of the oracle scenes."""
    return shared_dir / "oracle"


@pytest.fixture
def processed(oracle: Path, tmp_path: Path) -> Callable[..., Path]:
    """Return a maker of datasets as original StaMPS left them after a stage.

    It takes the scene, the stage, and parameters to change.
    """

    def make(name: str, stage: int, **parameters: ParameterValue) -> Path:
        target = tmp_path / f"{name}_{len(list(tmp_path.iterdir()))}"
        return dataset_after(oracle, name, stage, target, parameters)

    return make
