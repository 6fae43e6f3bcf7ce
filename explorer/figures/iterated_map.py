"""A number that is iterated: its map against the diagonal, the staircase of its steps, and measured steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from explorer.figures import style
from explorer.figures.style import BLUE, GREEN, MUTED, PURPLE, VERMILLION, Figure

MAP_TRACES = {"map": 0, "diagonal": 1, "staircase": 2, "measured": 3, "fixed point": 4}
MEASURED_LOOK = (GREEN, "point")
MAP_LOOK, FIXED_LOOK, STEPS_LOOK = (BLUE, "solid"), (PURPLE, "point"), (VERMILLION, "thin")
_POINTS = 161
_STEPS = 60  # of the staircase


def map_traces(
    step: Callable[[np.ndarray], np.ndarray],
    low: float,
    high: float,
    start: float,
    fixed: float,
    measured: np.ndarray | None,
    names: tuple[str, str],
) -> list[Figure]:
    """The five traces of ``MAP_TRACES`` between low and high.

    Args:
        step: x_l → x_{l+1}, for arrays.
        low: left and lower end of the axes.
        high: right and upper end.
        start: where the staircase begins.
        fixed: the stable fixed point; one that is not finite is not drawn.
        measured: [S, L+1] measured x_l, drawn as points (x_l, x_{l+1}).
        names: of x_l and x_{l+1} in hover texts.
    """
    x = np.linspace(low, high, _POINTS)
    path = _staircase(step, low, high, start)
    here, there = _pairs(measured, low, high)
    hover = {"hovertemplate": f"{names[0]} = %{{x:.3g}}<br>{names[1]} = %{{y:.3g}}<extra></extra>"}
    lines = {"type": "scatter", "mode": "lines"}
    points = {"type": "scatter", "mode": "markers"} | hover
    ends = np.array([low, high])
    known = np.array([fixed if np.isfinite(fixed) else np.nan])
    return [
        lines | hover | {"x": x, "y": step(x), "name": "mean field"}
        | {"line": {"color": MAP_LOOK[0], "width": style.WIDTH}},
        lines | {"x": ends, "y": ends, "name": "diagonal", "hoverinfo": "skip"}
        | {"line": {"color": MUTED, "width": style.THIN, "dash": "dot"}},
        lines | {"x": path[0], "y": path[1], "name": "staircase", "hoverinfo": "skip"}
        | {"line": {"color": STEPS_LOOK[0], "width": style.THIN}},
        points | {"x": here, "y": there, "name": "measured"}
        | {"marker": {"color": MEASURED_LOOK[0], "size": 7, "opacity": 0.7, "line": {"width": 0}}},
        points | {"x": known, "y": known, "name": "fixed point", "cliponaxis": False}
        | {"marker": {"color": FIXED_LOOK[0], "size": 15, "line": {"width": 2, "color": style.BACKGROUND}}},
    ]  # fmt: skip


def _staircase(
    step: Callable[[np.ndarray], np.ndarray], low: float, high: float, start: float
) -> tuple[np.ndarray, np.ndarray]:
    """From the diagonal to the curve, over to the diagonal, and so on, as far as the axes reach."""
    x, y, value = [start], [start], start
    for _ in range(_STEPS):
        after = float(step(np.array([value]))[0])
        x, y = [*x, value, after], [*y, after, after]
        if not low <= after <= high or abs(after - value) < 1e-4 * (high - low):
            break
        value = after
    return np.array(x), np.array(y)


def _pairs(measured: np.ndarray | None, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """(x_l, x_{l+1}) of all networks and layers that lie between the axes' ends."""
    if measured is None:
        return np.empty(0), np.empty(0)
    here, there = measured[:, :-1].ravel(), measured[:, 1:].ravel()
    inside = (here >= low) & (here <= high) & (there >= low) & (there <= high)
    return here[inside], there[inside]
