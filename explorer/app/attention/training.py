"""Training: encoder–decoders that learn side by side, and the attention that becomes an alignment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from explorer import figures
from explorer.app import controls, sections, state
from explorer.app.attention.special_tokens import special_tokens
from explorer.app.attention.taught import Pupil, pupils
from explorer.app.attention.taught_buttons import buttons, is_busy, shown_of
from explorer.app.legend import legend
from explorer.app.panel import PanelFigure, panel
from explorer.app.picture import Drawn, later_figure, panel_figure
from explorer.app.recorded import moment_of
from explorer.app.run_buttons import say_what_failed
from explorer.experiment import Experiment
from explorer.figures.flow_colors import flow_span
from explorer.figures.race import Lap

KEY = "attention-training"
_POLL = 0.7  # seconds between two looks at the runs
_NO_EXPERIMENT = Experiment()  # the texts of these figures name no setting
_OF_OBJECTIVE = ("smoothing", "sampling", "reward")


def side_bar() -> None:
    """The task, who is compared, and how they are trained."""

    def lesson() -> None:
        for name in ("task", "beside", "cell", "hidden"):
            controls.view_control(f"taught_{name}")
        if state.view().taught_beside == "objective":
            for name in _OF_OBJECTIVE:
                controls.view_control(f"taught_{name}")

    def training() -> None:
        for name in ("taught_steps", "taught_rate", "taught_batch", "attn_seed"):
            controls.view_control(name)
        special_tokens()

    controls.group("taught", "Task and networks", lesson, opened=True)
    controls.group("teaching", f"{state.view().taught_steps} training steps", training)


def picture() -> None:
    """Curves, alignment and buttons, drawn again while the networks are trained."""
    polls = is_busy()

    def look() -> None:
        there = pupils(state.view())
        buttons(there)
        _draw(there)
        if polls != is_busy():
            st.rerun()  # a whole run decides whether to look again

    st.fragment(look, run_every=_POLL if polls else None)()


def _draw(there: Sequence[Pupil]) -> None:
    for pupil in there:
        say_what_failed(pupil.title, pupil.run, pupil.learning.diverged)
    st.markdown(_result(there))
    st.html(legend([(pupil.title, _exact_text(pupil)) for pupil in there]))
    panel(_figures(there), num_steps=1, cursor=0, key=KEY)


def _exact_text(pupil: Pupil) -> str:
    return f"{pupil.learning.moments[-1].exact[-2]:.0%}" if pupil.learning.step else ""


def _result(there: Sequence[Pupil]) -> str:
    """Who answers exactly, at the longest sources of training; and the example."""
    shown = there[shown_of(there)]
    task = shown.learning.recipe.task
    moment = moment_of(shown.learning.moments, state.view().taught_moment)
    target = task.target
    answer, wanted = ("".join(target.decode(tokens)) for tokens in (moment.answer, moment.example))
    verdict = "right" if answer == wanted else f"wanted: {wanted}"
    low, high = task.buckets[-2]
    parts = [
        f"{pupil.title} {pupil.learning.moments[-1].exact[-2]:.0%}" for pupil in there if pupil.learning.step
    ]
    exact = f"**Exact answers at {low} to {high} tokens: {', '.join(parts)}.** " if parts else ""
    said, verdict = sections.literal(answer) or "(nothing)", sections.literal(verdict)
    cut = "" if shown.learning.recipe.model.eos else " Without ‹eos› answers are cut at the wanted length."
    return f"{exact}At step {moment.step} {shown.title} answers the example with {said} ({verdict}).{cut}"


def _figures(there: Sequence[Pupil]) -> list[PanelFigure]:
    recipe = there[0].learning.recipe
    task, steps = recipe.task, recipe.steps
    laps = [Lap(pupil.title, np.array(pupil.learning.losses), k) for k, pupil in enumerate(there)]
    guess = float(np.log(len(task.target)))
    exact = {pupil.title: pupil.learning.moments[-1].exact for pupil in there}
    shown = there[shown_of(there)]
    moment = moment_of(shown.learning.moments, state.view().taught_moment)
    row = len(moment.decades) // 2 + 1
    weights = moment.weights
    if weights is None:
        said = "No attention:<br>the decoder sees the source<br>through s₀ alone."
        drawn, numbers = figures.message(said), said.replace("<br>", " ")
    else:
        drawn, numbers = (
            figures.attention_weights(weights, eos=recipe.model.eos),
            figures.attention_weights_alt(weights, row),
        )

    where = f" at step {moment.step}"
    return [
        panel_figure(
            _NO_EXPERIMENT,
            "translation_loss",
            figures.race(laps, steps, measure="loss", baseline=guess, loss=True),
            figures.race_alt(laps, measure="loss", baseline=guess),
            height=320,
        ),
        panel_figure(
            _NO_EXPERIMENT,
            "length_accuracy",
            figures.length_accuracy(exact, task.buckets, task.usual),
            figures.length_accuracy_alt(exact, task.buckets),
            height=320,
        ),
        panel_figure(_NO_EXPERIMENT, "attention_weights", drawn, numbers, height=320, suffix=where),
        *_maps(there),
    ]


def _maps(there: Sequence[Pupil]) -> list[PanelFigure]:
    """The gradient maps of all networks side by side, on one scale of colour."""
    wanted = state.view().taught_moment
    decades = [moment_of(pupil.learning.moments, wanted).decades for pupil in there]
    span = flow_span(*decades)

    def draw(pupil: Pupil, found: np.ndarray) -> Drawn:
        model = pupil.learning.recipe.model
        drawn = figures.attention_map(found, span=span, off=model.attention == "none", eos=model.eos)
        return drawn, figures.attention_map_alt(found, len(found) // 2 + 1)

    place: dict[str, Any] = {"span": 12 // len(there), "height": 320}
    return [
        replace(
            later_figure(_NO_EXPERIMENT, "attention_map", partial(draw, pupil, found), **place),
            id=f"attention_map_{k}",
            title=f"‖∂Lⱼ/∂hᵢ‖: {pupil.title}",
        )
        for k, (pupil, found) in enumerate(zip(there, decades, strict=True), 1)
    ]
