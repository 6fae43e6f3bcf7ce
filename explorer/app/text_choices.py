"""What a person chooses in the section Text, order and bags; part of the view."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from explorer.parameters import Parameters, parameter
from explorer.training.text.questions import QUESTIONS


class TextChoices(Parameters):
    """A question on sentences, how far their words are shuffled, and which sentence is read word by word."""

    text_question: Literal["halves", "scrambled", "source"] = parameter(
        "halves",
        "question",
        "What the models are trained to tell of a sentence.",
        names={name: question.label for name, question in QUESTIONS.items()},
    )
    text_shuffled: int = parameter(
        0,
        "shuffled words in %",
        "Share of each test sentence's words that are put into random order; training is always in order.",
        bounds=(0, 100),
        options=[*range(0, 101, 10)],
    )
    text_seed: int = parameter(
        0, "seed", "Decides the networks' first weights and the order of training.", bounds=(0, 9), step=1
    )
    text_sentence: int = parameter(
        0, "test sentence", "The sentence that is read word by word below.", bounds=(0, 99), step=1
    )
    text_own: str = parameter(
        "",
        "your own sentence",
        "Read in place of the test sentence; up to 20 words.",
        max_length=200,
    )

    @field_validator("text_shuffled")
    @classmethod
    def _tested(cls, per_cent: int) -> int:
        if per_cent % 10:
            raise ValueError("the models are tested at 0, 10, 20, … 100 %")
        return per_cent
