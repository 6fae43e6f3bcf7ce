"""The page Attention in a real browser: the switch lights up the map, a dragged score moves all bars."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect

DASHBOARD = Path(__file__).parents[2] / "dashboard.py"
GRAPH = "document.querySelector('[data-figure={figure}] .gx-graph')"
FIGURES = {"one_score": 2, "score_context": 1, "score_paths": 3}
"""Figure → how many of its traces move."""


def numbers(page: Page, figure: str, trace: int, axis: str = "y") -> np.ndarray:
    """What Plotly holds of a trace, rows of a map one after the other."""
    data = f"{GRAPH.format(figure=figure)}.data[{trace}].{axis}"
    return np.array(page.evaluate(f"Array.from({data}, (row) => row.length ? Array.from(row) : row)"), float)


def test_the_switch_lights_up_the_map(server: Callable[[Path], str], page_at: Callable[..., Page]) -> None:
    page = page_at()
    page.goto(f"{server(DASHBOARD)}/attention?view.attn_on=False")
    page.wait_for_selector("[data-figure=gradient_distance] .main-svg", timeout=60_000)
    before = numbers(page, "attention_map", 0, "z")
    assert before.shape == (12, 20) and before[5, 0] < -6
    page.locator("[class*=attn_on] label").first.click()
    expect(page.get_by_text(re.compile("with additive attention and"))).to_be_visible()
    page.wait_for_function(f"{GRAPH.format(figure='attention_map')}.data[0].z[5][0] > -3")
    after = numbers(page, "attention_map", 0, "z")
    assert (after[:, 0] > before[:, 0] + 3).all()
    expect(page).not_to_have_url(re.compile("attn_on"))


def test_a_dragged_score_moves_everything_without_the_server(
    server: Callable[[Path], str], page_at: Callable[..., Page]
) -> None:
    page = page_at()
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.goto(f"{server(DASHBOARD)}/attention?view.attention=score")
    page.wait_for_selector("[data-figure=score_paths] .main-svg", timeout=60_000)
    page.wait_for_selector("[data-test-script-state=notRunning]")
    page.wait_for_timeout(1000)  # the last word of the page: it rests
    before = {name: [numbers(page, name, k) for k in range(count)] for name, count in FIGURES.items()}
    count = len(sent)
    box = page.locator(".gx-scrub input").bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, y, steps=8)
    page.wait_for_timeout(300)
    scores, weights = (numbers(page, "one_score", k) for k in range(2))
    assert scores[2] > before["one_score"][0][2] + 7.9
    np.testing.assert_allclose(weights, np.exp(scores) / np.exp(scores).sum(), atol=1e-6)
    for name, curves in before.items():
        for k, curve in enumerate(curves):
            assert np.abs(numbers(page, name, k) - curve).max() > 1e-3
    assert page.locator(".gx-caption").inner_text() == "α₃ = 1, ‖∂c/∂h₃‖ = 1"  # to three digits
    assert len(sent) == count
    page.mouse.up()  # one message: the address and the equations now have this score
    expect(page).to_have_url(re.compile(r"view\.attn_push=8"))
    expect(page.get_by_text(re.compile("The attention is sure"))).to_be_visible()


def test_pause_look_back_rewind_and_go_on(
    server: Callable[[Path], str], page_at: Callable[..., Page]
) -> None:
    page = page_at()
    settings = "view.taught_steps=1000&view.taught_hidden=16&view.taught_batch=8"
    page.goto(f"{server(DASHBOARD)}/attention?view.attention=training&{settings}")
    page.wait_for_selector("[data-figure=attention_map_1] .main-svg", timeout=60_000)
    page.get_by_role("button", name="Train", exact=True).click()
    moved = page.get_by_text(re.compile(r"^(1\d\d|[2-9]\d\d|1,\d{3}) of 2,000 steps"))
    expect(moved).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Pause").click()
    rewind = page.get_by_role("button", name=re.compile("^Rewind"))
    slider = page.get_by_role("slider", name=re.compile("at training step"))
    slider.press("Home")
    expect(page.get_by_text("Attention weights αⱼᵢ at step 0")).to_be_visible(timeout=30_000)
    expect(slider).to_be_visible()  # it only looks: later steps are still there
    rewind.click()
    expect(page.get_by_text("At the start:")).to_be_visible(timeout=30_000)
    expect(rewind).to_be_disabled()
    page.get_by_role("button", name="Go on").click()
    expect(moved).to_be_visible(timeout=60_000)
    expect(page).not_to_have_url(re.compile("taught_moment"))  # the newest step is shown again
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Train again")).to_be_visible(timeout=30_000)


def test_hops_sharpen_while_memory_networks_learn(
    server: Callable[[Path], str], page_at: Callable[..., Page]
) -> None:
    page = page_at()
    settings = "view.memory_steps=100&view.memory_batch=16&view.memory_facts=1&view.memory_sentences=3"
    page.goto(f"{server(DASHBOARD)}/attention?view.attention=memory&{settings}")
    page.wait_for_selector("[data-figure=hop_gradient] .main-svg", timeout=60_000)
    before = numbers(page, "memory_story", 0, "z")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("button", name="Train again")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Where each hop looks: 2 hops at step 100")).to_be_visible()
    page.wait_for_function(f"{GRAPH.format(figure='memory_accuracy')}.data[2].x.length > 20")
    after = numbers(page, "memory_story", 0, "z")
    assert before.shape == after.shape == (3, 2) and before.max() < 0.6 < after.max()
    page.get_by_role("slider", name=re.compile("at training step")).press("Home")
    expect(page.get_by_text("Where each hop looks: 2 hops at step 0")).to_be_visible()
    np.testing.assert_array_equal(numbers(page, "memory_story", 0, "z"), before)
