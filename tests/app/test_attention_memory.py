"""The section Memory network of the page Attention: numbers, training, stories, bad addresses."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.app import cache
from explorer.app.attention.memory_setting import KIND
from explorer.app.memory_choices import MemoryChoices
from explorer.link import bounds_of, choices_of
from explorer.seq2seq.memory import MemoryLearner, draw_stories, run_memory, text_of, trained_memory
from explorer.training.memory import MemoryRun
from explorer.training.runs import Race
from tests.app.payload import panel_of
from tests.app.section import open_section

KEY = "attention-memory"
OWNER = "test session id"  # as Streamlit's test runner names all its sessions
TINY = {"attention": "memory", "memory_steps": 20, "memory_batch": 4}


def open_page(**choices: Any) -> AppTest:
    """A new session that comes to the section with these choices of the view."""
    return open_section("attention", ("memory_stories", "memory_training"), **(TINY | choices))


def trained(at: AppTest) -> Race[MemoryRun]:
    """Press Train; the race once it rests and the page shows it."""
    at.button(key="memory:train").click().run()
    race = cache.runs().of(OWNER, KIND)
    assert race is not None
    end = time.monotonic() + 60
    while race.busy:
        assert time.monotonic() < end
        time.sleep(0.02)
    at.run()
    assert not at.exception, at.exception
    return race


def figures(at: AppTest) -> dict:
    return panel_of(at, KEY)["figures"]


def test_training_shows_the_numbers_of_runs_here() -> None:
    at = open_page()
    race = trained(at)
    counts = []
    for place, run in enumerate(race.runs):
        learner = MemoryLearner(run.recipe)
        learner.advance(20)
        moments = learner.learning.moments
        drawn = figures(at)["memory_accuracy"]["data"][place]
        np.testing.assert_allclose(drawn["y"], [moment.accuracy for moment in moments])
        counts.append(round(500 * moments[-1].accuracy))
        if run.recipe.hops == 2:
            story = draw_stories(run.recipe.rng("shown"), 20, 8, 2).one(0)
            trace = run_memory(trained_memory(run.recipe, moments[-1]), story)
    one, two, three = counts
    said = next(m.value for m in at.markdown if "**Of 500 questions" in m.value)
    wanted = f"1 hop answers {one}, 2 hops answer {two} and 3 hops answer {three} after 20 training steps.**"
    assert wanted in said
    assert f"hop 1 looks most at “{text_of(story)[0][trace.weights[0].argmax()]}”" in said
    np.testing.assert_allclose(figures(at)["memory_story"]["data"][0]["z"], trace.weights.T, rtol=1e-5)
    drawn = figures(at)["hop_gradient"]["data"]
    np.testing.assert_allclose(drawn[0]["y"], trace.query_decades, rtol=1e-5)
    np.testing.assert_allclose(drawn[1]["y"], trace.attention_decades, rtol=1e-5)
    np.testing.assert_allclose(
        figures(at)["sentence_gradient"]["data"][1]["y"], trace.memory_decades[1], rtol=1e-5
    )


def test_another_network_step_and_story_are_shown() -> None:
    at = open_page(memory_seed=3)
    race = trained(at)
    at.select_slider(key="view:memory_moment").set_value(0).run()
    at.segmented_control(key="view:memory_shown").set_value("3").run()
    at.button(key="memory:story").click().run()
    assert not at.exception, at.exception
    story = draw_stories(race.runs[0].recipe.rng("shown"), 20, 8, 2).one(1)
    run = race.runs[2]
    trace = run_memory(trained_memory(run.recipe, run.learning.moments[0]), story)
    np.testing.assert_allclose(figures(at)["memory_story"]["data"][0]["z"], trace.weights.T, rtol=1e-5)
    at.button(key="memory:rewind").click().run()
    assert not at.exception, at.exception
    assert {one.learning.step for one in race.runs} == {0}


@pytest.mark.parametrize("name", MemoryChoices.model_fields)
def test_both_ends_of_every_slider_and_every_choice_are_drawn(name: str) -> None:
    field = MemoryChoices.model_fields[name]
    for value in bounds_of(field) or choices_of(field):
        at = open_page(**{name: value})
        assert len(figures(at)["memory_accuracy"]["data"]) == 3
        assert len(figures(at)["sentence_gradient"]["data"]) == 2 + int(at.session_state["view"].memory_shown)


@pytest.mark.parametrize(("facts", "shown"), [(1, "one"), (2, "two")])
def test_the_buttons_choose_how_many_facts_are_needed(facts: int, shown: str) -> None:
    at = open_page(memory_facts=3 - facts)
    at.button(key=f"story:{shown}").click().run()
    assert at.session_state["view"].memory_facts == facts
    assert len(figures(at)["memory_story"]["layout"]["shapes"]) == facts


def test_the_last_story_is_followed_by_the_first() -> None:
    at = open_page(memory_story=20)
    at.button(key="memory:story").click().run()
    assert at.session_state["view"].memory_story == 1


def test_a_value_out_of_bounds_is_named_and_kept_out() -> None:
    at = open_page(memory_facts=3, memory_shown=9)
    said = at.warning[0].value.replace("\\", "")
    assert "memory_facts" in said and "memory_shown" in said
