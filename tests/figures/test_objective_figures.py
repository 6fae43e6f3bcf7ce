"""Figures of the section Objectives, tested by what they draw."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explorer.figures import style
from explorer.figures.objective_baseline import (
    baseline_marks,
    objective_baseline,
    objective_baseline_alt,
    plot_objective_baseline,
)
from explorer.figures.objective_logits import (
    OBJECTIVES,
    axis_end,
    objective_logits,
    objective_logits_alt,
    plot_objective_logits,
)
from explorer.figures.objective_right import (
    objective_right,
    objective_right_alt,
    plot_objective_right,
    right_token_rest,
    right_token_theory,
)
from explorer.figures.objective_sizes import (
    MEAN,
    objective_sizes,
    objective_sizes_alt,
    plot_objective_sizes,
)
from explorer.lessons.sentences import one_sentence
from explorer.seq2seq.logit_gradients import likelihood_gradient
from explorer.seq2seq.objective_gradients import RewardGradient

TOKENS = ["■", "a", "b", "<"]
GRADIENT = np.array([0.2, 0.3, -0.9, 0.4])


def texts(figure: dict[str, Any]) -> str:
    return " | ".join(note["text"] for note in figure["layout"].get("annotations", []))


def named(figure: dict[str, Any], name: str) -> dict[str, Any]:
    (trace,) = [trace for trace in figure["data"] if trace.get("name") == name]
    return dict(trace)


def reward(**fields: Any) -> RewardGradient:
    usual: dict[str, Any] = {
        "answers": 100, "counted": False, "expected": 0.3, "paid": 0.8,
        "at_logits": np.ones((2, 3)), "error": np.zeros((2, 3)),
        "at_states": np.full((2, 2), 0.5), "states_error": np.zeros(2),
        "moments": np.array([50.0, 20.0, 12.0]),
    }  # fmt: skip
    return RewardGradient(**(usual | fields))


def test_bars_mark_the_right_token_and_what_was_said() -> None:
    figure = objective_logits(GRADIENT, TOKENS, 2, "likelihood", high=1.0, read="a<")
    np.testing.assert_array_equal(named(figure, "gradient")["y"], GRADIENT)
    (band,) = figure["layout"]["shapes"]
    assert (band["x0"], band["x1"]) == (1.5, 2.5)
    assert "right" in texts(figure) and "said" not in texts(figure)
    assert "length 1.05" in texts(figure)  # √1.1
    assert figure["layout"]["xaxis"]["ticktext"] == ["■", "a", "<b>b</b>", "&lt;"]
    assert "after “a&lt;”" in figure["layout"]["xaxis"]["title"]["text"]
    mean, error = np.array([0.1, -0.2, 0.05, 0.05]), np.full(4, 0.01)
    drawn = objective_logits(
        GRADIENT, TOKENS, 2, "expected reward", said=0, mean=mean, error=error, mean_size=0.23, read=None
    )
    np.testing.assert_array_equal(named(drawn, "mean")["y"], mean)
    np.testing.assert_array_equal(named(drawn, "mean")["error_y"]["array"], 2 * error)
    assert "said" in texts(drawn) and "◆ mean 0.23" in texts(drawn)
    assert "ended" in drawn["layout"]["xaxis"]["title"]["text"]
    lost = objective_logits(GRADIENT, TOKENS, 2, "expected reward", mean=mean, error=error)
    assert "◆ mean: noise" in texts(lost)
    nothing = objective_logits(np.zeros(4), TOKENS, 0, "expected reward", mean=np.zeros(4))
    assert texts(nothing).count("exactly 0") == 2
    assert "error_y" not in named(nothing, "mean")
    for said in (objective_logits_alt(GRADIENT, TOKENS, 2, 0), objective_logits_alt(GRADIENT * 0, TOKENS, 2)):
        assert one_sentence(said) == said


@pytest.mark.parametrize(("value", "end"), [(0, 1), (0.9, 1), (1, 1), (1.01, 2), (0.031, 0.05), (7e-9, 1e-8)])
def test_axes_end_at_round_numbers(value: float, end: float) -> None:
    assert axis_end(value) == pytest.approx(end)


def test_sizes_name_what_has_no_place() -> None:
    curves = {"likelihood": np.array([1.0, 1e-4, 0.01]), "expected reward": np.array([0.1, 0.0, 0.0])}
    figure = objective_sizes(curves | {MEAN: np.zeros(3)}, marked=2)
    np.testing.assert_allclose(named(figure, "likelihood")["y"], [0, -4, -2])
    np.testing.assert_array_equal(named(figure, "expected reward")["y"], [-1, np.nan, np.nan])
    assert "expected reward: exactly 0 at 2 of 3" in texts(figure)
    assert f"{MEAN}: not told from 0 everywhere" in texts(figure)
    assert figure["layout"]["shapes"][0]["x0"] == 2
    assert not objective_sizes(curves, along="encoder")["layout"]["shapes"]
    said = objective_sizes_alt(curves)
    assert "likelihood: 1 at decoder step 1, 0.01 at step 3" in said and one_sentence(said) == said
    assert objective_sizes({"likelihood": np.zeros(2)})["data"]


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_closed_forms_lie_on_the_lines(smoothing: float) -> None:
    logits = np.random.default_rng(0).normal(size=(6, 5)) * 3
    target, rows = np.array([0, 1, 2, 3, 4, 0]), np.arange(6)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    points = {
        "likelihood": (p[rows, target], likelihood_gradient(logits, target)[rows, target]),
        "label smoothing": (
            p[rows, target],
            likelihood_gradient(logits, target, smoothing)[rows, target],
        ),
    }
    figure = objective_right(points, smoothing, 5, marked=3)
    line = named(figure, "theory, label smoothing" if smoothing else "theory, likelihood")
    for x, y in zip(*points["label smoothing"], strict=True):
        assert np.interp(x, line["x"], line["y"]) == pytest.approx(y, abs=1e-12)
    sizes = named(figure, "likelihood")["marker"]["size"]
    assert sizes.argmax() == 2 and (np.delete(sizes, 2) < sizes[2]).all()
    rest = right_token_rest(smoothing, 5)
    assert right_token_theory(np.array(rest), smoothing, 5) == pytest.approx(0, abs=1e-15)
    assert (f"at rest at p = {rest:.3f}" in texts(figure)) == (smoothing > 0)
    said = objective_right_alt(points, smoothing, 5)
    assert one_sentence(said) == said and float(said.split("than ")[1].split()[0]) < 1e-12


def test_scatter_of_one_draw_against_the_baseline() -> None:
    found, grid = reward(), np.linspace(0, 1, 5)
    marks = baseline_marks(found)
    assert marks["best"] == (0.4, pytest.approx(np.sqrt(12 - 16 * 0.5 - 1)))
    figure = objective_baseline(grid, found.deviation(grid), found.size, marks)
    curve = np.sqrt(12 - 40 * grid + 50 * grid**2 - 1)
    np.testing.assert_allclose(named(figure, "one draw")["y"], np.log10(curve))
    assert figure["layout"]["shapes"][0]["y0"] == pytest.approx(0)  # log10 of the mean's length, 1
    assert "mean reward, best" in texts(figure) and "none" in texts(figure)
    apart = reward(expected=0.9)
    assert "mean reward, best" not in texts(objective_baseline(grid, curve, 1.0, baseline_marks(apart)))
    unpaid = reward(expected=0.0, paid=0.0, at_states=np.zeros((2, 2)), moments=np.array([50.0, 0.0, 0.0]))
    none = objective_baseline(grid, unpaid.deviation(grid), unpaid.size, baseline_marks(unpaid))
    assert np.isnan(named(none, "one draw")["y"][0]) and "cannot be told from 0" in texts(none)
    for one in (found, unpaid):
        said = objective_baseline_alt(one.size, baseline_marks(one))
        assert one_sentence(said) == said


def test_figures_are_valid_in_both_themes() -> None:
    points = {name: (np.array([0.2]), np.array([-0.8])) for name in OBJECTIVES[:3]}
    for dark in (False, True):
        for figure in (
            plot_objective_logits(GRADIENT, TOKENS, 1, "label smoothing", dark=dark),
            plot_objective_sizes({"likelihood": np.ones(2)}, dark=dark),
            plot_objective_right(points, 0.1, 11, dark=dark),
            plot_objective_baseline(reward(), dark=dark),
        ):
            assert figure.layout.template.layout.paper_bgcolor == style.THEMES[dark]["background"]
