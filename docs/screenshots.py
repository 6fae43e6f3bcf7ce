"""Make the pictures of the README from the running dashboard: ``.venv/bin/python docs/screenshots.py``.

Needs what the browser tests need (requirements-dev.txt and a Chromium or Chrome on PATH). The pictures are
reduced to 256 colours, which keeps each of them well below 400 kB.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1440, "height": 900}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Name of the picture → address of the page, what is there once all is drawn, and a button pressed before.
PICTURES: dict[str, tuple[str, ...]] = {
    "gradient-flow": ("?cell=lstm&cell.forget_bias=1&pin=cell%3Dlstm&pin=", ".gx-scrub input:enabled"),
    "gates": ("gates?cell=lstm&hold=forget%3D1%3B+input%3D0", "[data-figure=gate_maps] .main-svg"),
    "compare": (
        "compare?view.architectures=tanh,irnn,lstm,clockwork,stacked-residual&view.drawn=stacked-residual",
        "p.compare:has-text('median of')",
    ),
    "regimes": ("regimes?cell=lstm&view.points=64", "[data-figure=phase_diagram] .main-svg"),
    "learning": ("learning", "button:has-text('Go on')", "Train"),
    "attention": ("attention", "[data-figure=gradient_distance] .main-svg"),
    "decoding": ("decoding", "[data-figure=search_tree] .main-svg"),
}


@contextmanager
def dashboard() -> Iterator[str]:
    """The dashboard's address while it runs on a free port of this computer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    flags = ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    process = subprocess.Popen([sys.executable, "-m", "streamlit", "run", "dashboard.py", *flags], cwd=ROOT)
    url, end = f"http://127.0.0.1:{port}", time.monotonic() + 120
    try:
        while process.poll() is None and time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                    break
            except OSError:
                time.sleep(0.2)
        else:
            sys.exit("The dashboard did not start.")
        yield url
    finally:
        process.terminate()
        process.wait(10)


def browser_path() -> str:
    """The browser on this computer."""
    for name in (os.environ.get("CHROMIUM_PATH"), *BROWSERS):
        if name and (path := shutil.which(name)):
            return path
    sys.exit("No Chromium or Chrome on PATH.")


def main() -> None:
    """Take all pictures."""
    IMAGES.mkdir(exist_ok=True)
    with dashboard() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
        page = browser.new_context(viewport=SIZE, color_scheme="light").new_page()
        page.set_default_timeout(120_000)
        for name, (address, drawn, *pressed) in PICTURES.items():
            page.goto(f"{url}/{address}")
            for label in pressed:
                page.get_by_role("button", name=label, exact=True).click()
            page.wait_for_function("window.__panelPainted > 0")
            page.wait_for_selector(drawn)
            page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
            page.wait_for_timeout(1500)  # transitions
            picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
            path = IMAGES / f"{name}.png"
            picture.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
                path, optimize=True
            )
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1e3:.0f} kB")
        browser.close()


if __name__ == "__main__":
    main()
