"""Maps of the loss of a one-unit network over its two parameters, with steps of descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.cliff_looks import (
    CLIP_LOOKS,
    LOSS_COLORS,
    WINDOW,
    Span,
    clip_entry,
    clip_key,
    landing_words,
    share_inside,
    written,
)
from explorer.figures.state_colors import nice_limit
from explorer.figures.style import BACKGROUND, OCHRE, TEXT, Figure
from explorer.theory.cliff import edge_bias, edge_factor

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.theory.cliff import Descent
    from explorer.theory.cliff_grids import LossPlane

LANDING_TRACES = {"loss": 0, "edge": 1, "none": 2, "norm": 3, "value": 4, "here": 5}
PATH_TRACES = {"loss": 0, "edge": 1, "path": 2, "here": 3}
_LOWEST, _HIGHEST, _LEVEL = -3.0, -0.25, 0.25  # decades of the loss that get a colour, and their spacing
_NARROWEST, _WIDEST = 0.02, 2.0  # half-width of the window around a path


def cliff_landing(plane: LossPlane, steps: Mapping[str, Descent]) -> Figure:
    """The map of L over the whole plane, and where one step lands with each kind of clipping.

    Args:
        plane: the loss over the whole plane.
        steps: one step from the same point for each kind of clipping.
    """
    data, notes = [_map(plane), _edge(*WINDOW[0])], [clip_key(*CLIP_LOOKS)]
    for kind, step in steps.items():
        track, leaves = _track(kind, step.points, WINDOW, CLIP_LOOKS[kind], 13)
        data.append(track)
        notes += leaves
    here = steps["none"].points[0]
    data.append(_here(here))
    notes.append(_landings(steps, right=here[0] < 4 and here[1] < -2))
    return {"data": data, "layout": _map_layout("cliff_landing", *WINDOW, notes)}


def _landings(steps: Mapping[str, Descent], right: bool) -> Figure:
    """Where each step lands, in a corner that the steps leave free."""
    lines = [clip_entry(kind, written(step.points[-1], step.points[0])) for kind, step in steps.items()]
    side = "right" if right else "left"
    place: Figure = {
        "xanchor": side,
        "align": side,
        "yanchor": "bottom",
        "bgcolor": BACKGROUND,
        "opacity": 0.9,
    }
    return style.note("<br>".join(lines), int(right), 0, paper=True, color=TEXT, **place)


def cliff_path(plane: LossPlane, path: Descent, clip: str) -> Figure:
    """The map of L close to where the descent begins, and its steps until one leaves the map.

    Args:
        plane: the loss over ``path_window``.
        path: the descent.
        clip: its kind of clipping.
    """
    window = (_ends(plane.weights), _ends(plane.biases))
    name, color, _, symbol = CLIP_LOOKS[clip]
    track, leaves = _track("path", path.points, window, (name, color, "solid", symbol), 7)
    count = len(path.points) - 1
    key = clip_key(clip, before=f"{count} step{'s' if count != 1 else ''} ")
    width = window[0][1] - window[0][0]
    layout = _map_layout(f"cliff_path:{width:.3g}", *window, [key, *leaves])
    return {"data": [_map(plane), _edge(*window[0]), track, _here(path.points[0])], "layout": layout}


def path_window(path: Descent) -> tuple[Span, Span]:
    """Weights and biases around the start of a descent that hold every step but those that are thrown far.

    The half-width is 0.02, 0.05, 0.1, 0.2 … 2, so that it stands still while a knob moves a little.
    """
    w, b = path.points[0]
    far = np.abs(path.points - path.points[0]).max(axis=1)
    reach = nice_limit(max(1.05 * float(far[far < _WIDEST].max()), _NARROWEST))
    return (w - reach, w + reach), (b - reach, b + reach)


def _ends(values: np.ndarray) -> Span:
    return float(values[0]), float(values[-1])


def _map(plane: LossPlane) -> Figure:
    with np.errstate(divide="ignore"):
        z = np.clip(np.log10(plane.loss), _LOWEST, _HIGHEST)
    contours = {"coloring": "fill", "start": _LOWEST, "end": _HIGHEST, "size": _LEVEL}
    ticks = {"tickvals": [-3.0, -2.0, -1.0], "ticktext": ["≤ 10⁻³", "0.01", "0.1"]}
    bar = {"thickness": 10, "outlinewidth": 0, "xpad": 4, "title": {"text": "L", "side": "top"}} | ticks
    return {
        "type": "contour", "name": "log10 of the loss", "x": plane.weights, "y": plane.biases, "z": z,
        "contours": contours, "line": {"width": 0.5, "color": "rgba(255,255,255,0.35)"},
        "colorscale": LOSS_COLORS, "zmin": _LOWEST, "zmax": _HIGHEST, "colorbar": bar,
        "hovertemplate": "w = %{x:.4g}<br>b = %{y:.4g}<br>L = 10<sup>%{z:.2f}</sup><extra></extra>",
    }  # fmt: skip


def _edge(low: float, high: float) -> Figure:
    """b = x_0 − w·σ(x_0) where this is a cliff."""
    weights = np.linspace(max(low, 1 / edge_factor(1.0)), max(high, 1 / edge_factor(1.0)), 2)
    biases = np.array([edge_bias(w) for w in weights])
    line = {"color": OCHRE, "width": style.THIN, "dash": "dash"}
    return {
        "type": "scatter", "mode": "lines", "name": "edge", "x": weights, "y": biases, "line": line,
        "hoverinfo": "skip",
    }  # fmt: skip


def _track(
    name: str, points: np.ndarray, window: tuple[Span, Span], look: tuple[str, str, str, str], size: int
) -> tuple[Figure, list[Figure]]:
    """Steps [n+1, 2] until one leaves the window, and then an arrow that says where it lands."""
    _, color, dash, symbol = look
    low, high = np.array(window).T
    inside = ((points >= low) & (points <= high)).all(axis=1)
    count = len(points) if inside.all() else int(np.argmin(inside))
    shown, sizes, notes = points[:count], [0] + [size] * (count - 1), []
    if count < len(points):
        last, away = points[count - 1], points[count] - points[count - 1]
        border = last + share_inside(last, points[count], window) * away
        shown, sizes = np.vstack([shown, border]), [*sizes, 0]
        text = f"step {count} → {written(points[count], points[0])}" if size < 10 else ""
        notes.append(_leaving(border, away, text, color))
    rim, width = (1.5, style.WIDTH) if size > 10 else (0, style.THIN)
    marker = {"color": color, "symbol": symbol, "size": sizes, "opacity": 1}
    marker["line"] = {"width": rim, "color": "#FFFFFF"}
    track = {
        "type": "scatter", "mode": "lines+markers", "name": name, "x": shown[:, 0], "y": shown[:, 1],
        "line": {"color": color, "width": width, "dash": dash, "simplify": False}, "marker": marker,
        "hovertemplate": f"{name}<br>w = %{{x:.5g}}<br>b = %{{y:.5g}}<extra></extra>",
    }  # fmt: skip
    return track, notes


def _leaving(border: np.ndarray, away: np.ndarray, text: str, color: str) -> Figure:
    """An arrow that points out of the map, and where the step goes."""
    right, up = away >= 0
    pull = {"ax": -24 if right else 24, "ay": 24 if up else -24, "xanchor": "right" if right else "left"}
    arrow = {"showarrow": True, "arrowhead": 2, "arrowwidth": style.THIN, "arrowcolor": color}
    place: Figure = {"bgcolor": BACKGROUND, **pull, **arrow}
    return style.note(text, float(border[0]), float(border[1]), color=TEXT, **place)


def _here(point: np.ndarray) -> Figure:
    marker = {"size": 12, "symbol": "circle", "color": "#FFFFFF", "line": {"width": 3, "color": "#000000"}}
    return {
        "type": "scatter", "mode": "markers", "name": "here", "x": point[:1], "y": point[1:],
        "marker": marker, "cliponaxis": False,
        "hovertemplate": "here<br>w = %{x:.5g}<br>b = %{y:.5g}<extra></extra>",
    }  # fmt: skip


def _map_layout(
    name: str, weights: tuple[float, float], biases: tuple[float, float], notes: list[Figure]
) -> Figure:
    looks = {"showgrid": False, "nticks": 6}
    return style.layout(
        name,
        xaxis=style.axis("weight w", *weights, **looks),
        yaxis=style.axis("bias b", *biases, **looks),
        annotations=notes,
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
        meta={"x": "weight w", "y": "bias b", "z": "log10 of the loss"},
    )


def cliff_landing_alt(steps: Mapping[str, Descent]) -> str:
    """One sentence with the numbers of ``cliff_landing``."""
    return landing_words(steps)


def cliff_path_alt(path: Descent, clip: str) -> str:
    """One sentence with the numbers of ``cliff_path``."""
    count, name = len(path.points) - 1, CLIP_LOOKS[clip][0]
    return (
        f"{count} steps, {'' if clip == 'none' else 'clipped '}{name}, lead from a loss of "
        f"{path.losses[0]:.3g} to {path.losses[-1]:.3g} at {written(path.points[-1], path.points[0])}; "
        f"{int(path.clipped.sum())} of them were clipped."
    )


def plot_cliff_landing(
    weight: float = 5.0,
    bias: float | None = None,
    *,
    learning_rate: float = 0.01,
    threshold: float = 1.0,
    num_steps: int = 50,
    dark: bool = False,
) -> go.Figure:
    """One step from (w, b) with each kind of clipping; b is at the edge of the cliff if it is not given."""
    from explorer.theory.cliff import single_steps
    from explorer.theory.cliff_grids import loss_plane

    b = edge_bias(weight) if bias is None else bias
    plane = loss_plane(WINDOW, num_steps)
    return style.themed(
        cliff_landing(plane, single_steps(weight, b, learning_rate, threshold, num_steps)), dark
    )


def plot_cliff_path(
    weight: float = 5.0,
    bias: float | None = None,
    *,
    learning_rate: float = 0.01,
    clip: str = "norm",
    threshold: float = 1.0,
    count: int = 30,
    num_steps: int = 50,
    dark: bool = False,
) -> go.Figure:
    """``count`` steps of descent from (w, b); b is at the edge of the cliff if it is not given."""
    from explorer.theory.cliff import descent
    from explorer.theory.cliff_grids import loss_plane

    b = edge_bias(weight) if bias is None else bias
    path = descent(weight, b, learning_rate, clip=clip, threshold=threshold, count=count, num_steps=num_steps)
    plane = loss_plane(path_window(path), num_steps)
    return style.themed(cliff_path(plane, path, clip), dark)
