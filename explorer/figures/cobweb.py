"""One unit as a map of the line into itself: curve, diagonal, cobweb of an orbit, fixed points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.activations import ACTIVATIONS
from explorer.figures import style
from explorer.figures.style import BLUE, GREEN, GREY, MUTED, OCHRE, VERMILLION, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.theory.fixed_points import FixedPoints

COBWEB_TRACES = {"map": 0, "diagonal": 1, "cobweb": 2, "stable": 3, "unstable": 4, "neutral": 5}
POINT_LOOKS = {
    "stable": (GREEN, "circle"),
    "unstable": (VERMILLION, "circle-open"),
    "neutral": (GREY, "circle-open-dot"),
}
"""Kind of fixed point → (colour, marker)."""
_POINTS = 401


def cobweb(weight: float, bias: float, activation: str, orbit: np.ndarray, points: FixedPoints) -> Figure:
    """h → φ(w·h + b) with the staircase of an orbit and the factor at every fixed point.

    Args:
        weight: w.
        bias: b.
        activation: name of φ.
        orbit: h_0 … h_T, [T+1]; states beyond the axes are cut off.
        points: fixed points of this weight, [3] each; filled if stable, open if not.
    """
    phi = ACTIVATIONS[activation]
    low, high = _ends(phi.range, orbit, points)
    h = np.linspace(low, high, _POINTS)
    steps = orbit[np.isfinite(orbit)]
    hover = {"hovertemplate": "h = %{x:.4g}<br>next h = %{y:.4g}<extra></extra>"}
    lines = {"type": "scatter", "mode": "lines"}
    data: list[Figure] = [
        lines
        | hover
        | {"x": h, "y": np.asarray(phi.function(weight * h + bias)), "name": "map"}
        | {"line": {"color": BLUE, "width": style.WIDTH, "simplify": False}},
        lines
        | {"x": np.array([low, high]), "y": np.array([low, high]), "name": "diagonal", "hoverinfo": "skip"}
        | {"line": {"color": MUTED, "width": style.THIN, "dash": "dash"}},
        lines
        | {
            "x": np.repeat(steps, 2)[:-1],
            "y": np.append(steps[:1], np.repeat(steps[1:], 2)),
            "name": "cobweb",
        }
        | {"line": {"color": OCHRE, "width": style.THIN}, "hoverinfo": "skip"},
    ]
    for name, (color, symbol) in POINT_LOOKS.items():
        mask = points.kinds == name
        at = points.states[mask]
        marker = {"symbol": symbol, "size": 14, "color": color, "line": {"width": 3, "color": color}}
        data.append(
            {"type": "scatter", "mode": "markers", "x": at, "y": at, "name": name, "marker": marker}
            | {"customdata": points.factors[mask]}
            | {"hovertemplate": "h* = %{x:.4g}<br>factor %{customdata:.4g}<extra></extra>"}
        )
    notes = _factors(points)
    if points.continuum:
        place: Figure = {"paper": True, "xanchor": "right", "yanchor": "bottom", "bgcolor": style.BACKGROUND}
        notes = [style.note("every h on the diagonal is a fixed point, factor 1", 1, 0.02, **place)]
    key = style.key(("cobweb", OCHRE, "solid"), ("stable", GREEN, "point"))
    key["text"] += f'  <span style="color:{VERMILLION}">○ unstable</span>'
    axis = {"nticks": 5, "zeroline": True, "zerolinecolor": style.GRID}
    layout = style.layout(
        f"cobweb:{activation}",
        xaxis=style.axis("h<sub>t</sub>", low, high, **axis),
        yaxis=style.axis("h<sub>t+1</sub>", low, high, **axis),
        annotations=[*notes, key],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
        meta={"x": "h", "y": "next h"},
    )
    return {"data": data, "layout": layout}


def _ends(bounds: tuple[float, float], orbit: np.ndarray, points: FixedPoints) -> tuple[float, float]:
    """The range of φ, or where it is infinite, room around fixed points and start."""
    reach = 1.25 * np.nanmax(np.abs(np.append(points.states, orbit[0])), initial=1.0)
    low, high = (end if np.isfinite(end) else np.copysign(reach, end) for end in bounds)
    low, high = min(low, float(orbit[0])), max(high, float(orbit[0]))
    room = 0.08 * (high - low)
    return low - room, high + room


def _factors(points: FixedPoints) -> list[Figure]:
    """The factor beside every fixed point, where neither map nor diagonal passes."""
    known = np.flatnonzero(np.isfinite(points.states))
    notes = []
    for place in known:
        at, factor, kind = float(points.states[place]), float(points.factors[place]), points.kinds[place]
        if factor < 0:
            where: Figure = {"xanchor": "left", "yanchor": "middle", "xshift": 14}
        elif kind == "unstable":
            where = {"xanchor": "left", "yanchor": "top", "xshift": 8, "yshift": -6}
        elif len(known) == 3 and place == 2:
            where = {"xanchor": "center", "yanchor": "top", "yshift": -14}
        elif len(known) == 3:
            where = {"xanchor": "center", "yanchor": "bottom", "yshift": 14}
        else:
            where = {"xanchor": "right", "yanchor": "bottom", "xshift": -4, "yshift": 10}
        where |= {"color": POINT_LOOKS[kind][0], "bgcolor": style.BACKGROUND}
        notes.append(style.note(f"× {_short(factor)}", at, at, **where))
    return notes


def _short(value: float) -> str:
    """Three digits, a real minus sign."""
    return f"{value:.3g}".replace("-", "−")


def cobweb_alt(points: FixedPoints) -> str:
    """One sentence with the numbers of ``cobweb``."""
    if points.continuum:
        return "Every state of an interval is a fixed point with factor 1."
    known = np.flatnonzero(np.isfinite(points.states))
    if not len(known):
        return "There is no fixed point."
    numbers = (
        (_short(float(points.states[k])), points.kinds[k], _short(float(points.factors[k]))) for k in known
    )
    said = [f"h = {state} ({kind}, factor {factor})" for state, kind, factor in numbers]
    return f"Fixed points: {', '.join(said)}."


def plot_cobweb(
    weight: float,
    bias: float = 0.0,
    *,
    activation: str = "tanh",
    start: float = 0.1,
    steps: int = 40,
    dark: bool = False,
) -> go.Figure:
    """The cobweb of one unit from h_0 = ``start``."""
    from explorer.theory.fixed_points import fixed_points, orbit

    states = orbit(weight, bias, start, steps, activation)[0]
    points = fixed_points(weight, bias, activation)
    return style.themed(cobweb(weight, bias, activation, states, points), dark)
