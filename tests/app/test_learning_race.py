"""The section Race of the page Learning: every task and choice, buttons, what is drawn, bad addresses."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.app import cache
from explorer.app.learning.race_setting import choices_of
from explorer.app.race_choices import RaceChoices
from explorer.experiment import Experiment
from explorer.figures.style import WIDTH
from explorer.lessons.races import ENTRANTS, RACES
from explorer.link import bounds_of
from explorer.link import choices_of as values_of
from explorer.tasks import TASKS
from explorer.training.runs import Race
from explorer.training.trainer import Trainer
from tests.app.payload import open_groups, panel_of

ROOT = Path(__file__).parents[2]
PAGE = "explorer/app/pages/learning.py"
KEY = "learning-race"
OWNER = "test session id"  # as Streamlit's test runner names all its sessions
TINY = "view.race_units=4&view.race_length=10&view.race_steps=20&view.race_batch=4&view.racers=irnn,lstm"


def open_page(view: str = "", base: str = TINY) -> AppTest:
    """A new session that comes to the page at an address."""
    at = open_groups(AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60))
    at.session_state["groups"] |= dict.fromkeys(("racers", "task", "training"), True)
    pairs = dict(part.split("=", 1) for part in f"{base}&{view}".split("&") if part)
    at.query_params = {name: [value] for name, value in pairs.items()}
    at.switch_page(PAGE).run()
    assert not at.exception, at.exception
    return at


def button(at: AppTest, name: str):
    return at.button(key=f"race:{name}")


def ended(at: AppTest) -> Race:
    """The race that was started, once it rests and the page shows it."""
    race = cache.runs().of(OWNER)
    assert race is not None
    end = time.monotonic() + 60
    while race.busy:
        assert time.monotonic() < end
        time.sleep(0.02)
    at.run()
    assert not at.exception, at.exception
    return race


def curves(at: AppTest, figure: str = "race") -> dict[str, np.ndarray]:
    """Name → thick curve of the learning curves, or of another figure."""
    drawn = panel_of(at, KEY)["figures"][figure]["data"]
    return {one["name"]: np.asarray(one["y"]) for one in drawn if one.get("line", {}).get("width") == WIDTH}


def test_the_picture_comes_before_training_and_training_shows_the_runs_numbers() -> None:
    at = open_page()
    assert all(len(curve) == 0 for curve in curves(at).values())
    before = curves(at, "race_gradients")
    button(at, "train").click().run()
    race = ended(at)
    for run, (name, shown) in zip(race.runs, curves(at).items(), strict=True):
        trainer = Trainer(run.recipe)
        np.testing.assert_allclose(before[name], trainer.training.decades[0], rtol=1e-6)
        trainer.advance(20)
        score = trainer.training.score
        expected = [score[max(0, k - 14) : k + 1].mean() for k in range(20)]
        np.testing.assert_allclose(shown, expected, rtol=1e-6)
        after = curves(at, "race_gradients")[name]
        np.testing.assert_allclose(after, trainer.training.decades[-1], rtol=1e-6)
    assert any("After 20 training steps" in item.value for item in at.markdown)


def test_a_few_steps_on_back_and_to_the_end() -> None:
    at = open_page("seed=3")
    button(at, "few").click().run()
    race = ended(at)
    assert [run.training.step for run in race.runs] == [10, 10]
    button(at, "few").click().run()
    ended(at)
    assert [run.training.step for run in race.runs] == [20, 20]
    assert button(at, "go").disabled
    at.select_slider(key="race:rewind").set_value(4).run()
    ended(at)
    assert [run.training.step for run in race.runs] == [4, 4]
    assert {len(curve) for curve in curves(at).values()} == {4}
    button(at, "go").click().run()
    ended(at)
    assert {len(curve) for curve in curves(at).values()} == {20}


def test_stop_keeps_the_curves_and_the_same_race_can_be_trained_again() -> None:
    at = open_page("seed=5&view.race_steps=5000")
    button(at, "train").click().run()
    race = cache.runs().of(OWNER)
    assert race is not None
    end = time.monotonic() + 60
    while not all(run.training.step for run in race.runs):
        assert time.monotonic() < end
        time.sleep(0.02)
    button(at, "stop").click().run()
    ended(at)
    assert {run.state for run in race.runs} == {"stopped"}
    assert button(at, "go").disabled and all(len(curve) for curve in curves(at).values())
    assert not any(item.key == "race:rewind" for item in at.select_slider)
    button(at, "again").click().run()
    assert cache.runs().of(OWNER) is not race
    cache.runs().of(OWNER).stop()


def test_other_settings_are_another_race_and_the_first_is_still_there() -> None:
    at = open_page("seed=4")
    button(at, "train").click().run()
    ended(at)
    at.selectbox(key="view:race_optimizer").set_value("sgd").run()
    assert button(at, "train").label == "Train"
    at.selectbox(key="view:race_optimizer").set_value("adam").run()
    assert {len(curve) for curve in curves(at).values()} == {20}


@pytest.mark.parametrize("task", TASKS)
def test_every_task_can_be_trained(task: str) -> None:
    at = open_page(f"view.race_task={task}&view.race_length=40")
    button(at, "few").click().run()
    race = ended(at)
    assert all(run.training.step == 10 and not run.failed for run in race.runs)
    assert {len(curve) for curve in curves(at).values()} == {10}


@pytest.mark.parametrize("name", RACES)
def test_every_story_sets_its_race(name: str) -> None:
    at = open_page()
    at.button(key=f"story:{name}").click().run()
    assert not at.exception, at.exception
    shown = at.session_state["view"].model_dump()
    assert choices_of(RACES[name]).items() <= shown.items()
    assert len(curves(at, "race_gradients")) == RACES[name].racers.count(",") + 1
    assert not at.warning


@pytest.mark.parametrize("name", [name for name in RaceChoices.model_fields if name.startswith("race_")])
def test_both_ends_of_every_slider_and_every_choice_are_drawn(name: str) -> None:
    field = RaceChoices.model_fields[name]
    for value in bounds_of(field) or values_of(field):
        at = open_page(f"view.{name}={value}", "view.race_units=4&view.race_length=10&view.racers=irnn")
        assert len(curves(at, "race_gradients")) == 1


@pytest.mark.parametrize("name", ENTRANTS)
def test_everybody_can_enter(name: str) -> None:
    at = open_page(f"view.racers={name}")
    assert len(curves(at, "race_gradients")) == 1


def test_the_menu_of_networks_keeps_settings_of_their_own() -> None:
    at = open_page("view.racers=lstm,lstm(cell.forget_bias=1)")
    menu = at.multiselect(key="entrants")
    assert menu.value == ["lstm", "lstm(cell.forget_bias=1)"]
    menu.set_value(["lstm(cell.forget_bias=1)", "gru"]).run()
    assert at.session_state["view"].racers == "lstm(cell.forget_bias=1),gru"
    assert list(curves(at, "race_gradients")) == ["LSTM · forget bias 1", "GRU"]


def test_settings_of_the_task_have_controls_of_their_own() -> None:
    at = open_page()
    at.slider(key="race-task:symbols").set_value(4).run()
    assert at.session_state["view"].race_settings == '{"symbols": 4}'
    button(at, "few").click().run()
    race = ended(at)
    assert race.runs[0].recipe.task.output_size == 4


def test_the_own_network_races_with_the_settings_of_the_other_pages() -> None:
    at = open_page("view.racers=own&cell=gru&cell.update_bias=2")
    button(at, "few").click().run()
    (run,) = ended(at).runs
    assert run.recipe.experiment.cell == Experiment(cell={"kind": "gru", "update_bias": 2.0}).cell


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("view.racers=nobody", "is not known"),
        ("view.racers=lstm(cell.forget_bias=99)", "forget_bias = 99"),
        ("view.race_settings={symbols", "do not fit"),
        ('view.race_settings={"symbols": 99}', "do not fit"),
        ("view.race_task=digits&view.race_length=10", ""),
        ("view.race_task=copy&view.race_length=10", "latch task is used"),
        ('view.race_task=text&view.race_settings={"source": "own", "own": "ab"}', "latch task is used"),
    ],
)
def test_what_cannot_be_is_said_and_something_is_drawn(address: str, said: str) -> None:
    at = open_page(address)
    assert len(curves(at, "race_gradients")) >= 1
    assert not said or any(said in item.value.replace("\\", "") for item in at.caption), [
        item.value for item in at.caption
    ]


def test_a_value_out_of_bounds_in_the_address_is_named_and_kept_out() -> None:
    at = open_page("view.race_steps=0&view.race_task=nonsense")
    said = at.warning[0].value.replace("\\", "")
    assert "race_steps" in said and "race_task" in said
    assert at.session_state["view"].race_task == "latch"


def test_divergence_is_said_and_the_others_go_on() -> None:
    at = open_page(
        "view.racers=own(optimizer=sgd;learning_rate=1;clip=none),lstm"
        "&cell.activation=relu&weight_scale=4&view.race_length=500&view.race_steps=20"
    )
    button(at, "train").click().run()
    race = ended(at)
    assert [run.state for run in race.runs] == ["diverged", "finished"]
    assert any("step" in item.value for item in at.warning)
