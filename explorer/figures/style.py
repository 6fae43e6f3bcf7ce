"""How all figures look: colours that everybody can tell apart, line widths, axes, and the two themes.

Builders return plain dicts whose colours may be tokens such as ``token:text``. The page replaces them in the
browser; ``themed`` replaces them for notebooks and image files.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go

Figure = dict[str, Any]

# ---- colours: Okabe & Ito's, moved until each has a contrast of 3 or more on white and on near-black ----

BLUE, VERMILLION, GREEN, OCHRE = "#1F7FC4", "#D55E00", "#009E73", "#B57A00"
PURPLE, WINE, VIOLET, GREY = "#BF65A0", "#C2476B", "#8272C8", "#7F8790"
TEXT, MUTED, GRID, BACKGROUND = "token:text", "token:muted", "token:grid", "token:background"
CLEAR = "rgba(0,0,0,0)"

COLORS: dict[str, str] = {
    "h": BLUE,
    "c": VERMILLION,
    "bound": TEXT,
    "closed_form": PURPLE,
    "slope": OCHRE,
    "matrix": GREEN,
    "loss": VIOLET,
    "total": TEXT,
    "zero": OCHRE,
    "not_finite": VERMILLION,
    "direct": VERMILLION,
    "full": BLUE,
    "below": GREEN,
}
"""Meaning → colour."""
GHOSTS: tuple[tuple[str, str], ...] = (
    (GREEN, "dashdot"),
    (OCHRE, "longdash"),
    (WINE, "longdashdot"),
    (VIOLET, "dot"),
)
"""(colour, dash) of the pinned curves 1 to 4."""
GATES: dict[str, tuple[str, str]] = {
    "input": (GREEN, "dash"),
    "forget": (BLUE, "solid"),
    "output": (PURPLE, "dashdot"),
    "cell": (OCHRE, "dot"),
    "reset": (GREEN, "dash"),
    "update": (BLUE, "solid"),
    "new": (OCHRE, "dot"),
    "candidate": (OCHRE, "dot"),
}
"""Gate → (colour, dash); gates of further cells get the ghosts' looks."""
LOOKS: tuple[tuple[str, str, str], ...] = (
    (BLUE, "solid", "circle"),
    (VERMILLION, "dash", "square"),
    (GREEN, "dashdot", "diamond"),
    (OCHRE, "longdash", "triangle-up"),
    (PURPLE, "dot", "cross"),
    (GREY, "longdashdot", "x"),
    (WINE, "solid", "star"),
    (VIOLET, "dash", "hexagon"),
)
"""(colour, dash, marker) of up to eight curves that are compared as equals."""
LABELS: dict[str, str] = {
    "input": "input i",
    "forget": "forget f",
    "output": "output o",
    "cell": "candidate g",
    "reset": "reset r",
    "update": "update z",
    "new": "candidate n",
    "active": "active m",
    "c": "cell c",
    "h": "state h",
}
"""Gate or state → its name with the letter of the equations; further ones go by their own name."""
THEMES: dict[bool, dict[str, str]] = {
    False: {"text": "#1B1F24", "muted": "#636669", "grid": "#DDDDDE", "background": "#FFFFFF"},
    True: {"text": "#EEF2F6", "muted": "#A7ACB1", "grid": "#32373E", "background": "#11151C"},
}
"""Dark? → token → colour, as ``.streamlit/config.toml`` has them."""

WIDTH, THIN = 3.5, 2.5
FONT, SMALL = 16, 14
MARGIN = {"l": 56, "r": 18, "t": 8, "b": 44}


def gate_look(gate: str, place: int = 0) -> tuple[str, str]:
    """(colour, dash) of a gate."""
    return GATES.get(gate, GHOSTS[place % len(GHOSTS)])


def translucent(color: str, opacity: float) -> str:
    """A ``#rrggbb`` colour with an opacity; tokens have none."""
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


# ---- parts of a layout ----


def layout(name: str, **parts: Any) -> Figure:
    """What all figures share; ``name`` decides when a reader's zoom is forgotten."""
    return {"uirevision": name, "font": {"size": FONT}, "margin": dict(MARGIN), "showlegend": False} | parts


def axis(title: str, low: float, high: float, **parts: Any) -> Figure:
    """An axis of fixed range with a short title."""
    shared = {"range": [float(low), float(high)], "automargin": True, "zeroline": False}
    return {"title": {"text": title, "standoff": 4}} | shared | parts


