"""The figure panel in a real browser: drawing, cursor, scrubbing, downloads, themes."""

from __future__ import annotations

import csv
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

DEMO = Path(__file__).with_name("panel_demo.py")
GRAPH = "document.querySelector('[data-figure={id}] .gx-graph')"
FIGURES = ["gradient", "states", "spectrum", "saturation", "loss", "histogram"]
TIMED = ["gradient", "states", "saturation", "loss"]
KNOB = np.round(np.linspace(0.5, 2.0, 61), 6)


def graph(page: Page, figure: str, path: str) -> Any:
    return page.evaluate(f"({GRAPH.format(id=figure)}){path}")


def painted(page: Page) -> int:
    return int(page.evaluate("window.__panelPainted || 0"))


def wait_for_paint(page: Page, before: int) -> None:
    page.wait_for_function("before => (window.__panelPainted || 0) > before", arg=before)


def values(page: Page, figure: str = "gradient", trace: int = 0, axis: str = "y") -> np.ndarray:
    """The numbers a trace holds in the browser."""
    return np.array(page.evaluate(f"Array.from({GRAPH.format(id=figure)}.data[{trace}].{axis})"))


def drawn_y(page: Page, trace: int, point: int) -> float:
    """A point's y, read back from the pixels of its curve."""
    return float(
        page.evaluate(
            """([trace, point]) => {
              const graph = document.querySelector('[data-figure=gradient] .gx-graph');
              const path = graph.querySelectorAll('.scatterlayer .trace path.js-line')[trace];
              const x = graph._fullLayout.xaxis.d2p(point);
              let [low, high] = [0, path.getTotalLength()];
              while (high - low > 0.01) {
                const middle = (low + high) / 2;
                if (path.getPointAtLength(middle).x < x) low = middle; else high = middle;
              }
              return graph._fullLayout.yaxis.p2d(path.getPointAtLength(low).y);
            }""",
            [trace, point],
        )
    )


def cursor_steps(page: Page) -> dict[str, int]:
    """The time step at which each figure's line stands, read back from its pixels."""
    return dict(
        page.evaluate(
            """() => [...document.querySelectorAll('[data-figure]')].flatMap((box) => {
              const line = box.querySelector('.gx-line');
              if (line.hidden) return [];
              const axis = box.querySelector('.gx-graph')._fullLayout.xaxis;
              const middle = new DOMMatrix(line.style.transform).m41 - axis._offset;
              return [[box.dataset.figure, Math.round(axis.p2d(middle) * 100) / 100]];
            })"""
        )
    )


def click_step(page: Page, figure: str, step: int) -> None:
    x, y = page.evaluate(
        """([id, step]) => {
          const graph = document.querySelector(`[data-figure=${id}] .gx-graph`);
          const { left, top } = graph.getBoundingClientRect();
          const { xaxis, _size } = graph._fullLayout;
          return [left + xaxis._offset + xaxis.d2p(step), top + _size.t + _size.h * 0.6];
        }""",
        [figure, step],
    )
    page.mouse.click(x, y)


