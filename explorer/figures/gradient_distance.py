"""The gradient of one decoder step against how far back it goes, for several kinds of attention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.flow_colors import Span
from explorer.figures.style import BLUE, GREEN, OCHRE, PURPLE, VERMILLION, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.seq2seq import TranslatorTrace

KIND_LOOKS: dict[str, tuple[str, str, str]] = {
    "none": (VERMILLION, "solid", "circle"),
    "additive": (BLUE, "solid", "square"),
    "dot": (GREEN, "dash", "diamond"),
    "general": (OCHRE, "dot", "triangle-up"),
}
"""Kind of attention → (colour, dash, marker); all others look alike."""
_OTHER = (PURPLE, "dashdot", "cross")


def gradient_distance(
    curves: Mapping[str, np.ndarray], distance: np.ndarray, *, step: int, span: Span | None = None
) -> Figure:
    """log10 ‖∂L_j/∂h_i‖ of decoder step ``step`` for each kind of attention.

    Args:
        curves: kind → decades [Te], such as a row of ``gradient_map``; −inf is an exact 0, which is named.
        distance: [Te] recurrent steps from h_i to L_j without attention.
        step: j ≥ 1.
        span: ends of the axis in decades, if several figures shall have the same.
    """
    low, high = span or log.decade_range(*curves.values())
    order = np.argsort(distance)
    data: list[Figure] = []
    for kind, decades in curves.items():
        color, dash, marker = KIND_LOOKS.get(kind, _OTHER)
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": kind,
                "x": distance[order],
                "y": log.finite(decades)[order],
                "text": [f"encoder step {i + 1}" for i in order],
                "line": {"width": style.WIDTH, "color": color, "dash": dash},
                "marker": {"symbol": marker, "size": 8, "color": color},
                "hovertemplate": f"{kind}, %{{text}}, distance %{{x}}<br>"
                "10<sup>%{y:.2f}</sup><extra></extra>",
            }
        )
    entries = [(kind, *KIND_LOOKS.get(kind, _OTHER)[:2]) for kind in curves]
    ends = float(distance.min()), float(distance.max())
    layout = style.layout(
        f"gradient_distance:{len(distance)}",
        meta={"x": "recurrent steps from h_i to L_j", "y": "log10 of the gradient"},
        xaxis=style.axis(
            f"steps between h<sub>i</sub> and L<sub>{step}</sub>", ends[0] - 0.5, ends[1] + 0.5, nticks=6
        )
        | style.whole_ticks(ends[1] - ends[0]),
        yaxis=log.decade_axis("", low, high),
        annotations=[style.key(*entries), *_zero_note(curves)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
    )
    return {"data": data, "layout": layout}


def _zero_note(curves: Mapping[str, np.ndarray]) -> list[Figure]:
    """Which curves hold exact zeros, and how many."""
    said = []
    for kind, decades in curves.items():
        count = int((decades == -np.inf).sum())
        if count:
            many = "everywhere" if count == len(decades) else f"at {count} of {len(decades)}"
            said.append(f"{kind}: exactly 0 {many}")
    place: Figure = {"paper": True, "xanchor": "left", "yanchor": "bottom", "xshift": 6, "yshift": 4}
    return [style.note("<br>".join(said), 0, 0, color=style.OCHRE, align="left", **place)] if said else []


def gradient_distance_alt(curves: Mapping[str, np.ndarray], distance: np.ndarray) -> str:
    """One sentence with the nearest and the farthest state of ``gradient_distance``."""
    near, far = int(distance.argmin()), int(distance.argmax())
    said = [
        f"{kind}: {log.number(float(decades[near]))} at distance {distance[near]}, "
        f"{log.number(float(decades[far]))} at distance {distance[far]}"
        for kind, decades in curves.items()
    ]
    return "; ".join(said) + "."


def plot_gradient_distance(
    traces: Mapping[str, TranslatorTrace], step: int, *, dark: bool = False
) -> go.Figure:
    """Decoder step ``step`` ≥ 1 of several runs, by name, against the distance to the end of the source."""
    from explorer.seq2seq import gradient_map

    curves = {name: gradient_map(trace)[step - 1] for name, trace in traces.items()}
    count = len(next(iter(curves.values())))
    distance = count - np.arange(1, count + 1) + step
    return style.themed(gradient_distance(curves, distance, step=step), dark)
