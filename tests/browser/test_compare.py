"""The page Compare in a real browser: choosing, moving the cursor, what fits on a projector."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from explorer.experiment import Experiment
from explorer.lessons.architectures import ARCHITECTURES, MOST
from explorer.link import to_query

DASHBOARD = Path(__file__).parents[2] / "dashboard.py"
SMALL = Experiment(hidden_size=8, num_steps=40, batch_size=4)
Open = Callable[..., Page]


@pytest.fixture
def compare(server: Callable[[Path], str], page_at: Callable[..., Page]) -> Open:
    """Open the page in a new session and wait until run times are there: all is drawn and rests."""

    def start(view: str = "", base: Experiment = SMALL, **looks: Any) -> Page:
        page = page_at(**looks)
        page.goto(f"{server(DASHBOARD)}/compare?{to_query(base)}&{view}")
        return ready(page)

    return start


def ready(page: Page) -> Page:
    expect(page.locator("p.compare")).to_contain_text(re.compile("median of|one run"), timeout=30_000)
    page.wait_for_selector("[data-test-script-state=notRunning]")
    return page


def figure(page: Page, name: str) -> Locator:
    return page.locator(f"[data-figure={name}]")


def chips(page: Page) -> list[str]:
    """The curves that the read-out names."""
    return [
        chip.get_attribute("title") or ""
        for chip in figure(page, "compare_gradient").locator(".gx-chip").all()
    ]


def rows(page: Page) -> list[str]:
    return page.locator(".compare td:first-child").all_inner_texts()


def test_a_second_architecture_brings_its_curve_its_row_and_its_states(compare: Open) -> None:
    page = compare("view.architectures=tanh")
    assert chips(page) == rows(page) == ["tanh RNN"]
    lines = figure(page, "compare_gradient").locator("path.js-line")
    expect(lines).to_have_count(1)
    page.locator("[data-testid=stMultiSelect] input").click()
    page.keyboard.type("minimal gated")  # a click is lost while the menu opens on a machine under load
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(lines).to_have_count(2)
    page.keyboard.press("Escape")
    assert chips(page) == rows(ready(page)) == ["tanh RNN", "minimal gated unit"]
    assert parse_qs(urlsplit(page.url).query)["view.architectures"] == ["tanh,mgu"]
    figure(page, "small_states").scroll_into_view_if_needed()
    expect(figure(page, "small_states")).to_contain_text("minimal gated unit")


def test_the_drawing_follows_the_cursor(compare: Open) -> None:
    page = compare("view.architectures=lstm,gru&view.cursor=20")
    drawing = figure(page, "unrolled")
    drawing.scroll_into_view_if_needed()
    ticks = drawing.locator(".xtick")
    expect(ticks.filter(has_text="20")).to_have_count(1)
    flag = figure(page, "compare_gradient").locator(".gx-flag")
    flag.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(ticks.filter(has_text="23")).to_have_count(1)
    expect(ticks.filter(has_text="24")).to_have_count(0)
    expect(drawing.locator(".gx-graph")).to_have_attribute("aria-label", re.compile("at step 23 "))
    mark, line = (
        drawing.locator(what).bounding_box() for what in (".shapelayer path[data-index='0']", ".gx-line")
    )
    assert mark and line
    assert mark["x"] < line["x"] + line["width"] / 2 < mark["x"] + mark["width"]
    assert parse_qs(urlsplit(page.url).query)["view.cursor"] == ["23"]


def test_a_click_into_the_drawing_moves_the_cursor_of_all(compare: Open) -> None:
    page = compare("view.architectures=lstm,gru&view.cursor=20")
    drawing = figure(page, "unrolled")
    drawing.scroll_into_view_if_needed()
    tick = drawing.locator(".xtick").filter(has_text="12").bounding_box()
    plot = drawing.locator(".gx-plot").bounding_box()
    assert tick and plot
    page.mouse.click(tick["x"] + tick["width"] / 2, plot["y"] + 60)
    expect(figure(page, "compare_gradient").locator(".gx-flag")).to_have_text("12")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("count", [2, MOST])
def test_selection_table_and_main_figure_share_a_projector_s_screen(
    compare: Open, count: int, dark: bool
) -> None:
    names = ",".join(list(ARCHITECTURES)[:count])
    page = compare(f"view.architectures={names}", Experiment(), width=1280, height=720, dark=dark)
    for part in (".stMultiSelect", ".compare table", "[data-figure=compare_gradient]"):
        box = page.locator(part).first.bounding_box()
        assert box and box["y"] >= 40 and box["y"] + box["height"] <= 720, part
        assert box["x"] + box["width"] <= 1280, part
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_settings_stay_when_another_page_is_opened(compare: Open) -> None:
    page = compare("view.architectures=tanh,mgu")
    page.get_by_role("link", name="Gradient flow").click()
    page.wait_for_selector("[data-figure=ledger]")
    page.get_by_role("link", name="Compare architectures").click()
    assert rows(ready(page)) == ["tanh RNN", "minimal gated unit"]
    assert parse_qs(urlsplit(page.url).query)["num_steps"] == ["40"]


def test_on_a_phone_the_table_scrolls_and_the_page_does_not(compare: Open) -> None:
    page = compare("view.architectures=tanh,lstm,gru", width=390, height=844)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("(e => e.scrollWidth > e.clientWidth)(document.querySelector('div.compare'))")
