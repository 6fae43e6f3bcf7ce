"""The gradient of a memory network: back through its hops, and to every sentence of the story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.style import GREY, LOOKS, OCHRE, PURPLE, VIOLET, WINE, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.seq2seq.memory import MemoryNetwork, Stories

_READ = (
    (VIOLET, "dot", "hexagon"),
    (OCHRE, "solid", "circle"),
    (PURPLE, "dash", "square"),
    (WINE, "dashdot", "diamond"),
)
_RECURRENT = (GREY, "solid", "x")
_WAYS = ("u + o", "attention alone")


def hop_gradient(whole: np.ndarray, attention: np.ndarray) -> Figure:
    """log10 ‖∂L/∂u^k‖ before each hop and after the last.

    Args:
        whole: with the way past each hop, [K+1]; −inf is an exact 0 and is named.
        attention: through the attention of the hops alone, [K+1].
    """
    curves = dict(zip(_WAYS, (whole, attention), strict=True))
    low, high = log.decade_range(*curves.values())
    x = np.arange(1, len(whole) + 1)
    data = []
    for look, (name, decades) in zip(LOOKS, curves.items(), strict=False):
        curve = _curve(name, x, log.finite(decades), look)
        data.append(
            curve | {"hovertemplate": f"u<sup>%{{x}}</sup>, {name}<br>10<sup>%{{y:.2f}}</sup><extra></extra>"}
        )
    ticks = {"tickmode": "array", "tickvals": x, "ticktext": [f"u{_high(int(k))}" for k in x]}
    entries = [(name, color, dash) for (color, dash, _), name in zip(LOOKS, curves, strict=False)]
    layout = style.layout(
        f"hop_gradient:{len(whole)}",
        meta={"x": "query before hop k", "y": "log10 of the gradient"},
        xaxis=style.axis("before hop k, and after the last", 0.7, len(whole) + 0.3, **ticks),
        yaxis=log.decade_axis("", low, high),
        annotations=[style.key(*entries), *_zeros(curves)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
    )
    return {"data": data, "layout": layout}


def hop_gradient_alt(whole: np.ndarray, attention: np.ndarray) -> str:
    """One sentence with both ends of ``hop_gradient``."""
    ends = [log.number(float(decades)) for decades in (whole[-1], whole[0], attention[0])]
    return f"After the last hop {ends[0]}; before the first {ends[1]}, and {ends[2]} by attention alone."


def plot_hop_gradient(network: MemoryNetwork, story: Stories, *, dark: bool = False) -> go.Figure:
    """The first story's gradient on its way back through the hops."""
    from explorer.seq2seq.memory import run_memory

    trace = run_memory(network, story)
    return style.themed(hop_gradient(trace.query_decades, trace.attention_decades), dark)


def sentence_gradient(memory: np.ndarray, recurrent: np.ndarray, support: Sequence[int]) -> Figure:
    """log10 of the gradient at every sentence, of a memory network and of an untrained RNN.

    Args:
        memory: ‖∂L/∂m^k_i‖ in decades, [K+1, S]; −inf is an exact 0 and is named.
        recurrent: ‖∂L/∂h_t‖ at the last word of each sentence, [S].
        support: positions of the sentences that the answer follows from.
    """
    curves = _curves(memory, recurrent)
    looks = [*_READ[: len(memory)], _RECURRENT]
    count = len(recurrent)
    low, high = log.decade_range(*curves.values())
    data = []
    for look, (name, decades) in zip(looks, curves.items(), strict=True):
        curve = _curve(name, np.arange(1, count + 1), log.finite(decades), look)
        data.append(
            curve | {"hovertemplate": f"{name}, sentence %{{x}}<br>10<sup>%{{y:.2f}}</sup><extra></extra>"}
        )
    entries = [(name, color, dash) for (color, dash, _), name in zip(looks, curves, strict=True)]
    bands = [
        {"type": "rect", "yref": "y domain", "x0": i + 0.6, "x1": i + 1.4, "y0": 0, "y1": 1}
        | {"fillcolor": OCHRE, "opacity": 0.18, "line": {"width": 0}, "layer": "below"}
        for i in support
    ]
    step = next(step for step in (1, 2, 5) if count / step <= 10)
    layout = style.layout(
        f"sentence_gradient:{count}",
        meta={"x": "sentence", "y": "log10 of the gradient"},
        xaxis=style.axis("sentence i, the newest last", 0.5, count + 0.5, dtick=step, tick0=step),
        yaxis=log.decade_axis("", low, high),
        shapes=bands,
        annotations=[style.key(*entries), *_zeros(curves)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
    )
    return {"data": data, "layout": layout}


def sentence_gradient_alt(memory: np.ndarray, recurrent: np.ndarray) -> str:
    """One sentence with the oldest and the newest sentence of every curve of ``sentence_gradient``."""
    said = [
        f"{name} {log.number(float(decades[0]))} and {log.number(float(decades[-1]))}"
        for name, decades in _curves(memory, recurrent).items()
    ]
    return f"At the oldest and the newest sentence: {', '.join(said)}."


def plot_sentence_gradient(network: MemoryNetwork, story: Stories, *, dark: bool = False) -> go.Figure:
    """The first story in a memory network and in an untrained recurrent network."""
    from explorer.seq2seq.memory import recurrent_decades, run_memory

    recurrent = recurrent_decades(network.settings, story)
    support = [int(i) for i in story.support[0] if i >= 0]
    return style.themed(
        sentence_gradient(run_memory(network, story).memory_decades, recurrent, support), dark
    )


def _curves(memory: np.ndarray, recurrent: np.ndarray) -> dict[str, np.ndarray]:
    names = [f"m{_high(k)}" for k in range(len(memory))]
    return {**dict(zip(names, memory, strict=True)), "RNN": recurrent}


def _curve(name: str, x: np.ndarray, y: np.ndarray, look: tuple[str, str, str]) -> Figure:
    color, dash, symbol = look
    line = {"width": style.WIDTH, "color": color, "dash": dash}
    marker = {"symbol": symbol, "size": 9, "color": color}
    found = {"type": "scatter", "mode": "lines+markers", "name": name, "x": x, "y": y, "line": line}
    return found | {"marker": marker, "cliponaxis": False}


def _zeros(curves: Mapping[str, np.ndarray]) -> list[Figure]:
    """Which curves hold exact zeros, and how many."""
    counts = {name: int((decades == -np.inf).sum()) for name, decades in curves.items()}
    said = [f"{name}: exactly 0 at {n} of {len(curves[name])}" for name, n in counts.items() if n]
    place: Figure = {"paper": True, "xanchor": "left", "yanchor": "bottom", "xshift": 6, "yshift": 4}
    return [style.note("<br>".join(said), 0, 0, color=OCHRE, align="left", **place)] if said else []


def _high(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
