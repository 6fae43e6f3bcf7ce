"""What is minimised has the gradient of what is meant: by enumeration of all that can be drawn."""

from itertools import product

import numpy as np
import pytest
import torch

from explorer.seq2seq import EOS, Seq2Seq, Translator, Vocabulary
from explorer.seq2seq.attention import hard
from explorer.seq2seq.logit_gradients import likelihood_gradient, reward_gradient
from explorer.seq2seq.noise import Noise
from explorer.seq2seq.objectives import Baseline, answer_rewards, expected_reward, likelihood
from explorer.seq2seq.tasks import Pairs
from explorer.seq2seq.translator import shifted

WORDS = Vocabulary(("a", "b"))
PAIRS = Pairs(np.array([[3], [4], [3]]), np.array([3]), np.array([[4], [3], [EOS]]))


def network(**fields) -> Translator:
    return Translator(Seq2Seq(hidden_size=4, embedding_size=3, **fields), WORDS, WORDS)


def noise() -> Noise:
    return Noise(np.random.default_rng(0))


def gradient(value: torch.Tensor, translator: Translator) -> torch.Tensor:
    found = torch.autograd.grad(value, list(translator.parameters()), allow_unused=True)
    pairs = zip(found, translator.parameters(), strict=True)
    return torch.cat([torch.zeros(w.numel()).double() if g is None else g.flatten() for g, w in pairs])


def losses_of(translator: Translator, target: torch.Tensor) -> torch.Tensor:
    state, memory = translator.begin(torch.from_numpy(PAIRS.source))
    steps = translator.steps(target, state, memory)
    logits = translator.logits(torch.stack([step.output for step in steps]))
    return torch.nn.functional.cross_entropy(logits[:, 0], target[:, 0], reduction="none")


@pytest.mark.parametrize(("bos", "eos"), [(True, True), (False, True), (True, False)])
def test_likelihood_and_smoothing(bos, eos):
    translator = network(bos=bos, eos=eos)
    pairs = PAIRS if eos else PAIRS.without_eos()
    target = torch.from_numpy(pairs.target)
    assert len(target) == 2 + eos
    losses = losses_of(translator, target)
    found = likelihood(translator, pairs, noise(), Baseline())
    assert found.loss == pytest.approx(losses.mean().item())
    smooth = likelihood(translator, pairs, noise(), Baseline(), smoothing=0.3)
    with torch.no_grad():
        state, memory = translator.begin(torch.from_numpy(PAIRS.source))
        steps = translator.steps(target, state, memory)
        p = translator.logits(torch.stack([step.output for step in steps])).softmax(dim=-1)[:, 0]
    p = p[:, EOS:] if eos else p[:, EOS + 1 :]
    expected = 0.7 * losses.mean().item() - 0.3 * p.log().mean().item()
    assert smooth.minimised.item() == pytest.approx(expected)
    assert smooth.loss == pytest.approx(losses.mean().item())


def test_filling_counts_for_nothing():
    """Two pairs of different lengths together are the mean over their tokens, each alone."""
    longer = Pairs(np.array([[4], [4], [3], [3]]), np.array([4]), np.array([[3], [4], [4], [EOS]]))
    both = Pairs(
        np.array([[3, 4], [4, 4], [3, 3], [0, 3]]),
        np.array([3, 4]),
        np.array([[4, 3], [3, 4], [EOS, 4], [0, EOS]]),
    )
    for attention, both_ways, cell in product(("additive", "local", "dot"), (False, True), ("rnn", "lstm")):
        translator = network(
            attention=attention, bidirectional=both_ways, cell=cell, start="backward", layers=2, residual=True
        )
        one, two, together = (
            likelihood(translator, pairs, noise(), Baseline()).loss for pairs in (PAIRS, longer, both)
        )
        assert together == pytest.approx((3 * one + 4 * two) / 7, rel=1e-6)


class Forced:
    """In the place of what draws positions: gives those of a list, one after the other."""

    def __init__(self, positions):
        self.positions = iter(positions)

    def __call__(self, probabilities, noise):
        return torch.tensor([next(self.positions)])


