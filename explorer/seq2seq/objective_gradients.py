r"""What each objective sends back through a whole translator, by autograd, for many answers at once.

With the same weights, the same source and the target y, four numbers can be differentiated:

.. math::
    \text{likelihood:}\quad & -\sum_j \ln p(y_j \mid y_{<j}) \\
    \text{label smoothing:}\quad
        & -\sum_j \Big[(1-\varepsilon)\ln p(y_j \mid y_{<j})
        + \frac{\varepsilon}{K}\sum_k \ln p(k \mid y_{<j})\Big] \\
    \text{scheduled sampling:}\quad & -\sum_j \ln p(y_j \mid \tilde y_{<j}) \\
    \text{expected reward:}\quad & -\operatorname{E}_{\hat y \sim p} R(\hat y, y)

ỹ are tokens of the target or of the network's own. The gradient of the last one is the mean of
:math:`g(\hat y) = -(R - b)\,\partial \ln p(\hat y)` over answers, for every b that does not depend on ŷ
(REINFORCE, Williams 1992); its variance over answers is what one draw is off.
``explorer.seq2seq.logit_gradients`` has the gradients at the logits in closed form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from explorer.seq2seq.objectives import answer_rewards
from explorer.seq2seq.own_answers import columns
from explorer.seq2seq.translator import Translator
from explorer.seq2seq.vocabulary import PAD


@dataclass(frozen=True)
class Sent:
    """What one number sends back, for N columns side by side.

    Attributes:
        log_probabilities: ln p of every token at every step, [T, N, V].
        at_logits: its gradient there, [T, N, V].
        at_states: ∂/∂h_i of the encoder's top layer, all ways back counted, [Te, N, A].
    """

    log_probabilities: np.ndarray
    at_logits: np.ndarray
    at_states: np.ndarray


def likelihood_sent(
    translator: Translator, source: np.ndarray, target: np.ndarray, read: np.ndarray, smoothing: float = 0.0
) -> Sent:
    """Of Σ_j L_j for the target [Td] where the decoder reads tokens [Td, N] shifted by one step.

    ``read`` is the target itself with teacher forcing, and has tokens of the network's own with scheduled
    sampling. ε is ``smoothing``.
    """
    goal = torch.from_numpy(target)[:, None].expand(-1, read.shape[1])
    loss = partial(_likelihood, goal=goal, smoothing=smoothing, first=translator.first_said)
    return _sent(translator, source, read, loss)


def answers_sent(translator: Translator, source: np.ndarray, answers: np.ndarray) -> Sent:
    """Of −ln p(ŷ) for answers [T, N] that are filled up with ``<pad>``: g(ŷ) for R − b = 1."""
    return _sent(translator, source, answers, partial(_surprise, answers=torch.from_numpy(answers)))


def _likelihood(log_p: torch.Tensor, goal: torch.Tensor, smoothing: float, first: int) -> torch.Tensor:
    chosen = log_p.gather(2, goal[:, :, None]).sum()
    return -(1 - smoothing) * chosen - smoothing * log_p[:, :, first:].mean(dim=2).sum()


def _surprise(log_p: torch.Tensor, answers: torch.Tensor) -> torch.Tensor:
    return -log_p.gather(2, answers[:, :, None])[:, :, 0][answers != PAD].sum()


def _sent(
    translator: Translator,
    source: np.ndarray,
    read: np.ndarray,
    loss: Callable[[torch.Tensor], torch.Tensor],
) -> Sent:
    """One pass forward and back; columns do not meet, so the loss of all has the gradient of each."""
    count, dtype = read.shape[1], translator.readout.weight.dtype
    shape = len(source), count, translator.settings.annotation_size
    nudges = torch.zeros(shape, dtype=dtype, requires_grad=True)
    with torch.enable_grad():
        embedded = translator.source_embedding(columns(source, count))
        state, memory = translator.decoder.begin(translator.encoder.observed(embedded, nudges))
        steps = translator.steps(torch.from_numpy(read), state, memory)
        logits = translator.logits(torch.stack([step.output for step in steps]))
        log_p = logits.log_softmax(dim=2)
        at_logits, at_states = torch.autograd.grad(loss(log_p), [logits, nudges], materialize_grads=True)
    return Sent(log_p.detach().numpy(), at_logits.numpy(), at_states.numpy())


@dataclass(frozen=True)
class RewardGradient:
    """REINFORCE's estimator of the gradient of −E R, judged over many answers.

    Attributes:
        answers: how many were drawn, or counted.
        counted: whether these are all that there can be, so that nothing is left to chance.
        expected: E R.
        paid: probability that R is above 0.
        at_logits: the gradient at the logits of every step, the mean over what may have been said before,
            [T, V].
        error: the standard error of its entries, [T, V]; 0 where counted.
        at_states: ∂(−E R)/∂h_i, [Te, A].
        states_error: root of the expected ‖error‖² of each of its rows, [Te].
        moments: E w, E R w and E R² w, where w is the sum of all ‖∂ ln p(ŷ)/∂h_i‖², [3].
    """

    answers: int
    counted: bool
    expected: float
    paid: float
    at_logits: np.ndarray
    error: np.ndarray
    at_states: np.ndarray
    states_error: np.ndarray
    moments: np.ndarray

    @property
    def size(self) -> float:
        """Length of the whole ∂(−E R)/∂h; 0 where it cannot be told from that."""
        return float(told(float(np.linalg.norm(self.at_states)), float(np.linalg.norm(self.states_error))))

    @property
    def step_sizes(self) -> np.ndarray:
        """Lengths of the rows of ``at_logits``, [T]; 0 where they cannot be told from that."""
        return told(np.linalg.norm(self.at_logits, axis=1), np.linalg.norm(self.error, axis=1))

    @property
    def state_sizes(self) -> np.ndarray:
        """‖∂(−E R)/∂h_i‖, [Te]; 0 where it cannot be told from that."""
        return told(np.linalg.norm(self.at_states, axis=1), self.states_error)

    @property
    def best_baseline(self) -> float:
        """The b of least scatter, E[R w] / E w."""
        first, second, _ = self.moments
        return float(second / first) if first > 0 else self.expected

    def deviation(self, baseline: np.ndarray | float) -> np.ndarray:
        """How far one draw's ∂/∂h is from the mean, for each b: root of the expected squared distance."""
        b = np.asarray(baseline, np.float64)
        first, second, third = self.moments
        square = third - 2 * b * second + b**2 * first
        return np.asarray(np.sqrt(np.maximum(square - self.size**2, 0)))


