"""Real sentences, their words, and which of them are for testing.

``sentences.tsv.gz`` holds 2500 sentences of each of four sources, in their order of appearance; each line is
``source<tab>sentence``. They have 8 to 20 words, no two have the same words in the same order, and they were
drawn at random from all such sentences. A sentence of the novels ends at . ! ? ; or a dash, of the Bible
also at a colon. Quotation marks were removed.

- Jane Austen, *Emma* (1815) and *Pride and Prejudice* (1813): Project Gutenberg's texts as collected in
  Julia Silge's R package janeaustenr 1.0.0. The novels are in the public domain, the package is under the MIT
  licence.
- King James Version of the Bible (1611), Genesis and Exodus, and Matthew, John and Acts: the text of Debian's
  package bible-kjv-text 4.38, in the public domain (in the United Kingdom, printing is a right of the Crown).
  Mark and Luke are left out: they tell much in Matthew's words, which would be in both parts of a split.
"""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

SOURCES: dict[str, str] = {
    "emma": "Emma",
    "pride": "Pride and Prejudice",
    "old": "Genesis and Exodus",
    "new": "Matthew, John and Acts",
}
"""Source in the file → its name."""
PADDING, UNKNOWN = 0, 1
"""Numbers that stand for no word, and for a word outside the vocabulary."""
LONGEST = 20
"""Most words of a sentence."""
VOCABULARY_SIZE = 2000

_FILE = Path(__file__).with_name("sentences.tsv.gz")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_TEST_EVERY = 5


@dataclass(frozen=True)
class Sentence:
    """One sentence as printed, and where it is from (a key of ``SOURCES``)."""

    source: str
    text: str

    @property
    def words(self) -> tuple[str, ...]:
        """Its words in lower case, without punctuation."""
        return words_of(self.text)


def words_of(text: str) -> tuple[str, ...]:
    """Words in lower case; an apostrophe stays inside a word, everything else parts words."""
    return tuple(_WORD.findall(text.lower().replace("’", "'")))


@cache
def all_sentences() -> tuple[Sentence, ...]:
    """All sentences of the file."""
    lines = gzip.decompress(_FILE.read_bytes()).decode("ascii").splitlines()
    return tuple(Sentence(*line.split("\t")) for line in lines)


def split(sentences: Sequence[Sentence]) -> tuple[list[Sentence], list[Sentence]]:
    """(training, test): every fifth sentence is for testing, the same ones for every seed."""
    train = [one for place, one in enumerate(sentences) if place % _TEST_EVERY]
    return train, list(sentences[::_TEST_EVERY])


class Vocabulary:
    """Numbers for the most frequent words of the training sentences; all models read these and no others.

    Args:
        sentences: words of each sentence.
        size: how many words get a number of their own; ties go by the alphabet.
    """

    def __init__(self, sentences: Iterable[Sequence[str]], size: int = VOCABULARY_SIZE) -> None:
        counts = Counter(word for words in sentences for word in words)
        frequent = sorted(counts, key=lambda word: (-counts[word], word))[:size]
        self.words: tuple[str, ...] = ("", "?", *frequent)
        self._numbers = {word: number for number, word in enumerate(self.words) if number > UNKNOWN}

    def __len__(self) -> int:
        """How many numbers there are, padding and the unknown word included."""
        return len(self.words)

    @property
    def known(self) -> int:
        """How many words have a number."""
        return len(self.words) - 2

    def unknown(self, words: Iterable[str]) -> list[str]:
        """The words that have no number, each once, in their order."""
        return [word for word in dict.fromkeys(words) if word not in self._numbers]

    def encode(self, sentences: Sequence[Sequence[str]]) -> np.ndarray:
        """Numbers [N, L] of the words, filled with ``PADDING`` up to the longest of them.

        Raises ValueError for a sentence without a word.
        """
        if any(not len(words) for words in sentences):
            raise ValueError("sentences: one has no word; every sentence needs at least one")
        longest = max(map(len, sentences), default=0)
        numbers = np.full((len(sentences), longest), PADDING)
        for row, words in zip(numbers, sentences, strict=True):
            row[: len(words)] = [self._numbers.get(word, UNKNOWN) for word in words]
        return numbers
