"""From the choices of the page to a network, its sequences, and what was measured of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from explorer.app import cache
from explorer.app.attention_choices import AttentionChoices
from explorer.seq2seq import Seq2Seq, gradient_map, run_translator
from explorer.seq2seq.reach import Reach, annotation_reach
from explorer.seq2seq.translator import Translator
from explorer.seq2seq.vocabulary import LETTERS, SPECIAL


@dataclass(frozen=True)
class Mapped:
    """What the section draws of one network.

    Attributes:
        decades: log10 ‖∂L_j/∂h_i‖, [Td, Te].
        weights: α_ji, [Td, Te]; None without attention.
    """

    decades: np.ndarray
    weights: np.ndarray | None


def network(view: AttentionChoices, kind: str | None = None) -> Seq2Seq:
    """The chosen network, or the same with another kind of attention."""
    chosen = kind or (view.attn_kind if view.attn_on else "none")
    return Seq2Seq.model_validate(
        {
            "cell": view.attn_cell,
            "hidden_size": view.attn_hidden,
            "layers": view.attn_layers,
            "bidirectional": view.attn_bidirectional,
            "dropout": view.attn_dropout,
            "residual": view.attn_residual,
            "start": view.attn_start,
            "attention": chosen,
            "window": view.attn_window,
            "estimator": view.attn_estimator,
            "bos": view.attn_bos,
            "eos": view.attn_eos,
            "seed": view.attn_seed,
        }
    )


@lru_cache(maxsize=8)
def untrained(settings: Seq2Seq) -> Translator:
    """The network with its first weights; to make them takes as long as to run them."""
    return Translator(settings, LETTERS, LETTERS)


def sequences(settings: Seq2Seq, source: int, target: int) -> tuple[list[int], list[int]]:
    """Random letters of the seed: a source of ``source`` tokens, a target of ``target`` with ``<eos>``.

    Without ``<eos>`` the letters are the same, so the target has one token fewer, but at least one letter.
    """

    def letters(stream: str, count: int) -> list[int]:
        return [int(n) for n in settings.rng(stream).integers(len(SPECIAL), len(LETTERS), count)]

    said = tokens_said(settings.eos, target) - settings.eos
    return letters("source letters", source), letters("target letters", said)


def tokens_said(eos: bool, target: int) -> int:
    """Td, for a target of ``target`` tokens with ``<eos>``."""
    return target if eos else max(target - 1, 1)


def mapped(view: AttentionChoices, kind: str | None = None) -> Mapped:
    """The gradient map of the chosen network, or of the same with another kind of attention; kept."""
    settings = network(view, kind)
    source, target = sequences(settings, view.attn_source, view.attn_target)

    def compute() -> Mapped:
        trace = run_translator(settings, source, target, translator=untrained(settings))
        return Mapped(gradient_map(trace), trace.weights)

    return cache.remembered(f"gradient map|{settings.canonical()}|{source}|{target}", compute)


def reach(view: AttentionChoices) -> Reach:
    """What the annotations know, which no attention changes; kept."""
    settings = network(view, "none")
    source, _ = sequences(settings, view.attn_source, 1)
    return cache.remembered(
        f"reach|{settings.canonical()}|{source}", lambda: annotation_reach(settings, source)
    )


def step_of(view: AttentionChoices) -> int:
    """The chosen decoder step, or the last one of a shorter target."""
    return min(view.attn_step, tokens_said(view.attn_eos, view.attn_target))


def distance(view: AttentionChoices) -> np.ndarray:
    """Recurrent steps from each h_i to L_j without attention, [Te].

    From the end at which s_0 is read: with ←h_1 and →h_1 that is the first token, else the last; beside →h_1
    no state has a way at all.
    """
    i = np.arange(1, view.attn_source + 1)
    from_first = view.attn_start == "first" or (view.attn_start == "backward" and view.attn_bidirectional)
    return step_of(view) + (i - 1 if from_first else view.attn_source - i)
