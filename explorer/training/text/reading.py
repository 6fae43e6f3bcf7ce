"""How the trained models read one sentence: their answers, and which words weigh in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.training.text.corpus import LONGEST, words_of
from explorer.training.text.shuffle import shuffled_order
from explorer.training.text.study import TextStudy


@dataclass(frozen=True)
class Reading:
    """One sentence in the order in which it is read.

    Attributes:
        words: its L words.
        unknown: those that the models do not know; all of them look alike to a model.
        answers: model → its most probable answer and the probability it gives to it.
        weights: model → how much each word weighs in the logarithm of that probability, [L].
    """

    words: tuple[str, ...]
    unknown: tuple[str, ...]
    answers: dict[str, tuple[str, float]]
    weights: dict[str, np.ndarray]


def read(study: TextStudy, words: Sequence[str]) -> Reading:
    """The reading of all models of the study that are trained; raises ValueError for no word."""
    numbers = study.vocabulary.encode([words])
    answers, weights = {}, {}
    for name, tested in study.tested.items():
        probabilities = np.exp(tested.model.log_probabilities(numbers)[0])
        answer = int(probabilities.argmax())
        answers[name] = study.question.classes[answer], float(probabilities[answer])
        weights[name] = tested.model.word_weights(numbers[0], answer)
    return Reading(tuple(words), tuple(study.vocabulary.unknown(words)), answers, weights)


def typed_words(text: str) -> tuple[str, ...]:
    """The first ``LONGEST`` words of a typed sentence: none was longer in training."""
    return words_of(text)[:LONGEST]


def shuffled_words(words: Sequence[str], share: float, seed: int = 0) -> tuple[str, ...]:
    """The sentence with a share of its words shuffled."""
    order = shuffled_order(len(words), share, np.random.default_rng(seed))
    return tuple(words[place] for place in order)
