"""How many questions memory networks with one, two and three hops answer while they learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.style import LOOKS, MUTED, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.seq2seq.memory import MemoryLearning

_NAMES = 64  # pixels at the right for the names of dotted lines
_APART = 0.12  # at least between two names


@dataclass(frozen=True)
class Answered:
    """One network: its name, its recorded steps [R] and the share of right answers at each, [R]."""

    label: str
    steps: np.ndarray
    accuracy: np.ndarray


def memory_accuracy(
    networks: Sequence[Answered], steps: int, *, chance: float, newest: float, marked: int | None = None
) -> Figure:
    """Share of right answers over the training steps.

    Args:
        networks: in the order of their looks.
        steps: training steps of the whole run.
        chance: share that guessing gets, a dotted line.
        newest: share that always the newest place gets, a dotted line.
        marked: a training step with a line across.
    """
    data = []
    for (color, dash, symbol), one in zip(LOOKS, networks, strict=False):
        marker = {"symbol": symbol, "size": 8, "color": color}
        data.append(
            {"type": "scatter", "mode": "lines+markers", "name": one.label, "x": one.steps, "y": one.accuracy}
            | {"line": {"width": style.WIDTH, "color": color, "dash": dash}, "marker": marker}
            | {"cliponaxis": False, "hovertemplate": f"{one.label}<br>step %{{x}}: %{{y:.1%}}<extra></extra>"}
        )
    dotted = {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "layer": "below"}
    dotted |= {"line": {"width": style.THIN, "color": MUTED, "dash": "dot"}}
    shapes = [dotted | {"y0": level, "y1": level} for level in (chance, newest)]
    if marked is not None:
        across = {"type": "line", "yref": "y domain", "x0": marked, "x1": marked, "y0": 0, "y1": 1}
        shapes.append(across | {"line": {"width": style.THIN, "color": MUTED}, "layer": "below"})
    beside: Figure = {"xref": "x domain", "xanchor": "left", "xshift": 4, "align": "left"}
    place = newest if abs(newest - chance) > _APART else chance + _APART
    layout = style.layout(
        f"memory_accuracy:{steps}",
        meta={"x": "training step", "y": "share of right answers"},
        xaxis=style.axis("training step", 0, steps, nticks=6),
        yaxis=style.axis("right answers", -0.03, 1.06, tickformat=".0%", dtick=0.25),
        shapes=shapes,
        annotations=[
            style.key(*((one.label, *look[:2]) for look, one in zip(LOOKS, networks, strict=False))),
            style.note("chance", 1, chance, **beside),
            style.note("newest<br>place", 1, place, **beside),
        ],
        margin=style.MARGIN | {"r": _NAMES, "t": style.LEGEND_TOP},
    )
    return {"data": data, "layout": layout}


def memory_accuracy_alt(networks: Sequence[Answered], *, chance: float, newest: float) -> str:
    """One sentence with the newest number of every network, and what needs no network."""
    said = [f"{one.label} {one.accuracy[-1]:.1%} at step {one.steps[-1]}" for one in networks]
    return (
        f"Right answers: {', '.join(said)}; chance is {chance:.0%}, and always the newest place {newest:.1%}."
    )


def plot_memory_accuracy(learnings: Sequence[MemoryLearning], *, dark: bool = False) -> go.Figure:
    """Several runs on the same stories, by their number of hops."""
    from explorer.seq2seq.memory import PLACES, fixed_questions, newest_place

    stories = fixed_questions(learnings[0].settings)
    found = [
        Answered(
            f"{one.settings.hops} hop{'s' if one.settings.hops > 1 else ''}",
            np.array([moment.step for moment in one.moments]),
            np.array([moment.accuracy for moment in one.moments]),
        )
        for one in learnings
    ]
    newest = float((newest_place(stories) == stories.answer).mean())
    steps = max(one.settings.steps for one in learnings)
    return style.themed(memory_accuracy(found, steps, chance=1 / len(PLACES), newest=newest), dark)
