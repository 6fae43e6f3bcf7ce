"""Latch, adding, order, copy: the targets, found once more from the inputs alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.tasks import Adding, Copy, Latch, TemporalOrder


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.integers(2, 16), st.integers(2, 80), st.integers(0, 99))
@settings(max_examples=30)
def test_latch_shows_the_symbol_once(symbols, num_steps, seed):
    batch = Latch(symbols=symbols, noise=0).batch(rng(seed), num_steps, 8)
    assert np.array_equal(batch.inputs[0].argmax(axis=1), batch.targets[0])
    assert np.array_equal(batch.inputs.sum(axis=(0, 2)), np.ones(8))


def test_latch_noise_tells_nothing():
    """White, of its own standard deviation, and alike for all classes (four standard errors)."""
    batch = Latch(symbols=3, noise=0.5).batch(rng(), 50, 2000)
    noise = batch.inputs[1:]
    assert noise.std() == pytest.approx(0.5, rel=0.01)
    for symbol in range(3):
        chosen = noise[:, batch.targets[0] == symbol]
        assert abs(chosen.mean()) < 4 * 0.5 / chosen.size**0.5
    frequencies = np.bincount(batch.targets[0]) / 2000
    assert frequencies == pytest.approx(1 / 3, abs=4 * (2 / 9 / 2000) ** 0.5)


@given(st.integers(2, 120), st.integers(0, 99))
@settings(max_examples=40)
def test_adding_sums_what_is_marked(num_steps, seed):
    batch = Adding().batch(rng(seed), num_steps, 8)
    number, mark = np.moveaxis(batch.inputs, 2, 0)
    assert set(np.unique(mark)) <= {0, 1}
    half = num_steps // 2
    assert np.array_equal(mark[:half].sum(axis=0), np.ones(8))
    assert np.array_equal(mark[half:].sum(axis=0), np.ones(8))
    assert ((number >= 0) & (number < 1)).all()
    assert batch.targets[0] == pytest.approx((number * mark).sum(axis=0), rel=1e-15)


def test_marks_are_everywhere_alike():
    """Each step of a half is marked equally often, also the first and last: χ² with 9 degrees below 33."""
    mark = Adding().batch(rng(), 20, 5000).inputs[:, :, 1].sum(axis=1)
    for half in (mark[:10], mark[10:]):
        assert (np.square(half - 500) / 500).sum() < 33


@given(st.sampled_from([2, 3]), st.integers(10, 200), st.integers(0, 99))
@settings(max_examples=40)
def test_order_reads_like_a_binary_number(relevant, num_steps, seed):
    task = TemporalOrder(relevant=relevant)
    batch = task.batch(rng(seed), num_steps, 8)
    assert np.array_equal(batch.inputs.sum(axis=2), np.ones((num_steps, 8)))
    names = np.array(list("XYabcdBE"))[batch.inputs.argmax(axis=2)]
    for sequence, target in zip(names.T, batch.targets[0], strict=True):
        text = "".join(sequence)
        assert (text[0], text[-1]) == ("B", "E")
        assert set(text[1:-1]) <= set("XYabcd")
        marks = text.replace("Y", "1").replace("X", "0")
        places = [t for t, symbol in enumerate(marks) if symbol in "01"]
        assert len(places) == relevant
        assert int("".join(marks[t] for t in places), 2) == target
        windows = [(10, 20), (50, 60)] if relevant == 2 else [(10, 20), (33, 43), (66, 76)]
        for place, (low, high) in zip(places, windows, strict=True):
            assert low * num_steps / 100 - 1 < place < max(high * num_steps / 100, low * num_steps / 100 + 1)


def test_order_at_the_papers_length_has_the_papers_windows():
    assert TemporalOrder().windows(100) == [(10, 20), (50, 60)]
    assert TemporalOrder(relevant=3).windows(100) == [(10, 20), (33, 43), (66, 76)]


@given(st.integers(2, 16), st.integers(1, 20), st.integers(1, 50), st.integers(0, 99))
@settings(max_examples=30)
def test_copy_asks_for_what_came_first(symbols, length, delay, seed):
    num_steps = delay + 2 * length
    task = Copy(symbols=symbols, length=length)
    batch = task.batch(rng(seed), num_steps, 4)
    assert np.array_equal(batch.inputs.sum(axis=2), np.ones((num_steps, 4)))
    codes = batch.inputs.argmax(axis=2)
    assert np.array_equal(codes[:length], batch.targets)
    blank, begin = symbols, symbols + 1
    assert (codes[length : length + delay - 1] == blank).all()
    assert (codes[length + delay - 1] == begin).all()
    assert (codes[length + delay :] == blank).all()
    assert len(codes) - (length + delay) == task.read_steps(num_steps) == length
