"""Texts that Python reads from outside, damaged the same way every time: no traceback, ever."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pystamps_shim.config.files import read_settings
from pystamps_shim.errors import PystampsError
from pystamps_shim.io.dataset import CONTROL_FOLDER, Dataset
from pystamps_shim.pipeline import lock, report, standing
from pystamps_shim.pipeline.types import PipelineContext, RunState
from pystamps_shim.reference.gamma_text import GammaText
from pystamps_shim.report_file import report_target
from pystamps_shim.verification.replays import LEDGER, Ledger

RECORD = {"path": "ps1.mat", "bytes": 10, "identity": "00ff"}
ENTRY = {
    "fingerprint": "ab",
    "algorithm_version": 1,
    "parameters": {"max_topo_err": 20.0, "drop": [1, 2]},
    "inputs": [RECORD],
    "outputs": [RECORD],
    "origin": "replayed",
}
REPORT = {"schema": 1, "state": "done", "results": [{"stage_id": 1, "log": None}], "ledger": {}}
HOLDER = {"pid": 1, "host": "elsewhere", "command": "run"}
TOML = '[execution]\nworkers = 2\nmemory = "4G"\nwhen = 2021-02-24\n[export]\nformats = ["csv"]\n'
YAML = "execution:\n  workers: 2\n  when: 2021-02-24\nexport: {formats: [csv, 1:30, 0x1f, .inf]}\n"
GAMMA = "sensor:  S1A\nheading:  -167.0 degrees\ninitial_baseline(TCN):  0.0  -31.5  57.8  m m m\n"
#: Whole texts that mutations of the others would hardly make.
EXTREMES = (
    b"",
    b"\xff\xfe\x00",
    b"[" * 5_000,
    b'{"stages":' * 5_000,
    b"1" * 5_000,
    b'{"stages":{"1":5}}',
    b'{"stages":{"1":["origin"]}}',
    b'{"stages":{"1":["fingerprint"]}}',
    b'{"stages":["1"]}',
    '{"stages":{"²":{"origin":"replayed"}}}'.encode(),
    b'{"pid":99999999999999999999,"host":""}',
    b"a: 2021-13-45",
    b"a: !!timestamp x",
    b"a: !!bool x",
    b"a: !!float x",
    b"{a: 1, ? {}: 2}",
    b"a = 2021-13-45",
    b"a = " + b"1" * 5_000,
)
TOKENS = [
    *(b"null", b"true", b"-1", b"1e999", b"NaN", b"[]", b"{}", b'""', b'"', b"\\u0000", b":"),
    *(b",", b"\n", b"\x00", b"\xff", b"#", b"!!int", b"&a", b"*a", b"9" * 40),
]


def damages(text: bytes, times: int = 150) -> Iterator[bytes]:
    """Yield the text with bits flipped, cut, spliced, or with a token put in."""
    chance = random.Random(len(text))
    for _ in range(times):
        damaged = bytearray(text)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(damaged) + 1)
            match chance.randrange(5):
                case 0:
                    del damaged[place:]
                case 1:
                    del damaged[place : place + chance.randint(1, 12)]
                case 2:
                    damaged[place:place] = chance.choice(TOKENS)
                case 3:
                    damaged[place : place + chance.randint(1, 8)] = chance.choice(TOKENS)
                case _:
                    start = chance.randrange(len(text))
                    damaged[place:place] = text[start : start + 40]
        yield bytes(damaged)


def ledgers_in_report(path: Path) -> None:
    """Have a finished run copy what the ledger says into its report."""
    dataset = path.parents[1]
    file = report.ReportFile(None, Dataset(dataset, ()), PipelineContext(dataset), "1")
    file.write((), RunState.FINISHED)


def put(dataset: Path, name: str) -> Callable[[bytes], Path]:
    """Return what writes a text to a file of the dataset."""
    path = dataset / name
    path.parent.mkdir(parents=True, exist_ok=True)

    def write(content: bytes) -> Path:
        path.write_bytes(content)
        return path

    return write


def refusing(read: Callable[[], object]) -> None:
    """Read; being refused with a named cause is as good."""
    with contextlib.suppress(PystampsError):
        read()


def gamma(path: Path) -> None:
    text = GammaText(path)
    for key in ("sensor", "heading:", "initial_baseline(TCN):"):
        refusing(lambda key=key: text.numbers(key, 3))  # type: ignore[misc]


REPORT_IN_PLACE = f"{CONTROL_FOLDER}/report.json"
LEDGERS = json.dumps({"schema": 1, "stages": {"1": ENTRY, "prep": ENTRY}})


def last_run(path: Path) -> None:
    standing._last_run(path.parents[1])


def replayed_stages(path: Path) -> None:
    assert Ledger.read(path.parents[1]).replayed <= set(range(10))


@pytest.mark.parametrize(
    ("name", "text", "read"),
    [
        ("report.json", json.dumps(REPORT), report_target),
        (REPORT_IN_PLACE, json.dumps(REPORT), last_run),
        (f"{CONTROL_FOLDER}/run.lock", json.dumps(HOLDER), lock._living_holder),
        (str(LEDGER), LEDGERS, replayed_stages),
        (str(LEDGER), LEDGERS, ledgers_in_report),
        ("settings.json", json.dumps({"execution": {"workers": 2}}), read_settings),
        ("settings.toml", TOML, read_settings),
        ("settings.yaml", YAML, read_settings),
        ("20210224.rslc.par", GAMMA, gamma),
    ],
    ids=["report", "last-run", "lock", "ledger", "ledger-copied", "json", "toml", "yaml", "gamma"],
)
def test_no_text_ends_in_a_traceback(
    tmp_path: Path, name: str, text: str, read: Callable[[Path], object]
) -> None:
    write = put(tmp_path, name)
    read(write(text.encode()))
    for damaged in (*EXTREMES, *damages(text.encode())):
        path = write(damaged)
        refusing(lambda path=path: read(path))  # type: ignore[misc]


def test_damages_are_the_same_every_time_and_differ() -> None:
    text = json.dumps(REPORT).encode()
    first = list(damages(text, 50))
    assert first == list(damages(text, 50))
    assert len(set(first)) > 40
