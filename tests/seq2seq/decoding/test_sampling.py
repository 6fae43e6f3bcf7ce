"""Sampling: what is left is exact, and what is drawn has the right frequencies."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from explorer.seq2seq.decoding import (
    TOYS,
    Sampling,
    after,
    exhaustive,
    filtered,
    greedy,
    sample,
    sample_counts,
)

ROWS = st.lists(st.floats(-20, 0), min_size=1, max_size=12).map(np.array)
MODEL = TOYS["greedy"].model


@given(logits=ROWS, temperature=st.floats(0.05, 5))
def test_temperature_is_a_power(logits: np.ndarray, temperature: float) -> None:
    log_probs = logits - np.logaddexp.reduce(logits)
    found = Sampling(temperature).probabilities(log_probs)
    powers = np.exp(log_probs - log_probs.max()) ** (1 / temperature)
    np.testing.assert_allclose(found, powers / powers.sum(), rtol=1e-9, atol=1e-300)


@given(logits=ROWS, k=st.integers(1, 14))
def test_top_k_keeps_the_k_likeliest(logits: np.ndarray, k: int) -> None:
    log_probs = logits - np.logaddexp.reduce(logits)
    found = Sampling(top_k=k).probabilities(log_probs)
    assert (found > 0).sum() <= min(k, len(logits))
    kept = np.flatnonzero(found)
    others = np.setdiff1d(np.arange(len(logits)), kept)
    assert len(kept) == min(k, len(logits)) or np.exp(log_probs).min() < 1e-15
    if len(others):
        assert np.exp(log_probs[kept]).min() >= np.exp(log_probs[others]).max() - 1e-11
    np.testing.assert_allclose(found[kept], np.exp(log_probs[kept]) / np.exp(log_probs[kept]).sum())


@given(logits=ROWS, p=st.floats(0.01, 1))
def test_the_nucleus_is_the_smallest_set_that_reaches_p(logits: np.ndarray, p: float) -> None:
    log_probs = logits - np.logaddexp.reduce(logits)
    probabilities = np.exp(log_probs)
    kept = np.flatnonzero(Sampling(top_p=p).probabilities(log_probs))
    assert probabilities[kept].sum() >= p - 1e-9
    assert np.sort(probabilities[kept])[1:].sum() < p + 1e-9  # one fewer does not reach it
    ranked = np.sort(probabilities)[::-1]
    np.testing.assert_allclose(np.sort(probabilities[kept])[::-1], ranked[: len(kept)], atol=1e-11)


def test_sets_by_hand() -> None:
    log_probs = np.log([0.1, 0.4, 0.2, 0.3])

    def kept(**choices: float) -> list[int]:
        return list(np.flatnonzero(Sampling(**choices).probabilities(log_probs)))  # type: ignore[arg-type]

    assert kept(top_k=1) == [1] and kept(top_k=2) == [1, 3] and kept(top_k=0) == [0, 1, 2, 3]
    assert kept(top_p=0.4) == [1] and kept(top_p=0.41) == [1, 3] and kept(top_p=0.7) == [1, 3]
    assert (
        kept(top_p=0.9) == [1, 2, 3] and kept(top_p=0.91) == [0, 1, 2, 3] and kept(top_p=1.0) == [0, 1, 2, 3]
    )
    # the nucleus is that of what top-k has left: 0.4 / 0.7 and 0.3 / 0.7
    assert kept(top_k=2, top_p=0.57) == [1] and kept(top_k=2, top_p=0.58) == [1, 3]
    # ties go to the first tokens
    assert list(np.flatnonzero(Sampling(top_k=2).probabilities(np.log(np.full(4, 0.25))))) == [0, 1]
    assert list(np.flatnonzero(Sampling(top_p=0.5).probabilities(np.log(np.full(4, 0.25))))) == [0, 1]


def one_by_one(sampling: Sampling, rng: np.random.Generator, count: int) -> Counter[tuple[int, ...]]:
    return Counter(sample(MODEL, sampling, rng, end=MODEL.end, max_length=4).tokens for _ in range(count))


def together(sampling: Sampling, rng: np.random.Generator, count: int) -> Counter[tuple[int, ...]]:
    return sample_counts(MODEL, sampling, rng, count, end=MODEL.end, max_length=4)


@pytest.mark.parametrize(
    "sampling", [Sampling(), Sampling(0.5), Sampling(2.0, 3), Sampling(1.0, 0, 0.7)], ids=repr
)
@pytest.mark.parametrize("draw", [one_by_one, together])
def test_frequencies_are_the_exact_probabilities(
    draw: Callable[[Sampling, np.random.Generator, int], Counter[tuple[int, ...]]], sampling: Sampling
) -> None:
    """χ² over whole sequences; rare ones are put together."""
    count = 4000
    every = exhaustive(filtered(MODEL, sampling), end=MODEL.end, max_length=4)
    exact = {one.tokens: math.exp(one.log_prob) for one in every}
    assert sum(exact.values()) == pytest.approx(1, abs=1e-12)
    drawn = draw(sampling, np.random.default_rng(5), count)
    assert set(drawn) <= set(exact) and sum(drawn.values()) == count
    often = [tokens for tokens, chance in exact.items() if chance * count >= 8]
    observed, expected = [drawn[tokens] for tokens in often], [count * exact[tokens] for tokens in often]
    rest = count - sum(expected)
    if rest > 1:
        observed.append(count - sum(observed))
        expected.append(rest)
    assert chisquare(observed, expected, sum_check=False).pvalue > 0.01


def test_what_is_drawn_is_scored_by_the_model_itself() -> None:
    found = sample(MODEL, Sampling(0.3, 2, 0.9), np.random.default_rng(0), end=MODEL.end, max_length=9)
    total = sum(float(MODEL(found.tokens[:k])[token]) for k, token in enumerate(found.tokens))
    assert found.log_prob == found.score == pytest.approx(total)
    assert found.finished == (found.tokens[-1] == MODEL.end)


def test_the_limits_of_sampling_are_greedy() -> None:
    straight = greedy(MODEL, end=MODEL.end, max_length=9).tokens
    for sampling in (Sampling(top_k=1), Sampling(top_p=1e-6), Sampling(0.001)):
        for seed in range(5):
            rng = np.random.default_rng(seed)
            assert sample(MODEL, sampling, rng, end=MODEL.end, max_length=9).tokens == straight


def test_a_step_behind_a_beginning() -> None:
    np.testing.assert_array_equal(after(MODEL, (1,))(()), MODEL((1,)))
    np.testing.assert_array_equal(after(MODEL, (1,))((2,)), MODEL((1, 2)))


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"temperature": 0.0}, r"temperature = 0\.0"),
        ({"temperature": np.nan}, "temperature = nan"),
        ({"temperature": np.inf}, "temperature = inf"),
        ({"top_k": -1}, "top_k = -1"),
        ({"top_p": 0.0}, r"top_p = 0\.0"),
        ({"top_p": 1.1}, r"top_p = 1\.1"),
        ({"top_p": np.nan}, "top_p = nan"),
    ],
)
def test_bad_choices_are_refused(choices: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Sampling(**choices)  # type: ignore[arg-type]


def test_no_length_is_refused() -> None:
    with pytest.raises(ValueError, match="max_length = 0"):
        sample(MODEL, Sampling(), np.random.default_rng(0), end=MODEL.end, max_length=0)
