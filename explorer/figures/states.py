"""Heat map of the hidden state, units × time, with the input under it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from explorer.figures import style
from explorer.figures.state_colors import DIVERGING, chosen_units, colored
from explorer.figures.style import BACKGROUND, MUTED, TEXT, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.trace import Trace

STATE_TRACES = {"states": 0, "input": 1}
MAX_CHARACTERS = 40
Kind = Literal["line", "brightness", "characters", "channels"]


def states(
    values: np.ndarray,
    inputs: np.ndarray | None = None,
    *,
    kind: Kind | None = None,
    characters: Sequence[str] = (),
    exponents: np.ndarray | None = None,
    name: str = "h",
) -> Figure:
    """One sample's states over time.

    Args:
        values: [T+1, H] states of one sample, or mantissas when ``exponents`` are given.
        inputs: x of the sample, [T, I].
        kind: how the input is drawn; a line for one channel and rows of colour for more unless told.
        characters: the T characters for ``kind="characters"``.
        exponents: [T+1] powers of two that multiply the rows of ``values``.
        name: which state, for hover text and colour bar.
    """
    values = np.asarray(values)
    steps, size = values.shape
    units = chosen_units(size)
    shown = colored(values[:, units] if len(units) < size else values, exponents)
    strip = inputs is not None and inputs.size > 0
    bar = {
        "len": 0.8 if strip else 1.0,
        "y": 1.0,
        "yanchor": "top",
        "thickness": 10,
        "outlinewidth": 0,
        "xpad": 4,
    }
    bar |= {
        "tickvals": shown.ticks[0],
        "ticktext": shown.ticks[1],
        "tickfont": {"size": style.SMALL},
        "x": 1.0,
    }
    value = f"sign·log₁₀(1+|{name}|)" if shown.logarithmic else name
    heat = {
        "type": "heatmap",
        "z": shown.z,
        "y": units,
        "zmin": -shown.limit,
        "zmax": shown.limit,
        "colorscale": DIVERGING,
        "colorbar": bar,
        "hovertemplate": f"t = %{{x}}, unit %{{y}}<br>{value} = %{{z:.3g}}<extra></extra>",
        "name": name,
    }
    data = [heat]
    title = "unit" if len(units) == size else f"unit ({len(units)} of {size})"
    parts: dict[str, Any] = {
        "xaxis": style.time_axis(steps - 1, showgrid=False),
        "yaxis": style.unit_axis(title, size, domain=[0.24 if strip else 0, 1]),
        "margin": style.MARGIN | {"r": 4},
        "meta": {
            "x": "time step t",
            "y": "unit (of the input: its value or channel)" if strip else "unit",
            "z": f"sign times log10(1 + |{name}|)" if shown.logarithmic else name,
        },
    }
    if strip and inputs is not None:
        trace, axis = input_strip(inputs, kind, characters)
        data.append(trace)
        parts["yaxis2"] = axis | {"domain": [0, 0.18], "anchor": "x"}
        parts["xaxis"] |= {"anchor": "y2"}
    if shown.not_numbers:
        parts["plot_bgcolor"] = MUTED
        looks: Figure = {"paper": True, "color": TEXT, "bgcolor": BACKGROUND, "yanchor": "top"}
        parts["annotations"] = [style.note("grey: not a number", 0.5, 0.97, **looks)]
    return {"data": data, "layout": style.layout(f"states:{steps}:{size}", **parts)}


def input_strip(
    inputs: np.ndarray, kind: Kind | None = None, characters: Sequence[str] = ()
) -> tuple[Figure, Figure]:
    """(trace on y2, its y axis): the input [T, I] as a strip under a heat map; arguments as of ``states``."""
    x = np.arange(1, len(inputs) + 1)
    kind = kind or ("line" if inputs.shape[1] == 1 else "channels")
    bare = {"showgrid": False, "showticklabels": False, "ticks": ""}
    title = {"fixedrange": True}
    if kind == "characters":
        if len(characters) > MAX_CHARACTERS:
            return _words(x, characters), style.axis("words", -0.5, 0.5, **bare) | title
        text = _visible(characters)
        trace: Figure = {"type": "scatter", "mode": "text", "x": x, "y": np.zeros(len(x)), "text": text}
        trace |= {"textfont": {"size": style.SMALL, "color": TEXT, "family": "monospace"}}
        trace |= {"hovertext": [f"t = {t}: {c}" for t, c in enumerate(characters, 1)], "hoverinfo": "text"}
        axis = style.axis("x", -1, 1, **bare)
    elif kind == "line":
        limit = 1.1 * max(float(np.abs(inputs).max(initial=0)), 1e-9)
        trace = {"type": "scatter", "mode": "lines", "x": x, "y": inputs[:, 0]}
        trace |= {"line": {"width": style.THIN if len(x) <= 200 else 1.5, "color": TEXT, "shape": "hvh"}}
        trace |= {"hovertemplate": "t = %{x}: x = %{y:.3g}<extra></extra>"}
        axis = style.axis("x", -limit, limit, **bare, zeroline=True, zerolinecolor=MUTED)
    else:
        bright = kind == "brightness"
        limit = max(float(np.abs(inputs).max(initial=0)), 1e-9)
        scale = [[0, "#000000"], [1, "#FFFFFF"]] if bright else DIVERGING
        trace = {"type": "heatmap", "x": x, "z": np.ascontiguousarray(inputs.T, dtype=np.float32)}
        trace |= {"colorscale": scale, "zmin": 0 if bright else -limit, "zmax": limit, "showscale": False}
        trace |= {"hovertemplate": "t = %{x}, input %{y}: %{z:.3g}<extra></extra>"}
        axis = style.axis("x", -0.5, inputs.shape[1] - 0.5, **bare)
    return trace | {"yaxis": "y2", "name": "x", "showlegend": False}, axis | title


def _words(x: np.ndarray, characters: Sequence[str]) -> Figure:
    """Long texts as one block per word, in two alternating greys; the characters are in the hover text."""
    blank = np.array([character.isspace() for character in characters])
    word = np.cumsum(blank)
    z = np.where(blank, np.nan, word % 2)[None].astype(np.float32)
    trace = {"type": "heatmap", "x": x, "y": [0], "z": z, "zmin": 0, "zmax": 1, "showscale": False}
    trace |= {"colorscale": [[0, style.GREY], [1, style.GRID]], "text": [_visible(characters)]}
    trace |= {"hovertemplate": "t = %{x}: %{text}<extra></extra>"}
    return trace | {"yaxis": "y2", "name": "x", "showlegend": False}


def _visible(characters: Sequence[str]) -> list[str]:
    """Spaces as a mark that can be seen; signs that Plotly would read as HTML are escaped."""
    special = {" ": "␣", "\n": "⏎", "<": "&lt;", ">": "&gt;", "&": "&amp;"}
    return [special.get(character, character) for character in characters]


def states_alt(values: np.ndarray) -> str:
    """One sentence with the numbers of ``states``."""
    sizes = np.abs(np.asarray(values, dtype=float))
    good = sizes[np.isfinite(sizes)]
    typical = f"{np.median(good):.3g}" if good.size else "not finite"
    largest = f"{good.max():.3g}" if good.size else "not finite"
    bad = sizes.size - good.size
    end = f"; {bad} values are not finite" if bad else ""
    steps, size = sizes.shape
    return f"States of {size} units over {steps - 1} steps: median size {typical}, largest {largest}{end}."


def plot_states(trace: Trace, *, sample: int = 0, state: str = "h", dark: bool = False) -> go.Figure:
    """Heat map of one sample's states with its input."""
    return style.themed(trace_states(trace, sample=sample, state=state), dark)


def trace_states(trace: Trace, *, sample: int = 0, state: str = "h") -> Figure:
    """``states`` of a trace: picks the sample, the exponents of huge states and how its signal is drawn."""
    record = trace.forward
    exponents = None if record.exponents is None else record.exponents[:, sample]
    if exponents is not None and not exponents.any():
        exponents = None
    inputs, kind, characters = sample_input(trace, sample)
    values = record.states[state][:, :, sample]
    return states(values, inputs, kind=kind, characters=characters, exponents=exponents, name=state)


def sample_input(trace: Trace, sample: int) -> tuple[np.ndarray, Kind | None, list[str]]:
    """(x [T, I], how it is drawn, its characters): what ``input_strip`` needs of one sample."""
    inputs, signal = trace.inputs[:, sample], trace.experiment.signal
    kinds: dict[str, Kind] = {"digits": "brightness", "text": "characters"}
    kind = kinds.get(signal.kind) if inputs.shape[1] == signal.input_size else None
    characters: list[str] = []
    if kind == "characters":
        alphabet = sorted(set(getattr(signal, "text", ""))) or [" "]
        characters = [alphabet[k] for k in inputs.argmax(axis=1)]
    return inputs, kind, characters
