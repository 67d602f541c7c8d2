"""The page of a dataset in a real browser: headless Chromium, no network, software rendering."""

from __future__ import annotations

import csv
import datetime
import json
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pystamps_shim.cli import main
from pystamps_shim.products.measurements import Measurements
from pystamps_shim.products.metadata import metadata_of
from pystamps_shim.products.report.dataset_facts import Facts
from pystamps_shim.products.report.write import BUDGET_BYTES, write_report
from tests.page_in_browser import (
    SCREENSHOTS,
    click,
    contrast,
    emulate,
    luminance,
    numbers,
    picture,
    pixels,
    programs,
    script,
    search,
    selected_ps,
    table,
    text_of,
    until,
    whole_page,
)
from tests.report_scene import scene

if os.environ.get("CI") == "true":
    from selenium import webdriver
else:
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium")

WIDTH, HEIGHT = 1400, 900
LARGE, DATES = 500_000, 61
READY_MS = 2000

#: Moves the map and tells how long a frame took, median and longest.
PAN = """
const [done] = arguments;
const map = document.getElementById("map");
const times = [];
let last = performance.now();
const step = () => {
  times.push(performance.now() - last);
  last = performance.now();
  if (times.length === 24) {
    times.sort((a, b) => a - b);
    return done([times[12], times[23]]);
  }
  map.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
  requestAnimationFrame(step);
};
requestAnimationFrame(step);
"""


Opener = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Return a browser that reaches no network."""
    from selenium.webdriver.chrome.service import Service

    program, driver = programs()
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--enable-unsafe-swiftshader",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--proxy-server=127.0.0.1:9",
        f"--window-size={WIDTH},{HEIGHT}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options=options, service=Service(driver))
    started.set_script_timeout(30)
    started.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    started.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    emulate(started)
    yield started
    started.quit()


@pytest.fixture
def opened(browser: Any) -> Iterator[Opener]:
    """Return a function that opens a page and waits for its map; no error may be left behind."""

    def open_page(path: Path, address: str = "", width: int = WIDTH, height: int = HEIGHT) -> Any:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get("about:blank")
        browser.get(f"file://{path}{address}")
        until(lambda: script(browser, "return document.documentElement.dataset.state") == "ready")
        return browser

    browser.get_log("browser")
    yield open_page
    errors = [each for each in browser.get_log("browser") if each["level"] == "SEVERE"]
    assert not errors, errors
    assert script(browser, "return performance.getEntriesByType('resource').length") == 0


@pytest.fixture(scope="module")
def large() -> Measurements:
    """Return half a million PS."""
    return scene(LARGE, DATES)


@pytest.fixture(scope="module")
def large_page(large: Measurements, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return their page."""
    path = tmp_path_factory.mktemp("large") / "report.html"
    write_report(path, large, metadata_of(large), Facts())
    return path


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small scene, processed from its raw export and reported."""
    folder = tmp_path_factory.mktemp("small")
    made, export = folder / "dataset", folder / "export"
    assert main(["simulate", "--preset", "tiny", "--out", str(export)]) == 0
    assert main(["run", "--export", str(export), "--dataset", str(made)]) == 0
    assert main(["export", "--dataset", str(made), "--format", "csv"]) == 0
    # The run has left a page, made before there was an export to link to.
    assert main(["report", "--dataset", str(made), "--force"]) == 0
    return made


@pytest.fixture(scope="module")
def small() -> Measurements:
    """Return a town's worth of PS."""
    return scene(4000, 40)


@pytest.fixture
def small_page(small: Measurements, tmp_path: Path) -> Path:
    """Return their page."""
    path = tmp_path / "report.html"
    write_report(path, small, metadata_of(small), Facts())
    return path


