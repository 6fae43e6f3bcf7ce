"""A real Chromium and a real Streamlit server for the browser tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def find_chromium() -> str:
    """Return the browser's path; a machine without one fails the tests instead of skipping them."""
    for name in (os.environ.get("CHROMIUM_PATH"), *NAMES):
        if name and (path := shutil.which(name)):
            return path
    pytest.fail(
        "no Chromium found; install it (Debian/Ubuntu: sudo apt-get install chromium) or set CHROMIUM_PATH",
        pytrace=False,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the server did not start:\n{log.read_text()[-2000:]}", pytrace=False)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path | str], str]]:
    """Start `streamlit run script` once per script and return its address."""
    running: dict[str, tuple[subprocess.Popen[bytes], str]] = {}

    def start(script: Path | str) -> str:
        name = str(Path(script).resolve())
        if name in running:
            return running[name][1]
        port = free_port()
        options = {
            "server.port": port,
            "server.address": "127.0.0.1",
            "server.headless": "true",
            "server.fileWatcherType": "none",
            "browser.gatherUsageStats": "false",
        }
        flags = [text for option, value in options.items() for text in (f"--{option}", str(value))]
        log = tmp_path_factory.mktemp("server") / "log.txt"
        paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", name, *flags],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": paths},
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        url = f"http://127.0.0.1:{port}"
        running[name] = (process, url)
        wait_until_healthy(url, process, log)
        return url

    yield start
    for process, _ in running.values():
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of the session."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page_at(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages of a given size, light or dark; they share one cache and are closed after the test."""
    pages: list[Page] = []

    def make(width: int = 1280, height: int = 720, dark: bool = False) -> Page:
        context = browser.contexts[0] if browser.contexts else browser.new_context(accept_downloads=True)
        page = context.new_page()
        pages.append(page)
        page.set_default_timeout(15_000)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if dark else "light")
        return page

    yield make
    for page in pages:
        page.close()
