"""Race: up to six networks trained side by side, and the gradient that said before who would learn."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer import figures
from explorer.app import controls, sections, state
from explorer.app.learning.race_after import before_and_after, outdated
from explorer.app.learning.race_buttons import buttons
from explorer.app.learning.race_setting import Lane, Setting, choices_of, lanes, setting, started
from explorer.app.learning.race_words import result, score_text
from explorer.app.legend import legend
from explorer.app.panel import PanelFigure, panel
from explorer.app.picture import Drawn, later_figure, panel_figure
from explorer.app.run_buttons import say_what_failed
from explorer.app.stories import Story, story_buttons
from explorer.experiment import Experiment
from explorer.figures.overlay import Curve
from explorer.figures.race import Lap, running_mean
from explorer.lessons.races import ENTRANTS, MOST, RACES
from explorer.tasks import TASKS

KEY = "learning-race"
_POLL = 0.5  # seconds between two looks at the runs
_NORMS = ("norm_before", "norm_after")
_GOALS = {"adding": 0.01}  # scores that count as solved

STORIES: dict[str, Story] = {
    race.name: Story(race.title, race.question, choices_of(race)) for race in RACES.values()
}


def side_bar() -> None:
    """The task, how it is trained, who races."""
    found = setting()

    def racers() -> None:
        _entrants(found)
        controls.view_control("racers")

    def task() -> None:
        controls.view_control("race_task")
        _task_settings(found)
        for name in ("length", "units", "batch"):
            controls.view_control(f"race_{name}")

    def training() -> None:
        for name in ("steps", "rate", "optimizer", "clip", "clip_at", "shown"):
            controls.view_control(f"race_{name}")
        controls.control("seed")

    controls.group("racers", f"{len(found.racers)} networks", racers, opened=True)
    controls.group(
        "task", f"Task: {TASKS[found.base.task.kind][0]}, T = {found.base.experiment.num_steps}", task
    )
    controls.group("training", f"{found.base.steps} steps, rate {found.base.learning_rate:g}", training)


def _entrants(found: Setting) -> None:
    """The menu of architectures; those with settings of their own stay as they are."""
    titles = {name: row.title for name, row in ENTRANTS.items()}
    mine = state.experiment()  # Streamlit tells options apart by their titles
    titles |= {str(racer): racer.title(found.base, mine, every=True) for racer in found.racers}
    st.session_state["entrants"] = [str(racer) for racer in found.racers]

    def take() -> None:
        state.look(racers=",".join(st.session_state["entrants"][:MOST]))

    st.multiselect(
        f"networks (up to {MOST})",
        list(titles),
        key="entrants",
        on_change=take,
        max_selections=MOST,
        format_func=titles.__getitem__,
        help="Each starts from its own initialisation with the same seed; *own* is that of the other pages.",
    )


def _task_settings(found: Setting) -> None:
    """What the task itself lets one choose."""
    task = found.base.task
    for name, field in type(task).model_fields.items():
        if name == "kind":
            continue
        key = f"race-task:{name}"

        def take(name: str = name, key: str = key) -> None:
            settings = task.model_dump(exclude={"kind"}, exclude_defaults=True) | {
                name: st.session_state[key]
            }
            state.look(race_settings=json.dumps(settings))

        controls.widget_of(key, getattr(task, name), field, take)


def picture() -> None:
    """Curves, gradients and buttons, drawn again while the networks are trained."""
    found = setting()
    story_buttons(STORIES)
    for note in found.notes:
        st.caption(f":material/info: {sections.literal(note)}")
    polls = _is_busy(found)

    def look() -> None:
        there = lanes(found)
        buttons(found, started(found), there)
        _draw(found, there)
        if polls != _is_busy(found) or outdated(there):
            st.rerun()  # a whole run decides whether to look again

    st.fragment(look, run_every=_POLL if polls else None)()
    before_and_after(found)


def _is_busy(found: Setting) -> bool:
    race = started(found)
    return race is not None and race.busy


def _draw(found: Setting, there: Sequence[Lane]) -> None:
    if any(lane.training.step for lane in there):
        st.markdown(f"**{result(there)}**")
    for lane in there:
        say_what_failed(lane.title, lane.run, lane.training.diverged)
    st.html(legend([(lane.title, _said(lane)) for lane in there]))
    panel(_figures(found, there), num_steps=1, cursor=0, key=KEY)


def _said(lane: Lane) -> str:
    """The present score, or why there is none."""
    if lane.run is not None and lane.run.state in ("diverged", "failed", "waiting"):
        return lane.run.state
    one = lane.training
    return score_text(one.recipe.task, float(running_mean(one.score)[-1])) if one.step else ""


def _figures(found: Setting, there: Sequence[Lane]) -> list[PanelFigure]:
    base, loss = found.base, state.view().race_shown == "loss"
    length, steps = base.experiment.num_steps, max(recipe.steps for recipe in found.recipes)
    chance = base.task.baseline(length)
    level = chance.loss if loss else chance.score
    measure = "loss" if loss else base.task.measure
    goal = None if loss else _GOALS.get(base.task.kind)
    runs = [(lane.title, lane.training) for lane in there]
    laps = [Lap(title, one.loss if loss else one.score, k) for k, (title, one) in enumerate(runs)]
    sizes = [Lap(title, one.norm_before, k) for k, (title, one) in enumerate(runs)]
    curves = [Curve(title, one.decades[-1]) for title, one in runs]
    limits = [recipe.clip_at if recipe.clip == "norm" else None for recipe in found.recipes]
    at = max(int(one.recorded[-1]) for _, one in runs)

    def norms() -> Drawn:
        return figures.gradient_size(sizes, steps, clip_at=limits), figures.gradient_size_alt(sizes)

    def histogram() -> Drawn:
        before, after = (np.concatenate([getattr(one, name) for _, one in runs]) for name in _NORMS)
        same = {limit for limit in limits if limit is not None}
        clip_at = same.pop() if len(same) == 1 else None
        return figures.norm_histogram(before, after, clip_at), figures.norm_histogram_alt(
            before, after, clip_at
        )

    return [
        panel_figure(
            Experiment(),
            "race",
            figures.race(laps, steps, measure=measure, baseline=level, loss=loss, goal=goal),
            figures.race_alt(laps, measure=measure, baseline=level),
            span=7,
            height=330,
        ),
        panel_figure(
            Experiment(),
            "race_gradients",
            figures.overlay(curves, loss_steps=[length], name="race_gradients"),
            figures.overlay_alt(curves),
            span=5,
            height=330,
            suffix=f", after {at} steps" if at else ", before training",
        ),
        later_figure(Experiment(), "gradient_size", norms, span=7, height=300),
        later_figure(Experiment(), "norm_histogram", histogram, span=5, height=300),
    ]
