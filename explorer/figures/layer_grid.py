"""Layer × time: where in a stacked network the gradient is, and where it has died."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.flow_colors import flow_heat, flow_span
from explorer.figures.style import Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.measures.architecture_table import ArchitectureRun


def layer_grid(
    norms: Sequence[np.ndarray],
    labels: Sequence[str],
    *,
    steps: np.ndarray | None = None,
    loss_steps: Sequence[int] | np.ndarray = (),
) -> Figure:
    """Heat map of the gradient's size.

    Args:
        norms: for every row from the bottom up log10 norms [T+1, B] (or [T+1]); medians are drawn, and cells
            whose median is exactly 0 or no number stay blank and are named.
        labels: what each row is called, e.g. "layer 1".
        steps: the time step of each entry; 0 … T unless told.
        loss_steps: steps at which the loss enters the top layer.
    """
    z = grid_values(norms)
    x = np.arange(z.shape[1]) if steps is None else steps
    hover = "t = %{x}<br>size = 10<sup>%{z:.2f}</sup><extra></extra>"
    heat = flow_heat(z, flow_span(z)) | {"x": x, "name": "∂L/∂h", "hovertemplate": hover}
    data: list[Figure] = [heat]
    if len(loss_steps):
        marker = {"symbol": "triangle-down", "size": 12, "color": style.COLORS["loss"]}
        mark: Figure = {"type": "scatter", "mode": "markers", "cliponaxis": False, "marker": marker}
        mark |= {"x": np.asarray(loss_steps), "y": np.full(len(loss_steps), len(labels) - 0.5)}
        data.append(mark | {"hovertemplate": "the loss enters at t = %{x}<extra></extra>"})
    rows = {"tickvals": list(range(len(labels))), "ticktext": list(labels), "ticks": ""}
    layout = style.layout(
        f"layer_grid:{z.shape}",
        meta={"x": "time step t", "y": "row, from the bottom", "z": "log10 of the norm of the gradient"},
        xaxis=style.time_axis(float(x[-1]), showgrid=False),
        yaxis=style.axis("", -0.5, len(labels) - 0.5, showgrid=False, **rows),
        annotations=_blanks(z),
        margin=style.MARGIN | {"r": 4, "t": style.LEGEND_TOP},
    )
    return {"data": data, "layout": layout}


def layer_rows(layers: Sequence[Sequence[np.ndarray]]) -> tuple[list[np.ndarray], list[str], np.ndarray]:
    """(rows, labels, steps) of norms layers[l][d] [T+1, B]; with two directions the steps begin at 1.

    A half that reads from the end has no state at t = 0.
    """
    both = len(layers[0]) > 1
    rows = [norms[int(both) :] for layer in layers for norms in layer]
    arrows = (" →", " ←") if both else ("",)
    labels = [f"layer {k}{arrow}" for k in range(1, len(layers) + 1) for arrow in arrows]
    return rows, labels, np.arange(int(both), len(layers[0][0]))


def grid_values(norms: Sequence[np.ndarray]) -> np.ndarray:
    """Medians over the samples, [rows, T+1], in decades."""
    return np.stack([log.quantiles(row, (0.5,))[0] for row in norms])


def _blanks(z: np.ndarray) -> list[Figure]:
    """What the blank cells are, above the map."""
    zeros, wrong = np.isneginf(z).any(), (np.isnan(z) | (z == np.inf)).any()
    said = [text for there, text in ((zeros, "exactly 0"), (wrong, "not a finite number")) if there]
    if not said:
        return []
    color = style.COLORS["zero"] if zeros else style.COLORS["not_finite"]
    place: Figure = {"paper": True, "xanchor": "left", "yanchor": "bottom", "yshift": 3}
    return [style.note(f"blank: {' or '.join(said)}", 0, 1, color=color, **place)]


def layer_grid_alt(norms: Sequence[np.ndarray], labels: Sequence[str]) -> str:
    """One sentence with the numbers of ``layer_grid``."""
    z = grid_values(norms)
    said = [
        f"{label} {log.number(float(row[0]))} at step 0 and {log.number(float(row[-1]))} at the end"
        for label, row in zip(labels, z, strict=True)
    ]
    return f"Median size of the gradient: {'; '.join(said)}."


def plot_layer_grid(found: ArchitectureRun, *, dark: bool = False) -> go.Figure:
    """The gradient's size in every layer and direction of a network."""
    layers = [[found.norms(k, d) for d in range(found.directions)] for k in range(found.num_layers)]
    rows, labels, steps = layer_rows(layers)
    losses = np.flatnonzero(found.loss_weights)
    return style.themed(layer_grid(rows, labels, steps=steps, loss_steps=losses), dark)
