"""One unit over time: its gates, its states, and the gradients that reach it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.held_regions import Held, spans
from explorer.figures.style import COLORS, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.trace import Trace

_DOMAINS = ((0.7, 1.0), (0.38, 0.62), (0.0, 0.3))
_DASHES = {"h": "solid", "c": "dash"}


def unit(
    gates: Mapping[str, np.ndarray],
    states: Mapping[str, np.ndarray],
    gradients: Mapping[str, np.ndarray],
    signs: Mapping[str, np.ndarray],
    *,
    held: Held | None = None,
) -> Figure:
    """Three small pictures on one time axis.

    Args:
        gates: gate → [T], entry t-1 for step t.
        states: state → [T+1].
        gradients: state → log10 |∂L/∂s_t| of this unit, [T+1]; −inf where exactly 0.
        signs: state → its sign, [T+1]; negative stretches are drawn thin.
        held: gate → [T, 1], True where this unit's gate is held; marked along the bottom.
    """
    steps = len(next(iter(states.values()))) - 1
    data: list[Figure] = []
    for place, (name, values) in enumerate(gates.items()):
        color, dash = style.gate_look(name, place)
        data.append(_line(style.LABELS.get(name, name), np.arange(1, steps + 1), values, color, dash, "y"))
    for name, values in states.items():
        looks = _look(name)
        data.append(_line(style.LABELS.get(name, name), np.arange(steps + 1), values, *looks, "y2"))
    for name, decades in gradients.items():
        data += [_gradient(name, np.where(signs[name] == k, decades, np.nan), k) for k in (1, -1)]
    gate_low, gate_high = _ends(gates, (0, 1))
    state_low, state_high = _ends(states, (0, 0))
    low, high = log.decade_range(*gradients.values())
    letters = [
        (style.LABELS.get(name, name).split()[-1], *style.gate_look(name, k)) for k, name in enumerate(gates)
    ]
    above: Figure = {"xanchor": "left", "yanchor": "bottom", "yshift": 2, "paper": True}
    below = [(name, *_look(name)) for name in states]
    notes = [
        style.key(*letters),
        style.note(_words(below, "state"), 0, _DOMAINS[1][1], color=style.TEXT, **above),
        style.note(_words(below, "∂L/∂") + " (thin: negative)", 0, _DOMAINS[2][1], color=style.TEXT, **above),
    ]
    shapes, marks = _zeros(gradients, steps)
    layout = style.layout(
        f"unit:{steps}",
        xaxis=style.time_axis(steps, anchor="y3"),
        yaxis=style.axis("gate", gate_low, gate_high, domain=list(_DOMAINS[0]), nticks=4),
        yaxis2=style.axis("state", state_low, state_high, domain=list(_DOMAINS[1]), nticks=4, anchor="x"),
        yaxis3=log.decade_axis("gradient", low, high, domain=list(_DOMAINS[2]), anchor="x"),
        shapes=spans(held or {}) + shapes,
        annotations=notes + marks,
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
        meta={"x": "time step t", "y": "value (of gradients: log10 of its size)"},
    )
    return {"data": data, "layout": layout}


def _line(name: str, x: np.ndarray, y: np.ndarray, color: str, dash: str, axis: str) -> Figure:
    curve = {"type": "scatter", "mode": "lines", "name": name, "x": x, "yaxis": axis}
    curve |= {"y": np.where(np.isfinite(y), y, np.nan), "line": {"color": color, "dash": dash, "width": 2.5}}
    return curve | {"hovertemplate": f"t = %{{x}}<br>{name} = %{{y:.3g}}<extra></extra>"}


def _gradient(name: str, decades: np.ndarray, sign: int) -> Figure:
    """One sign of one gradient."""
    said = "" if sign > 0 else "−"
    width = style.THIN if sign > 0 else 1
    color, dash = _look(name)
    line = {"color": color, "dash": dash, "width": width}
    curve = {"type": "scatter", "mode": "lines", "name": f"{said}∂L/∂{name}", "meta": "decades", "line": line}
    curve |= {"x": np.arange(len(decades)), "y": log.finite(decades), "yaxis": "y3"}
    hover = f"t = %{{x}}<br>∂L/∂{name} = {said}10<sup>%{{y:.2f}}</sup><extra></extra>"
    return curve | {"hovertemplate": hover} | log.dots(decades, color)


def _look(state: str) -> tuple[str, str]:
    """(colour, dash) of a state."""
    return COLORS.get(state, style.GREY), _DASHES.get(state, "dot")


def _words(entries: list[tuple[str, str, str]], before: str) -> str:
    """The curves' names in their colours."""
    join = "" if before.endswith("∂") else " "
    return "  ".join(f'<span style="color:{color}">{before}{join}{name}</span>' for name, color, _ in entries)


def _zeros(gradients: Mapping[str, np.ndarray], steps: int) -> tuple[list[Figure], list[Figure]]:
    """Steps at which every gradient of the unit is exactly 0, shaded in the lowest picture."""
    zero = np.all([np.isneginf(values) for values in gradients.values()], axis=0)
    shapes, notes = log.shaded_stretches(zero, "exactly 0", COLORS["zero"])
    for part in shapes + notes:
        part["yref"] = "y3 domain"
    return shapes, notes


def _ends(curves: Mapping[str, np.ndarray], least: tuple[float, float]) -> tuple[float, float]:
    """A range around all curves and ``least``."""
    values = np.concatenate(list(curves.values()))
    values = values[np.isfinite(values)]
    low, high = min(float(values.min(initial=0)), least[0]), max(float(values.max(initial=0)), least[1])
    if low == high:
        low, high = -1.0, 1.0
    room = 0.06 * (high - low)
    return low - room, high + room


def unit_alt(states: Mapping[str, np.ndarray], gradients: Mapping[str, np.ndarray], number: int) -> str:
    """One sentence with the numbers of ``unit``."""
    ends = ", ".join(f"{name} ends at {values[-1]:.3g}" for name, values in states.items())
    firsts = ", ".join(f"∂L/∂{name} is {log.number(float(g[0]))}" for name, g in gradients.items())
    return f"Unit {number}: {ends}; at step 0 the size of {firsts}."


def unit_arrays(
    trace: Trace, number: int, sample: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray]]:
    """What ``unit`` draws of one unit of one sample: gates, states, log10 gradients and their signs."""
    gates = {name: values[:, sample, number] for name, values in trace.gates.items()}
    states = {name: values[:, sample, number] for name, values in trace.states.items()}
    powers = trace.backward.exponents[:, sample] * np.log10(2)
    signs, gradients = {}, {}
    for name in reversed(trace.experiment.cell.states):
        column = trace.backward.totals[name][:, number, sample].astype(float)
        signs[name] = np.sign(column)
        with np.errstate(divide="ignore"):
            gradients[name] = np.log10(np.abs(column)) + powers
    return gates, states, gradients, signs


def plot_unit(trace: Trace, number: int = 0, *, sample: int = 0, dark: bool = False) -> go.Figure:
    """One unit of one sample."""
    return style.themed(unit(*unit_arrays(trace, number, sample)), dark)
