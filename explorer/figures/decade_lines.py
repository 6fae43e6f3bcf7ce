"""A few named curves on a log axis, with exact zeros and missing numbers named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.style import Figure

_HEIGHTS = (0.18, 0.3, 0.42, 0.54)  # of the words for curves that are 0 at the same steps


@dataclass(frozen=True)
class Line:
    """One curve: its name, log10 values and looks; ``short`` names it in the key, "" leaves it out there."""

    name: str
    decades: np.ndarray
    color: str
    dash: str = "solid"
    short: str = ""
    width: float = style.WIDTH


def decade_lines(
    lines: Sequence[Line], *, name: str, title: str, first: int = 0, last: int | None = None
) -> Figure:
    """Curves in decades over time.

    Args:
        lines: arrays of one length; −inf is an exact 0 and is named, NaN is left out.
        name: decides when a reader's zoom is forgotten.
        title: of the y axis.
        first: the time step of entry 0.
        last: the end of the time axis, if not the last entry.
    """
    low, high = log.decade_range(*(line.decades for line in lines))
    count = len(lines[0].decades)
    steps = np.arange(first, first + count)
    shapes, notes = log.underflow_marks(low, high)
    data: list[Figure] = []
    for line in lines:
        looks = {"color": line.color, "dash": line.dash, "width": line.width}
        curve = {"type": "scatter", "mode": "lines", "name": line.name, "meta": "decades", "x": steps}
        curve |= {"y": log.finite(line.decades), "line": looks, "hovertemplate": log.log_hover(line.name)}
        data.append(curve | log.dots(line.decades, line.color))
    named = [line for line in lines if line.short]
    for line, height in zip(named, _HEIGHTS, strict=False):
        zero = np.isneginf(line.decades)
        more = log.shaded_stretches(zero, f"{line.short} exactly 0", line.color, first, height)
        shapes, notes = shapes + more[0], notes + more[1]
    notes.append(style.key(*((line.short, line.color, line.dash) for line in named)))
    layout = style.layout(
        f"{name}:{count}",
        xaxis=style.time_axis(first + count - 1 if last is None else last),
        yaxis=log.decade_axis(title, low, high),
        shapes=shapes,
        annotations=notes,
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
        meta={"x": "time step t", "y": f"log10 of {title}"},
    )
    return {"data": data, "layout": layout}
