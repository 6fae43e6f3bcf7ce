"""Arrows as wide and as strong in colour as the gradient that comes on them, and the circles they join."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.flow_colors import Span, flow_color, flow_width
from explorer.figures.style import BACKGROUND, COLORS, Figure

Point = tuple[float, float]
LARGE = 20
"""Pixels of a circle; in smaller ones also the letters are smaller."""


@dataclass(frozen=True)
class Arrow:
    """From where to where in data coordinates, the gradient that arrives, and which one it is.

    ``bend`` is how far the line goes aside on its way.
    """

    start: Point
    end: Point
    decades: float
    what: str
    bend: float = 0.0

    @property
    def corners(self) -> list[Point]:
        """The points that the line joins."""
        if not self.bend:
            return [self.start, self.end]
        (x, high), (_, low) = self.start, self.end
        aside, slope = x + self.bend, 0.2 * (high - low)
        return [self.start, (aside, high - slope), (aside, low + slope), self.end]

    @property
    def tip(self) -> Point:
        """Where the arrow's head is: at the end, or half-way along a line that goes aside."""
        return (self.start[0] + self.bend, (self.start[1] + self.end[1]) / 2) if self.bend else self.end


def shaft(arrow: Arrow, span: Span, scale: float = 1.0) -> Figure:
    """The line, ``scale`` times as wide as usual; dotted where nothing or no number comes through."""
    line = {"width": scale * flow_width(arrow.decades, span), "color": flow_color(arrow.decades, span)}
    if not np.isfinite(arrow.decades):
        line = {"width": 1.5, "color": _odd_color(arrow.decades), "dash": "dot"}
    shape: Figure = {"line": line, "layer": "below"}
    if arrow.bend:
        return shape | {"type": "path", "path": "M" + "L".join(f"{x:.6g},{y:.6g}" for x, y in arrow.corners)}
    (x0, y0), (x1, y1) = arrow.corners
    return shape | {"type": "line", "x0": x0, "y0": y0, "x1": x1, "y1": y1}


def heads(arrows: Sequence[Arrow], span: Span, scale: float = 1.0, least: float = 8) -> Figure:
    """The tips, ``least`` pixels or larger, which also carry the numbers for hovering."""
    symbols, colors, sizes, texts = [], [], [], []
    for arrow in arrows:
        level, known = arrow.start[1] == arrow.end[1], bool(np.isfinite(arrow.decades))
        across = "triangle-right" if arrow.end[0] > arrow.start[0] else "triangle-left"
        symbols.append(across if level else "triangle-down")
        colors.append(flow_color(arrow.decades, span) if known else _odd_color(arrow.decades))
        sizes.append(least + scale * flow_width(arrow.decades, span) if known else least)
        texts.append(f"{arrow.what}: {log.number(arrow.decades)}")
    marker = {"symbol": symbols, "size": sizes, "color": colors, "opacity": 1, "line": {"width": 0}}
    ends: Figure = {"x": np.array([a.tip[0] for a in arrows]), "y": np.array([a.tip[1] for a in arrows])}
    looks = {"marker": marker, "hovertext": texts, "hoverinfo": "text", "cliponaxis": False}
    return {"type": "scatter", "mode": "markers"} | ends | looks


def _odd_color(decades: float) -> str:
    """Of an exact 0, and of what is no number."""
    return COLORS["zero" if decades == -np.inf else "not_finite"]


def circles(
    letters: str | list[str], places: Sequence[Point], said: list[str], color: str, size: float = LARGE
) -> Figure:
    """A row of states, inputs or losses with their letters; ``said`` is for hovering."""
    x, y = np.array(places, dtype=float).reshape(-1, 2).T
    ring = {"width": 2, "color": color}
    marker = {"symbol": "circle", "size": size, "color": BACKGROUND, "opacity": 1, "line": ring}
    font = {"size": style.SMALL if size >= LARGE else 11, "color": color}
    text = {"text": letters, "textposition": "middle center", "textfont": font}
    hover = {"hovertext": said, "hoverinfo": "text", "cliponaxis": False}
    return {"type": "scatter", "mode": "markers+text", "x": x, "y": y, "marker": marker} | text | hover


def scale_note(span: Span) -> Figure:
    """What the thinnest and the widest arrow stand for."""
    text = f"thin {log.power(int(span[0]))} … wide {log.power(int(span[1]))} · dotted: exactly 0"
    place: Figure = {"xanchor": "right", "yanchor": "bottom", "yshift": 3}
    return style.note(text, 1, 1, paper=True, **place)
