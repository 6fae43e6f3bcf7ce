"""One sentence, word by word: which words weigh in the answer of which model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.style import Figure
from explorer.figures.text_looks import SHORT, check_models, model_look, percent
from explorer.training.text.models import LABELS

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.training.text.reading import Reading

_DARKEST = 30  # per cent of a column from which the colour is full, in all figures alike
_NOTHING = 1e-9  # weights below are rounding: the answer does not depend on any word


def text_words(
    words: Sequence[str], weights: Mapping[str, np.ndarray], answers: Mapping[str, tuple[str, float]]
) -> Figure:
    """Words down the page, models across it; the darker, the larger the word's part in its column.

    Args:
        words: L words as they are read, from the first to the last.
        weights: model of ``LABELS`` → how much each word weighs [L], ≥ 0; each column is drawn as parts of
            its sum, and a column that is 0 up to rounding stays blank.
        answers: model → its answer and the probability it gives to it.

    Raises ValueError for an unknown model.
    """
    check_models(weights)
    z = (
        np.stack([shares(weights[name]) for name in weights], axis=1)
        if weights
        else np.zeros((len(words), 0))
    )
    places = np.arange(len(weights))
    heat: Figure = {
        "type": "heatmap",
        "name": "weight",
        "x": places,
        "y": np.arange(len(words)),
        "z": 100 * z,
    }
    heat |= {
        "zmin": 0,
        "zmax": _DARKEST,
        "showscale": False,
        "xgap": 3,
        "ygap": 1,
    }
    heat |= {"colorscale": [[0, style.BACKGROUND], [1, style.BLUE]]}
    heat["customdata"] = [[f"{word}<br>{LABELS[name]}" for name in weights] for word in words]
    heat["hovertemplate"] = "%{customdata}<br>%{z:.0f} % of all words' weight<extra></extra>"
    headings = [_heading(name, *answers[name]) for name in weights]
    across: Figure = {
        "tickmode": "array",
        "tickvals": places,
        "ticktext": headings,
        "side": "top",
        "ticks": "",
    }
    down: Figure = {
        "tickmode": "array",
        "tickvals": np.arange(len(words)),
        "ticktext": list(words),
        "ticks": "",
    }
    layout = style.layout(
        f"text_words:{len(words)}",
        meta={"x": "model", "y": "word", "z": "per cent of all words' weight"},
        xaxis=style.axis(
            "",
            -0.5,
            max(len(weights), 1) - 0.5,
            showgrid=False,
            tickangle=0,
            fixedrange=True,
            tickfont={"size": style.SMALL},
        )
        | across,
        yaxis=style.axis("", len(words) - 0.5, -0.5, showgrid=False, fixedrange=True) | down,
        margin={"l": 60, "r": 8, "t": 62, "b": 6},
    )
    return {"data": [heat], "layout": layout}


def shares(weights: np.ndarray) -> np.ndarray:
    """Parts of the sum, [L]; all 0 where the weights are rounding."""
    total = float(np.sum(weights))
    return np.asarray(weights) / total if total > _NOTHING else np.zeros(len(weights))


def _heading(name: str, answer: str, probability: float) -> str:
    """Model, its answer and how sure it is."""
    model = f'<span style="color:{model_look(name)[0]}">{SHORT[name]}</span>'
    return f"{model}<br>{answer}<br>{percent(probability)}"


def text_words_alt(
    words: Sequence[str], weights: Mapping[str, np.ndarray], answers: Mapping[str, tuple[str, float]]
) -> str:
    """One sentence: what each model answers, and the word that weighs most."""
    said = []
    for name, values in weights.items():
        answer, probability = answers[name]
        part = shares(values)
        top = f", most by “{words[int(part.argmax())]}”" if part.any() else ", whatever the words"
        said.append(f"{LABELS[name]} {answer} with {percent(probability)}{top}")
    return f"“{' '.join(words)}”: {'; '.join(said)}." if said else "No model is trained yet."


def plot_text_words(reading: Reading, *, dark: bool = False) -> go.Figure:
    """How all models of a study read one sentence."""
    return style.themed(text_words(reading.words, reading.weights, reading.answers), dark)
