"""The fan of all singular values of ∂h_T/∂h_t over t, in decades."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.style import BLUE, TEXT, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.trace import Trace

SPECTRUM_TRACES = {"all": 0, "largest": 1, "median": 2}
MAX_LINES = 64


def spectrum(
    values: np.ndarray,
    steps: Sequence[int] | np.ndarray,
    *,
    largest: np.ndarray | None = None,
    output: int | None = None,
    extremes: Sequence[float] | np.ndarray = (),
) -> Figure:
    """All singular values over time.

    Args:
        values: log10 σ_i(∂h_T/∂h_t), [n, H], −inf where σ is exactly 0.
        steps: the n time steps t.
        largest: log10 σ₁ at every step from 0, [T+1], if known more densely than ``values``.
        output: T, the step whose state is differentiated; the last of ``steps`` unless told.
        extremes: further numbers that the y axis must cover.
    """
    order = np.argsort(steps)
    steps = np.asarray(steps, dtype=float)[order]
    values = np.sort(np.asarray(values, dtype=float)[order], axis=1)[:, ::-1]  # descending, NaN first
    size = values.shape[1]
    chosen = np.unique(np.linspace(0, size - 1, min(size, MAX_LINES)).round().astype(int))
    fan = np.full((len(chosen), len(steps) + 1), np.nan)
    fan[:, :-1] = log.finite(values[:, chosen]).T
    first = values[:, 0] if largest is None else np.asarray(largest, dtype=float)
    first_x = steps if largest is None else np.arange(len(first), dtype=float)
    low, high = log.decade_range(values, first, np.asarray(extremes))
    thick = {"type": "scatter", "mode": "lines", "meta": "decades"}
    data = [
        {"type": "scatter", "mode": "lines", "x": np.tile(np.append(steps, np.nan), len(chosen))}
        | {"y": fan.ravel(), "name": "all σ"}
        | {"line": {"width": 1, "color": style.translucent(BLUE, 0.5)}, "hoverinfo": "skip"},
        thick
        | {
            "x": first_x,
            "y": log.finite(first),
            "name": "largest",
            "line": {"width": style.WIDTH, "color": BLUE},
        }
        | {"hovertemplate": log.log_hover("largest σ")},
        thick
        | {"x": steps, "y": log.finite(_middle(values)), "name": "median"}
        | {"line": {"width": style.WIDTH, "color": TEXT, "dash": "dash"}}
        | {"hovertemplate": log.log_hover("median σ")},
    ]
    shapes, notes = log.underflow_marks(low, high)
    said = _zeros_sentence(values, steps)
    if said:
        place: Figure = {"paper": True, "xanchor": "center", "yanchor": "bottom", "bgcolor": style.BACKGROUND}
        notes = [style.note(said, 0.5, 0.02, **place)]
    few = "all σ" if size <= MAX_LINES else f"{len(chosen)} of {size} σ"
    notes.append(style.key((few, BLUE, "thin"), ("largest", BLUE, "solid"), ("median", TEXT, "dash")))
    last = float(steps.max(initial=1) if output is None else output)
    layout = style.layout(
        f"spectrum:{last:g}",
        meta={"x": "time step t", "y": "log10 of the singular value"},
        xaxis=style.time_axis(max(last, 1)),
        yaxis=log.decade_axis("σ(∂h<sub>T</sub> ∕ ∂h<sub>t</sub>)", low, high),
        shapes=shapes,
        annotations=notes,
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
    )
    return {"data": data, "layout": layout}


def _middle(values: np.ndarray) -> np.ndarray:
    """The lower median of every row: it is one of the singular values."""
    return values[:, values.shape[1] // 2]


def _zeros_sentence(values: np.ndarray, steps: np.ndarray) -> str:
    """How many σ are exactly 0 or no numbers, at the step with most of them."""
    said = []
    for mask, text in (
        (values == -np.inf, "exactly 0"),
        (np.isnan(values) | (values == np.inf), "not known"),
    ):
        counts = mask.sum(axis=1)
        if counts.any():
            worst = int(counts.argmax())
            said.append(f"{counts[worst]} of {values.shape[1]} σ {text} at t = {steps[worst]:g}")
    return "<br>".join(said)


def spectrum_alt(values: np.ndarray, steps: Sequence[int] | np.ndarray) -> str:
    """One sentence with the numbers of ``spectrum``."""
    at = int(np.argmin(steps))
    row = np.sort(np.asarray(values, dtype=float)[at])[::-1]
    largest, middle, least = (log.number(float(v)) for v in (row[0], row[len(row) // 2], row[-1]))
    return (
        f"From step {np.min(steps)} to {np.max(steps)} the {len(row)} singular values of the Jacobian range "
        f"from {largest} (largest) over {middle} (median) to {least} (smallest)."
    )


def plot_spectrum(trace: Trace, *, sample: int = 0, points: int = 26, dark: bool = False) -> go.Figure:
    """All singular values of ∂h_T/∂h_t of one sample at ``points`` steps."""
    from explorer.measures.jacobian import jacobian_singular_values

    last = trace.num_steps
    steps = np.unique(np.linspace(0, last, min(points, last + 1)).round().astype(int))
    values = jacobian_singular_values(trace, sample, steps, "h")
    return style.themed(spectrum(values, steps), dark)
