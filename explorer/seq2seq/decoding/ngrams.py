"""A model of a text's characters by interpolated Kneser–Ney smoothing: real text without training."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from explorer.tasks.text import encode

LONGEST = 9
"""Largest order: 96⁹ n-grams still fit into 64 bits."""


class CharacterNgrams:
    r"""P(next character | the n − 1 before it), a ``Step``.

    .. math::
        P_k(w \mid c) = \frac{\max(N_k(cw) - D_k,\, 0)}{N_k(c\,\cdot)} + D_k
        \frac{|\{w': N_k(cw') > 0\}|}{N_k(c\,\cdot)}\; P_{k-1}(w \mid c'), \qquad P_0 = 1/V

    N_n counts n-grams of the text; for k < n, N_k(g) is the number of different characters in front of g.
    c′ is c without its first character, D_k = n₁ / (n₁ + 2n₂) with n_j the number of k-grams of count j, and
    ½ where n₁ or n₂ is 0. Where c was never seen, P_k is P_{k−1}. Every row adds up to 1.

    Source: Chen & Goodman (1999), "An empirical study of smoothing techniques for language modeling".

    Args:
        text: at least one character; the rarest of more than 96 different ones share a symbol.
        order: n, 1 … 9.

    Raises:
        ValueError: the text is empty or the order is out of range.
    """

    def __init__(self, text: str, order: int) -> None:
        if not text:
            raise ValueError("text is empty: a model of characters needs at least one")
        if not 1 <= order <= LONGEST:
            raise ValueError(f"order = {order} is not allowed: choose 1 to {LONGEST}")
        found = encode(text)
        self.symbols = found.symbols
        self.order = order
        self._codes = {symbol: code for code, symbol in enumerate(self.symbols)}
        self._tables = self._count(found.codes)
        self._rows = lru_cache(maxsize=4_000)(self._row)

    def __call__(self, prefix: tuple[int, ...]) -> np.ndarray:
        """log P(next | prefix), [V]."""
        return self._rows(prefix[len(prefix) - min(len(prefix), self.order - 1) :])

    def codes(self, text: str) -> tuple[tuple[int, ...], list[str]]:
        """The tokens of a text, and its characters that the model does not know; those are left out."""
        unknown = [symbol for symbol in dict.fromkeys(text) if symbol not in self._codes]
        return tuple(self._codes[symbol] for symbol in text if symbol in self._codes), unknown

    def text(self, tokens: tuple[int, ...]) -> str:
        """Tokens as text."""
        return "".join(self.symbols[token] for token in tokens)

    def _count(self, codes: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, float]]:
        """For k = 1 … n: sorted k-grams as numbers to the base V, N_k of each, D_k."""
        size = len(self.symbols)
        order = min(self.order, len(codes))
        grams = np.zeros(len(codes) - order + 1, np.int64)
        for place in range(order):
            grams = grams * size + codes[place : len(codes) - order + 1 + place]
        keys, counts = np.unique(grams, return_counts=True)
        tables = [(keys, counts, _discount(counts))]
        for k in range(order - 1, 0, -1):
            longer = tables[0][0]
            keys, counts = np.unique(longer % size**k, return_counts=True)
            tables.insert(0, (keys, counts, _discount(counts)))
        return tables

    def _row(self, context: tuple[int, ...]) -> np.ndarray:
        size = len(self.symbols)
        found = np.full(size, 1 / size)
        for k, (keys, counts, discount) in enumerate(self._tables, start=1):
            if k - 1 > len(context):
                break
            before = 0
            for token in context[len(context) - (k - 1) :]:
                before = before * size + token
            low, high = np.searchsorted(keys, [before * size, (before + 1) * size])
            if low == high:
                break
            total = counts[low:high].sum()
            found *= discount * (high - low) / total
            found[keys[low:high] % size] += (counts[low:high] - discount) / total
        logs = np.log(found)
        logs.setflags(write=False)
        return np.asarray(logs)


def _discount(counts: np.ndarray) -> float:
    """D of counts; ½ where none of them is 1."""
    once, twice = (counts == 1).sum(), (counts == 2).sum()
    return float(once / (once + 2 * twice)) if once and twice else 0.5
