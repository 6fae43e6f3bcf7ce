"""How the length of a signal changes from layer to layer in a wide random network, and where it settles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.iterated_map import FIXED_LOOK, MAP_LOOK, MEASURED_LOOK, STEPS_LOOK, map_traces
from explorer.figures.style import Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.theory.mean_field import MeanField

_START = 1.0


def mean_field_map(field: MeanField[float], lengths: np.ndarray | None = None) -> Figure:
    """q_{l+1} over q_l as a cobweb, with the fixed point q* and the lengths that networks had.

    Args:
        field: the mean field.
        lengths: [S, L+1] measured q_l of S networks; the staircase starts at their mean q_0, else at 1.
            Where there is no fixed point, lengths beyond four times the start lie outside the axes.
    """
    start = _START if lengths is None else float(np.mean(lengths[:, 0]))
    largest = start if lengths is None else float(np.max(lengths))
    high = _nice(1.05 * max(1.1 * start, 1.1 * field.q, largest) if np.isfinite(field.q) else 4 * start)
    data = map_traces(
        field.next_length, 0.0, high, start, field.q, lengths, ("q<sub>l</sub>", "q<sub>l+1</sub>")
    )
    entries = [("theory", *MAP_LOOK), ("steps", *STEPS_LOOK)]
    if lengths is not None:
        entries.append(("measured", *MEASURED_LOOK))
    if np.isfinite(field.q):
        entries.append((f"q* = {field.q:.3g}", *FIXED_LOOK))
    place: Figure = {"xanchor": "right", "yanchor": "bottom", "xshift": -6, "yshift": 4, "color": style.TEXT}
    layout = style.layout(
        "mean_field_map",
        meta={"x": "length q of a layer", "y": "length q of the next layer"},
        xaxis=style.axis("length q of a layer", 0, high, nticks=6),
        yaxis=style.axis("of the next layer", 0, high, nticks=6),
        annotations=[style.key(*entries), style.note(_fate(field), 1, 0, paper=True, **place)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
    )
    return {"data": data, "layout": layout}


def _nice(value: float) -> float:
    """A round number that is not below the value."""
    unit = 10.0 ** np.floor(np.log10(value))
    return float(next(step * unit for step in (1, 1.2, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * unit >= value))


def _fate(field: MeanField[float]) -> str:
    """What becomes of the length."""
    if np.isnan(field.q):
        return "every length stays as it is"
    if np.isinf(field.q):
        return "no fixed point: the length grows without end"
    if np.isinf(field.xi_q):
        return "critical: it settles more slowly than any exponential"
    return f"a deviation falls to 1/e in {field.xi_q:.2g} layers"


def mean_field_map_alt(field: MeanField[float], lengths: np.ndarray | None = None) -> str:
    """One sentence with the numbers of ``mean_field_map``."""
    said = f"{_fate(field)}"
    if np.isfinite(field.q):
        said = f"the length settles at {field.q:.3g}; {said}"
    if lengths is not None:
        ends = lengths[:, -1]
        said += f"; {len(ends)} networks end at lengths from {ends.min():.3g} to {ends.max():.3g}"
    return said[0].upper() + said[1:] + "."


def plot_mean_field_map(
    field: MeanField[float], *, width: int = 512, tied: bool = False, dark: bool = False
) -> go.Figure:
    """The map with the lengths of four random networks of this width, which start at a tenth of q*."""
    from explorer.ensembles.signal_propagation import propagation_of

    start = field.q / 10 if 0 < field.q < np.inf else _START
    found = propagation_of(field, width=width, tied=tied, start_length=start)
    return style.themed(mean_field_map(field, found.lengths), dark)
