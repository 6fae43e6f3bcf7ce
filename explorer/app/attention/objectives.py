"""Objectives: what each of four objectives sends back through the same network for the same example."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer import figures
from explorer.app import controls, state
from explorer.app.attention.objective_measured import Objectives, objectives_of
from explorer.app.attention.objective_words import example_words, noise_words, step_words
from explorer.app.attention.taught import pupils
from explorer.app.attention.taught_buttons import buttons, is_busy, shown_of
from explorer.app.legend import legend
from explorer.app.panel import PanelFigure, panel
from explorer.app.picture import Drawn, later_figure, panel_figure
from explorer.app.recorded import moment_of
from explorer.app.run_buttons import say_what_failed
from explorer.app.stories import Story, story_buttons, story_of
from explorer.app.taught_choices import NEWEST
from explorer.app.view import View
from explorer.experiment import Experiment
from explorer.figures.objective_logits import OBJECTIVES
from explorer.figures.objective_sizes import MEAN

KEY = "attention-objectives"
_POLL = 1.0  # seconds between two looks at the runs
_NO_EXPERIMENT = Experiment()  # the texts of these figures name no setting
_BARS: dict[str, Any] = {"span": 3, "height": 245}
_PLACE: dict[str, Any] = {"span": 6, "height": 270}
_USUAL = {"objective_length": 6, "objective_smoothing": 0.1, "objective_share": 1.0}
_BLEU = {"objective_reward": "bleu", "objective_baseline": "mean"}
STORIES: dict[str, Story] = {
    "untrained": Story(
        "Untrained",
        "What does each objective want of a network that knows nothing?",
        _USUAL | _BLEU | {"taught_moment": 0},
    ),
    "trained": Story(
        "Newest weights",
        "What is left of each gradient where p is sure?",
        _USUAL | _BLEU | {"taught_moment": NEWEST},
    ),
    "smooth": Story(
        "ε = 0.5",
        "How sure may the network become?",
        _USUAL | _BLEU | {"taught_moment": NEWEST, "objective_smoothing": 0.5},
    ),
    "unpaid": Story(
        "Paid only if exact",
        "What does REINFORCE learn if no draw is paid?",
        _USUAL
        | {"objective_length": 10, "objective_reward": "exact", "objective_baseline": "mean"}
        | {"taught_moment": 0},
    ),
    "no_baseline": Story(
        "No baseline",
        "What if every draw is paid something, right or wrong?",
        _USUAL | {"objective_reward": "bleu", "objective_baseline": "none", "taught_moment": 0},
    ),
}
"""Buttons, in the order of a lecture."""


def side_bar() -> None:
    """The example, the objectives, and the network."""

    def example() -> None:
        for name in ("step", "length", "draw"):
            controls.view_control(f"objective_{name}")

    def weighed() -> None:
        for name in ("smoothing", "share", "reward", "baseline"):
            controls.view_control(f"objective_{name}")

    def network() -> None:
        for name in (
            "taught_task",
            "taught_beside",
            "taught_cell",
            "taught_hidden",
            "taught_steps",
            "attn_seed",
        ):
            controls.view_control(name)

    controls.group("objective_example", "Example", example, opened=True)
    controls.group("objective_weighed", "Objectives", weighed, opened=True)
    controls.group("objective_network", "Networks that are trained", network)


def picture() -> None:
    """Gradients under four objectives, drawn again while the networks are trained."""
    polls, told = is_busy(), story_of(STORIES)
    story_buttons(STORIES, "One example, one network, four objectives: what is sent back?")

    def look() -> None:
        _draw()
        if polls != is_busy() or told != story_of(STORIES):
            st.rerun()  # a whole run decides whether to look again, and which story is told

    st.fragment(look, run_every=_POLL if polls else None)()


def _draw() -> None:
    view, there = state.view(), pupils(state.view())
    buttons(there)
    said, names = st.container(), st.container()
    pupil = there[shown_of(there)]
    moment = moment_of(pupil.learning.moments, view.taught_moment)
    found = objectives_of(view, pupil, moment)
    step = step_of(view, found)
    panel(_figures(view, found, step), num_steps=1, cursor=0, key=KEY)
    with said:
        say_what_failed(pupil.title, pupil.run, pupil.learning.diverged)
        example = example_words(pupil, moment, found)
        st.markdown(f"**{step_words(found, step)}** {example} {noise_words(found)}")
    with names:
        st.html(legend([(name, "") for name in OBJECTIVES]))


def step_of(view: View, found: Objectives) -> int:
    """The chosen decoder step, or the last one of a shorter target."""
    return min(view.objective_step, len(found.right))


def _figures(view: View, found: Objectives, step: int) -> list[PanelFigure]:
    """Logits of the step above; sizes and theory; the encoder and the baseline, which follow."""
    parts = found.parts
    sizes = {name: part.sizes for name, part in parts.items()} | {MEAN: found.estimate.step_sizes}
    theory = found.points, view.objective_smoothing, len(found.tokens)
    return [
        *(_logits(name, found, step) for name in OBJECTIVES),
        panel_figure(
            _NO_EXPERIMENT,
            "objective_sizes",
            figures.objective_sizes(sizes, marked=step),
            figures.objective_sizes_alt(sizes),
            **_PLACE,
        ),
        panel_figure(
            _NO_EXPERIMENT,
            "objective_right",
            figures.objective_right(*theory, marked=step),
            figures.objective_right_alt(*theory),
            **_PLACE,
        ),
        later_figure(_NO_EXPERIMENT, "objective_arrival", lambda: _arrival(found), **_PLACE),
        later_figure(_NO_EXPERIMENT, "objective_baseline", lambda: _baseline(found), **_PLACE),
    ]


def _logits(name: str, found: Objectives, step: int) -> PanelFigure:
    """The bars of one objective; those that know the right token share an axis."""
    row, part = step - 1, found.parts[name]
    right, said = int(found.right[row]), int(found.drawn[row])
    paid = name == "expected reward"
    alike = [] if paid else [one.at_logits[row] for one in list(found.parts.values())[:3]]
    drawn = said if paid and said >= 0 else None
    gradient = part.at_logits[row]
    figure = figures.objective_logits(
        gradient,
        found.tokens,
        right,
        name,
        said=drawn,
        mean=found.mean[row] if paid else None,
        error=found.error[row] if paid else None,
        mean_size=float(found.estimate.step_sizes[row]),
        high=max((float(np.abs(rows).max()) for rows in alike), default=None),
        read=part.read[row],
    )
    numbers = figures.objective_logits_alt(gradient, found.tokens, right, drawn)
    return panel_figure(_NO_EXPERIMENT, f"objective_{name.replace(' ', '_')}", figure, numbers, **_BARS)


def _arrival(found: Objectives) -> Drawn:
    curves = {name: part.arrived for name, part in found.parts.items()}
    curves |= {MEAN: found.estimate.state_sizes}
    drawn = figures.objective_sizes(curves, along="encoder")
    return drawn, figures.objective_sizes_alt(curves, "encoder")


def _baseline(found: Objectives) -> Drawn:
    estimate = found.estimate
    grid = np.linspace(0, 1, 101)
    marks = figures.baseline_marks(estimate)
    drawn = figures.objective_baseline(grid, estimate.deviation(grid), estimate.size, marks)
    return drawn, figures.objective_baseline_alt(estimate.size, marks)
