"""What tests of a page do in a browser: wait, click, read, look."""

from __future__ import annotations

import base64
import io
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

SCREENSHOTS = Path(__file__).resolve().parents[1] / "build" / "screenshots"

#: Presses and releases the mouse on the map, and waits until the panel shows another point.
CLICK = """
const [x, y, done] = arguments;
const map = document.getElementById("map");
const title = document.getElementById("panel-title");
const { left, top } = map.getBoundingClientRect();
const before = title.textContent;
const begin = performance.now();
const event = { pointerId: 1, button: 0, bubbles: true, isPrimary: true,
                clientX: left + 1 + x, clientY: top + 1 + y };
map.setPointerCapture = () => {};
new MutationObserver((_, self) => {
  if (title.textContent === before) return;
  self.disconnect();
  done(performance.now() - begin);
}).observe(title, { childList: true, subtree: true, characterData: true });
for (const kind of ["pointerdown", "pointerup"]) map.dispatchEvent(new PointerEvent(kind, event));
"""


def programs() -> tuple[str, str]:
    """Return browser and driver; without them the tests are skipped, in CI they fail."""
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    driver = shutil.which("chromedriver")
    if browser and driver:
        return browser, driver
    reason = "needs chromium and chromedriver"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def emulate(browser: Any, scheme: str = "light") -> None:
    """Set the colours that a reader prefers; movement is unwanted: clicks must not wait for it."""
    features = [
        {"name": "prefers-color-scheme", "value": scheme},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def until(condition: Callable[[], Any], seconds: float = 15) -> Any:
    """Wait until something holds, and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    pytest.fail("the page did not get there in time")


def script(page: Any, text: str, *arguments: Any) -> Any:
    return page.execute_script(text, *arguments)


def text_of(page: Any, name: str) -> str:
    return str(script(page, "return document.getElementById(arguments[0]).textContent", name))


def selected_ps(page: Any) -> int:
    """Return the number of the selected PS."""
    until(lambda: text_of(page, "panel-title").startswith("PS"))
    return int(text_of(page, "panel-title").split()[1])


def click(page: Any, column: float, row: float) -> float:
    """Click on the map; return after how many milliseconds another point is shown."""
    return float(page.execute_async_script(CLICK, column, row))


def table(page: Any) -> list[list[str]]:
    """Return the table of the series as it stands in the page."""
    rows = "return [...document.querySelectorAll('#values-table tbody tr')].map("
    cells = "row => [...row.cells].map(cell => cell.textContent))"
    return [list(row) for row in script(page, rows + cells)]


def numbers(rows: list[list[str]], column: int) -> NDArray[Any]:
    return np.array([float(row[column].replace("\N{MINUS SIGN}", "-")) for row in rows])


def picture(page: Any, name: str = "") -> bytes:
    """Return the map as it looks, and keep the whole screen under a name."""
    if name:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.save_screenshot(str(SCREENSHOTS / f"{name}.png"))
    return bytes(page.find_element("id", "map").screenshot_as_png)


def pixels(page: Any) -> NDArray[Any]:
    """Return the map as it looks, without its buttons, [rows, columns, 3]."""
    from PIL import Image

    with Image.open(io.BytesIO(picture(page))) as image:
        return np.asarray(image.convert("RGB"), dtype=np.int16)[:, :-60]


def whole_page(page: Any, name: str, width: int) -> None:
    """Keep all of a page, also what lies below the screen."""
    height = script(page, "return document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    options = {"captureBeyondViewport": True, "clip": clip}
    shot = page.execute_cdp_cmd("Page.captureScreenshot", options)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    (SCREENSHOTS / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))


def search(page: Any, text: str, order: str = "lat") -> str:
    """Type a place, and return the answer."""
    script(page, "document.getElementById('order').value = arguments[0]", order)
    field = page.find_element("id", "place")
    field.clear()
    field.send_keys(text + "\n")
    return text_of(page, "search-answer")


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb`` (WCAG)."""
    parts = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(first: float, second: float) -> float:
    return (max(first, second) + 0.05) / (min(first, second) + 0.05)
