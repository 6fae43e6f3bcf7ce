"""How models of text look: one colour, dash and marker for each in all figures."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from explorer.figures import style
from explorer.training.text.models import LABELS

_GLYPHS = {"circle": "●", "square": "■", "diamond": "◆", "triangle-up": "▲", "cross": "✚"}


SHORT: dict[str, str] = {
    "tfidf": "TF-IDF",
    "pairs": "pairs",
    "average": "average",
    "convolution": "CNN",
    "lstm": "LSTM",
}
"""Model → a name that fits above a narrow column."""


def check_models(found: Mapping[str, object]) -> None:
    """Raise ValueError for an unknown model."""
    for name in found:
        if name not in LABELS:
            raise ValueError(f"model = {name!r} is not allowed: choose from {', '.join(LABELS)}")


def model_look(name: str) -> tuple[str, str, str]:
    """(colour, dash, marker) of a model."""
    return style.LOOKS[list(LABELS).index(name)]


def model_entry(name: str, more: str = "") -> str:
    """Marker and short name of a model in its colour, for a key or a heading."""
    color, _, symbol = model_look(name)
    return f'<span style="color:{color}">{_GLYPHS[symbol]} {SHORT[name]}{more}</span>'


def percent(share: float | np.ndarray) -> str:
    """A share as whole per cent."""
    return f"{100 * float(share):.0f} %"
