"""Colours of a heat map of states: values between −1 and 1, larger ones, and ones beyond the float range."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from explorer.figures.decades import power
from explorer.figures.style import BACKGROUND

DIVERGING: list[list[float | str]] = [[0.0, "#E0762A"], [0.5, BACKGROUND], [1.0, "#2B8CDB"]]
"""Orange below 0, the page's background at 0, blue above.

No further stops: a fixed colour between would have to be paler than the ends on white and darker on black.
"""
MAX_ROWS = 128
_LINEAR = 1e-30, 1e4  # a linear scale as float32 shows what lies between
_LN2 = math.log10(2)


def nice_limit(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, … that is not below ``value``; 1 for numbers up to 1.02."""
    if not value > 0 or not math.isfinite(value):
        return 1.0
    if 0.1 < value <= 1.02:
        return 1.0
    exponent = math.floor(math.log10(value))
    steps = (float(f"{m}e{exponent}") for m in (1, 2, 5, 10, 20))
    return next((step for step in steps if step >= value * 0.9999), value)


@dataclass(frozen=True)
class Colored:
    """What a heat map needs: z [units, steps], the limit of its colours, and what they mean."""

    z: np.ndarray
    limit: float
    logarithmic: bool
    ticks: tuple[list[float], list[str]]
    not_numbers: bool


def colored(states: np.ndarray, exponents: np.ndarray | None = None) -> Colored:
    """Colour values of states [T+1, units].

    Args:
        states: values, or mantissas when ``exponents`` are given; ±inf is drawn as the largest colour.
        exponents: [T+1] powers of two that multiply the rows.

    A symmetric linear scale holds up to 1 for bounded states and up to a robust maximum otherwise. When
    states span orders of magnitude or exceed 10⁴, sign·log10(1 + |h|) is drawn instead.
    """
    sizes = np.abs(states)
    finite = np.isfinite(sizes)
    largest = float(sizes.max(where=finite, initial=0.0))
    overflow = bool(np.isinf(states).any())
    wrong = bool(np.isnan(states).any())
    if exponents is None and not overflow and largest <= 1.02:
        limit = nice_limit(largest)
        return Colored(_rows(states), limit, False, _linear_ticks(limit), wrong)
    if exponents is None and not overflow and largest < _LINEAR[1]:
        usual = float(np.quantile(sizes[finite], 0.98)) if finite.any() else 1.0
        if largest <= 20 * max(usual, 0.05):
            limit = nice_limit(min(largest, 2 * usual))
            return Colored(_rows(states), limit, False, _linear_ticks(limit), wrong)
    with np.errstate(divide="ignore"):
        decades = np.log10(sizes) + (0 if exponents is None else np.asarray(exponents, float)[:, None] * _LN2)
    grown = np.logaddexp(0, np.where(np.isnan(decades), 0, decades) * math.log(10)) / math.log(10)
    top = float(grown.max(where=np.isfinite(grown), initial=1.0))
    signed = np.where(np.isnan(states), np.nan, np.sign(states) * np.minimum(grown, top))
    whole = max(1, math.floor(top))
    label = power(whole)
    return Colored(_rows(signed), top, True, ([-whole, 0.0, whole], [f"−{label}", "0", label]), wrong)


def _rows(states: np.ndarray) -> np.ndarray:
    """z as float32, or as float64 where float32 would round everything to 0."""
    largest = float(np.abs(states).max(where=np.isfinite(states), initial=0.0))
    tiny = 0 < largest < _LINEAR[0]
    return np.ascontiguousarray(states.T, dtype=np.float64 if tiny else np.float32)


def _linear_ticks(limit: float) -> tuple[list[float], list[str]]:
    return [-limit, 0.0, limit], [f"−{limit:g}", "0", f"{limit:g}"]


def chosen_units(size: int, most: int = MAX_ROWS) -> np.ndarray:
    """All units, or ``most`` evenly spread ones."""
    return np.unique(np.linspace(0, size - 1, min(size, most)).round().astype(int))
