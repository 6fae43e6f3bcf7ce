"""The section Training of the page Attention: who is compared, what is drawn, bad addresses."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.app import cache
from explorer.app.attention.taught import COMPARED, KIND
from explorer.app.taught_choices import TaughtChoices
from explorer.figures.style import WIDTH
from explorer.link import bounds_of, choices_of
from explorer.seq2seq.learning import Learner
from explorer.seq2seq.tasks import TRANSLATION_TASKS
from explorer.training.runs import Race
from explorer.training.translation import TranslationRun
from tests.app.payload import panel_of
from tests.app.section import open_section

KEY = "attention-training"
OWNER = "test session id"  # as Streamlit's test runner names all its sessions
# All sessions of the test runner have one owner: no other test may train these networks.
TINY = {"attention": "training", "taught_hidden": 8, "taught_steps": 20, "taught_batch": 5}


def open_page(**choices: Any) -> AppTest:
    """A new session that comes to the section with these choices of the view."""
    return open_section("attention", ("taught", "teaching"), **(TINY | choices))


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def rested(at: AppTest, name: str) -> Race[TranslationRun]:
    """Press a button; the race once it rests and the page shows it."""
    at.button(key=f"taught:{name}").click().run()
    race = cache.runs().of(OWNER, KIND)
    assert race is not None
    until(lambda: not race.busy)
    at.run()
    assert not at.exception, at.exception
    return race


def figures(at: AppTest) -> dict:
    return panel_of(at, KEY)["figures"]


def test_training_shows_the_numbers_of_a_run_here() -> None:
    at = open_page()
    assert "Train" in at.button(key="taught:train").label
    race = rested(at, "train")
    learner = Learner(race.runs[0].recipe)
    learner.advance(20)
    losses = np.array(learner.learning.losses)
    drawn = [
        one for one in figures(at)["translation_loss"]["data"] if one.get("line", {}).get("width") == WIDTH
    ]
    means = [losses[max(0, k - 14) : k + 1].mean() for k in range(20)]
    np.testing.assert_allclose(drawn[0]["y"], np.log10(means), rtol=1e-5)
    moment = learner.learning.moments[-1]
    shares = [np.asarray(one["y"]) for one in figures(at)["length_accuracy"]["data"]]
    np.testing.assert_allclose(shares[0], moment.exact)
    np.testing.assert_allclose(figures(at)["attention_weights"]["data"][0]["z"], moment.weights, rtol=1e-5)
    assert at.button(key="taught:again").label == "Train again"


def test_ten_steps_on_back_and_to_the_end_are_the_uninterrupted_run() -> None:
    at = open_page(attn_seed=4)
    for done in (10, 20):
        race = rested(at, "few")
        assert [run.learning.step for run in race.runs] == [done, done]
    assert at.button(key="taught:go").disabled
    assert at.button(key="taught:rewind").disabled  # the newest step is shown
    at.select_slider(key="view:taught_moment").set_value(7).run()
    assert [run.learning.step for run in race.runs] == [20, 20]  # the slider looks and does nothing
    assert at.button(key="taught:rewind").label == "Rewind to 7"
    race = rested(at, "rewind")
    assert [run.learning.step for run in race.runs] == [7, 7]
    assert at.select_slider(key="view:taught_moment").value == 7
    rested(at, "go")
    assert at.select_slider(key="view:taught_moment").value == 20  # what is newest is shown again
    learner = Learner(race.runs[0].recipe)
    learner.advance(20)
    np.testing.assert_array_equal(race.runs[0].learning.losses, learner.learning.losses)


def test_a_few_steps_between_two_records_are_told() -> None:
    at = open_page(attn_seed=6, taught_steps=1000)
    rested(at, "few")
    assert any("At step 10, between two records" in item.value for item in at.caption)
    for _ in range(3):
        rested(at, "few")
    assert "now at 40" in at.select_slider(key="view:taught_moment").label


def test_pause_and_stop_keep_what_is_known() -> None:
    at = open_page(attn_seed=5, taught_steps=5000)
    at.button(key="taught:train").click().run()
    race = cache.runs().of(OWNER, KIND)
    assert race is not None
    until(lambda: all(run.learning.step for run in race.runs))
    rested(at, "pause")
    assert [run.state for run in race.runs] == ["paused", "paused"]
    at.button(key="taught:go").click().run()
    at.button(key="taught:stop").click().run()
    until(lambda: not race.busy)
    at.run()
    assert [run.state for run in race.runs] == ["stopped", "stopped"]
    assert at.button(key="taught:go").disabled and at.button(key="taught:rewind").disabled
    assert all(run.learning.step == len(run.learning.losses) > 0 for run in race.runs)
    at.button(key="taught:again").click().run()
    again = cache.runs().of(OWNER, KIND)
    assert again is not None and again is not race
    again.stop()


def test_another_network_and_an_earlier_step_are_shown() -> None:
    at = open_page(attn_seed=3)
    race = rested(at, "train")
    at.select_slider(key="view:taught_moment").set_value(0).run()
    first = race.runs[0].learning.moments[0]
    np.testing.assert_allclose(figures(at)["attention_weights"]["data"][0]["z"], first.weights, rtol=1e-5)
    at.selectbox(key="view:taught_shown").set_value("1").run()
    assert at.session_state["view"].taught_shown == 1
    assert not figures(at)["attention_weights"]["data"]  # the second network has no attention


def test_without_eos_answers_are_cut_and_the_page_says_so() -> None:
    at = open_page()
    assert "cut" not in " ".join(item.value for item in at.markdown)
    at.toggle(key="view:attn_eos").set_value(False).run()
    race = rested(at, "train")
    assert not race.runs[0].recipe.model.eos
    moment = race.runs[0].learning.moments[-1]
    assert len(moment.answer) == len(moment.example) == len(figures(at)["attention_map_1"]["data"][0]["z"])
    assert any("answers are cut at the wanted length." in item.value for item in at.markdown)


@pytest.mark.parametrize("beside", COMPARED)
def test_every_comparison_can_be_trained(beside: str) -> None:
    at = open_page(taught_beside=beside)
    race = rested(at, "train")
    assert [run.failed for run in race.runs] == [""] * len(COMPARED[beside])
    assert [one["name"] for one in figures(at)["length_accuracy"]["data"]] == list(COMPARED[beside])


@pytest.mark.parametrize("task", TRANSLATION_TASKS)
def test_every_task_is_drawn(task: str) -> None:
    at = open_page(taught_task=task)
    assert len(figures(at)["length_accuracy"]["data"]) == 2


@pytest.mark.parametrize("name", [name for name in TaughtChoices.model_fields if name.startswith("taught_")])
def test_both_ends_of_every_slider_and_every_choice_are_drawn(name: str) -> None:
    field = TaughtChoices.model_fields[name]
    for value in bounds_of(field) or choices_of(field):
        at = open_page(**{name: value})
        assert figures(at)["length_accuracy"]["data"]


def test_a_value_out_of_bounds_is_named_and_kept_out() -> None:
    at = open_page(taught_rate=7, taught_task="poetry")
    said = at.warning[0].value.replace("\\", "")
    assert "taught_rate" in said and "taught_task" in said