def put_cursor(page: Page, step: int) -> None:
    """Bring the cursor to a step by keys, whatever an earlier test did."""
    page.locator(".gx-panel").focus()
    page.keyboard.press("Home")
    for _ in range(step // 10):
        page.keyboard.press("Shift+ArrowRight")
    expect_server(page, f"cursor={step} ")


def expect_server(page: Page, pattern: str) -> None:
    expect(page.get_by_text(re.compile(r"^server: "))).to_have_text(re.compile(pattern))


def tool(page: Page, figure: str, name: str) -> None:
    box = page.locator(f"[data-figure={figure}]")
    box.hover()
    box.get_by_role("button", name=name).click()


def open_demo(page: Page, url: str) -> Page:
    """Wait until all figures and the knob's frames are there."""
    page.goto(url)
    wait_for_paint(page, 0)
    page.wait_for_selector(".gx-scrub input:enabled")
    return page


@pytest.fixture
def demo(server: Callable[[Path], str], page_at: Callable[..., Page]) -> Callable[..., Page]:
    """A fresh session, for tests that change what the server draws."""
    return lambda *size, **looks: open_demo(page_at(*size, **looks), server(DEMO))


@pytest.fixture(scope="module")
def page(server: Callable[[Path], str], browser: Browser) -> Iterator[Page]:
    """One session shared by the tests that only look, click and download."""
    context = browser.contexts[0] if browser.contexts else browser.new_context(accept_downloads=True)
    shared = context.new_page()
    shared.set_default_timeout(15_000)
    shared.set_viewport_size({"width": 1280, "height": 720})
    yield open_demo(shared, server(DEMO))
    shared.close()


def test_every_figure_is_drawn(page: Page) -> None:
    assert [box.get_attribute("data-figure") for box in page.locator(".gx-box").all()] == FIGURES
    assert page.locator(".gx-graph .scatterlayer .trace").count() == 5 + 2 + 1 + 1
    assert page.locator(".gx-graph .heatmaplayer image").count() == 1
    assert len(values(page)) == 101
    assert page.locator(".gx-error:visible").count() == 0
    assert page.locator(".modebar-container *").count() == 0
    assert page.evaluate("Object.keys(window).filter((name) => name.startsWith('gx'))") == []


def test_a_click_moves_the_cursor_everywhere(page: Page) -> None:
    put_cursor(page, 40)
    assert cursor_steps(page) == dict.fromkeys(TIMED, 40)
    click_step(page, "states", 71)
    assert cursor_steps(page) == dict.fromkeys(TIMED, 71)
    assert page.locator(".gx-flag:visible").text_content() == "71"
    shown = page.locator(".gx-readout b").nth(1).text_content() or ""
    assert float(shown.replace("−", "-")) == pytest.approx(values(page)[71], abs=5e-4)
    expect_server(page, "cursor=71 .* result=71$")
    assert cursor_steps(page) == dict.fromkeys(TIMED, 71)


def test_keys_move_the_cursor(page: Page) -> None:
    put_cursor(page, 40)
    for key, step in [
        ("ArrowRight", 41),
        ("Shift+ArrowRight", 51),
        ("ArrowLeft", 50),
        ("Home", 0),
        ("End", 100),
    ]:
        page.keyboard.press(key)
        assert cursor_steps(page) == dict.fromkeys(TIMED, step)
    page.keyboard.press("ArrowRight")
    assert cursor_steps(page)["gradient"] == 100
    expect_server(page, "cursor=100 ")


def test_the_line_can_be_dragged(page: Page) -> None:
    put_cursor(page, 40)
    box = page.locator("[data-figure=loss] .gx-line").bounding_box()
    assert box
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 50, middle[1], steps=5)
    steps = cursor_steps(page)
    page.mouse.up()
    assert len(set(steps.values())) == 1
    assert steps["loss"] > 50
    expect_server(page, f"cursor={int(steps['loss'])} ")


def test_scrubbing_needs_no_server(server: Callable[[Path], str], page_at: Callable[..., Page]) -> None:
    page = page_at()
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.goto(server(DEMO))
    page.wait_for_selector(".gx-scrub input:enabled")
    page.wait_for_timeout(300)
    untouched = values(page)
    spectrum = values(page, "spectrum", 1, "x")
    track = page.locator(".gx-scrub input").bounding_box()
    assert track
    start = track["x"] + 9 + (track["width"] - 18) / 3, track["y"] + track["height"] / 2
    before = len(sent)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + 80, start[1], steps=12)
    page.wait_for_timeout(150)
    index = int(page.locator(".gx-scrub input").input_value())
    value = KNOB[index]
    assert value > 1.1
    back = 100 - np.arange(101)
    for cell in range(5):
        wanted = back * (0.35 * np.log10(value) - 0.02 * (5 - cell)) + 0.3 * np.sin(back / (3 + cell)) / 7
        np.testing.assert_array_equal(values(page, trace=cell), wanted.astype(np.float32))
    assert drawn_y(page, 2, 50) == pytest.approx(values(page, trace=2)[50], abs=0.05)
    scaled = values(page, "spectrum", 1, "x")
    np.testing.assert_allclose(scaled, spectrum * value, rtol=1e-12)
    assert "decades over 100 steps" in (page.locator(".gx-caption").text_content() or "")
    assert len(sent) == before
    assert page.locator(".gx-scrub input").bounding_box() == track  # it must not move under the hand

    page.keyboard.press("Escape")  # back to where it was, nothing sent
    page.wait_for_timeout(100)
    np.testing.assert_array_equal(values(page), untouched)
    page.mouse.move(start[0] + 100, start[1])
    page.mouse.up()
    page.wait_for_timeout(200)
    np.testing.assert_array_equal(values(page), untouched)
    assert page.locator(".gx-value").text_content() == "1.000"
    assert len(sent) == before


