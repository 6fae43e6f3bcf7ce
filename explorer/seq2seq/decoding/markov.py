"""A Markov model of words whose table can be edited: small enough to know its best sequence."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

BOS, EOS = "<bos>", "<eos>"
LONGEST_WORD = 12

_ROWS = "~"
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class MarkovModel:
    """P(next word | word); as a function of a prefix it is a ``Step``.

    Tokens 0 … n − 1 are the words, token n is <eos>.

    Attributes:
        words: n different words.
        probabilities: rows <bos> and the words, columns the words and <eos>, [n + 1, n + 1].

    Raises:
        ValueError: there is no word, a word is not allowed, or a row holds NaN, a negative number or a sum
            other than 1. ``normalised`` makes a model of any non-negative weights and says what it divided.
    """

    words: tuple[str, ...]
    probabilities: np.ndarray

    def __post_init__(self) -> None:
        _check(self.words, self.probabilities)
        for name, total in zip((BOS, *self.words), self.probabilities.sum(axis=1), strict=True):
            if abs(total - 1) > 1e-9:
                raise ValueError(f"The row of {name} adds up to {total:.6g}, and not to 1.")
        with np.errstate(divide="ignore"):
            logs = np.log(self.probabilities)
        logs.setflags(write=False)
        object.__setattr__(self, "_logs", logs)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Names of all tokens."""
        return (*self.words, EOS)

    @property
    def end(self) -> int:
        """The token <eos>."""
        return len(self.words)

    def __call__(self, prefix: tuple[int, ...]) -> np.ndarray:
        """log P(next | last word of the prefix), [n + 1]."""
        logs: np.ndarray = self._logs  # type: ignore[attr-defined]
        return np.asarray(logs[prefix[-1] + 1 if prefix else 0])

    def endless(self) -> tuple[str, ...]:
        """Words that <bos> leads to and that never lead to <eos>; <bos> itself if it never does."""
        possible = self.probabilities > 0
        reaches = possible[:, -1]
        reached = np.zeros(len(possible), bool)
        reached[0] = True
        for _ in possible:
            reaches = reaches | (possible[:, :-1] & reaches[1:]).any(axis=1)
            reached[1:] |= possible[reached, :-1].any(axis=0)
        lost = np.flatnonzero(reached & ~reaches)
        return tuple((BOS, *self.words)[row] for row in lost)


def normalised(words: tuple[str, ...], weights: np.ndarray) -> tuple[MarkovModel, list[str]]:
    """A model from non-negative weights [n + 1, n + 1], and a sentence for each row that was divided.

    Raises:
        ValueError: as ``MarkovModel``, and where a row is 0 throughout.
    """
    _check(words, weights)
    totals, said = weights.sum(axis=1), []
    for name, total in zip((BOS, *words), totals, strict=True):
        if total == 0:
            raise ValueError(f"The row of {name} holds only zeros: nothing could follow.")
        if abs(total - 1) > 1e-9:
            said.append(f"The row of {name} adds up to {total:.6g}: it is divided by that.")
    return MarkovModel(words, weights / totals[:, None]), said


def _check(words: tuple[str, ...], table: np.ndarray) -> None:
    if not words:
        raise ValueError("The vocabulary is empty: give at least one word.")
    for word in words:
        if not word or len(word) > LONGEST_WORD or _ROWS in word or re.search(r"\s|^<.*>$", word):
            raise ValueError(
                f"The word {word[:20]!r} is not allowed: a word has 1 to {LONGEST_WORD} characters, no "
                f"space, no {_ROWS}, and is not written <so>."
            )
    if len(set(words)) < len(words):
        raise ValueError("A word appears twice in the vocabulary.")
    size = len(words) + 1
    if table.shape != (size, size):
        shape = " × ".join(map(str, table.shape))
        raise ValueError(f"The table is {shape}; {len(words)} words take {size} × {size}.")
    for name, row in zip((BOS, *words), table, strict=True):
        if not np.isfinite(row).all():
            raise ValueError(f"The row of {name} has an entry that is not a finite number.")
        if (row < 0).any():
            raise ValueError(f"The row of {name} has a negative entry: {row.min():g}.")


# ---- as one line of text ----


def write_table(words: tuple[str, ...], weights: np.ndarray) -> str:
    """``A B~0.5 0.3 0.2~…``: the words, then a row of weights for <bos> and each word, joined by ``~``."""
    rows = (" ".join(_plain(value) for value in row) for row in weights)
    return _ROWS.join([" ".join(words), *rows])


def _plain(value: float) -> str:
    return f"{value:.10g}"


def read_table(text: str) -> tuple[tuple[str, ...], np.ndarray]:
    """Words and weights [n + 1, n + 1] of ``write_table``'s text.

    Raises:
        ValueError: a number is none, or the table does not fit the words; as ``normalised`` otherwise.
    """
    first, *rows = text.split(_ROWS)
    words, size = tuple(first.split()), len(first.split()) + 1
    table = []
    for name, row in zip((BOS, *words), rows, strict=False):
        parts = row.split()
        if len(parts) != size:
            raise ValueError(f"The row of {name} has {len(parts)} numbers; {len(words)} words take {size}.")
        for part in parts:
            if not _NUMBER.fullmatch(part):
                raise ValueError(f"The row of {name} has {part[:20]!r}, which is not a number.")
        table.append([float(part) for part in parts])
    if words and len(rows) != size:
        raise ValueError(f"The table has {len(rows)} rows; {len(words)} words take {size}.")
    weights = np.array(table, np.float64).reshape(-1, size)
    normalised(words, weights)
    return words, weights
