"""Arrays with a power of two for every step and sample, so that sums neither over- nor underflow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_FAR = 4000  # powers of two; a part that is so much smaller than another is 0 beside it


@dataclass(frozen=True)
class Scaled:
    """values [T, N, B] · 2^exponents [T, B]."""

    values: np.ndarray
    exponents: np.ndarray

    @classmethod
    def zeros_like(cls, other: Scaled, rows: int) -> Scaled:
        """Zeros [T, rows, B]."""
        steps, _, batch = other.values.shape
        return cls(np.zeros((steps, rows, batch)), np.zeros((steps, batch), np.int64))

    def __add__(self, other: Scaled) -> Scaled:
        """The sum with the exponents aligned; a column of zeros takes the other's exponent."""
        own, theirs = (np.abs(part.values).max(axis=1) > 0 for part in (self, other))
        top = np.maximum(self.exponents, other.exponents)
        top = np.where(own & ~theirs, self.exponents, np.where(theirs & ~own, other.exponents, top))
        return Scaled(self._at(top) + other._at(top), top)

    def _at(self, exponents: np.ndarray) -> np.ndarray:
        shift = np.clip(self.exponents - exponents, -_FAR, _FAR)
        if not shift.any():
            return self.values
        with np.errstate(under="ignore"):
            return np.asarray(np.ldexp(self.values, shift[:, None]))

    def times(self, factors: np.ndarray) -> Scaled:
        """Multiplied entry by entry by [T, N, B]."""
        return Scaled(self.values * factors, self.exponents)

    def reversed(self) -> Scaled:
        """The last step first."""
        return Scaled(self.values[::-1], self.exponents[::-1])

    def rows(self, start: int, stop: int) -> Scaled:
        """Some of the N rows."""
        return Scaled(self.values[:, start:stop], self.exponents)

    def normalised(self) -> Scaled:
        """The same numbers with the largest entry of every column in [½, 1)."""
        power = np.frexp(np.abs(self.values).max(axis=1))[1].astype(np.int64)
        return Scaled(np.ldexp(self.values, -power[:, None]), self.exponents + power)
