"""How far apart seeds are after k layers, on logarithmic axes: √k when independent, k when tied."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.ensembles.layers import KINDS
from explorer.ensembles.tied import spread_exponent
from explorer.figures import style
from explorer.figures.kind_looks import (
    THEORY,
    check_kinds,
    key_margin,
    kind_curve,
    kind_entry,
    kind_key,
    theory_curve,
)
from explorer.figures.style import MUTED, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.ensembles.products import GradientFan

_LABEL = 0.12  # room for the guides' names, as a share of the axis


def spread_growth(
    spreads: Mapping[str, np.ndarray], theory: Mapping[str, np.ndarray] | None = None
) -> Figure:
    """Standard deviation over seeds of log10‖δ_k‖ against k.

    The dotted guides ∝ √k and ∝ k start where the first kind that has a spread starts.

    Args:
        spreads: kind of ``KINDS`` → [K+1] in decades; 0 and NaN have no place on the axis and are named.
        theory: kind → [K+1] in decades, where there is one.

    Raises ValueError for no kind or one that is not in ``KINDS``.
    """
    check_kinds(spreads)
    curves = {kind: _positive(spread) for kind, spread in spreads.items()}
    laws = {kind: _positive(law) for kind, law in (theory or {}).items()}
    last = max(len(spread) for spread in curves.values()) - 1
    layers = np.arange(last + 1)
    heights = np.concatenate([*curves.values(), *laws.values()])
    heights = heights[np.isfinite(heights)]
    low, high = (heights.min(), heights.max()) if len(heights) else (0.1, 1.0)
    data: list[Figure] = []
    for kind, spread in curves.items():
        hover = f"{KINDS[kind].label}<br>k = %{{x}}<br>spread %{{y:.3g}} decades<extra></extra>"
        marked = _log_spaced(len(spread) - 1, kind)
        data += kind_curve(kind, layers[1 : len(spread)], spread[1:], marked=marked, hovertemplate=hover)
    data += [
        theory_curve(kind, layers[1 : len(law)], law[1:])
        | {"hovertemplate": "theory<br>k = %{x}<br>spread %{y:.3g} decades<extra></extra>"}
        for kind, law in laws.items()
    ]
    starts = [spread[1] for spread in curves.values() if np.isfinite(spread[1:2]).any()]
    notes: list[Figure] = []
    if starts:
        guides, notes = _guides(float(starts[0]), last)
        data = guides + data
        high = max(high, float(starts[0]) * last)
    missing = _missing(spreads)
    if missing:
        place: Figure = {"xanchor": "left", "yanchor": "bottom", "align": "left", "bgcolor": style.BACKGROUND}
        notes.append(style.note(missing, 0.02, 0.02, paper=True, **place))
    entries = [kind_entry(kind, _exponent(spread)) for kind, spread in spreads.items()]
    entries += [THEORY] if any(np.isfinite(law).any() for law in laws.values()) else []
    (x0, x1), (y0, y1) = _room(1, last), _room(float(low), float(high))
    x1 += _LABEL * (x1 - x0)
    layout = style.layout(
        f"spread_growth:{last}",
        meta={"x": "layers k back from the loss", "y": "standard deviation over seeds in decades"},
        xaxis=style.axis("layers k back from the loss", x0, x1, type="log", **_ticks(x0, x1, last)),
        yaxis=style.axis("spread in decades", y0, y1, type="log", **_ticks(y0, y1)),
        annotations=[*notes, kind_key(entries)],
        hovermode="closest",
        margin=key_margin(len(entries)),
    )
    return {"data": data, "layout": layout}


def _positive(values: np.ndarray) -> np.ndarray:
    """A copy with NaN, which Plotly leaves out, for what has no logarithm."""
    values = np.asarray(values, dtype=float)
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)


def _missing(spreads: Mapping[str, np.ndarray]) -> str:
    """Which kinds have no curve, and why: all seeds are equal, or fewer than two have a gradient."""
    said = []
    flat = {kind: np.asarray(spread, dtype=float)[1:] for kind, spread in spreads.items()}
    empty = [kind for kind, spread in flat.items() if not (np.isfinite(spread) & (spread > 0)).any()]
    equal = [kind for kind in empty if (flat[kind] == 0).any()]
    unknown = [kind for kind in empty if kind not in equal]
    for words, kinds in (("no spread", equal), ("fewer than two gradients", unknown)):
        if len(kinds) == len(spreads) > 1:
            said.append(f"{words} in any kind")
        elif kinds:
            said += [f"{words}:", *(KINDS[kind].label for kind in kinds)]
    return "<br>".join(said)


def _log_spaced(count: int, kind: str) -> np.ndarray:
    """Indices of a few markers, evenly spaced on the axis; each kind has its own."""
    shift = list(KINDS).index(kind) / len(KINDS)
    return np.unique(np.round(count ** ((np.arange(6) + shift) / 6)).astype(int).clip(1, count) - 1)


def _guides(start: float, last: int) -> tuple[list[Figure], list[Figure]]:
    """Dotted lines start·√k and start·k, each with its name at the right end."""
    data, notes = [], []
    line = {"width": style.THIN, "color": MUTED, "dash": "dot"}
    for power, label in ((0.5, "∝ √k"), (1.0, "∝ k")):
        ends = np.array([1.0, last])
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": ends,
                "y": start * ends**power,
                "line": line,
                "zorder": -2,
            }
            | {"name": f"guide {label}", "hoverinfo": "skip"}
        )
        place: Figure = {"xanchor": "left", "yanchor": "middle", "xshift": 4}
        notes.append(style.note(label, math.log10(last), math.log10(start * last**power), **place))
    return data, notes


def _exponent(spread: np.ndarray) -> str:
    """The measured slope as a power of k, for the key."""
    power = spread_exponent(spread)
    return f": k<sup>{power:.1f}</sup>" if np.isfinite(power) else ""


def _room(low: float, high: float) -> tuple[float, float]:
    """Ends of a logarithmic axis, in decades, with a little room."""
    start, stop = math.log10(low), math.log10(max(high, 1.001 * low))
    slack = 0.05 * max(stop - start, 0.3)
    return start - slack, stop + slack


def _ticks(low: float, high: float, most: float = np.inf) -> Figure:
    """Ticks at 1, 2 and 5 where the axis is short, else at powers of ten."""
    steps = (1, 2, 5) if high - low < 2.5 else (1,)
    values = [s * 10.0**e for e in range(math.floor(low), math.ceil(high) + 1) for s in steps]
    values = [value for value in values if value <= most]
    return {"tickmode": "array", "tickvals": values, "ticktext": [f"{value:g}" for value in values]}


def spread_growth_alt(spreads: Mapping[str, np.ndarray]) -> str:
    """One sentence with the numbers of ``spread_growth``."""
    said = []
    for kind, spread in spreads.items():
        end, power = float(np.asarray(spread)[-1]), spread_exponent(spread)
        grown = f", growing as k to the power {power:.1f}" if np.isfinite(power) else ""
        size = "not known" if np.isnan(end) else f"{end:.3g} decades" if end > 0 else "none"
        said.append(f"{KINDS[kind].label} {size}{grown}")
    layers = max(len(spread) for spread in spreads.values()) - 1
    return f"Spread over the seeds of the gradient's length after {layers} layers: {'; '.join(said)}."


def plot_spread_growth(fans: Sequence[GradientFan], *, dark: bool = False) -> go.Figure:
    """Spreads of fans of different kinds with the laws that hold for them."""
    from explorer.ensembles.growth_laws import applicable_law

    laws = {fan.stack.kind: applicable_law(fan.stack) for fan in fans}
    theory: dict[str, np.ndarray] = {
        kind: law.spread for kind, law in laws.items() if law is not None and law.spread is not None
    }
    return style.themed(spread_growth({fan.stack.kind: fan.spread for fan in fans}, theory), dark)
