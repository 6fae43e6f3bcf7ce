"""A memory network for comparison: attention in several hops, and no recurrence at all."""

from __future__ import annotations

from explorer.seq2seq.memory.learning import (
    MemoryLearner,
    MemoryLearning,
    MemoryMoment,
    fixed_questions,
    trained_memory,
)
from explorer.seq2seq.memory.network import MemoryNetwork, MemoryTrace, run_memory
from explorer.seq2seq.memory.recurrent import recurrent_decades
from explorer.seq2seq.memory.settings import MemorySettings
from explorer.seq2seq.memory.stories import PLACES, Stories, draw_stories, newest_place, text_of

__all__ = [
    "MemoryLearner",
    "MemoryLearning",
    "MemoryMoment",
    "MemoryNetwork",
    "MemorySettings",
    "MemoryTrace",
    "PLACES",
    "Stories",
    "draw_stories",
    "fixed_questions",
    "newest_place",
    "recurrent_decades",
    "run_memory",
    "text_of",
    "trained_memory",
]
