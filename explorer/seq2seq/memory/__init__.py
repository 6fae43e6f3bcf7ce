"""A memory network for comparison: attention in several hops, and no recurrence at all."""

from __future__ import annotations

from explorer.seq2seq.memory.learning import MemoryLearner
from explorer.seq2seq.memory.network import MemoryNetwork, MemoryTrace, run_memory
from explorer.seq2seq.memory.settings import MemorySettings
from explorer.seq2seq.memory.stories import Stories, draw_stories, text_of

__all__ = [
    "MemoryLearner",
    "MemoryNetwork",
    "MemorySettings",
    "MemoryTrace",
    "Stories",
    "draw_stories",
    "run_memory",
    "text_of",
]
