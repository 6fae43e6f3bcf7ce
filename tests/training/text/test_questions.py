"""Questions about order give a bag nothing to go by."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from explorer.training.text.corpus import SOURCES, all_sentences, split
from explorer.training.text.questions import QUESTIONS, halves_exchanged, scrambled

ABOUT_ORDER = [name for name, question in QUESTIONS.items() if question.alter]


@pytest.mark.parametrize("name", ABOUT_ORDER)
def test_both_answers_have_the_same_bags(name: str) -> None:
    """So whatever a bag of words answers, it is right in exactly one of each two examples."""
    sentences = all_sentences()[::40]
    words, answers = QUESTIONS[name].examples(sentences)
    np.testing.assert_array_equal(answers, np.tile([0, 1], len(sentences)))
    for original, altered, sentence in zip(words[::2], words[1::2], sentences, strict=True):
        assert original == sentence.words
        assert Counter(original) == Counter(altered)
        assert original != altered
    assert QUESTIONS[name].chance == 0.5


def test_the_source_is_asked_for_in_equal_parts() -> None:
    question = QUESTIONS["source"]
    words, answers = question.examples(split(all_sentences())[1])
    np.testing.assert_array_equal(np.bincount(answers), [500] * len(SOURCES))
    assert len(words) == 2000 and question.chance == 0.25 and len(question.classes) == len(SOURCES)


def test_exchanging_halves_breaks_one_pair_of_neighbours_and_makes_one() -> None:
    words = tuple("abcdefghi")
    altered = halves_exchanged(words)
    assert altered == tuple("efghiabcd")
    before, after = set(pairwise(words)), set(pairwise(altered))
    assert before - after == {("d", "e")} and after - before == {("i", "a")}


def test_scrambling_breaks_most_pairs_of_neighbours_and_is_repeatable() -> None:
    """Of n − 1 neighbouring pairs a random order keeps (n − 1)·(n − 1)/(n(n − 1)) ≈ 1 on average."""
    kept = []
    for number in range(400):
        words = tuple(f"{number}-{place}" for place in range(12))
        altered = scrambled(words)
        assert altered == scrambled(words)
        kept.append(len(set(pairwise(words)) & set(pairwise(altered))))
    assert abs(np.mean(kept) - 11 / 12) < 5 / np.sqrt(400)
