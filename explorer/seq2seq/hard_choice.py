r"""Estimators of the gradient through a hard choice, judged by counting all choices instead of drawing them.

A position i is drawn from p = softmax(e), and then the loss is ℓ_i. What is wanted is the gradient of the
expected loss,

.. math::
    E = \sum_i p_i \ell_i, \qquad \frac{\partial E}{\partial e_k} = p_k (\ell_k - E)

but only one ℓ_i is known. An estimator makes a vector g(i) of what was drawn; its mean is
:math:`\sum_i p_i g(i)`, its variance :math:`\sum_i p_i \lVert g(i) \rVert^2 - \lVert \text{mean} \rVert^2`.

- REINFORCE: :math:`g(i) = (\ell_i - b)(\text{onehot}_i - p)`. Unbiased for every b that does not depend on i;
  b changes the variance alone.
- Straight-through: the loss as a function of the weights α is differentiated at onehot_i, and the softmax's
  derivative is used for the choice, :math:`g_k(i) = p_k (s_{ik} - \sum_m p_m s_{im})` with
  :math:`s_{ik} = \partial L / \partial \alpha_k` at α = onehot_i. Biased, unless L is linear in α.

Sources: Williams (1992), "Simple statistical gradient-following algorithms"; Xu et al. (2015), "Show, attend
and tell", section 4.1 (moving average as baseline); Bengio, Léonard & Courville (2013), "Estimating or
propagating gradients through stochastic neurons" (straight-through).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.seq2seq.context import softmax


@dataclass(frozen=True)
class Estimator:
    """What an estimator gives for every choice that can be drawn.

    Attributes:
        probabilities: p, [Te].
        estimates: g(i), row i if position i is drawn, [Te, Te].
        spread: what a random baseline adds to the variance.
    """

    probabilities: np.ndarray
    estimates: np.ndarray
    spread: float = 0.0

    @property
    def mean(self) -> np.ndarray:
        """Its expectation, [Te]."""
        return np.asarray(self.probabilities @ self.estimates)

    @property
    def variance(self) -> float:
        """Expected squared distance from its mean, summed over components."""
        away = self.estimates - self.mean
        return float(self.probabilities @ np.square(away).sum(axis=1)) + self.spread


def exact_gradient(scores: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """∂E/∂e, [Te], of scores [Te] and the losses [Te] of all choices."""
    p, l = _checked(scores, losses)
    return np.asarray(p * (l - p @ l))


def reinforce(scores: np.ndarray, losses: np.ndarray, baseline: float = 0.0) -> Estimator:
    """(ℓ_i − b)(onehot_i − p) with a constant b; ``expected_loss`` is the usual choice for b."""
    p, l = _checked(scores, losses)
    return Estimator(p, (l - baseline)[:, None] * (np.eye(len(p)) - p))


def reinforce_moving_average(scores: np.ndarray, losses: np.ndarray, decay: float = 0.9) -> Estimator:
    r"""REINFORCE with b ← ρ b + (1 − ρ) ℓ of earlier draws from the same p, after many draws.

    Then E b = E and Var b = (1 − ρ)/(1 + ρ)·Var ℓ, and b is independent of the present draw: the estimator is
    unbiased, and its variance is that with b = E plus
    :math:`\text{Var}\,b \cdot \sum_i p_i \lVert \text{onehot}_i - p \rVert^2`.

    Raises ValueError unless 0 ≤ ρ < 1.
    """
    if not 0 <= decay < 1:
        raise ValueError(f"decay is {decay}; allowed is 0 ≤ decay < 1")
    p, l = _checked(scores, losses)
    expected = p @ l
    of_baseline = (1 - decay) / (1 + decay) * (p @ np.square(l - expected))
    directions = np.square(np.eye(len(p)) - p).sum(axis=1)
    return Estimator(p, reinforce(scores, losses, expected).estimates, float(of_baseline * (p @ directions)))


def straight_through(scores: np.ndarray, slopes: np.ndarray) -> Estimator:
    """The softmax's derivative in the place of that of the choice; ``slopes`` are s_ik, [Te, Te]."""
    p = softmax(scores)
    s = np.asarray(slopes, np.float64)
    if s.shape != (len(p), len(p)):
        raise ValueError(f"slopes have shape {s.shape}; {len(p)} scores need {(len(p), len(p))}")
    return Estimator(p, p * (s - (s @ p)[:, None]))


def expected_loss(scores: np.ndarray, losses: np.ndarray) -> float:
    """E = Σ p_i ℓ_i."""
    p, l = _checked(scores, losses)
    return float(p @ l)


def best_baseline(scores: np.ndarray, losses: np.ndarray) -> float:
    r"""The b of least variance.

    .. math:: b = \frac{\sum_i w_i \ell_i}{\sum_i w_i}, \qquad w_i = p_i \lVert \text{onehot}_i - p \rVert^2

    ``expected_loss`` where only one choice is possible.
    """
    p, l = _checked(scores, losses)
    w = p * np.square(np.eye(len(p)) - p).sum(axis=1)
    return float(w @ l / w.sum()) if w.sum() > 0 else float(p @ l)


def _checked(scores: np.ndarray, losses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    p, l = softmax(scores), np.asarray(losses, np.float64)
    if p.ndim != 1 or l.shape != p.shape or not np.isfinite(l).all():
        raise ValueError(
            f"losses {l} do not fit scores of shape {p.shape}: one finite loss for each is needed"
        )
    return p, l
