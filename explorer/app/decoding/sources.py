"""What is decoded: a model from the choices of the view."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Literal

import numpy as np

from explorer.app import cache
from explorer.app.decoding.source import RealText, Source
from explorer.app.decoding.translators import translator_source
from explorer.app.view import View
from explorer.figures.decoding_looks import plain_sequence
from explorer.seq2seq.decoding import CharacterNgrams, DecodingModel, after
from explorer.seq2seq.decoding.markov import normalised, read_table
from explorer.tasks.text import CharacterText

_HELD_OUT = 2000  # characters from which on the last tenth of a text is held out


def source_of(view: View, field: Literal["decoding_source", "sample_source"]) -> Source:
    """The one chosen in a section."""
    return SOURCES[getattr(view, field)](view)


def _toy(view: View) -> Source:
    model, notes = normalised(*read_table(view.decoding_toy))
    lost = model.endless()
    if lost:
        verb = "leads" if len(lost) == 1 else "lead"
        notes.append(f"{', '.join(lost)} never {verb} to <eos>: sequences are cut off at the longest length.")
    key = f"toy|{view.decoding_toy}"
    return Source(key, DecodingModel(model, model.symbols, model.end), notes=notes)


def _text(view: View) -> Source:
    own = " ".join(view.decoding_own.split())
    order, prompt = view.decoding_order, view.decoding_prompt
    mark = blake2b(own.encode("utf-8", "replace"), digest_size=12).hexdigest() if own else "austen"
    key = f"text|{order}|{mark}|{prompt}"
    return cache.remembered(key, lambda: _counted(key, own or _austen(), order, prompt))


def _counted(key: str, text: str, order: int, prompt: str) -> Source:
    """A model of the first nine tenths of a text."""
    held = len(text) // 10 if len(text) >= _HELD_OUT else 0
    counted, tail = text[: len(text) - held], text[len(text) - held :]
    ngrams = CharacterNgrams(counted, order)
    start, unknown = ngrams.codes(prompt)
    notes = []
    if unknown:
        shown = " ".join(plain_sequence([0], [one]) for one in unknown[:10])
        notes.append(f"The text does not have these characters of the beginning, they are left out: {shown}")
    codes = ngrams.codes(tail)[0]
    half = len(codes) // 2
    return Source(
        key,
        DecodingModel(after(ngrams, start), ngrams.symbols, None),
        letters=True,
        start=start,
        notes=notes,
        real=RealText(ngrams, codes[:half], codes[half:]) if held else None,
    )


def _austen() -> str:
    found = CharacterText().encoded
    return " ".join("".join(np.array(found.symbols)[found.codes]).split())


SOURCES: dict[str, Callable[[View], Source]] = {"toy": _toy, "text": _text, "translator": translator_source}
"""Value of ``decoding_source`` and ``sample_source`` → how its model is made; further ones go here."""
