"""Additive attention."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch.nn import Linear

from explorer.seq2seq.attention.scorer import Attention
from explorer.seq2seq.settings import Seq2Seq


class Additive(Attention):
    r"""A network of one hidden layer compares the previous state with each annotation.

    .. math:: e_{ji} = v^\top \tanh(W s_{j-1} + U h_i)

    Shapes: W [H, H], U [H, A], v [H]. Bahdanau, Cho & Bengio (2015), "Neural machine translation by jointly
    learning to align and translate".
    """

    asks_before: ClassVar[bool] = True

    def __init__(self, settings: Seq2Seq) -> None:
        super().__init__(settings)
        size = settings.hidden_size
        self.W = Linear(size, size, bias=False)
        self.U = Linear(settings.annotation_size, size, bias=False)
        self.v = Linear(size, 1, bias=False)

    def keys(self, h: torch.Tensor) -> torch.Tensor:
        """U h, [B, Te, H]."""
        keys: torch.Tensor = self.U(h)
        return keys

    def score(self, query: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        """vᵀ tanh(W q + keys)."""
        return torch.tanh(self.W(query)[:, None] + keys) @ self.v.weight[0]
