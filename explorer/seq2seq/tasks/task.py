"""What a translation task is: pairs of sequences, with vocabularies of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from explorer.parameters import Parameters
from explorer.seq2seq.vocabulary import EOS, PAD, Vocabulary

Lengths = tuple[int, int]
"""Fewest and most tokens of a source."""


@dataclass(frozen=True)
class Pairs:
    """Sources with their targets.

    Attributes:
        source: token numbers, filled up with ``<pad>``, [Te, B].
        lengths: tokens of each source, [B].
        target: token numbers, each with ``<eos>`` at its end, filled up with ``<pad>``, [Td, B];
            ``without_eos`` has none.
    """

    source: np.ndarray
    lengths: np.ndarray
    target: np.ndarray

    def pair(self, b: int) -> tuple[list[int], list[int]]:
        """Source and target number b, without special tokens."""
        target = self.target[:, b]
        return self.source[: self.lengths[b], b].tolist(), target[target > EOS].tolist()

    def without_eos(self) -> Pairs:
        """The same pairs for a decoder that is stopped from outside."""
        return replace(self, target=np.where(self.target == EOS, PAD, self.target)[:-1])


def joined(parts: Sequence[Pairs]) -> Pairs:
    """All pairs in one, the shorter ones filled up."""

    def filled(arrays: list[np.ndarray]) -> np.ndarray:
        longest = max(map(len, arrays))
        missing = [((0, longest - len(array)), (0, 0)) for array in arrays]
        return np.hstack([np.pad(*one, constant_values=PAD) for one in zip(arrays, missing, strict=True)])

    return Pairs(
        filled([part.source for part in parts]),
        np.concatenate([part.lengths for part in parts]),
        filled([part.target for part in parts]),
    )


class TranslationTask(Parameters):
    """Base of all tasks that turn one sequence into another.

    Class attributes:
        bounds: fewest and most tokens that a source can have.
        usual: lengths of the sources that a network is trained on.
        buckets: lengths that its score is told apart by.
    """

    kind: str
    bounds: ClassVar[Lengths]
    usual: ClassVar[Lengths]
    buckets: ClassVar[tuple[Lengths, ...]]

    @property
    def source(self) -> Vocabulary:
        """What sources are made of."""
        raise NotImplementedError

    @property
    def target(self) -> Vocabulary:
        """What targets are made of."""
        raise NotImplementedError

    def draw(self, rng: np.random.Generator, size: int, lengths: Lengths) -> Pairs:
        """As ``batch``, for sizes and lengths that have been checked."""
        raise NotImplementedError

    def longest_target(self, lengths: Lengths) -> int:
        """Most tokens that a target of these sources has, with ``<eos>``."""
        raise NotImplementedError

    def batch(self, rng: np.random.Generator, size: int, lengths: Lengths | None = None) -> Pairs:
        """B fresh pairs whose sources have so many tokens; ``usual`` where nothing is asked.

        Raises ValueError that names size or lengths, their value and what is allowed.
        """
        if size < 1:
            raise ValueError(f"size is {size}; it must be at least 1")
        low, high = self.usual if lengths is None else lengths
        self.check_lengths((low, high))
        return self.draw(rng, size, (low, high))

    def spread(self, rng: np.random.Generator, size: int, lengths: Lengths) -> Pairs:
        """B fresh pairs over all these lengths, for tests; a batch may have one length alone."""
        return self.batch(rng, size, lengths)

    def check_lengths(self, lengths: Lengths) -> None:
        """Raises ValueError unless the task has sources of all these lengths."""
        (low, high), (lowest, highest) = lengths, self.bounds
        if not lowest <= low <= high <= highest:
            raise ValueError(
                f"lengths are {low} to {high}; the task {self.kind!r} has sources of {lowest} to {highest} "
                "tokens"
            )


def exact_match(found: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Which answers [T, B] equal their targets [Td, B] up to ``<eos>`` or the target's end, [B] bool.

    Raises ValueError when there are not as many answers as targets.
    """
    if found.shape[1] != target.shape[1]:
        raise ValueError(f"there are {found.shape[1]} answers to {target.shape[1]} targets")
    counts = (target != PAD).sum(axis=0)
    if len(found) < len(target):
        filling = np.full((len(target) - len(found), found.shape[1]), PAD)
        found = np.concatenate([found, filling])
    asked = np.arange(len(target))[:, None] < counts
    return np.asarray(((found[: len(target)] == target) | ~asked).all(axis=0))
