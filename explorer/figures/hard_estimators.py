"""Estimators of the gradient of a hard choice: how far one draw is off, and how far their mean is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.style import BLUE, TEXT, VERMILLION, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.seq2seq.hard_choice import Estimator

_ROUNDING = 1e-12  # of the largest estimate; a bias below is that of the sums


def hard_estimators(estimators: Mapping[str, Estimator], exact: np.ndarray) -> Figure:
    """Standard deviation and bias of each estimator beside the length of the exact gradient [Te].

    Both are in decades. A bias below rounding is written as "no bias" and has no mark.
    """
    names = list(estimators)
    spread = np.array([_decades(one.variance**0.5) for one in estimators.values()])
    bias = np.array([bias_of(one, exact) for one in estimators.values()])
    size = _decades(float(np.linalg.norm(exact)))
    known = np.array([*spread, *bias, size])
    known = known[np.isfinite(known)]
    low, high = (np.floor(known.min()), np.ceil(known.max())) if known.size else (-1.0, 0.0)
    y = np.arange(len(names))
    both: Figure = {"type": "scatter", "mode": "markers", "y": y, "text": names}
    data = [
        both
        | {"x": log.finite(spread), "name": "standard deviation", "marker": _marker("circle", BLUE)}
        | {"hovertemplate": "%{text}: standard deviation 10<sup>%{x:.2f}</sup><extra></extra>"},
        both
        | {"x": log.finite(bias), "name": "bias", "marker": _marker("x", VERMILLION)}
        | {"hovertemplate": "%{text}: bias 10<sup>%{x:.2f}</sup><extra></extra>"},
    ]
    values, labels = log.decade_ticks(low, high)
    line = {"type": "line", "x0": size, "x1": size, "yref": "y domain", "y0": 0, "y1": 1}
    notes = [
        style.note("no bias", low, k, xanchor="left", color=VERMILLION)
        for k, found in enumerate(bias)
        if found == -np.inf
    ]
    entries = [
        ("standard deviation", BLUE, "point"),
        ("bias", VERMILLION, "cross"),
        ("exact gradient", TEXT, "dot"),
    ]
    layout = style.layout(
        f"hard_estimators:{len(names)}",
        meta={"x": "log10 of the distance from the exact gradient", "y": "row: estimator"},
        xaxis=style.axis(
            "length", *log.padded(low, high), tickvals=values, ticktext=labels, tickmode="array"
        ),
        yaxis=style.axis("", len(names) - 0.5, -0.5, tickvals=y, ticktext=names, ticks="", showgrid=False),
        shapes=[line | {"line": {"width": style.THIN, "color": TEXT, "dash": "dot"}, "layer": "below"}],
        annotations=[style.key(*entries), *notes],
        margin=style.MARGIN | {"t": style.LEGEND_TOP, "r": 24},
    )
    return {"data": data, "layout": layout}


def bias_of(estimator: Estimator, exact: np.ndarray) -> float:
    """log10 ‖mean − exact‖; −inf where it is not more than rounding."""
    away = float(np.linalg.norm(estimator.mean - exact))
    return _decades(away) if away > _ROUNDING * float(np.abs(estimator.estimates).max()) else -np.inf


def _decades(value: float) -> float:
    return float(np.log10(value)) if value > 0 else -np.inf


def _marker(symbol: str, color: str) -> Figure:
    return {"symbol": symbol, "size": 14, "color": color}


def hard_estimators_alt(estimators: Mapping[str, Estimator], exact: np.ndarray) -> str:
    """One sentence with the numbers of ``hard_estimators``."""
    said = []
    for name, one in estimators.items():
        bias = bias_of(one, exact)
        more = "no bias" if bias == -np.inf else f"bias {log.number(bias)}"
        said.append(f"{name}: standard deviation {log.number(_decades(one.variance**0.5))}, {more}")
    size = log.number(_decades(float(np.linalg.norm(exact))))
    return f"The exact gradient has length {size}; {'; '.join(said)}."


def plot_hard_estimators(
    estimators: Mapping[str, Estimator], exact: np.ndarray, *, dark: bool = False
) -> go.Figure:
    """Estimators of ``explorer.seq2seq.hard_choice`` against the exact gradient."""
    return style.themed(hard_estimators(estimators, exact), dark)
