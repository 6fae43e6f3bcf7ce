"""Texts of several strategies by two numbers: how surprised the model is, and how much is repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.style import LOOKS, TEXT, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

REAL = "real text"
_GLYPHS = {"circle": "●", "square": "■", "diamond": "◆", "triangle-up": "▲", "cross": "✚", "x": "✖"}
_GLYPHS |= {"star": "★", "hexagon": "⬢"}


@dataclass(frozen=True)
class TextNumbers:
    """Bits a token of a text under the model, and the share of its 4-grams that stood there before."""

    label: str
    bits: float
    repeated: float


def repeated_share(tokens: Sequence[int], order: int = 4) -> float:
    """1 − different n-grams / n-grams; 0 for fewer than n tokens."""
    grams = [tuple(tokens[at : at + order]) for at in range(len(tokens) - order + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def sampled_texts(found: Sequence[TextNumbers]) -> Figure:
    """A point for each strategy; the real text is the one to come near to."""
    data: list[Figure] = []
    entries: list[str] = []
    for k, one in enumerate(found):
        color, _, symbol = LOOKS[k % len(LOOKS)]
        if one.label == REAL:
            color, symbol = TEXT, "hexagon"
        marker = {"size": 16, "color": color, "symbol": symbol, "line": {"width": 2, "color": color}}
        hover = f"{one.label}<br>%{{x:.2f}} bits a token<br>%{{y:.0f}} % repeated<extra></extra>"
        point: Figure = {"type": "scatter", "mode": "markers", "name": one.label, "marker": marker}
        point |= {"x": np.array([one.bits]), "y": np.array([100 * one.repeated])}
        data.append(point | {"cliponaxis": False, "hovertemplate": hover})
        said = f"{_GLYPHS[symbol]} {one.label}"
        entries.append(said if color == TEXT else f'<span style="color:{color}">{said}</span>')
    most = max([one.bits for one in found], default=1.0) or 1.0
    place: Figure = {"xanchor": "left", "yanchor": "middle", "align": "left", "color": TEXT}
    layout = style.layout(
        "sampled_texts",
        xaxis=style.axis("bits a token", -0.03 * most, 1.05 * most, nticks=6, domain=[0, 0.66]),
        yaxis=style.axis("repeated 4-grams in %", -5, 105, nticks=6),
        annotations=[style.note("<br>".join(entries), 0.69, 0.5, paper=True, **place)],
        hovermode="closest",
        margin=style.MARGIN | {"t": 12},
        meta={"x": "bits a token", "y": "repeated 4-grams in per cent"},
    )
    return {"data": data, "layout": layout}


def sampled_texts_alt(found: Sequence[TextNumbers]) -> str:
    """One sentence with the numbers of ``sampled_texts``."""
    said = [f"{one.label} {one.bits:.2f} bits and {100 * one.repeated:.0f} %" for one in found]
    return f"Bits a token and repeated 4-grams: {'; '.join(said)}."


def plot_sampled_texts(found: Sequence[TextNumbers], *, dark: bool = False) -> go.Figure:
    """Texts by bits a token and repetition."""
    return style.themed(sampled_texts(found), dark)
