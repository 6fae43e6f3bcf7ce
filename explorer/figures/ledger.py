"""The gradient ledger: what one step back in time multiplies the gradient by, and who did it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.style import COLORS, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.trace import Trace

LEDGER_TRACES = {"slope": 0, "matrix": 1, "loss": 2, "total": 3}
MAX_BARS = 200
_LIMITS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)


def names(gated: bool) -> dict[str, str]:
    """Account → what the legend calls it."""
    plain = {"slope": "slope", "matrix": "matrix"}
    gates = {"slope": "direct path", "matrix": "via W_hh"}
    return (gates if gated else plain) | {"loss": "loss", "total": "sum"}


def ledger(
    slope: np.ndarray,
    matrix: np.ndarray,
    loss: np.ndarray | None = None,
    *,
    norms: np.ndarray | None = None,
    gated: bool = False,
) -> Figure:
    """Bars for every step: above 0 the gradient grows on its way back, below 0 it shrinks.

    Args:
        slope: decades per step, [T, B] (or [T]), of the slopes or of the gates on the direct path; entry t-1
            is what happens on the way from t back to t-1. The median over the batch is drawn; NaN where
            there was no gradient, −inf where it became exactly 0.
        matrix: the same of the recurrent matrix, or of all paths through it beside the direct one.
        loss: the same of a loss that enters at t-1.
        norms: log10 of the gradient itself, [T+1, B]: tells "no gradient" from "not a number".
        gated: a direct path leads from state to state, as in an LSTM or GRU: name the accounts after it.
    """
    given = {"slope": slope, "matrix": matrix, "loss": np.zeros_like(slope) if loss is None else loss}
    accounts = {name: log.median_of_numbers(values) for name, values in given.items()}
    with np.errstate(invalid="ignore"):
        accounts["total"] = accounts["slope"] + accounts["matrix"] + accounts["loss"]
    total_steps = len(accounts["slope"])
    width = max(1, -(-total_steps // MAX_BARS))
    first = np.arange(1, total_steps + 1, width, dtype=float)
    centres = first + (np.minimum(first + width, total_steps + 1) - first - 1) / 2
    means = {name: binned(values, width) for name, values in accounts.items()}
    limit, cut = _limit(means)
    called = names(gated)
    data: list[Figure] = []
    for name in ("slope", "matrix", "loss"):
        bar = {
            "type": "bar",
            "name": called[name],
            "x": centres,
            "y": log.finite(means[name]),
            "width": float(width),
        }
        hover = f"t = %{{x}}<br>{called[name]}: %{{y:+.3~g}} decades<extra></extra>"
        marker = {"color": COLORS[name], "line": {"width": 0}}
        data.append(bar | {"marker": marker, "hovertemplate": hover})
    line = {"width": style.THIN, "color": COLORS["total"], "shape": "hvh" if len(first) <= 60 else "linear"}
    data.append(
        {"type": "scatter", "mode": "lines", "name": called["total"], "x": centres, "line": line}
        | {
            "y": log.finite(means["total"]),
            "hovertemplate": "t = %{x}<br>sum: %{y:+.3~g} decades<extra></extra>",
        }
    )
    shapes, notes = _shaded(accounts, norms)
    if cut:
        notes.append(style.note(cut, 0.62, 1, paper=True, yanchor="top", bgcolor=style.BACKGROUND))
    layout = style.layout(
        f"ledger:{total_steps}",
        barmode="relative",
        bargap=0,
        xaxis=style.time_axis(total_steps),
        yaxis=style.axis("decades per step", -limit, limit, zeroline=True, zerolinewidth=2.5, nticks=6)
        | {"zerolinecolor": style.MUTED},
        shapes=shapes,
        annotations=notes + _directions() + [_key(means, called)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP, "l": 80},
        meta={"x": "time step t", "y": "change of log10 of the gradient's norm from step t to t-1"},
    )
    return {"data": data, "layout": layout}


def _shaded(accounts: dict[str, np.ndarray], norms: np.ndarray | None) -> tuple[list[Figure], list[Figure]]:
    """Steps without a bar: the gradient became exactly 0, there was none, or it is not a number."""
    dies = np.any([values == -np.inf for values in accounts.values()], axis=0)
    none = np.any([np.isnan(values) | (values == np.inf) for values in accounts.values()], axis=0) & ~dies
    wrong = np.zeros_like(none)
    if norms is not None:
        middle = log.quantiles(norms, (0.5,))[0][1:]
        wrong = none & (np.isnan(middle) | (middle == np.inf))
    shapes: list[Figure] = []
    notes: list[Figure] = []
    for mask, text, color, y in (  # heights of their own: the stretches lie side by side
        (dies, "becomes exactly 0", COLORS["zero"], 0.82),
        (none & ~wrong, "no gradient", style.GREY, 0.66),
        (wrong, "not a finite number", COLORS["not_finite"], 0.34),
    ):
        more_shapes, more_notes = log.shaded_stretches(mask, text, color, 1, y)
        shapes, notes = shapes + more_shapes, notes + more_notes
    return shapes, notes


def binned(values: np.ndarray, width: int) -> np.ndarray:
    """Means of ``width`` neighbours; the last bin may be shorter."""
    if width == 1:
        return values
    starts = np.arange(0, len(values), width)
    counts = np.diff(np.append(starts, len(values)))
    with np.errstate(invalid="ignore"):
        sums: np.ndarray = np.add.reduceat(values, starts)
    return sums / counts


def _limit(means: dict[str, np.ndarray]) -> tuple[float, str]:
    """Half the axis: room for nearly all bars on a grid of 1-2-5; and a sentence when a few are cut."""
    stack = np.stack([np.nan_to_num(means[name], posinf=0, neginf=0) for name in ("slope", "matrix", "loss")])
    heights = np.maximum(np.clip(stack, 0, None).sum(axis=0), np.clip(-stack, 0, None).sum(axis=0))
    largest = float(heights.max(initial=0))
    usual = float(np.quantile(heights, 0.95)) if heights.size else 0.0
    target = largest if largest <= 3 * usual else 1.2 * usual
    limit = next((step for step in _LIMITS if step >= target), target)
    count = int((heights > limit).sum())
    return limit, f"{count} cut, up to {largest:.2g}" if count else ""


def _key(means: dict[str, np.ndarray], called: dict[str, str]) -> Figure:
    """The legend; an account that is empty throughout is left out."""
    used = [name for name in ("slope", "matrix", "loss") if np.any(np.abs(np.nan_to_num(means[name])) > 1e-9)]
    bars = [(called[name], COLORS[name], "bar") for name in used]
    return style.key(*bars, (called["total"], COLORS["total"], "solid"))


def _directions() -> list[Figure]:
    """Left of the plot, above and below the tick labels: inside they would lie on bars."""
    at: Figure = {"paper": True, "xanchor": "right", "xshift": -8}
    return [
        style.note("▲ grows", 0, 1, yanchor="bottom", yshift=3, **at),
        style.note("▼ shrinks", 0, 0, yanchor="top", yshift=-6, **at),
    ]


def ledger_alt(slope: np.ndarray, matrix: np.ndarray, *, gated: bool = False) -> str:
    """One sentence with the numbers of ``ledger``."""
    plain = {"slope": "the slope contributes", "matrix": "the matrix contributes"}
    paths = {
        "slope": "the direct path contributes",
        "matrix": "the paths through W_hh contribute",
    }
    parts = []
    for name, values in (("slope", slope), ("matrix", matrix)):
        median = log.median_of_numbers(values)
        shown = median[np.isfinite(median)]
        mean = f"{shown.mean():+.3g} decades" if shown.size else "no finite number"
        parts.append(f"{(paths if gated else plain)[name]} {mean}")
    return f"Per step back in time, {' and '.join(parts)} on average over {len(slope)} steps."


def plot_ledger(trace: Trace, *, dark: bool = False) -> go.Figure:
    """The gradient ledger of a trace."""
    from explorer.measures.ledger import ledger as measure

    accounts = measure(trace)
    gated = accounts.keeping is not None
    return style.themed(
        ledger(accounts.slope, accounts.matrix, accounts.loss, norms=accounts.norms, gated=gated), dark
    )
