"""A beam search as a tree that grows step by step: kept, pruned, and where the best got lost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.decoding_looks import (
    plain_sequence,
    probability,
    sequence_name,
)
from explorer.figures.style import BLUE, GREEN, GREY, OCHRE, PURPLE, VERMILLION, Figure
from explorer.figures.tree_labels import (
    BEND,
    FEW_COLUMNS,
    MOST_COLUMNS,
    Places,
    edge_labels,
    inner_labels,
    leaf_labels,
    placed,
    stubs,
)
from explorer.figures.tree_layout import Node, TreeLayout, tree_layout
from explorer.seq2seq.decoding.beam import CUT, FINISHED, KEPT, PRUNED, Search
from explorer.seq2seq.decoding.hypothesis import Hypothesis

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.seq2seq.decoding.step import DecodingModel

_LOOKS = {
    "pruned": (PRUNED, GREY, "x-thin-open", 9),
    "kept": (KEPT, BLUE, "circle", 13),
    "finished": (FINISHED, GREEN, "square", 13),
    "cut off": (CUT, OCHRE, "diamond", 14),
}
_GLYPHS = {"pruned": "cross", "kept": "point", "finished": "bar", "cut off": "point"}


def search_tree(
    search: Search,
    symbols: Sequence[str],
    step: int,
    best: Hypothesis | None = None,
) -> Figure:
    """Candidates up to a step: token and P of the whole sequence beside each, P of the token on its edge.

    Args:
        search: the record.
        symbols: names of the tokens.
        step: steps that are drawn, 1 … all; the winner is marked once all are.
        best: the true optimum, marked in every step; None if it is not known.

    Raises ValueError for a step that is none.
    """
    count = len(search.steps)
    if not 1 <= step <= count:
        raise ValueError(f"step = {step} is not allowed: choose from 1 to {count}")
    return _after(search, symbols, step, best, _whole(search, best))


def search_trees(search: Search, symbols: Sequence[str], best: Hypothesis | None = None) -> list[Figure]:
    """``search_tree`` after every step, for a slider."""
    whole = _whole(search, best)
    return [_after(search, symbols, step, best, whole) for step in range(1, len(search.steps) + 1)]


def _whole(search: Search, best: Hypothesis | None) -> TreeLayout:
    """The tree of all steps."""
    return tree_layout(search, len(search.steps) - 1, _important(search, best))


def _important(search: Search, best: Hypothesis | None) -> set[Node]:
    """The ways to the winner and to the optimum."""
    return {*_nodes(search, search.best), *(_nodes(search, best) if best is not None else [])}


def _after(
    search: Search, symbols: Sequence[str], step: int, best: Hypothesis | None, whole: TreeLayout
) -> Figure:
    """The tree after a step: a part of the ``whole`` one, or laid out anew where that begins later."""
    winning = _nodes(search, search.best)
    optimal = _nodes(search, best) if best is not None else []
    layout = whole if whole.first == 0 else tree_layout(search, step - 1, _important(search, best))
    shown = {node: place for node, place in layout.places.items() if node[0] < step}
    last = step == len(search.steps)
    kept = [node for node in shown if not _is_pruned(search, node)]
    lost = [node for node in shown if _is_pruned(search, node)]
    data = [
        _edges("optimum", optimal, shown, layout, style.translucent(PURPLE, 0.35), 12),
        _edges("pruned", lost, shown, layout, GREY, 1.5),
        _edges("kept", kept, shown, layout, BLUE, style.THIN),
        _edges("winner", winning if last else [], shown, layout, VERMILLION, 6),
        *(_points(name, look, search, symbols, shown, layout) for name, look in _LOOKS.items()),
        leaf_labels("pruned", lost, search, symbols, shown, layout),
        leaf_labels("kept", kept, search, symbols, shown, layout),
        edge_labels(search, shown, layout),
        _mark("winner", winning if last else [], shown, VERMILLION, "star", 20),
        _mark("optimum", optimal, shown, PURPLE, "circle-open", 24),
        stubs(search, symbols, shown, layout),
    ]
    right, height = (max(place[k] for place in layout.places.values()) for k in (0, 1))
    room = 0.9 if layout.first else 0.35
    ticks = list(range(layout.first, int(right) + 1))
    drawn_layout = style.layout(
        f"search_tree:{layout.first}:{len(layout.places)}",
        xaxis=style.axis(
            "tokens",
            layout.first - room,
            right + _room(layout),
            showgrid=False,
            tickvals=ticks,
        ),
        yaxis=style.axis("", height + 0.6, -1.3, visible=False, fixedrange=True),
        annotations=[
            _key(search, shown.keys() & layout.parents.keys(), last, bool(optimal)),
            *_left_out(search, layout, step),
            *inner_labels(search, symbols, shown, layout),
        ],
        margin={"l": 8, "r": 30, "t": style.LEGEND_TOP, "b": 44},
        hovermode="closest",
        meta={"x": "tokens", "y": "place"},
    )
    return {"data": data, "layout": drawn_layout}


def _nodes(search: Search, found: Hypothesis) -> list[Node]:
    """The nodes of a sequence, as far as the search has looked at it."""
    return list(enumerate(search.rows_of(found.tokens)))


def _is_pruned(search: Search, node: Node) -> bool:
    return node[0] >= 0 and bool(search.steps[node[0]].fates[node[1]] == PRUNED)


def _edges(
    name: str,
    nodes: Sequence[Node],
    shown: Places,
    layout: TreeLayout,
    color: str,
    width: float,
) -> Figure:
    x: list[float] = []
    y: list[float] = []
    for node in nodes:
        if node in shown and node in layout.parents:
            (x0, y0), (x1, y1) = shown[layout.parents[node]], shown[node]
            x += [x0, x0 + BEND, x1, math.nan]
            y += [y0, y1, y1, math.nan]
    edges: Figure = {"type": "scatter", "mode": "lines", "name": f"to {name}", "x": np.array(x)}
    edges |= {"y": np.array(y), "line": {"color": color, "width": width}}
    return edges | {"hoverinfo": "skip", "connectgaps": False}


def _points(
    name: str,
    look: tuple[int, str, str, int],
    search: Search,
    symbols: Sequence[str],
    shown: Places,
    layout: TreeLayout,
) -> Figure:
    """Candidates of one fate."""
    fate, color, symbol, size = look
    nodes = [node for node in shown if node in layout.parents]
    nodes = [node for node in nodes if search.steps[node[0]].fates[node[1]] == fate]
    hover = []
    for at, row in nodes:
        log_prob = float(search.steps[at].log_probs[row])
        full = sequence_name(search.tokens_of(at, row), symbols, 60)
        hover.append(f"{full}<br>P = {probability(log_prob)}, log P = {log_prob:.4f}<br>{name}")
    marker = {"size": size, "color": color, "symbol": symbol, "line": {"width": 2.5, "color": color}}
    points: Figure = {"type": "scatter", "mode": "markers", "name": name, "marker": marker}
    points |= {"hovertext": hover, "hoverinfo": "text", "cliponaxis": False}
    return points | placed(nodes, shown)


def _room(layout: TreeLayout) -> float:
    """Columns for the labels of the last leaves."""
    columns = max(x for x, _ in layout.places.values()) - layout.first
    return 1.1 if columns <= FEW_COLUMNS else 1.4 if columns <= MOST_COLUMNS else 1.2


def _mark(
    name: str,
    nodes: Sequence[Node],
    shown: Places,
    color: str,
    symbol: str,
    size: int,
) -> Figure:
    """A mark at the last of the nodes that the search has reached."""
    there = [node for node in nodes[-1:] if node in shown]
    marker = {"size": size, "color": color, "symbol": symbol, "line": {"width": 3, "color": color}}
    mark: Figure = {"type": "scatter", "mode": "markers", "name": name, "hoverinfo": "skip", "marker": marker}
    return mark | placed(there, shown)


def _key(search: Search, drawn: set[Node], last: bool, optimal: bool) -> Figure:
    """Only what is there."""
    there = {int(search.steps[step].fates[row]) for step, row in drawn}
    entries = [(name, look[1], _GLYPHS[name]) for name, look in _LOOKS.items() if look[0] in there]
    if last:
        entries.append(("winner", VERMILLION, "solid"))
    if optimal:
        entries.append(("true optimum", PURPLE, "ring"))
    return style.key(*entries) | {"x": 0, "xanchor": "left"}


def _left_out(search: Search, layout: TreeLayout, step: int) -> list[Figure]:
    """How many candidates up to this step are not drawn."""
    drawn = [node for node in layout.parents if node[0] < step]
    missing = sum(len(candidates) for candidates in search.steps[:step]) - len(drawn)
    if not missing:
        return []
    kept = sum(int((candidates.fates != PRUNED).sum()) for candidates in search.steps[:step])
    kept -= sum(not _is_pruned(search, node) for node in drawn)
    said = f"{missing:,} candidates not drawn{f', {kept:,} of them kept' if kept else ''}"
    return [style.note(said, 0, 0, paper=True, xanchor="left", yanchor="top", yshift=-24)]


def search_tree_alt(search: Search, symbols: Sequence[str], step: int, best: Hypothesis | None = None) -> str:
    """One sentence with the numbers of ``search_tree``."""
    candidates = search.steps[step - 1]
    kept = int((candidates.fates != PRUNED).sum())
    now = f"Step {step} of {len(search.steps)}: {len(candidates)} candidates, {kept} of them kept"
    if step < len(search.steps):
        return f"{now}."
    won = search.best
    said = (
        f"{now}; the winner is “{plain_sequence(won.tokens, symbols, 60)}” with {probability(won.log_prob)}"
    )
    if best is None or best.tokens == won.tokens:
        return f"{said}{'' if best is None else ', which is the true optimum'}."
    return (
        f"{said}, the optimum “{plain_sequence(best.tokens, symbols, 60)}” has {probability(best.log_prob)}."
    )


def plot_search_tree(
    model: DecodingModel, *, width: int = 2, max_length: int = 8, step: int | None = None, dark: bool = False
) -> go.Figure:
    """The tree of a beam search, up to a step or as a whole, with the optimum where it can be found."""
    from explorer.seq2seq.decoding import TooManySequences, beam_search, optimum

    search = beam_search(model.step, width=width, end=model.end, max_length=max_length)
    try:
        best = optimum(model.step, end=model.end, max_length=max_length)
    except TooManySequences:
        best = None
    figure = search_tree(search, model.symbols, len(search.steps) if step is None else step, best)
    return style.themed(figure, dark)
