"""Where gates are held: outlines in heat maps and marked stretches of time in curves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from explorer.figures import style
from explorer.figures.decades import stretches
from explorer.figures.style import Figure

Held = Mapping[str, np.ndarray]
"""Gate → [T, H], True where it is held; row t-1 belongs to step t."""


def outlines(mask: np.ndarray, axis: str) -> list[Figure]:
    """Rectangles around the held steps of a heat map with one row for each unit, on the y axis ``axis``."""
    whole = np.asarray(mask.all(axis=1))
    shapes = [_outline(run, axis, -0.5, mask.shape[1] - 0.5) for run in stretches(whole)]
    for unit in np.flatnonzero((mask & ~whole[:, None]).any(axis=0)):
        shapes += [_outline(run, axis, unit - 0.5, unit + 0.5) for run in stretches(mask[:, unit] & ~whole)]
    return shapes


def _outline(run: tuple[int, int], axis: str, low: float, high: float) -> Figure:
    place = {"xref": "x", "yref": axis, "x0": run[0] + 0.5, "x1": run[1] + 1.5, "y0": low, "y1": high}
    return {"type": "rect"} | place | {"line": {"color": style.TEXT, "width": 2}, "fillcolor": style.CLEAR}


def spans(held: Held) -> list[Figure]:
    """Stretches of time in which any gate is held, as bars along the bottom of a figure."""
    if not held:
        return []
    any_gate = np.stack([mask.any(axis=1) for mask in held.values()]).any(axis=0)
    runs = stretches(np.asarray(any_gate))
    looks: Figure = {"fillcolor": style.COLORS["total"], "opacity": 0.55, "line": {"width": 0}}
    place = {"type": "rect", "xref": "x", "yref": "y domain", "y0": 0, "y1": 0.03, "layer": "below"}
    return [place | looks | {"x0": a + 0.5, "x1": b + 1.5} for a, b in runs]
