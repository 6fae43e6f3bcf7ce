"""How curves of the kinds of layer stacks look: one colour and one marker for each kind in all figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from explorer.ensembles.layers import KINDS
from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.style import TEXT, Figure

THEORY = "━ ━ theory"
"""Entry of a key for the dashed lines of ``theory_curve``."""

_MARKERS = 6  # along each curve
_GLYPHS = {"circle": "●", "square": "■", "diamond": "◆", "triangle-up": "▲", "cross": "✚"}
_PER_ROW = 3  # names in a row of the key


def check_kinds(curves: Mapping[str, object]) -> None:
    """Raise ValueError for no kind or an unknown one."""
    unknown = [kind for kind in curves if kind not in KINDS]
    if unknown or not curves:
        found = f"{unknown[0]!r} is not a kind" if unknown else "there is no kind to draw"
        raise ValueError(f"{found}; allowed are {', '.join(KINDS)}")


def kind_look(kind: str) -> tuple[str, str]:
    """(colour, marker) of a kind."""
    color, _, symbol = style.LOOKS[list(KINDS).index(kind)]
    return color, symbol


def kind_curve(
    kind: str, x: np.ndarray, y: np.ndarray, *, marked: np.ndarray | None = None, **parts: object
) -> list[Figure]:
    """A thick line in the kind's colour, and its markers at a few points (or at ``marked``, indices).

    Markers are a trace of their own: Plotly draws an element for every point of a trace that has any, were it
    of size 0, which takes as long as all the rest. ``parts`` belong to the line.
    """
    color, symbol = kind_look(kind)
    if marked is None:
        stride = max(1, len(x) // _MARKERS)
        marked = np.arange(list(KINDS).index(kind) * stride // len(KINDS), len(x), stride)
    alone = [a for a, b in log.stretches(np.isfinite(y)) if a == b]
    marked = np.union1d(marked, alone).astype(int)
    marked = marked[np.isfinite(y[marked])]
    shared = {"type": "scatter", "x": x, "y": y}
    line = shared | {
        "mode": "lines",
        "line": {"width": style.WIDTH, "color": color},
        "name": KINDS[kind].label,
    }
    marks = shared | {"mode": "markers", "x": x[marked], "y": y[marked], "hoverinfo": "skip"}
    marks |= {"marker": {"size": 10, "symbol": symbol, "color": color, "opacity": 1, "line": {"width": 0}}}
    return [line | parts, marks | {"name": f"markers, {KINDS[kind].label}"}]


def theory_curve(kind: str, x: np.ndarray, y: np.ndarray) -> Figure:
    """A dashed line above all others."""
    line = {"width": style.THIN, "color": TEXT, "dash": "dash"}
    shown = {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": line}
    return shown | {"name": f"theory, {KINDS[kind].label}", "zorder": 9}


def kind_entry(kind: str, more: str = "") -> str:
    """The kind's marker and name in its colour, for ``kind_key``."""
    color, symbol = kind_look(kind)
    return f'<span style="color:{color}">{_GLYPHS[symbol]} {KINDS[kind].label}{more}</span>'


def kind_key(entries: Sequence[str]) -> Figure:
    """A legend of as many rows as needed, above the plot; leave ``key_margin``."""
    rows = [entries[at : at + _PER_ROW] for at in range(0, len(entries), _PER_ROW)]
    place: Figure = {"xanchor": "right", "yanchor": "bottom", "yshift": 3, "align": "right", "color": TEXT}
    return style.note("<br>".join("  ".join(row) for row in rows), 1, 1, paper=True, **place)


def key_margin(entries: int) -> Figure:
    """The margins of a figure with a key of so many entries."""
    return style.MARGIN | {"t": 12 + 19 * -(-entries // _PER_ROW)}
