"""Small real problems for encoder–decoders, and the registry that lists them."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from explorer.seq2seq.tasks.dates import Dates
from explorer.seq2seq.tasks.sequences import CopySequence, Reverse, Sort
from explorer.seq2seq.tasks.task import Lengths, Pairs, TranslationTask, exact_match

TRANSLATION_TASKS: dict[str, tuple[str, type[TranslationTask]]] = {
    "reverse": ("reverse", Reverse),
    "copy": ("copy", CopySequence),
    "sort": ("sort", Sort),
    "dates": ("dates", Dates),
}
"""Kind → name on screen and class."""

if TYPE_CHECKING:
    AnyTranslationTask = TranslationTask
else:
    AnyTranslationTask = Annotated[
        reduce(or_, (task for _, task in TRANSLATION_TASKS.values())), Field(discriminator="kind")
    ]

__all__ = [
    "TRANSLATION_TASKS",
    "AnyTranslationTask",
    "CopySequence",
    "Dates",
    "Lengths",
    "Pairs",
    "Reverse",
    "Sort",
    "TranslationTask",
    "exact_match",
]
