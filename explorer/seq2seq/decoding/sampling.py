"""Sampling: temperature, top-k and nucleus, and what they leave of a distribution.

Sources: Fan, Lewis & Dauphin (2018), "Hierarchical neural story generation" (top-k); Holtzman et al. (2020),
"The curious case of neural text degeneration" (nucleus).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from explorer.seq2seq.decoding.hypothesis import Hypothesis, check_lengths
from explorer.seq2seq.decoding.step import Step, log_probabilities

_DIGITS = 12


@dataclass(frozen=True)
class Sampling:
    r"""Which tokens may be drawn, and how likely each is.

    The three are applied in this order:

    - temperature: :math:`p_i \propto P_i^{1/T}`;
    - top-k: the ``top_k`` likeliest tokens stay, of equally likely ones the first; 0 keeps all;
    - nucleus: of what is left, the fewest likeliest tokens whose probabilities add up to ``top_p`` or more.

    Whatever stays is divided by its sum.

    Raises:
        ValueError: T is not positive, ``top_k`` is negative, or ``top_p`` is not in (0, 1].
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError(f"temperature = {self.temperature} is not allowed: choose a positive number")
        if self.top_k < 0:
            raise ValueError(f"top_k = {self.top_k} is not allowed: choose 1 or more, or 0 for all tokens")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p = {self.top_p} is not allowed: choose more than 0 and at most 1")

    def probabilities(self, log_probs: np.ndarray) -> np.ndarray:
        """[V], exactly 0 for every token that may not be drawn; ``log_probs`` [V] need not be normalised."""
        found = np.asarray(log_probs, np.float64) / self.temperature
        found = np.exp(found - found.max())
        found /= found.sum()
        order = np.argsort(-np.round(found, _DIGITS), kind="stable")
        if self.top_k:
            found[order[self.top_k :]] = 0.0
        if self.top_p < 1:
            before = np.cumsum(found[order]) - found[order]
            outside = np.round(before / found.sum(), _DIGITS) >= self.top_p
            found[order[outside]] = 0.0
        return np.asarray(found / found.sum())


def filtered(step: Step, sampling: Sampling) -> Step:
    """What ``sampling`` draws from, as a step of its own; −inf for what may not be drawn."""

    def left(prefix: tuple[int, ...]) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(sampling.probabilities(log_probabilities(step, prefix))))

    return left


def sample(
    step: Step,
    sampling: Sampling,
    rng: np.random.Generator,
    *,
    end: int | None,
    max_length: int,
) -> Hypothesis:
    """One sequence drawn token by token; ``log_prob`` and ``score`` are log P of the model itself.

    Raises:
        ValueError: ``max_length`` < 1, or ``step`` gives no log-probabilities.
    """
    check_lengths(max_length)
    tokens: tuple[int, ...] = ()
    total = 0.0
    while len(tokens) < max_length and (not tokens or tokens[-1] != end):
        log_probs = log_probabilities(step, tokens)
        bounds = np.cumsum(sampling.probabilities(log_probs))
        token = int(np.searchsorted(bounds, rng.random() * bounds[-1], side="right"))
        tokens, total = (*tokens, token), total + float(log_probs[token])
    return Hypothesis(tokens, total, total, tokens[-1] == end)


def sample_counts(
    step: Step,
    sampling: Sampling,
    rng: np.random.Generator,
    count: int,
    *,
    end: int | None,
    max_length: int,
) -> Counter[tuple[int, ...]]:
    """How often each sequence comes up when ``count`` of them are drawn as ``sample`` does.

    All draws that share a prefix are taken together: their next tokens have a multinomial distribution.

    Raises:
        ValueError: as ``sample``.
    """
    check_lengths(max_length, count=count)
    found: Counter[tuple[int, ...]] = Counter()
    stack: list[tuple[tuple[int, ...], int]] = [((), count)]
    while stack:
        prefix, number = stack.pop()
        if len(prefix) == max_length or (prefix and prefix[-1] == end):
            found[prefix] = number
            continue
        counts = rng.multinomial(number, sampling.probabilities(log_probabilities(step, prefix)))
        stack += [((*prefix, int(token)), int(counts[token])) for token in np.flatnonzero(counts)]
    return found
