"""The real dashboard in a real browser: what a person sees, presses, shares and takes away."""

from __future__ import annotations

import csv
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from explorer.experiment import Experiment
from explorer.figures.gradient import TRACES
from explorer.figures.style import GHOSTS
from explorer.lessons.presets import PRESETS
from explorer.link import to_query
from explorer.measures import gradient_norms
from explorer.trace import run

DASHBOARD = Path(__file__).parents[2] / "dashboard.py"
SMALL = Experiment(hidden_size=8, num_steps=40, batch_size=4)
TIMED = ["gradient", "ledger", "spectrum", "weight_gradient", "states"]
Open = Callable[..., Page]


@pytest.fixture
def flow(server: Callable[[Path], str], page_at: Callable[..., Page]) -> Open:
    """Open the page at a query in a new session and wait until it is complete."""

    def start(query: str = to_query(SMALL), *size: int, **looks: Any) -> Page:
        page = page_at(*size, **looks)
        page.goto(f"{server(DASHBOARD)}/?{query}")
        return ready(page)

    return start


@pytest.fixture(scope="module")
def session(server: Callable[[Path], str], browser: Browser) -> Iterator[Page]:
    """One session for the tests that leave the address as they found it, or can undo what they did."""
    context = browser.contexts[0] if browser.contexts else browser.new_context(accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{server(DASHBOARD)}/?{to_query(SMALL)}")
    yield ready(page)
    page.close()


@pytest.fixture
def home(session: Page, server: Callable[[Path], str]) -> Page:
    """The shared session with the small network, whatever an earlier test did."""
    session.emulate_media(color_scheme="light")
    session.set_viewport_size({"width": 1280, "height": 720})
    if urlsplit(session.url).query != to_query(SMALL):
        session.goto(f"{server(DASHBOARD)}/?{to_query(SMALL)}")
    return ready(session)


def undo_all(page: Page) -> None:
    """Back to the settings at the start of the session."""
    while button(page, "undo").is_enabled():
        button(page, "undo").click()
        page.wait_for_timeout(50)  # let the click reach the server before asking whether it rests
        ready(page)


def ready(page: Page) -> Page:
    """Figures and frames are there and the server rests."""
    page.wait_for_selector(".gx-scrub input:enabled", timeout=30_000)
    page.wait_for_selector("[data-test-script-state=notRunning]")
    return page


def draw_all(page: Page) -> Page:
    """Figures below the fold are drawn when they come into sight."""
    for box in page.locator("[data-figure]").all():
        box.scroll_into_view_if_needed()
        expect(box.locator(".gx-graph .main-svg").first).to_be_attached()
    page.locator(".st-key-preset").scroll_into_view_if_needed()
    return page


def setting(page: Page, path: str) -> Locator:
    return page.locator(f".st-key-setting-{path.replace('.', '-')}")


def button(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key} button").first


def numbers(page: Page, figure: str = "gradient", trace: int = 0, axis: str = "y") -> np.ndarray:
    """What Plotly holds of a trace."""
    return np.array(
        page.evaluate(
            """([figure, trace, axis]) => Array.from(
              document.querySelector(`[data-figure=${figure}] .gx-graph`).data[trace][axis])""",
            [figure, trace, axis],
        ),
        float,
    )


def everything(page: Page) -> list[Any]:
    """Every number of every trace of every figure, and the axes; NaN and infinity as text."""
    return list(
        page.evaluate(
            """() => [...document.querySelectorAll('[data-figure]')].map((box) => {
              const plain = (node) => typeof node === "number" ? String(node)
                : node?.length !== undefined && typeof node !== "string" ? Array.from(node, plain) : node;
              const graph = box.querySelector('.gx-graph');
              const traces = graph.data.map(({ name, x, y, z, visible }) =>
                [name, visible, plain(x), plain(y), plain(z)]);
              return [box.dataset.figure, traces, graph.layout.xaxis.range, graph.layout.yaxis.range];
            })"""
        )
    )


def median(experiment: Experiment, state: str = "h") -> np.ndarray:
    return np.median(gradient_norms(run(experiment), state), axis=1)


def expect_drawn(page: Page, experiment: Experiment) -> None:
    """The main curve becomes that of the experiment, and the address holds it."""
    wanted = median(experiment)
    page.wait_for_function(
        """(wanted) => {
          const y = document.querySelector('[data-figure=gradient] .gx-graph')?.data?.[0].y;
          return y?.length === wanted.length && wanted.every((value, i) => Math.abs(value - y[i]) < 1e-9);
        }""",
        arg=wanted.tolist(),
    )
    page.wait_for_function(
        """(wanted) => new URLSearchParams(location.search).toString()
             === new URLSearchParams(wanted).toString()""",
        arg=to_query(experiment),
    )
    ready(page)


def sidebar_number(page: Page, path: str) -> Locator:
    return setting(page, path).get_by_role("slider")


def choose(page: Page, box: Locator, text: str) -> None:
    """Choose from a menu by keyboard: open, type, Enter."""
    field = box.locator("input")
    field.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def tool(page: Page, figure: str, name: str) -> None:
    box = page.locator(f"[data-figure={figure}]")
    box.hover()
    box.get_by_role("button", name=name).click()


def test_opens_offline_without_complaints(
    server: Callable[[Path], str], page_at: Callable[..., Page]
) -> None:
    page, said, hosts = page_at(), [], set()
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    page.goto(server(DASHBOARD))
    expect_drawn(ready(page), Experiment())
    assert page.title() == "Gradient Explorer"
    assert said == []
    assert hosts - {None} == {"127.0.0.1"}
    assert page.locator(".gx-error:visible, [data-testid=stAlert], [data-testid=stException]").count() == 0
    drawn = [box.get_attribute("data-figure") for box in page.locator("[data-figure]").all()]
    assert drawn == [*TIMED[:1], "eigenvalues", *TIMED[1:], "activations"]
    draw_all(page)
    assert said == []


def test_the_main_picture_and_its_controls_need_no_scrolling(flow: Open) -> None:
    page = flow("")
    parts = {
        "preset": page.locator(".st-key-preset"),
        "cell": setting(page, "cell"),
        "initializer": setting(page, "initializer"),
        "pin": button(page, "pin"),
        "undo": button(page, "undo"),
        "reset": button(page, "reset"),
        "copy": page.get_by_role("button", name="Copy link"),
        "verdict": page.get_by_text("The gradient loses"),
        "scrub": page.locator(".gx-scrub"),
        "figure": page.locator("[data-figure=gradient] .gx-plot"),
        "eigenvalues": page.locator("[data-figure=eigenvalues] .gx-plot"),
        "weight scale": setting(page, "weight_scale"),
    }
    for name, part in parts.items():
        box = part.bounding_box()
        assert box, name
        assert box["x"] >= 0 and box["y"] >= 0, (name, box)
        assert box["x"] + box["width"] <= 1280, (name, box)
        assert box["y"] + box["height"] <= 720, (name, box)
    box = parts["figure"].bounding_box()
    assert box and box["height"] >= 300 and box["width"] >= 500
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_a_slider_by_keyboard(home: Page) -> None:
    page = home
    before = numbers(page)
    sidebar_number(page, "weight_scale").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect_drawn(page, SMALL.changed("weight_scale", 1.05))
    assert np.abs(numbers(page) - before).max() > 0.5
    undo_all(page)
    expect_drawn(page, SMALL)


def test_menus_by_keyboard(home: Page) -> None:
    page = home
    choose(page, setting(page, "cell"), "LSTM")
    lstm = SMALL.changed("cell", "lstm")
    expect_drawn(page, lstm)
    np.testing.assert_allclose(numbers(page, trace=TRACES["median_c"]), median(lstm, "c"), atol=1e-12)
    expect(setting(page, "cell-forget_bias")).to_be_visible()
    choose(page, setting(page, "initializer"), "orthogonal")
    expect_drawn(page, lstm.changed("initializer", "orthogonal"))
    undo_all(page)
    expect_drawn(page, SMALL)


def test_a_link_gives_a_stranger_the_same_numbers(flow: Open, browser: Browser) -> None:
    experiment = SMALL.changed("cell", "gru").changed("weight_scale", 1.2345678901234567).changed("seed", 3)
    page = flow(f"{to_query(experiment)}&view.gate=reset&view.sample=2")
    button(page, "pin").click()
    expect(page.locator(".st-key-unpin-0")).to_be_visible()
    sidebar_number(page, "weight_scale").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda url: "weight_scale=1.2345678901234567&" not in url.partition("&pin=")[0])
    ready(page)
    address, here = page.url, everything(draw_all(page))
    assert parse_qs(urlsplit(address).query)["pin"] == [to_query(experiment)]
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    try:
        stranger = context.new_page()
        stranger.goto(address)
        ready(stranger)
        assert everything(draw_all(stranger)) == here
        assert stranger.url == address
        assert stranger.locator("[data-testid=stAlert]").count() == 0
    finally:
        context.close()