@pytest.mark.parametrize(("estimator", "value"), [("reinforce", 0.0), ("baseline", 1.7)])
def test_hard_attention_by_reinforce_is_unbiased(monkeypatch, estimator, value):
    """All 3³ paths: Σ p(path)·(gradient of what is minimised) = ∂/∂θ Σ p(path)·L(path) for all weights."""
    translator = network(attention="hard", estimator=estimator)
    target = torch.from_numpy(PAIRS.target)
    mean, expected = 0.0, torch.zeros(()).double()
    for path in product(range(3), repeat=3):
        monkeypatch.setattr(hard, "_draw", Forced(path))
        found = likelihood(translator, PAIRS, noise(), Baseline(value))
        of_path = gradient(found.minimised, translator)

        monkeypatch.setattr(hard, "_draw", Forced(path))
        state, memory = translator.begin(torch.from_numpy(PAIRS.source))
        steps = translator.steps(target, state, memory, noise())
        logits = translator.logits(torch.stack([step.output for step in steps]))
        loss = torch.nn.functional.cross_entropy(logits[:, 0], target[:, 0])
        chance = torch.stack([step.reading.probabilities[0, i] for step, i in zip(steps, path, strict=True)])
        mean = mean + chance.prod().item() * of_path
        expected = expected + chance.prod() * loss
    np.testing.assert_allclose(mean, gradient(expected, translator), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("reward", ["bleu", "exact"])
@pytest.mark.parametrize("attention", ["none", "dot"])
def test_expected_reward_is_unbiased(monkeypatch, reward, attention):
    """All answers of up to three tokens: Σ p·(gradient of what is minimised) = −∂/∂θ Σ p·R."""
    translator = network(attention=attention)
    ended = [(*head, EOS) for n in (0, 1, 2) for head in product((3, 4), repeat=n)]
    answers = [*ended, *product((3, 4), repeat=3)]
    total, mean, expected = 0.0, 0.0, torch.zeros(()).double()
    for answer in answers:
        queue = iter(answer)
        monkeypatch.setattr(
            torch, "multinomial", lambda p, n, generator, queue=queue: torch.tensor([[next(queue)]])
        )
        found = expected_reward(translator, PAIRS, noise(), Baseline(0.4), reward)
        column = torch.tensor(answer)[:, None]
        chance = torch.exp(-losses_of(translator, column).sum())
        mean = mean + chance.item() * gradient(found.minimised, translator)
        value = answer_rewards(column.numpy(), PAIRS.target, reward)[0]
        assert found.reward == value
        expected = expected - chance * value
        total += chance.item()
    assert total == pytest.approx(1)  # nothing that can be drawn is left out
    np.testing.assert_allclose(mean, gradient(expected, translator), rtol=1e-6, atol=1e-9)


def test_rewards():
    target = np.array([[4, 4], [3, 3], [EOS, EOS]])
    found = np.array([[4, 3], [3, 4], [EOS, EOS]])
    np.testing.assert_array_equal(answer_rewards(found, target, "exact"), [1, 0])
    bleu = answer_rewards(found, target, "bleu")
    assert bleu[0] == pytest.approx(1) and 0 < bleu[1] < 1
    assert answer_rewards(np.array([[EOS]]), np.array([[3], [EOS]]), "bleu") == 0


def test_scheduled_sampling_reads_own_tokens(monkeypatch):
    """With share 1 the decoder reads <bos> and then what it drew itself."""
    translator = network()
    monkeypatch.setattr(torch, "multinomial", lambda p, n, generator: torch.full((len(p), 1), 4))
    found = likelihood(translator, PAIRS, noise(), Baseline(), sampling=1.0)
    read = torch.tensor([[1], [4], [4]])
    state, memory = translator.begin(torch.from_numpy(PAIRS.source))
    losses = []
    for given, goal in zip(read, PAIRS.target, strict=True):
        step = translator.step(given, state, memory)
        state = step.state
        losses.append(torch.nn.functional.cross_entropy(translator.logits(step.output), torch.tensor(goal)))
    assert found.loss == pytest.approx(torch.stack(losses).mean().item())
    none = likelihood(translator, PAIRS, noise(), Baseline(), sampling=1e-12)
    assert none.loss == pytest.approx(losses_of(translator, torch.from_numpy(PAIRS.target)).mean().item())
    assert shifted(torch.tensor([[7], [8]])).tolist() == [[1], [7]]


def test_gradients_at_the_logits():
    """The closed forms are what autograd finds in the objectives' own formulas."""
    logits = torch.randn(4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    logits[:, :2] = -torch.inf
    logits.requires_grad_()
    target, plain = torch.tensor([5, 2, 2, 4]), logits.detach().numpy()
    log_p = logits.log_softmax(dim=1)
    chosen = -log_p[torch.arange(4), target]
    even = -log_p[:, 2:].mean(dim=1)
    for smoothing in (0.0, 0.25, 1.0):
        (expected,) = torch.autograd.grad(
            ((1 - smoothing) * chosen + smoothing * even).sum(), logits, retain_graph=True
        )
        found = likelihood_gradient(plain, target.numpy(), smoothing)
        np.testing.assert_allclose(found, expected, atol=1e-12)
    (expected,) = torch.autograd.grad(-0.3 * -chosen.sum(), logits)
    np.testing.assert_allclose(reward_gradient(plain, target.numpy(), 0.3), expected, atol=1e-12)
    for call, said in (
        (lambda: likelihood_gradient(plain, np.array([5])), "one token below V"),
        (lambda: likelihood_gradient(plain, target.numpy(), 2), "smoothing is 2"),
        (lambda: reward_gradient(plain, np.array([1, 2, 2, 2]), 1.0), "not finite"),
    ):
        with pytest.raises(ValueError, match=said):
            call()