@pytest.mark.large
def test_half_a_million_points_answer_within_two_seconds(
    opened: Opener, large: Measurements, large_page: Path
) -> None:
    """From the load event to the first frame and an answered click, by software rendering.

    The fastest place among them is found by its coordinates.
    """
    size = large_page.stat().st_size
    assert 20_000_000 < size <= BUDGET_BYTES
    page = opened(large_page)
    timing = "const [n] = performance.getEntriesByType('navigation'); return [n.loadEventEnd, "
    timing += "performance.getEntriesByName('drawn')[0].startTime]"
    loaded, drawn = script(page, timing)
    script(page, "window.scrollTo(0, 0)")
    first = selected_ps(page)
    answered = click(page, 300, 140)
    assert max(drawn - loaded, 0) + answered < READY_MS
    number = selected_ps(page)
    assert number != first
    shown = numbers(table(page), 1)
    np.testing.assert_allclose(shown, large.displacement_mm(number - 1, number)[0], atol=0.051)
    usual, longest = page.execute_async_script(PAN)
    assert usual < 300
    figures = {"bytes": size, "load_ms": loaded, "map_ms": drawn, "click_ms": answered}
    figures |= {"usual_frame_ms": usual, "longest_frame_ms": longest}
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    (SCREENSHOTS / "figures.json").write_text(json.dumps(figures, indent=2), encoding="utf-8")
    time.sleep(0.5)
    picture(page, "large")
    velocity = large.velocity_mm_per_year()
    row = int(np.argmin(velocity))
    longitude, latitude = (f"{each:.6f}" for each in large.places.lonlat_deg[row])
    search(page, f"{latitude}, {longitude}")
    until(lambda: selected_ps(page) == row + 1)
    expected = f"\N{MINUS SIGN}{-velocity[row]:.1f} ± "
    assert text_of(page, "panel-velocity").startswith(expected)


def test_places_are_found_in_either_order(
    opened: Opener, small: Measurements, small_page: Path
) -> None:
    """The answer repeats how it was read; a click in the middle selects the same point."""
    page = opened(small_page)
    row = int(np.argmin(small.velocity_mm_per_year()))
    longitude, latitude = (f"{each:.6f}" for each in small.places.lonlat_deg[row])
    answer = search(page, f"{latitude}, {longitude}")
    assert answer == (
        f"Read as latitude {float(latitude)}°, longitude {float(longitude)}°. "
        "Nearest point: 0 m away."
    )
    until(lambda: selected_ps(page) == row + 1)
    assert "in the other order it lies inside" in search(page, f"{latitude}, {longitude}", "lon")
    search(page, "40.8 N 14.2 E", "lon")
    until(lambda: selected_ps(page) != row + 1)
    search(page, f"{longitude}, {latitude}", "lon")
    until(lambda: selected_ps(page) == row + 1)
    width, height = script(page, "const m = document.getElementById('map');"
                           " return [m.clientWidth, m.clientHeight]")  # fmt: skip
    click(page, width / 3, height / 3)
    assert selected_ps(page) != row + 1
    click(page, width / 2, height / 2)
    assert selected_ps(page) == row + 1
    assert "does not exist: choose the other order" in search(page, "140, 35")
    assert "Type two decimal numbers" in search(page, "Naples")


def test_years_before_the_millennium_are_told_once(opened: Opener, tmp_path: Path) -> None:
    """Each label of the time axis stands once, in its place, from the first year on."""
    path = tmp_path / "report.html"
    found = scene(200, 45, first_date=datetime.date(1992, 5, 1), days_between=67)
    write_report(path, found, metadata_of(found), Facts())
    page = opened(path)
    selected_ps(page)
    read = "return [...document.querySelectorAll('#chart text.across')].map("
    labels = script(page, f"{read}each => each.textContent)")
    places = [float(each) for each in script(page, f"{read}each => each.getAttribute('x'))")]
    assert labels == ["1994", "1996", "1998", "2000"]
    assert np.ptp(np.diff(places)) < 1


def is_selected(page: Any, number: int) -> bool:
    return selected_ps(page) == number


def test_replicas_of_a_vertical_page_are_those_of_the_point(
    opened: Opener, small: Measurements, tmp_path: Path
) -> None:
    """Half a wavelength over the cosine of the point's own incidence angle."""
    path = tmp_path / "report.html"
    incidence = np.linspace(0.3, 1.0, len(small))
    found = small.projected(incidence)
    write_report(path, found, metadata_of(found), Facts())
    page = opened(path)
    page.find_element("id", "replicas").click()
    heights = "return [...document.querySelectorAll('#chart circle title')].map("
    heights += "each => each.textContent.split(': ')[1].split(' ')[0])"
    for row in (5, len(small) - 5):
        longitude, latitude = (f"{each:.6f}" for each in small.places.lonlat_deg[row])
        search(page, f"{latitude}, {longitude}")
        until(partial(is_selected, page, row + 1))
        half_mm = 27.75 / np.cos(incidence[row])
        assert text_of(page, "replicas-text").endswith(f"(±{half_mm:.1f} mm)")
        texts = [[each] for each in script(page, heights)]
        lower, upper, own = numbers(texts, 0).reshape(3, -1)
        np.testing.assert_allclose(upper - own, half_mm, atol=0.11)
        np.testing.assert_allclose(own - lower, half_mm, atol=0.11)


