"""What the section Gradient map says: how much of a decoder step's gradient arrives, and what hᵢ knows."""

from __future__ import annotations

import numpy as np

from explorer.app.attention.estimators import BASELINE, STRAIGHT, UNAIDED, estimators_of
from explorer.app.attention.setting import distance, step_of
from explorer.app.attention.special_tokens import special_words
from explorer.app.attention_choices import KINDS, AttentionChoices
from explorer.figures.decades import number, plain
from explorer.seq2seq.reach import Reach

_SURVIVES = -3.0  # decades
_LOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def map_words(
    view: AttentionChoices, with_it: np.ndarray, without: np.ndarray, reach: Reach | None
) -> tuple[str, str, str]:
    """(tone, sentence, another one) on the state that is farthest from the chosen decoder step.

    ``with_it`` and ``without`` are the gradient maps [Td, Te] with the chosen attention and with none.
    """
    step, away = step_of(view), distance(view)
    far = int(away.argmax())
    symbol = f"∂L{low(step)}/∂h{low(far + 1)}"
    a, b = float(with_it[step - 1, far]), float(without[step - 1, far])
    more = _known(view, reach) if reach is not None else _drawn(view)
    more = f"{more} {special_words(view, len(with_it))}".strip()
    if view.attn_on:
        sentence = (
            f"{symbol} is {number(a)} with {_name(view)} attention and {number(b)} without{_ratio(a, b)}."
        )
        return _tone(a), sentence, more
    cut = _cut_off(view, without[step - 1], step)
    if cut:
        return "dead", cut, more
    sentence = (
        f"Without attention {symbol} is {number(b)}: it goes back through {away[far]} steps. "
        f"With {_name(view)} attention it would be {number(a)}."
    )
    return _tone(b), sentence, more


def low(value: int) -> str:
    """A number as an index."""
    return str(value).translate(_LOW)


def _name(view: AttentionChoices) -> str:
    return KINDS[view.attn_kind].partition(" (")[0]


def _tone(decades: float) -> str:
    if decades == -np.inf:
        return "dead"
    return "survives" if decades > _SURVIVES else "vanishes"


def _ratio(a: float, b: float) -> str:
    """How many times the one is the other."""
    if not np.isfinite([a, b]).all():
        return ""
    if abs(a - b) < 0.05:
        return ": about the same"
    times = number(abs(a - b))
    return f": {times} times as much" if a > b else f": {times} times less"


def _cut_off(view: AttentionChoices, row: np.ndarray, step: int) -> str:
    """Where a gradient reaches not all states of the encoder, and why; empty where it reaches all."""
    reached = np.flatnonzero(row > -np.inf)
    if len(reached) == len(row):
        return ""
    why = {
        "zeros": ": s₀ is zeros, so the decoder never hears of the source.",
        "first": ": →h₁ has read one word, so s₀ knows no other.",
    }.get(view.attn_start, ".")
    if not len(reached):
        return f"Without attention ∂L{low(step)}/∂hᵢ is exactly 0 for every i{why}"
    size = number(float(row[reached].max()))
    symbol = f"∂L{low(step)}/∂h{low(int(reached[0]) + 1)}"
    return (
        f"Without attention a gradient reaches {len(reached)} of {len(row)} states ({symbol} is {size}) "
        f"and is exactly 0 at all others{why}"
    )


def _known(view: AttentionChoices, reach: Reach) -> str:
    """Of how many words the states know."""
    count = len(reach.start)
    knows = (reach.annotations > -np.inf).sum(axis=1)
    middle = (count + 1) // 2
    start = int((reach.start > -np.inf).sum())
    if knows.min() == count:
        states = f"Every hᵢ depends on all {count} words"
    else:
        states = f"h{low(middle)} depends on {knows[middle - 1]} of {count} words and on none after it"
    if start == count:
        return f"{states}; {'so does s₀' if knows.min() == count else 's₀ depends on all of them'}."
    return f"{states}; s₀ depends on {start or 'none'} of them."


def _drawn(view: AttentionChoices) -> str:
    """What of the picture is random, and what hard attention learns from one draw."""
    if view.attn_on and view.attn_kind == "hard":
        if view.attn_source == 1:
            return "There is one position alone: nothing is chosen, and its score has the gradient 0."
        found, exact = estimators_of(view)
        size = np.linalg.norm(exact)
        unaided, baseline, through = (
            plain(float(found[name].variance ** 0.5 / size)) for name in (UNAIDED, BASELINE, STRAIGHT)
        )
        bias = plain(float(np.linalg.norm(found[STRAIGHT].mean - exact) / size))
        return (
            f"In lengths of the scores' true gradient, one draw of REINFORCE scatters by {unaided}, with the "
            f"expected loss as baseline by {baseline}; straight-through by {through}, with a bias of {bias}."
        )
    return f"One draw of the dropout masks, p = {view.attn_dropout:.2g}." if view.attn_dropout else ""