def test_scrubbing_is_free_and_the_release_counts(home: Page) -> None:
    page = home
    slider, verdict = page.locator(".gx-scrub input"), page.get_by_text("The gradient loses")
    said, before = verdict.first.text_content(), numbers(page)
    track = slider.bounding_box()
    assert track
    x, y = track["x"] + 9 + (track["width"] - 18) / 4, track["y"] + track["height"] / 2
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    sent: list[object] = []
    client.on("Network.webSocketFrameSent", lambda frame: sent.append(frame))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 15, y, steps=10)
    page.wait_for_function("() => Number(document.querySelector('.gx-value').textContent) > 1.1")
    value = float(page.locator(".gx-value").text_content() or "nan")
    wanted = SMALL.changed("weight_scale", round(value, 6))
    page.wait_for_function(
        """([wanted, old]) => {
          const y = document.querySelector('[data-figure=gradient] .gx-graph').data[0].y;
          return Math.abs(y[0] - wanted) < 1e-4 && Math.abs(y[0] - old) > 0.5;
        }""",
        arg=[median(wanted)[0], before[0]],
    )
    np.testing.assert_allclose(numbers(page), median(wanted), atol=1e-4)
    assert sent == []
    assert "weight_scale" not in page.url
    page.mouse.up()
    expect_drawn(page, wanted)
    assert len(sent) > 0
    expect(sidebar_number(page, "weight_scale")).to_have_attribute("aria-valuetext", f"{value:g}")
    assert verdict.first.text_content() != said
    expect(button(page, "undo")).to_be_enabled()
    button(page, "undo").click()
    expect_drawn(page, SMALL)
    expect(page.locator(".gx-value")).to_have_text("1.00")


