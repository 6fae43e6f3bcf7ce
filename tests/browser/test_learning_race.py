"""The race in a real browser: it moves while it trains, pauses, goes back, and comes out as it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

DASHBOARD = Path(__file__).parents[2] / "dashboard.py"
Open = Callable[..., Page]


@pytest.fixture
def learning(server: Callable[[Path], str], page_at: Callable[..., Page]) -> Open:
    """Open the page in a new session and wait for its first figure."""

    def start(view: str = "", **looks: Any) -> Page:
        page = page_at(**looks)
        page.goto(f"{server(DASHBOARD)}/learning?{view}")
        page.wait_for_selector(".gx-graph .main-svg", timeout=60_000)
        return page

    return start


def progress(page: Page) -> Locator:
    return page.get_by_text(re.compile(r"^[\d,]+ of [\d,]+ steps"))


def test_the_latch_race_moves_and_comes_out_as_it_says(learning: Open) -> None:
    page = learning()
    page.get_by_role("button", name="Train", exact=True).click()
    expect(progress(page)).to_be_visible(timeout=60_000)
    expect(page.get_by_text(re.compile("After 300 training steps"))).to_be_visible(timeout=120_000)
    said = page.get_by_text(re.compile("After 300 training steps")).inner_text()
    learned, _, guessing = said.partition("have learned it")
    assert "IRNN" in learned and "orthogonal" in learned and "forget bias 3" in learned
    assert "forget bias 1" in guessing and "tanh RNN are at best" in guessing


def test_pause_and_rewind_then_go_on(learning: Open) -> None:
    page = learning("view.race_steps=3000&view.racers=tanh,lstm")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(progress(page)).to_be_visible(timeout=60_000)
    expect(page.get_by_text(re.compile(r"^[1-5],\d{3} of 6,000 steps"))).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Pause").click()
    on = page.get_by_role("button", name="Go on")
    expect(on).to_be_visible(timeout=30_000)
    slider = page.get_by_role("slider", name=re.compile("rewind"))
    expect(slider).to_be_visible(timeout=30_000)
    slider.press("Home")
    expect(page.get_by_text("At the start:")).to_be_visible(timeout=30_000)
    expect(on).to_be_enabled()
    on.click()
    expect(progress(page)).to_be_visible(timeout=30_000)
