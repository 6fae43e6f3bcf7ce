"""The true optimum: all sequences one after another, or the best one by a search that leaves nothing out."""

from __future__ import annotations

import heapq

import numpy as np

from explorer.seq2seq.decoding.hypothesis import Hypothesis, check_lengths, hypothesis, rounded
from explorer.seq2seq.decoding.scoring import Scoring
from explorer.seq2seq.decoding.step import Step, log_probabilities

MOST_PREFIXES = 20_000


class TooManySequences(ValueError):
    """There are more sequences than may be looked at."""


def greedy(step: Step, *, end: int | None, max_length: int, scoring: Scoring | None = None) -> Hypothesis:
    """The likeliest token at every step, of equally likely ones the first.

    It ends with ``end`` or after ``max_length`` tokens, the end token counted.

    Raises:
        ValueError: ``max_length`` < 1, or ``step`` gives no log-probabilities.
    """
    check_lengths(max_length)
    tokens: tuple[int, ...] = ()
    total = 0.0
    while len(tokens) < max_length and (not tokens or tokens[-1] != end):
        totals = total + log_probabilities(step, tokens)
        token = int(np.argmax(np.round(totals, 12)))
        tokens, total = (*tokens, token), float(totals[token])
    return hypothesis(tokens, total, scoring or Scoring(), tokens[-1] == end)


def exhaustive(
    step: Step,
    *,
    end: int | None,
    max_length: int,
    scoring: Scoring | None = None,
    limit: int = MOST_PREFIXES,
) -> list[Hypothesis]:
    """All sequences of positive probability with at most ``max_length`` tokens, the best first.

    Those without the end token are cut off at ``max_length``; finished ones stand before them.

    Raises:
        TooManySequences: more than ``limit`` prefixes would have to be extended.
        ValueError: as ``greedy``.
    """
    check_lengths(max_length)
    scoring, found = scoring or Scoring(), []
    stack: list[tuple[tuple[int, ...], float]] = [((), 0.0)]
    extended = 0
    while stack:
        prefix, log_prob = stack.pop()
        extended += 1
        if extended > limit:
            raise TooManySequences(f"more than {limit:,} prefixes of up to {max_length} tokens")
        totals = log_prob + log_probabilities(step, prefix)
        for token in np.flatnonzero(totals > -np.inf):
            tokens, total = (*prefix, int(token)), float(totals[token])
            if token == end or len(tokens) == max_length:
                found.append(hypothesis(tokens, total, scoring, token == end))
            else:
                stack.append((tokens, total))
    return sorted(found, key=lambda one: one.rank)


def optimum(
    step: Step,
    *,
    end: int | None,
    max_length: int,
    scoring: Scoring | None = None,
    limit: int = MOST_PREFIXES,
) -> Hypothesis:
    """The first of ``exhaustive``, without looking at all: prefixes are extended in order of their bounds.

    No continuation of a prefix scores more than ``Scoring.bound``, so the first complete sequence that comes
    to the head of the queue is the best there is. It is exact also under length normalisation and coverage.

    Raises:
        TooManySequences, ValueError: as ``exhaustive``.
    """
    check_lengths(max_length)
    scoring = scoring or Scoring()
    queue: list[tuple[float, bool, tuple[int, ...], float]] = [(0.0, False, (), 0.0)]
    cut: list[Hypothesis] = []
    extended = 0
    while queue:
        _, complete, prefix, log_prob = heapq.heappop(queue)
        if complete:
            return hypothesis(prefix, log_prob, scoring, prefix[-1] == end)
        extended += 1
        if extended > limit:
            raise TooManySequences(f"more than {limit:,} prefixes of up to {max_length} tokens")
        totals = log_prob + log_probabilities(step, prefix)
        for token in np.flatnonzero(totals > -np.inf):
            tokens, total = (*prefix, int(token)), float(totals[token])
            if token == end or (end is None and len(tokens) == max_length):
                heapq.heappush(queue, (-rounded(scoring.score(tokens, total)), True, tokens, total))
            elif len(tokens) == max_length:
                cut.append(hypothesis(tokens, total, scoring, finished=False))
            else:
                heapq.heappush(queue, (-rounded(scoring.bound(total, max_length)), False, tokens, total))
    return min(cut, key=lambda one: one.rank)
