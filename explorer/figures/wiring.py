"""One wiring of a cell: which states read, which are read, and how much gradient comes on each way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.flow_colors import Span, flow_color, flow_span, flow_width
from explorer.figures.style import BACKGROUND, COLORS, MUTED, TEXT, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.lessons.wirings import Wiring

Point = tuple[float, float]
_GAP = 0.27  # between a node's centre and an arrow's end, in rows
_ROOM = 0.25  # the same along the row, in columns
_THIN = 0.5  # of the usual width: there are many arrows in little room
_UP = 1.6  # how much higher a decoder stands than the encoder, in rows
WIRING_TRACES = {"heads": 0, "states": 1, "inputs": 2, "losses": 3}


@dataclass(frozen=True)
class _Way:
    """An arrow from where to where, the gradient that comes on it, and what it is."""

    start: Point
    end: Point
    decades: float
    what: str


def wiring_span(*wirings: Wiring) -> Span:
    """Ends of the scale of widths and colours for several wirings that shall be compared."""
    parts = [part for w in wirings for part in (w.along, w.losses, w.inputs, w.shortcuts)]
    return flow_span(*parts)


def wiring(found: Wiring, span: Span | None = None, *, key: bool = True) -> Figure:
    """States in the middle row, inputs below, losses above; arrows in the direction of the gradient.

    An arrow is as wide and as strong in colour as the gradient that comes on it; dotted is exactly 0. What is
    not read and has no loss has no node there. ``key`` says what thin and wide mean.
    """
    count, span = len(found.states), span or wiring_span(found)
    ways = _ways(found)
    reads, read = np.isfinite(found.inputs) | (found.inputs == -np.inf), ~np.isnan(found.losses)
    y = _heights(found)
    hidden: Figure = {"visible": False, "fixedrange": True}
    layout = style.layout(
        f"wiring:{count}:{found.states[-1]}",
        meta={"x": "state in the order of computing", "y": "row: input, state, loss"},
        xaxis={"range": [-0.6, count - 0.4], **hidden},
        yaxis={"range": [-0.3, 1.3 + y.max()], **hidden},
        shapes=[_shaft(way, span) for way in ways],
        annotations=[_scale_note(span)] if key else [],
        margin={"l": 8, "r": 8, "t": style.LEGEND_TOP, "b": 8},
        hovermode="closest",
    )
    letters = ["y" if found.states[at].startswith("s") else "x" for at in np.flatnonzero(reads)]
    size = 22 if count < 12 else 18
    x = np.arange(count)
    said = [
        f"∂L/∂{name} = {log.number(float(d))}" for name, d in zip(found.states, found.reached, strict=True)
    ]
    data = [
        _heads(ways, span),
        _circles(list(found.states), x, y, said, TEXT, size),
        _circles(letters, x[reads], y[reads] - 1, ["input"] * len(letters), MUTED, size),
        _circles(["L"] * len(x[read]), x[read], y[read] + 1, ["loss"] * len(x[read]), COLORS["loss"], size),
    ]
    return {"data": data, "layout": layout}


def _heights(found: Wiring) -> np.ndarray:
    """The row of each state, [n]: those of a decoder stand higher."""
    return np.array([1.0 + _UP * name.startswith("s") for name in found.states])


def _ways(found: Wiring) -> list[_Way]:
    """All arrows: down from losses, back along the row, down to inputs, and over to what was looked at."""
    ways, y = [], _heights(found).tolist()
    ends: tuple[Point, Point]
    for at, name in enumerate(found.states):
        if not np.isnan(found.losses[at]):
            ends = (at, y[at] + 1 - _GAP), (at, y[at] + _GAP)
            ways.append(_Way(*ends, found.losses[at], f"from the loss into {name}"))
        if not np.isnan(found.along[at]):
            ends = (at + 1 - _ROOM, y[at + 1]), (at + _ROOM, y[at])
            ways.append(_Way(*ends, found.along[at], f"from {found.states[at + 1]} into {name}"))
        if not np.isnan(found.inputs[at]):
            ends = (at, y[at] - _GAP), (at, y[at] - 1 + _GAP)
            ways.append(_Way(*ends, found.inputs[at], f"from {name} into its input"))
    for j, i in np.argwhere(~np.isnan(found.shortcuts)).tolist():
        what = f"from the look of {found.states[j]} into {found.states[i]}"
        ends = (j - 0.6 * _ROOM, y[j] - 0.9 * _GAP), (i, y[i] + _GAP)
        ways.append(_Way(*ends, found.shortcuts[j, i], what))
    return sorted(ways, key=lambda way: way.decades)  # the strongest on top


def _shaft(way: _Way, span: Span) -> Figure:
    known = np.isfinite(way.decades)
    line = {"width": _THIN * flow_width(way.decades, span), "color": flow_color(way.decades, span)}
    if not known:
        line = {"width": 1.5, "color": COLORS["zero"], "dash": "dot"}
    shape: Figure = {"line": line, "layer": "below"}
    (x0, y0), (x1, y1) = way.start, way.end
    return shape | {"type": "line", "x0": x0, "y0": y0, "x1": x1, "y1": y1}


def _heads(ways: list[_Way], span: Span) -> Figure:
    """The tips, which also carry the numbers for hovering."""
    known = [bool(np.isfinite(way.decades)) for way in ways]
    marker = {
        "symbol": ["triangle-left" if w.start[1] == w.end[1] else "triangle-down" for w in ways],
        "size": [
            7 + _THIN * flow_width(w.decades, span) if k else 7 for w, k in zip(ways, known, strict=True)
        ],
        "color": [
            flow_color(w.decades, span) if k else COLORS["zero"] for w, k in zip(ways, known, strict=True)
        ],
        "opacity": 1,
        "line": {"width": 0},
    }
    ends: Figure = {"x": np.array([w.end[0] for w in ways]), "y": np.array([w.end[1] for w in ways])}
    hover = {"hovertext": [f"{w.what}: {log.number(float(w.decades))}" for w in ways], "hoverinfo": "text"}
    return {"type": "scatter", "mode": "markers", "marker": marker, "cliponaxis": False} | ends | hover


def _circles(
    names: list[str], x: np.ndarray, y: np.ndarray, said: list[str], color: str, size: int
) -> Figure:
    marker = {
        "symbol": "circle",
        "size": size,
        "color": BACKGROUND,
        "opacity": 1,
        "line": {"width": 2, "color": color},
    }
    font = {"size": style.SMALL if size > 20 else 11, "color": color}
    text: Figure = {"text": names, "textposition": "middle center", "textfont": font}
    place: Figure = {"x": x.astype(float), "y": y}
    hover = {"hovertext": said, "hoverinfo": "text", "cliponaxis": False}
    return {"type": "scatter", "mode": "markers+text", "marker": marker} | place | text | hover


def _scale_note(span: Span) -> Figure:
    text = f"thin {log.power(int(span[0]))} … wide {log.power(int(span[1]))} · dotted: exactly 0"
    place: Figure = {"xanchor": "right", "yanchor": "bottom", "yshift": 3}
    return style.note(text, 1, 1, paper=True, **place)


def wiring_alt(found: Wiring) -> str:
    """One sentence with the counts and the gradient of the first state."""
    reads, read = int((~np.isnan(found.inputs)).sum()), int((~np.isnan(found.losses)).sum())
    return (
        f"{reads} of {len(found.states)} states read an input and {read} are read by a loss; "
        f"{found.states[0]} receives a gradient of {log.number(float(found.reached[0]))}."
    )


def plot_wiring(found: Wiring, *, dark: bool = False) -> go.Figure:
    """A wiring of ``explorer.lessons.wirings``."""
    return style.themed(wiring(found), dark)
