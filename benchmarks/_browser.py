"""What the benchmarks in a real browser share: servers, open pages, the clock from key press to picture."""

from __future__ import annotations

import math
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles

from playwright.sync_api import Browser, Locator, Page, WebSocket, sync_playwright

ROOT = Path(__file__).parents[1]
RUNS, WARM_UP = 11, 2
GOAL = 2.0  # times the floor
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]

_CLOCK = """
const bench = (window.__bench = { since: null, took: null });
addEventListener("keydown", ({ key, timeStamp }) => {
  if (!key.startsWith("Arrow")) return;
  Object.assign(bench, { since: timeStamp, took: null, before: bench.curve?.() });
}, true);
bench.painted = () => {
  const { since } = bench;
  if (since === null) return;
  bench.since = null;
  requestAnimationFrame(() => { bench.took = performance.now() - since; });
};
"""
# The panel counts the pictures of the whole page.
_PANEL = """
let painted = 0;
Object.defineProperty(window, "__panelPainted", {
  get: () => painted,
  set: (count) => { painted = count; bench.painted(); },
});
"""
# Streamlit tells nobody: the curve's path in the document changes.
_CHART = """
bench.curve = () => document.querySelector(".js-plotly-plot path.js-line")?.getAttribute("d");
new MutationObserver(() => {
  const now = bench.curve();
  if (bench.since !== null && now && now !== bench.before) bench.painted();
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["d"] });
"""


class Malfunction(Exception):
    """Something did not happen at all."""


@dataclass
class Case:
    """One open page and its measured times in milliseconds."""

    name: str
    page: Page
    knob: str = "weight scale"
    sent: list[int] = field(default_factory=list)
    received: list[int] = field(default_factory=list)
    fresh: list[float] = field(default_factory=list)
    cached: list[float] = field(default_factory=list)
    kilobytes: float = 0

    @property
    def slider(self) -> Locator:
        """Streamlit's slider; the one inside the figure has the same name."""
        return self.page.locator(f'[data-testid="stSlider"] input[aria-label="{self.knob}"]')

    def listen(self, socket: WebSocket) -> None:
        """Note the size of every message, in both directions."""
        socket.on("framesent", lambda data: self.sent.append(len(data)))
        socket.on("framereceived", lambda data: self.received.append(len(data)))

    def rest(self) -> None:
        """Wait until the script run is over and nothing moves any more."""
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
        self.page.wait_for_timeout(250)
        wrong = self.page.locator('[data-testid="stException"], [data-testid="stAlert"], .gx-error:visible')
        if wrong.count():
            raise Malfunction(f"{self.name} shows: {wrong.first.inner_text()[:300]}")

    def press(self, key: str) -> float:
        """From key press to picture."""
        self.rest()
        self.slider.focus()
        self.received.clear()
        self.page.keyboard.press(key)
        self.page.wait_for_function("window.__bench.took !== null", polling=50)
        took: float = self.page.evaluate("window.__bench.took")
        self.kilobytes = sum(self.received) / 1e3
        # What this page computes after its picture, half a second later, must not slow the next page down.
        self.page.wait_for_timeout(1000)
        self.rest()
        return took

    def scrub(self) -> tuple[list[float], int]:
        """Frame times of a drag through the whole range and back, and how often it spoke to the server."""
        self.rest()
        knob = self.page.locator(".gx-scrub input:enabled")
        knob.wait_for()
        knob.scroll_into_view_if_needed()
        box = knob.bounding_box()
        if box is None:
            raise Malfunction(f"{self.name} has no slider in the figure")
        left, right, height = box["x"] + 1, box["x"] + box["width"] - 1, box["y"] + box["height"] / 2
        mouse, stops = self.page.mouse, 120
        self.page.evaluate("window.__scrubFrames = []")
        seen = set()
        mouse.move(left, height)
        mouse.down()
        self.sent.clear()
        for k in range(2 * stops + 1):
            mouse.move(right - abs(1 - k / stops) * (right - left), height)
            self.page.wait_for_timeout(12)
            if k % 20 == 0:
                seen.add(knob.input_value())
        self.page.wait_for_timeout(300)
        sent = len(self.sent)
        frames: list[float] = self.page.evaluate("window.__scrubFrames")
        mouse.up()
        if len(frames) < RUNS or len(seen) < 7:
            raise Malfunction(f"{self.name}: the drag drew {len(frames)} frames over {len(seen)} stops")
        return frames, sent


