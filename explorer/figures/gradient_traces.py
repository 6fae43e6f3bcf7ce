"""The traces of the gradient figure, each a plain dict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.style import COLORS, Figure

MAX_LOSS_MARKS = 60
LABELS = {"zero": "exactly 0", "not_finite": "not a finite number"}
SUBJECT = "∂L/∂h<sub>t</sub>"
NAMES = {"h": "‖∂L/∂h<sub>t</sub>‖", "c": "‖∂L/∂c<sub>t</sub>‖"}


@dataclass(frozen=True)
class Ghost:
    """A pinned curve: its label and log10 norms, one for each step from 0."""

    label: str
    decades: np.ndarray


def curves(
    state: str, suffix: str, steps: np.ndarray, decades: np.ndarray | None, low: float
) -> list[Figure]:
    """Median and band (10–90 % of the samples) of one state: three traces, empty ones without numbers."""
    if decades is None:
        return [absent(f"{name}{suffix}") for name in ("median", "lower", "upper")]
    lower, median, upper = log.quantiles(decades, (0.1, 0.5, 0.9))
    edges = band(lower, upper, low)
    color = COLORS[state]
    line = {"width": style.WIDTH, "color": color}
    hover = {"hovertemplate": log.log_hover(NAMES[state])}
    edge: Figure = {"type": "scatter", "mode": "lines", "x": steps, "line": {"width": 0, "color": color}}
    edge |= {"hoverinfo": "skip", "showlegend": False}
    return [
        {"type": "scatter", "mode": "lines", "name": NAMES[state], "meta": "decades", "x": steps}
        | {"y": log.finite(median), "line": line, "zorder": 3 if state == "h" else 2}
        | hover,
        edge | {"y": edges[0]},
        edge | {"y": edges[1], "fill": "tonexty", "fillcolor": style.translucent(color, 0.22)},
    ]


def band(lower: np.ndarray, upper: np.ndarray, low: float) -> tuple[np.ndarray, np.ndarray]:
    """The band's edges; where some samples are exactly 0 it reaches the bottom of the axis."""
    shown = np.isfinite(upper)
    return np.where(shown, np.where(lower == -np.inf, low, lower), np.nan), np.where(shown, upper, np.nan)


def absent(name: str) -> Figure:
    """Keeps its place in the order, takes no room in legend and read-out."""
    return {"type": "scatter", "meta": name, "x": np.empty(0), "y": np.empty(0), "visible": False}


def sample_lines(decades: np.ndarray | None) -> Figure:
    """All samples as one line with gaps."""
    if decades is None or np.ndim(decades) == 1:
        return absent("samples")
    steps, batch = decades.shape
    x = np.tile(np.append(np.arange(steps, dtype=float), np.nan), batch)
    y = np.full((batch, steps + 1), np.nan)
    y[:, :-1] = log.finite(decades).T
    line = {"width": 1, "color": style.translucent(COLORS["h"], 0.45)}
    shown = {"type": "scatter", "mode": "lines", "x": x, "y": y.ravel(), "line": line}
    return shown | {"hoverinfo": "skip", "showlegend": False}


def theory_line(name: str, label: str, steps: np.ndarray, decades: np.ndarray | None, dash: str) -> Figure:
    """An upper bound or a closed form."""
    if decades is None:
        return absent(name)
    line = {"width": style.THIN, "color": COLORS[name], "dash": dash}
    curve = {"type": "scatter", "mode": "lines", "name": label, "meta": "decades", "line": line, "zorder": 1}
    return curve | {"x": steps, "y": log.finite(decades), "hovertemplate": log.log_hover(label)}


def ghost_line(place: int, ghost: Ghost | None) -> Figure:
    """A pinned curve in the colour and dash of its place."""
    if ghost is None:
        return absent(f"ghost_{place + 1}")
    color, dash = style.GHOSTS[place]
    line = {"width": style.THIN, "color": color, "dash": dash}
    curve = {"type": "scatter", "mode": "lines", "name": ghost.label, "meta": "decades", "line": line}
    (y,) = log.quantiles(ghost.decades, (0.5,))
    x = np.arange(len(y))
    return curve | {"x": x, "y": log.finite(y), "zorder": 1, "hovertemplate": log.log_hover(ghost.label)}


def marks(decades: np.ndarray, low: float, high: float) -> dict[str, np.ndarray]:
    """Heights of the bars over steps whose median is no number on the axis, and the place of each label."""
    (median,) = log.quantiles(decades, (0.5,))
    bottom, top = log.padded(low, high)
    masks = {"zero": median == -np.inf, "not_finite": np.isnan(median) | (median == np.inf)}
    heights = (0.25, 0.12) if -bottom > top else (0.75, 0.88)  # away from the line 10⁰
    result = {}
    for name, mask in masks.items():
        result[name] = np.where(mask, top - bottom, np.nan)
        label = np.full(len(median), np.nan)
        runs = log.stretches(mask)
        if runs:
            a, b = max(runs, key=lambda run: run[1] - run[0])
            last = len(median) - 1
            centre = round(min(max((a + b) / 2, 0.15 * last), 0.85 * last))
            label[centre] = bottom + (top - bottom) * (heights[0] if name == "zero" else heights[1])
        result[f"{name}_label"] = label
    return result


def shade(name: str, steps: np.ndarray, heights: np.ndarray, bottom: float, whose: str = "") -> Figure:
    """Bars over the steps that have no number; their heights can be swapped frame by frame."""
    marker = {"color": style.translucent(COLORS[name], 0.2), "line": {"width": 0}}
    bar = {"type": "bar", "x": steps, "y": heights, "base": bottom, "width": 1.0, "marker": marker}
    return bar | {"showlegend": False, "hovertemplate": f"t = %{{x}}: {whose}{LABELS[name]}<extra></extra>"}


def mark_label(name: str, steps: np.ndarray, heights: np.ndarray, whose: str = "") -> Figure:
    """The words for these bars, at the one step whose height is a number; ``whose`` curve is meant."""
    font = {"size": style.FONT, "color": COLORS[name]}
    text = {"type": "scatter", "mode": "text", "x": steps, "y": heights}
    text |= {"text": f"{whose}{LABELS[name]}"}
    return text | {"textfont": font, "cliponaxis": False, "hoverinfo": "skip", "showlegend": False}


def loss_marks(length: int, loss_steps: Sequence[int] | np.ndarray | None, bottom: float) -> Figure:
    """Small triangles on the time axis; of very many only every second, third, … one."""
    steps = np.asarray([length - 1] if loss_steps is None else loss_steps)
    shown = steps[:: max(1, -(-len(steps) // MAX_LOSS_MARKS))]
    marker = {"symbol": "triangle-up", "size": 12, "color": COLORS["loss"]}
    mark = {
        "type": "scatter",
        "mode": "markers",
        "name": "loss enters",
        "marker": marker,
        "cliponaxis": False,
    }
    where = {"x": shown, "y": np.full(len(shown), bottom)}
    return mark | where | {"zorder": 4, "hovertemplate": "the loss enters at t = %{x}<extra></extra>"}
