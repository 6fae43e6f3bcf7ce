"""Networks that learn side by side: score or loss over the training steps, and the size of gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.style import LOOKS, MUTED, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

SMOOTH = 15  # training steps that one point of a thick curve is the mean of
_MARKERS = 6  # on each curve, so that colour is not all that tells them apart
_PLACES = (0.0, 0.55, 0.2, 0.75, 0.4, 0.9)  # where a curve's first marker stands, in shares of their distance
_NAMES = 58  # pixels at the right for the names of dotted lines
_MOST = 1500  # points of a curve


@dataclass(frozen=True)
class Lap:
    """One network of a race.

    Attributes:
        label: its name.
        values: one number for each training step that it has done, [step].
        place: its place among the racers, which decides its look.
    """

    label: str
    values: np.ndarray
    place: int


def running_mean(values: np.ndarray, over: int = SMOOTH) -> np.ndarray:
    """Mean of the last ``over`` values, of fewer at the start, [n]; NaN where one of them is none."""
    if not len(values):
        return np.zeros(0)
    window = np.lib.stride_tricks.sliding_window_view(values, min(over, len(values)))
    head = [values[: k + 1].mean() for k in range(min(over, len(values)) - 1)]
    return np.concatenate([head, window.mean(axis=1)])


def race(
    laps: Sequence[Lap],
    steps: int,
    *,
    measure: str,
    baseline: float,
    loss: bool = False,
    goal: float | None = None,
) -> Figure:
    """Learning curves: thick the mean of the last 15 batches, faint each batch.

    Args:
        laps: the racers.
        steps: training steps of the whole race.
        measure: what the numbers are; ``accuracy`` lies between 0 and 1, all else is drawn on a log axis.
        baseline: what is reached without memory, a dotted line.
        loss: whether the numbers are the loss and not the score.
        goal: a further line, such as the error that counts as solved.
    """
    linear = measure == "accuracy" and not loss
    data, highest, lowest = [], [baseline], [baseline]
    for lap in laps:
        color, dash, symbol = LOOKS[lap.place % len(LOOKS)]
        x, raw, mean = _points(lap.values)
        if not linear:
            raw, mean = _log(raw), _log(mean)
        line = {"type": "scatter", "mode": "lines", "x": x, "name": lap.label}
        data.append(
            line
            | {"y": raw, "line": {"width": 1, "color": style.translucent(color, 0.2)}, "hoverinfo": "skip"}
        )
        data.append(
            line
            | {"y": mean, "line": {"width": style.WIDTH, "color": color, "dash": dash}}
            | {"hovertemplate": _hover(lap.label, linear)}
        )
        data.append(_markers(x, mean, color, symbol, lap.place, steps))
        if not linear and np.isfinite(mean).any():
            highest.append(10 ** float(np.nanmax(mean)))
            lowest.append(10 ** float(np.nanmin(mean)))
    title = "loss" if loss else measure
    if linear:
        yaxis = style.axis("accuracy", -0.03, 1.05, tickformat=".0%", dtick=0.25)
    else:
        low = np.floor(np.log10(max(min(lowest), 1e-12)) * 2) / 2
        high = np.ceil(np.log10(max(highest)) * 4 + 0.2) / 4
        yaxis = log_axis(title, float(low), float(high))
    lines = [_level(baseline if linear else float(np.log10(baseline)), "chance")]
    if goal is not None:
        lines.append(_level(goal if linear else float(np.log10(goal)), "solved"))
    layout = style.layout(
        f"race:{steps}:{title}",
        meta={"x": "training step", "y": title},
        xaxis=style.axis("training step", 0, steps),
        yaxis=yaxis,
        shapes=[shape for shape, _ in lines],
        annotations=[note for _, note in lines],
        margin=style.MARGIN | {"r": _NAMES},
    )
    return {"data": data, "layout": layout}


def race_alt(laps: Sequence[Lap], *, measure: str, baseline: float) -> str:
    """One sentence with the last numbers of ``race``."""
    said = [
        f"{lap.label} {running_mean(lap.values)[-1]:.3g} after {len(lap.values)} steps"
        for lap in laps
        if len(lap.values)
    ]
    if not said:
        return f"No training step is done yet; chance is {baseline:.3g}."
    return f"The {measure} is now: {', '.join(said)}; chance is {baseline:.3g}."


def plot_race(
    laps: Sequence[Lap], steps: int, *, measure: str, baseline: float, dark: bool = False
) -> go.Figure:
    """Learning curves side by side."""
    return style.themed(race(laps, steps, measure=measure, baseline=baseline), dark)


def gradient_size(laps: Sequence[Lap], steps: int, *, clip_at: Sequence[float | None] = ()) -> Figure:
    """Norm of the whole gradient over the training steps before it is clipped; thresholds are dotted."""
    data, every = [], [np.zeros(1)]
    for lap in laps:
        color, dash, symbol = LOOKS[lap.place % len(LOOKS)]
        x, raw, _ = _points(lap.values)
        values = _log(raw)
        every.append(values)
        data.append(
            {"type": "scatter", "mode": "lines", "x": x, "y": values, "name": lap.label}
            | {"line": {"width": style.THIN, "color": color, "dash": dash}}
            | {"hovertemplate": _hover(lap.label, False)}
        )
        data.append(_markers(x, values, color, symbol, lap.place, steps))
    limits = sorted({limit for limit in clip_at if limit is not None})
    lines = [_level(float(np.log10(limit)), f"clip {limit:g}") for limit in limits]
    low, high = log.decade_range(*every, np.log10(limits) if limits else None)
    layout = style.layout(
        f"gradient_size:{steps}",
        meta={"x": "training step", "y": "norm of the gradient of all weights"},
        xaxis=style.axis("training step", 0, steps),
        yaxis=log.decade_axis("‖∂L/∂W‖", low, high),
        shapes=[shape for shape, _ in lines],
        annotations=[note for _, note in lines],
        margin=style.MARGIN | {"r": _NAMES},
    )
    return {"data": data, "layout": layout}


def gradient_size_alt(laps: Sequence[Lap]) -> str:
    """One sentence with the last and the largest numbers of ``gradient_size``."""
    said = [
        f"{lap.label} {lap.values[-1]:.2g}, at most {np.nanmax(lap.values):.2g}"
        for lap in laps
        if len(lap.values)
    ]
    return f"The norm of the whole gradient is now: {'; '.join(said) or 'not known yet'}."


def log_axis(title: str, low: float, high: float) -> Figure:
    """An axis of decades whose ticks are plain numbers."""
    ticks = np.arange(np.ceil(low), np.floor(high) + 1)
    if len(ticks) < 3:
        ticks = np.log10(
            [m * 10.0**k for k in range(int(np.floor(low)), int(np.ceil(high)) + 1) for m in (1, 2, 5)]
        )
        ticks = ticks[(ticks >= low) & (ticks <= high)]
    texts = [log.number(float(tick)) for tick in ticks]
    return style.axis(title, low, high, tickmode="array", tickvals=ticks, ticktext=texts)


def _points(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(steps, each batch, running mean), thinned where there are more than anybody can see."""
    x, mean = np.arange(1, len(values) + 1), running_mean(values)
    every = max(1, -(-len(values) // _MOST))
    return x[::every], values[::every], mean[::every]


def _log(values: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log10(values)
    return np.where(np.isfinite(found), found, np.nan)


def _markers(x: np.ndarray, y: np.ndarray, color: str, symbol: str, place: int, steps: int) -> Figure:
    """A few markers on a curve, and one at its end."""
    gap = steps / _MARKERS
    first = (_PLACES[place % len(_PLACES)] + 0.1) * gap
    wanted = np.append(np.arange(first, steps, gap), np.inf)
    at = (
        np.unique(np.searchsorted(x, wanted[wanted <= (x[-1] if len(x) else 0)]))
        if len(x)
        else np.zeros(0, int)
    )
    at = np.append(at[at < len(x)], len(x) - 1) if len(x) else at
    marker = {"symbol": symbol, "size": 10, "color": color, "line": {"width": 1, "color": style.BACKGROUND}}
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x[at],
        "y": y[at],
        "marker": marker,
        "hoverinfo": "skip",
    }


def _hover(label: str, linear: bool) -> str:
    number = "%{y:.1%}" if linear else "10^%{y:.2f}"
    return f"{label}<br>step %{{x}}: {number}<extra></extra>"


def _level(y: float, text: str) -> tuple[Figure, Figure]:
    """A dotted line across the figure, and its name at the right of it."""
    line = {"width": style.THIN, "color": MUTED, "dash": "dot"}
    shape = {"type": "line", "xref": "x domain", "yref": "y", "x0": 0, "x1": 1, "y0": y, "y1": y}
    place: Figure = {"xref": "x domain", "xanchor": "left", "xshift": 4}
    return shape | {"line": line, "layer": "below"}, style.note(text, 1, y, **place)
