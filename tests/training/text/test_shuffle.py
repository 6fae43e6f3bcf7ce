"""Shuffling moves words and neither loses nor makes any."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.training.text.reading import shuffled_words
from explorer.training.text.shuffle import shuffle_rows, shuffled_order

SHARES = st.floats(0, 1)


def order(length: int, share: float, seed: int = 0) -> np.ndarray:
    return shuffled_order(length, share, np.random.default_rng(seed))


@given(st.integers(1, 30), st.integers(0, 99))
def test_at_share_0_nothing_moves(length: int, seed: int) -> None:
    np.testing.assert_array_equal(order(length, 0, seed), np.arange(length))


@given(st.integers(1, 30), SHARES, st.integers(0, 99))
def test_it_is_a_permutation_that_leaves_the_rest_alone(length: int, share: float, seed: int) -> None:
    found = order(length, share, seed)
    np.testing.assert_array_equal(np.sort(found), np.arange(length))
    assert (found != np.arange(length)).sum() <= round(share * length)


@given(st.integers(2, 30), st.integers(0, 99))
def test_a_word_chosen_at_one_share_is_chosen_at_every_larger_one(length: int, seed: int) -> None:
    moved = [set(np.flatnonzero(order(length, share, seed) != np.arange(length))) for share in (0.3, 0.6)]
    chosen = set(np.random.default_rng(seed).permutation(length)[: round(0.6 * length)])
    assert moved[0] <= chosen and moved[1] <= chosen


def test_at_share_1_all_orders_are_equally_likely() -> None:
    """χ² of 6 orders of 3 words: 5 degrees of freedom, 99.9 % of draws lie below 20.5."""
    drawn = [tuple(order(3, 1, seed)) for seed in range(3000)]
    counts = np.array([drawn.count(one) for one in set(drawn)])
    assert len(counts) == math.factorial(3)
    assert ((counts - 500) ** 2 / 500).sum() < 20.5


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_other_shares_are_refused(share: float) -> None:
    with pytest.raises(ValueError, match=r"share = .* between 0 and 1"):
        order(5, share)


def test_rows_keep_their_padding_and_do_not_depend_on_each_other() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.integers(1, 50, (20, 12))
    numbers[np.arange(12) >= rng.integers(3, 13, 20)[:, None]] = 0
    np.testing.assert_array_equal(shuffle_rows(numbers, 0, seed=1), numbers)
    shuffled = shuffle_rows(numbers, 0.7, seed=1)
    np.testing.assert_array_equal(shuffled == 0, numbers == 0)
    np.testing.assert_array_equal(np.sort(shuffled, axis=1), np.sort(numbers, axis=1))
    assert (shuffled != numbers).any()
    np.testing.assert_array_equal(shuffle_rows(numbers[:5], 0.7, seed=1), shuffled[:5])
    assert (shuffle_rows(numbers, 0.7, seed=2) != shuffled).any()


def test_shuffled_words_are_the_same_words() -> None:
    words = ("she", "was", "the", "youngest", "of", "two", "daughters")
    assert shuffled_words(words, 0) == words
    assert sorted(shuffled_words(words, 1)) == sorted(words)
    kept = set(pairwise(words)) & set(pairwise(shuffled_words(words, 1, seed=3)))
    assert len(kept) < len(words) - 1
