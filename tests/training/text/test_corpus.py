"""The bundled sentences, their split, and numbers for words."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files

import numpy as np
import pytest

from explorer.training.text.corpus import (
    LONGEST,
    PADDING,
    SOURCES,
    UNKNOWN,
    Vocabulary,
    all_sentences,
    split,
    words_of,
)


def test_the_file_is_what_its_description_says() -> None:
    sentences = all_sentences()
    assert Counter(one.source for one in sentences) == dict.fromkeys(SOURCES, 2500)
    lengths = [len(one.words) for one in sentences]
    assert min(lengths) == 8 and max(lengths) == LONGEST == 20
    assert len({one.words for one in sentences}) == len(sentences), "no two are alike"
    assert files("explorer.training.text").joinpath("sentences.tsv.gz").stat().st_size < 400_000


def test_a_fifth_of_every_source_is_for_testing() -> None:
    train, test = split(all_sentences())
    assert Counter(one.source for one in test) == dict.fromkeys(SOURCES, 500)
    assert Counter(one.source for one in train) == dict.fromkeys(SOURCES, 2000)
    assert not {one.words for one in train} & {one.words for one in test}
    assert split(all_sentences()) == (train, test)


def test_words_are_letters_with_inner_apostrophes() -> None:
    assert words_of("“It's Emma’s,” said he—twice: 2 'times'!") == (
        "it's",
        "emma's",
        "said",
        "he",
        "twice",
        "times",
    )
    assert words_of("123 …") == ()


def test_the_most_frequent_words_get_numbers() -> None:
    vocabulary = Vocabulary([["b", "a", "c"], ["a", "b"], ["a", "d"]], size=3)
    assert vocabulary.words[2:] == ("a", "b", "c"), "ties go by the alphabet"
    assert vocabulary.known == 3 and len(vocabulary) == 5
    assert vocabulary.unknown(["a", "d", "e", "d"]) == ["d", "e"]
    numbers = vocabulary.encode([["a", "d"], ["c", "b", "a"]])
    np.testing.assert_array_equal(numbers, [[2, UNKNOWN, PADDING], [4, 3, 2]])


def test_a_sentence_without_words_is_refused() -> None:
    with pytest.raises(ValueError, match="sentences: one has no word"):
        Vocabulary([["a"]]).encode([["a"], []])
