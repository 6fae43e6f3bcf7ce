"""One score moved by hand: scores and weights, the context, and the two ways back to each annotation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.style import BLUE, GREEN, GREY, OCHRE, TEXT, VERMILLION, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.seq2seq.context import ContextGradient

Tracks = dict[int, np.ndarray]
"""Trace → what it shows for every value of the moved score, [G, points]."""
Span = tuple[float, float]
_SCORES, _WEIGHTS = 0, 1  # traces of ``one_score``
_CONTEXT = 0  # trace of ``score_context``
_DIRECT, _THROUGH, _TOTAL = 0, 1, 2  # traces of ``score_paths``


def one_score(scores: np.ndarray, weights: np.ndarray, k: int, *, span: Span | None = None) -> Figure:
    """Bars of the scores e_i [Te] and of their softmax α_i [Te]; score ``k`` ≥ 1, which is moved, stands out.

    ``span`` are the ends of the scores' axis.
    """
    count = len(scores)
    low, high = span or (min(0.0, float(scores.min())), max(0.0, float(scores.max())))
    room = 0.05 * (high - low) or 1.0
    i = np.arange(1, count + 1)
    colors = [VERMILLION if n == k else BLUE for n in i.tolist()]
    bar: Figure = {"type": "bar", "x": i, "marker": {"color": colors, "line": {"width": 0}}}
    right = {"xaxis": "x2", "yaxis": "y2"}
    ticks = {
        "tickvals": i,
        "ticktext": [_sub("{}", n) for n in i.tolist()],
        "tickmode": "array",
        "showgrid": False,
    }
    layout = style.layout(
        f"one_score:{count}",
        meta={"x": "encoder step i", "y": "score, then weight"},
        xaxis=style.axis("", 0.4, count + 0.6, **ticks)
        | {"domain": [0, 0.44], "ticktext": [f"e{t}" for t in _subs(count)]},
        yaxis=style.axis("", low - room, high + room, nticks=5) | {"zeroline": True},
        xaxis2=style.axis("", 0.4, count + 0.6, **ticks)
        | {"domain": [0.56, 1], "anchor": "y2", "ticktext": [f"α{t}" for t in _subs(count)]},
        yaxis2=style.axis("", 0, 1.04, nticks=5) | {"anchor": "x2"},
        annotations=[_title("scores", 0.22), _title("softmax: weights", 0.78)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP, "b": 30, "l": 40},
        bargap=0.25,
    )
    hover = "encoder step %{x}: "
    data = [
        bar | {"y": scores, "name": "score e", "hovertemplate": hover + "e = %{y:.3g}<extra></extra>"},
        bar
        | right
        | {"y": weights, "name": "weight α", "hovertemplate": hover + "α = %{y:.3g}<extra></extra>"},
    ]
    return {"data": data, "layout": layout}


def one_score_tracks(scores: np.ndarray, weights: np.ndarray) -> Tracks:
    """What the bars show for every value of the moved score, [G, Te] each."""
    return {_SCORES: scores, _WEIGHTS: weights}


def one_score_alt(scores: np.ndarray, weights: np.ndarray, k: int) -> str:
    """One sentence with the moved score and its weight."""
    return (
        f"Score {k} is {scores[k - 1]:.3g} and gets weight {log.plain(float(weights[k - 1]))}; "
        f"the largest weight is {log.plain(float(weights.max()))} at encoder step {weights.argmax() + 1}."
    )


def plot_one_score(scores: np.ndarray, k: int = 1, *, dark: bool = False) -> go.Figure:
    """Scores [Te] and their softmax."""
    from explorer.seq2seq.context import softmax

    return style.themed(one_score(np.asarray(scores, float), softmax(scores), k), dark)


def score_context(annotations: np.ndarray, context: np.ndarray, k: int) -> Figure:
    """The components of the context c [A] between those of the annotations h_i [Te, A]; h_k stands out."""
    size = annotations.shape[1]
    x = np.arange(1, size + 1)
    others = np.delete(annotations, k - 1, axis=0)
    gaps = np.column_stack([others, np.full(len(others), np.nan)]).ravel()
    line: Figure = {"type": "scatter", "mode": "lines", "x": x}
    say = {"hovertemplate": "component %{x}: %{y:.3g}<extra></extra>"}
    data = [
        line
        | {"mode": "lines+markers", "y": context, "name": "context c", **say}
        | {"line": {"width": style.WIDTH, "color": BLUE}, "marker": {"size": 9, "color": BLUE}, "zorder": 3},
        line
        | {"y": annotations[k - 1], "name": f"h{k}", **say}
        | {"line": {"width": style.THIN, "color": VERMILLION, "dash": "dash"}, "zorder": 2},
        line
        | {"x": np.tile(np.append(x, np.nan), len(others)), "y": gaps, "name": "other h", "hoverinfo": "skip"}
        | {"line": {"width": 1, "color": style.translucent(GREY, 0.6)}},
    ]
    high = max(1.0, float(np.abs(annotations).max()))
    entries = [("c", BLUE, "solid"), (_sub("h{}", k), VERMILLION, "dash"), ("other h", GREY, "thin")]
    layout = style.layout(
        f"score_context:{size}",
        meta={"x": "component", "y": "value"},
        xaxis=style.axis("component", 0.6, size + 0.4, showgrid=False, nticks=9) | style.whole_ticks(size),
        yaxis=style.axis("", -1.05 * high, 1.05 * high, nticks=5),
        annotations=[style.key(*entries)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP, "l": 44},
    )
    return {"data": data, "layout": layout}


def score_context_tracks(contexts: np.ndarray) -> Tracks:
    """The context for every value of the moved score, [G, A]."""
    return {_CONTEXT: contexts}


def score_context_alt(annotations: np.ndarray, context: np.ndarray, k: int) -> str:
    """One sentence with the distance of c and h_k."""
    away = float(np.linalg.norm(annotations[k - 1] - context))
    size = float(np.linalg.norm(context))
    return f"The context lies at distance {away:.3g} from annotation {k} and has length {size:.3g}."


def plot_score_context(
    found: ContextGradient, annotations: np.ndarray, k: int = 1, *, dark: bool = False
) -> go.Figure:
    """The context between the annotations."""
    return style.themed(score_context(annotations, found.context, k), dark)


def score_paths(
    direct: np.ndarray, through: np.ndarray, total: np.ndarray, k: int, *, high: float | None = None
) -> Figure:
    """Largest singular values of ∂c/∂h_i [Te] and of its two parts: direct, and through the score e_i.

    ``high`` is the end of the axis.
    """
    count = len(total)
    i = np.arange(1, count + 1)
    top = 1.08 * (high or float(max(direct.max(), through.max(), total.max())))
    bar: Figure = {"type": "bar", "x": i}
    mark = {"symbol": "line-ew-open", "size": 22, "color": TEXT, "line": {"width": 3, "color": TEXT}}
    say = "‖∂c/∂h<sub>%{x}</sub>‖: "
    data = [
        bar
        | {"y": direct, "name": "direct", "marker": {"color": GREEN, "line": {"width": 0}}}
        | {"hovertemplate": say + "direct %{y:.3g}<extra></extra>"},
        bar
        | {"y": through, "name": "through the score", "marker": {"color": OCHRE, "line": {"width": 0}}}
        | {"hovertemplate": say + "through the score %{y:.3g}<extra></extra>"},
        {"type": "scatter", "mode": "markers", "x": i, "y": total, "name": "both", "marker": mark}
        | {"hovertemplate": say + "both %{y:.3g}<extra></extra>"},
    ]
    entries = [("direct α", GREEN, "bar"), ("through the score", OCHRE, "bar"), ("both", TEXT, "thin")]
    names = [f"<b>h{t}</b>" if n == k else f"h{t}" for n, t in enumerate(_subs(count), 1)]
    layout = style.layout(
        f"score_paths:{count}",
        meta={"x": "encoder step i", "y": "largest singular value"},
        xaxis=style.axis("", 0.4, count + 0.6, tickvals=i, ticktext=names, tickmode="array", showgrid=False),
        yaxis=style.axis("", 0, top, nticks=5),
        annotations=[style.key(*entries)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP, "b": 30, "l": 44},
        bargap=0.25,
    )
    return {"data": data, "layout": layout}


def score_paths_tracks(direct: np.ndarray, through: np.ndarray, total: np.ndarray) -> Tracks:
    """What the bars show for every value of the moved score, [G, Te] each."""
    return {_DIRECT: direct, _THROUGH: through, _TOTAL: total}


def score_paths_alt(direct: np.ndarray, through: np.ndarray, total: np.ndarray, k: int) -> str:
    """One sentence with the numbers of annotation ``k`` ≥ 1."""
    a, b, c = (log.plain(float(part[k - 1])) for part in (direct, through, total))
    return f"The context depends on annotation {k} with {c}: {a} directly and {b} through its score."


def plot_score_paths(found: ContextGradient, k: int = 1, *, dark: bool = False) -> go.Figure:
    """The two ways back from the context to each annotation."""
    total = np.linalg.norm(found.total, 2, axis=(1, 2))
    return style.themed(score_paths(found.weights, found.through_score_norms, total, k), dark)


def _title(text: str, x: float) -> Figure:
    place: Figure = {"paper": True, "xanchor": "center", "yanchor": "bottom", "yshift": 3}
    return style.note(text, x, 1, color=TEXT, **place)


def _sub(pattern: str, number: int) -> str:
    return pattern.format(str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")))


def _subs(count: int) -> Sequence[str]:
    return [_sub("{}", number) for number in range(1, count + 1)]