def time_axis(last: float, first: float = 0, **parts: Any) -> Figure:
    """Time steps; half a step of room keeps the first and the last marker whole."""
    room = max(0.5, 0.01 * last)
    shared = {"ticklabeloverflow": "allow"} | whole_ticks(last - first)
    return axis("time step t", first - room, last + room, **shared) | parts


def unit_axis(title: str, size: int, **parts: Any) -> Figure:
    """The rows of a heat map of ``size`` units."""
    return axis(title, -0.5, size - 0.5, showgrid=False, **(whole_ticks(size) or {"nticks": 5})) | parts


def whole_ticks(count: float) -> Figure:
    """Steps and units are counted: a short axis gets a tick for each and no halves."""
    return {"dtick": 1, "tickformat": "d"} if count < 10 else {}


def top_legend(**parts: Any) -> Figure:
    """One row above the plot; leave a top margin of ``LEGEND_TOP``."""
    font = {"size": SMALL}
    place = {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "bgcolor": CLEAR, "font": font}
    return place | {"itemwidth": 30, "tracegroupgap": 4} | parts


LEGEND_TOP = 30
_GLYPHS = {
    "solid": "━━",
    "dash": "━ ━",
    "dot": "▪▪▪",
    "dashdot": "━▪━",
    "thin": "──",
    "bar": "■",
    "point": "●",
    "ring": "○",
    "cross": "✕",
}


def key(*entries: tuple[str, str, str]) -> Figure:
    """A legend of one line that never wraps: (label, colour, dash) in the curves' colours, above the plot.

    Plotly's own legend takes up to four lines in a small figure. Leave a top margin of ``LEGEND_TOP``.
    """
    parts = []
    for label, color, dash in entries:
        text = f"{_GLYPHS.get(dash, '━━')} {label}"
        parts.append(text if color == TEXT else f'<span style="color:{color}">{text}</span>')
    place = {"xanchor": "right", "yanchor": "bottom", "yshift": 3}
    return note("  ".join(parts), 1, 1, paper=True, color=TEXT, **place)


def note(text: str, x: float, y: float, *, paper: bool = False, color: str = MUTED, **parts: Any) -> Figure:
    """A short text inside the plot, in data coordinates or (``paper``) in shares of the plot."""
    where = {"xref": "paper", "yref": "paper"} if paper else {"xref": "x", "yref": "y"}
    font = {"size": SMALL, "color": color}
    return {"text": text, "x": x, "y": y, "showarrow": False, "font": font} | where | parts


def message(text: str) -> Figure:
    """A sentence where a figure would stand."""
    hidden = {"visible": False, "fixedrange": True}
    said = note(text, 0.5, 0.5, paper=True)
    return {"data": [], "layout": layout(f"message:{text}", xaxis=hidden, yaxis=hidden, annotations=[said])}


# ---- themes ----


def with_colors(node: Any, colors: dict[str, str]) -> Any:
    """A copy of a figure's dict with all tokens replaced."""
    if isinstance(node, str):
        return colors.get(node[6:], node) if node.startswith("token:") else node
    if isinstance(node, dict):
        return {name: with_colors(child, colors) for name, child in node.items()}
    if isinstance(node, list | tuple):
        return [with_colors(child, colors) for child in node]
    return node


@cache
def _template(dark: bool) -> Figure:
    theme = THEMES[dark]
    line = {"linecolor": theme["muted"], "tickcolor": theme["muted"], "gridcolor": theme["grid"]}
    side = line | {"ticks": "outside", "ticklen": 4, "zerolinecolor": theme["muted"], "automargin": True}
    return {
        "layout": {
            "font": {"family": "Source Sans Pro, sans-serif", "size": FONT, "color": theme["text"]},
            "paper_bgcolor": theme["background"],
            "plot_bgcolor": theme["background"],
            "xaxis": side,
            "yaxis": side,
            "hoverlabel": {"bgcolor": theme["background"], "font": {"color": theme["text"]}},
        },
        "data": {"heatmap": [{"colorbar": {"outlinewidth": 0, "thickness": 12}}]},
    }


def themed(figure: Figure, dark: bool = False) -> go.Figure:
    """A builder's dict as a validated Plotly figure in our light or dark template."""
    import plotly.graph_objects as go

    plain = with_colors(figure, THEMES[dark])
    return go.Figure(plain["data"], plain["layout"] | {"template": _template(dark)})
