"""One gate while a network is trained: time step × training step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.gates import SIGNED
from explorer.figures.state_colors import DIVERGING, nice_limit
from explorer.figures.style import BACKGROUND, Figure
from explorer.figures.training_movie import MAP_SHARE, Tracks, blanks, map_rows, present_line, training_axis

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.training.training import Training

_LINE = 0  # the trace that moves


def movie_gates(values: np.ndarray, recorded: np.ndarray, steps: int, at: int, gate: str) -> Figure:
    """Heat map of a gate's mean over units and sequences.

    Args:
        values: the means [R, T]; entry t−1 belongs to time step t.
        recorded: training steps of the rows, rising, [R].
        steps: training steps of the whole run.
        at: the row whose training step is marked.
        gate: its name, which decides colour and range.
    """
    values = np.asarray(values, float)
    last = values.shape[1]
    shown = log.finite(values)
    label = style.LABELS.get(gate, gate)
    with np.errstate(invalid="ignore"):
        signed = gate in SIGNED or bool(((shown < 0) | (shown > 1)).any())
    low, high = _range(shown, signed)
    scale = DIVERGING if signed else [[0, BACKGROUND], [1, style.gate_look(gate)[0]]]
    bar = {"len": 1.0, "thickness": 10, "xpad": 4, "outlinewidth": 0, "x": MAP_SHARE, "xanchor": "left"}
    heat: Figure = {"type": "heatmap", "x": np.arange(1, last + 1), "name": label}
    heat |= {"z": shown.astype(np.float32), "zmin": low, "zmax": high}
    heat |= map_rows(recorded, steps)
    heat |= {"colorscale": scale, "colorbar": bar}
    heat |= {"hovertemplate": f"t = %{{x}}, training step %{{y}}<br>{label} = %{{z:.3g}}<extra></extra>"}
    layout = style.layout(
        f"movie_gates:{steps}:{last}",
        meta={"x": "time step t", "y": "training step", "z": f"mean of the {label}"},
        xaxis=style.time_axis(last, showgrid=False, domain=[0, MAP_SHARE]),
        yaxis=training_axis(recorded, steps),
        annotations=blanks(np.where(np.isfinite(values), 0, np.nan)),
        margin=style.MARGIN | {"t": style.LEGEND_TOP, "r": 24},
    )
    return {"data": [present_line(0.5, last + 0.5, recorded[at]), heat], "layout": layout}


def _range(values: np.ndarray, signed: bool) -> tuple[float, float]:
    """Ends of the colours: tenths around all numbers, since 0.93 and 0.97 differ a lot after 60 steps."""
    low, high = np.nanmin(values, initial=1.0), np.nanmax(values, initial=0.0)
    if signed:
        limit = nice_limit(10 * float(max(-low, high))) / 10
        return -limit, limit
    bottom = min(float(np.floor(10 * low)) / 10, 0.9)
    return bottom, max(float(np.ceil(10 * high)) / 10, bottom + 0.1)


def movie_gates_tracks(recorded: np.ndarray) -> Tracks:
    """The line at the present training step for all rows."""
    return {_LINE: np.repeat(np.asarray(recorded)[:, None], 2, axis=1)}


def movie_gates_alt(values: np.ndarray, recorded: np.ndarray, gate: str) -> str:
    """One sentence with the numbers of ``movie_gates``: the mean of the first and of the last row."""
    label = style.LABELS.get(gate, gate)
    said = [f"{np.mean(values[r]):.3g} after {recorded[r]} training steps" for r in (0, -1)]
    return f"The mean of the {label} over all time steps is {' and '.join(dict.fromkeys(said))}."


def plot_movie_gates(
    training: Training, gate: str | None = None, r: int = -1, *, dark: bool = False
) -> go.Figure:
    """A gate over the whole training, the first one unless told, marked at ``training.recorded[r]``.

    Raises ValueError for a cell without gates, or without this one.
    """
    names = list(training.recipe.experiment.cell.gates)
    chosen = gate or next(iter(names), "")
    if chosen not in names:
        raise ValueError(f"there is no gate {chosen!r}; this cell has {', '.join(names) or 'none'}")
    values = training.gates[:, names.index(chosen)]
    return style.themed(movie_gates(values, training.recorded, training.recipe.steps, r, chosen), dark)
