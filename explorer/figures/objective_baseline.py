"""What the baseline does to REINFORCE: the scatter of one draw against b, beside the mean of all draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.style import LOOKS, TEXT, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.seq2seq.objective_gradients import RewardGradient

_COLOR = LOOKS[3][0]
_CLOSE = 0.12  # of b, between marks whose names would meet
_SYMBOLS = ("circle", "square", "diamond", "triangle-up")


def objective_baseline(
    baselines: np.ndarray, deviations: np.ndarray, size: float, marks: Mapping[str, tuple[float, float]]
) -> Figure:
    """Standard deviation of one draw's gradient against b, and the length of the mean gradient.

    Args:
        baselines: b, [G].
        deviations: [G], above 0.
        size: length of the mean gradient; 0 has no place and is named.
        marks: name → (b, deviation there), the one of least scatter as the last.
    """
    curve = _decades(deviations)
    points = {name: (b, float(_decades(np.array([found]))[0])) for name, (b, found) in marks.items()}
    mean = float(np.log10(size)) if size > 0 else -np.inf
    low, high = _ends(np.array([*curve, *(y for _, y in points.values()), mean]))
    line: Figure = {"type": "scatter", "mode": "lines", "x": baselines, "y": log.finite(curve)}
    say = {"hovertemplate": "b = %{x:.3f}: 10<sup>%{y:.2f}</sup><extra></extra>"}
    data = [line | {"name": "one draw", "line": {"width": style.WIDTH, "color": _COLOR}} | say]
    for symbol, (name, (b, y)) in zip(_SYMBOLS, points.items(), strict=False):
        marker = {"symbol": symbol, "size": 14, "color": _COLOR, "line": {"width": 2, "color": TEXT}}
        data.append(
            {"type": "scatter", "mode": "markers", "name": name, "x": [b], "y": log.finite(np.array([y]))}
            | {
                "marker": marker,
                "hovertemplate": f"{name}, b = %{{x:.3f}}: 10<sup>%{{y:.2f}}</sup><extra></extra>",
            }
        )
    values, labels = log.decade_ticks(low, high)
    entries = [("scatter of one draw", _COLOR, "solid"), ("mean", TEXT, "dot")]
    shapes, notes = [], [style.key(*entries), *_names(points)]
    if size > 0:
        shape: Figure = {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "y0": mean, "y1": mean}
        shapes = [shape | {"line": {"width": style.THIN, "color": TEXT, "dash": "dot"}}]
    else:
        place: Figure = {"paper": True, "xanchor": "left", "yanchor": "bottom", "xshift": 6, "yshift": 4}
        notes.append(style.note("the mean cannot be told from 0", 0, 0, color=style.OCHRE, **place))
    layout = style.layout(
        "objective_baseline",
        meta={"x": "baseline b", "y": "log10 of the length of the gradient at the encoder's states"},
        xaxis=style.axis("baseline b", float(baselines[0]) - 0.03, float(baselines[-1]) + 0.03, nticks=6),
        yaxis=style.axis("", *log.padded(low, high), tickmode="array", tickvals=values, ticktext=labels),
        shapes=shapes,
        annotations=notes,
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
    )
    return {"data": data, "layout": layout}


def _decades(values: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log10(values))


def _ends(decades: np.ndarray) -> tuple[float, float]:
    """Whole decades around everything that has a place."""
    known = decades[np.isfinite(decades)]
    return (float(np.floor(known.min())), float(np.ceil(known.max() + 0.15))) if known.size else (-1.0, 0.0)


def _names(points: Mapping[str, tuple[float, float]]) -> list[Figure]:
    """The names of the marks above them; the last below, together with those that are close to it."""
    *others, (last, (best, low)) = points.items()
    if not np.isfinite(low):
        return []
    close = [name for name, (b, _) in others[1:] if abs(b - best) < _CLOSE]
    found = [_name(name, b, y, "bottom") for name, (b, y) in others if name not in close and np.isfinite(y)]
    return [*found, _name(", ".join([*close, last]), best, low, "top")]


def _name(text: str, b: float, y: float, anchor: str) -> Figure:
    side = "left" if b < 0.3 else "right" if b > 0.7 else "center"
    parts: Figure = {"xanchor": side, "yanchor": anchor, "yshift": 10 if anchor == "bottom" else -10}
    return style.note(text, b, y, color=TEXT, bgcolor=style.BACKGROUND, **parts)


def objective_baseline_alt(size: float, marks: Mapping[str, tuple[float, float]]) -> str:
    """One sentence with the numbers of ``objective_baseline``."""
    said = [f"with {name} (b = {b:.3g}) by {log.plain(found)}" for name, (b, found) in marks.items()]
    mean = f"has length {log.plain(size)}" if size > 0 else "cannot be told from 0"
    return f"The mean gradient {mean}; one draw scatters {', '.join(said)}."


def baseline_marks(found: RewardGradient) -> dict[str, tuple[float, float]]:
    """No baseline, the mean reward, and the one of least scatter, each with the scatter there."""
    chosen = {"none": 0.0, "mean reward": found.expected, "best": found.best_baseline}
    return {name: (b, float(found.deviation(b))) for name, b in chosen.items()}


def plot_objective_baseline(found: RewardGradient, *, dark: bool = False) -> go.Figure:
    """The scatter of REINFORCE for baselines from 0 to 1."""
    grid = np.linspace(0, 1, 101)
    drawn = objective_baseline(grid, found.deviation(grid), found.size, baseline_marks(found))
    return style.themed(drawn, dark)
