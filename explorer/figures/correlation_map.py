"""How alike two signals stay from layer to layer in a wide random network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.iterated_map import FIXED_LOOK, MAP_LOOK, MEASURED_LOOK, STEPS_LOOK, map_traces
from explorer.figures.style import OCHRE, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.theory.mean_field import MeanField

_START = 0.5
_ROOM = 0.04
_ENDS = (0.0, -0.5, -1.0)  # lower ends that the axes may have


def correlation_map(field: MeanField[float], correlations: np.ndarray | None = None) -> Figure:
    """c_{l+1} over c_l as a cobweb, with the slope χ₁ at c = 1, the fixed point c* and measured correlations.

    Args:
        field: the mean field.
        correlations: [S, L+1] measured c_l of S networks, NaN where one has no length; the staircase starts
            at their mean c_0, else at 0.5. Where both signals fade to 0 they are not drawn: the map is then
            that of vanishing biases, which the networks do not have.
    """
    if field.q == 0:
        correlations = None
    start = _START if correlations is None else float(np.nanmean(correlations[:, 0]))
    low = _ENDS[0]
    if correlations is not None:
        correlations = np.clip(correlations, -1, 1)  # rounding errors reach beyond
        low = next(end for end in _ENDS if not (correlations < end).any())
    data = map_traces(
        field.next_correlation, low, 1.0, start, field.c, correlations, ("c<sub>l</sub>", "c<sub>l+1</sub>")
    )
    data.append(_tangent(_slope(field), low))
    entries = [("theory", *MAP_LOOK), ("steps", *STEPS_LOOK)]
    if correlations is not None:
        entries.append(("measured", *MEASURED_LOOK))
    if np.isfinite(field.c):
        entries.append((f"c* = {field.c:.3g}", *FIXED_LOOK))
    place: Figure = {"xanchor": "right", "yanchor": "bottom", "xshift": -6, "color": style.TEXT}
    slope = f"slope at 1: {'χ₁ = ' if np.isfinite(field.q) else ''}{_slope(field):.3g}"
    layout = style.layout(
        f"correlation_map:{low:g}",
        meta={"x": "correlation c in a layer", "y": "correlation c in the next layer"},
        xaxis=style.axis("correlation c in a layer", low - _ROOM, 1 + _ROOM, nticks=6),
        yaxis=style.axis("in the next layer", low - _ROOM, 1 + _ROOM, nticks=6),
        annotations=[
            style.key(*entries),
            style.note(_fate(field), 1, 0, paper=True, yshift=4, **place),
            style.note(slope, 1, 0, paper=True, yshift=24, **place | {"color": OCHRE}),
        ],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
    )
    return {"data": data, "layout": layout}


def _slope(field: MeanField[float]) -> float:
    """Of the map at c = 1: χ₁, unless lengths have no limit and are divided out."""
    return field.chi if np.isfinite(field.q) else field.chi_c


def _tangent(slope: float, low: float) -> Figure:
    """The tangent at (1, 1), as far as the lower half of the axes."""
    x = np.array([max((1 + low) / 2, 1 - (1 - low) / (2 * max(slope, 1e-9))), 1.0])
    line = {"color": OCHRE, "width": style.WIDTH, "dash": "dash"}
    return {"type": "scatter", "mode": "lines", "x": x, "y": 1 + slope * (x - 1), "name": "slope at 1"} | {
        "line": line,
        "hoverinfo": "skip",
    }


def _fate(field: MeanField[float]) -> str:
    """What becomes of two signals."""
    if np.isnan(field.c):
        return "every correlation stays as it is"
    if field.q == 0:
        return "both fade to 0; drawn for tiny biases"
    if field.c < 1:
        return f"chaos: nearly equal signals part to c = {field.c:.3g}"
    if np.isinf(field.xi_c):
        return "critical: they become equal, but only slowly"
    return f"order: the difference falls to 1/e in {field.xi_c:.2g} layers"


def correlation_map_alt(field: MeanField[float], correlations: np.ndarray | None = None) -> str:
    """One sentence with the numbers of ``correlation_map``."""
    said = f"the slope at 1 is {_slope(field):.3g}; {_fate(field)}"
    if correlations is not None and field.q != 0:
        ends = correlations[np.isfinite(correlations[:, -1]), -1]
        if len(ends):
            said += f"; {len(ends)} networks end at correlations from {ends.min():.3g} to {ends.max():.3g}"
    return said[0].upper() + said[1:] + "."


def plot_correlation_map(
    field: MeanField[float], *, width: int = 512, tied: bool = False, dark: bool = False
) -> go.Figure:
    """The map with the correlations in four random networks of this width, which start at the length q*."""
    from explorer.ensembles.signal_propagation import propagation_of

    start = field.q if 0 < field.q < np.inf else 1.0
    found = propagation_of(field, width=width, tied=tied, start_length=start)
    return style.themed(correlation_map(field, found.correlations), dark)