def test_releasing_the_slider_reaches_the_server(demo: Callable[..., Page]) -> None:
    page = demo()
    count = painted(page)
    slider = page.locator(".gx-scrub input")
    slider.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    index = int(slider.input_value())
    wait_for_paint(page, count)
    expect_server(page, rf"scale={KNOB[index]:.4f} commit={KNOB[index]}")
    page.wait_for_timeout(100)
    assert values(page)[0] == pytest.approx(
        100 * (0.35 * np.log10(KNOB[index]) - 0.1) + 0.3 * np.sin(100 / 3) / 7
    )
    assert slider.is_enabled()
    assert int(slider.input_value()) == index


def test_zoom_outlives_an_update(demo: Callable[..., Page]) -> None:
    page = demo()
    box = page.locator("[data-figure=saturation] .nsewdrag").bounding_box()
    assert box
    y = box["y"] + 40
    page.mouse.move(box["x"] + 30, y)
    page.mouse.down()
    page.mouse.move(box["x"] + 110, y + 60, steps=6)
    page.mouse.up()
    page.wait_for_timeout(400)
    zoomed = graph(page, "saturation", "._fullLayout.xaxis.range")
    assert zoomed[1] - zoomed[0] < 80
    old, count = values(page, "saturation"), painted(page)
    page.get_by_test_id("stNumberInputStepUp").click()
    page.wait_for_function(
        "old => document.querySelector('[data-figure=saturation] .gx-graph').data[0].y[5] !== old", arg=old[5]
    )
    assert painted(page) > count
    assert graph(page, "saturation", "._fullLayout.xaxis.range") == zoomed
    assert cursor_steps(page)["gradient"] == 40


def test_csv_holds_the_drawn_numbers(page: Page, tmp_path: Path) -> None:
    for figure, columns in [("gradient", 3), ("states", 4)]:
        with page.expect_download() as download:
            tool(page, figure, "Download the numbers as CSV")
        assert download.value.suggested_filename == f"gradient-explorer-{figure}.csv"
        download.value.save_as(tmp_path / figure)
        rows = list(csv.reader((tmp_path / figure).open(encoding="utf-8")))
        assert rows[0] == ["trace", "x", "y", "z"][:columns]
        if figure == "gradient":
            assert [row[0] for row in rows[1::101]] == ["tanh RNN", "ReLU RNN", "LSTM", "GRU", "linear"]
            back = 100 - np.arange(101)
            wanted = back * -0.06 + 0.3 * np.sin(back / 5) / 7
            np.testing.assert_array_equal([float(row[2]) for row in rows[1:] if row[0] == "LSTM"], wanted)
        else:
            heat = np.tanh(np.random.default_rng(0).normal(size=(64, 101)).cumsum(axis=1) / 6).astype(
                np.float32
            )
            np.testing.assert_array_equal(
                np.array([float(row[3]) for row in rows[1:]]).reshape(64, 101), heat
            )


def test_pictures_can_be_saved(page: Page, tmp_path: Path) -> None:
    for kind in ["PNG", "SVG"]:
        with page.expect_download() as download:
            tool(page, "gradient", f"Download as {kind}")
        download.value.save_as(tmp_path / kind)
        assert download.value.suggested_filename == f"gradient-explorer-gradient.{kind.lower()}"
    png, svg = (tmp_path / "PNG").read_bytes(), (tmp_path / "SVG").read_text()
    assert struct.unpack(">II", png[16:24]) == (1280, 720)
    assert len(png) > 10_000
    assert "Gradient norm over time" in svg


def test_dark_theme_reaches_the_figures(demo: Callable[..., Page]) -> None:
    page = demo(dark=True)
    light, dark = (
        "rgb(250,250,250)",
        page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor"),
    )
    text = graph(page, "gradient", "._fullLayout.font.color")
    assert min(map(int, re.findall(r"\d+", str(text)))) > 200, light
    assert max(map(int, re.findall(r"\d+", dark))) < 60
    assert graph(page, "gradient", "._fullLayout.paper_bgcolor") == "rgba(0,0,0,0)"
    count = painted(page)
    page.emulate_media(color_scheme="light")
    wait_for_paint(page, count)
    text = graph(page, "gradient", "._fullLayout.font.color")
    assert max(map(int, re.findall(r"\d+", str(text)))) < 100
    rule = graph(page, "gradient", "._fullLayout.shapes[0].line.color")
    assert not str(rule).startswith("token")


