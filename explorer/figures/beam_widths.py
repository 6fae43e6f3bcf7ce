"""What a beam finds against its width: not always more."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.decoding_looks import probability
from explorer.figures.style import BLUE, OCHRE, PURPLE, TEXT, VERMILLION, Figure
from explorer.seq2seq.decoding.hypothesis import Hypothesis

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.seq2seq.decoding.step import DecodingModel

BEAM_WIDTH_TRACES = {"found": 0, "worse": 1, "cut off": 2, "chosen": 3}
_SMALL = 1e-3


def beam_widths(
    found: Sequence[Hypothesis], chosen: int, best: Hypothesis | None = None, *, by_score: bool = False
) -> Figure:
    """P (log P where it is small, or the score) of what beams of width 1, 2, … find.

    Args:
        found: the winner of each width, [W].
        chosen: the width that is marked, 1 … W, or more: then none is.
        best: the true optimum, drawn as a line; None if it is not known.
        by_score: draw the score by which finished hypotheses are compared.
    """
    widths = np.arange(1, len(found) + 1)
    every = [*found, *([best] if best else [])]
    logarithm = by_score or min(one.log_prob for one in every) < math.log(_SMALL)
    title = "score" if by_score else "log P" if logarithm else "P"

    def value(one: Hypothesis) -> float:
        return one.score if by_score else one.log_prob if logarithm else math.exp(one.log_prob)

    y = np.array([value(one) for one in found])
    worse = worse_widths(found, by_score=by_score)
    x_down, y_down = [], []
    for width in worse:
        x_down += [width - 1, width, math.nan]
        y_down += [y[width - 2], y[width - 1], math.nan]
    cut = np.array([not one.finished for one in found])
    line: Figure = {"type": "scatter", "mode": "lines+markers", "name": "found", "x": widths, "y": y}
    line |= {"line": {"color": BLUE, "width": style.WIDTH}, "marker": {"size": 10, "color": BLUE}}
    line |= {"cliponaxis": False, "hovertemplate": f"width %{{x}}<br>{title} = %{{y:.4g}}<extra></extra>"}
    down: Figure = {"type": "scatter", "mode": "lines", "name": "worse", "hoverinfo": "skip"}
    down |= {"x": np.array(x_down), "y": np.array(y_down), "line": {"color": VERMILLION, "width": 7}}
    here = widths == chosen
    data = [
        line,
        down,
        _marks("cut off", widths[cut], y[cut], OCHRE, "diamond", 14),
        _marks("chosen", widths[here], y[here], TEXT, "circle-open", 20),
    ]
    values = [*y, *([value(best)] if best else [])]
    low, high = (0.0 if not logarithm else min(values)), max(values)
    room = 0.12 * max(high - low, 0.05 if logarithm else 1e-9)
    entries: list[tuple[str, str, str]] = []
    if worse:
        entries.append(("wider is worse", VERMILLION, "solid"))
    if cut.any():
        entries.append(("cut off", OCHRE, "point"))
    shapes: list[Figure] = []
    if best:
        level = value(best)
        look = {"color": PURPLE, "width": style.THIN, "dash": "dash"}
        shapes = [
            {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "y0": level, "y1": level, "line": look}
        ]
        entries.append(("true optimum", PURPLE, "dash"))
    layout = style.layout(
        f"beam_widths:{title}",
        xaxis=style.axis("beam width", 0.6, len(found) + 0.4, **style.whole_ticks(len(found) - 1)),
        yaxis=style.axis(title, low - room * logarithm, high + room, nticks=6),
        shapes=shapes,
        annotations=[style.key(*entries)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
        meta={"x": "beam width", "y": title},
    )
    return {"data": data, "layout": layout}


def worse_widths(found: Sequence[Hypothesis], *, by_score: bool = False) -> list[int]:
    """Widths whose winner is worse than that of the width before; finished ones are better than others."""

    def key(one: Hypothesis) -> tuple[bool, float]:
        return one.finished, round(one.score if by_score else one.log_prob, 12)

    return [k + 1 for k in range(1, len(found)) if key(found[k]) < key(found[k - 1])]


def _marks(name: str, x: np.ndarray, y: np.ndarray, color: str, symbol: str, size: int) -> Figure:
    marker = {"size": size, "color": color, "symbol": symbol, "line": {"width": 3, "color": color}}
    marks: Figure = {"type": "scatter", "mode": "markers", "name": name, "x": x, "y": y, "marker": marker}
    return marks | {"hoverinfo": "skip", "cliponaxis": False}


def beam_widths_alt(
    found: Sequence[Hypothesis], best: Hypothesis | None = None, *, by_score: bool = False
) -> str:
    """One sentence with the numbers of ``beam_widths``."""

    def number(one: Hypothesis) -> str:
        return f"{one.score:.4g}" if by_score else probability(one.log_prob)

    said = ", ".join(f"{k}: {number(one)}" for k, one in enumerate(found, start=1))
    worse = worse_widths(found, by_score=by_score)
    down = f"; worse than the width before: {', '.join(map(str, worse))}" if worse else ""
    top = f"; the optimum has {number(best)}" if best else ""
    return f"By width {said}{down}{top}."


def plot_beam_widths(
    model: DecodingModel, *, widths: int = 10, max_length: int = 8, dark: bool = False
) -> go.Figure:
    """What beams of width 1 … ``widths`` find, and the optimum where it can be found."""
    from explorer.seq2seq.decoding import TooManySequences, beam_search, optimum

    step, end = model.step, model.end
    found = [beam_search(step, width=k + 1, end=end, max_length=max_length).best for k in range(widths)]
    try:
        best = optimum(step, end=end, max_length=max_length)
    except TooManySequences:
        best = None
    return style.themed(beam_widths(found, 0, best), dark)
