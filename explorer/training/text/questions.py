"""Three questions on sentences: about words, about neighbours, about what is far apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from explorer.training.text.corpus import SOURCES, Sentence

Words = tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """What is asked of a sentence.

    Attributes:
        label: its name.
        asks: the question in one sentence.
        classes: short names of the answers.
        alter: makes the other version of a sentence, where order is asked for; None where its source is.
    """

    label: str
    asks: str
    classes: tuple[str, ...]
    alter: Callable[[Words], Words] | None = None

    @property
    def chance(self) -> float:
        """Share of right answers of a guess: all answers are equally frequent."""
        return 1 / len(self.classes)

    def examples(self, sentences: Sequence[Sentence]) -> tuple[list[Words], np.ndarray]:
        """Words of all examples and the number of their right answers [N].

        Where order is asked for, each sentence comes twice, as it was (0) and altered (1), one after the
        other: two examples with the same words and different answers, so that a model that sees only which
        words there are is right in exactly one of the two.
        """
        if self.alter is None:
            places = list(SOURCES)
            return [one.words for one in sentences], np.array([places.index(one.source) for one in sentences])
        examples = [version for one in sentences for version in (one.words, self.alter(one.words))]
        return examples, np.tile([0, 1], len(sentences))


def scrambled(words: Words) -> Words:
    """All words in an order drawn at random, the same whenever the sentence comes again."""
    rng = np.random.default_rng(crc32(" ".join(words).encode()))
    return tuple(words[place] for place in rng.permutation(len(words)))


def halves_exchanged(words: Words) -> Words:
    """The second half before the first; all neighbours but one stay neighbours."""
    middle = len(words) // 2
    return words[middle:] + words[:middle]


QUESTIONS: dict[str, Question] = {
    "halves": Question(
        "Halves exchanged?",
        "Does the sentence run from its beginning to its end, or were its two halves exchanged?",
        ("in order", "exchanged"),
        halves_exchanged,
    ),
    "scrambled": Question(
        "Words scrambled?",
        "Are the words in the order in which they were written, or in a random one?",
        ("in order", "scrambled"),
        scrambled,
    ),
    "source": Question(
        "From which book?",
        "Is the sentence from Emma, Pride and Prejudice, the Old Testament or the New?",
        ("Emma", "Pride", "Old T.", "New T."),
    ),
}
"""Question → what it asks."""
