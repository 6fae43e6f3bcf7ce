"""Reverse, copy and sort: toy problems that need the order of the source."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from explorer.parameters import parameter
from explorer.seq2seq.tasks.task import Lengths, Pairs, TranslationTask, joined
from explorer.seq2seq.vocabulary import EOS, LETTERS, SPECIAL, Vocabulary


class SequenceTask(TranslationTask):
    """Base: the target has the symbols of the source in another order.

    Symbols are drawn uniformly from the first K letters. One length is drawn for a whole batch, so nothing
    is filled up.
    """

    symbols: int = parameter(10, "symbols", "How many different letters there are.", bounds=(2, 26), step=1)
    bounds: ClassVar[Lengths] = (1, 50)
    usual: ClassVar[Lengths] = (1, 15)
    buckets: ClassVar[tuple[Lengths, ...]] = ((1, 4), (5, 9), (10, 15), (16, 20))

    @property
    def source(self) -> Vocabulary:
        """The first K letters."""
        return Vocabulary(LETTERS.symbols[: self.symbols])

    @property
    def target(self) -> Vocabulary:
        """The same letters."""
        return self.source

    def longest_target(self, lengths: Lengths) -> int:
        """The length of the source and ``<eos>``."""
        return lengths[1] + 1

    def answer(self, source: np.ndarray) -> np.ndarray:
        """The target [Te, B] of a source, without ``<eos>``."""
        raise NotImplementedError

    def draw(self, rng: np.random.Generator, size: int, lengths: Lengths) -> Pairs:
        """Fresh symbols."""
        length = int(rng.integers(lengths[0], lengths[1] + 1))
        source = len(SPECIAL) + rng.integers(self.symbols, size=(length, size))
        target = np.concatenate([self.answer(source), np.full((1, size), EOS)])
        return Pairs(source, np.full(size, length), target)

    def spread(self, rng: np.random.Generator, size: int, lengths: Lengths) -> Pairs:
        """As many pairs of each length, up to one."""
        low, high = lengths
        shares = np.array_split(np.arange(size), high - low + 1)
        return joined(
            [
                self.batch(rng, len(share), (length, length))
                for length, share in zip(range(low, high + 1), shares, strict=True)
                if len(share)
            ]
        )


class Reverse(SequenceTask):
    """The symbols from the last to the first: every decoder step needs another place of the source."""

    kind: Literal["reverse"] = "reverse"

    def answer(self, source: np.ndarray) -> np.ndarray:
        """From the last to the first."""
        return source[::-1]


class CopySequence(SequenceTask):
    """The symbols as they are."""

    kind: Literal["copy"] = "copy"

    def answer(self, source: np.ndarray) -> np.ndarray:
        """The same."""
        return source


class Sort(SequenceTask):
    """The symbols in the order of the alphabet: where to look depends on what is there."""

    kind: Literal["sort"] = "sort"

    def answer(self, source: np.ndarray) -> np.ndarray:
        """Sorted."""
        return np.sort(source, axis=0)
