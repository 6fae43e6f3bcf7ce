"""Local attention with a predicted centre."""

from __future__ import annotations

import torch
from torch.nn import Linear

from explorer.seq2seq.attention.dot import General
from explorer.seq2seq.attention.scorer import Memory
from explorer.seq2seq.noise import Noise
from explorer.seq2seq.settings import Seq2Seq


class Local(General):
    r"""Looks only near a position that it predicts ("local-p" with the score "general").

    .. math::
        p_j = T_e \cdot \sigma\big(v_p^\top \tanh(W_p s_j)\big), \qquad
        \alpha_{ji} = \underset{|i - p_j| \le D}{\text{softmax}}(e_{ji}) \;
            \exp\!\Big({-\frac{(i - p_j)^2}{2 (D/2)^2}}\Big)

    with i = 1 … T_e, so that the window is never empty. As in the paper the Gaussian is not normalised again,
    so the weights sum to 1 or less; the gradient reaches p_j through it, but not through the window's edge,
    where weights jump. Shapes: W [H, A], W_p [H, H], v_p [H]. Luong, Pham & Manning (2015), section 3.2.
    """

    def __init__(self, settings: Seq2Seq) -> None:
        super().__init__(settings)
        self.W_p = Linear(settings.hidden_size, settings.hidden_size, bias=False)
        self.v_p = Linear(settings.hidden_size, 1, bias=False)

    def centre(self, query: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """p_j in [0, Te], [B]."""
        return lengths * torch.sigmoid(torch.tanh(self.W_p(query)) @ self.v_p.weight[0])

    def weigh(
        self, query: torch.Tensor, scores: torch.Tensor, memory: Memory, noise: Noise | None
    ) -> tuple[torch.Tensor, torch.Tensor, None]:
        """The softmax inside the window, and the same times the Gaussian."""
        width = self.settings.window
        away = torch.arange(1, scores.shape[1] + 1) - self.centre(query, memory.lengths)[:, None]
        inside = scores.masked_fill(away.abs() > width, -torch.inf).softmax(dim=1)
        return inside, inside * torch.exp(-2 * (away / width) ** 2), None
