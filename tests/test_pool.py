"""Recycled memory: no two living arrays share a byte, and what nobody looks at is used again."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import pool

FLOAT = np.dtype(np.float64)
BIG = (64, 1024)  # half a megabyte


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(pool, "_free", {})
    monkeypatch.setattr(pool, "_kept", 0)
    yield


def address(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("shape", [(0, 3), (3, 4), (200, 300), (1000, 3, 64), (2**17,)])
def test_arrays_are_as_asked(shape: tuple[int, ...], dtype: type) -> None:
    array = pool.empty(shape, np.dtype(dtype))
    assert array.shape == shape
    assert array.dtype == dtype
    assert array.flags.c_contiguous
    assert array.flags.writeable
    array[...] = 7
    assert (array == 7).all()


def test_memory_is_used_again_once_nobody_looks() -> None:
    array = pool.empty(BIG, FLOAT)
    where = address(array)
    del array
    assert pool._kept >= 64 * 1024 * 8
    again = pool.empty(BIG, FLOAT)
    assert address(again) == where
    assert pool._kept == 0


def test_a_view_keeps_the_memory() -> None:
    array = pool.empty(BIG, FLOAT)
    array[...] = 5
    view, reshaped = array[3:5, ::2], array.reshape(-1)[-1:]
    where = address(array)
    del array
    other = pool.empty(BIG, FLOAT)
    other[...] = -1
    assert address(other) != where
    assert (view == 5).all()
    del view
    assert address(pool.empty(BIG, FLOAT)) != where
    assert reshaped[0] == 5
    del reshaped
    assert address(pool.empty(BIG, FLOAT)) == where


def test_unused_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "KEPT", 2**20)
    arrays = [pool.empty(BIG, FLOAT) for _ in range(5)]
    arrays.clear()
    assert 0 < pool._kept <= 2**20
    assert pool._kept == sum(len(block) for blocks in pool._free.values() for block in blocks)


def test_small_arrays_are_left_to_numpy() -> None:
    array = pool.empty((4, 4), FLOAT)
    del array
    assert pool._free == {}


@given(st.lists(st.tuples(st.integers(1, 80_000), st.booleans()), max_size=25))
@settings(max_examples=30, deadline=None)
def test_living_arrays_never_share_memory(steps: list[tuple[int, bool]]) -> None:
    living: list[tuple[np.ndarray, int]] = []
    for number, (size, drop) in enumerate(steps):
        if drop and living:
            living.pop(number % len(living))
        array = pool.empty((size,), FLOAT)
        array[...] = number
        living.append((array, number))
    for array, number in living:
        assert (array == number).all()


def test_threads_do_not_get_each_others_memory() -> None:
    wrong: list[int] = []
    start = threading.Barrier(4)

    def work(number: int) -> None:
        start.wait()
        for k in range(150):
            arrays = [pool.empty((20_000 + 7 * j,), FLOAT) for j in range(3)]
            for j, array in enumerate(arrays):
                array[...] = 1000 * number + 3 * k + j
            if any((array != 1000 * number + 3 * k + j).any() for j, array in enumerate(arrays)):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert pool._kept == sum(len(block) for blocks in pool._free.values() for block in blocks)
