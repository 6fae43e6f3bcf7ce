"""Heat map of one gate, units × time, with the mean of every gate under it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.decades import quantiles
from explorer.figures.state_colors import DIVERGING, chosen_units
from explorer.figures.style import BACKGROUND, MUTED, TEXT, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.trace import Trace

SIGNED = frozenset({"cell", "new", "candidate"})
"""Activations between −1 and 1; other gates lie between 0 and 1 unless their activation leaves that range."""


def gates(values: Mapping[str, np.ndarray], gate: str | None = None) -> Figure:
    """One gate's heat map and all gates' means over the units.

    Args:
        values: gate → [T, H] of one sample; entry t-1 belongs to step t.
        gate: which one is drawn as a heat map; ``forget``, ``update`` or the first unless told.

    Raises:
        ValueError: the cell has no gates, or not this one.
    """
    if not values:
        raise ValueError("this cell has no gates")
    chosen = gate or next((name for name in ("forget", "update") if name in values), next(iter(values)))
    if chosen not in values:
        raise ValueError(f"there is no gate {chosen!r}; this cell has {', '.join(values)}")
    heat = np.asarray(values[chosen])
    steps, size = heat.shape
    units = chosen_units(size)
    shown = np.where(np.isfinite(heat), heat, np.nan)[:, units].T
    limit = max(1.0, float(np.abs(shown).max(where=~np.isnan(shown), initial=0)))
    signed = chosen in SIGNED or bool((shown < 0).any())
    shown = np.ascontiguousarray(shown, np.float32 if limit < float(np.finfo(np.float32).max) else np.float64)
    color = style.gate_look(chosen, list(values).index(chosen))[0]
    x = np.arange(1, steps + 1)
    bar: Figure = {
        "len": 0.64,
        "y": 1.0,
        "yanchor": "top",
        "thickness": 10,
        "outlinewidth": 0,
        "xpad": 4,
        "x": 1.0,
    }
    ticks = [-limit, 0, limit] if signed else [0, limit / 2, limit]
    bar |= {"tickvals": ticks, "tickformat": ".3~g", "tickfont": {"size": style.SMALL}}
    data: list[Figure] = [
        {"type": "heatmap", "x": x, "y": units, "z": shown, "zmin": -limit if signed else 0, "zmax": limit}
        | {
            "colorscale": DIVERGING if signed else [[0, BACKGROUND], [1, color]],
            "colorbar": bar,
            "name": chosen,
        }
        | {"hovertemplate": f"t = %{{x}}, unit %{{y}}<br>{chosen} = %{{z:.3g}}<extra></extra>"}
    ]
    data += _spread(x, heat, color)
    data += [_mean(x, name, np.asarray(array), place) for place, (name, array) in enumerate(values.items())]
    title = f"{chosen}: unit" if len(units) == size else f"{chosen}: {len(units)} of {size}"
    lines = np.concatenate([line["y"] for line in data[1:]])
    least, most = (
        float(pick(lines, where=np.isfinite(lines), initial=0.0))
        for pick in (np.minimum.reduce, np.maximum.reduce)
    )
    least = 1.05 * min(least, -1.0) if least < -0.02 else -0.05
    means = style.axis("mean", least, 1.05 * max(most, 1.0), domain=[0, 0.3], anchor="x", nticks=3)
    entries = [(name, *style.gate_look(name, place)) for place, name in enumerate(values)]
    parts: Figure = {
        "xaxis": style.time_axis(steps, showgrid=False, anchor="y2"),
        "yaxis": style.unit_axis(title, size, domain=[0.36, 1]),
        "yaxis2": means,
        "annotations": [style.key(*entries)],
        "margin": style.MARGIN | {"r": 4, "t": style.LEGEND_TOP},
        "meta": {
            "x": "time step t",
            "y": "unit (of the lines: mean or 10 % and 90 % quantile over the units)",
            "z": f"activation of the {chosen} gate",
        },
    }
    if np.isnan(shown).any():
        parts["plot_bgcolor"] = MUTED
        looks: Figure = {"paper": True, "color": TEXT, "bgcolor": BACKGROUND, "yanchor": "top"}
        parts["annotations"].append(style.note("grey: not a number", 0.5, 0.97, **looks))
    return {"data": data, "layout": style.layout(f"gates:{steps}:{size}", **parts)}


def _spread(x: np.ndarray, heat: np.ndarray, color: str) -> list[Figure]:
    """10–90 % of the units of the chosen gate."""
    lower, upper = quantiles(heat, (0.1, 0.9))
    edge: Figure = {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "yaxis": "y2",
        "line": {"width": 0, "color": color},
    }
    edge |= {"hoverinfo": "skip", "showlegend": False}
    fill = {"fill": "tonexty", "fillcolor": style.translucent(color, 0.22)}
    return [edge | {"y": lower}, edge | {"y": upper} | fill]


def _mean(x: np.ndarray, name: str, values: np.ndarray, place: int) -> Figure:
    color, dash = style.gate_look(name, place)
    line = {"width": style.THIN, "color": color, "dash": dash}
    hover = f"t = %{{x}}<br>mean {name} = %{{y:.3g}}<extra></extra>"
    curve = {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": values.mean(axis=1),
        "yaxis": "y2",
        "name": name,
    }
    return curve | {"line": line, "hovertemplate": hover}


def gates_alt(values: Mapping[str, np.ndarray]) -> str:
    """One sentence with the numbers of ``gates``."""
    if not values:
        return "This cell has no gates."
    means = ", ".join(f"{name} {np.mean(array):.3g}" for name, array in values.items())
    return f"Mean activation of the gates over all units and steps: {means}."


def plot_gates(trace: Trace, gate: str | None = None, *, sample: int = 0, dark: bool = False) -> go.Figure:
    """One gate of one sample over time; raises ValueError as ``gates`` does."""
    values = {name: values[:, sample] for name, values in trace.gates.items()}
    return style.themed(gates(values, gate), dark)
