"""Names in the looks of their curves, for several figures at once."""

from __future__ import annotations

import html
from collections.abc import Sequence

from explorer.figures.style import LOOKS

_DASHES = {
    "solid": "━━",
    "dash": "╍╍",
    "dashdot": "━·━",
    "longdash": "━ ━",
    "dot": "┅┅",
    "longdashdot": "━ ·",
}
_SYMBOLS = {"circle": "●", "square": "■", "diamond": "◆", "triangle-up": "▲", "cross": "✚", "x": "✖"}


def legend(entries: Sequence[tuple[str, str]]) -> str:
    """HTML of (name, what is said of it), in the order of the curves."""
    parts = [
        f'<span style="color:{color};white-space:nowrap;font-size:1.05rem">'
        f"<b>{_DASHES[dash]}{_SYMBOLS[symbol]} {html.escape(name)}</b> {html.escape(said)}</span>"
        for (color, dash, symbol), (name, said) in zip(LOOKS, entries, strict=False)
    ]
    return f'<div style="display:flex;flex-wrap:wrap;gap:0 1.2em">{"".join(parts)}</div>'
