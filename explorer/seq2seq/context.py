r"""From scores to weights to the context, and back: derivatives of one look in closed form.

.. math::
    \alpha = \text{softmax}(e), \qquad c = \sum_i \alpha_i h_i, \qquad
    \frac{\partial \alpha_i}{\partial e_k} = \alpha_i (\delta_{ik} - \alpha_k), \qquad
    \frac{\partial c}{\partial e_i} = \alpha_i (h_i - c)

An annotation acts on the context in two ways: it is summed up, and it is asked for its score.

.. math::
    \frac{\partial c}{\partial h_i} = \underbrace{\alpha_i I}_{\text{direct}} + \underbrace{\alpha_i (h_i - c)
        \Big(\frac{\partial e_i}{\partial h_i}\Big)^{\!\top}}_{\text{through the score}}

The first part shrinks with nothing but the weight. The second has rank 1 and vanishes where h_i is the
context already, so also where the attention is sure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from explorer.seq2seq.trace import TranslatorTrace

_NO_ATTENTION = "this run has no attention; choose one other than 'none'"


@dataclass(frozen=True)
class ContextGradient:
    """One look at the source and its derivatives, the query held.

    Attributes:
        weights: α, and the factors of the identity in ∂c/∂h_i, [Te].
        context: c, [A].
        by_score: ∂c/∂e_i, [Te, A].
        score_gradients: ∂e_i/∂h_i, [Te, A]; 0 where scores are held.
    """

    weights: np.ndarray
    context: np.ndarray
    by_score: np.ndarray
    score_gradients: np.ndarray

    @property
    def direct(self) -> np.ndarray:
        """First part of ∂c/∂h_i, [Te, A (of c), A (of h)]; its spectral norms are the weights."""
        return np.asarray(self.weights[:, None, None] * np.eye(len(self.context)))

    @property
    def through_score(self) -> np.ndarray:
        """Second part, [Te, A (of c), A (of h)]."""
        return np.asarray(self.by_score[:, :, None] * self.score_gradients[:, None, :])

    @property
    def through_score_norms(self) -> np.ndarray:
        """Spectral norms of the second part, [Te]."""
        return np.asarray(
            np.linalg.norm(self.by_score, axis=1) * np.linalg.norm(self.score_gradients, axis=1)
        )

    @property
    def total(self) -> np.ndarray:
        """∂c/∂h_i, [Te, A (of c), A (of h)]."""
        return np.asarray(self.direct + self.through_score)


def softmax(scores: np.ndarray) -> np.ndarray:
    """α of scores over the last axis; a score may be −inf, but not all.

    Raises ValueError where a score is NaN or +inf, or all are −inf.
    """
    e = np.asarray(scores, np.float64)
    if e.ndim == 0 or not e.shape[-1]:
        raise ValueError("scores are empty; attention needs at least one position")
    largest: np.ndarray = e.max(axis=-1, keepdims=True)
    if not np.isfinite(largest).all():
        raise ValueError(f"scores have the largest value {largest.max()}; it must be a finite number")
    exponentials = np.exp(e - largest)
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))


def softmax_jacobian(weights: np.ndarray) -> np.ndarray:
    """∂α_i/∂e_k = α_i (δ_ik − α_k) of weights [Te] that a softmax gave, [Te, Te]."""
    alpha = np.asarray(weights, np.float64)
    return np.asarray(np.diag(alpha) - np.outer(alpha, alpha))


def context_gradient(
    scores: np.ndarray,
    values: np.ndarray,
    score_gradients: np.ndarray | None = None,
    factors: np.ndarray | None = None,
) -> ContextGradient:
    """The context of scores e [Te] and annotations h [Te, A], and how it depends on both.

    ``score_gradients`` are ∂e_i/∂h_i [Te, A]; without them the scores are held, as when a person sets them by
    hand. ``factors`` [Te] multiply the softmax, as the Gaussian of local attention does.

    Raises ValueError for shapes that do not belong together, and as ``softmax``.
    """
    h, alpha = np.asarray(values, np.float64), softmax(scores)
    if h.ndim != 2 or alpha.shape != h.shape[:1]:
        raise ValueError(
            f"scores have shape {np.shape(scores)} and values {h.shape}; needed are [Te] and [Te, A]"
        )
    slopes = np.zeros_like(h) if score_gradients is None else np.asarray(score_gradients, np.float64)
    g = np.ones_like(alpha) if factors is None else np.asarray(factors, np.float64)
    for name, array, shape in (("score_gradients", slopes, h.shape), ("factors", g, alpha.shape)):
        if array.shape != shape:
            raise ValueError(f"{name} have shape {array.shape}; needed is {shape}")
    weights = alpha * g
    context = weights @ h
    return ContextGradient(weights, context, alpha[:, None] * (g[:, None] * h - context), slopes)


def step_gradient(trace: TranslatorTrace, j: int) -> ContextGradient:
    """The same for decoder step j (from 0) of a run with any kind of attention.

    Hard attention reads one position, and its scores have no part in the derivative; with straight-through
    they have that of the softmax.

    Raises ValueError for a run without attention, or a step that there is not.
    """
    slopes = score_gradients(trace)
    if trace.scores is None or trace.probabilities is None or trace.weights is None:
        raise ValueError(_NO_ATTENTION)
    if not 0 <= j < len(slopes):
        raise ValueError(f"step {j} is not there; this run has steps 0 to {len(slopes) - 1}")
    h, settings = trace.encoder_states, trace.settings
    soft = context_gradient(trace.scores[j], h, slopes[j])
    if settings.attention == "hard":
        acts = settings.estimator == "straight_through"
        weights = trace.weights[j]
        return ContextGradient(weights, weights @ h, soft.by_score * acts, slopes[j])
    if settings.attention == "local":
        p = trace.probabilities[j]
        inside = np.where(p > 0, trace.scores[j], -np.inf)
        factors = np.divide(trace.weights[j], p, out=np.zeros_like(p), where=p > 0)
        return context_gradient(inside, h, slopes[j], factors)
    return soft


def score_gradients(trace: TranslatorTrace) -> np.ndarray:
    """∂e_ji/∂h_i of a run with the decoder's states held, [Td, Te, A].

    Raises ValueError for a run without attention.
    """
    attention = trace.translator.decoder.attention
    if attention is None:
        raise ValueError(_NO_ATTENTION)
    states = np.concatenate([trace.start[None], trace.decoder_states])
    queries = torch.from_numpy(states[:-1] if attention.asks_before else states[1:])
    h = torch.from_numpy(trace.encoder_states).expand(len(queries), -1, -1).clone().requires_grad_()
    with torch.enable_grad():
        total = attention.score(queries, attention.keys(h)).sum()  # e_ji depends on no other h than h_i
    return np.asarray(torch.autograd.grad(total, h)[0].numpy())
