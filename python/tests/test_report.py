"""The page of a dataset, read back from its own text: numbers, statistics, what is stated."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.report_scene import scene

from pystamps_shim.cli import main
from pystamps_shim.errors import PystampsError
from pystamps_shim.products.export.formats import FORMATS
from pystamps_shim.products.measurements import Layer, Measurements
from pystamps_shim.products.metadata import metadata_of
from pystamps_shim.products.publish import FOLDER_MARK
from pystamps_shim.products.report import series_blocks
from pystamps_shim.products.report.codec import UNKNOWN, packed
from pystamps_shim.products.report.dataset_facts import (
    Closure,
    Facts,
    Noise,
    facts_of,
    stages_of,
)
from pystamps_shim.products.report.series_blocks import STEPS_MM, SeriesSource, finest_step_mm
from pystamps_shim.products.report.spatial_order import in_spatial_order, morton_order
from pystamps_shim.products.report.summary import Extreme, extremes
from pystamps_shim.products.report.write import SCRIPTS, Written, write_report

COUNT, DATES = 5000, 9
SOURCES = Path(write_report.__code__.co_filename).parent / "page"


class Page:
    """A page's numbers, decoded without any code of ours."""

    def __init__(self, text: str) -> None:
        blocks = re.findall(r'<script type="application/(\S+)" id="(\S+)">(.*?)</script>', text)
        self.about = json.loads(next(body for kind, _, body in blocks if kind == "json"))
        self.blocks = {name: body for kind, name, body in blocks if kind != "json"}

    def numbers(self, name: str, length: int) -> NDArray[np.int64]:
        """Return the rows of a block, [k, length]."""
        data = base64.b64decode(self.blocks[name])
        raw = np.frombuffer(zlib.decompress(data[2:]), dtype=np.uint8).reshape(data[0], -1)
        zigzag = sum(plane.astype(np.int64) << (8 * place) for place, plane in enumerate(raw))
        values = np.where(zigzag % 2, -(zigzag + 1) // 2, zigzag // 2).reshape(-1, length)
        if data[1]:
            values = np.cumsum(values, axis=1)
        return (values + 2**31) % 2**32 - 2**31

    def column(self, name: str) -> NDArray[np.float64]:
        """Return a column in its unit, [N]."""
        per_unit = {each["name"]: each["per_unit"] for each in self.about["columns"]}[name]
        codes = self.numbers(f"column-{name}", self.about["count"])[0]
        return np.where(codes == UNKNOWN, np.nan, codes / per_unit)

    def series_mm(self) -> NDArray[np.float64]:
        """Return all series, [N, D]."""
        step, found = self.about["step_mm"], []
        velocity = np.nan_to_num(self.column("velocity_mm_per_year"))
        for block in range(self.about["blocks"]):
            first = block * self.about["block_ps"]
            part = velocity[first : first + self.about["block_ps"]]
            codes = self.numbers(f"series-{block}", len(part))
            steady = part * np.array(self.about["days"])[:, None] / 365.25 / step
            sums = codes[1:] + codes[0] + np.floor(steady + 0.5)
            found.append(np.where(codes[1:] == UNKNOWN, np.nan, sums * step).T)
        return np.concatenate(found)


def written(
    measurements: Measurements, folder: Path, facts: Facts | None = None, **options: Any
) -> tuple[Written, str]:
    path = folder / "report.html"
    told = write_report(
        path, measurements, metadata_of(measurements), facts or Facts(), folder, **options
    )
    return told, path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def made() -> Measurements:
    """Return measurements in which some numbers are unknown."""
    found = scene(COUNT, DATES)
    assert found.velocity is not None
    found.layer.values[7, :] = np.nan
    found.layer.values[100:140, 3] = np.nan
    found.velocity.values[11] = np.nan
    found.places.coherence[13] = np.nan
    return found


def test_numbers_of_the_page_are_those_of_the_product(made: Measurements, tmp_path: Path) -> None:
    """Each within half a step, unknown where unknown; every PS once."""
    told, text = written(made, tmp_path)
    page = Page(text)
    rows = page.column("ps").astype(int) - 1
    assert sorted(rows) == list(range(COUNT))
    expected = {
        "longitude_deg": (made.places.lonlat_deg[:, 0], 1e-6),
        "latitude_deg": (made.places.lonlat_deg[:, 1], 1e-6),
        "velocity_mm_per_year": (made.velocity_mm_per_year(), 0.01),
        "velocity_std_mm_per_year": (made.velocity_std_mm_per_year(), 0.01),
        "coherence": (made.places.coherence, 0.001),
        "height_m": (made.places.height_m, 0.1),
    }
    for name, (values, step) in expected.items():
        np.testing.assert_allclose(page.column(name), values[rows], rtol=0, atol=step * 0.501)
    series = made.displacement_mm(0, COUNT)[rows]
    assert told == Written(COUNT, DATES, 0.1)
    np.testing.assert_allclose(page.series_mm(), series, rtol=0, atol=0.0501)
    assert np.isnan(page.series_mm()).sum() == DATES - 1 + 40
    line = np.nan_to_num(made.velocity_mm_per_year())[rows][:, None]
    rest = series - line * np.array(page.about["days"]) / 365.25
    np.testing.assert_allclose(page.column("rms_mm"), np.nanstd(rest, axis=1), atol=0.06)


@pytest.mark.parametrize("value", [0, 1, -1, 127, -128, 32768, -(2**31), 2**31 - 1])
def test_any_whole_number_survives(value: int) -> None:
    """Also beside an unknown one, where differences overflow."""
    for other in (0, 3, UNKNOWN):
        codes = np.array([[value, other, value], [other, value, other]], dtype=np.int32)
        page = Page('<script type="application/json" id="about">{}</script>')
        page.blocks["x"] = base64.b64encode(packed(codes)).decode()
        np.testing.assert_array_equal(page.numbers("x", 3), codes)


def test_the_same_dataset_gives_the_same_bytes(made: Measurements, tmp_path: Path) -> None:
    """And no path or time is in them."""
    (tmp_path / "elsewhere").mkdir()
    _, first = written(made, tmp_path)
    _, second = written(made, tmp_path / "elsewhere")
    assert first == second
    assert str(tmp_path) not in first
    assert str(Path.home()) not in first


def test_nothing_is_loaded_from_anywhere(made: Measurements, tmp_path: Path) -> None:
    """No address but the name of the SVG format; the browser is told to refuse all others."""
    _, text = written(made, tmp_path)
    assert set(re.findall(r"https?://[^\s\"'<]+", text)) == {"http://www.w3.org/2000/svg"}
    assert re.findall(r'(?:src|href)="([^#"][^"]*)"', text) == ["data:,"]
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    assert policy[1].startswith("default-src 'none'; ")
    assert "connect-src" not in policy[1]
    for word in ("innerHTML", "insertAdjacentHTML", "document.write", "eval(", "fetch("):
        assert word not in text


def test_texts_of_a_dataset_stay_text(made: Measurements, tmp_path: Path) -> None:
    """Names and parameters may look like HTML, in the page and in its data."""
    name = "</script><script>alert(1)</script><!-- {script} -->"
    metadata = {**metadata_of(made), "dataset": name}
    write_report(tmp_path / "report.html", made, metadata, Facts())
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "&lt;b&gt;&amp;amp;&lt;/b&gt;" in text
    assert Page(text).about["dataset"] == name
    assert text.count('"use strict";') == 1


@pytest.mark.parametrize("step_mm", [0.1, 0.2, 0.5, 1.0])
def test_the_finest_step_that_fits_is_taken(
    made: Measurements, tmp_path: Path, step_mm: float
) -> None:
    """A page obeys its budget; a finer step would not have."""
    found = in_spatial_order(made)
    source = SeriesSource.of(found)
    sizes = {
        step: sum(len(data) for data, _ in source.packed_blocks(step)) * 4 / 3 for step in STEPS_MM
    }
    budget = sizes[step_mm] * 1.03
    assert finest_step_mm(source, budget) == step_mm
    told, text = written(made, tmp_path, budget_bytes=60_000_000)
    assert told.step_mm == 0.1
    assert "displacements to 0.1 mm." in text


def test_a_page_is_no_larger_than_its_budget(tmp_path: Path) -> None:
    """Whatever step follows from it is stated."""
    told, text = written(scene(40_000, 30), tmp_path, budget_bytes=2_300_000)
    assert told.step_mm
    assert told.step_mm > 0.1
    assert len(text.encode()) <= 2_300_000
    assert f"displacements to {told.step_mm:g} mm." in text


def test_more_than_fits_is_refused(made: Measurements) -> None:
    """With what to do about it."""
    with pytest.raises(PystampsError, match="do not fit into one page") as caught:
        finest_step_mm(SeriesSource.of(in_spatial_order(made)), 100)
    assert "--product v-do" in caught.value.remedy


def test_blocks_are_measured_where_there_are_many(
    made: Measurements, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sample tells the size of all within two per cent."""
    monkeypatch.setattr(series_blocks, "BLOCK_PS", 50)
    source = SeriesSource.of(in_spatial_order(made))
    size = sum(len(data) for data, _ in source.packed_blocks(0.1)) * 4 / 3
    assert finest_step_mm(source, size * 1.05) == 0.1
    assert finest_step_mm(source, size * 0.97) > 0.1


def test_velocities_alone_make_a_page(made: Measurements, tmp_path: Path) -> None:
    """Without a standard deviation and coherence, too."""
    assert made.velocity is not None
    layer = replace(made.velocity, values=made.velocity.values[:, :1])
    places = replace(made.places, coherence=np.full(COUNT, np.nan))
    told, text = written(replace(made, velocity=layer, layer=layer, places=places), tmp_path)
    page = Page(text)
    assert told == Written(COUNT, 0, None)
    assert page.about["blocks"] == 0
    names = [each["name"] for each in page.about["columns"]]
    assert names == ["longitude_deg", "latitude_deg", "ps", "velocity_mm_per_year", "height_m"]


def test_an_unplaced_ps_is_left_out_and_the_date_line_is_no_gap(tmp_path: Path) -> None:
    """Longitudes run on beyond 180 in the page."""
    found = scene(400, 4)
    lonlat_deg = found.places.lonlat_deg.copy()
    lonlat_deg[:, 0] = (lonlat_deg[:, 0] - 14.25 + 360) % 360 - 180
    lonlat_deg[5] = np.nan
    places = replace(found.places, lonlat_deg=lonlat_deg)
    told, text = written(replace(found, places=places), tmp_path)
    longitude = Page(text).column("longitude_deg")
    assert told.points == 399
    assert np.ptp(longitude) < 0.4
    assert longitude.max() > 180
    nowhere = replace(places, lonlat_deg=np.full((400, 2), np.nan))
    with pytest.raises(PystampsError, match="no PS has a longitude"):
        written(replace(found, places=nowhere), tmp_path)


def test_neighbours_of_the_order_are_neighbours_on_the_ground() -> None:
    """A grid of 4 x 4 is walked along the curve."""
    x, y = np.meshgrid(np.arange(4.0), np.arange(4.0))
    order = morton_order(np.column_stack([x.ravel(), y.ravel()]))
    assert order[:8].tolist() == [0, 1, 4, 5, 2, 3, 6, 7]


def test_stages_of_a_run_are_put_together(tmp_path: Path) -> None:
    """Patches add up, the largest memory counts, what was kept has no time."""
    results = [
        {"stage_id": 5, "scope": "merged", "status": "skipped_existing", "duration_sec": 0.0},
        {
            "stage_id": 5,
            "scope": "patch",
            "status": "completed",
            "duration_sec": 2.0,
            "memory_peak_bytes": 30_000_000,
        },
        {
            "stage_id": 5,
            "scope": "patch",
            "status": "completed",
            "duration_sec": 3.0,
            "memory_peak_bytes": 20_000_000,
        },
    ]
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"results": results}), encoding="utf-8")
    stages = stages_of(path)
    assert stages is not None
    patches, merged = stages
    assert (patches.targets, patches.seconds, patches.peak_memory_bytes) == (2, 5.0, 30_000_000)
    assert (merged.status, merged.seconds) == ("skipped existing", None)
    for damaged in ("{", "[]", '{"results": []}'):
        path.write_text(damaged, encoding="utf-8")
        assert stages_of(path) is None


def test_what_a_folder_does_not_tell_is_not_recorded(made: Measurements, tmp_path: Path) -> None:
    """The page says so, in every section."""
    dataset = replace(made.dataset, folder=tmp_path)
    facts = facts_of(dataset, ["/no/such/program"], None)
    assert facts == Facts()
    _, text = written(made, tmp_path, facts)
    assert "Timings and memory: not recorded" in text
    assert "Not recorded: ifgstd2.mat is not there." in text
    assert "Not recorded: uw_solver.json is not there." in text
    assert "Certificates of the program: not recorded." in text
    assert "Closure of the small baselines" not in text


def test_charts_of_nothing_known_are_drawn(made: Measurements, tmp_path: Path) -> None:
    """A dataset of NaN everywhere must not stop the page."""
    nothing = np.full(2, np.nan)
    labels = ("20190101_20190113", "20190113_20190125")
    noise = Noise(labels, nothing, np.zeros(2, dtype=bool), (1, 2))
    facts = Facts(noise=noise, closure=Closure(labels, nothing, nothing, np.nan))
    assert made.velocity is not None
    velocity = replace(made.velocity, values=np.full_like(made.velocity.values, np.nan))
    _, text = written(replace(made, velocity=velocity), tmp_path, facts)
    words = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL).lower()
    assert not re.search(r"\bnan\b", words)


def test_certificates_of_unwrapping_are_counted(made: Measurements, tmp_path: Path) -> None:
    """A gap above zero is no proof."""
    solved = [
        {"interferogram": k, "objective": 9, "dual_bound": 9 - k, "gap": k, "residues": 2}
        for k in range(3)
    ]
    facts = Facts(unwrapping={"nodes": 1234, "interferograms": solved})
    _, text = written(made, tmp_path, facts)
    assert "1 of 3 interferograms proven optimal" in text
    assert "Residues: 6 in all, 2 to 2 in one. Grid of 1,234 nodes." in text


def test_only_products_beside_the_page_are_linked(made: Measurements, tmp_path: Path) -> None:
    """By relative names, quoted; of folders those that are products."""
    for name in ("velocity.csv", "a map & more.png", "report.html", ".hidden.csv", "x.json"):
        (tmp_path / name).touch()
    for format_ in FORMATS.values():
        (tmp_path / f"any{format_.suffix or '.png'}").touch()
    for folder, mark in (("ts-do-zarr", FOLDER_MARK), ("ts-do-mintpy", FOLDER_MARK), ("x", "y")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / mark).touch()
    _, text = written(made, tmp_path)
    links = re.findall(r'<li><a href="([^"]+)">([^<]+)</a></li>', text)
    assert links[0] == ("a%20map%20%26%20more.png", "a map &amp; more.png")
    endings = ("csv", "geojson", "gpkg", "kmz", "parquet", "png", "shp", "tif")
    assert [name for name, _ in links[1:]] == [
        *(f"any.{ending}" for ending in endings),
        "velocity.csv",
        "ts-do-mintpy/",
        "ts-do-zarr/",
    ]


def test_a_page_of_velocities_names_its_period(made: Measurements, tmp_path: Path) -> None:
    """It has no dates of its own, but those that the velocities are fitted to."""
    assert made.velocity is not None
    dates = ["20190103", "20190208", "20190304"]
    pairs = ["20190103_20190208", "20190208_20190304"]
    for fitted_to, expected in (
        (dates, "fitted to 3 dates besides the master from 2019-01-03 to 2019-03-04"),
        (pairs, "fitted to 2 interferograms from 2019-01-03 to 2019-03-04"),
    ):
        description = {**made.velocity.description, "fitted_to": fitted_to}
        layer = Layer(made.velocity.values, ("", ""), description)
        _, text = written(replace(made, velocity=layer, layer=layer), tmp_path)
        # In the first lines, the summary and the provenance.
        assert text.count(expected) == 3


def test_half_a_wavelength_of_a_vertical_page_is_that_of_each_point(
    made: Measurements, tmp_path: Path
) -> None:
    """Along the line of sight one number does for all."""
    _, text = written(made, tmp_path)
    about = Page(text).about
    assert about["half_wavelength_mm"] == pytest.approx(27.75)
    assert "half_wavelength_mm" not in [each["name"] for each in about["columns"]]
    incidence = np.linspace(0.5, 0.8, COUNT)
    _, text = written(made.projected(incidence), tmp_path)
    page = Page(text)
    rows = page.column("ps").astype(int) - 1
    assert page.about["half_wavelength_mm"] is None
    expected = 27.75 / np.cos(incidence[rows])
    np.testing.assert_allclose(page.column("half_wavelength_mm"), expected, atol=0.0006)


def test_ps_that_stand_out_are_those_of_the_figures() -> None:
    """Of a few PS of low coherence only the better half is looked at."""
    found = scene(30, 4)
    assert found.velocity is not None
    found.places.coherence[:] = np.linspace(0.5, 0.65, 30)
    found.velocity.values[3, 0] = -90
    found.velocity.values[20, 0] = -40
    found.velocity.values[25, 0] = 40
    assert extremes(found) == [
        Extreme(20, "fastest away"),
        Extreme(25, "fastest towards the satellite"),
    ]
    assert [each.reason for each in extremes(found.projected(np.full(30, 0.6)))] == [
        "fastest down",
        "fastest up",
    ]


def test_page_sources_are_small_and_all_used() -> None:
    """One idea a file, and none forgotten."""
    scripts = sorted(path.stem for path in SOURCES.glob("*.js"))
    assert scripts == sorted(SCRIPTS)
    for path in SOURCES.iterdir():
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) < 400, path
        if path.suffix == ".js":
            assert max(map(len, lines)) <= 100, path


def test_the_command_refuses_what_has_no_velocity(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And an earlier page stays unless it may be replaced."""
    (tmp_path / "page.html").write_text("mine", encoding="utf-8")
    out = ["--out", str(tmp_path / "page.html")]
    assert main(["report", "--dataset", str(tmp_path), *out]) == 2
    assert "--force" in capsys.readouterr().err
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == "mine"
