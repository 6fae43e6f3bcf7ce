"""BLEU of one sentence, taken apart: which n-grams match, which are clipped, and what they add up to.

Source: Papineni et al. (2002), "BLEU: a method for automatic evaluation of machine translation"; Post
(2018), "A call for clarity in reporting BLEU scores" (sacrebleu, whose numbers these are).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from sacrebleu.metrics.bleu import BLEU

Tokeniser = Literal["13a", "zh"]
Smoothing = Literal["exp", "floor", "add-k", "none"]

MAX_ORDER = 4


@dataclass(frozen=True)
class Matches:
    """n-grams of one order that the two sentences share.

    Attributes:
        order: n.
        candidate: whether the n-gram that begins at each place of the candidate is counted as a match.
        clipped: whether it is in the reference, but not as often: the first occurrences count, later ones are
            clipped.
        reference: whether the n-gram at each place of the reference is matched.
    """

    order: int
    candidate: np.ndarray
    clipped: np.ndarray
    reference: np.ndarray

    @property
    def count(self) -> int:
        """Matched n-grams of the candidate."""
        return int(self.candidate.sum())

    @property
    def total(self) -> int:
        """All n-grams of the candidate."""
        return len(self.candidate)


@dataclass(frozen=True)
class BleuParts:
    r"""BLEU and its parts.

    .. math:: \text{BLEU} = BP \cdot \Bigl(\prod_{n=1}^{N} p_n\Bigr)^{1/N}, \qquad
        BP = \min\bigl(1,\, e^{1 - r/c}\bigr)

    N is the longest n-gram that the candidate has, at most 4 (sacrebleu's effective order, as it advises for
    single sentences).

    Attributes:
        candidate, reference: tokens.
        matches: for n = 1 … 4.
        precisions: p_n in per cent after smoothing, [4]; sacrebleu's.
        brevity_penalty: BP, for c tokens of the candidate and r of the reference; sacrebleu's.
        score: BLEU, 0 … 100; sacrebleu's.
    """

    candidate: tuple[str, ...]
    reference: tuple[str, ...]
    matches: tuple[Matches, ...]
    precisions: tuple[float, ...]
    brevity_penalty: float
    score: float

    @property
    def order(self) -> int:
        """N."""
        return min(MAX_ORDER, len(self.candidate))


def bleu(
    candidate: str, reference: str, *, tokeniser: Tokeniser = "13a", smoothing: Smoothing = "exp"
) -> BleuParts:
    """BLEU of a candidate against one reference.

    Args:
        candidate: may be empty: then the brevity penalty and the score are 0.
        reference: what it is compared with.
        tokeniser: sacrebleu's "13a" for languages with spaces, "zh" for Chinese: each character is a token.
        smoothing: what becomes of p_n = 0, see sacrebleu; "exp" is its default.

    Raises:
        ValueError: the reference is empty, or tokeniser or smoothing are unknown.
    """
    check_reference(reference)
    metric = _metric(tokeniser, smoothing)
    found = metric.sentence_score(candidate, [reference])
    words, right = (tuple(metric.tokenizer(text.rstrip()).split()) for text in (candidate, reference))
    matches = tuple(_matches(words, right, n) for n in range(1, MAX_ORDER + 1))
    return BleuParts(words, right, matches, tuple(found.precisions), float(found.bp), float(found.score))


def check_reference(reference: str) -> None:
    """ValueError for a reference without a character."""
    if not reference.strip():
        raise ValueError("The reference is empty: there is nothing to compare the candidate with.")


@cache
def _metric(tokeniser: str, smoothing: str) -> BLEU:
    if tokeniser not in ("13a", "zh"):
        raise ValueError(f"tokeniser = {tokeniser!r} is unknown; known are 13a and zh")
    if smoothing not in BLEU.SMOOTH_DEFAULTS:
        raise ValueError(f"smoothing = {smoothing!r} is unknown; known are {', '.join(BLEU.SMOOTH_DEFAULTS)}")
    return BLEU(tokenize=tokeniser, smooth_method=smoothing, effective_order=True)


def _matches(candidate: tuple[str, ...], reference: tuple[str, ...], order: int) -> Matches:
    ours, theirs = _ngrams(candidate, order), _ngrams(reference, order)
    have, there = Counter(ours), Counter(theirs)
    first = _occurrence(ours)
    return Matches(
        order,
        np.array([number < there[gram] for gram, number in zip(ours, first, strict=True)], bool),
        np.array([0 < there[gram] <= number for gram, number in zip(ours, first, strict=True)], bool),
        np.array([k < have[gram] for gram, k in zip(theirs, _occurrence(theirs), strict=True)], bool),
    )


def _ngrams(tokens: tuple[str, ...], order: int) -> list[tuple[str, ...]]:
    return [tokens[at : at + order] for at in range(len(tokens) - order + 1)]


def _occurrence(grams: list[tuple[str, ...]]) -> list[int]:
    """How often each n-gram has stood before."""
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for gram in grams:
        found.append(seen[gram])
        seen[gram] += 1
    return found
