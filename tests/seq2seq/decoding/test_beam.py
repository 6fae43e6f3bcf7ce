"""Beam search against exhaustive search, and against what its definition says."""

from __future__ import annotations

import itertools
import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.seq2seq.decoding import (
    CUT,
    FINISHED,
    KEPT,
    PRUNED,
    TOYS,
    MarkovModel,
    Scoring,
    TooManySequences,
    beam_search,
    diverse_beam,
    exhaustive,
    greedy,
    optimum,
)

SCORINGS = [Scoring(), Scoring("power", 1.0), Scoring("wu", 0.6), Scoring("power", 2.0)]


def random_model(rng: np.random.Generator) -> MarkovModel:
    """Two to four words; rows with zeros, ties and certain steps are frequent."""
    size = int(rng.integers(3, 6))
    table = rng.multinomial(8, rng.dirichlet(np.full(size, 0.7), size)) / 8
    return MarkovModel(tuple("ABCD"[: size - 1]), table)


def by_hand(model: MarkovModel, max_length: int) -> dict[tuple[int, ...], float]:
    """P of every possible sequence, by the definition."""
    found = {}
    for length in range(1, max_length + 1):
        for tokens in itertools.product(range(model.end), repeat=length - 1):
            for last in range(model.end + 1):
                if last != model.end and length < max_length:
                    continue
                path = (*tokens, last)
                rows = [0, *(token + 1 for token in tokens)]
                chance = math.prod(model.probabilities[rows, path])
                if chance:
                    found[path] = chance
    return found


@pytest.mark.parametrize("seed", range(4))
def test_a_beam_that_is_wide_enough_is_exhaustive_search(seed: int) -> None:
    """On 200 random Markov models, under every way of scoring."""
    rng = np.random.default_rng(seed)
    for _ in range(50):
        model, length = random_model(rng), int(rng.integers(1, 6))
        expected = by_hand(model, length)
        for scoring in SCORINGS:
            found = exhaustive(model, end=model.end, max_length=length, scoring=scoring)
            assert {one.tokens for one in found} == set(expected)
            search = beam_search(model, width=len(found), end=model.end, max_length=length, scoring=scoring)
            assert search.best == found[0]
            assert optimum(model, end=model.end, max_length=length, scoring=scoring) == found[0]
            assert not any((step.fates == PRUNED).any() for step in search.steps)
            assert {one.tokens for one in search.hypotheses} <= set(expected)
        for one in found:
            assert math.exp(one.log_prob) == pytest.approx(expected[one.tokens], rel=1e-12)
            assert one.finished == (one.tokens[-1] == model.end)


@pytest.mark.parametrize("scoring", SCORINGS)
def test_the_stopping_rule_changes_nothing(scoring: Scoring) -> None:
    """The same search that never stops early has the same best hypothesis."""
    rng, stopped = np.random.default_rng(7), 0
    for _ in range(100):
        model, width, length = random_model(rng), int(rng.integers(1, 5)), 7
        search = beam_search(model, width=width, end=model.end, max_length=length, scoring=scoring)
        stopped += search.stopped == ("bound",)
        assert search.best.rank[:2] == plain_beam(model, width, length, scoring)
    assert stopped > 5


def plain_beam(model: MarkovModel, width: int, length: int, scoring: Scoring) -> tuple[bool, float]:
    """A beam without a stopping rule, with lists and sorting only: (not finished, −score) of its best."""
    live: list[tuple[tuple[int, ...], float]] = [((), 0.0)]
    complete = []
    for at in range(1, length + 1):
        candidates = [
            ((*tokens, k), total + step)
            for tokens, total in live
            for k, step in enumerate(model(tokens))
            if step > -np.inf
        ]
        kept = sorted(candidates, key=lambda one: (-round(one[1], 12), one[0]))[:width]
        live = [one for one in kept if one[0][-1] != model.end and at < length]
        complete += [one for one in kept if one not in live]
    return min(
        (tokens[-1] != model.end, -round(total / scoring.length_penalty(len(tokens)), 12))
        for tokens, total in complete
    )


def test_greedy_is_a_beam_of_one() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        model, length = random_model(rng), int(rng.integers(1, 8))
        for scoring in SCORINGS[:2]:
            search = beam_search(model, width=1, end=model.end, max_length=length, scoring=scoring)
            assert search.hypotheses == (greedy(model, end=model.end, max_length=length, scoring=scoring),)


