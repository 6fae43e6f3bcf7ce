"""All Lyapunov exponents of a network by their index, with the slope of the log gradient beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.figures import style
from explorer.figures.style import BLUE, MUTED, TEXT, VERMILLION, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.experiment import Experiment
    from explorer.trace import Trace

LYAPUNOV_SPECTRUM_TRACES = {"growing": 0, "others": 1, "gradient": 2}
SLOPE_LOOK = (TEXT, "dash")
"""(colour, dash) of the slope of the log gradient norm in all figures of Lyapunov exponents."""
_BOX = 0.6, 0.42  # of the plot: room that the words take in a small figure …
_LINE = 4  # points that disturb words as much as a line does
_MIDDLES = 0.21, 0.79  # … and where its middle may be


def lyapunov_spectrum(
    exponents: np.ndarray,
    *,
    num_positive: int = 0,
    kaplan_yorke: float = np.nan,
    gradient_slope: float = np.nan,
) -> Figure:
    """Exponents by index, the largest first.

    Args:
        exponents: λ_i in nats per step, descending, [n]; −inf and NaN are not drawn but counted in words.
        num_positive: how many of them lie above 0 by more than their error; they are marked.
        kaplan_yorke: dimension of the attractor; NaN where it is not known.
        gradient_slope: growth of the log gradient norm per step back, in nats: a line that meets λ₁ in the
            limit of many steps. Not drawn where it is not finite.
    """
    values = np.asarray(exponents, dtype=float)
    index = np.arange(1, len(values) + 1)
    drawn = np.where(np.isfinite(values), values, np.nan)
    grows = index <= num_positive
    size = 9 if len(values) <= 40 else 6 if len(values) <= 130 else 4
    points = {
        "type": "scatter",
        "mode": "markers",
        "hovertemplate": "λ<sub>%{x}</sub> = %{y:.4f}<extra></extra>",
    }
    slope = gradient_slope if np.isfinite(gradient_slope) else np.nan
    ends = [0.5, len(values) + 0.5]
    data: list[Figure] = [
        points
        | {"x": index, "y": np.where(grows, drawn, np.nan), "name": "λ > 0"}
        | {"marker": {"color": VERMILLION, "symbol": "square", "size": size}},
        points
        | {"x": index, "y": np.where(grows, np.nan, drawn), "name": "λ"}
        | {"marker": {"color": BLUE, "symbol": "circle", "size": size}},
        {"type": "scatter", "mode": "lines", "x": ends, "y": [slope, slope], "name": "slope of ln‖gradient‖"}
        | {"line": {"width": style.THIN, "color": SLOPE_LOOK[0], "dash": SLOPE_LOOK[1]}}
        | {"hovertemplate": "slope of ln‖gradient‖ = %{y:.4f}<extra></extra>", "zorder": -1},
    ]
    low, high = exponent_range(values, [slope])
    layout = style.layout(
        f"lyapunov_spectrum:{len(values)}",
        meta={"x": "index i", "y": "Lyapunov exponent in nats per step"},
        xaxis=style.axis("index i", *ends, **style.whole_ticks(len(values)), showgrid=False),
        yaxis=exponent_axis("λ<sub>i</sub> in nats a step", low, high),
        annotations=[
            _key(num_positive, slope),
            style.note(
                "<br>".join(_words(values, num_positive, kaplan_yorke)), **_place(drawn, slope, low, high)
            ),
        ],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
    )
    return {"data": data, "layout": layout}


def exponent_range(*arrays: Any) -> tuple[float, float]:
    """The ends of an axis for all finite numbers and 0, with room for markers."""
    numbers = np.concatenate([np.ravel(np.asarray(array, dtype=float)) for array in arrays])
    numbers = numbers[np.isfinite(numbers)]
    low, high = float(numbers.min(initial=0)), float(numbers.max(initial=0))
    if low == high:
        return -1.0, 1.0
    room = 0.08 * (high - low)
    return low - room, high + room


def exponent_axis(title: str, low: float, high: float) -> Figure:
    """An axis of exponents with a strong line at 0, where changes neither grow nor shrink."""
    zero = {"zeroline": True, "zerolinewidth": 2.5, "zerolinecolor": MUTED}
    return style.axis(title, low, high, nticks=6) | zero


def _key(num_positive: int, slope: float) -> Figure:
    entries = [("λ > 0", VERMILLION, "bar")] if num_positive else []
    entries.append(("λ", BLUE, "point"))
    if np.isfinite(slope):
        entries.append((f"slope of ln‖gradient‖ {number(slope)}", *SLOPE_LOOK))
    return style.key(*entries)


def _words(values: np.ndarray, num_positive: int, kaplan_yorke: float) -> list[str]:
    """What the points say in numbers, and what could not be drawn."""
    lines = [f"λ<sub>1</sub> = {number(values[0])}", f"{num_positive} of {len(values)} above 0"]
    if np.isfinite(kaplan_yorke):
        lines.append(f"Kaplan–Yorke dimension {kaplan_yorke:.3g}")
    for mask, what in ((np.isneginf(values), "lost exactly (−∞)"), (np.isnan(values), "not known")):
        if mask.any():
            lines.append(f"{int(mask.sum())} {what}")
    return lines


def _place(drawn: np.ndarray, slope: float, low: float, high: float) -> Figure:
    """The place of a few words at the side, with the fewest points and lines behind them."""
    x = np.append((np.arange(len(drawn)) + 0.5) / len(drawn), _LINE * [0.0, 0.0, 1.0, 1.0])
    y = (np.append(drawn, _LINE * [slope, 0.0, slope, 0.0]) - low) / (high - low)
    places = []
    for height, anchor in ((0.03, "bottom"), (0.5, "middle"), (0.97, "top")):
        for side, edge in (("left", 0.02), ("right", 0.98)):
            behind = (np.abs(x - edge) < _BOX[0]) & (np.abs(y - np.clip(height, *_MIDDLES)) < _BOX[1] / 2)
            place: Figure = {"x": edge, "y": height, "xanchor": side, "yanchor": anchor, "align": side}
            places.append((int(behind.sum()), place | {"paper": True, "color": TEXT}))
    return min(places, key=lambda item: item[0])[1]


def number(value: float) -> str:
    """An exponent with a sign and three decimals."""
    if np.isnan(value):
        return "not known"
    if np.isinf(value):
        return "−∞" if value < 0 else "∞"
    return f"{value:+.3f}".replace("-", "−")


def lyapunov_spectrum_alt(
    exponents: np.ndarray,
    *,
    num_positive: int = 0,
    kaplan_yorke: float = np.nan,
    gradient_slope: float = np.nan,
) -> str:
    """One sentence with the numbers of ``lyapunov_spectrum``."""
    values = np.asarray(exponents, dtype=float)
    finite = values[np.isfinite(values)]
    last = f" down to {number(float(finite[-1]))}" if len(finite) > 1 else ""
    said = [f"{num_positive} of {len(values)} above 0"]
    if np.isfinite(kaplan_yorke):
        said.append(f"Kaplan–Yorke dimension {kaplan_yorke:.3g}")
    if lost := int(np.isneginf(values).sum()):
        said.append(f"{lost} lost exactly")
    if unknown := int(np.isnan(values).sum()):
        said.append(f"{unknown} not known")
    if not np.isnan(gradient_slope):
        said.append(f"the log gradient norm has the slope {number(gradient_slope)}")
    return f"Lyapunov exponents from {number(float(values[0]))}{last} nats a step: {', '.join(said)}."


def plot_lyapunov_spectrum(
    subject: Trace | Experiment, *, steps: int = 500, settle: int = 100, dark: bool = False
) -> go.Figure:
    """All Lyapunov exponents of a network, see ``lyapunov_exponents``."""
    from explorer.measures.lyapunov import lyapunov_exponents

    found = lyapunov_exponents(subject, steps=steps, settle=settle)
    numbers: dict[str, Any] = {"num_positive": found.num_positive, "gradient_slope": found.gradient_slope}
    drawn = lyapunov_spectrum(found.exponents, kaplan_yorke=found.kaplan_yorke_dimension, **numbers)
    return style.themed(drawn, dark)
