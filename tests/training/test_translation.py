"""Translators trained in processes of their own: the numbers of a run here, and why one ended early."""

import os
import signal
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from explorer.seq2seq.learning import Learner
from explorer.seq2seq.recipe import TranslationRecipe
from explorer.seq2seq.settings import Seq2Seq
from explorer.training.runs import Runs, wait
from explorer.training.translation import TranslationRun

PATIENCE = 60
SMALL = TranslationRecipe(
    model=Seq2Seq(cell="gru", hidden_size=8, embedding_size=4, attention="dot"), batch_size=4, steps=20
)
LONG = SMALL.model_copy(update={"steps": 20_000})


@pytest.fixture(scope="module")
def runs() -> Iterator[Runs]:
    found = Runs(lambda owner: True)
    yield found
    found.close()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_a_run_elsewhere_gives_the_numbers_of_a_run_here(runs: Runs) -> None:
    race = runs.start("one", [TranslationRun(SMALL)], "translation")
    assert wait(race, PATIENCE)
    (run,) = race.runs
    learner = Learner(SMALL)
    learner.advance(20)
    assert not run.failed and run.learning.step == 20
    np.testing.assert_array_equal(run.learning.losses, learner.learning.losses)
    assert [moment.step for moment in run.learning.moments] == SMALL.moments.tolist()
    for ours, theirs in zip(run.learning.moments, learner.learning.moments, strict=True):
        np.testing.assert_array_equal(ours.exact, theirs.exact)
        np.testing.assert_array_equal(ours.decades, theirs.decades)


def test_kinds_of_one_owner_do_not_end_one_another(runs: Runs) -> None:
    first = runs.start("two", [TranslationRun(LONG)], "translation")
    runs.start("two", [TranslationRun(SMALL)], "other")
    until(lambda: first.runs[0].learning.step > 0)
    assert first.busy and runs.of("two", "translation") is first
    again = runs.start("two", [TranslationRun(SMALL)], "translation")
    until(lambda: not first.runs[0].has_process)
    assert not first.busy and runs.of("two", "translation") is again


def test_a_worker_that_is_killed_is_named(runs: Runs) -> None:
    (run,) = runs.start("three", [TranslationRun(LONG)], "translation").runs
    until(lambda: run.learning.step > 0)
    os.kill(run.process, signal.SIGKILL)
    until(lambda: not run.busy)
    assert "ended unexpectedly" in run.failed