def test_keys_alone_are_enough(opened: Opener, small: Measurements, small_page: Path) -> None:
    """From the skip link to the map, a point, a second one; each is announced."""
    from selenium.webdriver import ActionChains, Keys

    page = opened(small_page)
    keys = ActionChains(page)
    keys.send_keys(Keys.TAB, Keys.ENTER).perform()
    focused = "return document.activeElement.id"
    until(lambda: script(page, focused) == "map")
    first = selected_ps(page)
    keys.send_keys(*[Keys.ARROW_LEFT] * 3, "+", "+", Keys.ENTER).perform()
    until(lambda: selected_ps(page) != first)
    number = selected_ps(page)
    assert f"Selected PS {number}: " in text_of(page, "announcement")
    assert script(page, "return document.getElementById('map').matches(':focus-visible')")
    shown = numbers(table(page), 1)
    np.testing.assert_allclose(shown, small.displacement_mm(number - 1, number)[0], atol=0.051)
    keys.send_keys(*[Keys.ARROW_RIGHT] * 2, Keys.ARROW_UP).perform()
    ActionChains(page).key_down(Keys.SHIFT).send_keys(Keys.ENTER).key_up(Keys.SHIFT).perform()
    until(lambda: "less" in text_of(page, "panel-title"))
    second = int(text_of(page, "panel-title").rsplit(maxsplit=1)[1])
    difference = small.displacement_mm(number - 1, number) - small.displacement_mm(
        second - 1, second
    )
    np.testing.assert_allclose(numbers(table(page), 3), difference[0], atol=0.11)
    picture(page, "comparison")
    missing = "return [...document.querySelectorAll('input, select, button, canvas, svg')].filter("
    missing += "e => !(e.labels?.length || e.ariaLabel || e.textContent.trim() || e.ariaHidden))"
    assert script(page, f"{missing}.map(e => e.outerHTML)") == []


def test_mouse_wheel_and_fingers_move_the_map(opened: Opener, small_page: Path) -> None:
    """A drag selects nothing and keeps the zoom; two fingers and the wheel change it."""
    send = """
    const map = document.getElementById("map");
    map.setPointerCapture = () => {};
    const { left, top } = map.getBoundingClientRect();
    for (const [kind, id, x, y] of arguments[0]) {
      map.dispatchEvent(new PointerEvent(kind, { pointerId: id, button: 0, bubbles: true,
        clientX: left + x, clientY: top + y }));
    }
    """

    def place() -> dict[str, float]:
        time.sleep(0.4)
        pairs = (
            each.split("=") for each in script(page, "return location.hash.slice(1)").split("&")
        )
        return {name: float(value) for name, value in pairs if name in {"lon", "lat", "zoom"}}

    page = opened(small_page)
    first = selected_ps(page)
    drag = [("pointerdown", 1, 300, 200), ("pointermove", 1, 350, 180), ("pointerup", 1, 350, 180)]
    script(page, send, drag)
    moved = place()
    assert moved["zoom"] == 1
    assert moved["lon"] < 14.25 - 0.01
    assert moved["lat"] < 40.85 - 0.003
    assert selected_ps(page) == first
    pinch = [
        ("pointerdown", 1, 300, 200),
        ("pointerdown", 2, 400, 200),
        ("pointermove", 2, 500, 200),
        ("pointerup", 2, 500, 200),
        ("pointerup", 1, 300, 200),
    ]
    script(page, send, pinch)
    assert place()["zoom"] == pytest.approx(2, rel=0.02)
    assert selected_ps(page) == first
    wheel = "document.getElementById('map').dispatchEvent(new WheelEvent('wheel', {deltaY: 243}))"
    script(page, wheel)
    assert place()["zoom"] == pytest.approx(1, rel=0.02)


