"""Markov toys: what each one says is proved, and tables that are none are refused with a sentence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.seq2seq.decoding import TOYS, MarkovModel, Scoring, beam_search, exhaustive, greedy, optimum
from explorer.seq2seq.decoding.beam import PRUNED
from explorer.seq2seq.decoding.markov import normalised, read_table, write_table

LENGTH = 8


def chance(name: str, width: int, scoring: Scoring | None = None) -> tuple[str, float]:
    """(words, P) of what a beam of this width finds in a toy."""
    model = TOYS[name].model
    found = beam_search(model, width=width, end=model.end, max_length=LENGTH, scoring=scoring).best
    return " ".join(model.symbols[token] for token in found.tokens), math.exp(found.log_prob)


def test_greedy_loses() -> None:
    """SCIENCE: 0.0875 against 0.1625 found at beam 2, and that is the best there is."""
    model = TOYS["greedy"].model
    straight = greedy(model, end=model.end, max_length=LENGTH)
    assert math.exp(straight.log_prob) == pytest.approx(0.0875, rel=1e-12)
    assert chance("greedy", 2) == ("B <eos>", pytest.approx(0.1625, rel=1e-12))
    every = exhaustive(model, end=model.end, max_length=LENGTH)
    assert math.exp(every[0].log_prob) == pytest.approx(0.1625, rel=1e-12)
    assert every[0].tokens == (1, 3) and straight.tokens == (0, 2, 3)


def test_length_decides() -> None:
    assert chance("length", 2) == ("A <eos>", pytest.approx(0.3))
    for alpha, words in ((0.3, "A <eos>"), (0.4, "B C <eos>"), (0.6, "B C <eos>"), (1.0, "B C <eos>")):
        scoring, model = Scoring("power", alpha), TOYS["length"].model
        assert chance("length", 2, scoring)[0] == words
        best = optimum(model, end=model.end, max_length=LENGTH, scoring=scoring)
        assert " ".join(model.symbols[token] for token in best.tokens) == words
    # the winner changes where log 0.3 / 2^α = log 0.252 / 3^α
    assert math.log(math.log(0.3) / math.log(0.252)) / math.log(2 / 3) == pytest.approx(0.3333, abs=1e-3)


def test_a_wider_beam_does_worse() -> None:
    assert [chance("wider", width) for width in (1, 2, 3, 4)] == [
        ("C <eos>", pytest.approx(0.2)),
        ("B C <eos>", pytest.approx(0.099)),
        ("C <eos>", pytest.approx(0.2)),
        ("C <eos>", pytest.approx(0.2)),
    ]
    model = TOYS["wider"].model
    assert optimum(model, end=model.end, max_length=LENGTH).tokens == (2, 3)
    search = beam_search(model, width=2, end=model.end, max_length=LENGTH)
    rows = search.rows_of((2, 3))  # it was looked at, and lost in step 2
    assert search.steps[1].fates[rows[1]] == PRUNED


def test_a_cycle_without_an_end_is_cut_off() -> None:
    model = TOYS["endless"].model
    assert model.endless() == ("A", "B")
    for length in (1, 2, 8, 60):
        found = greedy(model, end=model.end, max_length=length)
        assert len(found.tokens) == length and not found.finished
        assert math.exp(found.log_prob) == pytest.approx(0.55 * 0.8 ** ((length - 1) // 2))
        search = beam_search(model, width=2, end=model.end, max_length=length)
        assert search.best.finished == (length > 1)
        assert len(search.steps) <= length
    assert chance("endless", 2) == ("C <eos>", pytest.approx(0.45))


def test_other_toys_always_end() -> None:
    assert {name for name, toy in TOYS.items() if toy.model.endless()} == {"endless"}
    locked = MarkovModel(("A",), np.array([[1.0, 0], [1.0, 0]]))
    assert locked.endless() == ("<bos>", "A")
    search = beam_search(locked, width=3, end=1, max_length=50)
    assert not search.best.finished and search.stopped == ("length",) and len(search.steps) == 50


def test_the_texts_of_the_toys_name_their_numbers() -> None:
    for name, toy in TOYS.items():
        assert toy.model.words == ("A", "B", "C"), name
        assert toy.shows.endswith(".")
    assert "0.0875" in TOYS["greedy"].shows and "0.1625" in TOYS["greedy"].shows
    assert "0.3" in TOYS["length"].shows and "0.252" in TOYS["length"].shows
    assert "0.2" in TOYS["wider"].shows


# ---- tables ----

WORDS = ("A", "B", "dog", "<x", "中", "0.5")
CELLS = st.floats(0, 100).map(lambda value: float(f"{value:.6g}")) | st.sampled_from([0.0, 1.0])


@given(data=st.data())
def test_a_table_survives_its_text(data: st.DataObject) -> None:
    words = tuple(data.draw(st.lists(st.sampled_from(WORDS), min_size=1, unique=True)))
    size = len(words) + 1
    table = np.array(data.draw(st.lists(CELLS, min_size=size * size, max_size=size * size))).reshape(
        size, size
    )
    table[table.sum(axis=1) == 0, -1] = 1.0
    found, weights = read_table(write_table(words, table))
    assert found == words
    np.testing.assert_array_equal(weights, table)
    model, said = normalised(words, table)
    np.testing.assert_allclose(model.probabilities.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(np.exp(model(())), table[0] / table[0].sum(), atol=1e-15)
    assert len(said) == (np.abs(table.sum(axis=1) - 1) > 1e-9).sum()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "vocabulary is empty"),
        ("~1~1", "vocabulary is empty"),
        ("A B~1 0 0", "has 1 rows; 2 words take 3"),
        ("A~0.5 0.5 0~1 0", "row of <bos> has 3 numbers; 1 words take 2"),
        ("A~0.5 x~1 0", "'x', which is not a number"),
        ("A~0.5 nan~1 0", "row of <bos> has an entry that is not a finite number"),
        ("A~1 0~inf 0", "row of A has an entry that is not a finite number"),
        ("A~1 0~1.5 -0.5", "row of A has a negative entry: -0.5"),
        ("A~1 0~0 0", "row of A holds only zeros: nothing could follow"),
        ("A A~1 0 0~1 0 0~1 0 0", "twice"),
        ("<eos>~1 0~1 0", "is not allowed"),
        ("abcdefghijklm~1 0~1 0", "1 to 12 characters"),
    ],
)
def test_bad_tables_are_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_table(text)


def test_a_sum_other_than_one_is_refused_or_divided_by_and_said() -> None:
    table = np.array([[1.0, 0.1], [0.5, 0.5]])
    with pytest.raises(ValueError, match=r"row of <bos> adds up to 1\.1, and not to 1"):
        MarkovModel(("A",), table)
    model, said = normalised(("A",), table)
    assert said == ["The row of <bos> adds up to 1.1: it is divided by that."]
    np.testing.assert_allclose(model.probabilities[0], [1 / 1.1, 0.1 / 1.1])
    with pytest.raises(ValueError, match="The table is 1 × 2; 1 words take 2 × 2"):
        MarkovModel(("A",), table[:1])
