"""How often whole sequences are drawn, beside their probability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.decoding_looks import plain_sequence, sequence_name
from explorer.figures.style import BLUE, GREY, VERMILLION, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

FREQUENCY_TRACES = {"model": 0, "left": 1, "drawn": 2}
_MOST = 12

Tokens = tuple[int, ...]


def sequence_frequencies(
    model: Mapping[Tokens, float],
    left: Mapping[Tokens, float],
    drawn: Mapping[Tokens, int],
    symbols: Sequence[str],
) -> Figure:
    """The likeliest 12 sequences of the model: P, P of what is drawn from, and the frequency among the draws.

    Args:
        model: sequence → probability.
        left: the same after temperature, top-k and nucleus.
        drawn: sequence → how often it was drawn; bars reach ±2 standard errors of a frequency.
        symbols: names of the tokens.
    """
    shown = sorted(model, key=lambda one: (-model[one], one))[:_MOST]
    names = [sequence_name(one, symbols, 12) for one in shown]
    count = max(1, sum(drawn.values()))
    share = np.array([drawn.get(one, 0) / count for one in shown])
    places = np.arange(len(shown))
    exact = np.array([left.get(one, 0.0) for one in shown])
    error = 2 * np.sqrt(exact * (1 - exact) / count)
    bars: list[Figure] = [
        {
            "type": "bar",
            "name": "model",
            "x": places,
            "y": np.array([model[one] for one in shown]),
            "width": 0.86,
        }
        | {"marker": {"color": style.translucent(GREY, 0.55)}},
        {"type": "bar", "name": "left", "x": places, "y": exact, "width": 0.5, "marker": {"color": BLUE}},
        {"type": "scatter", "mode": "markers", "name": "drawn", "x": places, "y": share}
        | {"marker": {"color": VERMILLION, "size": 10, "symbol": "diamond"}}
        | {
            "error_y": {
                "array": error,
                "color": VERMILLION,
                "thickness": 2.5,
            }
        },
    ]
    for bar in bars:
        bar |= {
            "customdata": names,
            "hovertemplate": f"%{{customdata}}: %{{y:.4f}} {bar['name']}<extra></extra>",
        }
    reach = np.maximum(exact, share) + error
    top = max([0.01, *(float(np.max(heights)) for heights in (bars[0]["y"], reach) if len(shown))])
    ticks: Figure = {
        "tickmode": "array",
        "tickvals": places,
        "ticktext": names,
        "tickangle": -30,
        "ticks": "",
    }
    entries = (
        ("model", GREY, "bar"),
        ("with your choices", BLUE, "bar"),
        (f"{count:,} draws", VERMILLION, "point"),
    )
    rest = f"the {_MOST} likeliest of {len(model):,} sequences" if len(model) > _MOST else ""
    layout = style.layout(
        f"sequence_frequencies:{len(shown)}",
        barmode="overlay",
        xaxis=style.axis(rest, -0.6, len(shown) - 0.4, showgrid=False) | ticks,
        yaxis=style.axis("P", 0, 1.08 * top, nticks=5),
        annotations=[style.key(*entries)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
        meta={"x": "sequence by rank", "y": "probability or frequency"},
    )
    return {"data": bars, "layout": layout}


def sequence_frequencies_alt(
    model: Mapping[Tokens, float],
    left: Mapping[Tokens, float],
    drawn: Mapping[Tokens, int],
    symbols: Sequence[str],
) -> str:
    """One sentence with the likeliest sequence of ``sequence_frequencies``."""
    if not model:
        return "There is no sequence."
    top = min(model, key=lambda one: (-model[one], one))
    count = max(1, sum(drawn.values()))
    name = plain_sequence(top, symbols, 40)
    return (
        f"“{name}” has {model[top]:.4f} under the model, {left.get(top, 0.0):.4f} with "
        f"the choices, and is {100 * drawn.get(top, 0) / count:.1f} % of {count:,} draws."
    )


def plot_sequence_frequencies(
    model: Mapping[Tokens, float],
    left: Mapping[Tokens, float],
    drawn: Mapping[Tokens, int],
    symbols: Sequence[str],
    *,
    dark: bool = False,
) -> go.Figure:
    """How often sequences are drawn."""
    return style.themed(sequence_frequencies(model, left, drawn, symbols), dark)
