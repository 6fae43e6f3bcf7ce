"""The choices of the section Memory network of the page Attention; part of the view."""

from __future__ import annotations

from copy import copy
from typing import Any, Literal

from explorer.app.taught_choices import NEWEST
from explorer.parameters import Parameters, parameter
from explorer.seq2seq.memory.settings import MemorySettings

STORIES = 20
"""From how many stories one is chosen to be looked at."""


def _as_in_network(name: str) -> Any:
    """The field of ``MemorySettings`` with its bounds, label and sentence."""
    return copy(MemorySettings.model_fields[name])


class MemoryChoices(Parameters):
    """The memory networks, their stories and their training, and what is shown of them."""

    memory_facts: int = _as_in_network("facts")
    memory_sentences: int = _as_in_network("sentences")
    memory_size: int = _as_in_network("embedding_size")
    memory_steps: int = _as_in_network("steps")
    memory_rate: float = _as_in_network("learning_rate")
    memory_batch: int = _as_in_network("batch_size")
    memory_seed: int = _as_in_network("seed")
    memory_shown: Literal["1", "2", "3"] = parameter(
        "2",
        "hops",
        "The network whose attention and gradient are drawn.",
        names={"1": "1 hop", "2": "2 hops", "3": "3 hops"},
    )
    memory_story: int = parameter(
        1, "story", "Which story is looked at; none of them is trained on.", bounds=(1, STORIES), step=1
    )
    memory_moment: int = parameter(
        NEWEST,
        "training step",
        "The recorded step that is drawn; -1 is the newest.",
        bounds=(-1, 20000),
        step=1,
    )
