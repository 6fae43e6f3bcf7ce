"""Sequences that strategies come to, side by side: by probability, or by the score that ranks them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.decoding_looks import plain_sequence, probability, sequence_name
from explorer.figures.style import BLUE, OCHRE, PURPLE, TEXT, VERMILLION, Figure
from explorer.seq2seq.decoding.hypothesis import Hypothesis

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.seq2seq.decoding.beam import Search

_LOOKS = {
    "chosen": (VERMILLION, "star"),
    "optimum": (PURPLE, "circle-open"),
    "other": (BLUE, "circle"),
    "cut off": (OCHRE, "diamond"),
}
_SMALL = 1e-3  # P below which its logarithm is drawn


@dataclass(frozen=True)
class Found:
    """What one setting comes to; ``kind`` is chosen, optimum or other."""

    label: str
    hypothesis: Hypothesis
    kind: str = "other"


def found_sequences(rows: Sequence[Found], symbols: Sequence[str]) -> Figure:
    """A row for each setting: P of its sequence, or log P where one of them is below 0.001."""
    log_probs = np.array([row.hypothesis.log_prob for row in rows])
    small = bool(len(rows) and math.exp(log_probs.min()) < _SMALL)
    values = log_probs if small else np.exp(log_probs)
    names = [row.label for row in rows]
    return _dots(rows, names, values, symbols, "log P" if small else "P", from_zero=not small)


def hypotheses(search: Search, symbols: Sequence[str], most: int = 8) -> Figure:
    """The best hypotheses of one search by their score, the winner first."""
    shown = search.hypotheses[:most]
    rows = [Found(str(k + 1), one, "chosen" if k == 0 else "other") for k, one in enumerate(shown)]
    values = np.array([one.score for one in shown])
    figure = _dots(rows, [f"{row.label}." for row in rows], values, symbols, "score", from_zero=False)
    missing = len(search.hypotheses) - len(shown)
    if missing:
        said = f"{missing} more not drawn"
        figure["layout"]["annotations"].append(
            style.note(said, 0, 1, paper=True, xanchor="left", yanchor="bottom", yshift=3)
        )
    return figure


def _dots(
    rows: Sequence[Found],
    names: Sequence[str],
    values: np.ndarray,
    symbols: Sequence[str],
    title: str,
    *,
    from_zero: bool,
) -> Figure:
    if not rows:
        return style.message("No sequence was found.")
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (-1.0, 0.0)
    low = 0.0 if from_zero else low
    span = max(high - low, 1e-9 if from_zero else 0.1)
    places = np.arange(len(rows), dtype=float)
    start = low if from_zero else low - 0.05 * span
    shown = np.where(np.isfinite(values), values, low)
    x = np.column_stack([np.full(len(rows), start), shown, np.full(len(rows), np.nan)])
    stems: Figure = {"type": "scatter", "mode": "lines", "name": "stems", "hoverinfo": "skip"}
    stems |= {"x": x.ravel(), "y": np.repeat(places, 3), "line": {"color": style.GRID, "width": 6}}
    data = [stems]
    kinds = [row.kind if row.hypothesis.finished or row.kind != "other" else "cut off" for row in rows]
    for kind, (color, symbol) in _LOOKS.items():
        here = [k for k in range(len(rows)) if kinds[k] == kind]
        marker = {"color": color, "symbol": symbol, "size": 13, "line": {"width": 3, "color": color}}
        data.append(
            {"type": "scatter", "mode": "markers", "name": kind, "x": shown[here], "y": places[here]}
            | {"marker": marker, "cliponaxis": False}
            | {"hovertext": [_said(rows[k], symbols, 60) for k in here], "hoverinfo": "text"}
        )
    notes = [
        style.note(_short(row, symbols), start, place, xanchor="left", yanchor="bottom", yshift=4, color=TEXT)
        for row, place in zip(rows, places, strict=True)
    ]
    ticks: Figure = {"tickmode": "array", "tickvals": places, "ticktext": list(names), "ticks": ""}
    layout = style.layout(
        f"found:{title}:{len(rows)}",
        xaxis=style.axis(title, low - 0.1 * span * (not from_zero), high + 0.12 * span, nticks=5),
        yaxis=style.axis("", len(rows) - 0.6, -0.85, showgrid=False, fixedrange=True) | ticks,
        annotations=notes,
        margin={"l": 56, "r": 8, "t": style.LEGEND_TOP - 6, "b": 44},
        meta={"x": title, "y": "row"},
    )
    return {"data": data, "layout": layout}


def _short(row: Found, symbols: Sequence[str]) -> str:
    """As ``_said``, for a narrow figure; the marker says whether it is cut off."""
    found = row.hypothesis
    return f"{sequence_name(found.tokens, symbols, 16)} <b>{probability(found.log_prob)}</b>"


def _said(row: Found, symbols: Sequence[str], longest: int) -> str:
    found = row.hypothesis
    end = "" if found.finished else " (cut off)"
    return f"{sequence_name(found.tokens, symbols, longest)}{end} <b>{probability(found.log_prob)}</b>"


def found_sequences_alt(rows: Sequence[Found], symbols: Sequence[str]) -> str:
    """One sentence: what each setting comes to."""
    said = [
        f"{row.label} “{plain_sequence(row.hypothesis.tokens, symbols, 40)}” with "
        f"{probability(row.hypothesis.log_prob)}{'' if row.hypothesis.finished else ', cut off'}"
        for row in rows
    ]
    return f"Found: {'; '.join(said)}."


def hypotheses_alt(search: Search, symbols: Sequence[str]) -> str:
    """One sentence with the winner of ``hypotheses`` and the runner-up."""
    best = search.best
    said = f"First “{plain_sequence(best.tokens, symbols, 40)}” with a score of {best.score:.4g}"
    if len(search.hypotheses) > 1:
        second = search.hypotheses[1]
        said += f", second “{plain_sequence(second.tokens, symbols, 40)}” with {second.score:.4g}"
    return f"{said}, of {len(search.hypotheses)}."


def plot_hypotheses(search: Search, symbols: Sequence[str], *, dark: bool = False) -> go.Figure:
    """The best hypotheses of a search."""
    return style.themed(hypotheses(search, symbols), dark)


def plot_found_sequences(rows: Sequence[Found], symbols: Sequence[str], *, dark: bool = False) -> go.Figure:
    """What each setting comes to."""
    return style.themed(found_sequences(rows, symbols), dark)
