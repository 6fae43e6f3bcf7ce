"""Two sentences with their common n-grams coloured, as HTML."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from explorer.figures.bleu_parts import ORDER_COLORS
from explorer.figures.style import VERMILLION, translucent
from explorer.seq2seq.bleu import BleuParts, Matches

_STYLE = """<style>
.matched { font-size: 1.05rem; line-height: 2.0; }
.matched .who { display: inline-block; min-width: 6.2rem; opacity: 0.75; font-size: 0.95rem; }
.matched .w { padding: 1px 5px; margin: 0 1px; border-radius: 3px; white-space: nowrap; }
.matched .none { opacity: 0.65; text-decoration: line-through; }
.matched .ref.none { text-decoration: none; }
</style>"""


def matched_words(parts: BleuParts) -> str:
    """Candidate and reference: each token coloured by the longest matched n-gram that it is part of.

    The line below a token is as many pixels thick as that n-gram is long; tokens that are
    clipped as single words are outlined, and
    tokens without a match are struck through in the candidate. Whatever people typed is escaped.
    """
    ours = longest_matches([match.candidate for match in parts.matches], len(parts.candidate))
    theirs = longest_matches([match.reference for match in parts.matches], len(parts.reference))
    clipped = parts.matches[0].clipped if parts.candidate else np.zeros(0, bool)
    candidate = _sentence(parts.candidate, ours, clipped, "can")
    reference = _sentence(parts.reference, theirs, np.zeros(len(parts.reference), bool), "ref")
    return (
        f"{_STYLE}<div class='matched'><div><span class='who'>candidate</span>{candidate}</div>"
        f"<div><span class='who'>reference</span>{reference}</div><div>{_key(parts.matches)}</div></div>"
    )


def longest_matches(matched: Sequence[np.ndarray], length: int) -> np.ndarray:
    """For each token the order of the longest matched n-gram that covers it, [length]; 0 for none."""
    found = np.zeros(length, int)
    for order, begins in enumerate(matched, start=1):
        for at in np.flatnonzero(begins):
            found[at : at + order] = order
    return found


def _sentence(tokens: Sequence[str], orders: np.ndarray, clipped: np.ndarray, kind: str) -> str:
    if not tokens:
        return "<i>(empty)</i>"
    return " ".join(
        _word(token, int(order), bool(cut), kind)
        for token, order, cut in zip(tokens, orders, clipped, strict=True)
    )


def _word(token: str, order: int, clipped: bool, kind: str) -> str:
    text = html.escape(token)
    outline = f"outline: 2px dashed {VERMILLION};" if clipped else ""
    if clipped and not order:
        return f"<span class='w' style='{outline}' title='clipped'>{text}</span>"
    if not order:
        return f"<span class='w none {kind}'>{text}</span>"
    color = ORDER_COLORS[order - 1]
    look = f"{outline}background: {translucent(color, 0.28)}; border-bottom: {order}px solid {color}"
    return f"<span class='w' style='{look}' title='{order}-gram'>{text}</span>"


def _key(matches: Sequence[Matches]) -> str:
    """What the colours mean, and how many n-grams match."""
    parts = [
        f"{_word(f'{match.order}-gram', match.order, False, 'key')} {match.count} of {match.total}"
        for match in matches
    ]
    return f"<span class='who'>matched</span>{' &ensp; '.join(parts)}"
