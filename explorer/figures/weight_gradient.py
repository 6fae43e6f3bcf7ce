"""∂L/∂W_hh split by time step: the sum looks healthy while the far past is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.style import BLUE, GREEN, TEXT, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.trace import Trace

WEIGHT_TRACES = {"by_step": 0, "jacobian": 1, "total": 2}


def weight_gradient(
    by_step: np.ndarray,
    total: float,
    jacobian: np.ndarray | None = None,
    *,
    extremes: Sequence[float] | np.ndarray = (),
) -> Figure:
    """The weight gradient's parts over time beside the state Jacobian.

    Args:
        by_step: log10 ‖part of ∂L/∂W_hh from step t‖, [T]; entry t-1 belongs to step t.
        total: log10 ‖∂L/∂W_hh‖ of the sum of all parts.
        jacobian: log10 σ₁(∂h_T/∂h_t), [T+1], NaN where it was not computed.
        extremes: further numbers that the y axis must cover.
    """
    by_step = np.asarray(by_step, dtype=float)
    last = len(by_step)
    low, high = log.decade_range(by_step, [total], jacobian, np.asarray(extremes))
    steps = np.arange(1, last + 1)
    curve = {"type": "scatter", "mode": "lines", "meta": "decades"}
    others = np.full(last + 1, np.nan) if jacobian is None else np.asarray(jacobian, dtype=float)
    ends = np.array([0.0, last])
    level = np.full(2, total if np.isfinite(total) else np.nan)
    data = [
        curve
        | {"x": steps, "y": log.finite(by_step), "name": "step t's part of ∂L/∂W"}
        | {"line": {"width": style.WIDTH, "color": GREEN}, "hovertemplate": log.log_hover("part of step t")}
        | log.dots(by_step, GREEN),
        curve
        | {
            "x": np.arange(last + 1),
            "y": log.finite(others),
        }
        | {
            "name": "∂h<sub>T</sub> ∕ ∂h<sub>t</sub>",
            "line": {"width": style.THIN, "color": BLUE, "dash": "dash"},
            "connectgaps": True,
        }
        | {
            "hovertemplate": log.log_hover("∂h<sub>T</sub>∕∂h<sub>t</sub>"),
            "showlegend": jacobian is not None,
        }
        | (log.dots(others, BLUE) if np.isfinite(others).sum() == 1 else {}),
        curve
        | {"x": ends, "y": level, "name": "whole sum"}
        | {
            "line": {"width": style.THIN, "color": TEXT, "dash": "dot"},
            "hovertemplate": log.log_hover("sum"),
        },
    ]
    shapes, notes = log.underflow_marks(low, high)
    for mask, text, color in (
        (by_step == -np.inf, "exactly 0", style.COLORS["zero"]),
        (np.isnan(by_step) | (by_step == np.inf), "not a finite number", style.COLORS["not_finite"]),
    ):
        y = _free_height(by_step, jacobian, mask, low, high, [note["y"] for note in notes])
        more_shapes, more_notes = log.shaded_stretches(mask, text, color, 1, y)
        shapes, notes = shapes + more_shapes, notes + more_notes
    entries = [("∂L/∂W at t", GREEN, "solid"), ("∂h<sub>T</sub>/∂h<sub>t</sub>", BLUE, "dash")]
    entries = entries if jacobian is not None else entries[:1]
    notes.append(style.key(*entries, (f"sum {log.number(total)}", TEXT, "dot")))
    layout = style.layout(
        f"weight_gradient:{last}",
        meta={"x": "time step t", "y": "log10 of the norm"},
        xaxis=style.time_axis(last),
        yaxis=log.decade_axis("size", low, high),
        shapes=shapes,
        annotations=notes,
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
    )
    return {"data": data, "layout": layout}


def _free_height(
    by_step: np.ndarray,
    jacobian: np.ndarray | None,
    mask: np.ndarray,
    low: float,
    high: float,
    taken: Sequence[float] = (),
) -> float:
    """Where a label beside the marked steps meets no curve and no other label, as a share of the axis."""
    if not mask.any():
        return 0.5
    near = (
        slice(0, len(mask) // 2)
        if np.flatnonzero(mask).mean() < len(mask) / 2
        else slice(len(mask) // 2, None)
    )
    curves = [by_step[near]] if jacobian is None else [by_step[near], jacobian[1:][near]]
    heights = (np.concatenate(curves) - low) / (high - low)
    heights = heights[np.isfinite(heights)]
    places = np.array([y for y in (0.08, 0.25, 0.45, 0.65, 0.85) if y not in taken])
    if not heights.size:
        return 0.45 if 0.45 not in taken else 0.25
    return float(places[np.abs(places[:, None] - heights).min(axis=1).argmax()])


def weight_gradient_alt(by_step: np.ndarray, total: float) -> str:
    """One sentence with the numbers of ``weight_gradient``."""
    first, last = log.number(float(by_step[0])), log.number(float(by_step[-1]))
    return (
        f"The gradient of W_hh has size {log.number(total)} in total; step 1 contributes {first}, "
        f"step {len(by_step)} contributes {last}."
    )


def plot_weight_gradient(trace: Trace, *, sample: int = 0, dark: bool = False) -> go.Figure:
    """∂L/∂W_hh by time step beside σ₁(∂h_T/∂h_t)."""
    from explorer.measures.jacobian import largest_singular_values
    from explorer.measures.weight_gradient import weight_gradient_by_step, weight_gradient_total

    total = weight_gradient_total(trace)
    jacobian = largest_singular_values(trace, sample, "h")
    figure = weight_gradient(weight_gradient_by_step(trace), total, jacobian)
    return style.themed(figure, dark)
