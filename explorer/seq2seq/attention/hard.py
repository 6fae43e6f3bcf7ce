"""Hard attention: one position is drawn and read alone."""

from __future__ import annotations

import torch

from explorer.seq2seq.attention.additive import Additive
from explorer.seq2seq.attention.scorer import Memory
from explorer.seq2seq.noise import Noise


class Hard(Additive):
    r"""A position is drawn from the softmax of additive scores, and c_j is its annotation.

    .. math:: i_j \sim \text{softmax}(e_j), \qquad \alpha_j = \text{onehot}(i_j), \qquad c_j = h_{i_j}

    In training the position is drawn, without noise it is the most probable one. A drawn α has no derivative:
    with "straight-through" the backward pass uses that of the softmax in its place, with REINFORCE it uses
    none, and the loss gets the term (L − baseline)·ln p(i_j) (``explorer.seq2seq.hard_choice``). Xu et al.
    (2015), "Show, attend and tell", section 4.1; straight-through: Bengio, Léonard & Courville (2013).
    """

    def weigh(
        self, query: torch.Tensor, scores: torch.Tensor, memory: Memory, noise: Noise | None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The softmax, and 1 at the chosen position."""
        probabilities = scores.softmax(dim=1)
        chosen = probabilities.argmax(dim=1) if noise is None else _draw(probabilities.detach(), noise)
        chosen = chosen[:, None]
        weights = torch.zeros_like(probabilities).scatter_(1, chosen, 1.0)
        if self.settings.estimator == "straight_through":
            weights = weights + (probabilities - probabilities.detach())
        return probabilities, weights, scores.log_softmax(dim=1).gather(1, chosen)[:, 0]


def _draw(probabilities: torch.Tensor, noise: Noise) -> torch.Tensor:
    """Positions, [B]: where the cumulated probability first exceeds u·(its total), u ~ U[0, 1)."""
    cumulated = probabilities.double().cumsum(dim=1)
    u = noise.uniform(len(probabilities))[:, None]
    return (cumulated <= u * cumulated[:, -1:]).sum(dim=1)
