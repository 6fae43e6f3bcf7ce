"""Many architectures in one figure: a curve for each, on one axis of decades."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.gradient_traces import SUBJECT, loss_marks
from explorer.figures.style import Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.measures.architecture_table import ArchitectureRun

MAX_CURVES = len(style.LOOKS)
_MARKERS = 6  # along each curve
_STRIP = 0.024  # height of a strip for a curve's exact zeros, as a share of the axis


@dataclass(frozen=True)
class Curve:
    """One curve to compare.

    Attributes:
        label: its name in the legend.
        decades: log10 norms [n] or [n, B]; of several samples the median is drawn.
        steps: the n time steps; 0 … n-1 unless told.
    """

    label: str
    decades: np.ndarray
    steps: np.ndarray | None = None

    @property
    def times(self) -> np.ndarray:
        """The time step of each entry, [n]."""
        return np.arange(len(self.decades)) if self.steps is None else self.steps

    @property
    def median(self) -> np.ndarray:
        """[n], −inf where it is exactly 0, NaN where it is no number."""
        return log.quantiles(self.decades, (0.5,))[0]


def overlay(
    curves: Sequence[Curve],
    *,
    loss_steps: Sequence[int] | np.ndarray = (),
    subject: str = SUBJECT,
    title: str = "size of gradient",
    name: str = "overlay",
    span: tuple[float, float] | None = None,
    key: bool = False,
    legend: bool = False,
) -> Figure:
    """Up to eight curves; colour, dashes and markers tell them apart.

    Args:
        curves: what to draw; trace k is curve k, its y NaN where the median is exactly 0 or no number: a
            strip of its colour at the bottom of the figure stands for these steps.
        loss_steps: steps at which the loss enters; none are marked unless told.
        subject: what is drawn, for hover texts.
        title: what the y axis says.
        name: decides when a reader's zoom is forgotten.
        span: the y axis' (low, high) in decades, instead of one on a coarse grid.
        key: name the curves above the plot in one line, for figures without a read-out.
        legend: draw Plotly's own legend, for notebooks.

    Raises ValueError for no curve or more than eight.
    """
    if not 1 <= len(curves) <= MAX_CURVES:
        raise ValueError(f"{len(curves)} curves; 1 to {MAX_CURVES} can be told apart")
    medians = [curve.median for curve in curves]
    low, high = span or log.decade_range(*medians)
    bottom, top = log.padded(low, high)
    data = [_line(k, curve, subject) for k, curve in enumerate(curves)]
    notes: list[Figure] = []
    level = bottom
    for mask, text, color in (
        (np.isneginf, "exactly 0", style.COLORS["zero"]),
        (_no_number, "not a finite number", style.COLORS["not_finite"]),
    ):
        found = [(k, mask(median)) for k, median in enumerate(medians)]
        found = [(k, where) for k, where in found if where.any()]
        for k, where in found:
            level += _STRIP * (top - bottom)
            data.append(_strip(k, curves[k], where, level, text))
        if found:
            notes.append(_strip_label(text, color, [(curves[k].times, where) for k, where in found], level))
            level += 2 * _STRIP * (top - bottom)
    last = max(int(curve.times[-1]) for curve in curves)
    if len(loss_steps):
        data.append(loss_marks(last + 1, loss_steps, bottom))
    shapes, marks = log.underflow_marks(low, high)
    layout = style.layout(
        f"{name}:{last}",
        meta={"x": "time step t", "y": "log10 of the norm"},
        xaxis=style.time_axis(last),
        yaxis=log.decade_axis(title, low, high),
        shapes=shapes,
        annotations=marks + notes,
        hovermode="closest",
    )
    if key:
        entries = [(curve.label, *style.LOOKS[k][:2]) for k, curve in enumerate(curves)]
        layout["annotations"].append(style.key(*entries))
        layout["margin"] = style.MARGIN | {"t": style.LEGEND_TOP}
    if legend:
        layout |= {"showlegend": True, "legend": style.top_legend()}
        layout["margin"] = style.MARGIN | {"t": style.LEGEND_TOP * (1 + len(curves) // 5)}
    return {"data": data, "layout": layout}


def _no_number(median: np.ndarray) -> np.ndarray:
    return np.asarray(np.isnan(median) | (median == np.inf))


def _line(place: int, curve: Curve, subject: str) -> Figure:
    """The curve with a few markers; each curve has its own at steps of its own."""
    color, dash, symbol = style.LOOKS[place]
    y, x = log.finite(curve.median), curve.times
    stride = max(1, len(x) // _MARKERS)
    sizes = np.zeros(len(x), dtype=np.float32)
    sizes[(place * stride // MAX_CURVES) % len(x) :: stride] = 9
    lone = [a for a, b in log.stretches(np.isfinite(y)) if a == b]
    sizes[lone] = 9
    marker = {"size": sizes, "symbol": symbol, "color": color, "opacity": 1, "line": {"width": 0}}
    looks = {"line": {"width": style.WIDTH, "color": color, "dash": dash}, "marker": marker}
    shown = {"type": "scatter", "mode": "lines+markers", "name": curve.label, "meta": "decades"} | looks
    hover = {"hovertemplate": f"{curve.label}<br>{log.log_hover(subject)}"}
    return shown | {"x": x, "y": y, "zorder": MAX_CURVES - place} | hover


def _strip(place: int, curve: Curve, where: np.ndarray, level: float, text: str) -> Figure:
    """A strip under the steps whose number has no place on the axis; unnamed, so the read-out skips it."""
    color, _, _ = style.LOOKS[place]
    y = np.where(where, level, np.nan)
    shown = {"type": "scatter", "mode": "lines+markers", "x": curve.times, "y": y, "showlegend": False}
    looks = {"line": {"width": 5, "color": color}, "marker": {"size": 5, "color": color, "symbol": "square"}}
    return shown | looks | {"hovertemplate": f"{curve.label}<br>t = %{{x}}: {text}<extra></extra>"}


def _strip_label(
    text: str, color: str, strips: Sequence[tuple[np.ndarray, np.ndarray]], level: float
) -> Figure:
    """The words above the strips, over the longest of them."""
    ends = [(int(x[a]), int(x[b])) for x, where in strips for a, b in log.stretches(where)]
    first, last = max(ends, key=lambda end: end[1] - end[0])
    longest = max(int(x[-1]) for x, _ in strips)
    centre = min(max((first + last) / 2, 0.1 * longest), 0.9 * longest)
    place: Figure = {"yanchor": "bottom", "yshift": 4, "bgcolor": style.BACKGROUND}
    return style.note(text, centre, level, color=color, **place)


def overlay_alt(curves: Sequence[Curve]) -> str:
    """One sentence with the numbers of ``overlay``."""
    said = []
    for curve in curves:
        median = curve.median
        first, last = (log.number(float(median[k])) for k in (0, -1))
        zeros = int(np.isneginf(median).sum())
        end = f" (exactly 0 at {zeros} steps)" if zeros else ""
        start, stop = curve.times[[0, -1]]
        said.append(f"{curve.label} {first} at step {start} and {last} at step {stop}{end}")
    return f"Medians over the samples: {'; '.join(said)}."


def plot_architectures(runs: Mapping[str, ArchitectureRun], *, dark: bool = False) -> go.Figure:
    """‖∂L/∂h_t‖ over time of up to eight named runs, all layers and directions of each as one vector."""
    from explorer.measures.architecture_table import joint_norms

    curves = [Curve(label, joint_norms(found)) for label, found in runs.items()]
    losses = np.unique(np.concatenate([np.flatnonzero(found.loss_weights) for found in runs.values()]))
    return style.themed(overlay(curves, loss_steps=losses, legend=True), dark)
