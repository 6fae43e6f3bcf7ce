"""How complete sequences are compared: log-probability, length normalisation, coverage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.seq2seq.decoding.step import Attention

Normalisation = Literal["none", "power", "wu"]


@dataclass(frozen=True)
class Scoring:
    r"""Score of a sequence y with its end token, |y| tokens in all.

    .. math:: s(y) = \frac{\log P(y)}{lp(|y|)} + \beta \sum_{i=1}^{S} \log\min\Bigl(\sum_j a_{ji},\, 1\Bigr)

    lp is 1 (``none``), |y|^α (``power``) or ((5 + |y|) / 6)^α (``wu``); with α = 1 ``power`` compares
    log-probabilities per token. a are attention weights, and the coverage term is below 0 for source
    positions that were attended to with less than 1 in all. No length is preferred unless asked for.

    Source: Wu et al. (2016), "Google's neural machine translation system", section 7.

    Raises:
        ValueError: α or β is negative or not finite, the normalisation is unknown, or β > 0 has no attention.
    """

    normalisation: Normalisation = "none"
    alpha: float = 0.6
    coverage: float = 0.0
    attention: Attention | None = None

    def __post_init__(self) -> None:
        if self.normalisation not in ("none", "power", "wu"):
            raise ValueError(
                f"normalisation = {self.normalisation!r} is unknown; known are none, power and wu"
            )
        for name in ("alpha", "coverage"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise ValueError(f"{name} = {value} is not allowed: choose 0 or a positive number")
        if self.coverage and self.attention is None:
            raise ValueError(f"coverage = {self.coverage} needs attention weights, and attention is None")

    def length_penalty(self, length: int) -> float:
        """lp(|y|): 1 for one token, and never falling."""
        if self.normalisation == "none":
            return 1.0
        base = length if self.normalisation == "power" else (5 + length) / 6
        return float(base**self.alpha)

    def coverage_penalty(self, tokens: tuple[int, ...]) -> float:
        """β Σ_i log min(Σ_j a_ji, 1) ≤ 0; −inf where a source position got no weight at all."""
        if not self.coverage or self.attention is None:
            return 0.0
        received = np.minimum(np.asarray(self.attention(tokens), np.float64).sum(axis=0), 1.0)
        with np.errstate(divide="ignore"):
            return float(self.coverage * np.log(received).sum())

    def score(self, tokens: tuple[int, ...], log_prob: float) -> float:
        """s(y)."""
        return log_prob / self.length_penalty(len(tokens)) + self.coverage_penalty(tokens)

    def bound(self, log_prob: float, max_length: int) -> float:
        """The most that a continuation of at most ``max_length`` tokens can score.

        log P cannot rise, the coverage term is at most 0, and as log P ≤ 0 the largest lp helps most.
        """
        return log_prob / self.length_penalty(max_length)
