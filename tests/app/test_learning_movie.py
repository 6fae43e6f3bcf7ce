"""The section Gradient movie in Streamlit's own test runner, on a race of tiny networks."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.app import cache
from explorer.app.learning import movie_words
from explorer.app.learning.movie import KEY
from explorer.app.race_choices import RaceChoices
from explorer.experiment import Experiment
from explorer.lessons.races import racers_of
from explorer.training.recipe import Recipe
from explorer.training.runs import Race
from explorer.training.trainer import Trainer
from explorer.training.training import Training
from tests.app.payload import decode, element, panel_of, revive

ROOT = Path(__file__).parents[2]
OWNER = "test session id"  # as Streamlit's test runner names all its sessions
TINY = {"race_units": 4, "race_length": 10, "race_steps": 20, "race_batch": 4, "racers": "irnn,lstm,gru"}


def open_page(**choices: object) -> AppTest:
    """A new session that comes to the section with these choices."""
    at = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
    query = {"learning": "movie"} | TINY | choices
    at.query_params = {f"view.{name}": [str(value)] for name, value in query.items()}
    at.switch_page("explorer/app/pages/learning.py").run()
    assert not at.exception, at.exception
    return at


def trained() -> Race:
    """The tiny race with all its steps done; all tests share it."""
    race = cache.runs().of(OWNER)
    names = None if race is None else [run.recipe.experiment.cell.kind for run in race.runs]
    if names != ["rnn", "lstm", "gru"] or race.runs[0].recipe.steps != TINY["race_steps"]:
        open_page().button(key="race:train").click().run()
        race = cache.runs().of(OWNER)
    end = time.monotonic() + 60
    while race.busy:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert [run.state for run in race.runs] == ["finished"] * 3
    return race


def drawn(at: AppTest) -> dict:
    return panel_of(at, KEY)["figures"]


def frames(at: AppTest) -> dict:
    return revive(*decode(element(at, f"{KEY}-frames").bytes))


def heat(figure: dict) -> np.ndarray:
    return next(trace["z"] for trace in figure["data"] if trace["type"] == "heatmap")


def bold(at: AppTest) -> str:
    return next(text.value for text in at.markdown if text.value.startswith("**"))


def test_before_training_one_row_and_a_button_that_trains() -> None:
    at = open_page(race_steps=40)
    assert at.button(key="race:train").label == "Train"
    assert "before training" in bold(at)
    start = Trainer(recipe_of(0, steps=40)).training
    np.testing.assert_allclose(heat(drawn(at)["training_movie"]), start.decades, rtol=1e-6)
    assert frames(at)["values"].tolist() == [0]
    at.button(key="race:few").click().run()
    race = cache.runs().of(OWNER)
    while race.busy:
        time.sleep(0.02)
    at.run()
    assert at.button(key="race:go").label == "Go on"
    rows = heat(drawn(at)["training_movie"])
    np.testing.assert_allclose(rows, race.runs[0].training.decades, rtol=1e-6)
    assert 1 < len(rows) < len(race.runs[0].recipe.moments)
    low, high = drawn(at)["training_movie"]["layout"]["yaxis"]["range"]
    assert low < 0
    assert high > 40  # of the whole run


def recipe_of(place: int, steps: int = 20) -> Recipe:
    """The recipe of a racer, made without the page."""
    small = Experiment(hidden_size=4, num_steps=10, batch_size=4, dtype="float32")
    usual = RaceChoices()
    base = Recipe(
        experiment=small,
        steps=steps,
        learning_rate=usual.race_rate,
        optimizer=usual.race_optimizer,
        clip=usual.race_clip,
        clip_at=usual.race_clip_at,
    )
    return racers_of(str(TINY["racers"]), base, Experiment())[0][place].recipe(base, Experiment())


@pytest.mark.parametrize(("place", "name"), [(0, "irnn"), (1, "lstm"), (2, "gru")])
def test_the_figures_hold_what_the_run_recorded(place: int, name: str) -> None:
    trained()
    at = open_page(movie_racer=name)
    run = Trainer(recipe_of(place))
    run.advance(20)
    training = run.training
    figures, moving = drawn(at), frames(at)
    np.testing.assert_allclose(heat(figures["training_movie"]), training.decades, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(moving["values"], training.recorded)
    curves = moving["figures"]["movie_curve"]["0"]
    np.testing.assert_allclose(curves, training.decades, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(figures["movie_curve"]["data"][0]["y"].astype("f4"), curves[-1])
    np.testing.assert_array_equal(moving["tracks"]["0"][:, 0], training.recorded)
    gates = training.recipe.experiment.cell.gates
    block = {"irnn": 0, "lstm": 1, "gru": 1}[name]  # of forget and update gate, in torch's order
    points = moving["figures"]["movie_eigenvalues"]["0"]
    roots = np.sort_complex(points["x"] + 1j * points["y"])
    np.testing.assert_allclose(roots, np.sort_complex(training.eigenvalues[:, block]), rtol=1e-4, atol=1e-5)
    assert len(moving["captions"]) == len(training.recorded)
    assert ("movie_gates" in figures) == bool(gates)
    no_gates = [text.value for text in at.caption if "no gates" in text.value]
    assert bool(no_gates) == (not gates)
    if gates:
        index = list(gates).index("forget" if name == "lstm" else "update")
        np.testing.assert_allclose(heat(figures["movie_gates"]), training.gates[:, index], rtol=1e-4)


def test_every_gate_can_be_looked_at() -> None:
    trained()
    at = open_page(movie_racer="lstm")
    training = cache.runs().of(OWNER).runs[1].training
    box = at.selectbox(key="view:movie_gate")
    for index, gate in enumerate(training.recipe.experiment.cell.gates):
        at.selectbox(key="view:movie_gate").set_value(gate).run()
        assert not at.exception, at.exception
        np.testing.assert_allclose(heat(drawn(at)["movie_gates"]), training.gates[:, index], rtol=1e-6)
        assert at.query_params["view.movie_gate"] in (gate, [gate])
    assert len(box.options) == 4


@pytest.mark.parametrize(("asked", "row"), [(0, 0), (-1, -1), (7, 3), (20, -1), (20_000, -1)])
def test_an_address_names_the_training_step(asked: int, row: int) -> None:
    trained()
    at = open_page(movie_step=asked, movie_racer="lstm")
    training = cache.runs().of(OWNER).runs[1].training
    assert training.recorded[:4].tolist() == [0, 2, 4, 6]
    head = panel_of(at, KEY)
    assert head["scrub"]["value"] == training.recorded[row]
    assert set(head["figures"]["training_movie"]["data"][0]["y"]) == {training.recorded[row]}
    curve = head["figures"]["movie_curve"]["data"][0]["y"]
    np.testing.assert_allclose(curve, training.decades[row])


def test_shares_and_the_menu_of_networks() -> None:
    trained()
    at = open_page()
    at.selectbox(key="view:movie_shown").set_value("share").run()
    at.selectbox(key="view:movie_racer").set_value("gru").run()
    assert not at.exception, at.exception
    z = heat(drawn(at)["training_movie"])
    np.testing.assert_allclose(np.nanmax(z, axis=1), 0, atol=1e-6)
    assert bold(at).startswith("**GRU")


def test_what_is_not_there_is_named() -> None:
    trained()
    at = open_page(movie_racer="minimal", movie_gate="reset")
    assert any("minimal is not in this race" in text.value for text in at.caption)
    assert bold(at).startswith("**IRNN")
    at = open_page(movie_racer="lstm", movie_gate="reset")
    assert any("no reset gate: forget is shown" in text.value for text in at.caption)
    at = open_page(movie_gate="window", movie_shown="colour", movie_step=-7)
    said = at.warning[0].value
    for name in ("movie\\_gate", "movie\\_shown", "movie\\_step"):
        assert name in said


# ---- words ----


def made(shares: list[float], scores: np.ndarray, step_of: list[int]) -> Training:
    """A run whose gradient at step 1 is 10^shares beside its largest, with these scores."""
    training = Trainer(Recipe(experiment={"hidden_size": 2, "num_steps": 10}, steps=100)).training
    first = training.moments[0]
    rows = [np.array([share, share, *np.linspace(-1, 0, 9)]) for share in shares]
    training.moments = [replace(first, step=k, decades=row) for k, row in zip(step_of, rows, strict=True)]
    for score in scores:
        training.append(loss=1 - score, score=score, norm_before=1, norm_after=1)
    return training


GOOD, BAD = np.r_[np.full(40, 0.5), np.ones(60)], np.full(100, 0.5)
STEPS = [0, 50, 100]


@pytest.mark.parametrize(
    ("shares", "scores", "said"),
    [
        ([-1, -1, -2], GOOD, "learned it by step 52, while its gradient still reaches"),
        (
            [-1, -1, -2],
            BAD,
            "has not learned it after 100 training steps, although its gradient still reaches",
        ),
        ([-1, -9, -30], GOOD, "learned it by step 52, and meanwhile its gradient vanished"),
        ([-1, -1, -30], BAD, "and meanwhile its gradient vanished"),
        ([-9, -9, -2], GOOD, "training opened the way"),
        ([-9, -9, -9], BAD, "hardly any of its gradient ever arrives"),
        ([-9, -9, -np.inf], BAD, "exactly 0 now"),
    ],
)
def test_the_sentence_tells_what_happened(shares: list[float], scores: np.ndarray, said: str) -> None:
    training = made(shares, scores, STEPS)
    assert said in movie_words.what_happened("tanh RNN", training, lambda r: 0.0)


def test_a_gradient_that_goes_after_the_network_has_learned() -> None:
    training = made([-1, -1, -1, -30], GOOD, [0, 50, 60, 100])
    said = movie_words.what_happened("tanh RNN", training, lambda r: 0.4 if r else 0.0)
    assert "and only then its gradient vanished" in said
    assert "40% of its states are saturated" in said
    assert said.startswith("Tanh RNN learned it by step 52")
    assert movie_words.learned_at(training) == 52  # 12 of the last 15 batches are right: 90 %
    assert movie_words.last_reached(training) == 60
    assert "saturated" not in movie_words.what_happened("x", training, lambda r: 0.4)
    assert movie_words.captions(training)[0].startswith("untrained")
    assert "100 training steps" in movie_words.sizes(training)
