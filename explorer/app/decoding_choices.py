"""What a person chooses on the page Decoding besides its sections' own choices; part of the view."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from explorer.parameters import Parameters, parameter
from explorer.seq2seq.decoding.markov import read_table
from explorer.seq2seq.decoding.ngrams import LONGEST
from explorer.seq2seq.decoding.toys import TOYS

SOURCE_NAMES = {
    "toy": "Markov toy",
    "text": "Characters of a text",
    "translator": "Encoder–decoder of the page Attention",
}
MOST_WORDS = 6
"""Of a Markov toy on the page."""


class Decoding(Parameters):
    """Which section is open, and which model is decoded."""

    decoding: Literal["search", "sampling", "bleu"] = parameter(
        "search",
        "decoding",
        "Which question is asked.",
        names={"search": "Search", "sampling": "Sampling", "bleu": "BLEU taken apart"},
    )
    decoding_source: Literal["toy", "text", "translator"] = parameter(
        "toy",
        "model",
        "Which model says how likely the next token is.",
        names=SOURCE_NAMES,
    )
    sample_source: Literal["toy", "text", "translator"] = parameter(
        "text", "model", "Which model is drawn from.", names=SOURCE_NAMES
    )
    decoding_toy: str = parameter(
        TOYS["greedy"].table,
        "Markov toy",
        "Words, and for <bos> and each word the weights of what follows.",
        max_length=700,
    )
    decoding_order: int = parameter(
        6,
        "order n",
        "A character is predicted from the n − 1 before it.",
        bounds=(1, LONGEST),
        step=1,
    )
    decoding_prompt: str = parameter(
        "Catherine ", "beginning", "What the text begins with; it is not searched.", max_length=60
    )
    decoding_own: str = parameter(
        "", "your own text", "Counted in place of ten chapters of Northanger Abbey.", max_length=5000
    )

    decoding_sentence: str = parameter(
        "", "source to translate", "What the encoder reads, character by character.", max_length=50
    )

    @field_validator("decoding_toy")
    @classmethod
    def _readable(cls, table: str) -> str:
        words, _ = read_table(table)
        if len(words) > MOST_WORDS:
            raise ValueError(f"it has {len(words)} words; the page draws up to {MOST_WORDS}")
        return table
