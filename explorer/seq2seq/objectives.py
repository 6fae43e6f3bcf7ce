r"""What a translator minimises, as one number whose gradient is the gradient of what is meant.

.. math::
    L &= -\frac{1}{N}\sum_{j} \ln p(y_j \mid y_{<j}, x) & \text{(likelihood)} \\
    L &= -\frac{1}{N}\sum_{j} \Big[(1-\varepsilon) \ln p(y_j) + \frac{\varepsilon}{K} \sum_k \ln p(k)\Big]
        & \text{(label smoothing)} \\
    L &= -\operatorname{E}_{\hat y \sim p}\, R(\hat y, y) & \text{(expected reward)}

N are all tokens of the batch, K those that can be said. With scheduled sampling the likelihood's y_{<j} are
in part the network's own draws, through which no gradient goes.

Sources: Szegedy et al. (2016), "Rethinking the inception architecture" (label smoothing); Bengio et al.
(2015), "Scheduled sampling for sequence prediction with recurrent neural networks"; Ranzato et al. (2016),
"Sequence level training with recurrent neural networks" (REINFORCE on BLEU); Xu et al. (2015), "Show, attend
and tell" (hard attention).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from explorer.seq2seq.answers import say, uneven
from explorer.seq2seq.attention import Reading
from explorer.seq2seq.noise import Noise
from explorer.seq2seq.tasks import Pairs, exact_match
from explorer.seq2seq.translator import Translator, shifted
from explorer.seq2seq.vocabulary import BOS, EOS, PAD

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEU

_DECAY = 0.9  # of the moving averages


@dataclass(frozen=True)
class Losses:
    """The result of one batch.

    Attributes:
        minimised: the number to differentiate; only its gradient means something where positions or answers
            were drawn.
        loss: mean −ln p of a target token with what the decoder read, in nats; NaN for the expected reward.
        reward: mean reward; NaN for the likelihood.
    """

    minimised: torch.Tensor
    loss: float
    reward: float


@dataclass
class Baseline:
    """A moving average of what was paid so far; what is subtracted does not depend on the present draw.

    Attributes:
        value: 0 before the first.
    """

    value: float = 0.0

    def update(self, paid: float) -> None:
        """b ← 0.9 b + 0.1·paid."""
        self.value = _DECAY * self.value + (1 - _DECAY) * paid


def likelihood(
    translator: Translator,
    pairs: Pairs,
    noise: Noise,
    baseline: Baseline,
    *,
    smoothing: float = 0.0,
    sampling: float = 0.0,
) -> Losses:
    """Mean −ln p of all target tokens, with label smoothing ε and a share of the network's own tokens.

    For hard attention with REINFORCE the number has the term Σ_j (G_j − b n_j) ln p(i_j) / N, where G_j are
    the losses of token j and later ones, n_j their number and b is 0 or the moving average of the loss.
    """
    target = torch.from_numpy(np.ascontiguousarray(pairs.target))
    there = (target != PAD).to(torch.float32)
    outputs, readings = _outputs(translator, pairs, target, noise, sampling)
    log_probabilities = translator.logits(outputs).log_softmax(dim=2)
    tokens = target.clamp(min=translator.first_said)
    losses = -log_probabilities.gather(2, tokens[:, :, None])[:, :, 0] * there
    count = there.sum()
    loss = losses.sum() / count
    minimised = loss
    if smoothing:
        even = -log_probabilities[:, :, translator.first_said :].mean(dim=2)
        minimised = (1 - smoothing) * loss + smoothing * (even * there).sum() / count
    drawn = [one.log_probability for one in readings if one is not None and one.log_probability is not None]
    if drawn and translator.settings.estimator != "straight_through":
        value = baseline.value if translator.settings.estimator == "baseline" else 0.0
        ahead = (losses.detach() - value * there).flip(0).cumsum(0).flip(0)
        minimised = minimised + (ahead * torch.stack(drawn) * there).sum() / count
        baseline.update(loss.item())
    return Losses(minimised, loss.item(), float("nan"))


def _outputs(
    translator: Translator, pairs: Pairs, target: torch.Tensor, noise: Noise, sampling: float
) -> tuple[torch.Tensor, list[Reading | None]]:
    """o [Td, B, H] and all looks at the source."""
    state, memory = translator.begin(torch.from_numpy(pairs.source), uneven(pairs.lengths), noise)
    if sampling == 0:
        steps = translator.steps(target, state, memory, noise)
        return torch.stack([step.output for step in steps]), [step.reading for step in steps]
    steps = []
    own = torch.full_like(target[0], BOS)
    for j, given in enumerate(shifted(target)):
        is_own = (noise.uniform(len(own)) < sampling) & (j > 0)
        steps.append(translator.step(torch.where(is_own, own, given), state, memory, noise))
        state = steps[-1].state
        with torch.no_grad():
            chances = translator.logits(steps[-1].output).softmax(dim=1)
            own = torch.multinomial(chances, 1, generator=noise.generator)[:, 0]
    return torch.stack([step.output for step in steps]), [step.reading for step in steps]


def expected_reward(
    translator: Translator, pairs: Pairs, noise: Noise, baseline: Baseline, reward: str
) -> Losses:
    """−(R − b)·ln p(drawn answer), mean over the batch; b is the moving average of earlier rewards.

    Positions that hard attention draws count as part of the answer.
    """
    longest = len(pairs.target)
    source = torch.from_numpy(pairs.source)
    said, of_tokens, of_positions = say(translator, source, uneven(pairs.lengths), longest, noise)
    rewards = answer_rewards(said.numpy(), pairs.target, reward)
    advantage = torch.from_numpy(rewards - baseline.value).to(of_tokens.dtype)
    baseline.update(float(rewards.mean()))
    minimised = -(advantage * (of_tokens + of_positions)).mean()
    return Losses(minimised, float("nan"), float(rewards.mean()))


def answer_rewards(found: np.ndarray, target: np.ndarray, reward: str) -> np.ndarray:
    """R of answers [T, B] to targets [Td, B]: sentence BLEU / 100 of their tokens, or 1 if exact, [B]."""
    if reward == "exact":
        return exact_match(found, target).astype(np.float64)
    columns = zip(found.T.tolist(), target.T.tolist(), strict=True)
    return np.array([_bleu().sentence_score(_text(a), [_text(b)]).score / 100 for a, b in columns])


@cache
def _bleu() -> BLEU:
    """Sentence BLEU of words that are apart already; orders that an answer is too short for do not count."""
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(tokenize="none", effective_order=True)


def _text(numbers: Sequence[int]) -> str:
    """Token numbers up to ``<eos>`` as words."""
    end = numbers.index(EOS) if EOS in numbers else len(numbers)
    return " ".join(str(number) for number in numbers[:end] if number != PAD)
