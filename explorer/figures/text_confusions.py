"""Confusion matrices of models of text, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.figures import style
from explorer.figures.style import Figure
from explorer.figures.text_looks import check_models, model_entry, percent
from explorer.training.text.models import LABELS

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.training.text.study import TextStudy

_PLACES = 3  # matrices in a row
_GAP, _ROOM = 0.06, 0.2  # between columns, and between rows for the names


def text_confusions(confusions: Mapping[str, np.ndarray], classes: Sequence[str]) -> Figure:
    """A matrix for each model: right answers down, given answers across, in per cent of the row.

    Args:
        confusions: model of ``LABELS`` → [C, C], rows add up to 1; models in training leave their place.
        classes: C names.

    Raises ValueError for an unknown model.
    """
    check_models(confusions)
    data: list[Figure] = []
    notes: list[Figure] = [_how_to_read()]
    axes: Figure = {}
    for place, name in enumerate(LABELS):
        if name not in confusions:
            continue
        ending = str(place + 1) if place else ""
        (left, right), (bottom, top) = _domains(place)
        data.append(_matrix(name, confusions[name], classes, ending))
        axes[f"xaxis{ending}"] = _axis([""] * len(classes), domain=[left, right], anchor=f"y{ending}")
        rows = [""] * len(classes) if place % _PLACES else list(classes)
        downwards = {"range": [len(classes) - 0.5, -0.5]}
        axes[f"yaxis{ending}"] = _axis(rows, domain=[bottom, top], anchor=f"x{ending}", **downwards)
        accuracy = float(np.mean(np.diag(confusions[name])))
        above: Figure = {"xanchor": "left", "yanchor": "bottom", "yshift": 2, "color": style.TEXT}
        notes.append(style.note(model_entry(name, f" {percent(accuracy)}"), left, top, paper=True, **above))
    layout = style.layout(
        f"text_confusions:{len(classes)}",
        meta={"x": "answer", "y": "truth", "z": "per cent of the row"},
        annotations=notes,
        margin={"l": 56, "r": 16, "t": 28, "b": 10},
        **axes,
    )
    return {"data": data, "layout": layout}


def _domains(place: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Ends of the matrix at a place, along the page and up the page, as shares of the plot."""
    rows = -(-len(LABELS) // _PLACES)
    width, height = (1 - _GAP * (_PLACES - 1)) / _PLACES, (1 - _ROOM * (rows - 1)) / rows
    row, column = divmod(place, _PLACES)
    left, bottom = column * (width + _GAP), (rows - 1 - row) * (height + _ROOM)
    return (left, min(left + width, 1.0)), (bottom, min(bottom + height, 1.0))


def _axis(names: list[str], **parts: Any) -> Figure:
    """An axis of classes; columns are in the order of the rows and have no names of their own."""
    shared: Figure = {"tickmode": "array", "tickvals": np.arange(len(names)), "ticktext": names, "ticks": ""}
    font = {"size": style.SMALL}
    return style.axis("", -0.5, len(names) - 0.5, showgrid=False, tickfont=font, **shared) | parts


def _how_to_read() -> Figure:
    """What rows and columns are, in the place behind the last matrix."""
    (left, _), (_, top) = _domains(len(LABELS))
    said = "down: truth<br>across: answer,<br>same order,<br>% of row"
    return style.note(said, left, top, paper=True, xanchor="left", yanchor="top", align="left")


def _matrix(name: str, confusion: np.ndarray, classes: Sequence[str], ending: str) -> Figure:
    places = np.arange(len(classes))
    heat: Figure = {"type": "heatmap", "name": LABELS[name], "x": places, "y": places}
    heat |= {"z": 100 * np.asarray(confusion, dtype=float), "zmin": 0, "zmax": 100, "showscale": False}
    heat |= {"colorscale": [[0, style.BACKGROUND], [1, style.BLUE]], "xgap": 1, "ygap": 1}
    heat |= {"texttemplate": "%{z:.0f}", "textfont": {"size": style.SMALL, "color": style.TEXT}}
    heat |= {"xaxis": f"x{ending}", "yaxis": f"y{ending}"}
    heat["customdata"] = [[f"{truth}, answered {answer}" for answer in classes] for truth in classes]
    return heat | {"hovertemplate": f"{LABELS[name]}<br>%{{customdata}}<br>%{{z:.1f}} %<extra></extra>"}


def text_confusions_alt(confusions: Mapping[str, np.ndarray], classes: Sequence[str]) -> str:
    """One sentence with the most frequent mistake of every model."""
    said = []
    for name, confusion in confusions.items():
        wrong = np.array(confusion, dtype=float)
        np.fill_diagonal(wrong, -1)
        truth, answer = divmod(int(wrong.argmax()), len(wrong))
        share = percent(wrong[truth, answer])
        said.append(f"{LABELS[name]} takes {share} of {classes[truth]} for {classes[answer]}")
    return f"Most frequent mistakes: {'; '.join(said)}." if said else "No model is trained yet."


def plot_text_confusions(study: TextStudy, stop: int = 0, *, dark: bool = False) -> go.Figure:
    """Confusions of all trained models of a study at one share of shuffled words."""
    confusions = {name: study.confusion(name, stop) for name in study.tested}
    return style.themed(text_confusions(confusions, study.question.classes), dark)
