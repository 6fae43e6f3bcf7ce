"""How figures of the cliff look: kinds of clipping, the window, colours of the loss, points as text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.style import GREEN, OCHRE, PURPLE, TEXT, VERMILLION, Figure

if TYPE_CHECKING:
    from explorer.theory.cliff import Descent

Point = tuple[float, float]
"""(w, b)."""
Span = tuple[float, float]
WINDOW: tuple[Span, Span] = ((0.0, 10.0), (-8.0, 5.0))
"""Weights and biases of the whole plane."""
CLIP_LOOKS: dict[str, tuple[str, str, str, str]] = {
    "none": ("not clipped", VERMILLION, "solid", "diamond"),
    "norm": ("by norm", GREEN, "dash", "square"),
    "value": ("by value", PURPLE, "dot", "triangle-up"),
}
"""Kind of clipping → (name, colour, dash, marker) in all figures of clipping."""
LOSS_COLORS = [[0.0, "#0E3557"], [0.5, "#2F86C6"], [1.0, "#D3E8F7"]]
"""The same in both themes: what is drawn on them has a white and a black rim."""
_BAR = 48  # pixels that a colour bar takes
_GLYPHS = {"diamond": "◆", "square": "■", "triangle-up": "▲"}


def clip_entry(kind: str, text: str) -> str:
    """A text behind the marker of a kind of clipping, in its colour."""
    _, color, _, symbol = CLIP_LOOKS[kind]
    return f'<span style="color:{color}">{_GLYPHS[symbol]} {text}</span>'


def clip_key(*kinds: str, before: str = "", flat: bool = True) -> Figure:
    """Marker and name of each kind of clipping, above the plot; leave a top margin of ``LEGEND_TOP``.

    On a flat map "here" is a ring, and the edge is a line; on a surface "here" is a pin.
    """
    pin, edge = (f'<span style="color:{OCHRE}">{text}</span>' for text in ("● here", "━ ━ edge"))
    parts = [clip_entry(kind, before + CLIP_LOOKS[kind][0]) for kind in kinds]
    parts = ["○ here", *parts, edge] if flat else [pin, *parts]
    place: Figure = {"xanchor": "right", "yanchor": "bottom", "yshift": 3, "xshift": _BAR if flat else 0}
    return style.note("  ".join(parts), 1, 1, paper=True, color=TEXT, **place)


def share_inside(start: np.ndarray, end: np.ndarray, window: tuple[Span, Span] = WINDOW) -> float:
    """How much of the way from a point inside the window to another one lies inside, from 0 to 1."""
    share = 1.0
    for at, to, (low, high) in zip(start, end, window, strict=True):
        if to < low or to > high:
            share = min(share, float(((low if to < low else high) - at) / (to - at)))
    return max(share, 0.0)


def written(point: Point | np.ndarray, start: Point | np.ndarray) -> str:
    """A point as "(9.12, 4.00)", with as many decimals as its distance from the start calls for."""
    step = math.hypot(point[0] - start[0], point[1] - start[1])
    digits = min(max(2, 1 + math.ceil(-math.log10(step) - 1e-3)), 6) if step > 1e-6 else 3
    return f"({', '.join(_number(float(value), digits) for value in point)})"


def _number(value: float, digits: int) -> str:
    if abs(value) < 1e4:
        return f"{value:.{digits}f}".replace("-", "−")
    return f"{'−' if value < 0 else ''}{log.number(math.log10(abs(value)))}"


def landing_words(steps: Mapping[str, Descent]) -> str:
    """One sentence: where one step ends with each kind of clipping."""
    w, b = steps["none"].points[0]
    said = [
        f"{written(step.points[-1], (w, b))} {'' if kind == 'none' else 'clipped '}{CLIP_LOOKS[kind][0]}"
        for kind, step in steps.items()
    ]
    return f"One step from w = {w:.4g}, b = {b:.4g} ends at {', '.join(said)}."
