"""Where the candidates of a beam search stand in its tree, and which of them are drawn at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.seq2seq.decoding.beam import PRUNED, Search

MOST_ROWS, MOST_STEPS = 16, 10
_KEPT_ROWS = 12  # where not all that was kept fits, so that some of what was pruned has room, too
_MOST_TRIED = 30  # kept and pruned candidates that are tried for a place
_LABEL = 0.8  # of the distance between two leaves

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
    """Places for candidates of the ten steps up to step ``last``, about 16 rows high.

    What is ``important`` comes first, then what was kept, the likeliest of each step before the second
    likeliest of any, and then in the same order what was pruned.
    """
    first = max(0, last - MOST_STEPS + 1)
    steps = range(first, last + 1)
    drawn = {node for node in important if node[0] in steps}
    kept = _ranked(search, steps, pruned=False)
    if _rows(search, drawn | set(kept)) <= MOST_ROWS:
        drawn |= set(kept)
    else:
        _add(search, first, drawn, kept, _KEPT_ROWS)
    _add(search, first, drawn, _ranked(search, steps, pruned=True), MOST_ROWS)
    parents = {node: _parent(search, node) for node in sorted(drawn)}
    every = sum(len(search.steps[step]) for step in range(last + 1))
    return TreeLayout(first, _places(parents), parents, every - len(drawn))


def _add(search: Search, first: int, drawn: set[Node], more: Sequence[Node], most_rows: float) -> None:
    """Further candidates, each with all that it extends, if there is room for them; in place."""
    for node in more:
        way = {node}
        while (parent := _parent(search, min(way)))[0] >= first:
            way.add(parent)
        if _rows(search, drawn | way) <= most_rows:
            drawn |= way


def _ranked(search: Search, steps: range, *, pruned: bool) -> list[Node]:
    """The first kept or pruned candidates: the likeliest of each step before the second likeliest of any."""
    found: list[tuple[int, int, int]] = []
    for step in steps:
        candidates = search.steps[step]
        rows = ((candidates.fates == PRUNED) == pruned).nonzero()[0]
        order = np.argsort(-candidates.log_probs[rows], kind="stable")[:_MOST_TRIED]
        found += [(place, step, int(row)) for place, row in enumerate(rows[order])]
    return [(step, row) for _, step, row in sorted(found)[:_MOST_TRIED]]


def _parent(search: Search, node: Node) -> Node:
    step, row = node
    return (step - 1, int(search.steps[step].parents[row]) if step else 0)


def _rows(search: Search, nodes: set[Node]) -> float:
    """Height of a tree of these candidates."""
    places = _places({node: _parent(search, node) for node in nodes})
    return max((row for _, row in places.values()), default=0.0)


def _places(parents: dict[Node, Node]) -> dict[Node, tuple[float, float]]:
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
