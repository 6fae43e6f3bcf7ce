"""Tasks: targets are right, lengths are kept, a score counts whole answers."""

from datetime import date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.seq2seq import EOS, PAD
from explorer.seq2seq.tasks import TRANSLATION_TASKS, Dates, Pairs, exact_match
from explorer.seq2seq.tasks.dates import FIRST, FORMS, LAST, MONTHS

WORKS = {"reverse": lambda x: x[::-1], "copy": lambda x: x, "sort": sorted}


@given(st.sampled_from(sorted(WORKS)), st.integers(0, 99), st.integers(1, 20), st.integers(2, 26))
@settings(max_examples=50)
def test_sequences(kind, seed, longest, symbols):
    task = TRANSLATION_TASKS[kind][1](symbols=symbols)
    pairs = task.batch(np.random.default_rng(seed), 7, (1, longest))
    assert 1 <= len(pairs.source) <= longest and (pairs.lengths == len(pairs.source)).all()
    assert len(pairs.target) <= task.longest_target((1, longest))
    for b in range(7):
        source, target = pairs.pair(b)
        assert target == list(WORKS[kind](source))
        assert task.source.decode(source) == [task.source.tokens[number] for number in source]


@pytest.mark.parametrize("kind", sorted(WORKS))
def test_tests_are_spread_over_all_lengths(kind):
    task = TRANSLATION_TASKS[kind][1]()
    pairs = task.spread(np.random.default_rng(0), 64, (10, 15))
    lengths, counts = np.unique(pairs.lengths, return_counts=True)
    assert lengths.tolist() == [10, 11, 12, 13, 14, 15] and counts.tolist() == [11, 11, 11, 11, 10, 10]
    assert pairs.source.shape == (15, 64) and pairs.target.shape == (16, 64)
    for b, length in enumerate(pairs.lengths):
        source, target = pairs.pair(b)
        assert len(source) == length and target == list(WORKS[kind](source))
        assert pairs.target[length:, b].tolist() == [EOS] + [PAD] * (15 - length)
    assert task.spread(np.random.default_rng(0), 2, (10, 15)).lengths.tolist() == [10, 11]


def read(text: str) -> set[date]:
    """All dates that ``strptime`` finds in a text, after what it does not know is taken away."""
    plain = text.replace(",", "").replace("the ", "").replace(" of", "").replace("st ", " ")
    for ending in ("nd ", "rd ", "th "):
        plain = plain.replace(ending, " ")
    plain = plain.replace("Augu ", "August ")  # its own "st"
    formats = (
        "%d %B %Y", "%B %d %Y", "%d %b %Y", "%b %d %Y", "%A %d %B %Y", "%a %d %b %y", "%a %b %d %Y",
        "%d/%m/%Y", "%d/%m/%y", "%d.%m.%Y", "%d.%m.%y", "%Y %B %d", "%Y/%m/%d", "%Y%m%d",
    )  # fmt: skip
    found = set()
    for form in formats:
        try:
            day = datetime.strptime(plain, form).date()
        except ValueError:
            continue
        if "%y" in form:
            short = day.year % 100
            day = day.replace(year=(1900 if short >= 50 else 2000) + short)
        found.add(day)
    return found


@given(st.dates(FIRST, LAST), st.integers(0, len(FORMS) - 1))
@settings(max_examples=200)
def test_every_form_of_a_date_is_read_back(day, form):
    text = FORMS[form](day)
    assert day in read(text), text
    task = Dates()
    assert task.bounds[0] <= len(text) <= task.bounds[1]
    assert "".join(task.source.decode(task.source.encode(text))) == text


def test_dates():
    task = Dates()
    pairs = task.batch(np.random.default_rng(0), 200, (8, 20))
    assert pairs.target.shape == (11, 200)
    assert pairs.lengths.min() >= 8 and pairs.lengths.max() <= 20 == len(pairs.source)
    for b in range(200):
        source, target = pairs.pair(b)
        assert (pairs.source[len(source) :, b] == PAD).all()
        day = date.fromisoformat("".join(task.target.decode(target)))
        assert day in read("".join(task.source.decode(source)))
    assert len(MONTHS) == 12 and len(set(FORMS)) == 17


@pytest.mark.parametrize("kind", sorted(TRANSLATION_TASKS))
def test_buckets_and_bad_lengths(kind):
    task = TRANSLATION_TASKS[kind][1]()
    for bucket in (*task.buckets, task.usual):
        pairs = task.batch(np.random.default_rng(1), 20, bucket)
        assert bucket[0] <= pairs.lengths.min() <= pairs.lengths.max() <= bucket[1]
    low, high = task.bounds
    for bad in ((low - 1, high), (low, high + 1), (high, low)):
        with pytest.raises(ValueError, match=f"{bad[0]} to {bad[1]}.*{low} to {high}"):
            task.batch(np.random.default_rng(1), 2, bad)
    with pytest.raises(ValueError, match="size is 0"):
        task.batch(np.random.default_rng(1), 0)


def test_without_eos():
    source, lengths = np.array([[3, 4], [4, 0]]), np.array([2, 1])
    pairs = Pairs(source, lengths, np.array([[3, 4], [4, EOS], [EOS, PAD]])).without_eos()
    assert pairs.target.tolist() == [[3, 4], [4, PAD]]
    assert pairs.pair(0) == ([3, 4], [3, 4]) and pairs.pair(1) == ([4], [4])
    said = np.array([[3, 4], [4, 4]])  # the second one is cut off after its only token
    assert exact_match(said, pairs.target).tolist() == [True, True]


def test_exact_match():
    target = np.array([[3, 3, 3, 3], [4, 4, 4, EOS], [EOS, EOS, EOS, PAD]])
    found = np.array([[3, 3, 3, 3], [4, 4, 5, EOS], [EOS, 5, EOS, PAD], [PAD, EOS, PAD, PAD]])
    assert exact_match(found, target).tolist() == [True, False, False, True]
    assert exact_match(found[:2], target).tolist() == [False, False, False, True]
    with pytest.raises(ValueError, match="4 answers to 1"):
        exact_match(found, target[:, :1])
