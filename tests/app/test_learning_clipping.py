"""The section Clipping in Streamlit's own test runner: what is drawn and said is what theory gives."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, get_args

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.app.clipping_choices import ClippingChoices
from explorer.app.learning.clipping import KEY, STORIES, steps_of
from explorer.app.learning.clipping_words import amount, clipping_words
from explorer.app.view import View
from explorer.link import bounds_of
from explorer.theory.cliff import cliff_gradient, cliff_loss, descent, edge_bias, single_steps
from explorer.theory.clipping import CLIPPINGS
from tests.app.payload import panel_of
from tests.app.section import healthy, open_section, sentence, view, widget

FIELDS = ClippingChoices.model_fields
SLIDERS = [name for name, field in FIELDS.items() if bounds_of(field)]
CHOICES = [
    (name, value) for name in ("cliff_clip", "cliff_along") for value in get_args(FIELDS[name].annotation)
]
FIGURES = [
    "cliff_landing",
    "cliff_surface",
    "cliff_path",
    "cliff_section",
    "clipped_vectors",
    "norm_histogram",
]


open_page = partial(open_section, "learning", ["cliff_unit", "cliff_step"], learning="clipping")


def curve(figure: dict[str, Any], name: str) -> np.ndarray:
    (trace,) = [trace for trace in figure["data"] if trace.get("name") == name]
    return np.column_stack([np.asarray(trace[axis], float) for axis in ("x", "y", "z") if axis in trace])


def inside(points: np.ndarray) -> bool:
    return bool((points >= [0, -8]).all() and (points <= [10, 5]).all())


def assert_true_to(at: AppTest, chosen: ClippingChoices) -> None:
    """Everything drawn equals what theory gives for these choices."""
    figures: dict[str, dict[str, Any]] = panel_of(at, KEY)["figures"]
    assert list(figures) == FIGURES
    point, length = (chosen.cliff_weight, chosen.cliff_bias), chosen.cliff_unrolled
    steps = single_steps(*point, chosen.cliff_rate, chosen.cliff_threshold, length)
    for kind, step in steps.items():
        landing, flight = curve(figures["cliff_landing"], kind), curve(figures["cliff_surface"], kind)
        np.testing.assert_allclose(landing[0], point)
        assert inside(landing - 1e-9) or inside(landing + 1e-9) or inside(landing)
        if inside(step.points):
            np.testing.assert_allclose(landing, step.points, atol=1e-12)
            np.testing.assert_allclose(flight[-1, :2], step.points[-1], atol=1e-5)
    surface = figures["cliff_surface"]["data"][0]
    expected = cliff_loss(surface["x"].astype(float), surface["y"].astype(float), length)[0]
    off = np.abs(surface["z"] - expected) > 1e-4  # float32 moves points across the edge
    assert off.mean() < 0.05

    path = descent(
        *point, chosen.cliff_rate, clip=chosen.cliff_clip, threshold=chosen.cliff_threshold,
        count=chosen.cliff_count, num_steps=length,
    )  # fmt: skip
    drawn = curve(figures["cliff_path"], "path")
    reached = min(len(drawn), len(path.points)) - (len(drawn) < len(path.points))
    np.testing.assert_allclose(drawn[:reached], path.points[:reached], atol=1e-9)

    here = getattr(chosen, "cliff_weight" if chosen.cliff_along == "w" else "cliff_bias")
    gradient = cliff_gradient(*point, length)
    np.testing.assert_allclose(
        curve(figures["cliff_section"], "gradient here"), [[here, gradient.decades]], atol=1e-6
    )
    np.testing.assert_allclose(
        curve(figures["cliff_section"], "loss here"), [[here, gradient.loss]], atol=1e-9
    )
    section = curve(figures["cliff_section"], "gradient")
    some = section[:: len(section) // 7]
    others = (some[:, 0], point[1]) if chosen.cliff_along == "w" else (point[0], some[:, 0])
    np.testing.assert_allclose(some[:, 1], cliff_gradient(*others, length).decades, atol=1e-6)

    for clip, name in (("none", "not clipped"), ("norm", "by norm"), ("value", "by value")):
        arrow = curve(figures["clipped_vectors"], f"here: {name}")[1]
        vector = CLIPPINGS[clip](gradient.vector, chosen.cliff_threshold)
        np.testing.assert_allclose(arrow / np.linalg.norm(arrow), vector / np.linalg.norm(vector), atol=1e-9)
    counts = curve(figures["norm_histogram"], "before clipping")[:, 1]
    norms = 10.0 ** path.decades[:-1]
    assert counts.sum() == ((norms > 0) & np.isfinite(norms)).sum()

    for figure in figures.values():
        assert figure["title"] and figure["explain"] and figure["alt"]
        assert "nan" not in figure["alt"] and "<" not in figure["alt"]
    assert "nan" not in sentence(at)


def test_the_first_picture_is_the_cliff_of_the_lecture() -> None:
    """SCIENCE: 779.4, about 0.2 to either side, (9.12, 4.00) without clipping, (5.005, −2.604) with."""
    at = open_page()
    assert view(at) == View(learning="clipping")
    assert_true_to(at, ClippingChoices())
    said = sentence(at)
    assert "b = −2.6122967 (the edge) the gradient is 779" in said
    low, high = re.findall(r"in b: ([\d.]+) and ([\d.]+)\)", said)[0]
    assert float(low) == pytest.approx(0.2, abs=0.05) and float(high) == pytest.approx(0.2, abs=0.05)
    assert "lands at (9.12, 4.00), clipped by norm at (5.005, −2.604)" in said
    assert "turns the step by 13.1°" in said
    assert "44.4°" in panel_of(at, KEY)["figures"]["clipped_vectors"]["alt"]


@pytest.mark.parametrize("name", SLIDERS)
def test_both_ends_of_every_slider_are_drawn(name: str) -> None:
    at = open_page()
    for end in bounds_of(FIELDS[name]) or ():
        kind = type(FIELDS[name].default)
        healthy(widget(at, name).set_value(kind(end)).run())
        assert getattr(view(at), name) == end
        assert_true_to(at, view(at))


@pytest.mark.parametrize(("name", "value"), CHOICES)
def test_every_choice_is_drawn(name: str, value: str) -> None:
    at = open_page(cliff_rate=0.1)
    healthy(widget(at, name).set_value(value).run())
    assert getattr(view(at), name) == value
    assert_true_to(at, view(at))


def test_the_steepest_cliff_there_is() -> None:
    at = open_page(cliff_weight=10, cliff_bias=edge_bias(10.0), cliff_unrolled=100, cliff_rate=1.0)
    assert_true_to(at, view(at))
    assert "Out there the gradient is below 10⁻⁹⁹⁹⁹" in sentence(at)


def test_stories_are_one_click() -> None:
    at = open_page(cliff_weight=3.3, cliff_unrolled=7)
    for name, story in STORIES.items():
        healthy(at.button(key=f"story:{name}").click().run())
        assert all(getattr(view(at), field) == value for field, value in story.choices.items())
        assert [item.key for item in at.button if item.proto.type == "primary"] == [f"story:{name}"]
        assert any(story.question in item.value for item in at.caption)
        assert_true_to(at, view(at))
    assert "clipping does nothing" in sentence(at) and "not those that vanish" in sentence(at)


def test_the_plain_is_where_the_unclipped_step_lands() -> None:
    landed = single_steps(5.0, edge_bias(5.0), 0.01)["none"].points[1]
    plain = STORIES["plain"].choices
    np.testing.assert_allclose(landed, [plain["cliff_weight"], plain["cliff_bias"]], atol=0.005)


def test_a_button_finds_the_edge_for_every_weight_that_has_one() -> None:
    at = open_page(cliff_weight=7.5)
    healthy(at.button(key="cliff-edge").click().run())
    assert view(at).cliff_bias == edge_bias(7.5)
    assert "(the edge)" in sentence(at)
    healthy(widget(at, "cliff_weight").set_value(4.0).run())
    assert at.button(key="cliff-edge").disabled and "(the edge)" not in sentence(at)


@pytest.mark.parametrize(
    "name, text",
    [
        *((name, text) for name in SLIDERS for text in ("nan", "99999")),
        ("cliff_clip", "both"),
        ("cliff_along", "x"),
    ],
)
def test_bad_addresses_are_named_and_kept_out(name: str, text: str) -> None:
    seen, problems = View.from_query({f"view.{name}": text})
    assert seen == View()
    assert len(problems) == 1 and f"view.{name}" in problems[0] and "is not allowed" in problems[0]


def test_a_bad_address_leaves_the_page_healthy() -> None:
    at = open_page(cliff_weight="nan", cliff_clip="both")
    said = "\n".join(item.value for item in at.warning).replace("\\", "")
    assert "view.cliff_weight" in said and "view.cliff_clip" in said
    assert_true_to(at, ClippingChoices())


# ---- words ----


@pytest.mark.parametrize(
    ("choices", "tone", "said"),
    [
        ({}, "explodes", "so learning stops"),
        ({"cliff_clip": "value"}, "explodes", "clipped by value at (5.010, −2.602)"),
        ({"cliff_threshold": 1000}, "explodes", "the threshold is too high to help"),
        ({"cliff_bias": -2.6}, "survives", "with and without clipping."),
        (
            {"cliff_weight": 9.12, "cliff_bias": 4.0},
            "vanishes",
            "A step has a length of 1.70·10⁻⁸ either way",
        ),
        ({"cliff_bias": -2.6, "cliff_threshold": 0.1}, "survives", "Without clipping the loss goes from"),
        ({"cliff_bias": -2.6, "cliff_threshold": 0.17}, "survives", "Neither kind of clipping turns"),
    ],
)
def test_every_case_has_its_words(choices: dict[str, Any], tone: str, said: str) -> None:
    view = View(**choices)
    found = clipping_words(view, steps_of(view))
    assert found[0] == tone and said in f"{found[1]} {found[2]}"


def test_clipping_is_said_to_do_nothing_exactly_where_all_steps_agree() -> None:
    rng = np.random.default_rng(5)
    for _ in range(60):
        w, b, limit = rng.uniform(0, 10), rng.uniform(-8, 5), 10 ** rng.uniform(-3, 1)
        view = View(cliff_weight=w, cliff_bias=b, cliff_threshold=limit, cliff_unrolled=20)
        steps = steps_of(view)
        same = (steps["none"].points == steps["norm"].points).all()
        assert ("clipping does nothing" in clipping_words(view, steps)[1]) == same


def test_numbers_below_all_floats_are_not_spelled_out() -> None:
    assert amount(-1e30) == "below 10⁻⁹⁹⁹⁹" and amount(-np.inf) == "exactly 0" and amount(0.0) == "1"
