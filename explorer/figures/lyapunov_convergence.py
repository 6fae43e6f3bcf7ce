"""How the estimates of the largest Lyapunov exponents settle as the orbit grows longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.lyapunov_spectrum import SLOPE_LOOK, exponent_axis, number
from explorer.figures.style import Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.experiment import Experiment
    from explorer.trace import Trace

MAX_CURVES = 4
_SUBSCRIPTS = "₁₂₃₄"
_BEGINNING = 0.1  # of the steps: estimates from so few may leave the axis
_NEAR = 2.0  # times what is drawn: the distance of a 0 that is still shown


def lyapunov_convergence(
    times: np.ndarray, running: np.ndarray, *, gradient_slope: float = np.nan, shown: int = 3
) -> Figure:
    """Running means of the largest exponents.

    Args:
        times: steps after settling, ascending, [n].
        running: estimates up to each of them in nats per step, the largest exponent first, [n, count].
        gradient_slope: of the log gradient norm over all steps; not drawn where it is not finite.
        shown: how many exponents are drawn, 1 to 4; those that are −inf or NaN in the end are named instead.

    Raises ValueError for another number of curves.
    """
    if not 1 <= shown <= MAX_CURVES:
        raise ValueError(f"shown is {shown}; allowed are 1 to {MAX_CURVES}")
    times = np.asarray(times, dtype=float)
    running = np.asarray(running, dtype=float)[:, :shown]
    drawn = np.where(np.isfinite(running), running, np.nan)
    data: list[Figure] = []
    entries = []
    for i in reversed(range(drawn.shape[1])):
        color, dash, _ = style.LOOKS[i]
        name = f"λ{_SUBSCRIPTS[i]}"
        line = {"color": color, "dash": dash, "width": style.WIDTH if i == 0 else style.THIN}
        hover = f"{name} after %{{x}} steps = %{{y:.4f}}<extra></extra>"
        curve = {"type": "scatter", "mode": "lines", "name": name, "x": times, "y": drawn[:, i], "line": line}
        data.append(curve | {"hovertemplate": hover})
        known = i == 0 or not np.isfinite(running[-1, i])
        entries.append((f"{name} {number(running[-1, i])}" if known else name, color, dash))
    entries.reverse()
    if np.isfinite(gradient_slope):
        entries.append((f"gradient {number(gradient_slope)}", *SLOPE_LOOK))
    slope = gradient_slope if np.isfinite(gradient_slope) else np.nan
    last = float(times[-1])
    data.append(
        {
            "type": "scatter",
            "mode": "lines",
            "x": [0, last],
            "y": [slope, slope],
            "name": "slope of ln‖gradient‖",
        }
        | {"line": {"width": style.THIN, "color": SLOPE_LOOK[0], "dash": SLOPE_LOOK[1]}}
        | {"hovertemplate": "slope of ln‖gradient‖ = %{y:.4f}<extra></extra>"}
    )
    late = drawn[times >= _BEGINNING * last]
    low, high = _range(late, slope)
    layout = style.layout(
        f"lyapunov_convergence:{last:g}",
        meta={"x": "steps", "y": "running estimate in nats per step"},
        xaxis=style.axis("steps n", 0, last * 1.01),
        yaxis=exponent_axis("mean growth in nats a step", low, high),
        annotations=[style.key(*entries)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
    )
    return {"data": data, "layout": layout}


def _range(values: np.ndarray, slope: float) -> tuple[float, float]:
    """The ends of the axis; 0 is on it where it is not far away beside what the estimates still vary."""
    numbers = np.append(values[np.isfinite(values)], slope)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return -1.0, 1.0
    low, high = float(numbers.min()), float(numbers.max())
    span = max(high - low, 0.01)
    if low < _NEAR * span and high > -_NEAR * span:
        low, high = min(low, 0.0), max(high, 0.0)
    room = 0.08 * max(high - low, span)
    return low - room, high + room


def lyapunov_convergence_alt(
    times: np.ndarray, running: np.ndarray, *, gradient_slope: float = np.nan
) -> str:
    """One sentence with the numbers of ``lyapunov_convergence``."""
    first = np.asarray(running, dtype=float)[:, 0]
    half = int(np.searchsorted(times, times[-1] / 2))
    slope = (
        "" if np.isnan(gradient_slope) else f"; the log gradient norm has the slope {number(gradient_slope)}"
    )
    return (
        f"The estimate of the largest exponent is {number(first[half])} nats a step after {times[half]:g} "
        f"steps and {number(first[-1])} after {times[-1]:g}{slope}."
    )


def plot_lyapunov_convergence(
    subject: Trace | Experiment, *, steps: int = 500, settle: int = 100, shown: int = 3, dark: bool = False
) -> go.Figure:
    """Running estimates of the largest exponents of a network."""
    from explorer.measures.lyapunov import lyapunov_exponents

    found = lyapunov_exponents(subject, count=shown, steps=steps, settle=settle)
    slope = found.gradient_slope
    return style.themed(
        lyapunov_convergence(found.times, found.running, gradient_slope=slope, shown=shown), dark
    )
