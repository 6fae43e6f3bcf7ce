"""The gradient movie in a real browser: one slider moves curve, lines and eigenvalues without the server."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, expect

DASHBOARD = Path(__file__).parents[2] / "dashboard.py"
TINY = "view.race_units=8&view.race_length=20&view.race_batch=8&view.racers=lstm"
GRAPH = "document.querySelector('[data-figure={figure}] .gx-graph')"


def trained(page: Page, url: str, steps: int) -> None:
    """Open the section and start the training of one small network."""
    page.goto(f"{url}/learning?view.learning=movie&view.race_steps={steps}&{TINY}")
    page.wait_for_selector("[data-figure=training_movie] .main-svg", timeout=60_000)
    page.get_by_role("button", name="Train", exact=True).click()


def numbers(page: Page, figure: str, trace: int, axis: str) -> np.ndarray:
    """What Plotly holds of a trace."""
    path = f"{GRAPH.format(figure=figure)}.data[{trace}].{axis}"
    return np.array(page.evaluate(f"Array.from({path})"), float)


def rows(page: Page) -> int:
    """Recorded training steps in the heat map."""
    heat = f"{GRAPH.format(figure='training_movie')}?.data.find((trace) => trace.type === 'heatmap')"
    return int(page.evaluate(f"{heat}?.z.length ?? 0"))


def slider_box(page: Page) -> dict[str, float]:
    found = page.locator(".gx-scrub input").bounding_box()
    assert found
    return dict(found)


def shown(page: Page) -> dict[str, Any]:
    """What the slider moves, in all figures."""
    return {
        "line": numbers(page, "training_movie", 0, "y"),
        "point": numbers(page, "training_movie", 2, "y"),
        "curve": numbers(page, "movie_curve", 0, "y"),
        "eigenvalues": numbers(page, "movie_eigenvalues", 0, "x"),
        "gates": numbers(page, "movie_gates", 0, "y"),
    }


def test_the_slider_moves_everything_without_the_server(
    server: Callable[[Path], str], page_at: Callable[..., Page]
) -> None:
    page = page_at(1280, 1200)
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    trained(page, server(DASHBOARD), 40)
    expect(page.get_by_text(re.compile("Over 40 training steps"))).to_be_visible(timeout=60_000)
    page.wait_for_selector("[data-figure=movie_gates] .main-svg")
    page.wait_for_selector("[data-test-script-state=notRunning]")
    page.wait_for_timeout(1000)  # the last word of the page: it rests
    before, count = shown(page), len(sent)
    assert set(before["line"]) == {40}
    track = slider_box(page)
    y = track["y"] + track["height"] / 2
    page.mouse.move(track["x"] + track["width"] - 9, y)
    page.mouse.down()
    page.mouse.move(track["x"] + track["width"] / 2, y, steps=8)
    page.wait_for_timeout(300)
    now = shown(page)
    step = int(page.locator(".gx-value").inner_text())
    assert 0 < step < 40
    for name in ("line", "point", "gates"):
        assert set(now[name]) == {step}
    for name in ("curve", "eigenvalues"):
        assert now[name].shape == before[name].shape
        assert np.abs(now[name] - before[name]).max() > 1e-4
    assert "at t = 1" in page.locator(".gx-caption").inner_text()
    assert len(sent) == count
    page.mouse.move(track["x"] + 9, y, steps=8)
    page.wait_for_timeout(300)
    start = shown(page)
    np.testing.assert_allclose(start["curve"], numbers(page, "movie_curve", 3, "y"), rtol=1e-6)
    np.testing.assert_allclose(start["eigenvalues"], numbers(page, "movie_eigenvalues", 1, "x"), rtol=1e-6)
    assert len(sent) == count
    page.mouse.up()  # one message: the address now names this training step
    expect(page).to_have_url(re.compile(r"view\.movie_step=0"))
    assert set(shown(page)["line"]) == {0}


def test_a_hand_on_the_slider_is_not_disturbed_by_the_training(
    server: Callable[[Path], str], page_at: Callable[..., Page]
) -> None:
    page = page_at(1280, 720)
    trained(page, server(DASHBOARD), 5000)
    for _ in range(300):
        if rows(page) >= 6:
            break
        page.wait_for_timeout(100)
    track = slider_box(page)
    y = track["y"] + track["height"] / 2
    page.mouse.move(track["x"] + track["width"] - 9, y)
    page.mouse.down()
    page.mouse.move(track["x"] + track["width"] / 2, y, steps=6)
    page.wait_for_timeout(200)
    held, step, known = slider_box(page), page.locator(".gx-value").inner_text(), rows(page)
    place, most = page.evaluate(
        "(({ value, max }) => [value, max])(document.querySelector('.gx-scrub input'))"
    )
    for _ in range(300):
        if rows(page) > known + 1:
            break
        page.wait_for_timeout(100)
    assert rows(page) > known + 1  # the map grows meanwhile
    assert slider_box(page) == held
    assert page.locator(".gx-value").inner_text() == step
    slider = page.locator(".gx-scrub input")
    assert [slider.input_value(), slider.get_attribute("max")] == [place, most]
    assert set(numbers(page, "training_movie", 0, "y")) == {float(step)}
    page.mouse.up()
    expect(page).to_have_url(re.compile(rf"view\.movie_step={step}"))
    page.wait_for_function(
        "most => Number(document.querySelector('.gx-scrub input').max) > most", arg=int(most)
    )
    assert page.locator(".gx-value").inner_text() == step
    page.get_by_role("button", name="Pause").click()