@given(seed=st.integers(0, 10**6), width=st.integers(1, 6), length=st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_the_record_is_the_whole_search(seed: int, width: int, length: int) -> None:
    model = random_model(np.random.default_rng(seed))
    search = beam_search(model, width=width, end=model.end, max_length=length)
    live = {(): 0.0}
    complete = set()
    for at, step in enumerate(search.steps):
        sequences = [search.tokens_of(at, row) for row in range(len(step))]
        expected = {
            (*tokens, k): total + add
            for tokens, total in live.items()
            for k, add in enumerate(model(tokens))
            if add > -np.inf
        }
        assert dict(zip(sequences, step.log_probs, strict=True)) == expected  # every candidate, once
        kept = step.fates != PRUNED
        assert kept.sum() == min(width, len(step))
        if not kept.all():
            assert step.log_probs[kept].min() >= step.log_probs[~kept].max() - 1e-11
        ended = step.tokens == model.end
        assert (step.fates[kept & ended] == FINISHED).all()
        assert (step.fates[kept & ~ended] == (CUT if at + 1 == length else KEPT)).all()
        complete |= {
            tokens for tokens, fate in zip(sequences, step.fates, strict=True) if fate in (FINISHED, CUT)
        }
        live = {sequences[row]: step.log_probs[row] for row in np.flatnonzero(step.fates == KEPT)}
    assert {one.tokens for one in search.hypotheses} == complete
    assert [one.rank for one in search.hypotheses] == sorted(one.rank for one in search.hypotheses)
    rows = search.rows_of(search.best.tokens)
    assert search.tokens_of(len(rows) - 1, rows[-1]) == search.best.tokens


def test_ties_go_to_the_first_sequence() -> None:
    same = MarkovModel(("A", "B"), np.array([[0.5, 0.5, 0], [0.25, 0.25, 0.5], [0.25, 0.25, 0.5]]))
    for width in (1, 2, 5):
        assert beam_search(same, width=width, end=2, max_length=4).best.tokens == (0, 2)
    assert greedy(same, end=2, max_length=4).tokens == (0, 2)
    # 0.1 · 0.3 · 0.7 in both orders differs in the last bit, and is a tie all the same
    table = np.array([[0.1, 0.3, 0.6, 0], [0, 0.3, 0.7, 0], [0.1, 0, 0.9, 0], [0, 0, 0.3, 0.7]])
    model = MarkovModel(("A", "B", "C"), table)
    found = exhaustive(model, end=3, max_length=4)
    ranks = [(round(one.log_prob, 12), one.tokens) for one in found if one.finished]
    assert ranks == sorted(ranks, key=lambda pair: (-pair[0], pair[1]))


# ---- scoring ----


def test_scoring_is_the_papers() -> None:
    assert Scoring("wu", 0.6).length_penalty(7) == pytest.approx((12 / 6) ** 0.6)
    assert Scoring("power", 0.6).length_penalty(7) == pytest.approx(7**0.6)
    assert Scoring().length_penalty(7) == 1
    weights = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1]])
    scoring = Scoring("wu", 0.2, 0.3, lambda tokens: weights[: len(tokens)])
    expected = -2.0 / (7 / 6) ** 0.2 + 0.3 * (math.log(1) + math.log(0.5) + math.log(0.2))
    assert scoring.score((4, 5), -2.0) == pytest.approx(expected, rel=1e-14)


def test_coverage_decides_among_finished_sequences() -> None:
    """Two sequences of equal length: the less likely one reads the whole source."""
    model = MarkovModel(("A", "B"), np.array([[0.6, 0.4, 0], [0, 0, 1], [0, 0, 1]]))

    def attention(tokens: tuple[int, ...]) -> np.ndarray:
        return np.array([[1.0, 0.0] if tokens[0] == 0 else [0.0, 1.0], [1.0, 0.0]])[: len(tokens)]

    for strength, winner in ((0.0, 0), (0.01, 1)):
        scoring = Scoring(coverage=strength, attention=attention)
        for found in (
            beam_search(model, width=3, end=2, max_length=4, scoring=scoring).best,
            optimum(model, end=2, max_length=4, scoring=scoring),
        ):
            assert found.tokens == (winner, 2)
    lost = Scoring(coverage=0.01, attention=attention)
    assert lost.score((0, 2), math.log(0.6)) == -np.inf


@given(
    log_prob=st.floats(-50, 0),
    more=st.floats(-50, 0),
    length=st.integers(1, 10),
    longest=st.integers(10, 20),
    scoring=st.sampled_from(SCORINGS),
)
def test_no_continuation_beats_the_bound(
    log_prob: float, more: float, length: int, longest: int, scoring: Scoring
) -> None:
    bound = scoring.bound(log_prob, longest)
    assert scoring.score((0,) * length, log_prob + more) <= bound + 1e-12


