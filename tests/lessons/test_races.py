"""Races are data: every preset starts, says what it asks, and is what its address stands for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.experiment import Experiment
from explorer.lessons.races import (
    ENTRANTS,
    MOST,
    OF_RECIPE,
    RACES,
    Race,
    Racer,
    load_races,
    racers_of,
    titles_of,
)
from explorer.lessons.sentences import one_sentence
from explorer.training.recipe import Recipe
from explorer.training.trainer import Trainer

BASE = RACES["latch"].recipe()
EVERY = pytest.mark.parametrize("race", RACES.values(), ids=list(RACES))
LAST = 25  # steps that a score is the mean of


@EVERY
def test_every_race_starts_and_says_what_it_asks(race: Race) -> None:
    racers, sentences = racers_of(race.racers, race.recipe(), Experiment())
    assert sentences == [] and 2 <= len(racers) <= MOST
    titles = titles_of(racers, race.recipe(), Experiment())
    assert len(set(titles)) == len(titles)
    assert one_sentence(race.question).endswith("?") and one_sentence(race.outcome)
    assert {outcome.racer for outcome in race.expect} == {str(racer) for racer in racers}
    for racer in racers:
        recipe = racer.recipe(race.recipe(3), Experiment())
        assert (recipe.experiment.seed, recipe.steps) == (3, race.steps)
        assert recipe.experiment.num_steps == race.length


@EVERY
@pytest.mark.training
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_race_comes_out_as_it_says(race: Race, seed: int) -> None:
    racers, _ = racers_of(race.racers, race.recipe(seed), Experiment())
    lower_is_better = race.task.measure != "accuracy"
    for racer in racers:
        trainer = Trainer(racer.recipe(race.recipe(seed), Experiment()))
        trainer.advance(race.steps)
        means = np.convolve(trainer.training.score, np.ones(LAST) / LAST, "valid")
        best = -means.min() if lower_is_better else means.max()
        for outcome in race.expect:
            sign = -1 if lower_is_better else 1
            if outcome.racer == str(racer) and outcome.learns is not None:
                assert best >= sign * outcome.learns, f"{racer}, seed {seed}: {best}"
            if outcome.racer == str(racer) and outcome.stays is not None:
                assert best <= sign * outcome.stays, f"{racer}, seed {seed}: {best}"


def test_a_racer_has_settings_of_its_own_and_shares_the_rest() -> None:
    (racer,), sentences = racers_of("lstm( cell.forget_bias = 2 ; clip=value; clip_at=3)", BASE, Experiment())
    recipe = racer.recipe(BASE, Experiment())
    assert sentences == []
    assert recipe.experiment.cell.model_dump()["forget_bias"] == 2
    assert (recipe.clip, recipe.clip_at) == ("value", 3)
    assert recipe.learning_rate == BASE.learning_rate and recipe.task == BASE.task
    assert racers_of(str(racer), BASE, Experiment())[0] == [racer]
    assert titles_of([racer], BASE, Experiment()) == ["LSTM · forget bias 2"]
    twice, _ = racers_of("lstm,lstm(clip=value;clip_at=3),lstm(optimizer=sgd)", BASE, Experiment())
    assert titles_of(twice, BASE, Experiment()) == ["LSTM", "LSTM · clip value 3", "LSTM · sgd"]


def test_the_own_racer_is_the_experiment_on_screen_at_the_size_of_the_race() -> None:
    mine = Experiment(cell={"kind": "gru"}, weight_scale=1.3, hold="update=0.9", hidden_size=7, num_steps=9)
    (racer,), _ = racers_of("own", BASE, mine)
    experiment = racer.recipe(BASE, mine).experiment
    assert (experiment.cell, experiment.weight_scale, experiment.hold) == (mine.cell, 1.3, mine.hold)
    assert (experiment.hidden_size, experiment.num_steps) == (32, 60)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nobody", "is not known"),
        ("stacked", "network of layers"),
        ("lstm(no.such=1)", "not a setting"),
        ("lstm(learning_rate=7)", "learning_rate = 7"),
        ("lstm(cell.forget_bias=much)", "forget_bias = much"),
        ("lstm(clip", "cannot be read"),
        (",".join(f"lstm(cell.forget_bias={k})" for k in range(8)), "first 6 race"),
        ("", "usual ones"),
    ],
)
def test_what_cannot_race_is_said(text: str, said: str) -> None:
    racers, sentences = racers_of(text, BASE, Experiment())
    assert 1 <= len(racers) <= MOST
    assert any(said in sentence for sentence in sentences), sentences


@given(st.text(max_size=60))
def test_no_text_breaks_a_race(text: str) -> None:
    racers, _ = racers_of(text, BASE, Experiment())
    assert racers


def test_what_a_racer_may_have_of_its_own_is_in_the_recipe() -> None:
    assert set(OF_RECIPE) <= set(Recipe.model_fields)
    assert all(isinstance(Racer(row).recipe(BASE, Experiment()), Recipe) for row in ENTRANTS.values())


def test_a_race_whose_racer_cannot_start_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {
        "name": "x",
        "title": "X",
        "question": "Who?",
        "outcome": "Nobody.",
        "task": "latch",
        "racers": "nobody",
    }
    monkeypatch.setattr("explorer.lessons.races.read_toml", lambda name: {"race": [row]})
    with pytest.raises(ValueError, match="race 'x'"):
        load_races()
