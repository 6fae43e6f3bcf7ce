"""What one objective sends back to the logits of one decoder step: a bar for every token."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.decoding_looks import token_name
from explorer.figures.style import GREY, LOOKS, TEXT, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

OBJECTIVES = ("likelihood", "label smoothing", "scheduled sampling", "expected reward")
"""Names of the objectives in the order of their looks."""
_ROOM = 1.32  # of the axis, in largest bars
_HEIGHTS = (1, 2, 3, 5)  # times powers of ten, where the axis may end


def objective_logits(
    gradient: np.ndarray,
    tokens: Sequence[str],
    right: int,
    objective: str,
    *,
    said: int | None = None,
    mean: np.ndarray | None = None,
    error: np.ndarray | None = None,
    mean_size: float = 0.0,
    high: float | None = None,
    read: str | None = "",
) -> Figure:
    """∂L_j/∂z as a bar for each token that can be said; the right one has a band behind it.

    Args:
        gradient: [V], of tokens that can be said.
        tokens: their names, [V].
        right: the place of the token that should be said.
        objective: one of ``OBJECTIVES``.
        said: the place of the token that was drawn; None where none was.
        mean: the mean over draws, [V]; a diamond each.
        error: its standard error, [V].
        mean_size: length of the mean without what chance adds to it; 0 where that may be all of it.
        high: the largest number that the axis has to hold.
        read: the tokens that the decoder has read before, as a text; None where the answer has ended.
    """
    color = LOOKS[OBJECTIVES.index(objective)][0]
    shown = [np.abs(gradient), np.array([high or 0.0])]
    if mean is not None:
        shown.append(np.abs(mean) + (0.0 if error is None else 2 * error))
    top = _ROOM * axis_end(float(np.concatenate(shown).max()))
    x = np.arange(len(tokens))
    names = [token_name(token) for token in tokens]
    hover = "%{customdata}: %{y:.3g}<extra></extra>"
    bar: Figure = {"type": "bar", "x": x, "y": gradient, "name": "gradient", "customdata": names}
    data = [bar | {"marker": {"color": color, "line": {"width": 0}}, "width": 0.7, "hovertemplate": hover}]
    if mean is not None:
        marker = {"symbol": "diamond", "size": 8, "color": TEXT, "line": {"width": 0}}
        point: Figure = {"type": "scatter", "mode": "markers", "x": x, "y": mean, "name": "mean"}
        point |= {"marker": marker, "customdata": names, "hovertemplate": f"mean of draws, {hover}"}
        if error is not None and _is_noisy(error):
            point["error_y"] = {"type": "data", "array": 2 * error, "width": 0, "thickness": 2, "color": TEXT}
        data.append(point)
    band: Figure = {"type": "rect", "xref": "x", "yref": "y domain", "x0": right - 0.5, "x1": right + 0.5}
    band |= {"y0": 0, "y1": 1, "fillcolor": GREY, "opacity": 0.25, "line": {"width": 0}, "layer": "below"}
    what = "length" if mean is None else "draw"
    notes = [_above(f"{what} {_length(gradient)}", 1, "right", color), *_marks(right, said, len(tokens))]
    if mean is not None:
        text = f" {_decades(mean_size)}" if mean_size or not _is_noisy(error) else ": noise"
        notes.append(_above(f"◆ mean{text}", 1, "right", TEXT) | {"yshift": 20})
    layout = style.layout(
        f"objective_logits:{objective}:{len(tokens)}",
        meta={"x": "token", "y": "gradient of its logit"},
        xaxis=style.axis(_after(read), -0.6, len(tokens) - 0.4)
        | {"tickmode": "array", "tickvals": x, "ticktext": _ticks(names, right), "tickangle": 0}
        | {"ticks": "", "showgrid": False},
        yaxis=style.axis("", -top, top, nticks=5) | {"zeroline": True},
        shapes=[band],
        annotations=notes,
        margin=style.MARGIN | {"t": 42, "l": 44, "r": 8},
    )
    return {"data": data, "layout": layout}


def axis_end(value: float) -> float:
    """The next of 1, 2, 3, 5, 10 … times a power of ten from ``value`` on, so that axes seldom move."""
    if value <= 0:
        return 1.0
    unit = 10.0 ** np.floor(np.log10(value))
    return float(next((k * unit for k in _HEIGHTS if value <= k * unit * (1 + 1e-9)), 10 * unit))


def _after(read: str | None) -> str:
    if read is None:
        return "its answer has ended"
    return f"after “{token_name(read)}”" if read else "first step"


def _length(gradient: np.ndarray) -> str:
    return _decades(float(np.linalg.norm(gradient)))


def _decades(size: float) -> str:
    return log.number(math.log10(size)) if size else "exactly 0"


def _is_noisy(error: np.ndarray | None) -> bool:
    return error is not None and bool(error.any())


def _above(text: str, x: float, side: str, color: str) -> Figure:
    place: Figure = {"paper": True, "xanchor": side, "yanchor": "bottom", "yshift": 2, "color": color}
    return style.note(text, x, 1, **place)


def _ticks(names: Sequence[str], right: int) -> list[str]:
    return [f"<b>{name}</b>" if k == right else name for k, name in enumerate(names)]


def _marks(right: int, said: int | None, count: int) -> list[Figure]:
    """The words above the right token and below the drawn one; towards the inside at the ends."""
    places = [(right, "right", 1, "top")]
    if said is not None:
        places.append((said, "said", 0, "bottom"))
    found = []
    for place, word, y, anchor in places:
        side = "left" if place < 2 else "right" if place > count - 3 else "center"
        shift = {"left": -8, "right": 8}.get(side, 0)
        parts: Figure = {"yref": "y domain", "xanchor": side, "yanchor": anchor, "xshift": shift}
        found.append(style.note(word, place, y, color=TEXT, **parts))
    return found


def objective_logits_alt(
    gradient: np.ndarray, tokens: Sequence[str], right: int, said: int | None = None
) -> str:
    """One sentence with the numbers of ``objective_logits``."""
    size = float(np.linalg.norm(gradient))
    if not size:
        return "The gradient is exactly 0 for every token."
    drawn = "" if said is None else f", of the drawn one, “{tokens[said]}”, {gradient[said]:.3g}"
    return (
        f"The gradient of the right token, “{tokens[right]}”, is {gradient[right]:.3g}{drawn}; the whole "
        f"has length {_length(gradient)}."
    )


def plot_objective_logits(
    gradient: np.ndarray, tokens: Sequence[str], right: int, objective: str, *, dark: bool = False
) -> go.Figure:
    """A row of ``explorer.seq2seq.logit_gradients`` without what is never said."""
    return style.themed(objective_logits(np.asarray(gradient), tokens, right, objective), dark)
