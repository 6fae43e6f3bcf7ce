"""Layer × time, module × time, small multiples of states and memory curves, tested by what is drawn."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import figures
from explorer.figures.flow_colors import flow_color, flow_scale, flow_span, flow_width, share
from explorer.figures.module_map import MODULE_TRACES
from explorer.figures.small_states import MAX_UNITS, color_limit
from explorer.figures.state_colors import chosen_units

EXTREME = st.one_of(st.floats(-1500, 1500), st.sampled_from([-np.inf, np.inf, np.nan]))


def texts(figure):
    return " | ".join(note["text"] for note in figure["layout"].get("annotations", []))


# ---- the scale ----


def test_more_gradient_is_wider_and_stronger():
    span = (-20.0, 0.0)
    widths = [flow_width(decades, span) for decades in (-25, -20, -10, 0)]
    assert widths == sorted(widths) and widths[0] == widths[1] < widths[3]
    opacity = [float(flow_color(decades, span).rstrip(")").split(",")[3]) for decades in (-20, -10, 0)]
    assert opacity == sorted(opacity) and opacity[0] > 0, "even the smallest can be seen"


def test_growth_has_a_colour_of_its_own():
    assert flow_color(0, (-5, 5)) != flow_color(5, (-5, 5))
    assert [place for place, _ in flow_scale((-5, 15))] == [0.0, 0.25, 1.0]
    assert share(0, (-5, 15)) == 0.25


@given(st.lists(EXTREME, max_size=6))
def test_the_span_holds_every_finite_number_and_one(numbers):
    low, high = flow_span(np.array(numbers))
    assert low < high and low <= 0 <= high
    finite = [number for number in numbers if np.isfinite(number)]
    assert all(low <= number <= high for number in finite)
    assert [place for place, _ in flow_scale((low, high))] == sorted({0.0, 1.0, share(0, (low, high))})


# ---- layers ----


def test_layer_grid_draws_the_medians_row_by_row():
    norms = [np.array([[-4.0, -2.0, -3.0], [0.0, 1.0, 2.0]]), np.array([-1.0, 0.0])]
    figure = figures.layer_grid(norms, ["layer 1", "layer 2"], loss_steps=[1])
    np.testing.assert_array_equal(figure["data"][0]["z"], [[-3.0, 1.0], [-1.0, 0.0]])
    assert figure["layout"]["yaxis"]["ticktext"] == ["layer 1", "layer 2"]
    assert figure["data"][1]["x"].tolist() == [1]
    assert "layer 1 0.001 at step 0 and 10 at the end" in figures.layer_grid_alt(
        norms, ["layer 1", "layer 2"]
    )


def test_blank_cells_are_named():
    alive = np.zeros((3, 2))
    assert texts(figures.layer_grid([alive], ["a"])) == ""
    dead, wrong = np.full((3, 2), -np.inf), np.full((3, 2), np.nan)
    figure = figures.layer_grid([alive, dead], ["a", "b"])
    assert np.isnan(figure["data"][0]["z"][1]).all() and texts(figure) == "blank: exactly 0"
    assert texts(figures.layer_grid([dead, wrong], "ab")) == "blank: exactly 0 or not a finite number"


# ---- modules ----


def test_module_map_marks_every_update():
    active = np.array([[True] * 4, [False, True, False, True]])
    norms = [np.zeros((5, 2)), np.full((5, 2), -1.0)]
    figure = figures.module_map(norms, active, [1, 2])
    marks = figure["data"][MODULE_TRACES["active"]]
    assert sorted(zip(marks["x"].tolist(), marks["y"].tolist(), strict=True)) == sorted(
        [(1, 0), (2, 0), (3, 0), (4, 0), (2, 1), (4, 1)]
    )
    np.testing.assert_array_equal(figure["data"][MODULE_TRACES["norms"]]["z"][:, 0], [0, -1])
    assert figure["layout"]["yaxis"]["ticktext"] == ["every step", "every 2 steps"]
    assert "period 2 is updated 2 times and holds 0.1" in figures.module_map_alt(norms, active, [1, 2])


# ---- states ----


def test_all_states_share_one_colour_scale():
    states = {"a": np.full((6, 3), 0.2), "b": np.full((6, 5), -0.4), "c": np.full((6, 2), 900.0)}
    figure = figures.small_states(states)
    assert {trace["coloraxis"] for trace in figure["data"]} == {"coloraxis"}
    assert figure["layout"]["coloraxis"]["cmax"] == -figure["layout"]["coloraxis"]["cmin"] == 0.5
    for trace, values in zip(figure["data"], states.values(), strict=True):
        np.testing.assert_allclose(trace["z"], values.T, rtol=1e-6)
    domains = [figure["layout"][f"yaxis{k}"]["domain"] for k in ("", 2, 3)]
    assert all(low < high for low, high in domains)
    assert all(above[0] > below[1] for above, below in pairwise(domains))
    assert figure["layout"]["xaxis"]["anchor"] == "y3"
    assert all(label in texts(figure) for label in states)


def test_large_networks_are_thinned_and_lengths_may_differ():
    figure = figures.small_states({"big": np.zeros((9, 200)), "short": np.zeros((5, 4))})
    assert figure["data"][0]["z"].shape == (MAX_UNITS, 9) and figure["data"][0]["y"][-1] == 199
    assert figure["data"][1]["z"].shape == (4, 5)
    assert f"{MAX_UNITS} of 200 units" in texts(figure) and "4 units" in texts(figure)


def test_states_of_chosen_units_are_drawn_as_those_of_all():
    states = np.random.default_rng(0).uniform(-1, 1, (9, 200))
    chosen = states[:, chosen_units(200, MAX_UNITS)]
    whole, part = figures.small_states({"a": states}), figures.small_states({"a": chosen}, {"a": 200})
    np.testing.assert_array_equal(whole["data"][0]["z"], part["data"][0]["z"])
    np.testing.assert_array_equal(whole["data"][0]["y"], part["data"][0]["y"])
    assert f"{MAX_UNITS} of 200 units" in texts(part)


@pytest.mark.parametrize(
    ("reach", "limit"), [(0.0, 1.0), (0.03, 0.05), (0.1, 0.1), (0.9, 1.0), (3.0, 5.0), (np.nan, 1.0)]
)
def test_the_limit_is_a_round_number(reach, limit):
    assert color_limit({"a": np.full((3, 2), reach)}) == pytest.approx(limit)


def test_what_is_no_number_is_named_and_infinity_is_drawn():
    figure = figures.small_states({"a": np.array([[0.5, np.inf], [np.nan, -np.inf]])})
    assert not np.isinf(figure["data"][0]["z"]).any()
    assert np.isnan(figure["data"][0]["z"]).sum() == 1 and "grey: not a number" in texts(figure)
    assert "3 values not finite" in figures.small_states_alt(
        {"a": np.array([[0.5, np.inf, np.nan, -np.inf]])}
    )


@settings(max_examples=20, deadline=None)
@given(st.lists(EXTREME, min_size=12, max_size=12), st.integers(1, 8))
def test_grids_survive_anything(numbers, count):
    rows = [np.roll(np.array(numbers), k).reshape(6, 2) for k in range(count)]
    labels = [str(k) for k in range(count)]
    assert not np.isinf(figures.layer_grid(rows, labels)["data"][0]["z"]).any()
    assert figures.small_states(dict(zip(labels, rows, strict=True)))
    assert figures.layer_grid_alt(rows, labels) and figures.small_states_alt({"a": rows[0]})


# ---- memory ----


def test_memory_curve_says_its_sum_and_its_bound():
    delays, capacity = np.arange(1, 5), np.array([1.0, 0.75, 0.25, 0.0])
    figure = figures.memory_curve(delays, capacity, 8)
    np.testing.assert_array_equal(figure["data"][0]["y"], capacity)
    assert "memory capacity 2.0 of at most N = 8" in texts(figure)
    assert "up to 2 steps back" in figures.memory_curve_alt(delays, capacity, 8)
    assert "not finite" in texts(figures.memory_curve(delays, capacity * np.nan, 8))
