"""A model that is decoded, with what the page says of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from explorer.seq2seq.decoding import DecodingModel, Step


@dataclass(frozen=True)
class RealText:
    """Text that a model has not counted: its step without a beginning, what stands before, and the text."""

    step: Step
    start: tuple[int, ...]
    tokens: tuple[int, ...]


@dataclass(frozen=True)
class Source:
    """A model with what the page says of it.

    Attributes:
        key: names everything that decides it.
        model: what is decoded.
        letters: whether it is text without an end, drawn as one long text and not as several sequences.
        start: tokens before every sequence.
        notes: what had to be changed.
        real: text that the model has not counted; None if there is none.
    """

    key: str
    model: DecodingModel
    letters: bool = False
    start: tuple[int, ...] = ()
    notes: list[str] = field(default_factory=list)
    real: RealText | None = None
