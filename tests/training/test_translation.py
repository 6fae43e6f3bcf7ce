"""Encoder–decoders and memory networks in processes of their own: numbers, orders, why one ended early."""

import os
import signal
from dataclasses import fields

import numpy as np
import pytest

from explorer.seq2seq.learning import Learner
from explorer.seq2seq.memory import MemoryLearner, MemorySettings
from explorer.seq2seq.recipe import TranslationRecipe
from explorer.seq2seq.settings import Seq2Seq
from explorer.training.memory import MemoryRun
from explorer.training.runs import Runs, wait
from explorer.training.translation import TranslationRun
from tests.training.patience import PATIENCE, until

SMALL = TranslationRecipe(
    model=Seq2Seq(cell="gru", hidden_size=4, embedding_size=4, attention="dot"), batch_size=2, steps=8
)
LONG = SMALL.model_copy(update={"steps": 20_000})
REWARDED = SMALL.model_copy(update={"objective": "reward"})
STORIES = MemorySettings(steps=8, sentences=3, batch_size=2)


def assert_equal(ours: object, theirs: object) -> None:
    """Two records of the same class, or what is inside them, to the last bit."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        ours, theirs = list(ours.values()), list(theirs.values())
    if isinstance(ours, list) and isinstance(theirs, list):
        for one, two in zip(ours, theirs, strict=True):
            assert_equal(one, two)
    elif hasattr(ours, "__dataclass_fields__"):
        for field in fields(ours):
            assert_equal(getattr(ours, field.name), getattr(theirs, field.name))
    elif isinstance(ours, float | np.ndarray):
        np.testing.assert_array_equal(ours, theirs)
    else:
        assert ours == theirs


@pytest.mark.parametrize(
    ("remote", "local", "recipe"),
    [
        (TranslationRun, Learner, SMALL),
        (TranslationRun, Learner, REWARDED),
        (MemoryRun, MemoryLearner, STORIES),
    ],
)
def test_a_few_steps_then_rewound_then_to_the_end_is_an_uninterrupted_run_here(
    runs: Runs, remote: type, local: type, recipe: object
) -> None:
    run, learner = remote(recipe, 6), local(recipe)
    assert run.state == "waiting"
    race = runs.start("one", [run])
    assert wait(race, PATIENCE)
    assert (run.state, run.learning.step) == ("paused", 6)
    learner.advance(6)
    assert_equal(run.learning, learner.learning)
    run.rewind(3)
    until(lambda: run.learning.step == 3 and not run.busy)
    run.go()
    until(lambda: run.state == "finished")
    learner.advance(2)
    assert_equal(run.learning, learner.learning)


def test_kinds_of_one_owner_do_not_end_one_another(runs: Runs) -> None:
    first = runs.start("two", [TranslationRun(LONG)], "translation")
    runs.start("two", [TranslationRun(SMALL)], "other")
    until(lambda: first.runs[0].learning.step > 0)
    assert first.busy and runs.of("two", "translation") is first
    again = runs.start("two", [TranslationRun(SMALL)], "translation")
    until(lambda: not first.runs[0].has_process)
    assert first.runs[0].state == "stopped" and runs.of("two", "translation") is again


def test_what_was_told_before_a_rewind_is_left_out(runs: Runs) -> None:
    """Orders and reports cross on their way: a rewind at full speed leaves nothing of later steps."""
    (run,) = runs.start("three", [TranslationRun(LONG)], "translation").runs
    for _ in range(5):
        until(lambda: run.learning.step > 3)
        run.rewind(0)
        until(lambda: run.state == "paused" and run.learning.step == 0)
        assert [moment.step for moment in run.learning.moments] == [0]
        run.go()
    run.stop()
    learner = Learner(LONG)
    learner.advance(run.learning.step)
    assert_equal(run.learning, learner.learning)


def test_a_worker_that_is_killed_is_named(runs: Runs) -> None:
    (run,) = runs.start("four", [TranslationRun(LONG)], "translation").runs
    until(lambda: run.learning.step > 0)
    os.kill(run.process, signal.SIGKILL)
    until(lambda: not run.busy)
    assert "ended unexpectedly" in run.failed
    step = run.learning.step
    run.rewind(0)
    assert run.learning.step == step  # what is known of it stays
