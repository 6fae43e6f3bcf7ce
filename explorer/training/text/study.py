"""One question, five models: each is trained on sentences in order and then tested on shuffled ones."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.training.text.bags import TfidfClassifier
from explorer.training.text.corpus import Sentence, Vocabulary, all_sentences, split
from explorer.training.text.models import LABELS, TextModel
from explorer.training.text.networks import (
    AveragedEmbeddings,
    BothDirections,
    NetworkClassifier,
    WindowNetwork,
    WordNetwork,
)
from explorer.training.text.questions import QUESTIONS
from explorer.training.text.shuffle import shuffle_rows

SHARES = np.linspace(0, 1, 11)
"""Shares of moved words at which all models are tested."""
_NETWORKS: dict[str, type[WordNetwork]] = {
    "average": AveragedEmbeddings,
    "convolution": WindowNetwork,
    "lstm": BothDirections,
}


@dataclass(frozen=True)
class Tested:
    """A trained model and its answers.

    Attributes:
        model: the model.
        seconds: how long its training took, the waiting between pieces of work not counted.
        answers: number of the most probable answer, [shares, N].
        accuracy: share of right answers, [shares].
    """

    model: TextModel
    seconds: float
    answers: np.ndarray
    accuracy: np.ndarray


@dataclass(frozen=True)
class Progress:
    """What is being done now: the model that is trained or tested, and which share of that is done."""

    model: str
    testing: bool
    share: float


class TextStudy:
    """All models on one question.

    The test sentences, their shuffles and the split are the same for every seed; the seed decides the
    networks' weights and batches. ``run`` is a generator: whoever drives it may pause it or never come back.

    Args:
        question: a key of ``QUESTIONS``.
        seed: of all networks.
        sentences: others than those of the file; every fifth is for testing.

    Raises ValueError for an unknown question or fewer than five sentences.
    """

    def __init__(self, question: str, seed: int = 0, sentences: Sequence[Sentence] | None = None) -> None:
        if question not in QUESTIONS:
            raise ValueError(f"question = {question!r} is not allowed: choose from {', '.join(QUESTIONS)}")
        every = all_sentences() if sentences is None else sentences
        if len(every) < 5:
            raise ValueError(f"sentences: {len(every)} are too few, at least 5 are needed")
        self.question, self.seed = QUESTIONS[question], seed
        train, test = split(every)
        words, self._targets = self.question.examples(train)
        self.vocabulary = Vocabulary(words)
        self._numbers = self.vocabulary.encode(words)
        self.test_words, self.answers = self.question.examples(test)
        self.tested: dict[str, Tested] = {}

    @property
    def finished(self) -> bool:
        """Whether all models have been tested."""
        return len(self.tested) == len(LABELS)

    @property
    def training_examples(self) -> int:
        """How many examples the models learn from."""
        return len(self._numbers)

    def untrained(self, name: str) -> TextModel:
        """A fresh model; ``name`` is a key of ``LABELS``."""
        size = len(self.vocabulary)
        if name in _NETWORKS:
            return NetworkClassifier(_NETWORKS[name](size, len(self.question.classes), self.seed))
        return TfidfClassifier(size, pairs=name == "pairs")

    def run(self) -> Iterator[Progress]:
        """Train and test one model after the other.

        ``tested`` is replaced by a larger one on the way, so that another thread may read it meanwhile.
        """
        encoded = self.vocabulary.encode(self.test_words)
        shuffled = [shuffle_rows(encoded, share, seed=0) for share in SHARES]
        for name in LABELS:
            yield Progress(name, False, 0.0)
            model, seconds = self.untrained(name), 0.0
            pieces, began = model.fit(self._numbers, self._targets), time.perf_counter()
            for share in pieces:
                seconds += time.perf_counter() - began
                yield Progress(name, False, share)
                began = time.perf_counter()
            answers = []
            for place, rows in enumerate(shuffled):
                answers.append(model.log_probabilities(rows).argmax(axis=1))
                yield Progress(name, True, (place + 1) / len(shuffled))
            found = np.stack(answers)
            accuracy = (found == self.answers).mean(axis=1)
            self.tested = {**self.tested, name: Tested(model, seconds, found, accuracy)}

    def confusion(self, name: str, stop: int) -> np.ndarray:
        """[C, C]: of the examples whose right answer is the row, the share that got the column's answer."""
        classes = len(self.question.classes)
        cells = np.bincount(classes * self.answers + self.tested[name].answers[stop], minlength=classes**2)
        counts = cells.reshape(classes, classes)
        return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def standard_error(accuracy: float, examples: int) -> float:
    """√(p(1 − p)/N): how far an accuracy on N test examples lies from that on all sentences, typically."""
    return float(np.sqrt(accuracy * (1 - accuracy) / examples))
