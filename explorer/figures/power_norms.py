"""Powers of a matrix: what their norm does before the spectral radius has its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.style import BLUE, GREEN, OCHRE, VERMILLION, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.theory.non_normality import PowerGrowth

POWER_TRACES = {"norm": 0, "spectral radius": 1, "largest singular value": 2, "peak": 3}
_NOTE = (0.25, 0.12)  # width and height of a note as shares of the axes
_CLOSE = 8.0  # an axis of fewer decades ends at whole ones


def power_norms(found: PowerGrowth) -> Figure:
    """log10 ‖W^k‖ over k, with the lines ρ^k and σ_max^k that it lies between.

    The axis is made for the norm and ρ^k; σ_max^k leaves it where it is far above.
    """
    norms, last = found.norms, len(found.norms) - 1
    steps = np.arange(last + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        radius = np.where(steps == 0, 0.0, steps * np.log10(found.spectral_radius))
        bound = np.where(steps == 0, 0.0, steps * np.log10(found.sigma_max))
    low, high = _range(np.concatenate([norms, radius]))
    names = ("‖W<sup>k</sup>‖", "ρ<sup>k</sup>", "σ<sub>max</sub><sup>k</sup>")
    looks = ((BLUE, "solid"), (GREEN, "dash"), (OCHRE, "dot"))
    data: list[Figure] = []
    for name, values, (color, dash) in zip(names, (norms, radius, bound), looks, strict=True):
        line = {"color": color, "dash": dash, "width": style.WIDTH, "simplify": False}
        curve = {"type": "scatter", "mode": "lines", "name": name, "meta": "decades", "line": line}
        curve |= {"x": steps, "y": log.finite(values), "hovertemplate": log.log_hover(name, "k")}
        data.append(curve | log.dots(values, color))
    top = float(norms[found.peak])
    marker = {"symbol": "diamond", "size": 13, "color": VERMILLION}
    marker["line"] = {"width": 2, "color": style.BACKGROUND}
    peak = {"type": "scatter", "mode": "markers", "name": "peak", "meta": "decades", "marker": marker}
    grows = found.peak > 0
    data.append(
        peak
        | {"x": np.array([found.peak]), "y": np.array([top if grows else np.nan])}
        | {"hovertemplate": log.log_hover("peak", "k")}
    )
    shapes, notes = log.shaded_stretches(
        np.isneginf(norms), "W<sup>k</sup> is exactly 0", style.COLORS["zero"]
    )
    if grows:
        place: Figure = {"xanchor": "left", "yanchor": "bottom", "xshift": 8, "bgcolor": style.BACKGROUND}
        said = f"{log.number(top)} at k = {found.peak}" + (", still growing" if found.peak == last else "")
        if found.peak > 0.6 * last:
            place |= {"xanchor": "right", "xshift": -8}
        notes.append(style.note(said, found.peak, top, color=VERMILLION, **place))
    crossing = _crossing(found, high - low)
    if crossing is not None:
        below: Figure = {"xanchor": "left", "yanchor": "bottom", "xshift": 4, "bgcolor": style.BACKGROUND}
        if crossing > 0.6 * last:
            below |= {"xanchor": "right", "xshift": -4, "yanchor": "top"}
        notes.append(style.note(f"below 1 from k = {crossing}", crossing, 0, color=BLUE, **below))
    entries = [(name, color, dash) for name, (color, dash) in zip(names, looks, strict=True)]
    layout = style.layout(
        f"power_norms:{last}",
        xaxis=style.time_axis(last) | {"title": {"text": "power k", "standoff": 4}},
        yaxis=log.decade_axis("norm of W<sup>k</sup>", low, high),
        shapes=shapes,
        annotations=[*notes, style.key(*entries)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
        meta={"x": "power k", "y": "log10 of the norm"},
    )
    return {"data": data, "layout": layout}


def _range(values: np.ndarray) -> tuple[float, float]:
    """Whole decades around all finite numbers and 10⁰, or those of ``decade_range`` if they are many."""
    known = np.append(values[np.isfinite(values)], 0.0)
    low, high = float(np.floor(known.min())), float(np.ceil(known.max()))
    if high - low > _CLOSE:
        return log.decade_range(known)
    return (low - 1, high) if low == high else (low, high)


def _crossing(found: PowerGrowth, decades: float) -> int | None:
    """Where the norm falls below 1, if it does so after a peak and there is room for both notes."""
    settled, last = found.settled, len(found.norms) - 1
    if not found.peak or settled is None or not np.isfinite(found.norms[settled]):
        return None
    beside = settled - found.peak > _NOTE[0] * last
    return settled if beside or found.norms[found.peak] > _NOTE[1] * decades else None


def power_norms_alt(found: PowerGrowth) -> str:
    """One sentence with the numbers of ``power_norms``."""
    last = len(found.norms) - 1
    path = f"starts at 1 and is {log.number(float(found.norms[-1]))} at k = {last}"
    if found.peak == last:
        path = f"is still growing at k = {last}, where it is {log.number(float(found.norms[-1]))}"
    elif found.peak:
        settled = "" if found.settled is None else f" and stays below 1 from k = {found.settled} on"
        path = f"rises to {log.number(float(found.norms[found.peak]))} at k = {found.peak}{settled}"
    return (
        f"With spectral radius {found.spectral_radius:.3g} and largest singular value {found.sigma_max:.3g} "
        f"the norm of W^k {path}."
    )


def plot_power_norms(matrix: np.ndarray, steps: int = 100, *, dark: bool = False) -> go.Figure:
    """Norms of the powers of a matrix up to ``steps``."""
    from explorer.theory.non_normality import power_growth

    return style.themed(power_norms(power_growth(matrix, steps)), dark)
