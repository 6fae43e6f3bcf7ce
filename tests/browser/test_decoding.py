"""Decoding in a real browser: the table is edited by hand, and the search grows with the slider."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

DASHBOARD = Path(__file__).parents[2] / "dashboard.py"


def test_editing_a_cell_changes_the_search_and_the_link(
    server: Callable[[Path], str], page_at: Callable[..., Page]
) -> None:
    page = page_at()
    page.goto(f"{server(DASHBOARD)}/decoding")
    page.wait_for_selector(".gx-graph .main-svg", timeout=60_000)
    expect(page.get_by_text("A beam of 2 finds “B <eos>” (P = 0.1625)")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Edit words and table").click()
    table = page.get_by_test_id("stDataFrame")
    expect(table).to_be_visible()
    page.wait_for_timeout(500)  # the grid draws itself on a canvas
    box = table.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 108, box["y"] + 52)  # after <bos>, word A
    page.keyboard.press("Enter")
    cell = page.locator("#portal input")
    expect(cell).to_have_value("0.5")
    page.wait_for_timeout(300)  # the grid gives the keyboard to the cell
    cell.fill("0.1")
    cell.press("Enter")
    expect(page.get_by_text("The row of <bos> adds up to 0.6: it is divided by that.")).to_be_visible()
    expect(page).to_have_url(re.compile(r"view\.decoding_toy=A\+B\+C~0\.1\+0\.25"))
    expect(page.get_by_text("A beam of 2 finds “B <eos>” (P = 0.2708)")).to_be_visible()


def test_the_search_grows_with_the_keys(server: Callable[[Path], str], page_at: Callable[..., Page]) -> None:
    page = page_at(dark=True)
    page.goto(f"{server(DASHBOARD)}/decoding")
    page.wait_for_selector(".gx-graph .main-svg", timeout=60_000)
    page.get_by_role("button", name="Wider is worse").click()
    expect(page.get_by_text("the best is “C <eos>” (P = 0.2)")).to_be_visible(timeout=30_000)
    slider = page.get_by_role("slider", name=re.compile("step of the search"))
    slider.press("Home")
    expect(page.get_by_text("Step 1 of 4: 3 candidates, 2 kept.")).to_be_visible()
    slider.press("ArrowRight")
    expect(page.get_by_text(re.compile("The best sequence was lost in step 2"))).to_be_visible()
