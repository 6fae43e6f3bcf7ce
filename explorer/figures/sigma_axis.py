"""The axis of σ_w, the scale of random weights, with the critical point where χ₁ = 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.figures import style
from explorer.figures.style import TEXT, Figure

_SHORTEST = 3.0  # end of the axis
_NEAREST, _WIDEST = 1e-5, 0.3  # shares of the axis between which points close in on the critical one


def sigma_end(sigma_w: float, critical: float = np.nan) -> float:
    """Where the axis ends so that the present σ_w and the critical one are well inside."""
    return float(np.nanmax([_SHORTEST, 1.25 * sigma_w, 1.6 * critical]))


def sigma_grid(low: float, high: float, critical: float = np.nan, count: int = 60) -> np.ndarray:
    """``count`` ascending σ_w from low to high, a third of them close to the critical one.

    Raises ValueError unless 0 ≤ low < high and count is at least 12.
    """
    if not (0 <= low < high and count >= 12):
        raise ValueError(
            f"low={low}, high={high}, count={count}: allowed are 0 ≤ low < high and a count of at least 12"
        )
    if not low < critical < high:
        return np.linspace(low, high, count)
    steps = (high - low) * np.geomspace(_NEAREST, _WIDEST, count // 6)
    close = np.clip(np.concatenate([critical - steps, critical + steps]), low, high)
    return np.sort(np.concatenate([np.linspace(low, high, count - len(close)), close]))


def sigma_axis(low: float, high: float, **parts: Any) -> Figure:
    """The axis itself."""
    return style.axis("weights σ<sub>w</sub>", low, high, nticks=8, **parts)


def critical_marks(critical: float, low: float, high: float) -> tuple[list[Figure], list[Figure]]:
    """(shapes, annotations): a line at the critical σ_w with its number, and what lies on its two sides."""
    if not low < critical < high:
        return [], []
    line: Figure = {"type": "line", "layer": "below"}
    line |= {"line": {"color": TEXT, "width": style.THIN, "dash": "dot"}}
    line |= {"xref": "x", "yref": "y domain", "x0": critical, "x1": critical, "y0": 0, "y1": 1}
    right = critical < (low + high) / 2
    place: Figure = {"xanchor": "left" if right else "right", "xshift": 6 if right else -6}
    place |= {"yref": "y domain", "yanchor": "bottom", "color": TEXT}
    notes = [style.note(f"χ₁ = 1 at σ<sub>w</sub> = {critical:.3g}", critical, 0, **place)]
    for word, room, anchor, shift in (
        ("vanishing", critical - low, "right", -6),
        ("exploding", high - critical, "left", 6),
    ):
        if room > 0.25 * (high - low):
            top: Figure = {"yref": "y domain", "yanchor": "top", "xanchor": anchor, "xshift": shift}
            notes.append(style.note(word, critical, 1, **top))
    return [line], notes
