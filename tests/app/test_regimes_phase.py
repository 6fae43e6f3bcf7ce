"""The phase diagram in Streamlit's own test runner: every axis, measure and cell, links, bad input."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.app.regimes.phase import axis_titles, axis_values
from explorer.cells import CELLS
from explorer.experiment import Experiment
from explorer.link import from_query, to_query
from explorer.sweep import MEASURES, sweep
from tests.app.payload import open_groups, panel_of

ROOT = Path(__file__).parents[2]
PAGE = "explorer/app/pages/regimes.py"
SMALL = Experiment(hidden_size=4, num_steps=8, batch_size=3)


def open_page(experiment: Experiment = SMALL, view: str = "") -> AppTest:
    """A new session that comes to the page at an address, once its map is whole."""
    at = open_groups(AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60))
    at.session_state["groups"] |= {"phase": True}
    at.query_params = parse_qs(f"{to_query(experiment)}&view.points=16&{view}", keep_blank_values=True)
    return whole(at.switch_page(PAGE).run())


def whole(at: AppTest) -> AppTest:
    assert not at.exception, at.exception
    for _ in range(200):
        if not [item for item in at.button if item.key == "sweep:stop"]:
            break
        time.sleep(0.05)
        at.run()
    assert not at.exception, at.exception
    assert not at.error, at.error[0].value
    return at


def map_of(at: AppTest) -> dict[str, Any]:
    return panel_of(at, "regimes-phase")["figures"]["phase_diagram"]


def menu(at: AppTest, key: str) -> Any:
    return next(
        item for kind in (at.selectbox, at.select_slider, at.slider) for item in kind if item.key == key
    )


def test_the_map_shows_the_numbers_of_a_sweep() -> None:
    at = open_page()
    heat = map_of(at)["data"][0]
    x, y = heat["x"], heat["y"]
    base = SMALL.changed("batch_size", 1).changed("dtype", "float32")
    found = sweep(base, {"input_scale": y, "weight_scale": x}).to_numpy()
    shown = np.where(np.isfinite(found), found, np.nan)
    np.testing.assert_allclose(heat["customdata"], shown, rtol=1e-5)  # maps travel as float32
    assert (len(x), len(y)) == (16, 16)
    zeros = map_of(at)["data"][1]
    assert len(zeros["x"]) == (found == -np.inf).sum() > 0
    assert set(zeros["x"]) == {0.0}  # nothing returns through W_hh = 0


def test_the_median_of_the_seeds_is_shown() -> None:
    heat = map_of(open_page(view="view.seeds=3"))["data"][0]
    over = {"input_scale": heat["y"], "weight_scale": heat["x"][1:], "seed": [0, 1, 2]}
    found = sweep(SMALL.changed("batch_size", 1).changed("dtype", "float32"), over).median("seed").to_numpy()
    np.testing.assert_allclose(heat["customdata"][:, 1:], found, rtol=1e-5)  # maps travel as float32


def test_the_last_seed_leaves_room_for_the_others() -> None:
    heat = map_of(open_page(SMALL.changed("seed", 9999), "view.seeds=2"))["data"][0]
    assert np.isfinite(heat["customdata"][:, 1:]).all()


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure(measure: str) -> None:
    at = open_page(view=f"view.measure={measure}")
    assert MEASURES[measure].label in map_of(at)["title"]
    theory = [trace for trace in map_of(at)["data"] if trace["type"] == "contour"]
    assert bool(theory) == (measure in ("decades_per_step", "lyapunov"))


@pytest.mark.parametrize("kind", CELLS)
def test_every_cell(kind: str) -> None:
    at = open_page(SMALL.changed("cell", kind))
    heat = map_of(at)["data"][0]
    assert np.isfinite(np.asarray(heat["z"], float)).any()


@pytest.mark.parametrize("path", axis_titles(SMALL.changed("initializer", "triangular")))
def test_every_axis(path: str) -> None:
    experiment = SMALL.changed("initializer", "triangular")
    at = open_page(experiment, f"view.y_axis={path}")
    drawn = map_of(at)
    assert drawn["link"]["y"] == path or path == "weight_scale"
    if path != "weight_scale":
        np.testing.assert_allclose(drawn["data"][0]["y"], axis_values(experiment, path, 16))


def test_a_click_leads_to_an_experiment_with_these_settings() -> None:
    link = map_of(open_page())["link"]
    query = f"{link['query']}&{link['x']}=1.5&{link['y']}=0.25"
    found, problems = from_query(query)
    assert found == SMALL.changed("weight_scale", 1.5).changed("input_scale", 0.25)
    assert not problems


def test_axes_that_the_cell_lacks_or_that_are_equal_are_replaced() -> None:
    link = map_of(open_page(view="view.x_axis=cell.forget_bias&view.y_axis=weight_scale"))["link"]
    assert (link["x"], link["y"]) == ("weight_scale", "input_scale")
    link = map_of(open_page(view="view.x_axis=nonsense"))["link"]
    assert link["x"] == "weight_scale"


def test_bad_choices_are_named_and_the_rest_is_kept() -> None:
    at = open_page(view="view.measure=size&view.seeds=99&view.regime=phase")
    said = at.warning[0].value
    assert "view" in said and "measure" in said and "seeds" in said
    assert menu(at, "view:seeds").value == 1


def test_a_choice_goes_into_the_address() -> None:
    at = open_page()
    whole(menu(at, "view:measure").set_value("saturated").run())
    assert at.query_params["view.measure"] == "saturated"
    assert "saturated" in map_of(at)["title"]
    whole(menu(at, "view:y_axis").set_value("bias_scale").run())
    assert map_of(at)["link"]["y"] == "bias_scale"


def test_what_is_too_large_is_refused_in_a_sentence() -> None:
    at = open_groups(AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60))
    large = Experiment(cell={"kind": "lstm"}, hidden_size=512, num_steps=1000)
    at.query_params = parse_qs(f"{to_query(large)}&view.y_axis=num_steps&view.points=16")
    at = at.switch_page(PAGE).run()
    assert not at.exception
    stop = [item for item in at.button if item.key == "sweep:stop"]
    assert stop, "it runs: one sequence of 512 units fits"
    stop[0].click().run()
    assert not at.exception
    assert [item for item in at.button if item.key == "sweep:start"]