def told(length: np.ndarray | float, error: np.ndarray | float) -> np.ndarray:
    """Lengths of mean vectors without what their errors add, 0 where that is less than the error.

    A mean with a random error e has the expected squared length ‖μ‖² + E‖e‖².
    """
    square, noise = np.square(length), np.square(error)
    return np.asarray(np.sqrt(np.where(square > 2 * noise, square - noise, 0)))


def expected_reward_gradient(
    translator: Translator,
    source: np.ndarray,
    target: np.ndarray,
    answers: np.ndarray,
    reward: str,
    *,
    counted: bool = False,
) -> RewardGradient:
    """The gradient of −E R for one source [Te] and target [Td].

    Args:
        translator: a network in float64.
        source: token numbers.
        target: token numbers, as ``Translator.goal`` gives them.
        answers: drawn ones [T, N], or with ``counted`` all of ``every_answer``, [T, N].
        reward: as for ``answer_rewards``.
        counted: whether each answer counts with its probability, and not with 1/N.
    """
    sent = answers_sent(translator, source, answers)
    count = answers.shape[1]
    weights = np.full(count, 1 / count)
    if counted:
        chosen = np.take_along_axis(sent.log_probabilities, answers[:, :, None], 2)[:, :, 0]
        weights = np.exp(np.where(answers == PAD, 0, chosen).sum(axis=0))
    distinct, first = np.unique(answers, axis=1, return_inverse=True)
    goals = np.repeat(target[:, None], distinct.shape[1], axis=1)
    paid = answer_rewards(distinct, goals, reward)[first.ravel()]
    expected = float(weights @ paid)
    at_logits, error = _mean(sent.at_logits, weights, paid - expected, counted)
    at_states, states_error = _mean(sent.at_states, weights, paid - expected, counted)
    w = np.square(sent.at_states).sum(axis=(0, 2))
    return RewardGradient(
        count,
        counted,
        expected,
        float(weights @ (paid > 0)),
        at_logits,
        error,
        at_states,
        np.linalg.norm(states_error, axis=1),
        np.array([weights @ w, weights @ (paid * w), weights @ (paid**2 * w)]),
    )


def _mean(
    parts: np.ndarray, weights: np.ndarray, advantages: np.ndarray, counted: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Mean over N of advantage·part [·, N, ·], and the standard error of its entries."""
    mean = np.einsum("tnv,n->tv", parts, weights * advantages)
    if counted:
        return mean, np.zeros_like(mean)
    square = np.einsum("tnv,n->tv", np.square(parts), weights * advantages**2)
    return mean, np.sqrt(np.maximum(square - mean**2, 0) / len(weights))