@contextmanager
def server(script: Path, folder: Path, log: Path) -> Iterator[str]:
    """A Streamlit server for ``script``; ``folder`` decides which .streamlit/config.toml it reads."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {"server.port": port, "server.address": "127.0.0.1", "server.headless": "true"}
    options["browser.gatherUsageStats"] = "false"
    flags = [f"--{option}={value}" for option, value in options.items()]
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(script), *flags],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": paths},
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    try:
        url, end = f"http://127.0.0.1:{port}", time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                    break
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    raise Malfunction(f"{script.name} did not start:\n{log.read_text()[-2000:]}") from None
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def floor_and_ours() -> Iterator[tuple[Browser, Case, str]]:
    """One headless browser, the smallest app open in it, and the address of our dashboard."""
    with ExitStack() as stack, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = stack.enter_context(server(ROOT / "dashboard.py", ROOT, folder / "ours.log"))
        floor = stack.enter_context(
            server(Path(__file__).with_name("_floor_app.py"), folder, folder / "floor.log")
        )
        browser = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path=browser_path(), args=FLAGS
        )
        stack.callback(browser.close)
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan
        print(
            f"streamlit {version('streamlit')}, plotly {version('plotly')}, Chromium {browser.version}, "
            f"{os.cpu_count()} CPUs, load {load:.1f}; {RUNS} runs in turn"
        )
        yield browser, open_page(browser, "floor", floor, _CHART), ours


def open_page(browser: Browser, name: str, url: str, watch: str = _PANEL, knob: str = "weight scale") -> Case:
    """A page in a window of its own, so that none is throttled as a background tab."""
    page = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
    page.set_default_timeout(60_000)
    page.add_init_script(_CLOCK + watch)
    case = Case(name, page, knob)
    page.on("websocket", case.listen)
    page.goto(url)
    if watch is _PANEL:
        page.wait_for_function("window.__panelPainted > 0")
    else:
        page.wait_for_selector(".js-plotly-plot path.js-line", state="attached")
    return case


def browser_path() -> str:
    """The browser on this machine."""
    for name in (os.environ.get("CHROMIUM_PATH"), *BROWSERS):
        if name and (path := shutil.which(name)):
            return path
    raise Malfunction("no Chromium or Chrome on PATH; sudo apt-get install -y chromium, or set CHROMIUM_PATH")


def measure(cases: list[Case]) -> None:
    """All pages in turn, upwards over new values, then back."""
    for k in range(WARM_UP + RUNS):
        for case in cases:
            took = case.press("ArrowRight")
            if k >= WARM_UP:
                case.fresh.append(took)
    for _ in range(RUNS):
        for case in cases:
            case.cached.append(case.press("ArrowLeft"))


def report(cases: list[Case]) -> None:
    """Medians, quartiles and ratios."""
    floor = cases[0]
    head = f"{'key → picture, ms':24s} {'median':>7s} {'quartiles':>11s} {'÷ floor':>8s}"
    print(f"{head} {'cached':>7s} {'÷ floor':>8s} {'kB':>6s}")
    for case in cases:
        low, middle, high = quantiles(case.fresh, n=4, method="inclusive")
        ratio, again = middle / median(floor.fresh), median(case.cached) / median(floor.cached)
        print(
            f"{case.name:24s} {middle:7.0f} {f'{low:.0f} … {high:.0f}':>11s} {ratio:8.2f} "
            f"{median(case.cached):7.0f} {again:8.2f} {case.kilobytes:6.0f}"
        )
    print(f"goal: at most {GOAL} times the floor. cached: back over the same values.")
