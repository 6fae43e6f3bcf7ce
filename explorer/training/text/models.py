"""What all models of text have in common, and their names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np


class TextModel(Protocol):
    """A classifier of sentences given as numbers of words [N, L], 0 = padding."""

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""

    def fit(self, numbers: np.ndarray, answers: np.ndarray) -> Iterator[float]:
        """Learn from [N, L] and [N]; yields after each piece of work which share is done."""

    def log_probabilities(self, numbers: np.ndarray) -> np.ndarray:
        """Natural logarithm of the probability of every answer, [N, C]."""

    def word_weights(self, words: np.ndarray, answer: int) -> np.ndarray:
        """How much each word [L] of one sentence weighs in log p(answer): |input × gradient|, [L]."""


LABELS: dict[str, str] = {
    "tfidf": "TF-IDF",
    "pairs": "TF-IDF + pairs",
    "average": "averaged embeddings",
    "convolution": "1-D CNN",
    "lstm": "bidirectional LSTM",
}
"""Model → its name, in the order in which they are trained: from the fastest to the slowest."""
BAGS = ("tfidf", "average")
"""Models that are blind to order by construction."""
SEES: dict[str, str] = {
    "tfidf": "which words",
    "pairs": "which words and neighbouring pairs",
    "average": "which words",
    "convolution": "which windows of three words",
    "lstm": "all words in turn, from both ends",
}
"""Model → what of a sentence can decide its answer."""
