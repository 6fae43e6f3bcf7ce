"""Beam search and diverse beam search, with a record of everything that was looked at.

In every step each live hypothesis is extended by every possible token, and the ``width`` likeliest of all
these candidates are kept. Kept candidates that end with the end token are set aside as finished, whatever
comes later; they take no place in the next step, where again ``width`` are kept.

- Live hypotheses of one step have one length, so they are compared by log P alone. Length normalisation and
  coverage decide among finished ones, and only if asked for.
- The search stops once the best finished hypothesis scores more than any live one still could
  (``Scoring.bound``), when nothing is left to extend, or at ``max_length``. The first rule loses nothing:
  what would have come later cannot win.
- Ties (equal to 12 decimals) go to the sequence whose tokens come first in the order of their numbers.

With a width of at least the number of sequences nothing is pruned, and the result is that of ``exhaustive``;
with a width of 1 it is ``greedy``.

Sources: Graves (2012), "Sequence transduction with recurrent neural networks"; Sutskever, Vinyals & Le
(2014), "Sequence to sequence learning with neural networks"; Huang, Zhao & Ma (2017), "When to finish?
Optimal beam search for neural text generation"; Vijayakumar et al. (2018), "Diverse beam search".
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from explorer.seq2seq.decoding.hypothesis import Hypothesis, check_lengths, hypothesis, rounded
from explorer.seq2seq.decoding.scoring import Scoring
from explorer.seq2seq.decoding.step import Step, log_probabilities

PRUNED, KEPT, FINISHED, CUT = range(4)
"""What became of a candidate; CUT: kept, but the longest length was reached."""


@dataclass(frozen=True)
class Candidates:
    """All candidates of one step, n in all, in the order of their groups and tokens.

    Attributes:
        parents: row of the extended hypothesis among the candidates of the step before, [n]; 0 in the first.
        tokens: the token that was added, [n].
        log_probs: log P of the whole sequence, [n].
        fates: PRUNED, KEPT, FINISHED or CUT, [n].
        groups: group of the beam, [n]; 0 in plain beam search.
    """

    parents: np.ndarray
    tokens: np.ndarray
    log_probs: np.ndarray
    fates: np.ndarray
    groups: np.ndarray

    def __len__(self) -> int:
        """How many candidates there are."""
        return len(self.tokens)


@dataclass(frozen=True)
class Search:
    """A whole beam search.

    Attributes:
        steps: the candidates of every step.
        hypotheses: what was finished or cut off, each sequence once, the best first.
        stopped: for each group why it stopped: "bound", "empty" or "length".
    """

    steps: tuple[Candidates, ...]
    hypotheses: tuple[Hypothesis, ...]
    stopped: tuple[str, ...]

    @property
    def best(self) -> Hypothesis:
        """What the search returns."""
        return self.hypotheses[0]

    def rows_of(self, tokens: tuple[int, ...]) -> list[int]:
        """Row of each prefix of a sequence in the steps, in the group that has followed it furthest."""
        found = [self._rows_in(group, tokens) for group in range(len(self.stopped))]

        def reached(rows: list[int]) -> tuple[int, bool]:
            return len(rows), bool(rows) and self.steps[len(rows) - 1].fates[rows[-1]] != PRUNED

        return max(found, key=reached)

    def _rows_in(self, group: int, tokens: tuple[int, ...]) -> list[int]:
        rows: list[int] = []
        for candidates, token in zip(self.steps, tokens, strict=False):
            here = (candidates.tokens == token) & (candidates.groups == group)
            if rows:
                here &= candidates.parents == rows[-1]
            if not here.any():
                break
            rows.append(int(here.argmax()))
        return rows

    def tokens_of(self, step: int, row: int) -> tuple[int, ...]:
        """The sequence of a candidate; steps count from 0."""
        tokens: list[int] = []
        for candidates in reversed(self.steps[: step + 1]):
            tokens.append(int(candidates.tokens[row]))
            row = int(candidates.parents[row])
        return tuple(reversed(tokens))


def beam_search(
    step: Step, *, width: int, end: int | None, max_length: int, scoring: Scoring | None = None
) -> Search:
    """Beam search as described at the top of this module.

    Args:
        step: prefix → log-probabilities [V].
        width: how many candidates are kept in a step.
        end: the token that finishes a sequence; None if there is none.
        max_length: longest sequence, the end token counted.
        scoring: how finished hypotheses are compared; by log P if not given.

    Raises:
        ValueError: ``width`` or ``max_length`` is below 1, or ``step`` gives no log-probabilities.
    """
    return diverse_beam(
        step, groups=1, width=width, strength=0.0, end=end, max_length=max_length, scoring=scoring
    )


def diverse_beam(
    step: Step,
    *,
    groups: int,
    width: int,
    strength: float,
    end: int | None,
    max_length: int,
    scoring: Scoring | None = None,
) -> Search:
    r"""Several beams of ``width`` that avoid each other's tokens (Vijayakumar et al. 2018, Hamming).

    Group g keeps the candidates with the largest

    .. math:: \log P(y_{1..t}) - \lambda\, \#\{\text{kept by groups before g at step } t \text{ with } y_t\}

    λ = ``strength``. The penalty decides what is kept and is no part of log P or of the score. With λ = 0
    every group is the same beam search.

    Raises:
        ValueError: as ``beam_search``; ``groups`` below 1, or ``strength`` negative or not finite.
    """
    check_lengths(max_length, width=width, groups=groups)
    if not (np.isfinite(strength) and strength >= 0):
        raise ValueError(f"strength = {strength} is not allowed: choose 0 or a positive number")
    beams = [_Beam(width, end, max_length, scoring or Scoring()) for _ in range(groups)]
    steps: list[Candidates] = []
    for length in range(1, max_length + 1):
        parts: list[Candidates] = []
        taken: list[np.ndarray] = []
        first_row = 0
        for number, beam in enumerate(beams):
            if beam.stopped:
                continue
            part = beam.advance(step, length, number, first_row, strength, np.concatenate([*taken, _NONE]))
            taken.append(part.tokens[part.fates != PRUNED])
            first_row += len(part)
            parts.append(part)
        if not parts:
            break
        steps.append(_joined(parts))
    found = {one.tokens: one for beam in beams for one in beam.complete}
    ranked = sorted(found.values(), key=lambda one: one.rank)
    return Search(tuple(steps), tuple(ranked), tuple(beam.stopped for beam in beams))


_NONE = np.empty(0, int)


def _joined(parts: list[Candidates]) -> Candidates:
    names = ("parents", "tokens", "log_probs", "fates", "groups")
    return Candidates(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass
class _Beam:
    """One group on its way; live hypotheses are in the order of their tokens, so rows are too."""

    width: int
    end: int | None
    max_length: int
    scoring: Scoring
    live: list[tuple[int, tuple[int, ...], float]] = field(default_factory=lambda: [(0, (), 0.0)])
    complete: list[Hypothesis] = field(default_factory=list)
    stopped: str = ""

    def advance(
        self, step: Step, length: int, group: int, first_row: int, strength: float, taken: np.ndarray
    ) -> Candidates:
        """Extend all live hypotheses by a token; rows of the candidates count from ``first_row``."""
        totals = np.stack([total + log_probabilities(step, tokens) for _, tokens, total in self.live])
        places, tokens = np.nonzero(totals > -np.inf)
        log_probs = totals[places, tokens]
        repeats = np.bincount(taken, minlength=totals.shape[1])
        keys = np.round(log_probs - strength * repeats[tokens], 12)
        kept = np.sort(np.argsort(-keys, kind="stable")[: self.width])
        fates = np.full(len(tokens), PRUNED)
        fates[kept] = np.where(tokens[kept] == self.end, FINISHED, CUT if length == self.max_length else KEPT)
        parents = np.array([row for row, _, _ in self.live])[places]
        extended = [(int(row), (*self.live[places[row]][1], int(tokens[row]))) for row in kept]
        self.live = []
        for row, sequence in extended:
            log_prob = float(log_probs[row])
            if fates[row] == KEPT:
                self.live.append((first_row + row, sequence, log_prob))
            else:
                finished = bool(fates[row] == FINISHED)
                self.complete.append(hypothesis(sequence, log_prob, self.scoring, finished))
        self._judge(length)
        return Candidates(parents, tokens, log_probs, fates, np.full(len(tokens), group))

    def _judge(self, length: int) -> None:
        """Whether going on can change the result."""
        if length == self.max_length:
            self.stopped = "length" if any(not one.finished for one in self.complete) else "empty"
        elif not self.live:
            self.stopped = "empty"
        else:
            best = max((one.score for one in self.complete), default=-np.inf)
            hope = max(self.scoring.bound(log_prob, self.max_length) for _, _, log_prob in self.live)
            if rounded(best) > rounded(hope):
                self.stopped = "bound"
