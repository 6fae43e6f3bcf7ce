"""Two units in the plane of their states: where steps lead, trajectories, fixed points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.style import BLUE, GREEN, GREY, MUTED, OCHRE, PURPLE, VERMILLION, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.theory.two_units import TwoUnitFixedPoints

PORTRAIT_TRACES = {"direction": 0, "trajectories": 1, "chosen": 2, "fixed points": 3}
KIND_LOOKS: dict[str, tuple[str, str]] = {
    "stable node": (GREEN, "circle"),
    "stable spiral": (GREEN, "circle"),
    "saddle": (PURPLE, "diamond-open"),
    "unstable node": (VERMILLION, "circle-open"),
    "unstable spiral": (VERMILLION, "circle-open"),
    "neutral": (GREY, "circle-open-dot"),
}
"""Kind of fixed point → (colour, marker)."""
_GLYPHS = {"circle": "●", "circle-open": "○", "diamond-open": "◇", "circle-open-dot": "◉"}
_BARB = 0.35  # of the length of an arrow
_LIMIT = 1.12


def phase_portrait(
    points: TwoUnitFixedPoints,
    states: np.ndarray,
    field: tuple[np.ndarray, np.ndarray],
    *,
    chosen: int = 0,
) -> Figure:
    """Both states of two tanh units.

    Args:
        points: all fixed points.
        states: trajectories [T+1, S, 2]; steps are joined by straight lines.
        field: a square grid of states [P², 2] and the change of each in one step.
        chosen: the trajectory that is drawn stronger, with its steps.
    """
    others = np.delete(states, chosen, axis=1)
    gap = np.full((1, others.shape[1], 2), np.nan)
    lines = np.concatenate([others, gap]).transpose(1, 0, 2).reshape(-1, 2)
    arrows = _arrows(*field)
    one = states[:, chosen]
    sizes = np.where(np.arange(len(one)) == 0, 12, 6)
    looks = [KIND_LOOKS[kind] for kind in points.kinds]
    colors = [color for color, _ in looks]
    marker = {"size": 13, "color": colors, "symbol": [symbol for _, symbol in looks]}
    said = [
        f"{kind}<br>spectral radius {radius:.4g}"
        for kind, radius in zip(points.kinds, points.radii, strict=True)
    ]
    curve = {"type": "scatter", "mode": "lines", "hoverinfo": "skip"}
    data: list[Figure] = [
        curve
        | {"x": arrows[:, 0], "y": arrows[:, 1], "name": "direction"}
        | {"line": {"color": MUTED, "width": 1}, "opacity": 0.7},
        curve
        | {"x": lines[:, 0], "y": lines[:, 1], "name": "trajectories"}
        | {"line": {"color": BLUE, "width": 1.5, "simplify": False}, "opacity": 0.6},
        curve
        | {"x": one[:, 0], "y": one[:, 1], "name": "chosen", "mode": "lines+markers", "hoverinfo": "all"}
        | {"line": {"color": OCHRE, "width": style.THIN, "simplify": False}}
        | {"marker": {"color": OCHRE, "size": sizes, "opacity": 1, "line": {"width": 0}}}
        | {"hovertemplate": "h₁ = %{x:.3g}<br>h₂ = %{y:.3g}<extra></extra>"},
        {"type": "scatter", "mode": "markers", "name": "fixed points"}
        | {"x": points.states[:, 0], "y": points.states[:, 1]}
        | {"marker": marker | {"line": {"width": 3, "color": colors}}, "hovertext": said}
        | {"hovertemplate": "%{hovertext}<br>h₁ = %{x:.3g}<br>h₂ = %{y:.3g}<extra></extra>"},
    ]
    axis = {
        "nticks": 5,
        "showgrid": False,
        "zeroline": True,
        "zerolinecolor": style.GRID,
        "constrain": "domain",
    }
    layout = style.layout(
        "phase_portrait",
        xaxis=style.axis("h<sub>1</sub>", -_LIMIT, _LIMIT, **axis),
        yaxis=style.axis("h<sub>2</sub>", -_LIMIT, _LIMIT, scaleanchor="x", scaleratio=1, **axis),
        annotations=[_key(points.kinds)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
        meta={"x": "state of unit 1", "y": "state of unit 2"},
    )
    return {"data": data, "layout": layout}


def _arrows(states: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Shafts and two barbs each, NaN between, [K, 2]; the longest fits into a cell of the grid."""
    cell = 2 / (np.sqrt(len(states)) - 1)
    length = np.linalg.norm(change, axis=1, keepdims=True)
    longest = length.max(initial=0.0)
    if longest == 0:
        return np.full((1, 2), np.nan)
    # the square root keeps the arrows near fixed points long enough to be seen
    shaft = 0.9 * cell * np.sqrt(length / longest) * change / np.where(length > 0, length, 1)
    tip, across = states + shaft, np.stack([-shaft[:, 1], shaft[:, 0]], axis=1)
    left, right = tip - _BARB * shaft + 0.5 * _BARB * across, tip - _BARB * shaft - 0.5 * _BARB * across
    strokes = np.stack([states, tip, left, tip, right, np.full_like(tip, np.nan)], axis=1)
    return np.asarray(strokes.reshape(-1, 2))


def _key(kinds: tuple[str, ...]) -> Figure:
    """The kinds that occur, and the chosen trajectory."""
    key = style.key(("one orbit", OCHRE, "solid"))
    names: dict[tuple[str, str], str] = {}
    for kind in kinds:
        names.setdefault(KIND_LOOKS[kind], kind.split()[0])
    for (color, symbol), name in names.items():
        key["text"] += f'  <span style="color:{color}">{_GLYPHS[symbol]} {name}</span>'
    return key


def phase_portrait_alt(points: TwoUnitFixedPoints) -> str:
    """One sentence with the numbers of ``phase_portrait``."""
    places = np.round(points.states, 3) + 0.0
    said = [
        f"{kind} at ({first:g}, {second:g}) with spectral radius {radius:.3g}"
        for kind, (first, second), radius in zip(points.kinds, places, points.radii, strict=True)
    ]
    count = len(said)
    return f"{count} fixed point{'s' if count != 1 else ''}: {'; '.join(said)}."


def plot_phase_portrait(
    matrix: np.ndarray,
    bias: np.ndarray | float = 0.0,
    *,
    start: tuple[float, float] = (0.8, 0.2),
    steps: int = 60,
    dark: bool = False,
) -> go.Figure:
    """Portrait of h ← tanh(W h + b), with the trajectory from ``start`` drawn stronger."""
    from explorer.theory.two_units import direction_field, starts_around, trajectories, two_unit_fixed_points

    starts = np.vstack([start, starts_around()])
    states = trajectories(matrix, bias, starts, steps)[0]
    points = two_unit_fixed_points(matrix, bias)
    return style.themed(phase_portrait(points, states, direction_field(matrix, bias)), dark)
