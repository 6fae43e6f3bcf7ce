"""Curves of several architectures in one figure, tested by what is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import Experiment, figures, run
from explorer.figures import style
from explorer.figures.overlay import MAX_CURVES, Curve
from explorer.figures.v_shape import HALVES
from explorer.lessons.architectures import MOST
from explorer.measures import gradient_norms
from explorer.measures.architecture_table import SingleRun

EXTREME = st.one_of(st.floats(-1500, 1500), st.sampled_from([-np.inf, np.inf, np.nan]))


def texts(figure):
    return " | ".join(note["text"] for note in figure["layout"].get("annotations", []))


def slope(rate, steps=20):
    return rate * np.arange(steps, -1, -1)[:, None] * np.ones(3)


def test_each_curve_is_the_median_of_its_samples():
    decades = np.array([[-3.0, -1.0, -2.0], [0.0, 0.5, 0.25]])
    figure = figures.overlay([Curve("a", decades), Curve("b", slope(-1))])
    np.testing.assert_array_equal(figure["data"][0]["y"], [-2.0, 0.25])
    np.testing.assert_array_equal(figure["data"][1]["y"], np.arange(-20.0, 1))
    assert [trace["name"] for trace in figure["data"]] == ["a", "b"]


def test_no_two_curves_look_alike():
    figure = figures.overlay([Curve(str(k), slope(-k)) for k in range(MAX_CURVES)])
    looks = [(t["line"]["color"], t["line"]["dash"], t["marker"]["symbol"]) for t in figure["data"]]
    assert len({color for color, _, _ in looks}) == len({symbol for _, _, symbol in looks}) == MAX_CURVES
    assert len(set(looks)) == MAX_CURVES
    assert all((trace["marker"]["size"] > 0).any() for trace in figure["data"])


def test_as_many_can_be_chosen_as_can_be_told_apart():
    assert MOST == MAX_CURVES == len(style.LOOKS)
    for count in (0, MAX_CURVES + 1):
        with pytest.raises(ValueError, match=f"{count} curves; 1 to {MAX_CURVES}"):
            figures.overlay([Curve("x", slope(-1))] * count)


def test_exact_zeros_become_named_strips_of_their_curve():
    dead = slope(-0.1)
    dead[:8] = -np.inf
    figure = figures.overlay([Curve("alive", slope(-0.1)), Curve("dead", dead)])
    assert np.isnan(figure["data"][1]["y"][:8]).all() and np.isfinite(figure["data"][1]["y"][8:]).all()
    strip = figure["data"][2]
    assert "name" not in strip, "the read-out lists named traces only"
    assert strip["line"]["color"] == figure["data"][1]["line"]["color"]
    assert np.isfinite(strip["y"]).tolist() == [True] * 8 + [False] * 13
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < np.nanmax(strip["y"]) < low + 0.1 * (high - low)
    assert "exactly 0" in texts(figure) and "not a finite" not in texts(figure)
    assert "exactly 0 at 8 steps" in figures.overlay_alt([Curve("dead", dead)])


def test_numbers_that_are_none_are_named_too():
    wrong = slope(-0.1)
    wrong[3] = np.nan
    figure = figures.overlay([Curve("wrong", wrong)])
    assert "not a finite number" in texts(figure) and "exactly 0" not in texts(figure)
    assert "not a finite number" in figure["data"][1]["hovertemplate"]


def test_loss_steps_are_marked():
    marks = figures.overlay([Curve("a", slope(-1))], loss_steps=[5, 9])["data"][-1]
    assert marks["x"].tolist() == [5, 9] and marks["marker"]["symbol"] == "triangle-up"


def test_a_curve_may_have_steps_of_its_own():
    short = Curve("pooled", slope(-1, 5), np.arange(0, 24, 4))
    figure = figures.overlay([Curve("full", slope(-1)), short])
    assert figure["data"][1]["x"].tolist() == [0, 4, 8, 12, 16, 20]
    assert "at step 20" in figures.overlay_alt([short])


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 8), st.lists(EXTREME, min_size=12, max_size=12))
def test_overlay_survives_anything(count, numbers):
    curves = [Curve(str(k), np.roll(np.array(numbers), k).reshape(6, 2)) for k in range(count)]
    for trace in figures.overlay(curves, loss_steps=[5])["data"]:
        assert not np.isinf(np.asarray(trace["y"], dtype=float)).any()
    assert figures.overlay_alt(curves).endswith(".")


def test_plot_architectures_draws_the_traces():
    traces = {
        cell: run(Experiment(hidden_size=4, num_steps=9, batch_size=3).changed("cell", cell))
        for cell in ("rnn", "lstm")
    }
    drawn = figures.plot_architectures({name: SingleRun(trace) for name, trace in traces.items()})
    np.testing.assert_allclose(
        drawn.data[1].y, np.median(gradient_norms(traces["lstm"]), axis=1), rtol=0, atol=1e-12
    )
    assert drawn.layout.showlegend


# ---- V-shape ----


def halves(steps=10, loss=6):
    t = np.arange(steps + 1)[:, None] * np.ones(2)
    forward = np.where(t <= loss, 0.1 * (t - loss), -np.inf)
    return forward, np.where(t >= loss, 0.2 * (loss - t), -np.inf)


def test_the_halves_meet_at_the_loss():
    figure = figures.v_shape(*halves(), [6])
    forward, backward = (trace["y"] for trace in figure["data"][:2])
    assert figure["data"][1]["x"].tolist() == list(range(1, 11)), "the backward half has no state at t = 0"
    both = np.isfinite(forward[1:]) & np.isfinite(backward)
    assert np.flatnonzero(both).tolist() == [5]
    assert forward[6] == backward[5] == 0
    assert figure["data"][0]["line"]["color"] != figure["data"][1]["line"]["color"]
    line = [shape for shape in figure["layout"]["shapes"] if shape["type"] == "line"]
    assert [(shape["x0"], shape["x1"]) for shape in line] == [(6, 6)]
    assert all(half in texts(figure) for half in HALVES)
    assert "reaches the forward half at 7 steps and the backward half at 5 steps" in figures.v_shape_alt(
        *halves()
    )


def test_many_losses_need_no_line():
    assert not [s for s in figures.v_shape(*halves(), [3, 6])["layout"]["shapes"] if s["type"] == "line"]
