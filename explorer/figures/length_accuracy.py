"""How many sequences are translated exactly, against their length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.style import LOOKS, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go


def length_accuracy(
    exact: Mapping[str, np.ndarray], buckets: Sequence[tuple[int, int]], trained: tuple[int, int]
) -> Figure:
    """Share of exact answers for each bucket of source lengths, one curve a network.

    Args:
        exact: name → shares between 0 and 1, [buckets].
        buckets: shortest and longest source of each.
        trained: lengths that the networks were trained on; longer ones lie on a grey ground.
    """
    x = np.arange(len(buckets))
    data = []
    for (color, dash, symbol), (name, shares) in zip(LOOKS, exact.items(), strict=False):
        marker = {"symbol": symbol, "size": 11, "color": color}
        data.append(
            {"type": "scatter", "mode": "lines+markers", "x": x, "y": shares, "name": name, "marker": marker}
            | {"line": {"width": style.WIDTH, "color": color, "dash": dash}, "cliponaxis": False}
            | {"hovertemplate": f"{name}<br>%{{y:.0%}} exact<extra></extra>"}
        )
    ticks = {"tickmode": "array", "tickvals": x, "ticktext": [f"{low}–{high}" for low, high in buckets]}
    unseen = [k for k, (low, _) in enumerate(buckets) if low > trained[1]]
    shapes, notes = [], []
    if unseen:
        place = {"xref": "x", "yref": "y domain", "x0": unseen[0] - 0.5, "x1": len(x) - 0.5, "y0": 0, "y1": 1}
        shapes.append(
            {"type": "rect", "fillcolor": style.GRID, "line": {"width": 0}, "layer": "below"} | place
        )
        corner: Figure = {"yref": "y domain", "xanchor": "right", "yanchor": "bottom"}
        notes.append(style.note("longer than in training", len(x) - 0.5, 1.0, **corner))
    layout = style.layout(
        f"length_accuracy:{len(buckets)}",
        meta={"x": "bucket of source lengths", "y": "share of exact answers"},
        xaxis=style.axis("tokens of the source", -0.5, len(x) - 0.5, **ticks),
        yaxis=style.axis("exact", -0.03, 1.06, tickformat=".0%", dtick=0.25),
        shapes=shapes,
        annotations=notes,
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
    )
    return {"data": data, "layout": layout}


def length_accuracy_alt(exact: Mapping[str, np.ndarray], buckets: Sequence[tuple[int, int]]) -> str:
    """One sentence with all numbers of ``length_accuracy``."""
    names = [f"{low} to {high}" for low, high in buckets]
    said = [
        f"{network} {', '.join(f'{share:.0%} at {name}' for share, name in zip(shares, names, strict=True))}"
        for network, shares in exact.items()
    ]
    return f"Exact answers by tokens of the source: {'; '.join(said)}."


def plot_length_accuracy(
    exact: Mapping[str, np.ndarray],
    buckets: Sequence[tuple[int, int]],
    trained: tuple[int, int],
    *,
    dark: bool = False,
) -> go.Figure:
    """Exact answers against the length of the source."""
    return style.themed(length_accuracy(exact, buckets, trained), dark)
