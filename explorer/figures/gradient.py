"""The main figure: how large ∂L/∂h_t is at every step, in decades."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.gradient_traces import (
    NAMES,
    SUBJECT,
    Ghost,
    curves,
    ghost_line,
    loss_marks,
    mark_label,
    marks,
    sample_lines,
    shade,
    theory_line,
)
from explorer.figures.style import Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.trace import Trace

TRACES: dict[str, int] = {
    "median": 0,
    "lower": 1,
    "upper": 2,
    "median_c": 3,
    "lower_c": 4,
    "upper_c": 5,
    "samples": 6,
    "bound": 7,
    "closed_form": 8,
    "ghost_1": 9,
    "ghost_2": 10,
    "ghost_3": 11,
    "ghost_4": 12,
    "zero": 13,
    "not_finite": 14,
    "zero_label": 15,
    "not_finite_label": 16,
    "loss": 17,
}
"""Name → index in the figure's data; the same for every cell, loss and choice: curves can be swapped."""
MAX_GHOSTS = 4


def gradient(
    decades: np.ndarray,
    *,
    cell_decades: np.ndarray | None = None,
    bound: np.ndarray | None = None,
    closed_form: np.ndarray | None = None,
    closed_form_label: str = "closed form",
    ghosts: Sequence[Ghost] = (),
    samples: bool = False,
    loss_steps: Sequence[int] | np.ndarray | None = None,
    extremes: Sequence[float] | np.ndarray = (),
    span: tuple[float, float] | None = None,
    legend: bool = False,
) -> Figure:
    """The gradient's size over time.

    Args:
        decades: log10 ‖∂L/∂h_t‖, [T+1, B] (or [T+1]); −inf where it is exactly 0.
        cell_decades: the same of the LSTM's c.
        bound: log10 of an upper bound, [T+1], drawn dashed.
        closed_form: log10 of the curve that theory predicts, [T+1], drawn dotted.
        closed_form_label: what that curve is called.
        ghosts: up to four pinned curves.
        samples: draw every sample as a thin line.
        loss_steps: steps where the loss enters; the last one unless told.
        extremes: further numbers that the y axis must cover, such as those of a scrub slider.
        span: the y axis' (low, high) in decades, instead of one that covers everything.
        legend: draw one (the page names the curves in its read-out).
    """
    if len(ghosts) > MAX_GHOSTS:
        raise ValueError(f"{len(ghosts)} pinned curves; at most {MAX_GHOSTS} can be told apart")
    steps = np.arange(len(decades))
    low, high = span or gradient_range(decades, cell_decades, bound, closed_form, ghosts, extremes)
    data = curves("h", "", steps, decades, low) + curves("c", "_c", steps, cell_decades, low)
    data.append(sample_lines(decades if samples else None))
    data.append(theory_line("bound", "upper bound", steps, bound, "dash"))
    data.append(theory_line("closed_form", closed_form_label, steps, closed_form, "dot"))
    data += [ghost_line(k, ghosts[k] if k < len(ghosts) else None) for k in range(MAX_GHOSTS)]
    heights = marks(decades, low, high)
    whose = "" if cell_decades is None or _both_zero(decades, cell_decades) else f"{SUBJECT} "
    bottom = log.padded(low, high)[0]
    data += [shade(name, steps, heights[name], bottom, whose) for name in ("zero", "not_finite")]
    data += [mark_label(name, steps, heights[f"{name}_label"], whose) for name in ("zero", "not_finite")]
    data.append(loss_marks(len(steps), loss_steps, bottom))
    for trace in data:
        if not np.isfinite(trace["y"]).any():
            trace["visible"] = False  # each visible trace costs the browser a millisecond or two
    last = max(len(steps) - 1, *(len(ghost.decades) - 1 for ghost in ghosts), 1)
    shapes, notes = log.underflow_marks(low, high)
    notes.append(_no_change())
    layout = style.layout(
        f"gradient:{len(steps)}",
        meta={"x": "time step t", "y": "log10 of the norm of the gradient"},
        xaxis=style.time_axis(last),
        yaxis=log.decade_axis("size of gradient", low, high),
        shapes=shapes,
        annotations=notes,
        barmode="overlay",
        bargap=0,
        hovermode="closest",
    )
    if legend:
        layout |= {"showlegend": True, "legend": style.top_legend()}
        layout["margin"] = style.MARGIN | {"t": style.LEGEND_TOP}
    return {"data": data, "layout": layout}


def gradient_range(
    decades: np.ndarray,
    cell_decades: np.ndarray | None = None,
    bound: np.ndarray | None = None,
    closed_form: np.ndarray | None = None,
    ghosts: Sequence[Ghost] = (),
    extremes: Sequence[float] | np.ndarray = (),
) -> tuple[float, float]:
    """(low, high) in decades; a bound may run out of the picture, but not out of sight at once."""
    shown = [decades, cell_decades, closed_form, *(ghost.decades for ghost in ghosts), np.asarray(extremes)]
    low, high = log.decade_range(*shown)
    if bound is None:
        return low, high
    room = 0.5 * (high - low)
    return log.decade_range(low, high, np.clip(bound[np.isfinite(bound)], low - room, high + room))


@dataclass(frozen=True)
class ScrubFrames:
    """The gradient figure for every value of a knob, as what has to change in it.

    Attributes:
        tracks: trace index → y [G, T+1]; NaN where a frame does not draw the trace.
        span: (low, high) of the y axis; layout: that axis and its marks, the same for all frames.
        views: trace index → what else of a trace changes (whether it is visible), each combination once.
        view_of: [G] which view a frame has.
    """

    tracks: dict[int, np.ndarray]
    span: tuple[float, float]
    layout: Figure
    views: list[Figure]
    view_of: list[int]


