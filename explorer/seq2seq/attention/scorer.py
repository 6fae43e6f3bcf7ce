"""Attention: what all kinds have in common, from a query and the annotations to weights and a context."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch

from explorer.seq2seq.noise import Noise
from explorer.seq2seq.settings import Seq2Seq


@dataclass(frozen=True)
class Memory:
    """The annotations of a source, as the attention reads them.

    Attributes:
        values: h_i, [B, Te, A].
        keys: what ``Attention.keys`` made of them, computed once for all decoder steps, [B, Te, ·].
        lengths: tokens of each source, [B].
        there: which positions are tokens and no filling, [B, Te]; None where all are.
    """

    values: torch.Tensor
    keys: torch.Tensor
    lengths: torch.Tensor
    there: torch.Tensor | None = None


class Reading(NamedTuple):
    """One look at the source.

    Attributes:
        scores: e_j, [B, Te]; −inf where there is no token.
        probabilities: softmax(e_j), of local attention inside its window, [B, Te].
        weights: α_j, what the annotations are multiplied with, [B, Te].
        context: c_j, [B, A].
        log_probability: ln of the probability of a drawn position, [B]; None where nothing is drawn.
    """

    scores: torch.Tensor
    probabilities: torch.Tensor
    weights: torch.Tensor
    context: torch.Tensor
    log_probability: torch.Tensor | None = None


class Attention(torch.nn.Module):
    r"""Base of all kinds of attention.

    .. math::
        e_{ji} = \text{score}(q_j, h_i), \qquad \alpha_{ji} = \frac{\exp e_{ji}}{\sum_k \exp e_{jk}}, \qquad
        c_j = \sum_i \alpha_{ji} h_i

    Shapes: query q [B, H], h [B, Te, A], e and α [B, Te], c [B, A].

    Class attributes:
        asks_before: True: the query is s_{j−1} and c_j enters the cell, as Bahdanau et al. (2015) do; False:
            the query is s_j and õ_j enters the next step, as Luong et al. (2015) do.
    """

    asks_before: ClassVar[bool] = False

    def __init__(self, settings: Seq2Seq) -> None:
        super().__init__()
        self.settings = settings

    def keys(self, h: torch.Tensor) -> torch.Tensor:
        """What the score compares a query with; does not depend on the query, so it is computed once."""
        return h

    def score(self, query: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        """e [B, Te] for a query [B, H]."""
        raise NotImplementedError

    def weigh(
        self, query: torch.Tensor, scores: torch.Tensor, memory: Memory, noise: Noise | None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """Probabilities and weights, [B, Te] each, and ln of the probability of what was drawn, if any."""
        probabilities = scores.softmax(dim=1)
        return probabilities, probabilities, None

    def remember(self, h: torch.Tensor, lengths: torch.Tensor | None = None) -> Memory:
        """A memory of annotations [Te, B, A]."""
        values = h.transpose(0, 1)
        if lengths is None:
            full = torch.full((h.shape[1],), len(h))
            return Memory(values, self.keys(values), full)
        there = torch.arange(len(h)) < lengths[:, None]
        return Memory(values, self.keys(values), lengths, there)

    def forward(self, query: torch.Tensor, memory: Memory, noise: Noise | None = None) -> Reading:
        """Look at the source once."""
        scores = self.score(query, memory.keys)
        if memory.there is not None:
            scores = scores.masked_fill(~memory.there, -torch.inf)
        probabilities, weights, drawn = self.weigh(query, scores, memory, noise)
        context = (weights[:, None] @ memory.values)[:, 0]
        return Reading(scores, probabilities, weights, context, drawn)
