"""Where the candidates of a beam search stand in its tree, and which of them are drawn at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from explorer.seq2seq.decoding.beam import PRUNED, Search

MOST_NODES, MOST_LEAVES, MOST_STEPS = 40, 20, 10
_CONDENSED_LEAVES = 14  # where not all candidates fit anyway, those that are drawn get more room

_LABEL = 0.7  # of the distance between two leaves

Node = tuple[int, int]
"""(step from 0, row) of a candidate; step −1 is the root."""


@dataclass(frozen=True)
class TreeLayout:
    """A part of the tree.

    Attributes:
        first: the step from which on it is drawn; the nodes of the step before are drawn as stubs.
        places: node → (x, y); x counts tokens, y leaves from the top.
        parents: node → the node it extends.
        left_out: how many candidates up to the last step have no place.
    """

    first: int
    places: dict[Node, tuple[float, float]]
    parents: dict[Node, Node]
    left_out: int


def tree_layout(search: Search, last: int, important: Collection[Node]) -> TreeLayout:
    """Places for at most 40 candidates up to step ``last``, in at most 10 columns, with at most 20 leaves.

    What was kept and what is ``important`` comes first, then the likeliest of the pruned ones. If what was
    kept is too much by itself, the tree begins at a later step.
    """
    kept = {
        (step, int(row))
        for step in range(last + 1)
        for row in (search.steps[step].fates != PRUNED).nonzero()[0]
    } | {node for node in important if node[0] <= last}
    first = 0
    while first < last and (
        last - first >= MOST_STEPS or not _fits(search, {node for node in kept if node[0] >= first})
    ):
        first += 1
    drawn = {node for node in kept if node[0] >= first}
    pruned = [node for node in _pruned(search, first, last) if node not in drawn]
    whole = drawn | set(pruned)
    drawn = whole if _fits(search, whole) else _with_likeliest(search, drawn, pruned)
    parents = {node: _parent(search, node) for node in drawn}
    every = sum(len(search.steps[step]) for step in range(last + 1))
    return TreeLayout(first, _places(search, parents), parents, every - len(drawn))


def _parent(search: Search, node: Node) -> Node:
    step, row = node
    return (step - 1, int(search.steps[step].parents[row]) if step else 0)


def _fits(search: Search, nodes: set[Node], most_leaves: int = MOST_LEAVES) -> bool:
    inner = {_parent(search, node) for node in nodes}
    return len(nodes) <= MOST_NODES and len(nodes - inner) <= most_leaves


def _with_likeliest(search: Search, drawn: set[Node], pruned: list[Node]) -> set[Node]:
    """As many of the pruned candidates, in their order, as leave room."""
    found = set(drawn)
    for node in pruned:
        if not _fits(search, found | {node}, _CONDENSED_LEAVES):
            break
        found.add(node)
    return found


def _pruned(search: Search, first: int, last: int) -> list[Node]:
    """Pruned candidates, the likeliest of each step before the second likeliest of any."""
    found = []
    for step in range(first, last + 1):
        candidates = search.steps[step]
        rows = [int(row) for row in (candidates.fates == PRUNED).nonzero()[0]]
        ranked = sorted(rows, key=lambda row: (-candidates.log_probs[row], row))
        found += [(place, step, row) for place, row in enumerate(ranked)]
    return [(step, row) for _, step, row in sorted(found)]


def _places(search: Search, parents: dict[Node, Node]) -> dict[Node, tuple[float, float]]:
    """Leaves one below the other in the order of their tokens, parents in the middle of their children.

    Above what has children there is room for its label.
    """
    children: dict[Node, list[Node]] = defaultdict(list)
    for node, parent in sorted(parents.items()):
        children[parent].append(node)
    places: dict[Node, tuple[float, float]] = {}
    below, has_room = 0.0, True

    def place(node: Node) -> float:
        nonlocal below, has_room
        if node in children and not has_room:
            below, has_room = below + _LABEL, True
        heights = [place(child) for child in children.get(node, [])]
        if heights:
            height = (heights[0] + heights[-1]) / 2
        else:
            height, below, has_room = below, below + 1, False
        places[node] = (node[0] + 1.0, height)
        return height

    for root in sorted(node for node in children if node not in parents):
        place(root)
    return places
