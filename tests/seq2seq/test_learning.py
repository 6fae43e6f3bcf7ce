"""Training: it learns, can be resumed to the last bit, and records what it did."""

import os
import subprocess
import sys

import numpy as np
import pytest

from explorer.seq2seq import (
    BOS,
    EOS,
    Learner,
    NextToken,
    Seq2Seq,
    TranslationRecipe,
    gradient_map,
    run_translator,
    trained_translator,
)
from explorer.seq2seq.records import RECORDS
from explorer.seq2seq.tasks import CopySequence, Dates
from explorer.seq2seq.tasks.sequences import SequenceTask

WITHOUT = {"bos": False, "eos": False}
SMALL = Seq2Seq(cell="gru", hidden_size=16, embedding_size=8, bidirectional=True, start="backward")


def recipe(**fields) -> TranslationRecipe:
    return TranslationRecipe(**{"model": SMALL, "steps": 4, "batch_size": 4, **fields})


CASES = [
    {},
    {"objective": "smoothing", "task": Dates()},
    {"objective": "scheduled"},
    {"objective": "reward"},
    {"objective": "reward", "reward": "exact", "model": SMALL.model_copy(update={"attention": "hard"})},
    {"objective": "smoothing", "model": SMALL.model_copy(update=WITHOUT)},
    {"objective": "reward", "task": Dates(), "model": SMALL.model_copy(update=WITHOUT)},
    {"model": SMALL.model_copy(update={"attention": "hard", "dropout": 0.2, "estimator": "reinforce"})},
]


@pytest.fixture
def _short_tests(monkeypatch):
    """Records are made quickly: what they hold is not the point."""
    for task in (SequenceTask, Dates):
        monkeypatch.setattr(task, "buckets", task.buckets[:2])


@pytest.mark.usefixtures("_short_tests")
@pytest.mark.parametrize("fields", CASES)
def test_resuming_changes_no_number(fields):
    whole = Learner(recipe(**fields))
    whole.advance(100)
    assert whole.learning.finished and whole.learning.step == 4 and not whole.learning.diverged
    half = Learner(recipe(**fields))
    half.advance(3)
    half.learning.moments = half.learning.moments[:2]  # the last record is of step 1
    again = Learner.resumed(half.learning)
    assert again.learning.step == 1
    again.advance(100)
    for name in ("losses", "rewards"):
        np.testing.assert_array_equal(getattr(again.learning, name), getattr(whole.learning, name))
    for one, two in zip(again.learning.moments, whole.learning.moments, strict=True):
        assert one.step == two.step
        np.testing.assert_array_equal(one.decades, two.decades)
        np.testing.assert_array_equal(one.exact, two.exact)
    rewarded = np.isfinite(whole.learning.rewards)
    assert rewarded.sum() == (2 if fields.get("objective") == "reward" else 0)
    assert np.isfinite(whole.learning.losses)[~rewarded].all()


@pytest.mark.usefixtures("_short_tests")
@pytest.mark.parametrize("fields", [CASES[3], CASES[-1]])
def test_a_run_goes_on_from_every_record_as_if_it_had_not_gone_back(fields):
    whole, again = Learner(recipe(**fields)), Learner(recipe(**fields))
    whole.advance(4)
    for done, step in ((4, 3), (4, 1), (2, 0)):
        again.advance(done - again.learning.step)
        again.rewind(step)
        assert again.learning.step == step == again.learning.moments[-1].step
    again.advance(4)
    for name in ("losses", "rewards"):
        np.testing.assert_array_equal(getattr(again.learning, name), getattr(whole.learning, name))
    for one, two in zip(again.learning.moments, whole.learning.moments, strict=True):
        assert (one.step, one.baseline) == (two.step, two.baseline)
        for name, value in {**one.state, **one.optimizer}.items():
            np.testing.assert_array_equal(value, {**two.state, **two.optimizer}[name])


def test_going_back_takes_a_recorded_step():
    learner = Learner(recipe(steps=100))
    learner.advance(9)
    with pytest.raises(ValueError, match="step 5 is not recorded; recorded are 0, 4, 8"):
        learner.rewind(5)
    assert learner.learning.step == 9 and len(learner.learning.moments) == 3