def lines(page: Page) -> dict[str, int]:
    """The step at which each figure's cursor stands, read from its pixels."""
    return dict(
        page.evaluate(
            """() => [...document.querySelectorAll('[data-figure]')].flatMap((box) => {
              const line = box.querySelector('.gx-line');
              if (line.hidden) return [];
              const axis = box.querySelector('.gx-graph')._fullLayout.xaxis;
              const left = new DOMMatrix(line.style.transform).m41 - axis._offset;
              return [[box.dataset.figure, Math.round(axis.p2d(left))]];
            })"""
        )
    )


def test_one_cursor_for_all_figures_and_the_equations(home: Page) -> None:
    page = draw_all(home)
    page.get_by_text("Backpropagation through time, term by term").click()
    page.locator("[data-figure=gradient]").scroll_into_view_if_needed()
    assert lines(page) == dict.fromkeys(TIMED, 40)
    box = page.evaluate(
        """() => {
          const graph = document.querySelector('[data-figure=gradient] .gx-graph');
          const { left, top } = graph.getBoundingClientRect();
          const { xaxis, _size } = graph._fullLayout;
          return [left + xaxis._offset + xaxis.d2p(23), top + _size.t + 30];
        }"""
    )
    page.mouse.click(*box)
    assert lines(page) == dict.fromkeys(TIMED, 23)
    title = page.get_by_role("heading", name="Step t =")
    expect(title).to_contain_text("t = 23")
    page.keyboard.press("Shift+ArrowRight")
    assert lines(page) == dict.fromkeys(TIMED, 33)
    expect(title).to_contain_text("t = 33")
    expect(page).to_have_url(re.compile(r"view\.cursor=33"))
    expect(page.locator("[data-testid=stExpanderDetails] .katex").first).to_be_visible()
    assert page.locator(".katex-error").count() == 0
    page.reload()
    assert lines(draw_all(ready(page))) == dict.fromkeys(TIMED, 33)