def test_colours_change_with_range_value_and_size(opened: Opener, small_page: Path) -> None:
    """Each control changes the picture; going back gives the first one again."""
    from selenium.webdriver import Keys

    page = opened(small_page)
    before = picture(page)
    slider = page.find_element("id", "range")
    position = slider.get_attribute("value")
    slider.send_keys(*[Keys.PAGE_DOWN] * 3)
    narrower = picture(page, "narrow-range")
    assert narrower != before
    field = page.find_element("id", "high")
    assert 0 < float(field.get_attribute("value")) < 25
    field.send_keys(Keys.CONTROL + "a")
    field.send_keys("25\n")
    until(lambda: slider.get_attribute("value") == position)
    assert picture(page) == before
    # No number may turn the meaning of the colours.
    for words in ("0", ""):
        script(
            page,
            "arguments[0].value = arguments[1];arguments[0].dispatchEvent(new Event('change'))",
            field,
            words,
        )
        assert field.get_attribute("value") == "25"
        assert page.find_element("id", "low").get_attribute("value") == "-25"
    assert picture(page) == before
    chooser = page.find_element("id", "shown")
    seen = {before, narrower}
    for option in ("velocity_std_mm_per_year", "coherence", "height_m", "rms_mm"):
        script(
            page,
            "arguments[0].value = arguments[1];arguments[0].dispatchEvent(new Event('change'))",
            chooser,
            option,
        )
        seen.add(picture(page, f"colours-{option}"))
    page.find_element("id", "size").send_keys(Keys.END)
    seen.add(picture(page))
    assert len(seen) == 7


def test_the_address_brings_back_view_and_selection(opened: Opener, small_page: Path) -> None:
    """A link shows the same picture and point."""
    page = opened(small_page)
    for _ in range(2):
        page.find_element("id", "closer").click()
    click(page, 200, 200)
    number = selected_ps(page)
    # The address follows a moment after what it tells of.
    wanted = {f"ps={number}", "zoom=2.5600"}
    address = until(
        lambda: (
            (hash_ := script(page, "return location.hash"))
            and wanted <= set(hash_[1:].split("&"))
            and hash_
        )
    )
    seen = pixels(page)
    page = opened(small_page, str(address))
    assert selected_ps(page) == number
    # Coordinates in the address have seven digits: edges of points may differ by a shade.
    assert np.abs(pixels(page) - seen).mean() < 0.5
    assert np.abs(pixels(opened(small_page)) - seen).mean() > 5


def test_without_webgl_the_map_is_drawn_all_the_same(opened: Opener, small_page: Path) -> None:
    """Pixel by pixel, with about as many of them coloured, and as quick to answer."""
    counted = (
        "const c = document.getElementById('points'); const k = document.createElement('canvas');"
        "k.width = c.width; k.height = c.height; const x = k.getContext('2d');"
        "x.drawImage(c, 0, 0); const d = x.getImageData(0, 0, k.width, k.height).data;"
        "let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i] > 127) n += 1; return n;"
    )
    redraw = "document.getElementById('size').dispatchEvent(new Event('input'));"
    renderer = "return document.getElementById('map').dataset.renderer"
    page = opened(small_page)
    assert script(page, renderer) == "GraphicsDrawing"
    wait = "requestAnimationFrame(() => arguments[0]((() => {" + counted + "})()))"
    graphics = page.execute_async_script(redraw + wait)
    page = opened(small_page, "#renderer=2d&zoom=1")
    assert script(page, renderer) == "PlainDrawing"
    plain = page.execute_async_script(redraw + wait)
    picture(page, "without-webgl")
    assert graphics > 10_000
    assert plain == pytest.approx(graphics, rel=0.2)
    assert click(page, 300, 200) < READY_MS


def test_tables_made_in_the_page_hold_the_data(
    opened: Opener, small: Measurements, small_page: Path, tmp_path: Path
) -> None:
    """All points, and the selected series; as files, from the page itself."""
    page = opened(small_page)
    behaviour = {"behavior": "allow", "downloadPath": str(tmp_path)}
    page.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
    page.find_element("id", "all-points").click()
    points = tmp_path / "scene-points.csv"
    until(points.is_file)
    lines = points.read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert len(rows) == len(small)
    for row in rows[::500]:
        place = int(row["ps"]) - 1
        assert float(row["longitude_deg"]) == pytest.approx(
            small.places.lonlat_deg[place, 0], abs=6e-7
        )
        velocity = small.velocity_mm_per_year()[place]
        assert float(row["velocity_mm_per_year"]) == pytest.approx(velocity, abs=0.0051)
    number = selected_ps(page)
    page.find_element("id", "download").click()
    series = tmp_path / f"ps-{number}.csv"
    until(series.is_file)
    lines = series.read_text(encoding="utf-8").splitlines()
    found = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    values = [float(row["displacement_mm"]) for row in found]
    np.testing.assert_allclose(values, small.displacement_mm(number - 1, number)[0], atol=0.051)
    assert [row["date"] for row in found] == [f"{date}" for date in small.dates]
    page.find_element("id", "copy").click()
    until(lambda: text_of(page, "action-answer") == "copied")


