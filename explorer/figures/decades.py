"""Numbers as decades (log10): they reach 1e-1000, so they never become floats on their way to the screen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from explorer.figures.style import BACKGROUND, GRID, MUTED, SMALL, Figure, axis, note

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_UNITS = ((20, 5), (50, 10), (100, 25), (250, 50), (500, 100), (1000, 250), (2500, 500), (5000, 1000))
_TICKS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000)
UNDERFLOW = (("float32", -44.85, -37.93), ("float64", -323.31, -307.65))
"""(name, smallest number above 0, smallest number with all digits) in decades."""


def power(exponent: int) -> str:
    """10⁻⁵⁰ in Unicode."""
    return "10" + str(exponent).translate(_SUPERSCRIPT)


def number(decades: float) -> str:
    """The number 10^decades with three significant digits, as people write it."""
    if math.isnan(decades) or decades == math.inf:
        return "not a finite number"
    if decades == -math.inf:
        return "exactly 0"
    if -3 <= decades < 4:
        return plain(10.0**decades)
    exponent = math.floor(decades)
    mantissa = f"{10 ** (decades - exponent):.2f}"
    if mantissa == "10.00":
        mantissa, exponent = "1.00", exponent + 1
    return f"{mantissa}·{power(exponent)}"


def plain(value: float) -> str:
    """Three significant digits without an exponent."""
    return np.format_float_positional(value, precision=3, unique=False, fractional=False, trim="-")


# ---- axis ----


def _extremes(arrays: Iterable[object]) -> tuple[float, float]:
    """Smallest and largest finite number of all arrays, 0 included."""
    low = high = 0.0
    for array in arrays:
        if array is None:
            continue
        values = np.asarray(array, dtype=float)
        values = values[np.isfinite(values)]
        if values.size:
            low, high = min(low, float(values.min())), max(high, float(values.max()))
    return low, high


def unit_of(span: float) -> float:
    """The grid on which an axis of about this many decades begins and ends."""
    for most, unit in _UNITS:
        if span <= most:
            return unit
    return 10.0 ** math.floor(math.log10(span / 2.5))


def decade_range(*arrays: object) -> tuple[float, float]:
    """(low, high): whole units of 5, 10, 25, 50, 100 … decades around all finite numbers and 10⁰.

    A coarse grid keeps the axis still while a knob moves. Pass a scrub slider's extremes as one more array.
    """
    low, high = _extremes(arrays)
    unit = unit_of(high - low)
    slack = 0.045 * max(unit, high - low)  # what lies in the room beyond the last tick needs no further unit
    bottom = min(math.floor((low + slack) / unit), 0) * unit
    top = max(math.ceil((high - slack) / unit), 0) * unit
    return (-unit if bottom == top == 0 else bottom), top


def padded(low: float, high: float) -> tuple[float, float]:
    """The ends of the drawn axis: a little room, so that no thick line is cut in half."""
    room = 0.05 * (high - low)
    return low - room, high + room


def decade_ticks(low: float, high: float, most: int = 5) -> tuple[list[float], list[str]]:
    """Tick positions and labels such as 10⁻⁵⁰."""
    step = next((tick for tick in _TICKS if (high - low) / tick <= most), None)
    if step is None:
        step = int(10 ** math.ceil(math.log10((high - low) / most)))
    values = [step * k for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return [float(v) for v in values], [f"<b>{power(v)}</b>" if v == 0 else power(v) for v in values]


def decade_axis(title: str, low: float, high: float, **parts: Any) -> Figure:
    """A log axis drawn linearly in decades, with the line 10⁰ = "no change" drawn stronger."""
    values, labels = decade_ticks(low, high)
    bottom, top = padded(low, high)
    ticks = {"tickmode": "array", "tickvals": values, "ticktext": labels}
    zero = {"zeroline": True, "zerolinewidth": 2.5, "zerolinecolor": MUTED}
    return axis(title, bottom, top, **ticks) | zero | parts


def underflow_marks(low: float, high: float) -> tuple[list[Figure], list[Figure]]:
    """(shapes, annotations): where float32 and float64 lose digits and then end in 0, if in range."""
    shapes, notes = [], []
    for name, smallest, normal in UNDERFLOW:
        if low < smallest and normal < high:
            place = {"xref": "x domain", "yref": "y", "x0": 0, "x1": 1, "y0": smallest, "y1": normal}
            looks = {"fillcolor": GRID, "line": {"width": 0}, "layer": "below"}
            shapes.append({"type": "rect"} | place | looks)
            text = f"{name} ends here"
            right: Figure = {"xref": "x domain", "xanchor": "right", "yanchor": "top", "xshift": -4}
            notes.append(note(text, 1, smallest, **right))
    return shapes, notes


def log_hover(what: str, time: str = "t") -> str:
    """Hover text of a curve in decades."""
    return f"{time} = %{{x}}<br>{what} = 10<sup>%{{y:.2f}}</sup><extra></extra>"


# ---- curves ----


def quantiles(decades: np.ndarray, shares: Sequence[float]) -> list[np.ndarray]:
    """Quantiles over the last axis; −inf counts as smallest, one NaN makes the whole row NaN."""
    values = np.asarray(decades, dtype=float)
    if values.ndim == 1:
        return [values] * len(shares)
    values = np.sort(values, axis=-1)
    last = values.shape[-1] - 1
    bad = np.isnan(values[..., last])
    result = []
    for share in shares:
        place = share * last
        left, right = values[..., math.floor(place)], values[..., math.ceil(place)]
        with np.errstate(invalid="ignore"):
            mixed = left + (place - math.floor(place)) * (right - left)
        mixed = np.where(np.isfinite(left) & np.isfinite(right), mixed, left)
        mixed[bad] = np.nan
        result.append(mixed)
    return result


def median_of_numbers(values: np.ndarray) -> np.ndarray:
    """The (lower) median over the last axis of all entries that are not NaN; NaN where there is none."""
    values = np.asarray(values, dtype=float)
    if values.ndim == 1:
        return values
    there = values.shape[-1] - np.isnan(values).sum(axis=-1)
    place = np.maximum(there - 1, 0) // 2
    return np.take_along_axis(np.sort(values, axis=-1), place[..., None], axis=-1)[..., 0]


def finite(decades: np.ndarray) -> np.ndarray:
    """A copy with NaN, which Plotly leaves out, for everything that has no place on the axis."""
    values = np.asarray(decades, dtype=float)
    return np.where(np.isfinite(values), values, np.nan)


def stretches(mask: np.ndarray) -> list[tuple[int, int]]:
    """(first, last) of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(mask, dtype=np.int8), [0]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def dots(decades: np.ndarray, color: str) -> Figure:
    """What makes a finite number between two gaps visible: no line reaches it. Empty without such numbers."""
    lone = [a for a, b in stretches(np.isfinite(decades)) if a == b]
    if not lone:
        return {}
    sizes = np.zeros(len(decades), dtype=np.float32)
    sizes[lone] = 7
    marker = {"size": sizes, "color": color, "opacity": 1, "line": {"width": 0}}
    return {"mode": "lines+markers", "marker": marker}


def shaded_stretches(
    mask: np.ndarray, text: str, color: str, first: float = 0, y: float = 0.45
) -> tuple[list[Figure], list[Figure]]:
    """(shapes, annotations): every run of True shaded over the whole height, the longest one labelled."""
    runs = stretches(mask)
    shapes = [
        {"type": "rect", "xref": "x", "yref": "y domain", "x0": first + a - 0.5, "x1": first + b + 0.5}
        | {"y0": 0, "y1": 1, "fillcolor": color, "opacity": 0.18, "line": {"width": 0}, "layer": "below"}
        for a, b in runs
    ]
    if not runs:
        return [], []
    a, b = max(runs, key=lambda run: run[1] - run[0])
    last = max(len(mask) - 1, 1)
    label: Figure = {"yref": "y domain", "font": {"size": SMALL, "color": color}, "bgcolor": BACKGROUND}
    if b - a >= 0.4 * last:
        return shapes, [note(text, first + (a + b) / 2, y, **label)]
    if a + b < last:  # beside a narrow stretch
        return shapes, [note(f"◂ {text}", first + b + 0.5, y, xanchor="left", **label)]
    return shapes, [note(f"{text} ▸", first + a - 0.5, y, xanchor="right", **label)]
