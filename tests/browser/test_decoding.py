"""Decoding in a real browser: the table is edited by hand, and the search grows with the slider."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

from playwright.sync_api import Page, expect

from explorer.seq2seq.decoding import TOYS, beam_search

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
    page.wait_for_timeout(1000)
    page.keyboard.press(
        "Enter"
    )  # the grid is the same one, and its keyboard is in the cell below: after A, word A
    expect(cell).to_have_value("0.3")
    page.wait_for_timeout(300)
    cell.fill("0.7")
    cell.press("Enter")
    expect(page).to_have_url(re.compile(r"~0\.1\+0\.25\+0\.2\+0\.05~0\.7\+0\.3"))
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Greedy loses").click()
    expect(page.get_by_text("A beam of 2 finds “B <eos>” (P = 0.1625)")).to_be_visible()
    page.get_by_role("button", name="Edit words and table").click()
    words = page.get_by_role("textbox", name="words")
    words.fill("left right")
    words.press("Enter")
    expect(page).to_have_url(re.compile("left"))
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Greedy loses").click()
    expect(page.get_by_text("A beam of 2 finds “B <eos>” (P = 0.1625)")).to_be_visible()
    page.wait_for_timeout(1500)  # nothing in the closed box brings the words back
    expect(page).not_to_have_url(re.compile("left"))


TREE = "document.querySelector('[data-figure=search_tree] .gx-graph')"


def points(page: Page) -> int:
    """Candidates that are drawn."""
    kinds = "['pruned', 'kept', 'finished', 'cut off']"
    found = f"{TREE}.data.filter((one) => {kinds}.includes(one.name)).map((one) => one.x.length)"
    return sum(page.evaluate(found))


def labels(page: Page) -> tuple[int, int]:
    """Texts that the traces hold, and texts on the screen."""
    held = f"{TREE}.data.filter((one) => one.mode.includes('text')).flatMap((one) => one.text)"
    seen = f"[...{TREE}.querySelectorAll('.textpoint text')].map((one) => one.textContent)"
    return tuple(len([text for text in page.evaluate(of) if text.strip()]) for of in (held, seen))


def test_the_search_grows_without_the_server(
    server: Callable[[Path], str], page_at: Callable[..., Page]
) -> None:
    page = page_at(dark=True)
    sent: list[int] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda data: sent.append(len(data))))
    page.goto(f"{server(DASHBOARD)}/decoding")
    page.wait_for_selector(".gx-graph .main-svg", timeout=60_000)
    page.get_by_role("button", name="Wider is worse").click()
    expect(page.get_by_text("the best is “C <eos>” (P = 0.2)")).to_be_visible(timeout=30_000)
    steps = beam_search(TOYS["wider"].model, width=2, end=3, max_length=8).steps
    counts = list(accumulate(map(len, steps)))
    for _ in range(300):  # until the tree is that of this story: the one before has a slider, too
        if points(page) == counts[-1]:
            break
        page.wait_for_timeout(100)
    slider = page.locator(".gx-scrub input:enabled")
    slider.focus()
    page.wait_for_timeout(800)
    told, drawn = len(sent), []
    page.keyboard.press("Home")
    for _ in range(4):
        page.wait_for_timeout(100)
        drawn.append(points(page))
        page.keyboard.press("ArrowRight")
    assert drawn == counts and len(sent) == told
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text(re.compile("Step 2 of 4: 5 candidates, 2 kept"))).to_be_visible()
    expect(page.get_by_text(re.compile("The best sequence was lost in step 2"))).to_be_visible()
    expect(page).to_have_url(re.compile(r"view\.beam_step=2"))
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page).not_to_have_url(re.compile("beam_step"))  # it has come to the last step, and was released
    assert points(page) == drawn[-1]


def test_a_long_tree_can_be_read_on_a_phone(
    server: Callable[[Path], str], page_at: Callable[..., Page]
) -> None:
    page = page_at(width=390, height=844)
    query = "view.decoding_source=text&view.beam_width=3&view.beam_length=14"
    page.goto(f"{server(DASHBOARD)}/decoding?{query}")
    page.wait_for_selector(".gx-graph .main-svg", timeout=60_000)
    slider = page.locator(".gx-scrub input:enabled")
    slider.focus()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator("[data-figure=search_tree] .gx-plot").bounding_box()["width"] > 800
    page.keyboard.press("Home")
    left = []
    for _ in range(14):
        page.wait_for_timeout(120)
        held, seen = labels(page)
        assert held == seen > 0
        left.append(page.evaluate("document.querySelector('.gx-wider .gx-window').scrollLeft"))
        page.keyboard.press("ArrowRight")
    assert left[-1] > 200  # what is new is in sight
