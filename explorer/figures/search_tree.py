"""A beam search as a tree that grows step by step: kept, pruned, and where the best got lost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.decoding_looks import plain_sequence, probability, sequence_name, token_name
from explorer.figures.style import BLUE, GREEN, GREY, MUTED, OCHRE, PURPLE, TEXT, VERMILLION, Figure
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
_MOST_EDGE_LABELS, _FEW_COLUMNS, _MOST_COLUMNS = 26, 3, 6
_ALONG, _ALONG_SHORT = 0.75, 0.58  # where on its edge a label stands; on short ones further from the node


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
    winning = _nodes(search, search.best)
    optimal = _nodes(search, best) if best is not None else []
    whole = tree_layout(search, count - 1, {*winning, *optimal})
    layout = whole if whole.first == 0 else tree_layout(search, step - 1, {*winning, *optimal})
    shown = {node: place for node, place in layout.places.items() if node[0] < step}
    last = step == count
    kept = [node for node in shown if not _is_pruned(search, node)]
    lost = [node for node in shown if _is_pruned(search, node)]
    data = [
        _edges("optimum", optimal, shown, layout, style.translucent(PURPLE, 0.35), 12),
        _edges("pruned", lost, shown, layout, GREY, 1.5),
        _edges("kept", kept, shown, layout, BLUE, style.THIN),
        _edges("winner", winning if last else [], shown, layout, VERMILLION, 6),
        *(_points(name, look, search, symbols, shown, layout) for name, look in _LOOKS.items()),
        _mark("winner", winning if last else [], shown, VERMILLION, "star", 20),
        _mark("optimum", optimal, shown, PURPLE, "circle-open", 24),
        _stubs(search, symbols, shown, layout),
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
        yaxis=style.axis("", height + 0.6, -0.9, visible=False, fixedrange=True),
        annotations=[
            _key(search, shown.keys() & layout.parents.keys(), last, bool(optimal)),
            *_left_out(search, layout, step),
            *_edge_labels(search, shown, layout),
            *_inner_labels(search, symbols, shown, layout),
        ],
        margin={"l": 8, "r": 8, "t": style.LEGEND_TOP, "b": 44},
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
    shown: dict[Node, tuple[float, float]],
    layout: TreeLayout,
    color: str,
    width: float,
) -> Figure:
    x: list[float] = []
    y: list[float] = []
    for node in nodes:
        if node in shown and node in layout.parents:
            (x0, y0), (x1, y1) = shown[layout.parents[node]], shown[node]
            x += [x0, x1, math.nan]
            y += [y0, y1, math.nan]
    edges: Figure = {"type": "scatter", "mode": "lines", "name": f"to {name}", "x": np.array(x)}
    edges |= {"y": np.array(y), "line": {"color": color, "width": width}}
    return edges | {"hoverinfo": "skip", "connectgaps": False}


def _points(
    name: str,
    look: tuple[int, str, str, int],
    search: Search,
    symbols: Sequence[str],
    shown: dict[Node, tuple[float, float]],
    layout: TreeLayout,
) -> Figure:
    """Candidates of one fate; what has no child has its label on the right."""
    fate, color, symbol, size = look
    nodes = [node for node in shown if node in layout.parents]
    nodes = [node for node in nodes if search.steps[node[0]].fates[node[1]] == fate]
    inner = _inner(shown, layout)
    said, hover = [], []
    for node in nodes:
        at, row = node
        log_prob = float(search.steps[at].log_probs[row])
        said.append("" if node in inner else "  " + _label(search, symbols, node, bold=fate != PRUNED))
        full = sequence_name(search.tokens_of(at, row), symbols, 60)
        hover.append(f"{full}<br>P = {probability(log_prob)}, log P = {log_prob:.4f}<br>{name}")
    font = {"size": style.SMALL, "color": MUTED if fate == PRUNED else TEXT}
    marker = {"size": size, "color": color, "symbol": symbol, "line": {"width": 2.5, "color": color}}
    points: Figure = {"type": "scatter", "mode": "markers+text", "name": name, "text": said}
    points |= {"textposition": "middle right", "textfont": font, "hovertext": hover, "hoverinfo": "text"}
    points |= {"marker": marker, "cliponaxis": False}
    return points | {axis: np.array([shown[node][k] for node in nodes]) for k, axis in enumerate("xy")}


def _inner(shown: dict[Node, tuple[float, float]], layout: TreeLayout) -> set[Node]:
    """Candidates with a child that is drawn now."""
    return {layout.parents[node] for node in shown if node in layout.parents} & layout.parents.keys()


def _room(layout: TreeLayout) -> float:
    """Columns for the labels of the last leaves."""
    columns = max(x for x, _ in layout.places.values()) - layout.first
    return 1.1 if columns <= _FEW_COLUMNS else 1.4 if columns <= _MOST_COLUMNS else 1.2


def _is_long(layout: TreeLayout) -> bool:
    return max(x for x, _ in layout.places.values()) - layout.first > _MOST_COLUMNS


def _label(search: Search, symbols: Sequence[str], node: Node, *, bold: bool) -> str:
    """The token and P of the whole sequence."""
    candidates = search.steps[node[0]]
    number = probability(float(candidates.log_probs[node[1]]))
    token = token_name(symbols[int(candidates.tokens[node[1]])])
    return f"{token} <b>{number}</b>" if bold else f"{token} {number}"


def _inner_labels(
    search: Search, symbols: Sequence[str], shown: dict[Node, tuple[float, float]], layout: TreeLayout
) -> list[Figure]:
    """Above what has children; of long trees the token alone."""
    found = []
    wide = not _is_long(layout)
    for node in _inner(shown, layout):
        token = token_name(symbols[int(search.steps[node[0]].tokens[node[1]])])
        said = _label(search, symbols, node, bold=True) if wide else f"<b>{token}</b>"
        place: Figure = {"yshift": 18, "color": TEXT}
        if wide:
            place |= {"bgcolor": style.BACKGROUND, "borderpad": 0}
        found.append(style.note(said, *shown[node], **place))
    return found


def _mark(
    name: str,
    nodes: Sequence[Node],
    shown: dict[Node, tuple[float, float]],
    color: str,
    symbol: str,
    size: int,
) -> Figure:
    """A mark at the last of the nodes that the search has reached."""
    there = [shown[node] for node in nodes[-1:] if node in shown]
    marker = {"size": size, "color": color, "symbol": symbol, "line": {"width": 3, "color": color}}
    mark: Figure = {"type": "scatter", "mode": "markers", "name": name, "hoverinfo": "skip", "marker": marker}
    return mark | {"x": np.array([x for x, _ in there]), "y": np.array([y for _, y in there])}


def _edge_labels(search: Search, shown: dict[Node, tuple[float, float]], layout: TreeLayout) -> list[Figure]:
    """P of the token alone, on its edge; of large trees only of what was kept."""
    nodes = [node for node in shown if node in layout.parents]
    if len(nodes) > _MOST_EDGE_LABELS:
        nodes = [node for node in nodes if not _is_pruned(search, node)]
    columns = max(x for x, _ in layout.places.values()) - layout.first
    along = _ALONG if columns <= _FEW_COLUMNS + 1 else _ALONG_SHORT
    found = []
    for node in nodes:
        (x0, y0), (x1, y1) = layout.places[layout.parents[node]], layout.places[node]
        where = x0 + along * (x1 - x0), y0 + along * (y1 - y0)
        said = f"{math.exp(_own(search, node)):.2g}"
        found.append(style.note(said, *where, bgcolor=style.BACKGROUND, borderpad=0))
    return found


def _own(search: Search, node: Node) -> float:
    """log P of the last token alone."""
    step, row = node
    candidates = search.steps[step]
    before = search.steps[step - 1].log_probs[candidates.parents[row]] if step else 0.0
    return float(candidates.log_probs[row] - before)


def _stubs(
    search: Search, symbols: Sequence[str], shown: dict[Node, tuple[float, float]], layout: TreeLayout
) -> Figure:
    """The root, or what stands before the first step that is drawn."""
    nodes = [node for node in shown if node not in layout.parents]
    said = [
        "" if at < 0 else sequence_name(search.tokens_of(at, row), symbols, 9) + "  " for at, row in nodes
    ]
    stubs: Figure = {"type": "scatter", "mode": "markers+text", "name": "prefix", "hoverinfo": "skip"}
    stubs |= {"text": said, "textposition": "middle left", "textfont": {"size": style.SMALL, "color": TEXT}}
    stubs |= {"marker": {"size": 10, "color": TEXT}, "cliponaxis": False}
    return stubs | {k: np.array([shown[node][i] for node in nodes]) for i, k in enumerate("xy")}


def _key(search: Search, drawn: set[Node], last: bool, optimal: bool) -> Figure:
    """Only what is there."""
    there = {int(search.steps[step].fates[row]) for step, row in drawn}
    entries = [(name, look[1], _GLYPHS[name]) for name, look in _LOOKS.items() if look[0] in there]
    if last:
        entries.append(("winner", VERMILLION, "solid"))
    if optimal:
        entries.append(("true optimum", PURPLE, "ring"))
    return style.key(*entries)


def _left_out(search: Search, layout: TreeLayout, step: int) -> list[Figure]:
    """How many candidates up to this step are not drawn."""
    every = sum(len(candidates) for candidates in search.steps[:step])
    missing = every - sum(node[0] < step for node in layout.parents)
    if not missing:
        return []
    said = f"{missing:,} candidates not drawn"
    return [style.note(said, 0, 1, paper=True, xanchor="left", yanchor="bottom", yshift=3)]


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
