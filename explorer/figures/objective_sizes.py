"""How large each objective's gradient is, at the logits of each decoder step or at the encoder's states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.objective_logits import OBJECTIVES
from explorer.figures.style import LOOKS, TEXT, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

Along = Literal["decoder", "encoder"]
_TITLES = {"decoder": "decoder step j", "encoder": "encoder step i"}
MEAN = "mean over draws"
"""Name of the curve that is no objective of its own."""


def objective_sizes(
    curves: Mapping[str, np.ndarray], *, along: Along = "decoder", marked: int | None = None
) -> Figure:
    """log10 of lengths along the steps, a curve for each objective.

    Args:
        curves: one of ``OBJECTIVES`` or ``MEAN`` → lengths [steps]; 0 has no place and is named.
        along: whose steps these are.
        marked: a step ≥ 1 that is looked at.
    """
    found = {name: _decades(lengths) for name, lengths in curves.items()}
    count = len(next(iter(found.values())))
    x = np.arange(1, count + 1)
    zeros = _zeros(found)
    low, high = _ends(found, len(zeros))
    data: list[Figure] = []
    for name, decades in found.items():
        color, dash, symbol = (TEXT, "dot", "circle-open") if name == MEAN else look(name)
        data.append(
            {"type": "scatter", "mode": "lines+markers", "name": name, "x": x, "y": log.finite(decades)}
            | {"line": {"width": style.THIN if name == MEAN else style.WIDTH, "color": color, "dash": dash}}
            | {"marker": {"symbol": symbol, "size": 9, "color": color}}
            | {"hovertemplate": f"{name}, step %{{x}}: 10<sup>%{{y:.2f}}</sup><extra></extra>"}
        )
    line: Figure = {"type": "line", "yref": "y domain", "y0": 0, "y1": 1, "x0": marked, "x1": marked}
    line |= {"line": {"width": 2, "color": style.MUTED, "dash": "dot"}, "layer": "below"}
    notes = [style.key((MEAN, TEXT, "dot"))] if MEAN in found else []
    layout = style.layout(
        f"objective_sizes:{along}:{count}",
        meta={"x": _TITLES[along], "y": "log10 of the gradient's length"},
        xaxis=style.axis(_TITLES[along], 0.6, count + 0.4, nticks=8) | style.whole_ticks(count),
        yaxis=log.decade_axis("", low, high),
        shapes=[] if marked is None else [line],
        annotations=[*notes, *_zero_notes(zeros)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
    )
    return {"data": data, "layout": layout}


def look(objective: str) -> tuple[str, str, str]:
    """(colour, dash, marker) of an objective."""
    return LOOKS[OBJECTIVES.index(objective)]


def _decades(lengths: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log10(np.asarray(lengths, np.float64)))


def _ends(found: Mapping[str, np.ndarray], lines: int) -> tuple[float, float]:
    """Whole decades around everything that has a place, two at least, and below room for lines of text."""
    known = np.concatenate(list(found.values()))
    known = known[np.isfinite(known)]
    low, high = (np.floor(known.min()), np.ceil(known.max())) if known.size else (-1.0, 0.0)
    low = min(low, high - 2)
    return float(low - lines * 0.1 * (high - low)), float(high)


def _zeros(found: Mapping[str, np.ndarray]) -> list[str]:
    """Which curves have steps without a place, and why."""
    said = []
    for name, decades in found.items():
        count = int((decades == -np.inf).sum())
        where = "everywhere" if count == len(decades) else f"at {count} of {len(decades)}"
        if count:
            said.append(f"{name}: {'not told from 0' if name == MEAN else 'exactly 0'} {where}")
    return said


def _zero_notes(said: list[str]) -> list[Figure]:
    place: Figure = {"paper": True, "xanchor": "left", "yanchor": "bottom", "xshift": 6, "yshift": 2}
    return [style.note("<br>".join(said), 0, 0, color=style.OCHRE, align="left", **place)] if said else []


def objective_sizes_alt(curves: Mapping[str, np.ndarray], along: Along = "decoder") -> str:
    """One sentence with the first and the last number of every curve."""
    said = [
        f"{name}: {log.number(float(decades[0]))} at {along} step 1, "
        f"{log.number(float(decades[-1]))} at step {len(decades)}"
        for name, decades in ((name, _decades(lengths)) for name, lengths in curves.items())
    ]
    return "; ".join(said) + "."


def plot_objective_sizes(
    curves: Mapping[str, np.ndarray], *, along: Along = "decoder", dark: bool = False
) -> go.Figure:
    """Lengths of gradients by objective."""
    return style.themed(objective_sizes(curves, along=along), dark)
