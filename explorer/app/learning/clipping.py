"""Clipping: a step of descent on the cliff of a one-unit network, with and without clipping."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer import figures
from explorer.app import cache, controls, state
from explorer.app.clipping_choices import WEIGHT, ClippingChoices
from explorer.app.learning.clipping_words import clipping_words
from explorer.app.panel import panel
from explorer.app.picture import Drawn, later_figure, panel_figure
from explorer.app.sections import TONES
from explorer.app.stories import Story, story_buttons
from explorer.figures.cliff_looks import WINDOW
from explorer.figures.cliff_maps import path_window
from explorer.figures.clipped_vectors import EXAMPLE
from explorer.theory.cliff import Descent, cliff_gradient, descent, edge_bias, edge_factor, single_steps
from explorer.theory.cliff_grids import LossPlane, cliff_section, loss_plane, sheared_plane
from explorer.theory.clipping import clipping_of

KEY = "learning-clipping"
_USUAL = {"cliff_rate": 0.01, "cliff_threshold": 1.0, "cliff_unrolled": 50}
_EDGE = {"cliff_weight": WEIGHT, "cliff_bias": edge_bias(WEIGHT), **_USUAL}
STORIES: dict[str, Story] = {
    "cliff": Story(
        "On the cliff",
        "Where does one step land, and what does clipping save?",
        _EDGE | {"cliff_clip": "norm"},
    ),
    "value": Story(
        "Clipped by value",
        "Which way does a step go if each component is clipped?",
        _EDGE | {"cliff_clip": "value"},
    ),
    "beside": Story(
        "0.01 beside it",
        "How much of the gradient is left 0.01 beside the edge?",
        _EDGE | {"cliff_bias": edge_bias(WEIGHT) + 0.01, "cliff_clip": "norm"},
    ),
    "plain": Story(
        "On the plain",
        "The gradient has vanished: what does clipping do?",
        {"cliff_weight": 9.12, "cliff_bias": 4.0, **_USUAL, "cliff_clip": "norm"},
    ),
}
"""Buttons; the plain is where the step without clipping lands from the cliff."""


def side_bar() -> None:
    """The point, the step, and how its gradient is clipped."""
    view = state.view()

    def unit() -> None:
        for name in ("weight", "bias", "unrolled"):
            controls.view_control(f"cliff_{name}")
        st.button(
            "To the edge of the cliff",
            key="cliff-edge",
            on_click=state.look,
            kwargs={"cliff_bias": edge_bias(view.cliff_weight)},
            disabled=edge_factor(view.cliff_weight) <= 1,
            help="Set b so that the start is an unstable fixed point; there is none if w is below "
            f"{1 / edge_factor(1.0):.2f}.",
        )

    def step() -> None:
        for name in ("rate", "count"):
            controls.view_control(f"cliff_{name}")
        controls.view_pills("cliff_clip")
        controls.view_control("cliff_threshold")
        controls.view_pills("cliff_along")

    controls.group("cliff_unit", "One unit: x ← w·σ(x) + b", unit, opened=True)
    controls.group("cliff_step", "Descent and clipping", step, opened=True)


def picture() -> None:
    """The map with one step in three ways and the surface; below, the path, a section and the vectors."""
    view, experiment = state.view(), state.experiment()
    buttons, said = st.container(), st.container()
    steps = steps_of(view)
    landing = figures.cliff_landing(plane_of(view.cliff_unrolled), steps)
    first = panel_figure(experiment, "cliff_landing", landing, figures.cliff_landing_alt(steps), **_PLACE)

    def surface() -> Drawn:
        found = surface_of(view.cliff_unrolled)
        return figures.cliff_surface(found, steps), figures.cliff_surface_alt(steps)

    later = {
        "cliff_surface": surface,
        "cliff_path": lambda: path(view),
        "cliff_section": lambda: section(view),
        "clipped_vectors": lambda: vectors(view),
        "norm_histogram": lambda: norms(view),
    }
    parts = [later_figure(experiment, name, draw, **_PLACE) for name, draw in later.items()]
    panel([first, *parts], num_steps=1, cursor=0, key=KEY)
    with buttons:
        story_buttons(STORIES, "A step of descent: where does it land?")
    with said:
        tone, main, more = clipping_words(view, steps)
        st.markdown(f"{TONES[tone]} **{main}** {more}")


_PLACE: dict[str, Any] = {"span": 6, "height": 340}


def steps_of(view: ClippingChoices) -> dict[str, Descent]:
    """One step from the chosen point for each kind of clipping."""
    return single_steps(
        view.cliff_weight, view.cliff_bias, view.cliff_rate, view.cliff_threshold, view.cliff_unrolled
    )


def path_of(view: ClippingChoices) -> Descent:
    """The descent with the chosen clipping, kept."""
    point = view.cliff_weight, view.cliff_bias, view.cliff_rate
    clip, threshold, count, length = (
        view.cliff_clip,
        view.cliff_threshold,
        view.cliff_count,
        view.cliff_unrolled,
    )

    def walk() -> Descent:
        return descent(*point, clip=clip, threshold=threshold, count=count, num_steps=length)

    return cache.remembered(f"cliff path|{point}|{clip}|{threshold}|{count}|{length}", walk)


def plane_of(num_steps: int) -> LossPlane:
    """The loss over the whole plane, kept."""
    return cache.remembered(f"cliff|{num_steps}", lambda: loss_plane(WINDOW, num_steps))


def surface_of(num_steps: int) -> LossPlane:
    """The same along the edge, kept."""
    return cache.remembered(f"cliff surface|{num_steps}", lambda: sheared_plane(WINDOW, num_steps))


def path(view: ClippingChoices) -> Drawn:
    """The descent on the map close by."""
    found = path_of(view)
    plane = loss_plane(path_window(found), view.cliff_unrolled, 61)
    return figures.cliff_path(plane, found, view.cliff_clip), figures.cliff_path_alt(found, view.cliff_clip)


def section(view: ClippingChoices) -> Drawn:
    """A cut through the plane."""
    along = view.cliff_along
    here = view.cliff_weight if along == "w" else view.cliff_bias
    window = WINDOW[0] if along == "w" else WINDOW[1]
    found = cliff_section(view.cliff_weight, view.cliff_bias, along, window, view.cliff_unrolled)
    threshold = None if view.cliff_clip == "none" else view.cliff_threshold
    return figures.cliff_section(found, here, threshold), figures.cliff_section_alt(found, here)


def vectors(view: ClippingChoices) -> Drawn:
    """The gradient here and the example that turns most, before and after clipping."""
    here = cliff_gradient(view.cliff_weight, view.cliff_bias, view.cliff_unrolled).vector
    gradients = [("here", here), ("(100, 1)", np.array(EXAMPLE))]
    return (
        figures.clipped_vectors(gradients, view.cliff_threshold),
        figures.clipped_vectors_alt(gradients, view.cliff_threshold),
    )


def norms(view: ClippingChoices) -> Drawn:
    """Norms along the path, before and after clipping."""
    found = path_of(view)
    w, b = found.points[:-1].T
    before = cliff_gradient(w, b, view.cliff_unrolled).vector
    after = clipping_of(view.cliff_clip)(before, view.cliff_threshold)
    sizes = np.hypot(*before.T), np.hypot(*after.T)
    threshold = None if view.cliff_clip == "none" else view.cliff_threshold
    return figures.norm_histogram(*sizes, threshold), figures.norm_histogram_alt(*sizes, threshold)
