"""From a gate's bias to the half-life of what it keeps: closed form, measurement, chrono initialisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.style import BLUE, COLORS, GREEN, TEXT, Figure
from explorer.theory.chrono import chrono_biases
from explorer.theory.half_lives import log_sigmoid

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.trace import Trace

HALF_LIFE_TRACES = {"closed form": 0, "chrono": 1, "bias": 2, "measured": 3}
_LEFT, _RIGHT = -4.0, 8.0  # of the bias that keeps; a larger one widens the axis


def half_life_decades(bias: float | np.ndarray) -> np.ndarray:
    """log10 of ln 2 / −ln σ(bias), the half-life in steps."""
    return np.asarray(np.log10(np.log(2)) - np.log10(-log_sigmoid(bias)))


def forget_half_life(
    bias: float,
    num_steps: int,
    *,
    gate: str = "forget",
    sign: int = 1,
    mean: float = np.nan,
    half_life: float = np.nan,
) -> Figure:
    """The closed form over the bias, with the present bias and what was measured.

    Args:
        bias: the bias that the settings add to the gate, the mean over the units where they differ.
        num_steps: T, drawn as a line and used as T_max of chrono initialisation.
        gate: whose bias.
        sign: +1 where the gate at σ(a) keeps, −1 where 1 − σ(a) does.
        mean: of all factors of the direct path, as measured.
        half_life: of the direct path as measured, in steps; inf and NaN are not drawn but said.
    """
    own = sign * bias
    keep = np.linspace(min(_LEFT, own - 1), max(_RIGHT, own + 1), 241)
    chrono = chrono_biases(num_steps, 25)
    theory = half_life_decades(keep)
    measured = np.log10(half_life) if 0 < half_life < np.inf else np.nan
    heights = np.append(theory, [np.log10(num_steps), np.nan_to_num(measured)])
    low, high = float(np.floor(heights.min())), float(np.ceil(heights.max()))
    letter = style.LABELS.get(gate, gate).split()[-1]
    hover = "bias %{x:.3g}<br>half-life 10<sup>%{y:.2f}</sup> steps<extra></extra>"
    shared = {"type": "scatter", "meta": "decades", "hovertemplate": hover}
    data: list[Figure] = [
        shared
        | {"x": sign * keep, "y": theory, "mode": "lines", "name": "closed form"}
        | {"line": {"color": TEXT, "width": style.THIN, "simplify": False}},
        shared
        | {"x": sign * chrono, "y": half_life_decades(chrono), "mode": "markers", "name": "chrono"}
        | {"marker": {"symbol": "line-ns-open", "size": 14, "color": GREEN, "line": {"width": 2}}},
        shared
        | {"x": np.array([bias]), "y": half_life_decades(np.array([own])), "mode": "markers", "name": "bias"}
        | {"marker": {"size": 14, "color": BLUE}},
        shared
        | {"x": np.array([bias]), "y": np.array([measured]), "mode": "markers", "name": "measured"}
        | {"marker": {"symbol": "diamond", "size": 14, "color": COLORS["direct"]}},
    ]
    closed = f"σ(b) = {1 / (1 + np.exp(-own)):.3g}: {_steps(float(10 ** half_life_decades(own)))}"
    entries = [
        (closed, BLUE, "point"),
        (f"measured {mean:.3g}: {_steps(half_life)}", COLORS["direct"], "point"),
        (f"chrono, T = {num_steps}", GREEN, "bar"),
    ]
    line = {"type": "line", "xref": "x domain", "x0": 0, "x1": 1}
    level = float(np.log10(num_steps))
    shapes = [line | {"y0": level, "y1": level, "line": {"color": style.MUTED, "dash": "dash", "width": 1.5}}]
    place: Figure = {"xref": "x domain", "xanchor": "left", "yanchor": "bottom", "xshift": 4}
    notes = [style.note(f"T = {num_steps} steps", 0, level, **place), style.key(*entries)]
    ends = sorted(sign * keep[[0, -1]])
    layout = style.layout(
        f"forget_half_life:{gate}:{sign}",
        xaxis=style.axis(f"{gate} bias b<sub>{letter}</sub>", ends[0], ends[1], nticks=8),
        yaxis=log.decade_axis("half-life in steps", low, high),
        shapes=shapes,
        annotations=notes,
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
        meta={"x": f"{gate} bias", "y": "log10 of the half-life in steps"},
    )
    return {"data": data, "layout": layout}


def _steps(life: float) -> str:
    """A half-life in words."""
    if np.isnan(life):
        return "no step: shut"
    if life == np.inf:
        return "∞ steps"
    if f"{life:.3g}" == "1":
        return "1 step"
    return f"{life:.3g} steps" if life < 1000 else f"{life:,.0f} steps"


def forget_half_life_alt(bias: float, *, sign: int = 1, half_life: float = np.nan) -> str:
    """One sentence with the numbers of ``forget_half_life``."""
    closed = float(10 ** half_life_decades(sign * bias))
    return (
        f"A bias of {bias:g} alone gives a half-life of {_steps(closed)}; measured along the direct path: "
        f"{_steps(half_life)}."
    )


def plot_forget_half_life(trace: Trace, *, dark: bool = False) -> go.Figure | None:
    """The half-life of a trace's direct path; None where no bias alone sets it."""
    from explorer.measures.keeping import added_bias, keeping, keeping_slot

    kept, found = keeping(trace), keeping_slot(trace)
    if kept is None or found is None:
        return None
    slot, sign = found
    bias = added_bias(trace.experiment, slot)
    measured = {"mean": kept.mean, "half_life": kept.half_life}
    drawn = forget_half_life(bias, trace.num_steps, gate=slot.name, sign=sign, **measured)
    return style.themed(drawn, dark)
