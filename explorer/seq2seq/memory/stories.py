"""Stories of people, places and things, with a question that takes one or two of their sentences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PEOPLE = ("Mary", "John", "Ann", "Tom")
PLACES = ("kitchen", "garden", "office", "hall", "school")
THINGS = ("apple", "book", "ball")
WORDS = ("", *PEOPLE, *PLACES, *THINGS, "went", "took", "where")
"""Number → word; number 0 fills up."""
_NUMBER = {word: number for number, word in enumerate(WORDS)}
WENT, TOOK, WHERE = (_NUMBER[word] for word in ("went", "took", "where"))


@dataclass(frozen=True)
class Stories:
    """Stories with their questions.

    Attributes:
        sentences: three word numbers each, who did what, [B, S, 3].
        question: "where" and who or what, [B, 2].
        answer: which of ``PLACES``, [B].
        support: positions of the two sentences that the answer follows from, [B, 2]: who took the thing, −1
            where a person is asked for, and where that person went last.
    """

    sentences: np.ndarray
    question: np.ndarray
    answer: np.ndarray
    support: np.ndarray

    def one(self, b: int) -> Stories:
        """Story b alone."""
        row = slice(b, b + 1)
        return Stories(self.sentences[row], self.question[row], self.answer[row], self.support[row])


def draw_stories(
    rng: np.random.Generator, size: int, sentences: int, facts: int, simple: float = 0.0
) -> Stories:
    """B stories of S sentences in the manner of bAbI tasks 1 and 2 (Weston et al. 2015).

    In each sentence a person goes somewhere, or with two facts takes a thing that nobody has, one time in
    three. What is asked for can be answered: with one fact where a person is who went somewhere; with two
    where a thing is, that is, the last place of the person who took it. A share ``simple`` of the questions
    asks for a person all the same.

    Raises ValueError that names a number which is not allowed.
    """
    for name, value, low in (("size", size, 1), ("sentences", sentences, facts)):
        if value < low:
            raise ValueError(f"{name} is {value}; it must be at least {low}")
    found: list[_One] = []
    while len(found) < size:
        one = _draw(rng, sentences, facts, simple)
        if one is not None:
            found.append(one)
    columns = zip(*found, strict=True)
    return Stories(*(np.array(column) for column in columns))


_One = tuple[list[list[int]], list[int], int, list[int]]


def _draw(rng: np.random.Generator, sentences: int, facts: int, simple: float) -> _One | None:
    """One story, question, answer and support; None where nothing can be asked."""
    moved: dict[int, tuple[int, int]] = {}  # person → sentence, place
    taken: dict[int, tuple[int, int]] = {}  # thing → sentence, person
    lines = []
    for i in range(sentences):
        person = int(rng.integers(len(PEOPLE)))
        free = [thing for thing in range(len(THINGS)) if thing not in taken]
        if facts == 2 and free and rng.random() < 1 / 3:
            thing = free[rng.integers(len(free))]
            taken[thing] = (i, person)
            lines.append([_NUMBER[PEOPLE[person]], TOOK, _NUMBER[THINGS[thing]]])
        else:
            place = int(rng.integers(len(PLACES)))
            moved[person] = (i, place)
            lines.append([_NUMBER[PEOPLE[person]], WENT, _NUMBER[PLACES[place]]])
    if facts == 1 or (moved and rng.random() < simple):
        person = list(moved)[rng.integers(len(moved))]
        line, place = moved[person]
        return lines, [WHERE, _NUMBER[PEOPLE[person]]], place, [-1, line]
    askable = [thing for thing, (_, person) in taken.items() if person in moved]
    if not askable:
        return None
    thing = askable[rng.integers(len(askable))]
    line, person = taken[thing]
    return lines, [WHERE, _NUMBER[THINGS[thing]]], moved[person][1], [line, moved[person][0]]


def text_of(stories: Stories, b: int = 0) -> tuple[list[str], str, str]:
    """Sentences, question and answer of story b as people say them; the network reads the word numbers."""
    lines = []
    for who, verb, what in stories.sentences[b]:
        done = f"went to the {WORDS[what]}" if verb == WENT else f"took the {WORDS[what]}"
        lines.append(f"{WORDS[who]} {done}")
    asked = WORDS[stories.question[b, 1]]
    return lines, f"Where is {asked if asked in PEOPLE else f'the {asked}'}?", PLACES[stories.answer[b]]


def newest_place(stories: Stories) -> np.ndarray:
    """The place that each story names last, [B]: an answer that looks at one sentence and no question."""
    went = stories.sentences[:, ::-1, 1] == WENT
    last: np.ndarray = stories.sentences[:, ::-1, 2][np.arange(len(went)), went.argmax(axis=1)]
    return last - _NUMBER[PLACES[0]]
