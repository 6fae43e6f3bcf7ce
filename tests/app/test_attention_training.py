"""The section Training of the page Attention: who is compared, what is drawn, bad addresses."""

from __future__ import annotations

import time
from pathlib import Path

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
from tests.app.payload import open_groups, panel_of

ROOT = Path(__file__).parents[2]
PAGE = "explorer/app/pages/attention.py"
KEY = "attention-training"
OWNER = "test session id"  # as Streamlit's test runner names all its sessions
TINY = "view.attention=training&view.taught_hidden=8&view.taught_steps=20&view.taught_batch=4"


def open_page(view: str = "") -> AppTest:
    """A new session that comes to the section at an address."""
    at = open_groups(AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60))
    at.session_state["groups"] |= dict.fromkeys(("taught", "teaching"), True)
    pairs = dict(part.split("=", 1) for part in f"{TINY}&{view}".split("&") if part)
    at.query_params = {name: [value] for name, value in pairs.items()}
    at.switch_page(PAGE).run()
    assert not at.exception, at.exception
    return at


def trained(at: AppTest) -> Race[TranslationRun]:
    """Press Train; the race once it rests and the page shows it."""
    at.button(key="taught:train").click().run()
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


def test_training_shows_the_numbers_of_a_run_here() -> None:
    at = open_page()
    assert "Train" in at.button(key="taught:train").label
    race = trained(at)
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
    assert at.button(key="taught:train").label == "Train again"


def test_another_network_and_an_earlier_step_are_shown() -> None:
    at = open_page("view.attn_seed=3")
    race = trained(at)
    at.select_slider(key="view:taught_moment").set_value(0).run()
    first = race.runs[0].learning.moments[0]
    np.testing.assert_allclose(figures(at)["attention_weights"]["data"][0]["z"], first.weights, rtol=1e-5)
    at.selectbox(key="view:taught_shown").set_value("1").run()
    assert at.session_state["view"].taught_shown == 1
    assert not figures(at)["attention_weights"]["data"]  # the second network has no attention


@pytest.mark.parametrize("beside", COMPARED)
def test_every_comparison_can_be_trained(beside: str) -> None:
    at = open_page(f"view.taught_beside={beside}")
    race = trained(at)
    assert [run.failed for run in race.runs] == [""] * len(COMPARED[beside])
    assert [one["name"] for one in figures(at)["length_accuracy"]["data"]] == list(COMPARED[beside])


@pytest.mark.parametrize("task", TRANSLATION_TASKS)
def test_every_task_is_drawn(task: str) -> None:
    at = open_page(f"view.taught_task={task}")
    assert len(figures(at)["length_accuracy"]["data"]) == 2


@pytest.mark.parametrize("name", [name for name in TaughtChoices.model_fields if name.startswith("taught_")])
def test_both_ends_of_every_slider_and_every_choice_are_drawn(name: str) -> None:
    field = TaughtChoices.model_fields[name]
    for value in bounds_of(field) or choices_of(field):
        at = open_page(f"view.{name}={value}")
        assert figures(at)["length_accuracy"]["data"]


def test_a_value_out_of_bounds_is_named_and_kept_out() -> None:
    at = open_page("view.taught_rate=7&view.taught_task=poetry")
    said = at.warning[0].value.replace("\\", "")
    assert "taught_rate" in said and "taught_task" in said
