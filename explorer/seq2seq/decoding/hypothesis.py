"""Hypotheses, and the order in which they are ranked."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.seq2seq.decoding.scoring import Scoring

_DIGITS = 12


@dataclass(frozen=True)
class Hypothesis:
    """A sequence that a strategy has come to.

    Attributes:
        tokens: with the end token, if it has come.
        log_prob: log P of all tokens, natural logarithm.
        score: what it is compared by, see ``Scoring``.
        finished: whether it ends with the end token; otherwise it was cut off at the longest length.
    """

    tokens: tuple[int, ...]
    log_prob: float
    score: float
    finished: bool

    @property
    def rank(self) -> tuple[bool, float, tuple[int, ...]]:
        """Smallest first: finished ones, then the higher score, then what comes first in the token order."""
        return not self.finished, -rounded(self.score), self.tokens


def hypothesis(tokens: tuple[int, ...], log_prob: float, scoring: Scoring, finished: bool) -> Hypothesis:
    """A hypothesis with its score."""
    return Hypothesis(tokens, log_prob, scoring.score(tokens, log_prob), finished)


def rounded(score: float) -> float:
    """A score as it is compared: to 12 decimals, so that equal factors in another order make a tie."""
    return round(score, _DIGITS) + 0.0


def check_lengths(max_length: int, **counts: int) -> None:
    """All at least 1, or ValueError that names the one that is not."""
    for name, value in {"max_length": max_length, **counts}.items():
        if value < 1:
            raise ValueError(f"{name} = {value} is not allowed: choose 1 or more")
