"""Dot and general attention: the score is a product."""

from __future__ import annotations

import torch
from torch.nn import Linear

from explorer.seq2seq.attention.scorer import Attention
from explorer.seq2seq.settings import Seq2Seq


class Dot(Attention):
    r"""The score is the inner product of state and annotation.

    .. math:: e_{ji} = s_j^\top h_i

    A bidirectional annotation is twice as long as s_j; then the sum of its two halves is compared, and the
    context is made of both. Luong, Pham & Manning (2015), "Effective approaches to attention-based neural
    machine translation", equation 8, "dot".
    """

    def keys(self, h: torch.Tensor) -> torch.Tensor:
        """The annotation, or forward + backward half, [B, Te, H]."""
        if not self.settings.bidirectional:
            return h
        forward, backward = h.chunk(2, dim=-1)
        return forward + backward

    def score(self, query: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        """Keys times query."""
        return (keys @ query[:, :, None])[:, :, 0]


class General(Dot):
    r"""The inner product through a learned matrix.

    .. math:: e_{ji} = s_j^\top W h_i

    Shapes: W [H, A]. Luong, Pham & Manning (2015), equation 8, "general".
    """

    def __init__(self, settings: Seq2Seq) -> None:
        super().__init__(settings)
        self.W = Linear(settings.annotation_size, settings.hidden_size, bias=False)

    def keys(self, h: torch.Tensor) -> torch.Tensor:
        """W h, [B, Te, H]."""
        keys: torch.Tensor = self.W(h)
        return keys