def scrub_range(decades: np.ndarray, ghosts: Sequence[Ghost] = ()) -> tuple[float, float]:
    """One y range for a whole knob: log10 norms [G, T+1, B] without the most extreme tenth of the values.

    At a weight scale near 0 a gradient falls by hundreds of decades; an axis that showed all of it would
    flatten every other curve.
    """
    finite = np.isfinite(decades)
    lowest = np.where(finite, decades, np.inf).min(axis=(1, 2))
    highest = np.where(finite, decades, -np.inf).max(axis=(1, 2))
    usual = [
        np.quantile(ends[np.isfinite(ends)], share) if np.isfinite(ends).any() else 0.0
        for ends, share in ((lowest, 0.1), (highest, 0.9))
    ]
    return gradient_range(np.asarray(usual), ghosts=ghosts)


def scrub_frames(
    decades: np.ndarray,
    cell_decades: np.ndarray | None = None,
    *,
    span: tuple[float, float],
    loss_steps: Sequence[int] | np.ndarray | None = None,
) -> ScrubFrames:
    """All frames of log10 norms [G, T+1, B] on one axis; bound and closed form rest."""
    drawn = [
        gradient(
            frame,
            cell_decades=None if cell_decades is None else cell_decades[k],
            span=span,
            loss_steps=loss_steps,
        )
        for k, frame in enumerate(decades)
    ]
    pinned = {TRACES[f"ghost_{k}"] for k in range(1, MAX_GHOSTS + 1)}
    moving = [index for index in TRACES.values() if index not in pinned]
    tracks = {}
    for index in moving:
        ys = [np.asarray(figure["data"][index]["y"], dtype=float) for figure in drawn]
        length = max(map(len, ys))
        if any(figure["data"][index].get("visible", True) for figure in drawn):
            tracks[index] = np.stack([y if len(y) else np.full(length, np.nan) for y in ys])
    seen = [{str(i): {"visible": figure["data"][i].get("visible", True)} for i in moving} for figure in drawn]
    views = [view for k, view in enumerate(seen) if view not in seen[:k]]
    layout = {name: drawn[0]["layout"][name] for name in ("yaxis", "shapes", "annotations")}
    return ScrubFrames(tracks, span, layout, views, [views.index(view) for view in seen])


def _both_zero(decades: np.ndarray, cell_decades: np.ndarray) -> bool:
    """Whether h has steps with a gradient of exactly 0, and c has none alive there."""
    zero, other = (
        np.asarray(np.isneginf(values.reshape(len(values), -1)).all(axis=1))
        for values in (decades, cell_decades)
    )
    return bool(zero.any() and other[zero].all())


def _no_change() -> Figure:
    """At the right: curves that grow rise towards the left, and so may the cursor stand."""
    place: Figure = {"xref": "x domain", "xanchor": "right", "yanchor": "bottom", "xshift": -4}
    return style.note("no change", 1, 0, **place)


# ---- words ----


def caption(decades: np.ndarray | float, steps: int) -> str:
    """What stands beside the scrub slider: the factor over ``steps`` steps back and the factor per step.

    ``decades`` is a curve [T+1] (its first against its last entry) or the change itself.
    """
    curve = np.atleast_1d(np.asarray(decades, dtype=float))
    with np.errstate(invalid="ignore"):
        change = float(curve[0] - curve[-1]) if len(curve) > 1 else float(curve[0])
    total = log.number(change)
    if not np.isfinite(change) or steps < 1:
        return f"{total} after {steps} steps"
    return f"×{total} over {steps} steps, ×{log.number(change / steps)} per step"


def gradient_alt(decades: np.ndarray, cell_decades: np.ndarray | None = None) -> str:
    """One sentence with the numbers of ``gradient``."""
    parts = []
    for name, values in (("hidden state", decades), ("cell state", cell_decades)):
        if values is None:
            continue
        (median,) = log.quantiles(values, (0.5,))
        first, last = log.number(float(median[0])), log.number(float(median[-1]))
        zeros = int((median == -np.inf).sum())
        end = f" and is exactly 0 at {zeros} steps" if zeros else ""
        parts.append(f"the {name} is {first} at step 0 and {last} at step {len(median) - 1}{end}")
    return f"The median size of the gradient of {'; that of '.join(parts)}."


def plot_gradient_norms(
    traces: Trace | Mapping[str, Trace], *, state: str = "h", samples: bool = False, dark: bool = False
) -> go.Figure:
    """‖∂L/∂s_t‖ over time: of one trace with its spread, or of up to five named ones as lines to compare."""
    from explorer.measures.norms import gradient_norms

    given = traces if isinstance(traces, Mapping) else {"": traces}
    if not given:
        raise ValueError("plot_gradient_norms needs at least one trace")
    (first_label, first), *rest = given.items()
    alone = not rest and state == "h" and "c" in first.experiment.cell.states
    figure = gradient(
        gradient_norms(first, state),
        cell_decades=gradient_norms(first, "c") if alone else None,
        ghosts=[Ghost(label, gradient_norms(trace, state)) for label, trace in rest],
        samples=samples,
        loss_steps=np.flatnonzero(first.loss_weights),
        legend=True,
    )
    if first_label or state != "h":
        figure["data"][TRACES["median"]]["name"] = first_label or NAMES.get(state, state)
    return style.themed(figure, dark)
