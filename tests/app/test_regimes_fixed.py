"""The section Fixed points in Streamlit's own test runner: what is drawn and said is what theory gives."""

from __future__ import annotations

import math
import re
from functools import partial
from typing import Any, get_args

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.app.fixed_choices import FixedChoices
from explorer.app.regimes.fixed import COBWEB_STEPS, KEY, STEPS, STORIES
from explorer.app.regimes.fixed_words import Unit, one_unit_words, two_units_words
from explorer.app.view import View
from explorer.link import bounds_of
from explorer.theory.fixed_points import fixed_points, orbit
from explorer.theory.two_units import trajectories, two_unit_fixed_points, two_unit_matrix
from tests.app.payload import panel_of
from tests.app.section import healthy, open_section, sentence, view, widget

ROWS = {"one": ["cobweb", "bifurcation"], "two": ["phase_portrait", "orbit_gradient"]}
FIELDS = FixedChoices.model_fields
FUNCTIONS = get_args(FIELDS["fixed_activation"].annotation)
SLIDERS = [name for name, field in FIELDS.items() if bounds_of(field)]


open_page = partial(open_section, "regimes", ["fixed_one", "fixed_two"], regime="fixed")


def curve(figure: dict[str, Any], name: str, axis: str = "y") -> np.ndarray:
    found = [
        trace for trace in figure["data"] if trace.get("name") == name and trace.get("yaxis", "y") == axis
    ]
    (trace,) = found
    return np.stack([np.asarray(trace["x"], float), np.asarray(trace["y"], float)])


def by_kind(figure: dict[str, Any]) -> np.ndarray:
    return np.concatenate([curve(figure, kind)[1] for kind in ("stable", "unstable", "neutral")])


def assert_true_to(at: AppTest, chosen: FixedChoices) -> None:
    """Everything drawn equals what theory gives for these choices."""
    figures: dict[str, dict[str, Any]] = panel_of(at, KEY)["figures"]
    other = "two" if chosen.fixed_units == "one" else "one"
    assert list(figures) == ROWS[chosen.fixed_units] + ROWS[other]
    one = (chosen.fixed_weight, chosen.fixed_bias)
    points = fixed_points(*one, chosen.fixed_activation)
    known = points.states[np.isfinite(points.states)]
    np.testing.assert_allclose(np.sort(by_kind(figures["cobweb"])), known, atol=1e-6)
    np.testing.assert_allclose(curve(figures["bifurcation"], "now")[1], known, atol=1e-6)
    np.testing.assert_array_equal(curve(figures["bifurcation"], "now")[0], np.full(len(known), one[0]))
    states = orbit(*one, chosen.fixed_start, COBWEB_STEPS, chosen.fixed_activation)[0]
    np.testing.assert_allclose(curve(figures["cobweb"], "cobweb")[0][::2], states, rtol=1e-5, atol=1e-6)

    matrix = two_unit_matrix(chosen.fixed_growth, math.radians(chosen.fixed_rotation))
    start = np.array([[chosen.fixed_start_1, chosen.fixed_start_2]])
    path, norms = trajectories(matrix, 0.0, start, STEPS)
    found = two_unit_fixed_points(matrix)
    np.testing.assert_allclose(curve(figures["phase_portrait"], "chosen"), path[:, 0].T, atol=1e-6)
    np.testing.assert_allclose(curve(figures["phase_portrait"], "fixed points"), found.states.T, atol=1e-6)
    drawn = curve(figures["orbit_gradient"], "along the orbit")[1]
    there = np.isfinite(norms[:, 0])
    np.testing.assert_allclose(drawn[there], norms[there, 0], rtol=1e-5, atol=1e-6)
    for figure in figures.values():
        assert figure["title"] and figure["explain"] and figure["alt"]
        assert "nan" not in figure["alt"]
    assert "nan" not in sentence(at)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_activation_is_drawn_as_theory_has_it(function: str) -> None:
    at = open_page(fixed_weight=-1.7)
    healthy(widget(at, "fixed_activation").select(function).run())
    assert view(at).fixed_activation == function
    assert_true_to(at, view(at))


@pytest.mark.parametrize("name", SLIDERS)
def test_both_ends_of_every_slider_are_drawn(name: str) -> None:
    at = open_page()
    for end in bounds_of(FIELDS[name]) or ():
        healthy(widget(at, name).set_value(float(end)).run())
        assert getattr(view(at), name) == end
        assert_true_to(at, view(at))


def test_the_first_picture_shows_that_a_weight_above_1_vanishes() -> None:
    """SCIENCE: factor 0.394 at w = 1.5 and 0.031 at w = 3, h = tanh(w h)."""
    at = open_page()
    assert view(at) == View(regime="fixed")
    assert_true_to(at, FixedChoices())
    said = sentence(at)
    assert "with a factor of 0.394 a step" in said
    (half_life,) = re.findall(r"half-life ([\d.]+) steps", said)
    assert float(half_life) == pytest.approx(math.log(2) / -math.log(0.394), abs=2e-3)
    assert "“|w| > 1 explodes” is false for tanh" in said
    assert "at w = 3 the factor is 0.0305" in said


def test_the_other_row_comes_first_on_request() -> None:
    at = open_page()
    healthy(widget(at, "fixed_units").set_value("two").run())
    assert view(at).fixed_units == "two"
    assert_true_to(at, view(at))
    assert "The orbit of two units ends at the stable node" in sentence(at)
    assert "9 fixed points" in sentence(at)


