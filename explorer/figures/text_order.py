"""Accuracy of models of text against the share of shuffled words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.style import Figure
from explorer.figures.text_looks import check_models, model_entry, model_look, percent
from explorer.training.text.models import BAGS, LABELS

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.training.text.study import TextStudy

_PER_ROW = 3  # names in a row of the key


def text_order(shares: np.ndarray, accuracies: Mapping[str, np.ndarray], chance: float, stop: int) -> Figure:
    """One curve for each model, the line of chance, and a mark at the chosen share.

    Args:
        shares: shares of shuffled words [S], rising, 0 … 1.
        accuracies: model of ``LABELS`` → share of right answers [S]; models still in training are absent.
        chance: share of right answers of a guess.
        stop: index of the chosen share; the key tells the accuracies there.

    Raises ValueError for an unknown model or a stop that is none.
    """
    check_models(accuracies)
    if not 0 <= stop < len(shares):
        raise ValueError(f"stop = {stop} is not allowed: choose from 0 to {len(shares) - 1}")
    moved = 100 * np.asarray(shares, dtype=float)
    data = [_chance(moved, chance), *(_curve(name, moved, curve) for name, curve in accuracies.items())]
    entries = [model_entry(name, f" {percent(curve[stop])}") for name, curve in accuracies.items()]
    entries.append(f'<span style="color:{style.MUTED}">━ ━ chance {percent(chance)}</span>')
    rows = [entries[at : at + _PER_ROW] for at in range(0, len(entries), _PER_ROW)]
    key: Figure = {
        "xanchor": "right",
        "yanchor": "bottom",
        "yshift": 3,
        "align": "right",
        "color": style.TEXT,
    }
    low = 100 * min(chance, *(curve.min() for curve in accuracies.values()), 1.0)
    here = {"type": "line", "x0": moved[stop], "x1": moved[stop], "y0": 0, "y1": 1, "yref": "y domain"}
    layout = style.layout(
        f"text_order:{chance}",
        meta={"x": "shuffled words in per cent", "y": "right answers in per cent"},
        xaxis=style.axis("shuffled words in %", -3, 103, dtick=20),
        yaxis=style.axis("right answers in %", min(low, 45 if chance == 0.5 else 20) - 3, 101),
        shapes=[here | {"line": {"width": 2, "color": style.MUTED}, "layer": "below"}],
        annotations=[style.note("<br>".join("  ".join(row) for row in rows), 1, 1, paper=True, **key)],
        hovermode="closest",
        margin=style.MARGIN | {"t": 12 + 19 * len(rows)},
    )
    return {"data": data, "layout": layout}


def _chance(moved: np.ndarray, chance: float) -> Figure:
    line = {"width": style.THIN, "color": style.MUTED, "dash": "dash"}
    shown: Figure = {"type": "scatter", "mode": "lines", "name": "chance", "line": line, "hoverinfo": "skip"}
    return shown | {"x": moved[[0, -1]], "y": np.full(2, 100 * chance)}


def _curve(name: str, moved: np.ndarray, accuracy: np.ndarray) -> Figure:
    """Line and markers; the two bags often coincide, so the second has smaller markers on the first's."""
    color, dash, symbol = model_look(name)
    size = 14 if name == BAGS[0] else 9
    curve: Figure = {"type": "scatter", "mode": "lines+markers", "name": LABELS[name], "x": moved}
    curve |= {"y": 100 * np.asarray(accuracy), "line": {"color": color, "dash": dash, "width": style.WIDTH}}
    curve |= {"marker": {"symbol": symbol, "size": size, "color": color}, "cliponaxis": False}
    return curve | {
        "hovertemplate": f"{LABELS[name]}<br>%{{x}} % shuffled<br>%{{y:.1f}} % right<extra></extra>"
    }


def text_order_alt(shares: np.ndarray, accuracies: Mapping[str, np.ndarray], chance: float) -> str:
    """One sentence with the numbers of ``text_order``."""
    if not accuracies:
        return "No model is trained yet."
    last = percent(shares[-1])
    said = [
        f"{LABELS[name]} {percent(curve[0])} in order and {percent(curve[-1])} at {last} shuffled"
        for name, curve in accuracies.items()
    ]
    return f"Right answers: {'; '.join(said)}; a guess is right in {percent(chance)}."


def plot_text_order(study: TextStudy, stop: int = 0, *, dark: bool = False) -> go.Figure:
    """Accuracy of all trained models of a study."""
    from explorer.training.text.study import SHARES

    accuracies = {name: tested.accuracy for name, tested in study.tested.items()}
    return style.themed(text_order(SHARES, accuracies, study.question.chance, stop), dark)
