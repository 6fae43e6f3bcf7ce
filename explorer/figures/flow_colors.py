"""How much gradient: one scale of colour and width for arrows and heat maps.

What has vanished fades into the page, blue at full strength is a gradient of size 1, and orange has grown.
Colours are translucent, so that they fade on a light page as on a dark one.
"""

from __future__ import annotations

import math

import numpy as np

from explorer.figures import decades as log
from explorer.figures.style import BLUE, VERMILLION, Figure, translucent

FAINT = 0.06  # opacity of the smallest gradient: seen, but only just
NARROW, WIDE = 1.0, 13.0  # pixels
_BLUE, _ORANGE = (tuple(int(color[at : at + 2], 16) for at in (1, 3, 5)) for color in (BLUE, VERMILLION))

Span = tuple[float, float]


def share(decades: float, span: Span) -> float:
    """Where a number lies between the ends of the scale, from 0 to 1."""
    low, high = span
    return min(max((decades - low) / (high - low), 0.0), 1.0)


def flow_color(decades: float, span: Span) -> str:
    """The colour of 10^decades on a scale from span[0] to span[1]; span[0] ≤ 0 ≤ span[1]."""
    low, high = span
    if decades <= 0:
        strength = share(decades, (low, 0.0)) if low < 0 else 1.0
        return translucent(BLUE, round(FAINT + (1 - FAINT) * strength, 3))
    grown = min(decades / high, 1.0) if high > 0 else 1.0
    red, green, blue = (round(a + grown * (b - a)) for a, b in zip(_BLUE, _ORANGE, strict=True))
    return f"rgba({red},{green},{blue},1)"


def flow_width(decades: float, span: Span) -> float:
    """The width of an arrow in pixels."""
    return round(NARROW + (WIDE - NARROW) * share(decades, span), 2)


def flow_scale(span: Span) -> list[list[float | str]]:
    """``flow_color`` as a Plotly colour scale."""
    low, high = span
    ends = {0.0: low, 1.0: high} | ({share(0.0, span): 0.0} if low < 0 < high else {})
    return [[place, flow_color(ends[place], span)] for place in sorted(ends)]


def flow_bar(span: Span) -> Figure:
    """A colour bar with ticks such as 10⁻⁵⁰."""
    values, labels = log.decade_ticks(*span)
    return {"tickvals": values, "ticktext": labels, "len": 1.0, "thickness": 10, "xpad": 4, "outlinewidth": 0}


def flow_heat(z: np.ndarray, span: Span) -> Figure:
    """A heat map of decades [rows, columns]; what has no place on the scale is left blank."""
    shown = np.ascontiguousarray(log.finite(z), dtype=np.float32)
    scale = {"colorscale": flow_scale(span), "zmin": span[0], "zmax": span[1], "colorbar": flow_bar(span)}
    return {"type": "heatmap", "z": shown} | scale


def flow_span(*arrays: np.ndarray) -> Span:
    """(low, high) of a scale in whole decades for all finite numbers and 10⁰; never of length 0."""
    values = np.concatenate([np.zeros(1), *(np.ravel(array) for array in arrays)])
    values = values[np.isfinite(values)]
    low, high = math.floor(values.min()), math.ceil(values.max())
    return (-1.0, 0.0) if low == high else (float(low), float(high))
