"""Every gate and every state as a heat map, units × time, under each other on one time axis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.gates import SIGNED
from explorer.figures.held_regions import Held, outlines
from explorer.figures.state_colors import DIVERGING, chosen_units, colored
from explorer.figures.states import Kind, input_strip, sample_input
from explorer.figures.style import BACKGROUND, MUTED, TEXT, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.trace import Trace

MAX_UNITS = 64
_GAP, _STRIP = 0.022, 0.075  # shares of the height: between two maps, and of the input


def gate_maps(
    gates: Mapping[str, np.ndarray],
    states: Mapping[str, np.ndarray],
    inputs: np.ndarray | None = None,
    *,
    kind: Kind | None = None,
    characters: Sequence[str] = (),
    held: Held | None = None,
    unit: int | None = None,
) -> Figure:
    """Small multiples of one sample.

    Args:
        gates: gate or candidate → [T, H]; entry t-1 belongs to step t.
        states: state → [T+1, H].
        inputs: x [T, I], drawn under the maps.
        kind: how it is drawn, as in ``states``.
        characters: the T characters of a text.
        held: gate → [T, H], True where it is held; outlined.
        unit: a unit that is marked by a line.
    """
    rows = ordered(gates) + list(states)
    size = next(iter(states.values())).shape[1]
    units = chosen_units(size, MAX_UNITS)
    bottom = 0.0 if inputs is None else _STRIP + _GAP
    height = (1 - bottom + _GAP) / len(rows)
    data: list[Figure] = []
    shapes: list[Figure] = []
    notes: list[Figure] = []
    axes: Figure = {}
    wrong = False
    for k, name in enumerate(rows):
        top = 1 - k * height
        domain = [max(top - height + _GAP, bottom), top]
        suffix = "" if k == 0 else str(k + (2 if k and inputs is not None else 1))
        values = np.asarray(gates[name] if name in gates else states[name])
        trace, bad = _map(name, values[:, units], 1 if name in gates else 0, list(gates))
        wrong = wrong or bad
        trace["colorbar"] |= {"y": sum(domain) / 2, "len": domain[1] - domain[0]}
        data.append(trace | {"y": units, "yaxis": f"y{suffix}"})
        ends: Figure = {"tickvals": [0, size - 1], "domain": domain, "showgrid": False}
        axes[f"yaxis{suffix}"] = style.axis("", -0.5, size - 0.5, **ends)
        label = style.LABELS.get(name, name).split()
        place: Figure = {
            "yref": "paper",
            "xref": "paper",
            "xanchor": "right",
            "xshift": -34,
            "align": "right",
        }
        said = f"<b>{label[-1]}</b>" + (f"<br>{label[0]}" if len(label) > 1 else "")
        notes.append(style.note(said, 0, sum(domain) / 2, color=TEXT) | place)
        if held and name in held:
            shapes += outlines(held[name], f"y{suffix}")
        if unit is not None:
            shapes.append(_unit_line(unit, f"y{suffix}"))
    if inputs is not None:
        strip, axis = input_strip(inputs, kind, characters)
        data.append(strip)
        axes["yaxis2"] = axis | {"domain": [0, _STRIP], "anchor": "x", "title": {"text": ""}}
        place = {"xanchor": "right", "xshift": -34}
        notes.append(style.note("<b>x</b><br>input", 0, _STRIP / 2, paper=True, color=TEXT, **place))
    parts: Figure = {"plot_bgcolor": MUTED} if wrong else {}
    if wrong:
        looks: Figure = {"paper": True, "color": TEXT, "bgcolor": BACKGROUND, "yanchor": "top"}
        notes.append(style.note("grey: not a number", 0.5, 0.97, **looks))
    steps = len(next(iter(states.values()))) - 1
    lowest = "y2" if inputs is not None else f"y{len(rows)}" if len(rows) > 1 else "y"
    layout = style.layout(
        f"gate_maps:{steps}:{size}:{len(rows)}",
        xaxis=style.time_axis(steps, showgrid=False, anchor=lowest),
        shapes=shapes,
        annotations=notes,
        margin=style.MARGIN | {"l": 104, "r": 4},
        meta={"x": "time step t", "y": "unit (of the input: its value or channel)", "z": "value"},
        **axes,
        **parts,
    )
    return {"data": data, "layout": layout}


def ordered(gates: Iterable[str]) -> list[str]:
    """Gates between 0 and 1 first, then the candidates."""
    return sorted(gates, key=lambda name: name in SIGNED)


def _map(name: str, values: np.ndarray, first: int, gates: list[str]) -> tuple[Figure, bool]:
    """One heat map [n, units] without its place, and whether it holds numbers that are none."""
    shown = colored(values)
    limit: float = 1.0
    ticks: Figure = {"tickvals": [0, 1]}
    with np.errstate(invalid="ignore"):
        plain = name in gates and name not in SIGNED and not ((values < 0) | (values > 1)).any()
    if plain:
        place = gates.index(name)
        scale: list[list[float | str]] = [[0, BACKGROUND], [1, style.gate_look(name, place)[0]]]
        z, low = np.ascontiguousarray(values.T, dtype=np.float32), 0.0
    else:
        z, scale = shown.z, DIVERGING
        limit = shown.limit
        low = -limit
        ticks = {"tickvals": shown.ticks[0][::2], "ticktext": shown.ticks[1][::2]}
    bar: Figure = {"thickness": 8, "outlinewidth": 0, "xpad": 4, "x": 1.0, "tickfont": {"size": 12}} | ticks
    label = style.LABELS.get(name, name)
    value = f"sign·log₁₀(1+|{name}|)" if shown.logarithmic and not plain else label
    looks = {"zmin": low, "zmax": limit, "colorscale": scale, "colorbar": bar, "name": label}
    hover = f"t = %{{x}}, unit %{{y}}<br>{value} = %{{z:.3g}}<extra></extra>"
    x = np.arange(first, first + len(values))
    return {"type": "heatmap", "x": x, "z": z, "hovertemplate": hover} | looks, bool(np.isnan(values).any())


def _unit_line(unit: int, axis: str) -> Figure:
    """A thin line through the row of the inspected unit."""
    place = {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "yref": axis, "y0": unit, "y1": unit}
    return place | {"line": {"color": TEXT, "width": 1, "dash": "dot"}}


def gate_maps_alt(gates: Mapping[str, np.ndarray], states: Mapping[str, np.ndarray]) -> str:
    """One sentence with the numbers of ``gate_maps``."""
    means = ", ".join(f"{style.LABELS.get(name, name)} {np.mean(gates[name]):.3g}" for name in ordered(gates))
    sizes = ", ".join(
        f"|{name}| up to {np.nanmax(np.abs(values)):.3g}"
        if np.isfinite(values).any()
        else f"{name} not finite"
        for name, values in states.items()
    )
    return f"Means over units and steps: {means}; {sizes}."


def plot_gate_maps(trace: Trace, *, sample: int = 0, dark: bool = False) -> go.Figure:
    """All gates and states of one sample with its input."""
    gates = {name: values[:, sample] for name, values in trace.gates.items()}
    states = {name: values[:, sample] for name, values in trace.states.items()}
    inputs, kind, characters = sample_input(trace, sample)
    return style.themed(gate_maps(gates, states, inputs, kind=kind, characters=characters), dark)