def test_pins_come_and_go(home: Page) -> None:
    page = home
    button(page, "pin").click()
    expect(page.locator(".st-key-unpin-0")).to_be_visible()
    sidebar_number(page, "weight_scale").focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    unpin = page.locator(".st-key-unpin-0 button").first
    expect(unpin).to_contain_text("weight scale 1")
    expect(page.locator("[data-figure=gradient] .gx-readout")).to_contain_text("weight scale 1")
    ready(page)
    np.testing.assert_allclose(numbers(page, trace=TRACES["ghost_1"]), median(SMALL), atol=1e-12)
    red, green, blue = (int(GHOSTS[0][0][at : at + 2], 16) for at in (1, 3, 5))
    ghost = page.locator(f"[data-figure=gradient] path.js-line[style*='rgb({red}, {green}, {blue})']")
    expect(ghost).to_have_count(1)
    unpin.click()
    expect(page.locator(".st-key-unpin-0")).to_have_count(0)
    expect(ghost).to_have_count(0)
    expect(page.locator("[data-figure=gradient] .gx-readout")).not_to_contain_text("weight scale")
    assert len(numbers(page, trace=TRACES["ghost_1"])) == 0
    assert "pin=" not in page.url
    undo_all(page)


def test_undo_and_reset(flow: Open) -> None:
    page = flow()
    expect(button(page, "undo")).to_be_disabled()
    choose(page, setting(page, "cell"), "GRU")
    expect_drawn(page, SMALL.changed("cell", "gru"))
    button(page, "undo").click()
    expect_drawn(page, SMALL)
    expect(button(page, "undo")).to_be_disabled()
    button(page, "reset").click()
    expect_drawn(page, Experiment())
    assert urlsplit(page.url).query == ""


def test_a_preset_tells_its_story(home: Page) -> None:
    page = home
    choose(page, page.locator(".st-key-preset"), PRESETS["irnn"].title)
    expect_drawn(page, PRESETS["irnn"].experiment)
    np.testing.assert_allclose(numbers(page), 0, atol=1e-12)
    expect(page.get_by_text("The gradient survives")).to_be_visible()
    page.get_by_role("button", name="What should come out?").click()
    expect(page.get_by_text("each step multiplies by exactly 1")).to_be_visible()


def test_copy_link(home: Page) -> None:
    page = home
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.url
    assert to_query(SMALL) in copied


def test_numbers_and_pictures_can_be_taken_away(home: Page, tmp_path: Path) -> None:
    page = home
    with page.expect_download() as download:
        tool(page, "gradient", "Download the numbers as CSV")
    download.value.save_as(tmp_path / "table.csv")
    header, *rows = csv.reader((tmp_path / "table.csv").open(encoding="utf-8"))
    assert header[:2] == ["trace", "time step t"]
    assert "log10" in header[2]
    curve = [float(y) for name, _, y in rows if name == rows[0][0]]
    np.testing.assert_array_equal(curve, numbers(page))
    with page.expect_download() as download:
        tool(page, "gradient", "Download as PNG")
    download.value.save_as(tmp_path / "figure.png")
    png = (tmp_path / "figure.png").read_bytes()
    assert struct.unpack(">II", png[16:24]) == (1280, 720)
    assert len(png) > 10_000


def test_the_snippet_gives_the_drawn_numbers(home: Page) -> None:
    page = home
    choose(page, setting(page, "cell"), "LSTM")
    expect_drawn(page, SMALL.changed("cell", "lstm"))
    page.get_by_text("The same in a notebook").click()
    code = page.locator("[data-testid=stCode] code").inner_text()
    source, _, last = code.strip().rpartition("\n")
    assert last.endswith(".show()")  # would open a browser
    room: dict[str, Any] = {}
    exec(source, room)
    norms = np.median(gradient_norms(room["trace"]), axis=1)
    np.testing.assert_allclose(numbers(page), norms, rtol=0, atol=1e-12)
    undo_all(page)


def test_dark_mode(home: Page) -> None:
    page = home
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        """() => document.querySelector('[data-figure=gradient] .gx-graph')._fullLayout.font.color
             .match(/\\d+/g).every((part) => Number(part) > 150)"""
    )
    look = page.evaluate(
        """() => {
          const graph = document.querySelector('[data-figure=gradient] .gx-graph');
          const page = getComputedStyle(document.querySelector('.stApp'));
          return [page.backgroundColor, graph._fullLayout.font.color,
            getComputedStyle(graph.querySelector('.xtick text')).fill];
        }"""
    )
    background, font, tick = (np.mean([int(part) for part in re.findall(r"\d+", text)[:3]]) for text in look)
    assert background < 60
    assert font > 150
    assert tick > 150


