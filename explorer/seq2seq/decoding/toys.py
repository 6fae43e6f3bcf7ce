"""Markov models that each show one thing about searching for the likeliest sequence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.seq2seq.decoding.markov import MarkovModel, normalised, read_table, write_table

_LETTERS = ("A", "B", "C")


@dataclass(frozen=True)
class Toy:
    """A model and what it shows.

    Attributes:
        label: short name.
        shows: one sentence.
        table: the model as one line of text, see ``write_table``.
    """

    label: str
    shows: str
    table: str

    @property
    def model(self) -> MarkovModel:
        """The model."""
        return normalised(*read_table(self.table))[0]


def _toy(label: str, shows: str, rows: list[list[float]]) -> Toy:
    return Toy(label, shows, write_table(_LETTERS, np.array(rows)))


TOYS: dict[str, Toy] = {
    "greedy": _toy(
        "Greedy loses",
        "Greedy follows A, the likeliest first word, to 0.0875; a beam of 2 finds B with 0.1625.",
        [[0.5, 0.25, 0.2, 0.05], [0.3, 0.3, 0.35, 0.05], [0.15, 0.1, 0.1, 0.65], [0.25, 0.25, 0, 0.5]],
    ),
    "length": _toy(
        "Length decides",
        "By probability the short A wins with 0.3, per token the longer B C with 0.252.",
        [[0.6, 0.4, 0, 0], [0, 0.25, 0.25, 0.5], [0.05, 0, 0.9, 0.05], [0.1, 0.1, 0.1, 0.7]],
    ),
    "wider": _toy(
        "Wider is worse",
        "Greedy finds the best sequence, C with 0.2; a beam of 2 prunes it for two that come to nothing.",
        [[0.05, 0.45, 0.5, 0], [0.05, 0.25, 0, 0.7], [0, 0.45, 0.55, 0], [0, 0.25, 0.35, 0.4]],
    ),
    "endless": _toy(
        "No way to end",
        "A and B lead to each other and never to <eos>: greedy is cut off at the longest length.",
        [[0.55, 0, 0.45, 0], [0, 1, 0, 0], [0.8, 0.2, 0, 0], [0, 0, 0, 1]],
    ),
}
"""Name → toy; ``tests/seq2seq/decoding/test_toys.py`` proves what each one says."""
