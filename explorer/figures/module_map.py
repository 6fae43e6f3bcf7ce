"""Module × time of a clockwork network: which module ticks when, and how much gradient each one holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.layer_grid import grid_values, layer_grid
from explorer.figures.style import Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.trace import Trace

MODULE_TRACES = {"norms": 0, "active": 1}


def module_map(norms: Sequence[np.ndarray], active: np.ndarray, periods: Sequence[int]) -> Figure:
    """Heat map of the gradient's size in every module, with a mark at each step at which it is updated.

    Args:
        norms: for every module log10 ‖∂L/∂h of its units‖ [T+1, B] (or [T+1]); medians are drawn.
        active: [modules, T], True where the module is updated; entry t-1 belongs to step t.
        periods: after how many steps each module is updated.
    """
    labels = [f"every {period} steps" if period > 1 else "every step" for period in periods]
    figure = layer_grid(norms, labels)
    module, step = np.nonzero(active)
    size = 7 if active.shape[1] <= 50 else 4
    looks = {"size": size, "symbol": "square", "color": style.TEXT, "line": {"width": 0}}
    marks = {"type": "scatter", "mode": "markers", "name": "updated", "marker": looks}
    marks |= {"x": step + 1, "y": module, "hovertemplate": "t = %{x}: updated<extra></extra>"}
    figure["data"].append(marks)
    figure["layout"]["annotations"].append(style.key(("updated", style.TEXT, "point")))
    return figure


def module_map_alt(norms: Sequence[np.ndarray], active: np.ndarray, periods: Sequence[int]) -> str:
    """One sentence with the numbers of ``module_map``."""
    z = grid_values(norms)
    said = [
        f"the module of period {period} is updated {int(ticks.sum())} times and holds "
        f"{log.number(float(row[0]))} at step 0"
        for period, ticks, row in zip(periods, active, z, strict=True)
    ]
    return f"Median size of the gradient: {'; '.join(said)}."


def plot_module_map(trace: Trace, *, dark: bool = False) -> go.Figure:
    """Module × time of a clockwork network; raises ValueError for any other cell."""
    from explorer.measures.modules import modules

    found = modules(trace)
    return style.themed(module_map(found.norms, found.active, found.periods), dark)