def test_a_phone(home: Page) -> None:
    page = home
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function(
        "() => document.querySelector('[data-figure=gradient] .gx-graph')._fullLayout.width <= 390"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for box in page.locator("[data-figure] .gx-plot").all():
        place = box.bounding_box()
        assert place and place["x"] >= 0 and place["x"] + place["width"] <= 390
        assert place["height"] >= 200
    expect(page.locator("[data-figure=gradient] path.js-line").first).to_be_attached()
    np.testing.assert_allclose(numbers(page), median(SMALL), atol=1e-12)
    scrub = page.locator(".gx-scrub input").bounding_box()
    assert scrub and scrub["width"] >= 100
    assert scrub["x"] + scrub["width"] <= 390


@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
def test_no_label_lies_on_another(home: Page, cell: str) -> None:
    page = home
    wanted = SMALL
    if cell != "RNN":
        choose(page, setting(page, "cell"), cell)
        wanted = SMALL.changed("cell", cell.lower())
    expect_drawn(page, wanted)
    closed = page.locator("[data-testid=stSidebar] details:not([open]) summary")
    while left := closed.count():
        page.wait_for_selector("[data-test-script-state=notRunning]")
        closed.first.click()
        expect(closed).to_have_count(left - 1)
    page.wait_for_timeout(600)  # boxes open in motion
    boxes = page.evaluate(
        """() => [...document.querySelectorAll(`[data-testid=stWidgetLabel] p,
            [data-testid=stSidebar] summary p, [data-testid=stSidebar] [data-baseweb=select],
            .st-key-pin button, .st-key-undo button,
            .st-key-reset button, .gx-copy, .gx-title, .gx-scrub label, .gx-value`)]
          .filter((node) => node.offsetParent && !node.closest('details:not([open])'))
          .map((node) => {
            const range = document.createRange(); // of the words, not of the block they stand in
            range.selectNodeContents(node);
            const measured = node.matches('p, h4, h3') ? range : node;
            const { left, right, top, bottom } = measured.getBoundingClientRect();
            return [node.textContent.trim() || node.className, left, right, top, bottom];
          })"""
    )
    assert len(boxes) > 25
    clashes = [
        (a[0], b[0])
        for k, a in enumerate(boxes)
        for b in boxes[k + 1 :]
        if min(a[2], b[2]) - max(a[1], b[1]) > 1 and min(a[4], b[4]) - max(a[3], b[3]) > 1
    ]
    assert clashes == []
    undo_all(page)


def test_too_large_a_network_is_a_sentence(
    server: Callable[[Path], str], page_at: Callable[..., Page]
) -> None:
    page = page_at()
    page.goto(f"{server(DASHBOARD)}/?hidden_size=512&num_steps=1000&batch_size=64")
    alert = page.locator("[data-testid=stAlert]")
    expect(alert).to_contain_text("GB of memory")
    expect(alert).to_contain_text("your settings are kept")
    expect(sidebar_number(page, "hidden_size")).to_have_attribute("aria-valuetext", "512")
    assert page.locator("[data-testid=stException]").count() == 0
    choose(page, page.locator(".st-key-preset"), PRESETS["non-normal"].title)
    expect_drawn(page, PRESETS["non-normal"].experiment)
    expect(alert).to_have_count(0)


NASTY = "![](/no.png)**b**[l](//e.x)<i>t</i>"


def test_what_a_link_says_is_shown_literally(flow: Open) -> None:
    pinned = SMALL.changed("signal", "text").changed("signal.text", NASTY[:22])
    query = f"{to_query(SMALL)}&weight_scale={quote_plus(NASTY)}&view.sample={quote_plus(NASTY)}"
    page = flow(f"{query}&{quote_plus(NASTY)}=1&pin={quote_plus(to_query(pinned))}")
    for place in (page.locator("[data-testid=stAlert]"), page.locator(".st-key-unpin-0")):
        assert NASTY[:22] in (place.first.text_content() or "")
        assert place.locator("img, a, strong, em, i").count() == 0
    assert NASTY in (page.locator("[data-testid=stAlert]").text_content() or "")


def test_a_pinned_text_keeps_its_angle_brackets(flow: Open) -> None:
    pinned = SMALL.changed("signal", "text").changed("signal.text", "<b>x</b> <a>")
    page = flow(f"{to_query(SMALL)}&pin={quote_plus(to_query(pinned))}")
    expect(page.locator("[data-figure=gradient] .gx-readout")).to_contain_text("“<b>x</b> <a>”")