def test_a_run_that_diverged_goes_on_from_before():
    learner, whole = Learner(recipe()), Learner(recipe())
    learner.advance(2)
    learner.translator.readout.bias.data.fill_(float("nan"))
    learner.advance(2)
    assert "Step 3" in learner.learning.diverged and learner.learning.step == 2
    learner.rewind(1)
    assert not learner.learning.diverged
    learner.advance(4)
    whole.advance(4)
    np.testing.assert_array_equal(learner.learning.losses, whole.learning.losses)


def test_what_is_recorded():
    learner = Learner(recipe(steps=100))
    assert len(learner.learning.recipe.moments) <= RECORDS + 1
    learner.advance(8)
    moment = learner.learning.moments[2]
    assert moment.step == learner.learning.recipe.moments[2]
    translator = trained_translator(learner.learning.recipe, moment)
    source, target = learner.example
    trace = run_translator(SMALL, source, target, translator=translator, as_training=False)
    np.testing.assert_allclose(moment.weights, trace.weights)
    np.testing.assert_allclose(moment.decades, gradient_map(trace))
    assert moment.exact.shape == (4,)


@pytest.mark.parametrize("changed", [{}, WITHOUT])
def test_it_learns(changed):
    """A tiny copy problem within seconds; chance is 1/3 of a token."""
    task, model = CopySequence(symbols=3), SMALL.model_copy(update=changed)
    learner = Learner(recipe(task=task, model=model, steps=3000, batch_size=32, learning_rate=1e-2))
    learner.advance(100)
    assert np.mean(learner.learning.losses[-10:]) < 0.6 * np.log(4)
    assert learner.learning.moments[-1].exact[0] > 0.5 > learner.learning.moments[0].exact[0]


def test_without_eos_answers_are_cut_and_without_bos_nothing_is_learned_of_it():
    learner = Learner(recipe(model=SMALL.model_copy(update=WITHOUT)))
    learner.advance(4)
    moment, (source, target) = learner.learning.moments[-1], learner.example
    assert moment.example.tolist() == target and len(moment.decades) == len(moment.answer) == len(target)
    assert len(source) == len(target) and EOS not in moment.answer
    translator = trained_translator(learner.learning.recipe, moment)
    assert not translator.target_embedding.weight[BOS].any()
    task = learner.learning.recipe.task
    pairs = task.batch(np.random.default_rng(0), 20, (1, 1))
    said = [NextToken(translator, [one])(()).argmax() for one in pairs.source[0]]
    assert learner.test(pairs) == np.mean(said == pairs.target[0])


def test_a_diverging_run_stops_with_a_sentence():
    learner = Learner(recipe())
    learner.translator.readout.bias.data.fill_(float("nan"))
    learner.advance(3)
    assert "Step 1" in learner.learning.diverged and learner.learning.finished and learner.learning.step == 0


def test_settings_load_without_torch():
    code = "import sys, explorer.seq2seq, explorer.seq2seq.recipe; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={**os.environ}, check=False).returncode == 0


@pytest.mark.training
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_reverse_needs_attention(seed):
    """The recipe of the documentation: 1500 steps with attention, 3000 without, about 30 s each."""
    model = Seq2Seq(cell="gru", bidirectional=True, start="backward", seed=seed)
    with_attention = Learner(TranslationRecipe(model=model, steps=1500))
    with_attention.advance(1500)
    without = Learner(TranslationRecipe(model=model.model_copy(update={"attention": "none"}), steps=3000))
    without.advance(3000)
    task = with_attention.learning.recipe.task
    pairs = [task.batch(np.random.default_rng(n), 200, (n, n)) for n in range(10, 16)]
    assert min(with_attention.test(one) for one in pairs) >= 0.95
    assert max(without.test(one) for one in pairs) < 0.4


@pytest.mark.training
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_dates_are_learned(seed):
    model = Seq2Seq(cell="gru", bidirectional=True, start="backward", seed=seed)
    learner = Learner(TranslationRecipe(model=model, task=Dates(), steps=1000))
    learner.advance(1000)
    assert learner.test(Dates().batch(np.random.default_rng(9), 500)) >= 0.95
