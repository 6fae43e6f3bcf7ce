"""How one gate or state is distributed over the units, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.decades import quantiles
from explorer.figures.gates import SIGNED
from explorer.figures.held_regions import Held, spans
from explorer.figures.state_colors import nice_limit
from explorer.figures.style import COLORS, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.trace import Trace

SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
DISTRIBUTION_TRACES = {"0–100 %": 1, "10–90 %": 3, "25–75 %": 5, "median": 6}
"""Upper edges of the bands, which carry their fill, and the median."""
_OPACITY = (0.14, 0.24, 0.36)


def gate_distribution(values: np.ndarray, name: str, *, first: int = 1, held: Held | None = None) -> Figure:
    """Bands that hold all, 80 % and half of the units, and their median.

    Args:
        values: [n, H] of one sample.
        name: the gate or state.
        first: the time step of row 0: 1 for gates, 0 for states.
        held: where this gate is held, [T, H]; marked along the bottom.
    """
    values = np.asarray(values, dtype=float)
    rows = quantiles(values, SHARES)
    steps = np.arange(first, first + len(values))
    color = style.gate_look(name)[0] if first else COLORS.get(name, style.GREY)
    label = style.LABELS.get(name, name)
    data: list[Figure] = []
    for k, opacity in enumerate(_OPACITY):
        edge: Figure = {"type": "scatter", "mode": "lines", "x": steps, "line": {"width": 0, "color": color}}
        edge |= {"hoverinfo": "skip", "showlegend": False}
        share = f"{100 * SHARES[k]:.0f}–{100 * SHARES[-1 - k]:.0f} %"
        fill = {"fill": "tonexty", "fillcolor": style.translucent(color, opacity), "name": share}
        data += [edge | {"y": _drawn(rows[k])}, edge | {"y": _drawn(rows[-1 - k])} | fill]
    median = {"type": "scatter", "mode": "lines", "x": steps, "y": _drawn(rows[3]), "name": "median"}
    hover = f"t = %{{x}}<br>median of {label} = %{{y:.3g}}<extra></extra>"
    data.append(median | {"line": {"width": style.WIDTH, "color": color}, "hovertemplate": hover})
    low, high = _ends(values, name, bounded=first > 0)
    entries = [("median", color, "solid"), ("50, 80, 100 % of the units", color, "bar")]
    layout = style.layout(
        f"gate_distribution:{len(values)}:{name}",
        xaxis=style.time_axis(first + len(values) - 1),
        yaxis=style.axis(label, low, high, nticks=5, zeroline=low < 0),
        shapes=spans(held or {}),
        annotations=[style.key(*entries)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
        meta={"x": "time step t", "y": f"quantile over the units of {label}"},
    )
    return {"data": data, "layout": layout}


def _drawn(values: np.ndarray) -> np.ndarray:
    """NaN, which leaves a gap, in place of infinity."""
    return np.where(np.isfinite(values), values, np.nan)


def _ends(values: np.ndarray, name: str, bounded: bool) -> tuple[float, float]:
    """0 … 1 for gates, −1 … 1 for candidates, 0 and all numbers for states; further where the numbers go."""
    finite = values[np.isfinite(values)]
    low, high = float(finite.min(initial=0)), float(finite.max(initial=0))
    bottom = -nice_limit(-low) if low < 0 else 0.0
    top = nice_limit(high) if high > 0 else 0.0
    if bounded:
        bottom, top = min(bottom, -1.0 if name in SIGNED else 0.0), max(top, 1.0)
    elif bottom == top:
        bottom, top = -1.0, 1.0
    return bottom - 0.04 * (top - bottom), top + 0.04 * (top - bottom)


def gate_distribution_alt(values: np.ndarray, name: str) -> str:
    """One sentence with the numbers of ``gate_distribution``."""
    finite = np.asarray(values, dtype=float)
    finite = finite[np.isfinite(finite)]
    if not finite.size:
        return f"{style.LABELS.get(name, name)} has no finite value."
    low, middle, high = np.quantile(finite, (0, 0.5, 1))
    return (
        f"Over all units and steps {style.LABELS.get(name, name)} lies between {low:.3g} and {high:.3g}, "
        f"half of it below {middle:.3g}."
    )


def plot_gate_distribution(trace: Trace, name: str, *, sample: int = 0, dark: bool = False) -> go.Figure:
    """The distribution of a gate or a state over the units of one sample."""
    gate = name in trace.gates
    values = (trace.gates if gate else trace.states)[name][:, sample]
    return style.themed(gate_distribution(values, name, first=int(gate)), dark)
