"""How sequences and their probabilities are written in the figures of decoding."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from explorer.figures import decades

_SEEN = {" ": "␣", "\n": "⏎"}


def token_name(symbol: str) -> str:
    """A token as Plotly text, spaces and line breaks made visible."""
    return html.escape(_SEEN.get(symbol, symbol), quote=False)


def plain_sequence(
    tokens: Sequence[int], symbols: Sequence[str], longest: int = 28, *, visible: bool = True
) -> str:
    """Tokens side by side, single characters without a gap, spaces ``visible``; of long sequences the end."""
    seen = _SEEN if visible else {}
    names = [seen.get(symbols[token], symbols[token]) for token in tokens]
    letters = all(len(symbol) == 1 for symbol in symbols)
    text = ("" if letters else " ").join(names)
    return text if len(text) <= longest else "…" + text[-longest + 1 :]


def sequence_name(tokens: Sequence[int], symbols: Sequence[str], longest: int = 28) -> str:
    """``plain_sequence`` as Plotly text."""
    return html.escape(plain_sequence(tokens, symbols, longest), quote=False)


def probability(log_prob: float) -> str:
    """A probability given by its natural logarithm: four decimals, or a power of ten."""
    if log_prob >= math.log(0.00095):
        return f"{math.exp(log_prob):.4f}".rstrip("0").rstrip(".")
    return decades.number(log_prob / math.log(10))


def short_probability(log_prob: float) -> str:
    """Two digits of a probability, or the nearest power of ten below 0.001: what an edge has room for."""
    if log_prob >= math.log(0.00095):
        return f"{math.exp(log_prob):.2g}"
    return f"≈{decades.power(round(log_prob / math.log(10)))}"
