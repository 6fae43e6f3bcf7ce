"""The two directions of the backward pass: along time, and down to the layer below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.decade_lines import Line, decade_lines
from explorer.figures.style import COLORS, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.trace import Trace

DIRECTION_TRACES = {"along time": 0, "to the layer below": 1}


def directions(along: np.ndarray, below: np.ndarray) -> Figure:
    """Both gradients that leave step t.

    Args:
        along: log10 ‖∂L/∂h_{t-1}‖, [T], entry t-1 for step t.
        below: log10 ‖∂L/∂x_t‖, [T].
    """
    lines = [
        Line("‖∂L/∂h<sub>t−1</sub>‖", along, COLORS["h"], "solid", "along time: ∂L/∂h<sub>t−1</sub>"),
        Line("‖∂L/∂x<sub>t</sub>‖", below, COLORS["below"], "dash", "downwards: ∂L/∂x<sub>t</sub>"),
    ]
    return decade_lines(lines, name="directions", title="size of gradient", first=1)


def directions_alt(along: np.ndarray, below: np.ndarray) -> str:
    """One sentence with the numbers of ``directions``."""
    said = []
    for name, values in (("along time", along), ("to the layer below", below)):
        said.append(f"{name} {log.number(float(values[0]))} at step 1 and {log.number(float(values[-1]))}")
    return f"Size of the gradient {said[0]}, {said[1]} at step {len(along)}."


def plot_directions(trace: Trace, *, sample: int = 0, dark: bool = False) -> go.Figure:
    """Both directions for one sample."""
    from explorer.measures.input_gradient import input_gradient_norms
    from explorer.measures.norms import gradient_norms

    along, below = gradient_norms(trace)[:-1, sample], input_gradient_norms(trace)[:, sample]
    return style.themed(directions(along, below), dark)
