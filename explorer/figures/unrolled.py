"""The network unrolled in time, drawn: every arrow is as wide as the gradient that comes through it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.flow_colors import Span, flow_color, flow_span, flow_width
from explorer.figures.style import BACKGROUND, COLORS, MUTED, TEXT, Figure
from explorer.figures.unrolled_arrows import Arrow, Plan, Strand, columns_of, strands_of

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
        shapes=[_column(plan, cursor), *(_shaft(arrow, span) for arrow in arrows)],
        annotations=[_scale_note(span)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
        hovermode="closest",
    )
    return {"data": [_heads(arrows, span), *_nodes(plan, loss)], "layout": layout}


def _shaft(arrow: Arrow, span: Span) -> Figure:
    """The line; thin and dotted where nothing or no number comes through."""
    line = {"width": flow_width(arrow.decades, span), "color": flow_color(arrow.decades, span)}
    if not np.isfinite(arrow.decades):
        line = {"width": 1.5, "color": _odd_color(arrow.decades), "dash": "dot"}
    shape: Figure = {"line": line, "layer": "below"}
    if arrow.bend:
        return shape | {"type": "path", "path": "M" + "L".join(f"{x:.6g},{y:.6g}" for x, y in arrow.corners)}
    (x0, y0), (x1, y1) = arrow.corners
    return shape | {"type": "line", "x0": x0, "y0": y0, "x1": x1, "y1": y1}


def _heads(arrows: Sequence[Arrow], span: Span) -> Figure:
    """The tips, which also carry the numbers for hovering."""
    symbols, colors, sizes, texts = [], [], [], []
    for arrow in arrows:
        level, known = arrow.start[1] == arrow.end[1], bool(np.isfinite(arrow.decades))
        across = "triangle-right" if arrow.end[0] > arrow.start[0] else "triangle-left"
        symbols.append(across if level else "triangle-down")
        colors.append(flow_color(arrow.decades, span) if known else _odd_color(arrow.decades))
        sizes.append(8 + flow_width(arrow.decades, span) if known else 8)
        texts.append(f"{arrow.what}: {log.number(arrow.decades)}")
    marker = {"symbol": symbols, "size": sizes, "color": colors, "opacity": 1, "line": {"width": 0}}
    ends: Figure = {"x": np.array([a.tip[0] for a in arrows]), "y": np.array([a.tip[1] for a in arrows])}
    looks = {"marker": marker, "hovertext": texts, "hoverinfo": "text", "cliponaxis": False}
    return {"type": "scatter", "mode": "markers"} | ends | looks


def _odd_color(decades: float) -> str:
    """Of an exact 0, and of what is no number."""
    return COLORS["zero" if decades == -np.inf else "not_finite"]


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
        _circles("h", states, said, TEXT),
        _circles("x", [(plan.x(0, step), 0) for step in read], [f"input at t = {t}" for t in read], MUTED),
        _circles("L", losses, ["the loss"] * len(losses), COLORS["loss"]),
    ]


def _circles(letter: str, places: Sequence[tuple[float, float]], said: list[str], color: str) -> Figure:
    x, y = np.array(places, dtype=float).reshape(-1, 2).T
    ring = {"width": 2, "color": color}
    marker = {"symbol": "circle", "size": 20, "color": BACKGROUND, "opacity": 1, "line": ring}
    font = {"size": style.SMALL, "color": color}
    text = {"text": letter, "textposition": "middle center", "textfont": font}
    hover = {"hovertext": said, "hoverinfo": "text", "cliponaxis": False}
    return {"type": "scatter", "mode": "markers+text", "x": x, "y": y, "marker": marker} | text | hover


def _column(plan: Plan, cursor: int) -> Figure:
    """The cursor's column, shaded."""
    ends = {"x0": cursor - 0.3 * plan.pitch, "x1": plan.x(len(plan.strands), cursor) + 0.3 * plan.pitch}
    looks = {"fillcolor": style.GRID, "opacity": 0.7, "line": {"width": 0}, "layer": "below"}
    return {"type": "rect", "xref": "x", "yref": "y domain", "y0": 0, "y1": 1} | looks | ends


def _scale_note(span: Span) -> Figure:
    """What the thinnest and the widest arrow stand for."""
    text = f"thin {log.power(int(span[0]))} … wide {log.power(int(span[1]))} · dotted: exactly 0"
    place: Figure = {"xanchor": "right", "yanchor": "bottom", "yshift": 3}
    return style.note(text, 1, 1, paper=True, **place)


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
