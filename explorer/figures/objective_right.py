"""The gradient of the right token's logit against its probability: theory, and what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.objective_sizes import look
from explorer.figures.style import TEXT, VERMILLION, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

Points = tuple[np.ndarray, np.ndarray]
"""p of the right token and the gradient of its logit at every decoder step, [Td] each."""


def right_token_theory(p: np.ndarray, smoothing: float, count: int) -> np.ndarray:
    """p − (1 − ε) − ε/K for K = ``count`` tokens that can be said; with ε = 0 that of the likelihood."""
    return np.asarray(p - (1 - smoothing) - smoothing / count)


def right_token_rest(smoothing: float, count: int) -> float:
    """The p at which label smoothing is at rest, 1 − ε + ε/K."""
    return 1 - smoothing + smoothing / count


def objective_right(
    points: Mapping[str, Points], smoothing: float, count: int, *, marked: int | None = None
) -> Figure:
    """p − 1 and p − (1 − ε) − ε/K as lines, measured decoder steps as marks; above 0 it is made less likely.

    Args:
        points: objective → measured points.
        smoothing: ε.
        count: K, how many tokens can be said.
        marked: a decoder step ≥ 1 whose marks are drawn larger.
    """
    p = np.array([0.0, 1.0])
    rest = right_token_rest(smoothing, count)
    lines = {"likelihood": right_token_theory(p, 0, count)}
    if smoothing:
        lines["label smoothing"] = right_token_theory(p, smoothing, count)
    data: list[Figure] = []
    for name, y in lines.items():
        color, dash, _ = look(name)
        line = {"width": style.WIDTH, "color": color, "dash": dash}
        data.append(
            {"type": "scatter", "mode": "lines", "name": f"theory, {name}", "x": p, "y": y}
            | {"line": line, "hoverinfo": "skip"}
        )
    for name, (x, y) in points.items():
        color, _, symbol = look(name)
        steps = np.arange(1, len(x) + 1)
        sizes = np.where(steps == marked, 17, 10)
        marker = {"symbol": symbol, "size": sizes, "color": color, "opacity": 1}
        marker |= {"line": {"width": 1.5, "color": style.BACKGROUND}}
        data.append(
            {"type": "scatter", "mode": "markers", "name": name, "x": x, "y": y, "marker": marker}
            | {"customdata": steps, "cliponaxis": False}
            | {"hovertemplate": f"{name}, step %{{customdata}}: p = %{{x:.4f}}, %{{y:.4f}}<extra></extra>"}
        )
    top = max(0.12, 1.4 * float(lines.get("label smoothing", np.zeros(1)).max()))
    shapes, notes = [], [_push("less likely", top, "top"), _push("more likely", -1.08, "bottom")]
    if smoothing:
        line = {"type": "line", "x0": rest, "x1": rest, "yref": "y domain", "y0": 0, "y1": 1}
        shapes = [line | {"line": {"width": 2, "color": VERMILLION, "dash": "dot"}, "layer": "below"}]
        text = f"at rest at p = {rest:.3f}"
        side = "right" if rest > 0.7 else "left"
        place: Figure = {"xanchor": side, "yanchor": "middle", "xshift": -6 if side == "right" else 6}
        notes.append(style.note(text, rest, -0.86, color=VERMILLION, **place))
    layout = style.layout(
        f"objective_right:{count}",
        meta={"x": "p of the right token", "y": "gradient of its logit"},
        xaxis=style.axis("p of the right token", -0.02, 1.03, nticks=6),
        yaxis=style.axis("∂L/∂z", -1.08, top, nticks=6)
        | {"zeroline": True, "zerolinewidth": style.THIN, "zerolinecolor": style.MUTED},
        shapes=shapes,
        annotations=notes,
        margin=style.MARGIN | {"t": 12},
    )
    return {"data": data, "layout": layout}


def _push(text: str, y: float, anchor: str) -> Figure:
    """Which way a step down the gradient moves the right token."""
    arrow = "▲" if anchor == "top" else "▼"
    parts: Figure = {"xanchor": "left", "yanchor": anchor, "xshift": 6}
    return style.note(
        f"{arrow} made {text}",
        0.0 if anchor == "top" else 0.3,
        y,
        color=TEXT,
        bgcolor=style.BACKGROUND,
        **parts,
    )


def objective_right_alt(points: Mapping[str, Points], smoothing: float, count: int) -> str:
    """One sentence on how far the measured points are from theory, and where smoothing is at rest."""
    away = 0.0
    for name, (x, y) in points.items():
        theory = right_token_theory(x, smoothing if name == "label smoothing" else 0, count)
        away = max(away, float(np.abs(y - theory).max()))
    rest = right_token_rest(smoothing, count)
    return f"No point is farther than {away:.1g} from theory; label smoothing is at rest at p = {rest:.3f}."


def plot_objective_right(
    points: Mapping[str, Points], smoothing: float, count: int, *, dark: bool = False
) -> go.Figure:
    """Measured points on the two lines of theory."""
    return style.themed(objective_right(points, smoothing, count), dark)
