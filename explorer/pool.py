"""Memory for traces that is used again once nobody looks at it any more.

A fresh block of megabytes costs a page fault for every 4 kB, several times the arithmetic of a small run.
Each block handed out belongs to its array; when the last view of that array is gone the block returns.
"""

from __future__ import annotations

import math
import threading
import weakref

import numpy as np

KEPT = 256 * 2**20  # bytes of unused blocks kept at most
_SMALL = 2**17  # bytes; below this the allocator of numpy is as fast

_lock = threading.Lock()
_free: dict[int, list[bytearray]] = {}
_kept = 0


class _Loan(weakref.ref[np.ndarray]):
    """A block that belongs to an array; a quarter of the cost of ``weakref.finalize``."""

    __slots__ = ("block",)
    block: bytearray


_loans: dict[int, _Loan] = {}


def empty(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """As ``np.empty``; contents are undefined and the array is nobody else's."""
    needed = math.prod(shape) * dtype.itemsize
    if needed < _SMALL:
        return np.empty(shape, dtype)
    size = 1 << (needed - 1).bit_length()
    size = next(part for part in (size * 5 // 8, size * 3 // 4, size * 7 // 8, size) if part >= needed)
    block = _take(size)
    array: np.ndarray = np.ndarray(shape, dtype, buffer=block)  # views keep it alive
    loan = _Loan(array, _returned)
    loan.block = block
    _loans[id(loan)] = loan
    return array


def _returned(loan: weakref.ref[np.ndarray]) -> None:
    _give_back(_loans.pop(id(loan)).block)


def _take(size: int) -> bytearray:
    global _kept
    with _lock:
        blocks = _free.get(size)
        if blocks:
            _kept -= size
            return blocks.pop()
    return bytearray(size)


def _give_back(block: bytearray) -> None:
    global _kept
    # A finalizer may run in the middle of ``_take`` of the same thread: rather let the block go than wait.
    if not _lock.acquire(blocking=False):
        return
    try:
        if _kept + len(block) <= KEPT:
            _free.setdefault(len(block), []).append(block)
            _kept += len(block)
    finally:
        _lock.release()
