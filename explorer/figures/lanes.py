"""Two lanes back through time: how large each is, and which share of the gradient takes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.decade_lines import Line, decade_lines
from explorer.figures.ledger import MAX_BARS, binned
from explorer.figures.style import COLORS, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.measures.lanes import LaneDerivatives
    from explorer.trace import Trace

LANE_TRACES = {"full": 0, "direct": 1}
"""Name → index in the figure's data; the forget gates alone and the lanes without holds follow by name."""
_FLOOR, _CEILING = -1.0, 2.0  # shares beyond cancel each other


def path_label(state: str) -> str:
    """What the direct lane of a state is called."""
    return "cell path" if state == "c" else "direct path"


def lanes(found: LaneDerivatives, hidden_size: int, before: LaneDerivatives | None = None) -> Figure:
    """Root mean square of ∂s_T/∂s_t over all units, along the direct lane and in all.

    Args:
        found: both lanes as log10, [T+1]; −inf where exactly 0.
        hidden_size: H; fewer directions than that are said to be an estimate.
        before: the same without held gates, drawn thin.
    """
    state, path = found.state, f"{path_label(found.state)} alone"
    lines = [
        Line("everything", found.full, COLORS["full"], short="everything"),
        Line(path, found.direct, COLORS["direct"], "dash", path),
    ]
    if found.gate is not None:
        lines.append(Line("forget gates alone", found.gate, style.OCHRE, "dot", "Π f alone", style.THIN))
    if before is not None:
        for name, values in (("full", before.full), ("direct", before.direct)):
            color = style.translucent(COLORS[name], 0.6)
            lines.append(Line(f"{name}, without holds", values, color, "dot", width=style.THIN))
    figure = decade_lines(lines, name="lanes", title=f"∂{state}<sub>T</sub> ∕ ∂{state}<sub>t</sub> (rms)")
    if found.directions < hidden_size:
        said = f"everything: estimated from {found.directions} of {hidden_size} directions"
        place: Figure = {"paper": True, "xanchor": "right", "yanchor": "bottom", "xshift": -4, "yshift": 4}
        place["bgcolor"] = style.BACKGROUND
        figure["layout"]["annotations"].append(style.note(said, 1, 0, **place))
    return figure


def lanes_alt(found: LaneDerivatives) -> str:
    """One sentence with the numbers of ``lanes``."""
    alone, all_ = (log.number(float(values[0])) for values in (found.direct, found.full))
    path, last = path_label(found.state), len(found.full) - 1
    return f"From step 0 to step {last} the {path} alone passes {alone}, everything {all_}."


def lane_shares(
    shares: Mapping[str, np.ndarray], sizes: Mapping[str, np.ndarray], states: tuple[str, ...] = ("c", "h")
) -> Figure:
    """Stacked bars for every step: by which lane the gradient arrives one step earlier.

    Args:
        shares: lane → [T], summing to 1 at each step; NaN where nothing arrives. Entry t-1 is the step back
            from t to t-1. Lanes that are named like a state are its direct path, others the matrix of a slot.
        sizes: lane → log10 of the length of its part, [T]; said in the hover text, at the middle of a bar.
        states: names of the states.
    """
    steps = len(next(iter(shares.values())))
    width = max(1, -(-steps // MAX_BARS))
    first = np.arange(1, steps + 1, width, dtype=float)
    centres = first + (np.minimum(first + width, steps + 1) - first - 1) / 2
    means = {name: binned(np.asarray(values, float), width) for name, values in shares.items()}
    low, high = _ends(means)
    data: list[Figure] = []
    entries = []
    for place, (name, values) in enumerate(means.items()):
        label, color = _lane_look(name, states, place)
        bar = {"type": "bar", "name": label, "x": centres, "y": values, "width": float(width)}
        said = [log.number(float(size)) for size in sizes[name][centres.astype(int) - 1]]
        bar |= {"hovertext": said, "textposition": "none"}
        hover = f"t = %{{x}}<br>{label}: %{{y:.2%}}<br>size %{{hovertext}}<extra></extra>"
        shade = color if name in states else style.translucent(color, 0.55)
        data.append(bar | {"marker": {"color": shade, "line": {"width": 0}}, "hovertemplate": hover})
        if np.any(np.abs(np.nan_to_num(values)) > 5e-3):
            entries.append((label, color, "bar"))
    nothing = np.isnan(next(iter(shares.values())))
    shapes, notes = log.shaded_stretches(nothing, "no gradient", style.GREY, 1)
    line = {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "y0": 1, "y1": 1}
    shapes.append(line | {"line": {"color": style.MUTED, "width": 1.5, "dash": "dot"}})
    layout = style.layout(
        f"lane_shares:{steps}",
        barmode="relative",
        bargap=0,
        xaxis=style.time_axis(steps),
        yaxis=style.axis("share", low, high, tickformat=".0%", zeroline=True, zerolinecolor=style.MUTED),
        shapes=shapes,
        annotations=[*notes, style.key(*entries)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
        meta={"x": "time step t", "y": "share of the gradient that arrives at step t-1"},
    )
    return {"data": data, "layout": layout}


def _lane_look(name: str, states: tuple[str, ...], place: int) -> tuple[str, str]:
    """(label, colour) of a lane."""
    if name in states:
        return path_label(name), COLORS["direct"]
    if name == "hidden":
        return "U", style.OCHRE
    gate = "new" if name.startswith("new") else name
    letter = style.LABELS.get(gate, gate).split()[-1]
    return f"U<sub>{letter}</sub>", style.gate_look(gate, place)[0]


def _ends(means: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """The axis: 0 … 1 and whatever parts reach beyond, up to where they only cancel."""
    stack = np.nan_to_num(np.stack(list(means.values())))
    low = float(np.clip(stack, None, 0).sum(axis=0).min(initial=0))
    high = float(np.clip(stack, 0, None).sum(axis=0).max(initial=1))
    return max(_FLOOR, min(low * 1.05, -0.02)), min(_CEILING, max(high * 1.03, 1.05))


def lane_shares_alt(shares: Mapping[str, np.ndarray], states: tuple[str, ...] = ("c", "h")) -> str:
    """One sentence with the numbers of ``lane_shares``."""
    parts = []
    for place, (name, values) in enumerate(shares.items()):
        there = np.asarray(values)[np.isfinite(values)]
        if there.size:
            label = _lane_look(name, states, place)[0].replace("<sub>", "_").replace("</sub>", "")
            parts.append(f"{label} {100 * there.mean():.3g} %")
    said = ", ".join(parts)
    return f"Mean share of each lane over the steps: {said}." if said else "There is no gradient."


def plot_lanes(trace: Trace, *, sample: int = 0, dark: bool = False) -> go.Figure | None:
    """Both lanes of one sample; None for a cell without a direct path."""
    from explorer.measures.lanes import lane_derivatives

    found = lane_derivatives(trace, sample)
    return None if found is None else style.themed(lanes(found, trace.experiment.hidden_size), dark)


def plot_lane_shares(trace: Trace, *, sample: int = 0, dark: bool = False) -> go.Figure:
    """The share of each lane for one sample."""
    from explorer.measures.lanes import lane_shares as measure

    found = measure(trace)
    shares, sizes = (
        {name: values[:, sample] for name, values in lanes.items()} for lanes in (found.shares, found.norms)
    )
    return style.themed(lane_shares(shares, sizes, trace.experiment.cell.states), dark)
