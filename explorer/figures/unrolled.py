"""The network unrolled in time, drawn: every arrow is as wide as the gradient that comes through it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.flow_arrows import circles, heads, scale_note, shaft
from explorer.figures.flow_colors import flow_span
from explorer.figures.style import COLORS, MUTED, TEXT, Figure
from explorer.figures.unrolled_arrows import Plan, Strand, columns_of, strands_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.measures.architecture_table import ArchitectureRun

UNROLLED_TRACES = {"heads": 0, "states": 1, "inputs": 2, "loss": 3}


def unrolled(strands: Sequence[Strand], loss: np.ndarray, *, cursor: int, source: str = "input") -> Figure:
    """Nodes x_t, h_t for every layer and direction, and the loss; arrows against the direction of computing.

    An arrow along time is as wide as what arrives at its tip from the step read after it; one that leads down
    as what goes to the layer below or to x_t, and one that goes round a layer as what passes it by; one from
    the loss as what the loss puts in. A dotted arrow carries exactly 0. Some columns stand for the whole
    sequence; their steps are on the axis.

    Args:
        strands: rows from the bottom up; a layer's backward half follows its forward half.
        loss: how strongly the loss reads each step, [T+1]; 0 where it does not.
        cursor: the step whose column is marked.
        source: what the lowest layer reads.
    """
    steps = len(loss) - 1
    plan = Plan(strands, columns_of(steps, cursor, np.flatnonzero(loss)))
    sizes = [part for one in strands for part in (one.arrived, one.reached, one.sent, one.skipped)]
    span = flow_span(*(part for part in sizes if part is not None))
    arrows = plan.arrows(loss)
    labels = [source, *(strand.label for strand in strands), "loss"]
    rows = {"tickvals": list(range(len(labels))), "ticktext": labels, "ticks": "", "showgrid": False}
    columns = {"tickvals": plan.columns.tolist(), "tickmode": "array", "ticks": "", "showgrid": False}
    layout = style.layout(
        f"unrolled:{steps}:{plan.top}",
        meta={"x": "time step t", "y": "row: 0 input, then the layers, then the loss"},
        xaxis=style.time_axis(steps, range=[-0.5 * plan.pitch, steps + 0.6 * plan.pitch], **columns),
        yaxis=style.axis("", -0.5, plan.top + 0.45, **rows),
        shapes=[_column(plan, cursor), *(shaft(arrow, span) for arrow in arrows)],
        annotations=[scale_note(span)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
        hovermode="closest",
    )
    return {"data": [heads(arrows, span), *_nodes(plan, loss)], "layout": layout}


def _nodes(plan: Plan, loss: np.ndarray) -> list[Figure]:
    """States, inputs and loss as circles with their letters."""
    read, marked = plan.drawn(0), plan.columns[loss[plan.columns] != 0]
    states, said = [], []
    for row, strand in enumerate(plan.strands, 1):
        reached, steps = strand.reached, plan.drawn(row)
        states += [(plan.x(row, step), row) for step in steps]
        said += [f"{strand.label} at t = {t}: ∂L/∂h = {log.number(float(reached[t]))}" for t in steps]
    losses = [(plan.x(plan.top, step), plan.top) for step in marked]
    return [
        circles("h", states, said, TEXT),
        circles("x", [(plan.x(0, step), 0) for step in read], [f"input at t = {t}" for t in read], MUTED),
        circles("L", losses, ["the loss"] * len(losses), COLORS["loss"]),
    ]


def _column(plan: Plan, cursor: int) -> Figure:
    """The cursor's column, shaded."""
    ends = {"x0": cursor - 0.3 * plan.pitch, "x1": plan.x(len(plan.strands), cursor) + 0.3 * plan.pitch}
    looks = {"fillcolor": style.GRID, "opacity": 0.7, "line": {"width": 0}, "layer": "below"}
    return {"type": "rect", "xref": "x", "yref": "y domain", "y0": 0, "y1": 1} | looks | ends


def unrolled_alt(strands: Sequence[Strand], loss: np.ndarray, *, cursor: int) -> str:
    """One sentence with the numbers of ``unrolled`` in the cursor's column."""
    said = []
    for strand in strands:
        down = f" and sends {log.number(float(strand.sent[cursor - 1]))} down" if cursor > 0 else ""
        if cursor > 0 and strand.skipped is not None:
            down += f", {log.number(float(strand.skipped[cursor - 1]))} goes past it"
        said.append(f"{strand.label} receives {log.number(float(strand.reached[cursor]))}{down}")
    columns = columns_of(len(loss) - 1, cursor, np.flatnonzero(loss))
    return f"Drawing of {len(columns)} steps of the unrolled network; at step {cursor} {'; '.join(said)}."


def plot_unrolled(found: ArchitectureRun, *, cursor: int | None = None, dark: bool = False) -> go.Figure:
    """A run's network unrolled in time; the last step is marked unless another is told."""
    loss = found.loss_weights
    step = len(loss) - 1 if cursor is None else cursor
    return style.themed(unrolled(strands_of(found), loss, cursor=step), dark)
