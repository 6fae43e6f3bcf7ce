"""Gradients of the four objectives: against autograd of the losses' own formulas, and by counting answers."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.extra.numpy import arrays
from hypothesis.strategies import integers

from explorer.seq2seq import EOS, PAD, Seq2Seq, Translator, Vocabulary
from explorer.seq2seq.logit_gradients import likelihood_gradient, reward_gradient
from explorer.seq2seq.objective_gradients import (
    answers_sent,
    expected_reward_gradient,
    likelihood_sent,
    told,
)
from explorer.seq2seq.objectives import answer_rewards
from explorer.seq2seq.own_answers import answer_count, ended, every_answer, own_tokens
from explorer.seq2seq.trace import observe, run_translator

WORDS = Vocabulary(("a", "b"))
SOURCE, TARGET = np.array([3, 4, 4]), np.array([4, 3, EOS])


def network(**fields) -> Translator:
    return Translator(Seq2Seq(hidden_size=4, embedding_size=3, **fields), WORDS, WORDS)


def by_trace(translator: Translator, read: np.ndarray, goal: np.ndarray, smoothing: float = 0.0):
    """Logits, and the gradients of Σ_j L_j by PyTorch's own loss through the trace's pass, one column."""
    seen = observe(translator, SOURCE, read, as_training=False)
    possible = seen.logits[:, EOS:]  # PyTorch's smoothing would spread over <pad> and <bos> too
    loss = torch.nn.functional.cross_entropy(
        possible, torch.from_numpy(goal) - EOS, label_smoothing=smoothing, reduction="sum"
    )
    return seen.logits.detach().numpy(), *torch.autograd.grad(loss, [seen.logits, seen.nudges])


@pytest.mark.parametrize("fields", [{}, {"attention": "none"}, {"attention": "dot", "cell": "lstm"}])
@pytest.mark.parametrize("smoothing", [0.0, 0.3, 1.0])
def test_likelihood_smoothing_and_scheduled_sampling(fields, smoothing) -> None:
    translator = network(bidirectional=True, start="backward", **fields)
    read = np.array([TARGET, [3, 3, 4]]).T  # teacher forcing, and tokens of its own
    sent = likelihood_sent(translator, SOURCE, TARGET, read, smoothing)
    for n in range(2):
        logits, at_logits, at_states = by_trace(translator, read[:, n], TARGET, smoothing)
        np.testing.assert_allclose(sent.at_logits[:, n], at_logits, atol=1e-12)
        np.testing.assert_allclose(sent.at_states[:, n], at_states[:, 0], atol=1e-12)
        np.testing.assert_allclose(
            sent.at_logits[:, n], likelihood_gradient(logits, TARGET, smoothing), atol=1e-12
        )
        np.testing.assert_allclose(np.exp(sent.log_probabilities[:, n]).sum(axis=1), 1)
        p_right = np.exp(sent.log_probabilities[np.arange(3), n, TARGET])
        right = sent.at_logits[np.arange(3), n, TARGET]
        np.testing.assert_allclose(right, p_right - (1 - smoothing) - smoothing / 3, atol=1e-12)


def test_a_drawn_answer_and_nothing_after_its_end() -> None:
    translator = network()
    sent = answers_sent(translator, SOURCE, np.array([[3, EOS, PAD], [4, 4, 3]]).T)
    for n, answer in enumerate(([3, EOS], [4, 4, 3])):
        logits, at_logits, at_states = by_trace(translator, np.array(answer), np.array(answer))
        np.testing.assert_allclose(sent.at_logits[: len(answer), n], at_logits, atol=1e-12)
        np.testing.assert_allclose(
            sent.at_logits[: len(answer), n], reward_gradient(logits, answer, 1.0), atol=1e-12
        )
        np.testing.assert_allclose(sent.at_states[:, n], at_states[:, 0], atol=1e-12)
    assert not sent.at_logits[2, 0].any()


@pytest.mark.parametrize("reward", ["bleu", "exact"])
def test_all_answers_together_give_the_gradient_of_the_expected_reward(reward) -> None:
    """Σ p(ŷ)·g(ŷ) is ∂(−Σ p(ŷ)·R(ŷ))/∂h by autograd, and so is the scatter for every baseline."""
    translator = network(attention="dot")
    every = every_answer(translator, 3)
    found = expected_reward_gradient(translator, SOURCE, TARGET, every, reward, counted=True)
    nudges = torch.zeros(3, 1, 4, dtype=torch.float64, requires_grad=True)
    embedded = translator.source_embedding(torch.from_numpy(SOURCE)[:, None])
    state, memory = translator.decoder.begin(translator.encoder.observed(embedded, nudges))
    total, chances, slopes, paid = torch.zeros((), dtype=torch.float64), [], [], []
    for column in every.T:
        answer = torch.from_numpy(column[column != PAD])[:, None]
        logits = translator.logits(
            torch.stack([s.output for s in translator.steps(answer, state, memory)])[:, 0]
        )
        log_p = -torch.nn.functional.cross_entropy(logits, answer[:, 0], reduction="sum")
        value = answer_rewards(answer.numpy(), TARGET[:, None], reward)[0]
        total = total - log_p.exp() * value
        chances.append(log_p.exp().item())
        slopes.append(-torch.autograd.grad(log_p, nudges, retain_graph=True)[0].numpy()[:, 0])
        paid.append(value)
    (expected,) = torch.autograd.grad(total, nudges)
    np.testing.assert_allclose(found.at_states, expected[:, 0], atol=1e-12)
    p, g, R = np.array(chances), np.array(slopes), np.array(paid)
    assert sum(chances) == pytest.approx(1, abs=1e-12)
    assert found.expected == pytest.approx(p @ R) and found.paid == pytest.approx(p @ (R > 0))
    assert found.size == pytest.approx(np.linalg.norm(expected)) and not found.states_error.any()
    grid = np.linspace(-0.5, 1, 31)
    for b, deviation in zip(grid, found.deviation(grid), strict=True):
        away = (R - b)[:, None, None] * g - expected[:, 0].numpy()
        assert deviation == pytest.approx(np.sqrt(p @ np.square(away).sum(axis=(1, 2))), rel=1e-6)
    best = found.deviation(found.best_baseline)
    assert (found.deviation(grid) >= best - 1e-12).all()


def test_draws_are_unbiased_and_their_error_is_as_large_as_they_say() -> None:
    """20 times 200 draws against all 15 answers: mean squared distance = the claimed error squared."""
    translator, rng = network(), np.random.default_rng(0)
    every = every_answer(translator, 3)
    true = expected_reward_gradient(translator, SOURCE, TARGET, every, "bleu", counted=True)
    own = np.ones((3, 200), bool)
    squares, claimed, means = [], [], []
    for _ in range(20):
        drawn = ended(own_tokens(translator, SOURCE, TARGET, rng.uniform(size=own.shape), own))
        found = expected_reward_gradient(translator, SOURCE, TARGET, drawn, "bleu")
        squares.append(np.square(found.at_states - true.at_states).sum())
        claimed.append(np.square(found.states_error).sum())
        means.append(found.at_logits)
        np.testing.assert_allclose(found.moments, true.moments, rtol=0.3)
    assert np.mean(squares) == pytest.approx(np.mean(claimed), rel=0.4)
    error = np.sqrt(np.mean(np.square(found.error))) / np.sqrt(20)
    assert np.abs(np.mean(means, axis=0) - true.at_logits).max() < 5 * error + 1e-12


def test_draws_follow_the_probabilities_and_own_says_which_are_drawn() -> None:
    translator = network()
    first = np.exp(run_translator(translator.settings, SOURCE, [4, 3], translator=translator).logits[0])
    u = np.tile((np.arange(4000) + 0.5) / 4000, (3, 1))
    tokens = own_tokens(translator, SOURCE, TARGET, u, np.ones(u.shape, bool))
    share = np.bincount(tokens[0], minlength=5) / 4000
    np.testing.assert_allclose(share, first / first.sum(), atol=1e-3)
    own = np.array([[True], [False], [True]])
    mixed = own_tokens(translator, SOURCE, TARGET, np.array([[0.999999], [0.5], [1 - 1e-12]]), own)
    assert mixed[1, 0] == TARGET[1] and (mixed >= EOS).all() and mixed[2, 0] == 4
    none = own_tokens(translator, SOURCE, TARGET, u[:, :2], np.zeros((3, 2), bool))
    assert (none == TARGET[:, None]).all()


@pytest.mark.parametrize("longest", [1, 2, 4])
@pytest.mark.parametrize("eos", [True, False])
def test_every_answer_is_there_once_and_all_are_certain(eos, longest) -> None:
    translator = network(eos=eos)
    found = every_answer(translator, longest)
    assert found.shape == (longest, answer_count(translator, longest))
    assert len({tuple(column) for column in found.T}) == found.shape[1]
    assert (ended(found) == found).all() and (eos or (found > EOS).all())
    log_p = answers_sent(translator, SOURCE, found).log_probabilities
    said = np.take_along_axis(log_p, found[:, :, None], 2)[:, :, 0]
    assert np.exp(np.where(found == PAD, 0, said).sum(axis=0)).sum() == pytest.approx(1, abs=1e-12)


def test_without_eos_smoothing_spreads_over_symbols_alone() -> None:
    translator = network(eos=False)
    sent = likelihood_sent(translator, SOURCE, TARGET[:2], TARGET[:2, None], 0.4)
    logits = np.where(np.isfinite(sent.log_probabilities), sent.log_probabilities, -np.inf)[:, 0]
    np.testing.assert_allclose(sent.at_logits[:, 0], likelihood_gradient(logits, TARGET[:2], 0.4), atol=1e-12)
    assert not sent.at_logits[:, :, : EOS + 1].any()


@given(arrays(np.int64, (5, 3), elements=integers(2, 5)))
def test_nothing_is_said_after_the_end(tokens) -> None:
    for column, whole in zip(ended(tokens).T.tolist(), tokens.T.tolist(), strict=True):
        end = whole.index(EOS) + 1 if EOS in whole else 5
        assert column == whole[:end] + [PAD] * (5 - end)


def test_a_mean_below_its_error_is_not_told_from_zero() -> None:
    rng = np.random.default_rng(0)
    np.testing.assert_allclose(told(5.0, 0.0), 5)
    assert told(1.0, 0.9) == 0
    noise, mean = rng.standard_normal((2000, 40)) / 40**0.5, np.full(40, 40**-0.5) * 3
    sizes = told(np.linalg.norm(mean + noise, axis=1), np.ones(2000))
    assert np.mean(np.square(sizes)) == pytest.approx(9, rel=0.02)
