"""The loss of a one-unit network over its two parameters as a surface, and one step of descent over it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.cliff_looks import (
    CLIP_LOOKS,
    LOSS_COLORS,
    WINDOW,
    clip_key,
    landing_words,
    share_inside,
)
from explorer.figures.style import GRID, MUTED, OCHRE, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.theory.cliff import Descent
    from explorer.theory.cliff_grids import LossPlane

SURFACE_TRACES = {"loss": 0, "here": 1, "none": 2, "norm": 3, "value": 4}
_HEIGHT = 0.5  # of the surface's axis: the loss is at most 0.7²
_SYMBOLS = {"triangle-up": "cross"}  # what three dimensions lack
_FLIGHT, _LIFT = 0.2, 0.02  # how high a step is drawn above the surface, at most and at least


def cliff_surface(plane: LossPlane, steps: Mapping[str, Descent]) -> Figure:
    """L over (w, b) in three dimensions, with one step of descent for each kind of clipping.

    Args:
        plane: the loss over the whole plane, along the edge (``sheared_plane``).
        steps: one step from the same point for each kind of clipping.
    """
    light = {"ambient": 0.75, "diffuse": 0.5, "specular": 0.05, "roughness": 0.9}
    ends = {kind: np.column_stack([step.points, step.losses]) for kind, step in steps.items()}
    start = ends["none"][0]
    weights, biases = np.broadcast_arrays(plane.weights, plane.biases)
    data: list[Figure] = [
        {"type": "surface", "name": "loss", "x": weights, "y": biases, "z": plane.loss}
        | {
            "showscale": False,
            "colorscale": LOSS_COLORS,
            "cmin": 0.0,
            "cmax": _HEIGHT,
            "lighting": light,
        }
        | {"hovertemplate": "w = %{x:.3g}<br>b = %{y:.3g}<br>L = %{z:.3g}<extra></extra>"},
        _pin(start),
    ]
    for kind, (_, color, _, symbol) in CLIP_LOOKS.items():
        flight = _flight(start, ends[kind][-1])
        lands = np.allclose(flight[-1, :2], ends[kind][-1, :2])
        sizes = [0] * (len(flight) - 1) + [7 if lands else 0]
        track = _points(kind, flight, color, _SYMBOLS.get(symbol, symbol), sizes)
        line = {"color": color, "width": 7}
        data.append(track | {"mode": "lines+markers", "line": line})
    looks = {"gridcolor": GRID, "showbackground": False, "color": MUTED, "tickfont": {"size": 12}}
    spans = {"xaxis": ("w", WINDOW[0]), "yaxis": ("b", WINDOW[1]), "zaxis": ("L", (0.0, _HEIGHT))}
    axes = {
        name: {"title": {"text": text}, "range": list(span), "nticks": 5} | looks
        for name, (text, span) in spans.items()
    }
    camera = {"eye": {"x": 0.84, "y": 1.56, "z": 1.3}, "center": {"x": 0, "y": 0, "z": -0.2}}
    aspect = {"aspectmode": "manual", "aspectratio": {"x": 1.15, "y": 1.15, "z": 0.62}}
    layout = style.layout(
        "cliff_surface",
        scene=axes | {"camera": camera} | aspect,
        annotations=[clip_key(*CLIP_LOOKS, flat=False)],
        margin={"l": 0, "r": 8, "t": style.LEGEND_TOP, "b": 0},
        meta={"x": "weight w", "y": "bias b", "z": "loss"},
    )
    return {"data": data, "layout": layout}


def _pin(start: np.ndarray) -> Figure:
    """A line up from the point, so that it is seen behind a wall."""
    top = np.array([start[0], start[1], _HEIGHT])
    return _points("here", np.stack([start, top]), OCHRE, "circle", [0, 6]) | {
        "mode": "lines+markers",
        "line": {"color": OCHRE, "width": 5},
    }


def _points(name: str, points: np.ndarray, color: str, symbol: str, sizes: list[int]) -> Figure:
    """Points [K, 3] a little above the surface."""
    marker = {"size": sizes, "symbol": symbol, "color": color, "line": {"width": 0}, "opacity": 1}
    return {
        "type": "scatter3d", "mode": "markers", "name": name, "marker": marker,
        "x": points[:, 0], "y": points[:, 1], "z": points[:, 2] + _LIFT,
        "hovertemplate": f"{name}<br>w = %{{x:.4g}}<br>b = %{{y:.4g}}<br>L = %{{z:.3g}}<extra></extra>",
    }  # fmt: skip


def _flight(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """An arc over the surface from one point to the other [K, 3], cut off at the border of the plane."""
    along, share = np.linspace(0, 1, 25), share_inside(start[:2], end[:2])
    points = start + along[:, None] * np.append(share * (end - start)[:2], (end - start)[2])
    length = float(np.hypot(*(points[-1] - start)[:2]))
    points[:, 2] += 4 * along * (1 - along) * _FLIGHT * min(1.0, length)
    return np.asarray(points)


def cliff_surface_alt(steps: Mapping[str, Descent]) -> str:
    """One sentence with the numbers of ``cliff_surface``."""
    return landing_words(steps)


def plot_cliff_surface(
    weight: float = 5.0,
    bias: float | None = None,
    *,
    learning_rate: float = 0.01,
    threshold: float = 1.0,
    num_steps: int = 50,
    dark: bool = False,
) -> go.Figure:
    """The surface with one step from (w, b); b is at the edge of the cliff if it is not given."""
    from explorer.theory.cliff import edge_bias, single_steps
    from explorer.theory.cliff_grids import sheared_plane

    b = edge_bias(weight) if bias is None else bias
    plane = sheared_plane(WINDOW, num_steps)
    return style.themed(
        cliff_surface(plane, single_steps(weight, b, learning_rate, threshold, num_steps)), dark
    )
