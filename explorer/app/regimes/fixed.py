"""Fixed points: where the orbits of one unit and of two end, and what that does to their gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from explorer import figures
from explorer.app import cache, controls, state
from explorer.app.fixed_choices import WEIGHT, FixedChoices
from explorer.app.panel import panel
from explorer.app.picture import Drawn, later_figure, panel_figure
from explorer.app.regimes.fixed_words import Unit, one_unit_words, two_units_words
from explorer.app.sections import TONES
from explorer.app.stories import Story, story_buttons
from explorer.theory.fixed_points import Bifurcation, bifurcation
from explorer.theory.two_units import (
    direction_field,
    starts_around,
    trajectories,
    two_unit_fixed_points,
    two_unit_matrix,
)

KEY = "regimes-fixed"
WEIGHTS = np.linspace(-WEIGHT, WEIGHT, 401)
"""Along the axis of the bifurcation."""
COBWEB_STEPS, STEPS = 60, 60
"""Steps that are drawn of one unit and of two."""


def _one(label: str, question: str, weight: float, **others: Any) -> Story:
    choices = {"fixed_weight": weight, "fixed_bias": 0.0, "fixed_activation": "tanh", "fixed_start": 0.1}
    return Story(label, question, {"fixed_units": "one", **choices, **others})


def _two(label: str, question: str, growth: float, rotation: float) -> Story:
    choices = {"fixed_growth": growth, "fixed_rotation": rotation}
    return Story(
        label, question, {"fixed_units": "two", **choices, "fixed_start_1": 0.8, "fixed_start_2": 0.2}
    )


STORIES: dict[str, Story] = {
    "small": _one("w = 0.9", "How fast is the gradient lost below 1?", 0.9),
    "middle": _one("w = 1.5", "The weight is above 1: does the gradient explode?", 1.5),
    "large": _one("w = 3", "Does twice the weight give more gradient?", 3.0),
    "cycle": _one("w = −2: a 2-cycle", "Where does a state end that flips its sign?", -2.0),
    "relu": _one(
        "ReLU, w = 1.1",
        "Where is it true that |w| > 1 explodes?",
        1.1,
        fixed_activation="relu",
        fixed_bias=0.1,
    ),
    "spiral": _two("Spiral", "Does the gradient shrink if the state turns?", 0.95, 25.0),
}


# ---- controls ----


def side_bar() -> None:
    """Which network comes first, and both of them."""
    controls.view_pills("fixed_units")

    def one() -> None:
        for name in ("weight", "bias", "activation", "start"):
            controls.view_control(f"fixed_{name}")

    def two() -> None:
        for name in ("growth", "rotation", "start_1", "start_2"):
            controls.view_control(f"fixed_{name}")

    first = state.view().fixed_units
    controls.group("fixed_one", "One unit: h ← φ(w·h + b)", one, opened=first == "one")
    controls.group("fixed_two", "Two units: h ← tanh(W h)", two, opened=first == "two")


# ---- picture ----


def picture() -> None:
    """The chosen network in the first row, the other one below; above, what is seen of the first."""
    view, experiment = state.view(), state.experiment()
    buttons, said = st.container(), st.container()
    rows = {"one": one_unit(view), "two": two_units(view)}
    first = rows.pop(view.fixed_units)
    now = [panel_figure(experiment, name, *draw(), **_place(name)) for name, draw in first.items()]
    later = [
        later_figure(experiment, name, draw, **_place(name))
        for row in rows.values()
        for name, draw in row.items()
    ]
    panel([*now, *later], num_steps=1, cursor=0, key=KEY)
    with buttons:
        story_buttons(STORIES, "Where does an orbit end, and its gradient?")
    with said:
        tone, main, more = words(view)
        st.markdown(f"{TONES[tone]} **{main}** {more}")


def _place(name: str) -> dict[str, Any]:
    return {"span": 6, "height": 340, "suffix": ": two units" if name == "orbit_gradient" else ""}


def words(view: FixedChoices) -> tuple[str, str, str]:
    """(tone, sentence, another one) on the network of the first row."""
    if view.fixed_units == "one":
        return one_unit_words(unit_of(view))
    return two_units_words(view.fixed_growth, view.fixed_rotation, (view.fixed_start_1, view.fixed_start_2))


def unit_of(view: FixedChoices) -> Unit:
    """The unit that was chosen."""
    return Unit(view.fixed_weight, view.fixed_bias, view.fixed_activation, view.fixed_start)


def one_unit(view: FixedChoices) -> dict[str, Callable[[], Drawn]]:
    """Cobweb and bifurcation."""
    unit = unit_of(view)
    weight, bias, activation = unit.weight, unit.bias, unit.activation

    def web() -> Drawn:
        orbit = unit.orbit[0][: COBWEB_STEPS + 1]
        drawn = figures.cobweb(weight, bias, activation, orbit, unit.points)
        return drawn, figures.cobweb_alt(unit.points)

    def curves() -> Drawn:
        found = curves_of(bias, activation)
        drawn = figures.bifurcation(found, weight, unit.points)
        return drawn, figures.bifurcation_alt(found, weight, unit.points)

    return {"cobweb": web, "bifurcation": curves}


def curves_of(bias: float, activation: str) -> Bifurcation:
    """Fixed points over all weights, kept."""
    key = f"fixed points over the weight|{activation}|{bias}"
    return cache.remembered(key, lambda: bifurcation(WEIGHTS, bias, activation))


def two_units(view: FixedChoices) -> dict[str, Callable[[], Drawn]]:
    """Phase portrait and the gradient along the chosen orbit."""
    growth, first = view.fixed_growth, (view.fixed_start_1, view.fixed_start_2)
    matrix = two_unit_matrix(growth, math.radians(view.fixed_rotation))
    points = two_unit_fixed_points(matrix)
    states, norms = trajectories(matrix, 0.0, np.vstack([first, starts_around()]), STEPS)
    place = points.approached_from(states[-1, 0])
    factor = None if place is None else float(points.radii[place])

    def portrait() -> Drawn:
        drawn = figures.phase_portrait(points, states, direction_field(matrix))
        return drawn, figures.phase_portrait_alt(points)

    def gradient() -> Drawn:
        drawn = figures.orbit_gradient(norms[:, 0], growth, factor)
        return drawn, figures.orbit_gradient_alt(norms[:, 0], growth, factor)

    return {"phase_portrait": portrait, "orbit_gradient": gradient}
