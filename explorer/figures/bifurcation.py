"""Fixed points of one unit over its weight, and the factor of the gradient there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.style import BLUE, GREY, MUTED, PURPLE, VERMILLION, Figure
from explorer.theory.fixed_points import kinds

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.theory.fixed_points import Bifurcation, FixedPoints

BIFURCATION_TRACES = {"stable": 0, "unstable": 2, "neutral": 4, "cycle of two": 6, "now": 7}
"""The first trace of each kind: states; the trace behind it holds factors."""
_LOOKS = {
    "stable": (BLUE, "solid", "circle"),
    "unstable": (VERMILLION, "dash", "circle-open"),
    "neutral": (GREY, "dot", "circle-open-dot"),
}
_DOMAINS = ((0.47, 1.0), (0.0, 0.38))
_TALLEST = 2.2  # of the factors' axis


def bifurcation(found: Bifurcation, weight: float, points: FixedPoints) -> Figure:
    """h* over w above, its factor w·φ′ over w below.

    Args:
        found: the curves.
        weight: the present weight, marked by a line.
        points: its fixed points, [3] each: filled markers are stable, open ones are not.
    """
    of_curve, now = kinds(found.growth), np.isfinite(points.states)
    data: list[Figure] = []
    for kind, (color, dash, _) in _LOOKS.items():
        shown = _with_next(of_curve == kind)
        for axis, values in (("y", found.state), ("y2", found.factor)):
            data.append(_curve(kind, found.weight, np.where(shown, values, np.nan), color, dash, axis))
    cycles = np.vstack([found.cycles.states, [[np.nan] * 2]]).T.ravel()
    twice = np.tile(np.append(found.cycle_weight, np.nan), 2)
    data.append(_curve("cycle of two", twice, cycles, PURPLE, "dashdot", "y"))
    looks = [_LOOKS[kind] for kind in points.kinds[now]]
    colors, symbols = [color for color, _, _ in looks], [symbol for _, _, symbol in looks]
    marker = {"size": 13, "color": colors, "symbol": symbols, "line": {"width": 3, "color": colors}}
    factors = points.factors[now]
    for axis, values in (("y", points.states[now]), ("y2", np.clip(factors, -_TALLEST, _TALLEST))):
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": "now",
                "x": np.full(len(values), weight),
                "y": values,
            }
            | {"marker": marker, "yaxis": axis, "customdata": factors}
            | {"hovertemplate": "w = %{x:.3g}<br>factor %{customdata:.4g}<extra></extra>"}
        )
    low, high = _range(np.concatenate([found.state, cycles]))
    reached = np.clip(found.factor[np.isfinite(found.factor)], -_TALLEST, _TALLEST)
    bottom, top = reached.min(initial=0.0), reached.max(initial=0.0)
    bottom, top = min(bottom, -0.15) - 0.1, max(top, 1.15) + 0.1
    line = {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "yref": "y2", "layer": "below"}
    dotted = {"color": MUTED, "width": 1.5, "dash": "dot"}
    shapes = [line | {"y0": y, "y1": y, "line": dotted} for y in (1, -1) if bottom < y < top]
    here = {"type": "line", "x0": weight, "x1": weight, "yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
    shapes.append(here | {"line": {"color": MUTED, "width": 1.5}})
    drawn = of_curve[1:][of_curve[1:] == of_curve[:-1]]
    entries = [(kind, color, dash) for kind, (color, dash, _) in _LOOKS.items() if kind in drawn]
    if np.isfinite(cycles).any():
        entries.append(("cycle of two", PURPLE, "dashdot"))
    first, last = found.cycle_weight[[0, -1]]
    room = 0.015 * (last - first)
    layout = style.layout(
        f"bifurcation:{first:g}:{last:g}",
        xaxis=style.axis("weight w", first - room, last + room, nticks=8, anchor="y2"),
        yaxis=style.axis("h*", low, high, domain=list(_DOMAINS[0]), nticks=5, anchor="x"),
        yaxis2=style.axis("factor", bottom, top, domain=list(_DOMAINS[1]), dtick=1, anchor="x"),
        shapes=shapes,
        annotations=[style.key(*entries)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
        meta={"x": "weight w", "y": "fixed point h* (factor: w times the slope there)"},
    )
    return {"data": data, "layout": layout}


def _curve(name: str, x: np.ndarray, y: np.ndarray, color: str, dash: str, axis: str) -> Figure:
    line = {"color": color, "dash": dash, "width": style.WIDTH, "simplify": False}
    curve = {"type": "scatter", "mode": "lines", "name": name, "x": x, "y": y, "line": line, "yaxis": axis}
    return curve | {"hovertemplate": f"w = %{{x:.3g}}<br>{name}: %{{y:.4g}}<extra></extra>"}


def _with_next(mask: np.ndarray) -> np.ndarray:
    """The mask and the point behind each run, so that the pieces of a curve meet."""
    wide = mask.copy()
    wide[1:] |= mask[:-1]
    return wide


def _range(states: np.ndarray) -> tuple[float, float]:
    """Room around all states, at most ±5: unbounded units go to infinity at w = 1."""
    known = np.clip(states[np.isfinite(states)], -5, 5)
    low, high = float(known.min(initial=0.0)), float(known.max(initial=0.0))
    room = 0.06 * (high - low) or 1.0
    return low - room, high + room


def bifurcation_alt(found: Bifurcation, weight: float, points: FixedPoints) -> str:
    """One sentence with the numbers of ``bifurcation``."""
    known = points.kinds != ""
    pairs = zip(points.kinds[known], points.factors[known], strict=True)
    said = " and ".join(f"one {kind} with factor {factor:.3g}" for kind, factor in pairs)
    first, last = found.cycle_weight[[0, -1]]
    return f"Weights from {first:g} to {last:g}; fixed points at w = {weight:g}: {said or 'none'}."


def plot_bifurcation(
    weight: float = 1.5,
    bias: float = 0.0,
    *,
    activation: str = "tanh",
    span: tuple[float, float] = (-3.0, 3.0),
    dark: bool = False,
) -> go.Figure:
    """Fixed points of one unit for weights in ``span``."""
    from explorer.theory.fixed_points import bifurcation as measure
    from explorer.theory.fixed_points import fixed_points

    found = measure(np.linspace(*span, 301), bias, activation)
    return style.themed(bifurcation(found, weight, fixed_points(weight, bias, activation)), dark)
