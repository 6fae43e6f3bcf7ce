"""Character text: the next character of real English, or of one's own text.

``data/austen.txt`` is chapters 1 to 10 of Jane Austen's *Northanger Abbey* (published in 1817), public
domain, in the transcription of Project Gutenberg (ebook 121) as the R package janeaustenr 1.0.0 has it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from explorer.parameters import parameter
from explorer.tasks.batch import Baseline, Batch
from explorer.tasks.task import Task, check_batch_size, one_hot

MOST_SYMBOLS = 96
OTHER = "�"
LONGEST_TEXT = 200_000
_SPOKEN = {" ": "the space", "\n": "the line break"}


@dataclass(frozen=True)
class Encoded:
    """A text as numbers.

    Attributes:
        symbols: the alphabet, one entry for each code.
        codes: [n], the text.
        merged: how many different rare characters stand behind the last symbol, ``OTHER``; 0 if none do.
    """

    symbols: tuple[str, ...]
    codes: np.ndarray
    merged: int


class CharacterText(Task):
    r"""Predict the next character at every step (as in Sutskever, Martens & Hinton 2011).

    .. math:: x_t = e_{s_t}, \qquad \text{target}_t = s_{t+1} \qquad (t = 1 \dots T)

    s is a stretch of T + 1 characters, e one-hot vectors over the text's alphabet of K ≤ 96 symbols; the
    rarest characters of a text with more share one symbol. Shapes: x [T, B, K], targets [T, B], read at every
    step. The last tenth of the text, or T + 1 characters if that is more, is never trained on. The loss is in
    nats a character; divided by ln 2 it is in bits.
    """

    kind: Literal["text"] = "text"
    source: Literal["austen", "own"] = parameter(
        "austen",
        "text",
        "Which text the network reads.",
        names={"austen": "Jane Austen, Northanger Abbey", "own": "own text"},
    )
    own: str = parameter(
        "", "own text", "Any text: its last tenth is kept for the test.", max_length=LONGEST_TEXT
    )

    @property
    def encoded(self) -> Encoded:
        """The chosen text with its alphabet."""
        return _bundled() if self.source == "austen" else encode(self.own)

    @property
    def input_size(self) -> int:
        """How many symbols the alphabet has, at least 1."""
        return max(1, len(self.encoded.symbols))

    @property
    def output_size(self) -> int:
        """One logit for each symbol."""
        return self.input_size

    def read_steps(self, num_steps: int) -> int:
        """Every step."""
        return num_steps

    def notes(self, num_steps: int) -> list[str]:
        """Whether rare characters share a symbol."""
        merged = self.encoded.merged
        if not merged:
            return []
        return [f"The text has many characters: its {merged} rarest ones count as one symbol, {OTHER}."]

    def check(self, num_steps: int) -> None:
        """The text must have T + 1 characters to learn from and as many held out."""
        super().check(num_steps)
        length, needed = len(self.encoded.codes), 2 * (num_steps + 1)
        if length < needed:
            raise ValueError(
                f"own has {length} characters, but num_steps={num_steps} takes a text of at least {needed}: "
                f"{num_steps + 1} to learn from and {num_steps + 1} held out"
            )

    def parts(self, num_steps: int) -> tuple[np.ndarray, np.ndarray]:
        """The codes to learn from and those held out, the text's tail."""
        self.check(num_steps)
        codes = self.encoded.codes
        end = len(codes) - max(len(codes) // 10, num_steps + 1)
        return codes[:end], codes[end:]

    def baseline(self, num_steps: int) -> Baseline:
        """By the symbols' shares p in training: mean −ln p on the tail, and the likeliest symbol's share.

        p = (count + 1) / (characters + K): a symbol that appears in the tail alone has a finite loss.
        """
        train, tail = self.parts(num_steps)
        counts = np.bincount(train, minlength=self.input_size)
        shares = (counts + 1) / (len(train) + self.input_size)
        usual = counts.argmax()
        loss, score = float(-np.log(shares[tail]).mean()), float((tail == usual).mean())
        symbol = self.encoded.symbols[usual]
        name = _SPOKEN.get(symbol, repr(symbol))
        return Baseline(
            loss=loss,
            score=score,
            said=f"Always answering {name}, the most frequent character, is right for {score:.1%}; by the "
            f"characters' frequencies alone the tail takes {loss / np.log(2):.2f} bits a character.",
        )

    def draw(self, rng: np.random.Generator, num_steps: int, batch_size: int) -> Batch:
        """Stretches of the training part that start anywhere."""
        train, _ = self.parts(num_steps)
        return self._stretches(train, rng.integers(len(train) - num_steps, size=batch_size), num_steps)

    def held_out(self, num_steps: int, batch_size: int) -> Batch:
        """B stretches of the tail, or as many as fit without overlap, evenly spaced."""
        check_batch_size(batch_size)
        _, tail = self.parts(num_steps)
        fitting = (len(tail) - 1) // num_steps
        starts = np.linspace(0, len(tail) - 1 - num_steps, min(batch_size, fitting)).astype(int)
        return self._stretches(tail, starts, num_steps)

    def _stretches(self, codes: np.ndarray, starts: np.ndarray, num_steps: int) -> Batch:
        """What begins at ``starts`` [B], and the same one character later."""
        stretch = codes[np.arange(num_steps + 1)[:, None] + starts]
        return Batch(one_hot(stretch[:-1], self.input_size), stretch[1:])


@lru_cache(maxsize=1)
def _bundled() -> Encoded:
    """The text that comes with the package."""
    return encode((Path(__file__).parent / "data" / "austen.txt").read_text(encoding="utf-8"))


@lru_cache(maxsize=8)
def encode(text: str) -> Encoded:
    """A text by its own alphabet: sorted characters, and behind them ``OTHER`` if there are more than 96.

    Then the 95 most frequent ones are kept, of equally frequent ones those that sort first.
    """
    counts = Counter(text)
    kept, merged = sorted(counts), 0
    if len(counts) > MOST_SYMBOLS:
        ranked = sorted(counts, key=lambda symbol: (-counts[symbol], symbol))
        kept, merged = sorted(ranked[: MOST_SYMBOLS - 1]), len(counts) - MOST_SYMBOLS + 1
    code = {symbol: k for k, symbol in enumerate(kept)}
    codes = np.array([code.get(symbol, len(kept)) for symbol in text], dtype=np.int64)
    codes.setflags(write=False)
    return Encoded((*kept, OTHER) if merged else tuple(kept), codes, merged)
