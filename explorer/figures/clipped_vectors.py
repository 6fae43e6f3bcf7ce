"""A gradient before and after clipping: which way it points, and how long it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.cliff_looks import CLIP_LOOKS
from explorer.figures.style import GRID, TEXT, Figure
from explorer.theory.clipping import CLIPPINGS, angle_between

if TYPE_CHECKING:
    import plotly.graph_objects as go

EXAMPLE = (100.0, 1.0)
"""A gradient of which one component is much larger than the other."""
_REACH = {
    "none": 1.0,
    "norm": 0.8,
    "value": 0.6,
}  # how long arrows are drawn: the numbers say how long they are
_WIDTHS = {"none": 2.5, "norm": 6.0, "value": 6.0}
_DOMAINS = ((0.0, 0.46), (0.54, 1.0))
_TOP = 0.82  # of the plot, below the words
_HEAD, _ROOM = 0.13, 1.12


def clipped_vectors(gradients: Sequence[tuple[str, np.ndarray]], threshold: float) -> Figure:
    """Directions of up to two gradients, not clipped, clipped by norm and by value.

    Args:
        gradients: (name, its two components) of each.
        threshold: at which each is clipped.
    """
    data: list[Figure] = []
    notes = [_key()]
    axes: Figure = {}
    for place, (name, gradient) in enumerate(gradients):
        number = "" if place == 0 else str(place + 1)
        axis = {"showgrid": False, "zeroline": True, "zerolinecolor": GRID, "showticklabels": False}
        axis |= {"ticks": "", "constrain": "domain"}
        axes[f"xaxis{number}"] = style.axis("∂L/∂w", -_ROOM, _ROOM, **axis) | {
            "domain": list(_DOMAINS[place]),
            "anchor": f"y{number}",
        }
        axes[f"yaxis{number}"] = style.axis("" if place else "∂L/∂b", -_ROOM, _ROOM, **axis) | {
            "anchor": f"x{number}",
            "scaleanchor": f"x{number}",
            "domain": [0.0, _TOP],
        }
        ring = np.linspace(0, 2 * np.pi, 91)
        on = {"xaxis": f"x{number}", "yaxis": f"y{number}", "type": "scatter", "hoverinfo": "skip"}
        data.append(
            on
            | {"mode": "lines", "name": f"{name}: all directions", "x": np.cos(ring), "y": np.sin(ring)}
            | {"line": {"color": GRID, "width": 1.5}}
        )
        for kind, clip in CLIPPINGS.items():
            data.append(on | _arrow(f"{name}: {CLIP_LOOKS[kind][0]}", kind, clip(gradient, threshold)))
        words = "<br>".join(_words(name, gradient, threshold))
        where: Figure = {"xref": f"x{number} domain", "yref": "paper", "yanchor": "top", "xanchor": "center"}
        notes.append(style.note(words, 0.5, 1, color=TEXT) | where)
    layout = style.layout(
        "clipped_vectors",
        annotations=notes,
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
        meta={"x": "∂L/∂w, in units of the gradient's norm", "y": "∂L/∂b, in units of the gradient's norm"},
        **axes,
    )
    return {"data": data, "layout": layout}


def _arrow(name: str, kind: str, vector: np.ndarray) -> Figure:
    """A shaft and two barbs in the vector's direction; nothing for a zero vector."""
    _, color, dash, _ = CLIP_LOOKS[kind]
    line = {"color": color, "width": _WIDTHS[kind], "dash": dash if kind == "none" else "solid"}
    size = float(np.linalg.norm(vector / np.abs(vector).max())) if vector.any() else 0.0
    if size == 0:
        return {"mode": "lines", "name": name, "x": [], "y": [], "line": line}
    unit = vector / np.abs(vector).max() / size
    tip, across = _REACH[kind] * unit, np.array([-unit[1], unit[0]])
    left, right = (tip - _HEAD * (unit + side * 0.6 * across) for side in (1, -1))
    strokes = np.array([np.zeros(2), tip, left, tip, right])
    return {"mode": "lines", "name": name, "x": strokes[:, 0], "y": strokes[:, 1], "line": line}


def _words(name: str, gradient: np.ndarray, threshold: float) -> tuple[str, str]:
    """The length before; the lengths after in the colours of their arrows, and the angle."""
    before = f"{name}: {_length(gradient)}"
    after = {kind: clip(gradient, threshold) for kind, clip in CLIPPINGS.items()}
    if all((vector == gradient).all() for vector in after.values()):
        return before, "not changed by clipping"
    turned = float(angle_between(gradient, after["value"]))
    norm, value = (
        f'<span style="color:{CLIP_LOOKS[kind][1]}">{_length(after[kind])}</span>'
        for kind in ("norm", "value")
    )
    return before, f"→ {norm}, or {value} turned {turned:.1f}°"


def _length(vector: np.ndarray) -> str:
    with np.errstate(divide="ignore"):
        return log.number(float(np.log10(np.hypot(*vector))))


def _key() -> Figure:
    entries = [
        (name, color, "solid" if kind != "none" else "thin")
        for kind, (name, color, _, _) in CLIP_LOOKS.items()
    ]
    return style.key(*entries)


def clipped_vectors_alt(gradients: Sequence[tuple[str, np.ndarray]], threshold: float) -> str:
    """One sentence with the numbers of ``clipped_vectors``."""
    said = "; ".join(" ".join(_words(name, gradient, threshold)) for name, gradient in gradients)
    plain = re.sub("<[^>]*>", "", said)
    return f"Norm before → after clipping by norm, or by value, at {threshold:g}: {plain}."


def plot_clipped_vectors(
    gradient: Sequence[float] = EXAMPLE, *, threshold: float = 1.0, dark: bool = False
) -> go.Figure:
    """One gradient of two components."""
    name = f"({gradient[0]:g}, {gradient[1]:g})"
    return style.themed(clipped_vectors([(name, np.array(gradient))], threshold), dark)
