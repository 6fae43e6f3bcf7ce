"""BLEU as bars: the precisions of n-grams, the brevity penalty, and the score that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.style import BLUE, GREEN, GREY, TEXT, VERMILLION, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.seq2seq.bleu import BleuParts, Tokeniser

ORDER_COLORS: tuple[str, ...] = (GREY, style.OCHRE, GREEN, BLUE)
"""n-grams of order 1 to 4."""


def bleu_parts(parts: BleuParts) -> Figure:
    """p₁ … p₄ with their counts, BP in per cent, and BLEU."""
    precisions = list(parts.precisions)
    names = [f"p<sub>{n}</sub>" for n in range(1, len(precisions) + 1)]
    said = [_counts(parts, n) for n in range(len(precisions))]
    heights = np.array([*precisions, 100 * parts.brevity_penalty, parts.score])
    names += ["BP", "BLEU"]
    said += [f"{len(parts.candidate)}/{len(parts.reference)}", ""]
    places = np.array([0, 1, 2, 3, 4.4, 5.8])
    colors = [*ORDER_COLORS, style.PURPLE, VERMILLION]
    bar: Figure = {"type": "bar", "name": "BLEU and its parts", "x": places, "y": heights, "width": 0.78}
    bar |= {"marker": {"color": colors}, "customdata": ["p1", "p2", "p3", "p4", "BP", "BLEU"]}
    bar |= {"hovertemplate": "%{customdata} = %{y:.4f}<extra></extra>"}
    notes = [
        style.note(f"<b>{height:.1f}</b>", place, height, yanchor="bottom", yshift=2, color=TEXT)
        for place, height in zip(places, heights, strict=True)
    ]
    labels = [f"{name}<br>{text}" for name, text in zip(names, said, strict=True)]
    ticks: Figure = {"tickmode": "array", "tickvals": places, "ticktext": labels, "tickangle": 0, "ticks": ""}
    ticks |= {"tickfont": {"size": style.SMALL}}
    layout = style.layout(
        "bleu_parts",
        xaxis=style.axis("", -0.6, 6.4, showgrid=False, fixedrange=True) | ticks,
        yaxis=style.axis("per cent", 0, 114, tickvals=[0, 25, 50, 75, 100]),
        annotations=notes,
        margin=style.MARGIN | {"t": 10, "b": 54},
        meta={"x": "part", "y": "per cent"},
    )
    return {"data": [bar], "layout": layout}


def _counts(parts: BleuParts, place: int) -> str:
    match = parts.matches[place]
    return f"{match.count}/{match.total}" if match.total else "none"


def bleu_parts_alt(parts: BleuParts) -> str:
    """One sentence with the numbers of ``bleu_parts``."""
    said = ", ".join(
        f"{match.count} of {match.total} {match.order}-grams match ({precision:.1f} %)"
        for match, precision in zip(parts.matches, parts.precisions, strict=True)
    )
    return f"{said}; the brevity penalty is {parts.brevity_penalty:.3f} and BLEU {parts.score:.2f}."


def plot_bleu_parts(
    candidate: str, reference: str, *, tokeniser: Tokeniser = "13a", dark: bool = False
) -> go.Figure:
    """BLEU of a sentence, taken apart."""
    from explorer.seq2seq.bleu import bleu

    return style.themed(bleu_parts(bleu(candidate, reference, tokeniser=tokeniser)), dark)