# ---- diverse beam search ----


def test_without_strength_all_groups_are_the_plain_beam() -> None:
    rng = np.random.default_rng(11)
    for _ in range(50):
        model = random_model(rng)
        plain = beam_search(model, width=2, end=model.end, max_length=6)
        search = diverse_beam(model, groups=3, width=2, strength=0.0, end=model.end, max_length=6)
        assert search.hypotheses == plain.hypotheses
        assert search.stopped == plain.stopped * 3
        for at, step in enumerate(plain.steps):
            for group in range(3):
                here = search.steps[at].groups == group
                np.testing.assert_array_equal(search.steps[at].log_probs[here], step.log_probs)
                np.testing.assert_array_equal(search.steps[at].fates[here], step.fates)


def test_groups_avoid_each_others_tokens() -> None:
    model = MarkovModel(("A", "B", "C"), np.array([[0.5, 0.3, 0.2, 0], *[[0, 0, 0, 1.0]] * 3]))
    strengths = {0.0: (0, 0, 0), 0.6: (0, 1, 0), 1.0: (0, 1, 2)}
    for strength, firsts in strengths.items():
        search = diverse_beam(model, groups=3, width=1, strength=strength, end=3, max_length=3)
        step = search.steps[0]
        assert tuple(step.tokens[step.fates == KEPT]) == firsts
        # the penalty is no part of log P
        assert {one.tokens[0]: math.exp(one.log_prob) for one in search.hypotheses} == pytest.approx(
            {first: (0.5, 0.3, 0.2)[first] for first in firsts}
        )
        assert search.best.tokens == (0, 3)


# ---- bad input ----


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ([0.5, 0.6], "add up to 1.1"),
        ([0.5, 0.4], "add up to 0.9"),
        ([np.nan, 1.0], "NaN"),
        ([], r"shape \[0\]"),
        ([[0.5, 0.5]], r"shape \[1, 2\]"),
    ],
)
@pytest.mark.parametrize("strategy", [greedy, exhaustive, optimum, partial(beam_search, width=2)])
def test_what_is_no_distribution_is_refused(strategy, row, said) -> None:
    with np.errstate(divide="ignore"), pytest.raises(ValueError, match=said):
        strategy(lambda prefix: np.log(np.array(row)), end=1, max_length=3)


def test_positive_logarithms_are_refused() -> None:
    with pytest.raises(ValueError, match=r"log-probability of 0\.3"):
        greedy(lambda prefix: np.array([0.3, -5.0]), end=1, max_length=3)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"width": 0, "max_length": 3}, "width = 0"),
        ({"width": 1, "max_length": 0}, "max_length = 0"),
    ],
)
def test_counts_below_one_are_refused(arguments, said) -> None:
    with pytest.raises(ValueError, match=said):
        beam_search(lambda prefix: np.log([0.5, 0.5]), end=1, **arguments)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Scoring("long"), "normalisation = 'long' is unknown"),  # type: ignore[arg-type]
        (lambda: Scoring(alpha=-1), "alpha = -1"),
        (lambda: Scoring(coverage=float("nan")), "coverage = nan"),
        (lambda: Scoring(coverage=0.2), "needs attention weights"),
    ],
)
def test_bad_scorings_are_refused(make, said) -> None:
    with pytest.raises(ValueError, match=said):
        make()


@pytest.mark.parametrize("strength", [-1.0, np.inf, np.nan])
def test_bad_strengths_are_refused(strength: float) -> None:
    with pytest.raises(ValueError, match="strength"):
        diverse_beam(lambda p: np.log([0.5, 0.5]), groups=2, width=1, strength=strength, end=1, max_length=2)


def test_too_many_sequences_are_named() -> None:
    for search in (exhaustive, optimum):
        with pytest.raises(TooManySequences, match="more than 100 prefixes of up to 30 tokens"):
            search(lambda prefix: np.log([0.25, 0.25, 0.25, 0.25]), end=None, max_length=30, limit=100)


def test_a_sequence_is_followed_in_the_group_that_keeps_it() -> None:
    model = TOYS["wider"].model
    search = diverse_beam(model, groups=3, width=2, strength=0.5, end=model.end, max_length=8)
    assert search.best.tokens == (2, 3)
    rows = search.rows_of(search.best.tokens)
    assert search.steps[1].fates[rows[1]] == FINISHED and search.steps[1].groups[rows[1]] > 0
    assert search.tokens_of(1, rows[1]) == (2, 3)
