"""Dates as people write them, to be written as ISO 8601 does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import ClassVar, Literal

import numpy as np

from explorer.seq2seq.tasks.task import Lengths, Pairs, TranslationTask
from explorer.seq2seq.vocabulary import EOS, PAD, Vocabulary

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FIRST, LAST = date(1950, 1, 1), date(2049, 12, 31)
"""All dates are in these hundred years, so that two digits say which."""


def _ordinal(day: int) -> str:
    ending = "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


def _month(day: date) -> str:
    return MONTHS[day.month - 1]


def _weekday(day: date) -> str:
    return WEEKDAYS[day.weekday()]


FORMS: tuple[Callable[[date], str], ...] = (
    lambda d: f"{d.day} {_month(d)} {d.year}",
    lambda d: f"{_month(d)} {d.day}, {d.year}",
    lambda d: f"{d.day} {_month(d)[:3]} {d.year}",
    lambda d: f"{_month(d)[:3]} {d.day}, {d.year}",
    lambda d: f"{_month(d)[:3]} {_ordinal(d.day)} {d.year}",
    lambda d: f"{_ordinal(d.day)} of {_month(d)} {d.year}",
    lambda d: f"the {_ordinal(d.day)} of {_month(d)}, {d.year}",
    lambda d: f"{_weekday(d)}, {d.day} {_month(d)} {d.year}",
    lambda d: f"{_weekday(d)[:3]} {d.day} {_month(d)[:3]} {d.year % 100:02}",
    lambda d: f"{_weekday(d)[:3]}, {_month(d)[:3]} {d.day}, {d.year}",
    lambda d: f"{d.day:02}/{d.month:02}/{d.year}",
    lambda d: f"{d.day}/{d.month}/{d.year % 100:02}",
    lambda d: f"{d.day}.{d.month}.{d.year}",
    lambda d: f"{d.day:02}.{d.month:02}.{d.year % 100:02}",
    lambda d: f"{d.year} {_month(d)} {d.day}",
    lambda d: f"{d.year}/{d.month:02}/{d.day:02}",
    lambda d: f"{d.year}{d.month:02}{d.day:02}",
)
"""Ways to write a date. In numbers alone the day comes before the month, or the year before both."""

_CHARACTERS = "0123456789 ,./" + "".join(
    sorted({letter for name in MONTHS + WEEKDAYS for letter in name} | set("thndrsof"))
)
_DIGITS = "0123456789-"


class Dates(TranslationTask):
    """Turn a date in one of 17 written forms into ISO 8601, letter by letter.

    ``Tuesday, 3 May 1994`` → ``1994-05-03``.

    Days are drawn uniformly from 1950 to 2049, forms uniformly from those that give a source of an allowed
    length. Batches are of mixed lengths, filled up with ``<pad>``.
    """

    kind: Literal["dates"] = "dates"
    bounds: ClassVar[Lengths] = (6, 28)
    usual: ClassVar[Lengths] = (6, 28)
    buckets: ClassVar[tuple[Lengths, ...]] = ((6, 10), (11, 15), (16, 20), (21, 28))

    @property
    def source(self) -> Vocabulary:
        """All characters of the forms."""
        return Vocabulary(tuple(_CHARACTERS))

    @property
    def target(self) -> Vocabulary:
        """Digits and the hyphen."""
        return Vocabulary(tuple(_DIGITS))

    def longest_target(self, lengths: Lengths) -> int:
        """Ten characters and ``<eos>``."""
        return 11

    def draw(self, rng: np.random.Generator, size: int, lengths: Lengths) -> Pairs:
        """Fresh dates."""
        read, said = self.source, self.target
        sources: list[list[int]] = []
        targets: list[list[int]] = []
        while len(sources) < size:
            day = FIRST + timedelta(days=int(rng.integers((LAST - FIRST).days + 1)))
            text = FORMS[rng.integers(len(FORMS))](day)
            if lengths[0] <= len(text) <= lengths[1]:
                sources.append(read.encode(text))
                targets.append([*said.encode(day.isoformat()), EOS])
        counts = np.array([len(one) for one in sources])
        filled = np.full((counts.max(), size), PAD)
        for b, one in enumerate(sources):
            filled[: len(one), b] = one
        return Pairs(filled, counts, np.array(targets).T)
