"""Encoder–decoders: attention, where gradients go in the encoder, how they learn, and what they say."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from explorer.seq2seq.settings import Seq2Seq
from explorer.seq2seq.vocabulary import BOS, EOS, LETTERS, PAD, Vocabulary

if TYPE_CHECKING:
    from explorer.seq2seq.attention import ATTENTIONS
    from explorer.seq2seq.context import context_gradient, step_gradient
    from explorer.seq2seq.gradients import gradient_map
    from explorer.seq2seq.learning import Learner, trained_translator
    from explorer.seq2seq.next_token import NextToken
    from explorer.seq2seq.recipe import TranslationRecipe
    from explorer.seq2seq.trace import TranslatorTrace, run_translator
    from explorer.seq2seq.translator import Translator

__all__ = [
    "ATTENTIONS",
    "BOS",
    "EOS",
    "LETTERS",
    "Learner",
    "NextToken",
    "PAD",
    "Seq2Seq",
    "TranslationRecipe",
    "Translator",
    "TranslatorTrace",
    "Vocabulary",
    "context_gradient",
    "gradient_map",
    "run_translator",
    "step_gradient",
    "trained_translator",
]

_HOMES = {
    "ATTENTIONS": "attention",
    "Learner": "learning",
    "NextToken": "next_token",
    "TranslationRecipe": "recipe",
    "Translator": "translator",
    "TranslatorTrace": "trace",
    "context_gradient": "context",
    "gradient_map": "gradients",
    "run_translator": "trace",
    "step_gradient": "context",
    "trained_translator": "learning",
}


def __getattr__(name: str) -> object:
    """What needs torch, which takes seconds to load, when it is asked for."""
    if name in _HOMES:
        return getattr(import_module(f"explorer.seq2seq.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
