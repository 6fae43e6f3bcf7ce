"""One kind of attention per class, and the registry that lists them."""

from __future__ import annotations

from explorer.seq2seq.attention.additive import Additive
from explorer.seq2seq.attention.concat import Concat
from explorer.seq2seq.attention.dot import Dot, General
from explorer.seq2seq.attention.hard import Hard
from explorer.seq2seq.attention.local import Local
from explorer.seq2seq.attention.scorer import Attention, Memory, Reading

ATTENTIONS: dict[str, type[Attention]] = {
    "additive": Additive,
    "dot": Dot,
    "general": General,
    "concat": Concat,
    "local": Local,
    "hard": Hard,
}
"""Kind → class; "none" has no class."""

__all__ = [
    "ATTENTIONS",
    "Additive",
    "Attention",
    "Concat",
    "Dot",
    "General",
    "Hard",
    "Local",
    "Memory",
    "Reading",
]
