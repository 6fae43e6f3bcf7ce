"""The page Regimes in a real browser: a sweep that moves, stops and goes on, and links that come back."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from explorer.app.regime_choices import Regimes
from explorer.experiment import Experiment
from explorer.link import choices_of, from_query, to_query

DASHBOARD = Path(__file__).parents[2] / "dashboard.py"
SMALL = Experiment(hidden_size=8, num_steps=30, batch_size=2)
SLOW = Experiment(cell={"kind": "lstm"}, hidden_size=128, num_steps=300)
Open = Callable[..., Page]


@pytest.fixture
def regimes(server: Callable[[Path], str], page_at: Callable[..., Page]) -> Open:
    """Open the page in a new session and wait for its first figure."""

    def start(view: str = "", base: Experiment = SMALL, **looks: Any) -> Page:
        page = page_at(**looks)
        page.goto(f"{server(DASHBOARD)}/regimes?{to_query(base)}&{view}")
        page.wait_for_selector(".gx-graph .main-svg", timeout=60_000)
        return page

    return start


def networks(page: Page) -> Locator:
    """How far the sweep is."""
    return page.get_by_text(re.compile(r"^[\d,]+ of [\d,]+ networks"))


def known(page: Page) -> int:
    """How many networks of a running sweep are known."""
    return int(networks(page).inner_text().split(" of ")[0].replace(",", ""))


def grows(page: Page) -> bool:
    """Whether more networks are known within half a minute."""
    before = known(page)
    for _ in range(60):
        page.wait_for_timeout(500)
        if known(page) > before:
            return True
    return False


def test_progress_moves_cancel_stops_and_go_on_goes_on(regimes: Open) -> None:
    page = regimes("view.points=64", SLOW)
    assert grows(page)
    page.get_by_role("button", name="Cancel").click()
    expect(networks(page)).to_contain_text("stopped", timeout=20_000)
    stopped = known(page)
    page.wait_for_timeout(1500)
    assert known(page) == stopped
    page.get_by_role("button", name="Go on").click()
    assert grows(page)
    page.get_by_role("button", name="Cancel").click()
    expect(networks(page)).to_contain_text("stopped", timeout=20_000)


def test_a_click_opens_the_setting_and_back_returns(regimes: Open) -> None:
    page = regimes("view.points=16")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0, timeout=20_000)
    plot = page.locator("[data-figure=phase_diagram] .nsewdrag").first
    box = plot.bounding_box()
    assert box
    page.mouse.click(box["x"] + 0.62 * box["width"], box["y"] + 0.5 * box["height"])
    page.wait_for_selector("[data-figure=gradient] .main-svg", timeout=60_000)
    address = urlsplit(page.url)
    assert address.path == "/"
    found, _ = from_query(address.query)
    assert found.weight_scale == pytest.approx(0.62 * 4, abs=0.2)
    assert found.input_scale == pytest.approx(5, abs=0.5)
    assert found.hidden_size == SMALL.hidden_size and found.batch_size == SMALL.batch_size
    page.go_back()
    page.wait_for_selector("[data-figure=phase_diagram] .main-svg", timeout=60_000)
    assert urlsplit(page.url).path == "/regimes"
    assert parse_qs(urlsplit(page.url).query)["view.points"] == ["16"]


@pytest.mark.parametrize("regime", choices_of(Regimes.model_fields["regime"]))
def test_every_section_fits_on_a_projector(regimes: Open, regime: str) -> None:
    page = regimes(f"view.regime={regime}", width=1280, height=720)
    page.wait_for_selector("[data-test-script-state=notRunning]")
    first = page.locator(".gx-box").first.bounding_box()
    assert first and first["y"] + first["height"] <= 725
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(
        page.locator('[data-testid="stException"], [data-testid="stAlert"], .gx-error:visible')
    ).to_have_count(0)


def test_sections_change_by_a_click(regimes: Open) -> None:
    page = regimes("view.points=16")
    page.get_by_role("radio", name="Mean field").or_(page.get_by_text("Mean field", exact=True)).first.click()
    page.wait_for_selector("[data-figure=chi_curve] .main-svg", timeout=60_000)
    assert parse_qs(urlsplit(page.url).query)["view.regime"] == ["mean_field"]
