"""A cut through the cliff: the loss and the gradient's norm along one of the two parameters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.cliff_looks import WINDOW
from explorer.figures.style import BLUE, MUTED, TEXT, VERMILLION, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.theory.cliff_grids import CliffSection

SECTION_TRACES = {"gradient": 0, "loss": 1, "gradient here": 2, "loss here": 3}
_NAMES = {"w": "weight w", "b": "bias b"}
_DOMAINS = ((0.4, 1.0), (0.0, 0.3))


def cliff_section(found: CliffSection, here: float, threshold: float | None = None) -> Figure:
    """log10 of the gradient's norm above, L below, over w or b.

    Args:
        found: the cut.
        here: the present value of the parameter, one of ``found.values``.
        threshold: where the gradient is clipped, drawn as a line; None for no clipping.
    """
    at = int(np.argmin(np.abs(found.values - here)))
    low, high = log.decade_range(found.decades)
    curve = {"type": "scatter", "mode": "lines", "x": found.values}
    point = {"type": "scatter", "mode": "markers", "hoverinfo": "skip", "cliponaxis": False}
    point |= {"x": found.values[at : at + 1]}
    norms, loss = log.finite(found.decades), found.loss
    hover = f"{found.along} = %{{x:.5g}}<br>"
    data: list[Figure] = [
        curve
        | {"y": norms, "name": "gradient", "line": _line(VERMILLION), "meta": "decades"}
        | {"hovertemplate": f"{hover}norm = 10<sup>%{{y:.2f}}</sup><extra></extra>"},
        curve
        | {"y": loss, "name": "loss", "line": _line(BLUE), "yaxis": "y2"}
        | {"hovertemplate": f"{hover}L = %{{y:.4g}}<extra></extra>"},
        point | {"y": norms[at : at + 1], "name": "gradient here", "marker": _marker(VERMILLION)},
        point | {"y": loss[at : at + 1], "name": "loss here", "marker": _marker(BLUE), "yaxis": "y2"},
    ]
    shapes = [
        {"type": "line", "x0": here, "x1": here, "yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
        | {"line": {"color": MUTED, "width": 1.5, "dash": "dot"}}
    ]
    entries = [("gradient norm", VERMILLION, "solid"), ("loss", BLUE, "solid")]
    if threshold is not None:
        level = math.log10(threshold)
        low, high = log.decade_range(found.decades, np.array([level]))
        shapes.append(
            {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "y0": level, "y1": level}
            | {"line": {"color": TEXT, "width": style.THIN, "dash": "dash"}, "layer": "below"}
        )
        entries.append(("threshold", TEXT, "dash"))
    name = _NAMES[found.along]
    span = WINDOW[0] if found.along == "w" else WINDOW[1]
    layout = style.layout(
        f"cliff_section:{found.along}",
        xaxis=style.axis(name, *span, nticks=8, anchor="y2"),
        yaxis=log.decade_axis("gradient", low, high, domain=list(_DOMAINS[0]), anchor="x"),
        yaxis2=style.axis("L", -0.06, 0.56, domain=list(_DOMAINS[1]), nticks=3, anchor="x"),
        shapes=shapes,
        annotations=[style.key(*entries)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
        meta={"x": name, "y": "log10 of the gradient's norm, or the loss"},
    )
    return {"data": data, "layout": layout}


def _line(color: str) -> Figure:
    return {"color": color, "width": style.WIDTH, "simplify": False}


def _marker(color: str) -> Figure:
    return {"size": 13, "color": color, "symbol": "circle-open", "line": {"width": 3}}


def cliff_section_alt(found: CliffSection, here: float) -> str:
    """One sentence with the numbers of ``cliff_section``."""
    at, top = int(np.argmin(np.abs(found.values - here))), int(np.argmax(found.decades))
    return (
        f"Along {found.along} the gradient's norm runs from {log.number(float(found.decades.min()))} to "
        f"{log.number(float(found.decades[top]))} at {found.along} = {found.values[top]:.5g}; at "
        f"{found.along} = {here:.5g} it is {log.number(float(found.decades[at]))} and the loss "
        f"{found.loss[at]:.3g}."
    )


def plot_cliff_section(
    weight: float = 5.0,
    bias: float | None = None,
    *,
    along: str = "b",
    threshold: float | None = 1.0,
    num_steps: int = 50,
    dark: bool = False,
) -> go.Figure:
    """A cut through (w, b) along w or b; b is at the edge of the cliff if it is not given."""
    from explorer.theory.cliff import edge_bias
    from explorer.theory.cliff_grids import cliff_section as measure

    b = edge_bias(weight) if bias is None else bias
    found = measure(weight, b, along, WINDOW[0] if along == "w" else WINDOW[1], num_steps)
    return style.themed(cliff_section(found, weight if along == "w" else b, threshold), dark)
