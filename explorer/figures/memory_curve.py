"""What a frozen reservoir remembers: one bar for each delay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.style import BLUE, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.experiment import Experiment


def memory_curve(delays: np.ndarray, capacity: np.ndarray, units: int) -> Figure:
    """MC_k over the delay k.

    Args:
        delays: k, [K].
        capacity: MC_k between 0 and 1, [K]; NaN where the states are no numbers.
        units: N, which bounds the sum.
    """
    marker = {"color": BLUE, "line": {"width": 0}}
    bars = {
        "type": "bar",
        "name": "MC of delay k",
        "x": delays,
        "y": capacity,
        "width": 1.0,
        "marker": marker,
    }
    bars |= {"width": 1.0, "hovertemplate": "k = %{x}<br>MC = %{y:.3f}<extra></extra>"}
    place: Figure = {"xanchor": "right", "yanchor": "top", "color": style.TEXT, "bgcolor": style.BACKGROUND}
    layout = style.layout(
        f"memory_curve:{len(delays)}",
        meta={"x": "delay k in steps", "y": "squared correlation"},
        xaxis=style.axis("delay k", 0, float(delays[-1]) + 0.5, showgrid=False),
        yaxis=style.axis("MC of delay k", 0, 1.05, nticks=5),
        annotations=[style.note(_total(capacity, units), 1, 1, paper=True, **place)],
        bargap=0,
    )
    return {"data": [bars], "layout": layout}


def _total(capacity: np.ndarray, units: int) -> str:
    """The sum, and the bound it cannot pass."""
    if not np.isfinite(capacity).all():
        return "the states are not finite numbers"
    return f"memory capacity {capacity.sum():.1f} of at most N = {units}"


def memory_curve_alt(delays: np.ndarray, capacity: np.ndarray, units: int) -> str:
    """One sentence with the numbers of ``memory_curve``."""
    good = np.flatnonzero(capacity >= 0.5)
    reach = (
        f"; half or more of the variance is recalled up to {delays[good[-1]]} steps back" if len(good) else ""
    )
    return f"Over {len(delays)} delays: {_total(capacity, units)}{reach}."


def plot_memory_curve(experiment: Experiment, *, dark: bool = False) -> go.Figure:
    """What a linear readout recalls of white noise that an experiment's network has read."""
    from explorer.measures.reservoir import memory_capacity

    found = memory_capacity(experiment)
    return style.themed(memory_curve(found.delays, found.capacity, found.units), dark)
