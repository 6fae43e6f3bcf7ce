"""The largest Lyapunov exponent against the gain: seeds, their median, and very large networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.lyapunov_spectrum import exponent_axis, exponent_range, number
from explorer.figures.style import BLUE, COLORS, GREEN, OCHRE, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.experiment import Experiment

LYAPUNOV_FAN_TRACES = {"seeds": 0, "theory": 1, "undriven": 2, "median": 3, "present": 4}
_DEPTH = 2.5  # the axis reaches at most this many times as far below 0 as above …
_NEAR = 0.1  # of the last gain: an axis that would begin below it begins at 0
_LEAST = 0.3  # … of at least this height: below, all is shrinking anyway


def lyapunov_fan(
    gains: np.ndarray,
    exponents: np.ndarray,
    *,
    theory: np.ndarray | None = None,
    undriven: np.ndarray | None = None,
    gain: float | None = None,
) -> Figure:
    """λ₁ over the gain.

    Args:
        gains: weight scales, ascending, [G].
        exponents: λ₁ in nats per step, [G, S]; −inf and NaN are not drawn but named.
        theory: λ₁ for N → ∞ at the same gains, ½ ln χ₁, [G]; none where no theory applies.
        undriven: λ₁ of the same networks without input, [G, S]; their median is drawn.
        gain: the weight scale on screen, marked by a line and a point on the median.
    """
    gains, values = np.asarray(gains, dtype=float), np.asarray(exponents, dtype=float)
    median = log.quantiles(values, (0.5,))[0]
    seeds = np.full((values.shape[1], len(gains) + 1), np.nan)
    seeds[:, :-1] = log.finite(values).T
    nothing = np.full(len(gains), np.nan)
    ideal = nothing if theory is None else log.finite(theory)
    alone = nothing if undriven is None else log.finite(log.quantiles(undriven, (0.5,))[0])
    shared = {"type": "scatter", "mode": "lines"}
    data: list[Figure] = [
        shared
        | {"x": np.tile(np.append(gains, np.nan), len(seeds)), "y": seeds.ravel(), "name": "seeds"}
        | {"line": {"width": 1.2, "color": style.translucent(BLUE, 0.55)}, "hoverinfo": "skip"},
        shared
        | {"x": gains, "y": ideal, "name": "N → ∞"}
        | {"line": {"width": style.WIDTH, "color": COLORS["closed_form"], "dash": "dash"}}
        | {"hovertemplate": "gain %{x:.3g}<br>N → ∞: λ₁ = %{y:.4f}<extra></extra>"},
        shared
        | {"x": gains, "y": alone, "name": "without input"}
        | {"line": {"width": style.THIN, "color": GREEN, "dash": "dashdot"}}
        | {"hovertemplate": "gain %{x:.3g}<br>without input: median λ₁ = %{y:.4f}<extra></extra>"},
        shared
        | {"x": gains, "y": log.finite(median), "name": "median"}
        | {"line": {"width": style.WIDTH, "color": BLUE}}
        | {"hovertemplate": "gain %{x:.3g}<br>median λ₁ = %{y:.4f}<extra></extra>"},
        _present(gains, median, gain),
    ]
    low, high = exponent_range(values, ideal, alone)
    low = max(low, -_DEPTH * max(high, _LEAST))
    seeds_said = "1 seed" if values.shape[1] == 1 else f"{values.shape[1]} seeds"
    entries = [(seeds_said, BLUE, "thin"), ("median", BLUE, "solid")]
    if np.isfinite(ideal).any():
        entries.append(("N → ∞", COLORS["closed_form"], "dash"))
    if undriven is not None:
        entries.append(("without input", GREEN, "dashdot"))
    layout = style.layout(
        f"lyapunov_fan:{gains[0]:g}:{gains[-1]:g}",
        meta={"x": "weight scale g", "y": "largest Lyapunov exponent in nats per step"},
        xaxis=style.axis("weight scale g", 0 if gains[0] < _NEAR * gains[-1] else gains[0], gains[-1]),
        yaxis=exponent_axis("λ<sub>1</sub> in nats a step", low, high),
        annotations=[style.key(*entries), *_words(values)],
        shapes=[] if gain is None else [_line(gain)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
    )
    return {"data": data, "layout": layout}


def _present(gains: np.ndarray, median: np.ndarray, gain: float | None) -> Figure:
    """The gain on screen as a point on the median, with its number."""
    x, y = np.nan, np.nan
    if gain is not None and gains[0] <= gain <= gains[-1]:
        x, y = gain, float(np.interp(gain, gains, log.finite(median)))
    marker = {"symbol": "diamond", "size": 14, "color": OCHRE}
    hover = "here: g = %{x:.3g}<br>median λ₁ ≈ %{y:.3f}<extra></extra>"
    return {"type": "scatter", "mode": "markers", "x": [x], "y": [y], "name": "present gain"} | {
        "marker": marker,
        "cliponaxis": False,
        "hovertemplate": hover,
    }


def _line(gain: float) -> Figure:
    line = {"width": style.THIN, "color": OCHRE, "dash": "dot"}
    place = {"xref": "x", "yref": "y domain", "x0": gain, "x1": gain, "y0": 0, "y1": 1}
    return {"type": "line", "line": line, "layer": "below"} | place


def _words(values: np.ndarray) -> list[Figure]:
    """What could not be drawn."""
    said = []
    for mask, what in ((np.isneginf(values), "−∞, lost exactly,"), (np.isnan(values), "not a number")):
        if mask.any():
            said.append(f"{what} in {int(mask.sum())} of {values.size} runs")
    if not said:
        return []
    place: Figure = {"xanchor": "right", "yanchor": "bottom", "align": "right", "bgcolor": style.BACKGROUND}
    return [style.note("<br>".join(said), 0.98, 0.03, paper=True, **place)]


def lyapunov_fan_alt(
    gains: np.ndarray,
    exponents: np.ndarray,
    *,
    theory: np.ndarray | None = None,
    undriven: np.ndarray | None = None,
    gain: float | None = None,
) -> str:
    """One sentence with the numbers of ``lyapunov_fan``."""
    gains, values = np.asarray(gains, dtype=float), np.asarray(exponents, dtype=float)
    median = log.quantiles(values, (0.5,))[0]
    above = np.flatnonzero(median > 0)
    crossing = f"is above 0 from gain {gains[above[0]]:.3g} on" if len(above) else "is nowhere above 0"
    ends = f"{number(median[0])} at gain {gains[0]:.3g}, {number(median[-1])} at {gains[-1]:.3g}"
    count = values.shape[1]
    said = f"Over {count} seed{'s' * (count > 1)} the median of the largest exponent {crossing} ({ends})"
    if gain is not None:
        k = int(np.abs(gains - gain).argmin())
        said += f"; close to the present gain {gain:.3g} it is {number(median[k])}"
        if theory is not None:
            said += f" and for N → ∞ {number(float(theory[k]))}"
        if undriven is not None:
            said += f", without input {number(float(log.quantiles(undriven, (0.5,))[0][k]))}"
    return f"{said}."


def plot_lyapunov_fan(
    experiment: Experiment,
    gains: Sequence[float] | np.ndarray | None = None,
    *,
    seeds: int = 8,
    theory: np.ndarray | None = None,
    dark: bool = False,
) -> go.Figure:
    """The fan of an experiment over 24 gains from 0.25 to 3, unless others are given."""
    from explorer.measures.lyapunov_fan import lyapunov_fan as measured

    chosen = np.linspace(0.25, 3, 24) if gains is None else np.asarray(gains, dtype=float)
    found = measured(experiment, chosen, range(seeds))
    return style.themed(lyapunov_fan(chosen, found, theory=theory, gain=experiment.weight_scale), dark)
