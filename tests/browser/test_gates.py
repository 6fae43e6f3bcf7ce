"""The page Gates in a real browser: a click holds a gate, curve and ghost follow, and another releases it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from explorer.experiment import Experiment
from explorer.figures.gradient import TRACES
from explorer.figures.lanes import LANE_TRACES
from explorer.link import to_query
from explorer.measures import gradient_norms
from explorer.trace import run

DASHBOARD = Path(__file__).parents[2] / "dashboard.py"
SMALL = Experiment(cell={"kind": "lstm"}, hidden_size=8, num_steps=40, batch_size=4)
Open = Callable[..., Page]


@pytest.fixture
def gates(server: Callable[[Path], str], page_at: Callable[..., Page]) -> Open:
    """Open the page in a new session and wait until its main figure is drawn."""

    def start(query: str = to_query(SMALL), *size: int, dark: bool = False) -> Page:
        page = page_at(*size, dark=dark)
        page.goto(f"{server(DASHBOARD)}/gates?{query}")
        page.wait_for_selector("[data-figure=held_gradient] .main-svg", timeout=60_000)
        return page

    return start


def drawn(page: Page, figure: str, trace: int) -> np.ndarray:
    """The y values that Plotly holds; gaps are NaN."""
    found = page.evaluate(
        """([figure, trace]) => Array.from(document.querySelector(
          `[data-figure=${figure}] .gx-graph`).data[trace].y, (y) => Number.isFinite(y) ? y : null)""",
        [figure, trace],
    )
    return np.array([np.nan if y is None else y for y in found])


def expect_curve(page: Page, experiment: Experiment) -> None:
    """The main curve becomes the median of this experiment."""
    wanted = np.median(gradient_norms(run(experiment), "c"), axis=1)
    last = len(wanted) - 2  # never an exact 0 here
    page.wait_for_function(
        """([trace, last, wanted, zeros]) => {
          const y = Array.from(document.querySelector('[data-figure=held_gradient] .gx-graph').data[trace].y);
          return Math.abs(y[last] - wanted) < 1e-9 && y.filter((y) => !Number.isFinite(y)).length === zeros;
        }""",
        arg=[TRACES["median_c"], last, float(wanted[last]), int(np.isneginf(wanted).sum())],
    )
    wanted[np.isneginf(wanted)] = np.nan
    np.testing.assert_allclose(drawn(page, "held_gradient", TRACES["median_c"]), wanted, atol=1e-12)


def test_a_click_holds_the_forget_gate_shut_and_another_releases_it(gates: Open) -> None:
    page = gates()
    expect_curve(page, SMALL)
    readout = page.locator("[data-figure=held_gradient] .gx-readout")
    expect(readout).not_to_contain_text("without holds")
    page.locator(".st-key-show-wipe button").first.click()
    held = SMALL.changed("hold", "forget=0@20; input=0@20")
    expect_curve(page, held)
    assert parse_qs(urlsplit(page.url).query)["hold"] == ["forget=0@20; input=0@20"]
    expect(readout).to_contain_text("c without holds")
    ghost = drawn(page, "held_gradient", TRACES["ghost_2"])
    np.testing.assert_allclose(ghost, np.median(gradient_norms(run(SMALL), "c"), axis=1), atol=1e-12)
    direct = drawn(page, "lanes", LANE_TRACES["direct"])
    assert np.isnan(direct[:20]).all() and np.isfinite(direct[20:]).all()
    expect(page.locator("[data-figure=lanes]")).to_contain_text("exactly 0")
    expect(page.get_by_text("The cell path is cut at step 20")).to_be_visible()
    page.locator(".st-key-release-all button").first.click()
    expect_curve(page, SMALL)
    expect(readout).not_to_contain_text("without holds")
    assert "hold" not in parse_qs(urlsplit(page.url).query)


def test_main_picture_and_controls_fit_a_projector(gates: Open) -> None:
    page = gates(to_query(SMALL.changed("hold", "forget=1; input=0")), 1280, 720)
    for selector in (
        ".st-key-setting-cell", ".st-key-show-wipe", ".st-key-hold", ".st-key-release-all",
        "[data-figure=held_gradient] .gx-plot", "[data-figure=lanes] .gx-plot",
    ):  # fmt: skip
        box = page.locator(selector).first.bounding_box()
        assert box and box["y"] >= 40 and box["y"] + box["height"] <= 720, selector


def test_one_cursor_runs_over_all_figures(gates: Open) -> None:
    page = gates()
    page.locator("[data-figure=held_gradient] .gx-flag").focus()
    page.keyboard.press("Home")
    for name in ("lanes", "gate_maps", "unit", "lane_shares", "gate_distribution", "directions"):
        box = page.locator(f"[data-figure={name}]")
        box.scroll_into_view_if_needed()
        expect(box.locator(".main-svg").first).to_be_attached()
        if name not in ("lane_shares", "directions"):  # they begin at step 1
            expect(box.locator(".gx-line")).to_be_visible()
    expect(page.get_by_text("Step t = 1", exact=True)).to_be_visible()


def test_the_menu_keeps_all_settings(gates: Open) -> None:
    page = gates(to_query(SMALL.changed("hold", "forget=1")))
    page.get_by_role("link", name="Gradient flow").click()
    page.wait_for_selector("[data-figure=gradient] .main-svg", timeout=60_000)
    page.wait_for_function("location.search.includes('hold=forget')")
    assert parse_qs(urlsplit(page.url).query)["cell"] == ["lstm"]
