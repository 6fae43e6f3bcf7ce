"""What is written in the tree of a beam search: at leaves, above nodes and edges, before roots."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.figures import style
from explorer.figures.decoding_looks import probability, sequence_name, short_probability, token_name
from explorer.figures.style import MUTED, TEXT, Figure
from explorer.figures.tree_layout import Node, TreeLayout
from explorer.seq2seq.decoding.beam import Search

Places = dict[Node, tuple[float, float]]
FEW_COLUMNS, MOST_COLUMNS = 3, 6
BEND = 0.4  # of a column: where an edge has come to its node's row
_ALONG, _ABOVE = 0.66, 0.13  # of a column, and of a row above it: where the edge's label stands
_GAP = "     "  # between a marker and its label


def leaf_labels(
    name: str,
    nodes: Sequence[Node],
    search: Search,
    symbols: Sequence[str],
    shown: Places,
    layout: TreeLayout,
) -> Figure:
    """Beside candidates that have no child."""
    inner, bold = _with_children(shown, layout), name == "kept"
    ends = [node for node in nodes if node in layout.parents and node not in inner]
    said = [_GAP + _label(search, symbols, node, bold=bold) for node in ends]
    labels: Figure = {"type": "scatter", "mode": "text", "name": f"{name} labels", "hoverinfo": "skip"}
    font = {"size": style.SMALL, "color": TEXT if bold else MUTED}
    labels |= {"text": said, "textposition": "middle right", "textfont": font, "cliponaxis": False}
    return labels | placed(ends, shown)


def inner_labels(search: Search, symbols: Sequence[str], shown: Places, layout: TreeLayout) -> list[Figure]:
    """Above what has children; of long trees the token alone."""
    found = []
    wide = not _is_long(layout)
    for node in _with_children(shown, layout):
        token = token_name(symbols[int(search.steps[node[0]].tokens[node[1]])])
        said = _label(search, symbols, node, bold=True) if wide else f"<b>{token}</b>"
        place: Figure = {"yshift": 16, "color": TEXT}
        if wide:
            place |= {"bgcolor": style.BACKGROUND, "borderpad": 0}
        found.append(style.note(said, *shown[node], **place))
    return found


def edge_labels(search: Search, shown: Places, layout: TreeLayout) -> Figure:
    """P of the token alone, above its edge."""
    nodes = [node for node in shown if node in layout.parents]
    labels: Figure = {"type": "scatter", "mode": "text", "name": "edge labels", "hoverinfo": "skip"}
    labels |= {"text": [short_probability(_own(search, node)) for node in nodes]}
    labels |= {"textposition": "top center", "textfont": {"size": style.SMALL, "color": MUTED}}
    labels |= {"x": np.array([shown[layout.parents[node]][0] + _ALONG for node in nodes])}
    return labels | {"y": np.array([shown[node][1] - _ABOVE for node in nodes]), "cliponaxis": False}


def stubs(search: Search, symbols: Sequence[str], shown: Places, layout: TreeLayout) -> Figure:
    """The root, or what stands before the first step that is drawn."""
    nodes = [node for node in shown if node not in layout.parents]
    said = [sequence_name(search.tokens_of(*node), symbols, 7) + "  " for node in nodes]
    found: Figure = {"type": "scatter", "mode": "markers+text", "name": "prefix", "hoverinfo": "skip"}
    found |= {"text": said, "textposition": "middle left", "textfont": {"size": style.SMALL, "color": TEXT}}
    found |= {"marker": {"size": 10, "color": TEXT}, "cliponaxis": False}
    return found | placed(nodes, shown)


def placed(nodes: Sequence[Node], shown: Places) -> Figure:
    """Where some nodes stand."""
    return {axis: np.array([shown[node][k] for node in nodes]) for k, axis in enumerate("xy")}


def _with_children(shown: Places, layout: TreeLayout) -> set[Node]:
    """Candidates with a child that is drawn now."""
    return {layout.parents[node] for node in shown if node in layout.parents} & layout.parents.keys()


def _is_long(layout: TreeLayout) -> bool:
    return max(x for x, _ in layout.places.values()) - layout.first > MOST_COLUMNS


def _label(search: Search, symbols: Sequence[str], node: Node, *, bold: bool) -> str:
    """The token and P of the whole sequence."""
    candidates = search.steps[node[0]]
    number = probability(float(candidates.log_probs[node[1]]))
    token = token_name(symbols[int(candidates.tokens[node[1]])])
    return f"{token} <b>{number}</b>" if bold else f"{token} {number}"


def _own(search: Search, node: Node) -> float:
    """log P of the last token alone."""
    step, row = node
    candidates = search.steps[step]
    before = search.steps[step - 1].log_probs[candidates.parents[row]] if step else 0.0
    return float(candidates.log_probs[row] - before)