def test_stories_are_one_click() -> None:
    at = open_page(fixed_weight=0.3, fixed_activation="sigmoid")
    for name, story in STORIES.items():
        healthy(at.button(key=f"story:{name}").click().run())
        assert all(getattr(view(at), field) == value for field, value in story.choices.items())
        assert [item.key for item in at.button if item.proto.type == "primary"] == [f"story:{name}"]
        assert any(story.question in item.value for item in at.caption)
        assert_true_to(at, view(at))
    assert "in turns of 14.4 steps" in sentence(at)


@pytest.mark.parametrize(
    "name, text",
    [
        *((name, text) for name in SLIDERS for text in ("nan", "99999")),
        ("fixed_activation", "sine"),
        ("fixed_units", "three"),
    ],
)
def test_bad_addresses_are_named_and_kept_out(name: str, text: str) -> None:
    seen, problems = View.from_query({f"view.{name}": text})
    assert seen == View()
    assert len(problems) == 1 and f"view.{name}" in problems[0] and "is not allowed" in problems[0]


def test_a_bad_address_leaves_the_page_healthy() -> None:
    at = open_page(fixed_weight="9", fixed_activation="sine")
    said = "\n".join(item.value for item in at.warning).replace("\\", "")
    assert "view.fixed_weight" in said and "view.fixed_activation" in said
    assert_true_to(at, FixedChoices())


# ---- words ----


@pytest.mark.parametrize("weight", [-5.0, -2.0, -1.05, 0.5, 0.95, 1.05, 1.5, 3.0, 5.0])
def test_the_half_life_said_is_that_of_the_orbit(weight: float) -> None:
    """By finite differences of the last steps that still tell two starts apart."""
    tone, said, _ = one_unit_words(Unit(weight, 0.0, "tanh", 0.3))
    assert tone == "vanishes"
    h = 0.3
    for _ in range(3000):
        h = math.tanh(weight * h)
    first, second = h, math.tanh(weight * h)
    factor = math.sqrt(
        abs(weight * (1 - math.tanh(weight * first) ** 2) * weight * (1 - math.tanh(weight * second) ** 2))
    )
    (half_life,) = re.findall(r"half-life ([\d.]+) step", said)
    assert float(half_life) == pytest.approx(math.log(2) / -math.log(factor), rel=6e-3)


@pytest.mark.parametrize("weight", [-2.0, -1.0, -0.4, 0.4, 1.0, 1.6])
@pytest.mark.parametrize("bias", [0.0, 0.5])
def test_the_slogan_is_true_of_a_linear_unit(weight: float, bias: float) -> None:
    tone, said, more = one_unit_words(Unit(weight, bias, "linear", 0.3))
    assert tone == {-1: "vanishes", 0: "survives", 1: "explodes"}[int(np.sign(round(abs(weight) - 1, 9)))]
    assert "the slogan is true here" in more
    assert re.search(rf"factor of [−]?{abs(weight):g} a step", said)


@pytest.mark.parametrize(
    ("unit", "tone", "said"),
    [
        (Unit(1.1, 0.0, "relu", 0.1), "explodes", "grows without bound"),
        (Unit(1.1, 0.0, "relu", -0.1), "dead", "rests at the unstable fixed point h = 0"),
        (Unit(0.5, 0.0, "relu", 0.1), "vanishes", "with a factor of 0.5 a step"),
        (Unit(1.0, 0.0, "relu", 0.1), "survives", "Every state of an interval"),
        (Unit(-2.0, 0.5, "relu", 0.1), "dead", "2-cycle between 0 and 0.5"),
        (Unit(1.5, 0.0, "tanh", 0.0), "explodes", "rests at the unstable fixed point h = 0"),
        (Unit(-2.0, 0.0, "tanh", 0.1), "vanishes", "2-cycle between −0.958 and 0.958"),
        (Unit(1.0, 0.0, "tanh", 0.1), "vanishes", "still creeps"),
        (Unit(0.0, 0.5, "tanh", 0.1), "dead", "h = 0.462"),
        (Unit(-5.0, 2.5, "hard_sigmoid_keras", 0.1), "survives", "2-cycle between 0.1 and 0.9"),
    ],
)
def test_every_end_of_an_orbit_has_its_words(unit: Unit, tone: str, said: str) -> None:
    found = one_unit_words(unit)
    assert found[0] == tone and said in found[1]


def test_an_unstable_start_is_called_an_exception() -> None:
    assert "0.001 beside it the factor is 0.394" in one_unit_words(Unit(1.5, 0.0, "tanh", 0.0))[2]
    assert "ever more slowly" in one_unit_words(Unit(1.0, 0.0, "tanh", 0.1))[1]


@pytest.mark.parametrize(
    ("growth", "degrees", "start", "tone", "said"),
    [
        (0.9, 30, (0.8, 0.2), "vanishes", "stable spiral (0, 0) in turns of 12 steps"),
        (1.5, 0, (0.8, 0.2), "vanishes", "stable node (0.859, 0.859), with a factor of 0.394"),
        (1.5, 0, (0.8, 0.0), "explodes", "saddle (0.859, 0)"),
        (1.2, 90, (0.8, 0.2), "vanishes", "cycle of 4 steps"),
        (1.2, 25, (0.8, 0.2), "survives", "goes round without end"),
        (1.0, 25, (0.8, 0.2), "vanishes", "creep towards the neutral point (0, 0)"),
        (0.0, 25, (0.8, 0.2), "dead", "stable node (0, 0)"),
    ],
)
def test_two_units_have_their_words(
    growth: float, degrees: float, start: tuple[float, float], tone: str, said: str
) -> None:
    found = two_units_words(growth, degrees, start)
    assert found[0] == tone and said in found[1]
