"""How large gradients were before and after clipping."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.style import GREEN, TEXT, VERMILLION, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

HISTOGRAM_TRACES = {"after": 0, "before": 1}
_MOST_BINS = 40
_WIDTHS = (0.125, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 25.0)  # decades


def norm_histogram(before: np.ndarray, after: np.ndarray, clip_at: float | None = None) -> Figure:
    """Counts of steps by log10 of the gradient's norm: outlined before clipping, filled after it.

    Args:
        before: norms [n] before clipping, in any order.
        after: norms of the same steps after it.
        clip_at: the threshold, drawn as a line; None for no clipping.

    Norms of exactly 0 and such that are no finite numbers have no place on the axis; they are counted in
    words.

    Raises:
        ValueError: the two have different shapes.
    """
    one, two = np.asarray(before, np.float64), np.asarray(after, np.float64)
    if one.shape != two.shape or one.ndim != 1:
        raise ValueError(
            f"before has the shape {list(one.shape)} and after {list(two.shape)}; allowed is [n] for both"
        )
    if not len(one):
        return style.message("No step has been made yet.")
    sizes = [_decades(one), _decades(two)]
    level = [] if clip_at is None else [math.log10(clip_at)]
    known = np.concatenate([*sizes, level])
    if not len(known):
        return style.message(_left_out(one))
    low, high = math.floor(known.min()), max(math.ceil(known.max()), math.floor(known.min()) + 1)
    width = next((w for w in _WIDTHS if (high - low) / w <= _MOST_BINS), 100.0)
    edges = np.arange(low, high + 1.5 * width, width) - width / 2  # a threshold 10^k is the middle of a bin
    counts = [np.histogram(size, edges)[0] for size in sizes]
    middle = (edges[:-1] + edges[1:]) / 2
    hover = "norm about 10<sup>%{x:.2f}</sup><br>%{y} steps<extra></extra>"
    outline = {"color": VERMILLION, "width": style.WIDTH, "shape": "hvh"}
    data: list[Figure] = [
        {"type": "bar", "name": "after clipping", "x": middle, "y": counts[1], "width": width}
        | {"marker": {"color": GREEN, "opacity": 0.65, "line": {"width": 0}}, "hovertemplate": hover},
        {"type": "scatter", "mode": "lines", "name": "before clipping", "x": middle, "y": counts[0]}
        | {"line": outline, "hovertemplate": hover},
    ]
    entries = [("before", VERMILLION, "solid"), ("after", GREEN, "bar")]
    shapes = []
    if clip_at is not None:
        entries.append(("threshold", TEXT, "dash"))
        shapes.append(
            {"type": "line", "x0": level[0], "x1": level[0], "yref": "paper", "y0": 0, "y1": 1}
            | {"line": {"color": TEXT, "width": style.THIN, "dash": "dash"}}
        )
    notes = [style.key(*entries)]
    if said := _left_out(one):
        place: Figure = {"xanchor": "left", "yanchor": "top", "bgcolor": style.BACKGROUND}
        notes.append(style.note(said, 0, 1, paper=True, **place))
    ticks = log.decade_ticks(low, high)
    top = 1.1 * max(int(count.max()) for count in counts)
    layout = style.layout(
        "norm_histogram",
        xaxis=style.axis("gradient norm", edges[0], edges[-1])
        | {"tickmode": "array", "tickvals": ticks[0], "ticktext": ticks[1]},
        yaxis=style.axis("steps", 0, max(top, 1), **style.whole_ticks(top)),
        shapes=shapes,
        annotations=notes,
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
        meta={"x": "log10 of the gradient's norm", "y": "steps"},
    )
    return {"data": data, "layout": layout}


def _decades(norms: np.ndarray) -> np.ndarray:
    return np.asarray(np.log10(norms[np.isfinite(norms) & (norms > 0)]))


def _left_out(norms: np.ndarray) -> str:
    """What has no place on the axis."""
    zero, other = int((norms == 0).sum()), int((~np.isfinite(norms)).sum())
    said = [f"{zero} × exactly 0"] * (zero > 0) + [f"{other} × not a finite number"] * (other > 0)
    return ", ".join(said)


def norm_histogram_alt(before: np.ndarray, after: np.ndarray, clip_at: float | None = None) -> str:
    """One sentence with the numbers of ``norm_histogram``."""
    one, two = np.asarray(before, np.float64), np.asarray(after, np.float64)
    sizes = _decades(one)
    if not len(sizes):
        return f"{len(one)} steps; {_left_out(one) or 'none yet'}."
    span = f"from {log.number(float(sizes.min()))} to {log.number(float(sizes.max()))}"
    said = f"{len(one)} steps with gradient norms {span} before clipping"
    if clip_at is not None:
        said += f"; {int((two < one).sum())} of them were clipped at {clip_at:g}"
    left = _left_out(one)
    return f"{said}{f'; {left}' if left else ''}."


def plot_norm_histogram(
    before: np.ndarray, after: np.ndarray, *, clip_at: float | None = None, dark: bool = False
) -> go.Figure:
    """The norms of a training run's gradients."""
    return style.themed(norm_histogram(before, after, clip_at), dark)
