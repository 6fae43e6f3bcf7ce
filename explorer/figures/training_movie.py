"""The gradient while a network is trained: time step × training step, beside the learning curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.flow_colors import flow_heat, flow_span
from explorer.figures.race import log_axis, running_mean
from explorer.figures.style import BLUE, GREY, MUTED, OCHRE, TEXT, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.training.training import Training

MAP_SHARE = 0.64  # of the width: the heat map; the learning curve stands on the right
_STRIP = (0.83, 1.0)
_LINE, _LINE_BESIDE, _POINT = 0, 1, 2  # the traces that move
Tracks = dict[int, np.ndarray | tuple[np.ndarray, np.ndarray]]
"""Trace → what it shows at each recorded step: y [R, points], or (x, y) where x moves as well."""


@dataclass(frozen=True)
class Film:
    """What was recorded of one training run.

    Attributes:
        recorded: training steps at which it was, rising, [R].
        decades: log10 ‖∂L/∂h_t‖ [R, T+1]; −inf is an exact zero, NaN no number.
        score: score of every training step so far, [step].
        steps: training steps of the whole run, of one that diverged those done.
        measure: what the score is: ``accuracy`` lies between 0 and 1, all else is drawn on a log axis.
        chance: the score without memory.
        share: draw the gradient beside the largest one of the same training step.
    """

    recorded: np.ndarray
    decades: np.ndarray
    score: np.ndarray
    steps: int
    measure: str
    chance: float
    share: bool = False

    @classmethod
    def of(cls, training: Training, share: bool = False) -> Film:
        """What a run has recorded so far."""
        recipe = training.recipe
        chance = recipe.task.baseline(recipe.experiment.num_steps).score
        steps = max(1, training.step) if training.diverged else recipe.steps
        shown = (training.score.copy(), steps, recipe.task.measure, chance, share)
        return cls(training.recorded, training.decades, *shown)

    @property
    def shown(self) -> np.ndarray:
        """The numbers that are drawn, in decades, [R, T+1]."""
        values = np.asarray(self.decades, float)
        if not self.share:
            return values
        largest = np.where(np.isfinite(values), values, -np.inf).max(axis=1, keepdims=True)
        return np.where(np.isfinite(largest), values - np.where(np.isfinite(largest), largest, 0), values)

    @property
    def quantity(self) -> str:
        """What the numbers are called."""
        return "share of the largest" if self.share else "size of gradient"

    @property
    def levels(self) -> np.ndarray:
        """The learning curve as it is drawn, [step]: mean of the last scores, in decades unless accuracy."""
        return self.placed(running_mean(self.score))

    def placed(self, scores: np.ndarray) -> np.ndarray:
        """Scores as they stand on the axis; NaN where they have no place on it."""
        if self.measure == "accuracy":
            return np.asarray(scores, float)
        with np.errstate(divide="ignore", invalid="ignore"):
            return log.finite(np.log10(scores))


def training_movie(film: Film, at: int) -> Figure:
    """Heat map of the gradient's size, time step × training step, and the learning curve beside it.

    ``at`` is the row whose training step is marked; ``training_movie_tracks`` has the marks for all rows.
    Exact zeros and what is no number have colours of their own, which are named.
    """
    z, last = film.shown, film.decades.shape[1] - 1
    x = np.arange(last + 1)
    hover = f"t = %{{x}}, training step %{{y}}<br>{film.quantity} = "
    heat = flow_heat(z, flow_span(z)) | {"x": x, "name": film.quantity} | map_rows(film.recorded, film.steps)
    heat |= {"hovertemplate": f"{hover}10<sup>%{{z:.2f}}</sup><extra></extra>"}
    heat["colorbar"] |= {"x": MAP_SHARE, "xanchor": "left"}
    linear = film.measure == "accuracy"
    low, high = _score_ends(film)
    side: Figure = {"type": "scatter", "mode": "lines", "xaxis": "x2", "y": np.arange(1, len(film.score) + 1)}
    number = "%{x:.0%}" if linear else "10<sup>%{x:.2f}</sup>"
    said = {"hovertemplate": f"training step %{{y}}: {film.measure} {number}<extra></extra>"}
    thin = {"width": 1, "color": style.translucent(BLUE, 0.25)}
    marker = {"size": 12, "color": BLUE, "line": {"width": 2, "color": TEXT}}
    px, py = _points(film)
    data = [
        present_line(-0.5, last + 0.5, film.recorded[at]),
        present_line(low, high, film.recorded[at]) | {"xaxis": "x2"},
        {"type": "scatter", "mode": "markers", "xaxis": "x2", "x": px[at], "y": py[at], "marker": marker}
        | {"zorder": 3, "cliponaxis": False, **said},
        heat,
        *_marked(z, {"x": x} | map_rows(film.recorded, film.steps), hover),
        side | {"x": film.placed(film.score), "line": thin, "hoverinfo": "skip"},
        side | {"x": film.levels, "line": {"width": style.WIDTH, "color": BLUE}, "name": film.measure} | said,
    ]
    level = float(film.placed(np.array([film.chance]))[0])
    chance = {"type": "line", "xref": "x2", "yref": "y domain", "x0": level, "x1": level, "y0": 0, "y1": 1}
    beside = {"domain": list(_STRIP), "anchor": "y"}
    layout = style.layout(
        f"training_movie:{film.steps}:{last}:{film.measure}",
        meta={"x": "time step t", "y": "training step", "z": f"log10 of the {film.quantity}"},
        xaxis=style.time_axis(last, showgrid=False, domain=[0, MAP_SHARE]),
        xaxis2=_score_axis(film.measure, low, high) | beside,
        yaxis=training_axis(film.recorded, film.steps),
        shapes=[chance | {"line": {"width": style.THIN, "color": MUTED, "dash": "dot"}, "layer": "below"}],
        annotations=[
            *blanks(z),
            style.note("chance", level, 1, yanchor="bottom", xref="x2", yref="paper"),
        ],
        margin=style.MARGIN | {"t": style.LEGEND_TOP, "r": 24},
    )
    return {"data": data, "layout": layout}


def training_movie_tracks(film: Film) -> Tracks:
    """The line at the present training step and the point on the learning curve, for all rows."""
    rows = np.repeat(film.recorded[:, None], 2, axis=1)
    return {_LINE: rows, _LINE_BESIDE: rows, _POINT: _points(film)}


def training_movie_alt(film: Film) -> str:
    """One sentence with the numbers of ``training_movie``: the first and the last row."""
    z = film.shown
    rows = [
        f"{log.number(float(z[r][1]))} at time step 1 and {log.number(float(z[r][-1]))} at the last one "
        f"after {film.recorded[r]} training steps"
        for r in ((0, -1) if len(z) > 1 else (0,))
    ]
    return f"{film.quantity.capitalize()}: {'; '.join(rows)}."


def plot_training_movie(
    training: Training, r: int = -1, *, share: bool = False, dark: bool = False
) -> go.Figure:
    """The gradient over the whole training, marked at ``training.recorded[r]``."""
    return style.themed(training_movie(Film.of(training, share), r), dark)


# ---- parts that the map of gates has as well ----


def present_line(x0: float, x1: float, step: float) -> Figure:
    """A line across a map at one training step."""
    line = {"width": style.THIN, "color": TEXT}
    place = {"x": np.array([x0, x1]), "y": np.array([step, step], float)}
    return {"type": "scatter", "mode": "lines", "line": line, "hoverinfo": "skip", "zorder": 2} | place


def map_rows(recorded: np.ndarray, steps: int) -> Figure:
    """Where the rows of a map stand; a row that is alone has the height of many training steps."""
    return {"y": recorded} if len(recorded) > 1 else {"y0": recorded[0], "dy": 2 * _room(recorded, steps)}


def _room(recorded: np.ndarray, steps: int) -> float:
    """Half the height of the first row."""
    return max(0.5, float(recorded[1] - recorded[0]) / 2 if len(recorded) > 1 else steps / 40)


def training_axis(recorded: np.ndarray, steps: int) -> Figure:
    """Training steps up the page, from the first to the last of the whole run."""
    room = _room(recorded, steps)
    return style.axis("training step", -room, steps + room, showgrid=False, **style.whole_ticks(steps))


def blanks(z: np.ndarray) -> list[Figure]:
    """What the cells in colours of their own are, above the map."""
    said = [f'<span style="color:{color}">■ {text}</span>' for mask, text, color in _kinds(z)]
    place: Figure = {"paper": True, "xanchor": "left", "yanchor": "bottom", "yshift": 3}
    return [style.note("  ".join(said), 0, 1, color=TEXT, **place)] if said else []


def _kinds(z: np.ndarray) -> list[tuple[np.ndarray, str, str]]:
    """(where, name, colour) of what has no place among the colours, as far as it occurs."""
    wrong = np.isnan(z) | np.isposinf(z)
    every = ((np.isneginf(z), "exactly 0", OCHRE), (wrong, "not a finite number", GREY))
    return [kind for kind in every if kind[0].any()]


def _marked(z: np.ndarray, place: Figure, hover: str) -> list[Figure]:
    """Cells whose number has no place among the colours."""
    one: Figure = place | {"type": "heatmap", "zmin": 0, "zmax": 1, "showscale": False}
    return [
        one
        | {"z": np.where(mask, 1, np.nan).astype(np.float32), "colorscale": [[0, color], [1, color]]}
        | {"name": text, "hovertemplate": f"{hover}{text}<extra></extra>"}
        for mask, text, color in _kinds(z)
    ]


# ---- the learning curve ----


def _points(film: Film) -> tuple[np.ndarray, np.ndarray]:
    """(x, y) of the point on the learning curve at every recorded step, [R, 1] each."""
    levels = film.levels
    at = np.clip(film.recorded - 1, 0, max(len(levels) - 1, 0))
    x = levels[at] if len(levels) else np.full(len(at), np.nan)
    return x[:, None], film.recorded[:, None].astype(float)


def _score_ends(film: Film) -> tuple[float, float]:
    """Ends of the score's axis."""
    if film.measure == "accuracy":
        return -0.05, 1.05
    known = np.append(film.levels, film.placed(np.array([film.chance])))
    known = known[np.isfinite(known)]
    return (float(known.min()) - 0.2, float(known.max()) + 0.2) if known.size else (-1.0, 1.0)


def _score_axis(measure: str, low: float, high: float) -> Figure:
    whole: Figure = {"ticklabeloverflow": "allow", "tickangle": 0}
    if measure == "accuracy":
        return style.axis("accuracy", low, high, tickvals=[0, 1], ticktext=["0", "100%"], **whole)
    axis = log_axis("error", low, high)
    every = max(1, len(axis["tickvals"]) - 1)  # there is room for two
    return axis | {name: axis[name][::every] for name in ("tickvals", "ticktext")} | whole
