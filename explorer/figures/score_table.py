"""Four scores of several sentences side by side, and whether the meaning is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.style import BLUE, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.seq2seq.sentence_scores import SentenceScores

_COLUMNS = ("BLEU", "chrF", "TER<br>(errors)", "exact<br>match", "same<br>meaning")


def score_table(scores: Mapping[str, tuple[SentenceScores, bool | None]], chosen: str = "") -> Figure:
    """A row for each sentence; the darker a cell, the better by that score.

    Args:
        scores: name → its scores, and whether the meaning is the same as we judge it (None: not said).
        chosen: the row whose name is bold.
    """
    rows = list(scores.values())
    cells = np.array([_goodness(found, same) for found, same in rows]).reshape(-1, len(_COLUMNS))
    said = [_texts(found, same) for found, same in rows]
    names = [f"<b>{name}</b>" if name == chosen else name for name in scores]
    x, y = np.arange(len(_COLUMNS)), np.arange(len(rows))
    heat: Figure = {"type": "heatmap", "name": "score", "x": x, "y": y, "z": cells, "zmin": 0, "zmax": 100}
    heat |= {"colorscale": [[0, style.BACKGROUND], [1, style.translucent(BLUE, 0.75)]], "showscale": False}
    heat |= {"xgap": 3, "ygap": 3, "text": said, "texttemplate": "%{text}", "hoverinfo": "skip"}
    heat |= {"textfont": {"size": style.FONT, "color": style.TEXT}}
    across: Figure = {
        "tickmode": "array",
        "tickvals": x,
        "ticktext": list(_COLUMNS),
        "side": "top",
        "ticks": "",
    }
    down: Figure = {"tickmode": "array", "tickvals": y, "ticktext": names, "ticks": ""}
    layout = style.layout(
        f"score_table:{len(rows)}",
        xaxis=style.axis("", -0.5, len(_COLUMNS) - 0.5, showgrid=False, fixedrange=True, tickangle=0)
        | across,
        yaxis=style.axis("", len(rows) - 0.5, -0.5, showgrid=False, fixedrange=True) | down,
        margin={"l": 60, "r": 8, "t": 48, "b": 6},
        meta={"x": "score", "y": "sentence", "z": "goodness in per cent"},
    )
    return {"data": [heat], "layout": layout}


def _goodness(found: SentenceScores, same: bool | None) -> list[float]:
    ter = max(0.0, 100 - found.ter)
    return [found.bleu, found.chrf, ter, 100.0 * found.exact, np.nan if same is None else 100.0 * same]


def _texts(found: SentenceScores, same: bool | None) -> list[str]:
    judged = "–" if same is None else "yes" if same else "no"
    exact = "yes" if found.exact else "no"
    return [f"{found.bleu:.1f}", f"{found.chrf:.1f}", f"{found.ter:.1f}", exact, judged]


def score_table_alt(scores: Mapping[str, tuple[SentenceScores, bool | None]]) -> str:
    """One sentence with the numbers of ``score_table``."""
    said = [
        f"{name} BLEU {found.bleu:.1f}, chrF {found.chrf:.1f}, TER {found.ter:.1f}"
        + ("" if same is None else f", meaning {'kept' if same else 'changed'}")
        for name, (found, same) in scores.items()
    ]
    return f"Scores: {'; '.join(said)}."


def plot_score_table(*, dark: bool = False) -> go.Figure:
    """The scores of all examples."""
    from explorer.seq2seq.sentence_scores import EXAMPLES, sentence_scores

    scores = {
        one.label: (sentence_scores(one.candidate, one.reference, tokeniser=one.tokeniser), one.same)
        for one in EXAMPLES.values()
    }
    return style.themed(score_table(scores), dark)