def test_a_phone_shows_everything_in_one_column(demo: Callable[..., Page]) -> None:
    page = demo(390, 844)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    boxes = [box.bounding_box() for box in page.locator(".gx-box").all()]
    assert len({round(box["x"]) for box in boxes if box}) == 1
    assert all(box and box["x"] + box["width"] <= 390 for box in boxes)
    names = [
        button.text_content() for button in page.locator("[data-figure=loss] .gx-tools button:visible").all()
    ]
    assert names == ["PNG", "CSV"]
    assert graph(page, "loss", "._fullLayout") is None  # far below the screen: not drawn yet
    page.locator("[data-figure=loss]").scroll_into_view_if_needed()
    page.wait_for_function(
        "document.querySelector('[data-figure=loss] .gx-graph')._fullLayout?.font.size === 12"
    )


def test_figures_come_and_go(demo: Callable[..., Page]) -> None:
    page = demo()
    for shown in (True, False):
        count = painted(page)
        page.get_by_text("gates", exact=True).click()
        wait_for_paint(page, count)
        wanted = [*FIGURES[:3], "gates", *FIGURES[3:], "ledger"] if shown else FIGURES
        assert [box.get_attribute("data-figure") for box in page.locator(".gx-box").all()] == wanted
        assert len(values(page)) == 101
    page.locator(".gx-panel").focus()
    page.keyboard.press("End")
    assert cursor_steps(page) == dict.fromkeys(TIMED, 100)


def test_one_broken_figure_does_not_hurt_the_others(demo: Callable[..., Page]) -> None:
    page = demo()
    page.get_by_text("broken", exact=True).click()
    expect(page.locator("[data-figure=broken] .gx-error")).to_contain_text("could not be drawn")
    assert page.locator(".gx-error:visible").count() == 1
    click_step(page, "gradient", 12)
    expect_server(page, "cursor=12 ")


def test_pages_can_be_switched(demo: Callable[..., Page]) -> None:
    page = demo()
    page.get_by_role("link", name="Other").click()
    expect(page.locator(".gx-panel")).to_have_count(0)
    page.get_by_role("link", name="Again").click()
    expect(page).to_have_url(re.compile("/again$"))
    page.wait_for_selector(".gx-scrub input:enabled")
    assert page.locator(".gx-panel").count() == 1
    assert cursor_steps(page) == dict.fromkeys(TIMED, 40)
    page.reload()
    page.wait_for_selector(".gx-scrub input:enabled")
    assert page.locator(".gx-graph .main-svg").count() > 0


def test_the_slider_waits_for_its_frames(demo: Callable[..., Page]) -> None:
    page = demo()
    page.get_by_text("no frames", exact=True).click()
    page.wait_for_timeout(300)
    page.get_by_test_id("stNumberInputStepUp").click()
    expect(page.locator(".gx-scrub input")).to_be_disabled()
    expect(page.locator(".gx-caption")).to_have_text("computing…")


def test_a_figure_can_be_enlarged_and_explained(page: Page) -> None:
    tool(page, "loss", "Enlarge")
    page.wait_for_timeout(150)
    assert graph(page, "loss", "._fullLayout.width") > 1100
    assert len(set(cursor_steps(page).values())) == 1
    page.keyboard.press("Escape")
    page.wait_for_timeout(150)
    assert graph(page, "loss", "._fullLayout.width") < 600
    page.locator("[data-figure=loss]").get_by_role("button", name="Explain").click()
    expect(page.locator("[data-figure=loss] .gx-explain")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-figure=loss] .gx-explain")).to_be_hidden()


def test_the_read_out_switches_curves_off(page: Page) -> None:
    page.get_by_role("button", name="GRU").click()
    expect(page.locator("[data-figure=gradient] .scatterlayer .trace")).to_have_count(4)
    page.get_by_role("button", name="GRU").click()
    expect(page.locator("[data-figure=gradient] .scatterlayer .trace")).to_have_count(5)


def test_without_plotly_there_is_a_sentence(
    server: Callable[[Path], str], page_at: Callable[..., Page]
) -> None:
    page = page_at()
    page.route("**/plotly.min.js*", lambda route: route.abort())
    page.goto(server(DEMO))
    expect(page.locator(".gx-error:visible")).to_contain_text("Plotly's script did not load")


def test_copy_link(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    expect(page.get_by_role("button", name="Copy link")).to_be_visible()
