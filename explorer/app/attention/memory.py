"""Memory network: hops of attention in place of recurrence; how many does a question take?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from explorer import figures
from explorer.app import controls, state
from explorer.app.attention.memory_setting import (
    HOPS,
    Rival,
    questions,
    recurrent,
    rivals,
    shown,
    start,
    started,
    story_of,
)
from explorer.app.attention.memory_words import memory_words
from explorer.app.memory_choices import STORIES
from explorer.app.panel import panel
from explorer.app.picture import Drawn, later_figure, panel_figure
from explorer.app.recorded import look_at_newest, look_back, moment_of
from explorer.app.run_buttons import run_buttons, say_what_failed
from explorer.app.stories import Story, story_buttons
from explorer.experiment import Experiment
from explorer.figures.memory_accuracy import Answered
from explorer.figures.memory_story import story_height
from explorer.seq2seq.memory import PLACES, text_of

KEY = "attention-memory"
_POLL = 0.7  # seconds between two looks at the runs
_NO_EXPERIMENT = Experiment()  # the texts of these figures name no setting
_WIDE: dict[str, Any] = {"span": 7}
_NARROW: dict[str, Any] = {"span": 5}
_BELOW = 310  # pixels
QUESTIONS: dict[str, Story] = {
    "two": Story(
        "Two facts", "Where is a thing? Who took it, and where is that person?", {"memory_facts": 2}
    ),
    "one": Story("One fact", "Where is a person? One sentence says it.", {"memory_facts": 1}),
}
"""Buttons, in the order of a lecture."""


def side_bar() -> None:
    """The stories, the networks and their training."""

    def stories() -> None:
        for name in ("story", "sentences", "facts"):
            controls.view_control(f"memory_{name}")

    def training() -> None:
        for name in ("size", "steps", "rate", "batch", "seed"):
            controls.view_control(f"memory_{name}")

    controls.group("memory_stories", "Stories", stories, opened=True)
    controls.group("memory_training", f"{state.view().memory_steps} training steps", training)


def picture() -> None:
    """Story, curves and buttons, drawn again while the networks are trained."""
    polls = _is_busy()

    def look() -> None:
        there = rivals(state.view())
        _buttons(there)
        _draw(there)
        if polls != _is_busy():
            st.rerun()  # a whole run decides whether to look again

    st.fragment(look, run_every=_POLL if polls else None)()


def _is_busy() -> bool:
    race = started(state.view())
    return race is not None and race.busy


def _shown(there: Sequence[Rival]) -> Rival:
    return there[HOPS.index(int(state.view().memory_shown))]


def _buttons(there: Sequence[Rival]) -> None:
    """What the networks are told; the question, the network and the story that are looked at."""
    moments = _shown(there).learning.moments
    run_buttons(
        started(state.view()),
        start,
        prefix="memory",
        caption="Nothing is trained yet: every hop looks at all sentences.",
        resting=look_back("memory_moment", moments, "attention and gradient at training step"),
        going=look_at_newest("memory_moment"),
    )
    asked, whose, story = st.columns([4.2, 2.3, 1.3], vertical_alignment="center")
    with asked:
        story_buttons(QUESTIONS)
    with whose:
        controls.view_pills("memory_shown")
    following = state.view().memory_story % STORIES + 1
    story.button(
        "Next story",
        key="memory:story",
        on_click=state.look,
        kwargs={"memory_story": following},
        width="stretch",
    )


def _draw(there: Sequence[Rival]) -> None:
    for rival in there:
        say_what_failed(rival.title, rival.run, rival.learning.diverged)
    view, rival = state.view(), _shown(there)
    wanted = view.memory_moment
    moments = [moment_of(one.learning.moments, wanted) for one in there]
    moment = moments[there.index(rival)]
    trace, story = shown(view, rival, moment), story_of(view)
    lines, question, right = text_of(story)
    support = [int(i) for i in story.support[0] if i >= 0]
    best = int(trace.probabilities.argmax())
    given = PLACES[best], float(trace.probabilities[best])
    count, newest = questions(view)
    st.markdown(memory_words(moments, count, newest, trace, lines))
    known = [
        Answered(
            one.title,
            np.array([record.step for record in one.learning.moments]),
            np.array([record.accuracy for record in one.learning.moments]),
        )
        for one in there
    ]
    levels = {"chance": 1 / len(PLACES), "newest": newest / count}

    def sentences() -> Drawn:
        beside = recurrent(view)
        return (
            figures.sentence_gradient(trace.memory_decades, beside, support),
            figures.sentence_gradient_alt(trace.memory_decades, beside),
        )

    def hops() -> Drawn:
        ways = trace.query_decades, trace.attention_decades
        return figures.hop_gradient(*ways), figures.hop_gradient_alt(*ways)

    of_which = f": {rival.title} at step {moment.step}"
    parts = [
        panel_figure(
            _NO_EXPERIMENT,
            "memory_story",
            figures.memory_story(trace.weights, lines, support, question, given, right),
            figures.memory_story_alt(trace.weights, lines, question, given, right),
            height=story_height(len(lines)),
            suffix=of_which,
            **_WIDE,
        ),
        panel_figure(
            _NO_EXPERIMENT,
            "memory_accuracy",
            figures.memory_accuracy(known, view.memory_steps, **levels, marked=moment.step),
            figures.memory_accuracy_alt(known, **levels),
            height=story_height(0),
            **_NARROW,
        ),
        later_figure(_NO_EXPERIMENT, "sentence_gradient", sentences, height=_BELOW, suffix=of_which, **_WIDE),
        later_figure(_NO_EXPERIMENT, "hop_gradient", hops, height=_BELOW, suffix=of_which, **_NARROW),
    ]
    panel(parts, num_steps=1, cursor=0, key=KEY)
