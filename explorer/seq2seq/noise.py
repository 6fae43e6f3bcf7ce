"""Noise: the random numbers of one pass in training, and none of them global."""

from __future__ import annotations

import numpy as np
import torch


class Noise:
    """Dropout masks and uniform numbers, from a generator of its own.

    Args:
        rng: where the seed comes from.
        dropout: probability with which a number is set to 0.
    """

    def __init__(self, rng: np.random.Generator, dropout: float = 0.0) -> None:
        self.generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
        self.dropout = dropout

    def drop(self, x: torch.Tensor) -> torch.Tensor:
        """m ⊙ x, where m is 0 with probability p and else 1/(1 − p)."""
        if self.dropout == 0:
            return x
        kept = 1 - self.dropout
        mask = torch.empty(x.shape, dtype=x.dtype).bernoulli_(kept, generator=self.generator)
        return x * (mask / kept)

    def uniform(self, count: int) -> torch.Tensor:
        """Numbers from [0, 1) in float64, [count]."""
        return torch.rand(count, dtype=torch.float64, generator=self.generator)


def dropped(x: torch.Tensor, noise: Noise | None) -> torch.Tensor:
    """x after dropout, or x itself where there is no noise."""
    return x if noise is None else noise.drop(x)