def test_hardly_anything_known_is_shown_all_the_same(opened: Opener, tmp_path: Path) -> None:
    """One PS of two dates; then PS of which nothing is known but where they are."""
    path = tmp_path / "one.html"
    one = scene(1, 2)
    write_report(path, one, metadata_of(one), Facts())
    page = opened(path)
    assert selected_ps(page) == 1
    assert len(table(page)) == 2
    picture(page, "one-point")
    some = scene(300, 5)
    assert some.velocity is not None
    for values in (some.velocity.values, some.layer.values):
        values[:] = np.nan
    some.places.coherence[:] = np.nan
    write_report(path, some, metadata_of(some), Facts())
    page = opened(path)
    assert text_of(page, "panel-title") == "No point selected"
    longitude, latitude = some.places.lonlat_deg[7]
    search(page, f"{latitude:.6f} {longitude:.6f}")
    until(lambda: selected_ps(page) == 8)
    assert text_of(page, "panel-velocity") == "\N{EN DASH} mm/yr"
    picture(page, "nothing-known")


def test_velocities_alone_are_a_page_too(opened: Opener, dataset: Path, tmp_path: Path) -> None:
    """Without series, relative to a place: no chart, a star, and the rest works."""
    out = tmp_path / "velocities.html"
    options = ["--product", "v-do", "--reference", "11.307", "44.206", "300", "--bootstrap", "0"]
    assert main(["report", "--dataset", str(dataset), "--out", str(out), *options]) == 0
    page = opened(out)
    first = selected_ps(page)
    click(page, 480, 60)
    assert selected_ps(page) != first
    assert "±" not in text_of(page, "panel-velocity")
    assert " PS around latitude 44.20" in page.find_element("css selector", "header p").text
    shown = "return document.getElementById(arguments[0]).checkVisibility()"
    for name in ("replicas", "copy", "values-table", "one-series"):
        assert not script(page, shown, name)
    picture(page, "velocities-alone")


def test_page_of_a_processed_dataset(opened: Opener, dataset: Path) -> None:
    """From a raw export to the page: its points are those of the exported table."""
    page = opened(dataset / "products" / "report.html")
    with (dataset / "products" / "ts-do.csv").open(encoding="utf-8") as file:
        rows = {int(row["ps"]): row for row in csv.DictReader(file)}
    number = selected_ps(page)
    shown = table(page)
    assert len(shown) == 8
    for date, value, *_ in shown:
        expected = float(rows[number]["D" + date.replace("-", "")])
        assert float(value.replace("\N{MINUS SIGN}", "-")) == pytest.approx(expected, abs=0.051)
    for heading in ("Summary", "Quality", "Run", "Provenance", "Files"):
        assert heading in [each.text for each in page.find_elements("css selector", "h2")]
    assert "interferograms proven optimal" in text_of(page, "quality")
    assert page.find_element("link text", "ts-do.csv").get_attribute("href").startswith("file:")
    page.find_element("id", "replicas").click()
    replicas = "return document.querySelectorAll('#chart circle.replica').length"
    assert script(page, replicas) == 16
    picture(page, "desktop")
    whole_page(page, "desktop-whole", WIDTH)


@pytest.mark.parametrize(("width", "height", "name"), [(420, 800, "phone"), (800, 1100, "tablet")])
def test_small_screens_need_no_sideways_scrolling(
    opened: Opener, dataset: Path, width: int, height: int, name: str
) -> None:
    """Everything lies below each other."""
    page = opened(dataset / "products" / "report.html", width=width, height=height)
    assert script(page, "return document.documentElement.scrollWidth") <= width
    picture(page, name)
    whole_page(page, f"{name}-whole", width)


def test_dark_is_as_legible(opened: Opener, dataset: Path, browser: Any) -> None:
    """Ink on paper has a contrast of 7 and more, soft ink of 4.5."""
    for scheme in ("light", "dark"):
        emulate(browser, scheme)
        page = opened(dataset / "products" / "report.html")
        picture(page, f"scheme-{scheme}")
        names = ("--card", "--page", "--ink", "--soft", "--accent")
        read = "const s = getComputedStyle(document.documentElement);"
        read += "return arguments[0].map(n => s.getPropertyValue(n).trim())"
        card, paper, ink, soft, accent = map(luminance, script(page, read, names))
        for ground in (card, paper):
            assert contrast(ink, ground) > 7
            assert contrast(soft, ground) > 4.5
            assert contrast(accent, ground) > 4.5
    emulate(browser)
