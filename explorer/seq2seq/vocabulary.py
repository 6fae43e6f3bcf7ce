"""Vocabulary: which tokens there are, and the number of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from string import ascii_lowercase

PAD, BOS, EOS = 0, 1, 2
"""Numbers of the special tokens: filling, begin and end of a sequence."""
SPECIAL = ("<pad>", "<bos>", "<eos>")
LONGEST = 100
"""Most tokens of a source or a target that a trace is made of."""


@dataclass(frozen=True)
class Vocabulary:
    """The special tokens, numbers 0 to 2, and after them the symbols.

    Attributes:
        symbols: all tokens that a sequence can have, without repetition.
    """

    symbols: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.symbols) - set(SPECIAL)) != len(self.symbols) or not self.symbols:
            raise ValueError(
                f"symbols are {self.symbols}; a vocabulary needs at least one, no symbol twice and none of "
                f"{', '.join(SPECIAL)}"
            )

    def __len__(self) -> int:
        return len(SPECIAL) + len(self.symbols)

    @property
    def tokens(self) -> tuple[str, ...]:
        """Number → token."""
        return SPECIAL + self.symbols

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """The numbers of tokens; a text of one-character symbols may be given as it is.

        Raises ValueError that names the first unknown token and those that are known.
        """
        numbers = {token: number for number, token in enumerate(self.tokens)}
        found = []
        for token in tokens:
            if token not in numbers:
                raise ValueError(f"the token {token!r} is unknown; known are {self._known}")
            found.append(numbers[token])
        return found

    def decode(self, numbers: Iterable[int]) -> list[str]:
        """The tokens up to ``<eos>``, without special ones.

        Raises ValueError that names the first number that no token has.
        """
        found = []
        for number in map(int, numbers):
            if not 0 <= number < len(self):
                raise ValueError(f"token number {number} is unknown; allowed are 0 to {len(self) - 1}")
            if number == EOS:
                break
            if number not in (PAD, BOS):
                found.append(self.tokens[number])
        return found

    def check(
        self, numbers: Sequence[int], name: str, shortest: int = 1, longest: int = LONGEST
    ) -> list[int]:
        """A sequence of symbols without special tokens, with so many at least and at most.

        Raises ValueError that names the sequence, and what is wrong with it.
        """
        if not shortest <= len(numbers) <= longest:
            raise ValueError(f"the {name} has {len(numbers)} tokens; allowed are {shortest} to {longest}")
        for number in numbers:
            if not len(SPECIAL) <= number < len(self):
                raise ValueError(
                    f"the {name} holds token number {number}; symbols have the numbers "
                    f"{len(SPECIAL)} to {len(self) - 1}"
                )
        return [int(number) for number in numbers]

    @property
    def _known(self) -> str:
        shown = ", ".join(self.symbols[:40])
        more = len(self.symbols) - 40
        return shown if more <= 0 else f"{shown} and {more} more"


LETTERS = Vocabulary(tuple(ascii_lowercase))
"""The letters a to z."""
