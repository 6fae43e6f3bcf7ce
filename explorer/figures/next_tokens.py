"""What temperature, top-k and nucleus leave of the distribution of the next token."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.decoding_looks import token_name
from explorer.figures.style import BLUE, GREY, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.seq2seq.decoding.sampling import Sampling

NEXT_TOKEN_TRACES = {"model": 0, "left": 1}
MOST_TOKENS = 22
_FEW = 8  # whole words beside each other


def next_tokens(before: np.ndarray, after: np.ndarray, symbols: Sequence[str], behind: str = "") -> Figure:
    """P of the likeliest tokens under the model, and after the choices; 0 may not be drawn.

    Args:
        before: probabilities [V] of the model.
        after: what is drawn from, [V].
        symbols: V names; beyond 22 the rest is added up in one bar.
        behind: what stands before the token.
    """
    order = _order(before)
    shown, rest = order[:MOST_TOKENS], order[MOST_TOKENS:]
    names = [token_name(symbols[k]) for k in shown]
    bars = [before[shown], after[shown]]
    if len(rest):
        names.append(f"+{len(rest)}")
        bars = [np.append(bar, values[rest].sum()) for bar, values in zip(bars, (before, after), strict=True)]
    places = np.arange(len(names)) + (np.arange(len(names)) >= MOST_TOKENS)
    looks = (("model", GREY, 0.86), ("left", BLUE, 0.5))
    data: list[Figure] = []
    for (name, color, width), heights in zip(looks, bars, strict=True):
        bar: Figure = {"type": "bar", "name": name, "x": places, "y": heights, "width": width}
        bar |= {"marker": {"color": style.translucent(color, 0.55 if name == "model" else 1.0)}}
        data.append(
            bar | {"customdata": names, "hovertemplate": f"%{{customdata}}: %{{y:.4f}} {name}<extra></extra>"}
        )
    kept = int((after > 0).sum())
    title = f"next token after “{html.escape(behind, quote=False)}”" if behind else "next token"
    top = float(max(heights.max() for heights in bars))
    crowded = len(shown) > _FEW and max(len(symbols[k]) for k in shown) > 2
    ticks: Figure = {"tickmode": "array", "tickvals": places, "ticktext": names, "ticks": ""}
    ticks["tickangle"] = -30 if crowded else 0
    layout = style.layout(
        f"next_tokens:{len(symbols)}",
        barmode="overlay",
        xaxis=style.axis(title, -0.6, places[-1] + 0.6, showgrid=False) | ticks,
        yaxis=style.axis("P", 0, 1.08 * top, nticks=5),
        annotations=[
            style.key(("model", GREY, "bar"), (f"may be drawn: {kept} of {len(symbols)}", BLUE, "bar"))
        ],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
        meta={"x": "token by rank", "y": "probability"},
    )
    return {"data": data, "layout": layout}


def _order(probabilities: np.ndarray) -> np.ndarray:
    return np.argsort(-np.round(probabilities, 12), kind="stable")


def next_tokens_alt(before: np.ndarray, after: np.ndarray, symbols: Sequence[str]) -> str:
    """One sentence with the numbers of ``next_tokens``."""
    top = int(_order(before)[0])
    kept = after > 0
    share = 100 * before[kept].sum()
    return (
        f"Of {len(symbols)} tokens {kept.sum()} may be drawn, with {share:.1f} % of the model's probability; "
        f"the likeliest, “{symbols[top]}”, goes from {before[top]:.3f} to {after[top]:.3f}."
    )


def plot_next_tokens(
    log_probs: np.ndarray, sampling: Sampling, symbols: Sequence[str], *, dark: bool = False
) -> go.Figure:
    """What a way of sampling leaves of log-probabilities [V]."""
    return style.themed(next_tokens(np.exp(log_probs), sampling.probabilities(log_probs), symbols), dark)
